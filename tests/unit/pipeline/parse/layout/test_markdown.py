"""Blocks as Markdown."""

from ingest_grpc.pipeline.parse.layout.markdown import fenced, pipe_table, render
from ingest_grpc.pipeline.parse.layout.page import Block


def test_render__each_kind() -> None:
    blocks = [
        Block("heading", "Title", level=1),
        Block("paragraph", "Words", bold=True),
        Block("list_item", "one"),
        Block("list_item", "two", level=1, marker="1."),
        Block("code", lines=["x = 1"], language="python"),
        Block("figure", "a tower"),
        Block("figure"),
        Block("paragraph", ""),
        Block("rule"),
    ]
    assert render(blocks) == ("# Title\n\n**Words**\n\n- one\n  1. two\n\n```python\nx = 1\n```\n\n![a tower]()\n\n---")


def test_table__is_padded_and_its_pipes_are_escaped() -> None:
    assert pipe_table([["a", "b"], ["x|y"]]) == "| a | b |\n| --- | --- |\n| x\\|y |  |"
    assert pipe_table([]) == ""


def test_code__has_a_fence_longer_than_any_in_it() -> None:
    assert fenced(["```", "inner", "```"]) == "````\n```\ninner\n```\n````"
