"""Depth and spread of markup, found by looking at tags alone."""

import contextlib

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.nesting import check_depth, check_page, check_well_formed
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


@pytest.mark.parametrize(
    "page",
    [
        "<script>" + "for (i=0;i<a.length;i++) {} " * 500 + "</script><p>words",
        "<!-- " + "<div>" * 500 + " --><p>words",
        "<style>" + "<b>" * 500 + "</style>",
        "<title>" + "<b>" * 500,
        "<a title='" + "<" * 500 + "'>x</a>",
    ],
)
def test_page__what_is_no_markup_is_no_level(page: str) -> None:
    check_page(page, DEFAULTS)


def test_page__scripts_in_a_script_that_never_ends() -> None:
    assert refused("<script>" * (DEFAULTS.max_nesting + 1)) is Reason.TOO_DEEPLY_NESTED


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["<a ", "<", "<!--", "<script", "<title>", "<td colspan=", "</", "<a<b"])
def test_page__nothing_takes_the_square_of_its_length(piece: str) -> None:
    with contextlib.suppress(ParseFailure):
        check_page(piece * 1_000_000, DEFAULTS)


@pytest.mark.parametrize(
    "text",
    [
        b'<?xml version="1.0" encoding="UTF-99"?><a/>',
        b'<?xml version="1.0" encoding="shift-jis"?><a/>',
        b"<a><b></a>",
        b"<a>",
        b"",
        b"<a>\xff</a>",
        b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
    ],
)
def test_well_formed__torn_parts_and_entities_are_refused(text: bytes) -> None:
    check_well_formed([b"<a>", b"<b/>text</a>"], DEFAULTS)
    with pytest.raises(ParseFailure) as failure:
        check_well_formed([text], DEFAULTS)
    assert failure.value.reason is Reason.FILE_UNREADABLE


def test_page__end_tags_of_nothing_lift_nothing() -> None:
    assert refused("<table><tr><td></a></p></i>" * (DEFAULTS.max_nesting + 1)) is Reason.TOO_DEEPLY_NESTED
    check_page("<div><span><font>words</div>" * 1000, DEFAULTS)


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
