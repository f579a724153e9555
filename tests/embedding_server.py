"""An embedding endpoint on loopback: real HTTP, vectors that depend on the text, and failures where a test says so."""

import hashlib
import json
from collections.abc import Sequence

from tests.chat_server import Asked, Reply

DIMENSION = 8


def values(text: str, dimension: int = DIMENSION) -> list[float]:
    """Numbers that are the text's own, not of length 1."""
    digest = hashlib.sha512(text.encode()).digest()
    return [byte / 16 - 7.5 for byte in digest[:dimension]]


def vectors(asked: Asked) -> Reply:
    """A vector per text, the last first: nothing promises an order but `index`."""
    return answer([values(text) for text in asked.body["input"]])


def answer(embeddings: Sequence[Sequence[float]]) -> Reply:
    data = [{"object": "embedding", "index": index, "embedding": list(each)} for index, each in enumerate(embeddings)]
    body = {"object": "list", "data": data[::-1], "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    return Reply(body=json.dumps(body).encode(), headers={"content-type": "application/json"})
