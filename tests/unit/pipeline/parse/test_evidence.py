"""What counts as text."""

import pytest

from ingest_grpc.pipeline.parse.evidence import has_text, has_text_below_headings


@pytest.mark.parametrize("markdown", ["word", "# Title", "漢字", "| 7 |", "![alt](x.png) caption", "[link](x)"])
def test_has_text__words(markdown: str) -> None:
    assert has_text(markdown)


@pytest.mark.parametrize(
    "markdown",
    ["", " \n", "![Picture 1](media/image1.png)", "\\![a.png](../a.png)\n\n-----\n", "<!-- x -->", "| --- |", "; ;"],
)
def test_has_text__no_words(markdown: str) -> None:
    assert not has_text(markdown)


def test_has_text_below_headings__an_empty_sheet_has_only_its_name() -> None:
    assert not has_text_below_headings("## Sheet1\n\n")
    assert has_text_below_headings("## Sheet1\n\n| 7 |")
