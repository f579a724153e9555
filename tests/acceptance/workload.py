"""Small real documents of many formats, each with a word of its own that its Markdown must contain."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests import documents

WORDS = ("amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbor", "inlet", "jetty", "kelp", "lagoon")


@dataclass(frozen=True, slots=True)
class Document:
    """A file to upload; `word` occurs in its text and in no other document's."""

    name: str
    word: str
    data: bytes


def prose(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words)).capitalize() + "."


def _pdf(word: str, rng: random.Random, most_pages: int = 30) -> bytes:
    pages = [f"{word} page {number}: {prose(rng, 8)}" for number in range(1, rng.randint(most_pages // 3, most_pages))]
    return documents.pdf(pages, title=word)


def _long_pdf(word: str, rng: random.Random) -> bytes:
    """Converted in some tenths of a second, so that a kill can hit the middle."""
    return _pdf(word, rng, most_pages=300)


def _docx(word: str, rng: random.Random) -> bytes:
    return documents.word(text=f"{word}. {prose(rng, 400)}", heading=prose(rng, 3))


def _pptx(word: str, rng: random.Random) -> bytes:
    return documents.slides([word, *(prose(rng, 4) for _ in range(5))])


def _xlsx(word: str, rng: random.Random) -> bytes:
    return documents.sheet([("Name", "Count"), (word, 1), *((prose(rng, 2), rng.randint(1, 99)) for _ in range(50))])


def _html(word: str, rng: random.Random) -> bytes:
    body = "".join(f"<h2>{prose(rng, 2)}</h2><p>{prose(rng, 40)}</p>" for _ in range(20))
    return f"<!doctype html><title>{word}</title><body><h1>{word}</h1>{body}</body>".encode()


def _csv(word: str, rng: random.Random) -> bytes:
    return "\n".join(["name,count", f"{word},1", *(f"{rng.choice(WORDS)},{n}" for n in range(200))]).encode()


def _json(word: str, rng: random.Random) -> bytes:
    return json.dumps({"title": word, "items": [prose(rng, 5) for _ in range(20)]}).encode()


def _txt(word: str, rng: random.Random) -> bytes:
    return "\n\n".join([word, *(prose(rng, 60) for _ in range(10))]).encode()


def _eml(word: str, rng: random.Random) -> bytes:
    head = f"From: a@example.com\nTo: b@example.com\nSubject: {word}\nDate: Mon, 2 Mar 2026 10:00:00 +0000"
    return f"{head}\nContent-Type: text/plain; charset=utf-8\n\n{prose(rng, 80)}\n".encode()


def _rtf(word: str, rng: random.Random) -> bytes:
    return f"{{\\rtf1\\ansi {word}\\par {prose(rng, 50)}\\par}}".encode()


def _large(word: str, rng: random.Random) -> bytes:
    """Above what goes into one message, so that it is uploaded as a stream."""
    return f"{word}\n\n".encode() + (prose(rng, 100) + "\n\n").encode() * 1_700


_FORMATS: Sequence[tuple[str, Callable[[str, random.Random], bytes]]] = (
    ("pdf", _pdf),
    ("docx", _docx),
    ("html", _html),
    ("pptx", _pptx),
    ("csv", _csv),
    ("xlsx", _xlsx),
    ("json", _json),
    ("eml", _eml),
    ("txt", _txt),
    ("txt", _large),
    ("rtf", _rtf),
)


def make_documents(count: int, seed: int = 0, *, long: bool = False) -> list[Document]:
    """`count` different documents, the same for the same seed; with `long` every other one takes its time."""
    rng = random.Random(seed)
    return [_document(number, rng, long=long and number % 2 == 1) for number in range(count)]


def _document(number: int, rng: random.Random, *, long: bool) -> Document:
    word = f"marker{rng.randrange(10**9):09d}"
    ending, make = ("pdf", _long_pdf) if long else _FORMATS[number % len(_FORMATS)]
    return Document(f"{number:03d}.{ending}", word, make(word, rng))
