import asyncio
import json
import threading
from pathlib import Path

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import AlignmentStep
from ingest_grpc.model import AlignmentTotals
from ingest_grpc.pipeline.align import assemble, reading
from ingest_grpc.pipeline.align.assemble import Assembler
from ingest_grpc.pipeline.align.interface import AlignmentFailure
from tests.integration.align.engine_inputs import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_assemble__one_line_per_section_in_the_order_of_the_files(bench: Bench) -> None:
    bench.add("b.md", "intro\n\n# Leave\nall\n\n## Sick\ncall — été\n")
    bench.add("a.md", "# Pay\nmonthly\n")
    totals, lines = await bench.run(Assembler(), system_prompt="Be kind.")

    def line(file: int, filename: str, number: int, path: list[str], text: str) -> dict[str, object]:
        source = {"file_id": f"md-file-{file}", "filename": filename, "section": number}
        return {"system_prompt": "Be kind.", "heading_path": path, "text": text, "source": source}

    assert lines == [
        line(0, "b.md", 1, [], "intro"),
        line(0, "b.md", 2, ["Leave"], "all"),
        line(0, "b.md", 3, ["Leave", "Sick"], "call — été"),
        line(1, "a.md", 1, ["Pay"], "monthly"),
    ]
    assert totals == AlignmentTotals(sections=4, examples=4)


async def test_assemble__makes_the_same_of_the_same(bench: Bench) -> None:
    bench.add("a.md", "# A\nx\n# B\ny\n")
    assert await bench.run_raw(Assembler()) == await bench.run_raw(Assembler())


async def test_assemble__progress_rises_to_its_end(bench: Bench) -> None:
    for number in range(3):
        bench.add(f"{number}.md", "# A\nx\n")
    await bench.run(Assembler())
    shares = [standing.progress for standing in bench.standings]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, assemble.DONE)
    assert bench.standings[-1].step_progress == 100.0
    assert {standing.step for standing in bench.standings} == {AlignmentStep.SPLIT}


async def test_assemble__reads_a_large_file_in_slices(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SLICE_CHARACTERS", 1_000)
    bench.add("a.md", "".join(f"# Section {number}\n{'x' * 100}\n" for number in range(2_000)))
    totals, lines = await bench.run(Assembler())
    assert totals.sections == len(lines) == 2_000
    assert [line["source"]["section"] for line in lines] == list(range(1, 2_001))
    assert len(bench.standings) > 100


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"# A\r\none\r\ntwo\r\n", "one\ntwo"),
        (b"\xef\xbb\xbf# A\nx\n", "x"),
        (b"# A\nx", "x"),
        ("# A\n\u2028x\x85y\u2029\n".encode(), "\u2028x\x85y\u2029"),
    ],
)
async def test_assemble__of_line_ends_and_marks(bench: Bench, content: bytes, text: str) -> None:
    bench.add("a.md", content)
    _, data = await bench.run_raw(Assembler())
    [line] = data.decode().splitlines()
    assert (json.loads(line)["heading_path"], json.loads(line)["text"]) == (["A"], text)


@pytest.mark.parametrize("content", ["", "# Heading\n## Heading\n", "\n \n"])
async def test_assemble__of_files_without_text(bench: Bench, content: str) -> None:
    bench.add("a.md", content)
    with pytest.raises(AlignmentFailure) as raised:
        await bench.run(Assembler())
    assert raised.value.reason is Reason.NOTHING_TO_ALIGN


async def test_cancel__waits_for_the_write_and_writes_nothing_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, may_go_on, written = threading.Event(), threading.Event(), []

    def held(fd: int, text: str) -> None:
        entered.set()
        assert may_go_on.wait(10)
        written.append(text)

    monkeypatch.setattr(assemble, "write_all", held)
    bench.add("a.md", "# A\nx\n")
    bench.add("b.md", "# B\ny\n")
    task = asyncio.create_task(bench.run(Assembler()))
    await asyncio.to_thread(entered.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done(), "the descriptor is still in use"
    may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(written) == 1
