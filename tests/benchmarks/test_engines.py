"""Records through the whole engine with a pipeline that does nothing, against other engines with an empty task.

All on one machine, with as many workers, and each acknowledged only once it is durable. Ours does more per record: a
guarded transition and an event for each step, counts of the ingestion job and of the job, a place in a fair queue.
"""

import asyncio
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import uvloop

from ingest_grpc.blobs.interface import StoredBlob
from ingest_grpc.lifecycle import JobType
from ingest_grpc.memory import calm_collector
from ingest_grpc.model import Engine, File, NewJob
from ingest_grpc.service.work import Done
from ingest_grpc.store.interface import Claim, RecordRow
from ingest_grpc.worker.pool import Pool
from ingest_grpc.worker.runner import Turn, output_key
from tests.benchmarks.harness import ROOT, Bar, Table
from tests.factories import ALICE, Core, to_add

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

ENGINES = {"huey on SQLite": "huey", "DBOS on SQLite": "dbos", "procrastinate on PostgreSQL": "procrastinate"}
PYTHON = ROOT / ".venv-bench" / "bin" / "python"
WORKERS = 64
RECORDS, PER_CALL = 2_000, 1_000
THEIR_RECORDS = 500
ROUNDS = 3
UNIT = "records/s"
FOREVER = float("inf")
TIMEOUT_SECONDS = 300


class NothingRunner:
    """In the place of Runner: its outputs are not there, everything in the ledger is."""

    def __init__(self, core: Core) -> None:
        self._work = core.work

    async def run(self, claim: Claim, turn: Turn, _on_converted: Callable[[], None]) -> None:
        assert isinstance(claim, RecordRow)
        await turn()
        await self._work.finish(
            claim, Done(StoredBlob(output_key(claim), 1, "0" * 64), Engine(name="nothing", version="1"), 1)
        )

    async def drain(self) -> None:
        """Nothing is left behind."""


def test_records__through_the_whole_engine(tmp_path: Path, table: Table) -> None:
    ours = [uvloop.run(_ours(tmp_path / f"ours-{number}")) for number in range(ROUNDS)]
    theirs = {name: _theirs(script) for name, script in ENGINES.items()}
    best = max(statistics.median(rates) for rates in theirs.values())
    for name, rates in theirs.items():
        table.add(f"records through the engine, {name}", UNIT, list(zip(ours, rates, strict=True)))
    table.add(f"records through the engine, best of {len(theirs)}", UNIT, [(rate, best) for rate in ours], Bar(5))


async def _ours(folder: Path) -> float:
    """From the call that adds the records to the last one that is COMPLETED."""
    core = Core(folder)
    await core.start()
    files = await asyncio.gather(*(core.upload(f"{number}.pdf") for number in range(RECORDS)))
    core.pool = Pool(
        core.work,
        NothingRunner(core),  # type: ignore[arg-type]
        core.aligner,
        core.leases,
        core.clock,
        size=WORKERS,
        worker_id="bench",
    )
    core.pool.start()
    calm_collector()  # as a server does
    began = time.perf_counter()
    jobs = [await _created(core, files[start : start + PER_CALL]) for start in range(0, RECORDS, PER_CALL)]
    for job_id in jobs:
        signal = core.hub.subscribe((await core.job(job_id)).row_id)
        while (job := await core.job(job_id)).tally.in_flight:
            await signal.wait(FOREVER)
            signal.clear()
        assert job.tally.completed == PER_CALL
    seconds = time.perf_counter() - began
    await core.stop()
    return RECORDS / seconds


async def _created(core: Core, files: Sequence[File]) -> str:
    new = NewJob(name="bench", job_type=JobType.CONTEXT_GROUNDED_FILES, files=to_add(*files))
    return (await core.jobs.create(ALICE, new, None)).value.job.job.job_id


def _theirs(script: str) -> list[float]:
    rates = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            command = [PYTHON, ROOT / "tests/benchmarks/engines" / f"run_{script}.py", folder, THEIR_RECORDS, WORKERS]
            done = subprocess.run(
                [str(part) for part in command], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
            )
            assert done.returncode == 0, done.stderr[-2_000:]
            rates.append(float(done.stdout.split()[-1]))
    return rates
