"""Bytes to characters."""

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.characters import beginning, decode, looks_like_text
from ingest_grpc.pipeline.parse.outcome import ParseFailure

TEXT = "Grüße aus Köln, the rest is plain English."
RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 20


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        "\ufeff".encode("utf-32-le") + TEXT.encode("utf-32-le"),
        "\ufeff".encode("utf-32-be") + TEXT.encode("utf-32-be"),
        TEXT.encode("utf-16") + b"\n",
    ],
)
def test_decode__unicode_without_guessing(data: bytes) -> None:
    decoded = decode(data)
    assert (decoded.text, decoded.warnings) == (TEXT, [])


def test_decode__declared_encoding_before_a_guess() -> None:
    decoded = decode(RUSSIAN.encode("koi8-r"), "koi8-r")
    assert (decoded.text, decoded.guessed) == (RUSSIAN, False)


@pytest.mark.parametrize("declared", ["", "no-such-encoding", "utf-8", "base64"])
def test_decode__guesses_and_says_so(declared: str) -> None:
    decoded = decode(RUSSIAN.encode("windows-1251"), declared)
    assert decoded.text == RUSSIAN
    assert decoded.warnings == ["the character encoding was guessed: cp1251"]


def test_decode__what_is_marked_but_broken() -> None:
    with pytest.raises(ParseFailure) as failure:
        decode(b"\xff\xfe" + b"\x00\xd8" * 10)
    assert failure.value.reason is Reason.TEXT_UNDECODABLE


@pytest.mark.parametrize("data", [b"\x00\x01\x02" * 50, b"abc\x00def", bytes(range(1, 9)) * 20])
def test_looks_like_text__not_for_binary(data: bytes) -> None:
    assert not looks_like_text(data)


@pytest.mark.parametrize("data", [b"", b"a", TEXT.encode(), TEXT.encode("utf-16"), RUSSIAN.encode("cp1251")])
def test_looks_like_text__for_text(data: bytes) -> None:
    assert looks_like_text(data)


def test_beginning__finds_words_in_any_unicode() -> None:
    assert beginning("\ufeff<?xml ".encode("utf-16-be"), 5) == "<?xml"
    assert beginning(b"<?xml \xe4", 5) == "<?xml"
