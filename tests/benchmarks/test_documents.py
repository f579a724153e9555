"""Documents per second from the first upload to the last Markdown, against the converter in a process pool."""

import asyncio
import itertools
import os
import time
import zipfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import JobStatus
from ingest_grpc.config import Settings
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.parser import parse
from ingest_grpc.pipeline.parse.source import Options
from tests.benchmarks.harness import ROOT, Bar, Figures, Table
from tests.benchmarks.ours import our_server

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

COPIES = 12
"""Of each example per turn, all different."""

ROUNDS = 5
UPLOADS_AT_ONCE = 8
MADE_TO_FAIL = {"payroll-summary.pdf", "stock-count-draft.txt"}
"""Their conversion ends before it begins: they would only flatter."""

ALREADY_MARKDOWN = {".md"}


async def test_documents__against_a_process_pool(tmp_path: Path, table: Table) -> None:
    """Both keep every core busy, and both are warm: their children have converted documents before."""
    sources = [path for path in sorted((ROOT / "examples").iterdir()) if _is_converted(path)]
    workers = len(os.sched_getaffinity(0))
    turns = itertools.count()
    async with our_server(tmp_path / "ours", workers=workers) as ours, ours.client() as client:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:

            async def our_turn() -> Figures:
                documents = _distinct(sources, tmp_path / str(next(turns)))
                began = time.perf_counter()
                await _ingested(client, documents)
                return {"documents/s": len(documents) / (time.perf_counter() - began)}

            async def bare_turn() -> Figures:
                documents = _distinct(sources, tmp_path / str(next(turns)))
                began = time.perf_counter()
                await asyncio.gather(*(_in_pool(pool, document) for document in documents))
                return {"documents/s": len(documents) / (time.perf_counter() - began)}

            name = f"documents end to end, {workers} converters"
            await table.compare(name, our_turn, bare_turn, rounds=ROUNDS, bars={"documents/s": Bar(0.9)})


def _is_converted(path: Path) -> bool:
    return path.name not in MADE_TO_FAIL and path.suffix not in ALREADY_MARKDOWN


def _distinct(sources: Sequence[Path], folder: Path) -> list[Path]:
    """Copies that differ from all before in bytes, not in what they hold."""
    folder.mkdir()
    return [_copy(source, folder / f"{number:02d}-{source.name}") for number in range(COPIES) for source in sources]


def _copy(source: Path, target: Path) -> Path:
    mark = f"{target.parent.name}/{target.name}".encode()
    target.write_bytes(source.read_bytes())
    if zipfile.is_zipfile(target):
        with zipfile.ZipFile(target, "a") as archive:
            archive.comment = mark
    else:
        with target.open("ab") as file:
            file.write({".pdf": b"\n%% %s\n", ".html": b"\n<!-- %s -->\n"}.get(target.suffix, b"\n%s\n") % mark)
    return target


async def _ingested(client: AsyncClient, documents: Sequence[Path]) -> None:
    """Uploads them some at a time, and adds each handful to the job, so that converting begins with the first."""
    job_id = (await client.create_job("benchmark")).job.job_id
    for start in range(0, len(documents), UPLOADS_AT_ONCE):
        handful = documents[start : start + UPLOADS_AT_ONCE]
        await client.add_files(job_id, await asyncio.gather(*(client.upload(document) for document in handful)))
    job = (await client.wait(job_id)).job
    assert job is not None
    assert job.status == JobStatus.JOB_STATUS_READY_TO_START, job


async def _in_pool(pool: ProcessPoolExecutor, document: Path) -> None:
    await asyncio.get_running_loop().run_in_executor(pool, convert, document)


def convert(document: Path) -> None:
    """The converter called directly: bytes in, Markdown out beside them."""
    options = Options(Limits.of(Settings()))
    _, parsed = parse(document.read_bytes(), document.name, "", options, _silent)
    document.with_suffix(".md").write_text(parsed.markdown)


def _silent(_done: int, _total: int, _unit: str) -> None:
    """Progress that nobody asked for."""
