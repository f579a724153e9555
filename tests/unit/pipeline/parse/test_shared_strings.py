"""Texts that the cells of a workbook share are added up before they are written out."""

import pytest

from ingest_grpc.config import Settings
from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import shared_strings, zip_probe
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from tests.hostile.offices import sheet

LIMITS = Limits.of(Settings(max_output_bytes=10_000))
CELL = b'<c r="A1" t="s"><v>%d</v></c>'


def check(rows: bytes, strings: bytes | None) -> None:
    """A sheet with these rows."""
    data = sheet(rows, strings=strings)
    shared_strings.check(data, zip_probe.members(data, LIMITS), LIMITS)


TEXT = b"<si><t>%b</t></si>" % (b"x" * 100)


@pytest.mark.parametrize(
    ("rows", "strings"),
    [
        (CELL % 0 * 101, TEXT),
        (CELL % 1 * 101, b"<si><t>a</t></si>" + TEXT),
        (b"<c t = 's' ><v >0</v></c>" * 101, b"<x:si><t>%b</t></x:si>" % (b"x" * 100)),
    ],
    ids=["first", "second", "odd spelling"],
)
def test_shared_strings__beyond_the_output_are_refused(rows: bytes, strings: bytes) -> None:
    with pytest.raises(ParseFailure, match="10000 bytes") as refused:
        check(rows, strings)
    assert refused.value.reason is Reason.OUTPUT_TOO_LARGE


@pytest.mark.parametrize(
    ("rows", "strings"),
    [
        (CELL % 0 * 100, TEXT),
        (CELL % 0 + CELL % 1 * 900, b"<si><t>%b</t></si><si><t>a</t></si>" % (b"x" * 9_000)),
        (CELL % 0 * 90, b"<si><r><rPr><b/></rPr><t>%b</t></r></si>" % (b"&amp;" * 100)),
        (b"<c><v>0</v></c>" * 500 + CELL % 77 * 500, TEXT),
        (CELL % 0 * 1_000, None),
    ],
    ids=["at the limit", "long and rare", "markup and escapes", "numbers, and texts that are not there", "no texts"],
)
def test_shared_strings__within_the_output_pass(rows: bytes, strings: bytes | None) -> None:
    check(rows, strings)
