"""CSV and TSV: one pipe table, its first row as the head."""

import csv
import io
from collections.abc import Iterator
from itertools import islice

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.engines import STDLIB
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Source
from ingest_grpc.pipeline.parse.text import read
from ingest_grpc.pipeline.parse.types import Kind

_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 50
_MAX_FIELD_CHARACTERS = 2**31 - 1

csv.field_size_limit(_MAX_FIELD_CHARACTERS)


def parse(source: Source) -> Parsed:
    """ParseFailure EMPTY_FILE, TEXT_UNDECODABLE, FILE_UNREADABLE, OUTPUT_TOO_LARGE."""
    decoded = read(source)
    tabs = source.kind is Kind.TSV and "\t" in decoded.text
    delimiter = "\t" if tabs else guess_delimiter(decoded.text)
    try:
        rows = [row for row in _reader(decoded.text, delimiter) if row]
    except csv.Error as error:
        raise ParseFailure(Reason.FILE_UNREADABLE, f"not readable as CSV: {error}", engine=STDLIB) from None
    return Parsed(_table(rows, source.options.limits.max_output_bytes), STDLIB, warnings=decoded.warnings)


def guess_delimiter(text: str) -> str:
    """The delimiter that cuts the first rows into the most columns that they agree on; a comma if none does."""

    def agreement(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in islice(_reader(text, delimiter), _SAMPLE_ROWS) if row]
        except csv.Error:
            return (0, 0)
        common = max(set(widths), key=widths.count) if widths else 1
        return (widths.count(common) if common > 1 else 0, common)

    best = max(_DELIMITERS, key=agreement)
    return best if agreement(best)[0] else ","


def _reader(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _table(rows: list[list[str]], max_bytes: int) -> str:
    """The rows as a pipe table, padded to the widest. A few long rows could make padding explode: counted first."""
    width = max(len(row) for row in rows)
    if len(rows) * width * 2 > max_bytes:
        raise ParseFailure(Reason.OUTPUT_TOO_LARGE, f"{len(rows)} rows of {width} columns", engine=STDLIB)
    lines = [_line(row, width) for row in rows]
    lines.insert(1, "|" + " --- |" * width)
    return "\n".join(lines) + "\n"


def _line(row: list[str], width: int) -> str:
    cells = [_cell(value) for value in row] + [""] * (width - len(row))
    return "| " + " | ".join(cells) + " |"


def _cell(value: str) -> str:
    return "<br>".join(value.strip().replace("\\", "\\\\").replace("|", "\\|").splitlines())
