"""Depth and spread of markup, found by looking at tags alone."""

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.nesting import check_depth, check_page
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from tests.limits import DEFAULTS, limits

LIMIT = DEFAULTS.max_elements_deep


def xml(depth: int) -> bytes:
    return b"<a b='c'>" * depth + b"text" + b"</a>" * depth


def refused(text: str, **changed: int) -> Reason:
    with pytest.raises(ParseFailure) as failure:
        check_page(text, limits(**changed))
    return failure.value.reason


@pytest.mark.parametrize("piece_bytes", [1, 7, 1024, 10**6])
def test_xml__is_refused_beyond_the_limit_wherever_it_is_cut(piece_bytes: int) -> None:
    def pieces(text: bytes) -> list[bytes]:
        return [text[start : start + piece_bytes] for start in range(0, len(text), piece_bytes)]

    check_depth(pieces(xml(LIMIT)), DEFAULTS)
    check_depth(pieces((b"<?xml?><!-- --><b/>" + xml(LIMIT)) * 20), DEFAULTS)
    with pytest.raises(ParseFailure) as failure:
        check_depth(pieces(xml(LIMIT + 1)), DEFAULTS)
    assert failure.value.reason is Reason.TOO_DEEPLY_NESTED


def test_xml__breadth_is_no_depth() -> None:
    check_depth([b"<r>" + b"<a/><b></b>" * 500_000 + b"</r>"], DEFAULTS)


@pytest.mark.parametrize("level", ["<div>", "<b>", "<ul><li>", "<table><tr><td>", "<blockquote class=x>", "<x-y>"])
def test_page__levels_are_counted(level: str) -> None:
    check_page(level * DEFAULTS.max_nesting, DEFAULTS)
    assert refused(level * (DEFAULTS.max_nesting + 1)) is Reason.TOO_DEEPLY_NESTED


@pytest.mark.parametrize(
    "part", ["<p>one<br>", "<li>x", "<tr><td>x", "<img src=x>", "<a id=x />", "<i>x</i>", "< b", "</b>"]
)
def test_page__what_ends_by_itself_is_no_level(part: str) -> None:
    check_page(part * 1000, DEFAULTS)


def test_page__cells_are_counted_as_the_spans_spread_them() -> None:
    table = "<table>" + "<tr><td>a<td>b</tr>" * 50 + "</table>"
    check_page(table * 10, limits(max_table_cells=1000))
    assert refused(table * 11, max_table_cells=1000) is Reason.OUTPUT_TOO_LARGE
    wide_once = "<table><tr>" + "<td>x" * 100 + "</tr>" + "<tr><td>x</tr>" * 9 + "</table>"
    check_page(wide_once, limits(max_table_cells=1000))
    assert refused(wide_once, max_table_cells=999) is Reason.OUTPUT_TOO_LARGE


def test_page__spans_end_where_they_say() -> None:
    stairs = "<table>" + "<tr><td rowspan=2>a<td>b</tr><tr><td>b</tr>" * 5_000 + "</table>"
    check_page(stairs, limits(max_table_cells=20_000))
    assert refused("<td colspan=1000 rowspan=65000>x" * 10 + "<tr>" * 600) is Reason.OUTPUT_TOO_LARGE
    check_page("<tr><td colspan='2000000000'>x", limits(max_table_cells=1000))
