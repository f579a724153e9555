"""Documents through the whole service, from the first upload to the last Markdown.

Once by the clock, against the converters in a process pool, and once by CPU time, against the engine alone.
"""

import asyncio
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pypdfium2
import pytest

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import JobStatus
from tests.benchmarks.documents import convert, distinct, sources
from tests.benchmarks.harness import ROOT, Bar, Contestant, Figures, Table
from tests.benchmarks.ours import our_server

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1_800)]

ROUNDS = 5
ROUNDS_OF_STARTS = 3
UPLOADS_AT_ONCE = 8
WORKERS = len(os.sched_getaffinity(0))


async def test_documents__against_a_process_pool(tmp_path: Path, table: Table) -> None:
    """Both keep every core busy, and both are warm: their children have converted documents before."""
    documents = sources()
    turns = itertools.count()
    async with our_server(tmp_path / "ours", workers=WORKERS) as ours, ours.client() as client:
        with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:

            async def our_turn() -> Figures:
                copies = distinct(documents, tmp_path / str(next(turns)))
                began = time.perf_counter()
                await _ingested(client, copies)
                return {"documents/s": len(copies) / (time.perf_counter() - began)}

            async def bare_turn() -> Figures:
                copies = distinct(documents, tmp_path / str(next(turns)))
                began = time.perf_counter()
                await asyncio.gather(*(_in_pool(pool, document) for document in copies))
                return {"documents/s": len(copies) / (time.perf_counter() - began)}

            name = f"documents end to end, {WORKERS} converters"
            await table.compare(name, our_turn, bare_turn, rounds=ROUNDS, bars={"documents/s": Bar(0.9)})


async def test_pages__per_cpu_second_of_the_engine_alone(tmp_path: Path, table: Table) -> None:
    """The CPU time of server and children, or of pool and workers; both are warm, and no client is counted."""
    documents = sources(".pdf")
    turns = itertools.count()
    async with our_server(tmp_path / "ours", workers=WORKERS) as ours, ours.client() as client:
        with _engine_pool() as pool:

            async def our_turn() -> Figures:
                copies = distinct(documents, tmp_path / str(next(turns)))
                before = ours.contestant.cpu_seconds_with_children()
                await _ingested(client, copies)
                return _per_second(copies, ours.contestant.cpu_seconds_with_children() - before)

            async def bare_turn() -> Figures:
                copies = distinct(documents, tmp_path / str(next(turns)))
                before = pool.contestant.cpu_seconds_with_children()
                await asyncio.to_thread(pool.convert, copies)
                return _per_second(copies, pool.contestant.cpu_seconds_with_children() - before)

            name = "PDFs end to end, fast method"
            await table.compare(name, our_turn, bare_turn, rounds=ROUNDS, bars={"pages/CPU s": Bar(0.9)})


async def test_pages__per_cpu_second_starts_included(tmp_path: Path, table: Table) -> None:
    """The same from the start of all processes to the last Markdown."""
    documents = sources(".pdf")
    turns = itertools.count()

    async def our_turn() -> Figures:
        number = next(turns)
        copies = distinct(documents, tmp_path / str(number))
        async with our_server(tmp_path / f"ours-{number}", workers=WORKERS) as ours, ours.client() as client:
            await _ingested(client, copies)
            return _per_second(copies, ours.contestant.cpu_seconds_with_children())

    async def bare_turn() -> Figures:
        copies = distinct(documents, tmp_path / str(next(turns)))
        with _engine_pool() as pool:
            await asyncio.to_thread(pool.convert, copies)
            return _per_second(copies, pool.contestant.cpu_seconds_with_children())

    await table.compare("the same, starts included", our_turn, bare_turn, rounds=ROUNDS_OF_STARTS)


async def _ingested(client: AsyncClient, documents: Sequence[Path]) -> None:
    """Uploads them some at a time, and adds each handful to the job, so that converting begins with the first."""
    job_id = (await client.create_job("benchmark")).job.job_id
    for start in range(0, len(documents), UPLOADS_AT_ONCE):
        handful = documents[start : start + UPLOADS_AT_ONCE]
        files = await asyncio.gather(*(client.upload(document) for document in handful))
        await client.add_files(job_id, files, view="BASIC")
    job = (await client.wait(job_id)).job
    assert job is not None
    assert job.status == JobStatus.JOB_STATUS_READY_TO_START, job


async def _in_pool(pool: ProcessPoolExecutor, document: Path) -> None:
    await asyncio.get_running_loop().run_in_executor(pool, convert, document)


def _per_second(documents: Sequence[Path], cpu_seconds: float) -> Figures:
    return {"pages/CPU s": sum(map(_pages, documents)) / cpu_seconds}


def _pages(document: Path) -> int:
    with pypdfium2.PdfDocument(document) as opened:
        return len(opened)


class _EnginePool:
    """tests/benchmarks/engine_pool.py as a contestant."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.contestant = Contestant("", process.pid)

    def convert(self, documents: Sequence[Path]) -> None:
        """All documents of one folder; AssertionError unless each gave Markdown."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{documents[0].parent}\n")
        self._process.stdin.flush()
        assert int(self._process.stdout.readline()) == len(documents)


@contextmanager
def _engine_pool() -> Iterator[_EnginePool]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.engine_pool", str(WORKERS)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield _EnginePool(process)
