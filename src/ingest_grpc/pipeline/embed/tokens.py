"""Token counts by a tokenizer.json (the format of Hugging Face's tokenizers)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ingest_grpc.pipeline.embed.interface import EmbedderRefused

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BYTES_PER_TOKEN = 3
"""English has about four, Japanese three; so a guess that is seldom too low."""


def load_tokenizer(path: Path) -> "Tokenizer":
    """The tokenizer, which neither cuts nor pads. Blocks. Raises EmbedderRefused."""
    from tokenizers import Tokenizer  # noqa: PLC0415

    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # the library raises plain Exception
        raise EmbedderRefused(f"{path} is no tokenizer: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def count(tokenizer: "Tokenizer", texts: Sequence[str]) -> list[int]:
    """Tokens of each text, those included that the model's template adds."""
    return [len(each) for each in tokenizer.encode_batch_fast(list(texts))]


def extra(tokenizer: "Tokenizer", prefix: str) -> int:
    """Tokens that a prefix takes from a text's room."""
    with_prefix, without = count(tokenizer, [prefix + "x", "x"])
    return with_prefix - without


def guess(texts: Sequence[str]) -> list[int]:
    """About how many tokens each text has, for a model whose tokenizer is not known."""
    return [len(text.encode()) // BYTES_PER_TOKEN + 1 for text in texts]
