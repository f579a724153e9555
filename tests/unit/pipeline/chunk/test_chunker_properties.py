"""What holds for every text."""

import os
import re
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest_grpc.pipeline.chunk import blocks
from ingest_grpc.pipeline.chunk.interface import Chunk
from tests.unit.pipeline.chunk.counting import chunks, count_tokens

EXAMPLES = int(os.environ.get("CHUNKER_EXAMPLES", "120"))

WORDS = st.text("ab c. 日本。!\t*_`|>#-", min_size=1, max_size=60)
LINES = st.lists(WORDS, min_size=1, max_size=12)


def prefixed(prefix: str, lines: list[str]) -> str:
    return "\n".join(prefix + line for line in lines)


BLOCKS = st.one_of(
    WORDS,
    LINES.map("\n".join),
    st.tuples(st.integers(1, 6), WORDS).map(lambda each: "#" * each[0] + " " + each[1]),
    st.tuples(st.sampled_from(["```", "~~~~", "```py"]), LINES, st.booleans()).map(
        lambda each: f"{each[0]}\n" + "\n".join(each[1]) + (f"\n{each[0][:4].rstrip('py')}" if each[2] else "")
    ),
    LINES.map(lambda rows: "| a | b |\n| - | :-: |\n" + "\n".join(f"| {row} | x |" for row in rows)),
    LINES.map(lambda lines: prefixed("- ", lines)),
    LINES.map(lambda lines: prefixed("1. ", lines)),
    LINES.map(lambda lines: prefixed("> ", lines)),
    LINES.map(lambda lines: prefixed("> - ", lines)),
    LINES.map(lambda lines: prefixed("    ", lines)),
    LINES.map(lambda lines: "<div>\n" + "\n".join(lines) + "\n</div>"),
    st.just("[a]: https://a.example"),
    st.text(max_size=300),
)
TEXTS = st.lists(st.tuples(BLOCKS, st.sampled_from(["\n", "\n\n", "\r\n", "\n \n"])), max_size=12).map(
    lambda parts: "".join(block + end for block, end in parts)
)
LIMITS = st.tuples(st.integers(32, 120), st.integers(0, 16), st.integers(200, 600))


def uncovered(text: str, found: list[Chunk]) -> str:
    """What no chunk covers."""
    rest, at = "", 0
    for chunk in found:
        rest += text[at : max(at, chunk.start)]
        at = max(at, chunk.end)
    return rest + text[at:]


@example(text=">>0:0:0:0:0:0:0:0:0:0:0:0:0:0:0\n>\n", limits=(32, 0, 200))
@settings(deadline=None, max_examples=EXAMPLES)
@given(text=TEXTS, limits=LIMITS)
def test_chunks__cover_the_text_within_the_limits(text: str, limits: tuple[int, int, int]) -> None:
    found = chunks(text, *limits)

    assert uncovered(text, found).strip() == ""
    assert [chunk.ordinal for chunk in found] == list(range(len(found)))
    for chunk in found:
        assert chunk.tokens == count_tokens([chunk.passage])[0] <= limits[0]
        assert len(chunk.passage) <= limits[2]
        assert text[chunk.start : chunk.end] in chunk.text
        assert chunk.text.strip()
        assert chunk.passage.endswith(chunk.text)
    assert [chunk.end for chunk in found] == sorted({chunk.end for chunk in found})
    assert found == chunks(text, *limits)


@settings(deadline=None, max_examples=EXAMPLES)
@given(TEXTS)
def test_chunks__without_overlap_do_not_meet(text: str) -> None:
    found = chunks(text)
    assert all(before.end <= after.start for before, after in pairwise(found))


def leaves(found: list[blocks.Block]) -> list[tuple[blocks.Kind, int, int]]:
    """All blocks that have none inside."""
    return [
        each
        for block in found
        for each in (leaves(block.children) if block.children else [(block.kind, block.start, block.end)])
    ]


@example(text=">_\n0000000|0\n-|-\n>\n", window=1)
@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS, window=st.integers(1, 200))
def test_blocks__do_not_depend_on_windows(monkeypatch: pytest.MonkeyPatch, text: str, window: int) -> None:
    """But that a list may be several."""
    whole = leaves(blocks.BlockReader().read(text))
    with monkeypatch.context() as patched:
        patched.setattr(blocks, "WINDOW_CHARACTERS", window)
        assert leaves(blocks.BlockReader().read(text)) == whole


@settings(deadline=None, max_examples=EXAMPLES)
@given(
    st.lists(
        st.one_of(st.just("p" * 30 + "."), st.integers(1, 40).map(lambda n: "```\n" + "line of code\n" * n + "```"))
    )
)
def test_fences__are_well_formed_in_every_chunk(parts: list[str]) -> None:
    for chunk in chunks("\n\n".join(parts)):
        assert len(re.findall(r"^```$", chunk.text, re.MULTILINE)) % 2 == 0
