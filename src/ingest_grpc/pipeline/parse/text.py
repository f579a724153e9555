"""Markdown and plain text: as they are, in UTF-8."""

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.characters import Decoded, decode
from ingest_grpc.pipeline.parse.engines import CHARSET_NORMALIZER, STDLIB
from ingest_grpc.pipeline.parse.layout import markdown
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Source


def parse(source: Source) -> Parsed:
    """ParseFailure EMPTY_FILE for white space only, TEXT_UNDECODABLE."""
    decoded = read(source)
    return Parsed(decoded.text, engine_of(decoded), warnings=decoded.warnings)


def read(source: Source) -> Decoded:
    """The characters of a text file. ParseFailure EMPTY_FILE if none of them is visible."""
    decoded = decode(source.data, source.declared_charset)
    if not decoded.text.strip("\ufeff \t\r\n\f\v\0"):
        raise ParseFailure(Reason.EMPTY_FILE, "only white space", engine=STDLIB)
    return decoded


def engine_of(decoded: Decoded) -> str:
    """Who read the text: the guesser where it was needed."""
    return CHARSET_NORMALIZER if decoded.guessed else STDLIB


def fenced(text: str, language: str) -> str:
    """A code block that holds `text` unaltered, with a fence longer than any run of backticks in it."""
    return markdown.fenced([text.strip()], language) + "\n"
