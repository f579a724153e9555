"""Bad files through a real server, again and again, while another team's small jobs run.

    python -m tests.acceptance.hostile_rounds [--rounds N] [--every K] [FOLDER ...]

Each bad file must end in a final status that is right for it; the server must neither restart nor grow, nor leave
children behind; the other team must hardly notice. FOLDERs hold more bad files, which must end in any final status.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest_grpc.admin import create_key
from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import ErrorReason, FileRecord, RecordStatus
from ingest_grpc.config import Settings
from tests.acceptance.server import Server, until
from tests.acceptance.workload import make_documents
from tests.hostile.all_cases import all_cases
from tests.hostile.case import COMPLETED, Case
from tests.hostile.torn import OUTCOMES

MIB = 2**20
STALL_SECONDS, WALL_SECONDS = 20.0, 40.0
WORKERS = 2
FILES_PER_JOB = 50
QUIET_JOBS = 60
_FINAL = {RecordStatus.RECORD_STATUS_COMPLETED, RecordStatus.RECORD_STATUS_FAILED}


@dataclass(frozen=True, slots=True)
class Round:
    """One pass over all files. `wrong` tells of each file that did not end as it should."""

    files: int
    seconds: float
    wrong: Sequence[str]
    resident_bytes: int
    descriptors: int
    children: int


@dataclass(slots=True)
class Report:
    """What the rounds found, and how long the other team's jobs took, in seconds."""

    rounds: list[Round] = field(default_factory=list)
    quiet: list[float] = field(default_factory=list)
    ordinary: list[float] = field(default_factory=list)
    during: list[float] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        for number, each in enumerate(self.rounds, 1):
            yield (
                f"round {number}: {each.files} files in {each.seconds:.0f} s, {len(each.wrong)} wrong, "
                f"server {each.resident_bytes / MIB:.1f} MiB, {each.descriptors} descriptors, {each.children} children"
            )
            yield from (f"  WRONG {line}" for line in each.wrong)
        for name, times in (
            ("alone", self.quiet),
            ("beside good files", self.ordinary),
            ("beside bad files", self.during),
        ):
            if times:
                yield f"others {name}: {len(times)} jobs, p50 {median(times):.3f} s, p99 {p99(times):.3f} s"
        if self.quiet and self.ordinary and self.during:
            yield (
                f"p99 beside bad files is {p99(self.during) / p99(self.ordinary):.2f} times that beside good files, "
                f"{p99(self.during) / p99(self.quiet):.2f} times that alone"
            )


def median(times: Sequence[float]) -> float:
    return statistics.median(times)


def p99(times: Sequence[float]) -> float:
    return sorted(times)[max(0, round(len(times) * 0.99) - 1)]


def stored(cases: Iterable[Case], folder: Path) -> list[tuple[Case, Path]]:
    """The files on disk, made once: making a bomb costs more than refusing it."""
    folder.mkdir()
    found = []
    for number, case in enumerate(cases):
        path = folder / str(number)
        path.write_bytes(case.make())
        found.append((case, path))
    return found


class Others:
    """Another team's small jobs, one after the other, from `begin` to `end`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._documents = make_documents(8, seed=7)
        self._task: asyncio.Task[None] | None = None
        self._number = 0
        self.times: list[float] = []

    async def one(self) -> None:
        """Upload, create, wait: how long until the Markdown is there."""
        document = self._documents[self._number % len(self._documents)]
        self._number += 1
        began = time.monotonic()
        # A byte of its own each time: equal files of a team are converted once.
        data = document.data + b"\n" * self._number
        file = await self._client.upload(data, filename=document.name)
        job_id = (await self._client.create_job("small", files=[file])).job.job_id
        state = await self._client.wait(job_id, patience=120)
        assert {each.status for each in state.live_records} == {RecordStatus.RECORD_STATUS_COMPLETED}, document.name
        self.times.append(time.monotonic() - began)

    def begin(self) -> None:
        self._task = asyncio.create_task(self._loop())

    async def end(self) -> list[float]:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if not self._task.cancelled() and (error := self._task.exception()):
            raise error
        taken, self.times = self.times, []
        return taken

    async def _loop(self) -> None:
        while True:
            await self.one()


async def outcomes_of(client: AsyncClient, files: Sequence[tuple[Case, Path]]) -> list[str]:
    """What is wrong with how these files ended."""
    uploaded = [await client.upload(path, filename=_safe(case.name)) for case, path in files]
    job_id = (await client.create_job("bad files", files=uploaded)).job.job_id
    await client.wait(job_id, patience=900)
    records = {record.file_id: record async for record in client.list_file_records(job_id=job_id)}
    judged = ((case, records.get(file.file_id)) for (case, _), file in zip(files, uploaded, strict=True))
    return [line for case, record in judged if (line := judge(case, record))]


def judge(case: Case, record: FileRecord | None) -> str:
    """What is wrong with how a file ended; "" if nothing is. Markdown needs no conversion, and has no record."""
    if record is None:
        return "" if case.name.endswith(".md") and COMPLETED in case.outcomes else f"{case.name}: no record"
    if record.status not in _FINAL:
        return f"{case.name}: not final but {RecordStatus.Name(record.status)}"
    name = ErrorReason.Name(record.error.reason).removeprefix("ERROR_REASON_")
    outcome = COMPLETED if record.status == RecordStatus.RECORD_STATUS_COMPLETED else name
    if outcome in case.outcomes:
        return ""
    return f"{case.name}: {outcome}, not one of {', '.join(sorted(case.outcomes))}"


def _safe(name: str) -> str:
    """Names of cases are those of files; longer ones than the contract allows are for other tests."""
    return name.encode()[-200:].decode("utf-8", "ignore")


async def run(folder: Path, cases: Iterable[Case], rounds: int, good: int = 100) -> Report:
    """All rounds, on one server."""
    files = stored(cases, folder / "cases")
    report = Report()
    settings: dict[str, Any] = {
        "workers": WORKERS,
        "team_max_running": WORKERS - 1,
        "conversion_stall_seconds": STALL_SECONDS,
        "conversion_timeout_seconds": WALL_SECONDS,
        "max_failures": 1,
        "log_level": "WARNING",
    }
    async with Server(folder / "server", **settings) as server:
        keys = [await key_of(server, team) for team in ("others", "good", *(f"bad-{n}" for n in range(rounds)))]
        async with AsyncClient(server.address, api_key=keys[0]) as client:
            others = Others(client)
            for _ in range(QUIET_JOBS):
                await others.one()
            report.quiet, others.times = others.times, []
            others.begin()
            await beside_good_files(server, keys[1], good)
            report.ordinary = await others.end()
            for key in keys[2:]:
                others.begin()
                report.rounds.append(await one_round(server, key, files))
                report.during += await others.end()
        assert await server.terminate() == 0, server.log()
        await server.nothing_left()
    return report


async def key_of(server: Server, team: str) -> str:
    return (await create_key(Settings(data_dir=server.data), team=team, user="test", scopes=["write"]))[1]


async def beside_good_files(server: Server, key: str, count: int) -> None:
    async with AsyncClient(server.address, api_key=key) as client:
        documents = make_documents(count, seed=3)
        uploaded = [await client.upload(each.data, filename=each.name) for each in documents]
        await client.wait((await client.create_job("good files", files=uploaded)).job.job_id, patience=600)


async def one_round(server: Server, key: str, files: Sequence[tuple[Case, Path]]) -> Round:
    """Every file once, as a team that has never sent it."""
    began, wrong = time.monotonic(), list[str]()
    async with AsyncClient(server.address, api_key=key) as client:
        for start in range(0, len(files), FILES_PER_JOB):
            wrong += await outcomes_of(client, files[start : start + FILES_PER_JOB])
    assert server.running, "the server has ended"
    await until(lambda: len(server.converters()) <= WORKERS + 1, 20, "no more children than workers and a spare")
    return Round(
        files=len(files),
        seconds=time.monotonic() - began,
        wrong=wrong,
        resident_bytes=server.resident_bytes,
        descriptors=server.descriptors,
        children=len(server.converters()),
    )


def of_folder(folder: Path) -> Iterator[Case]:
    """Files whose right outcome nobody has said: any final one but those of ours."""
    for path in sorted(folder.iterdir()):
        if path.is_file():
            yield Case(path.name, path.read_bytes, OUTCOMES | {"CONVERSION_STALLED"})


def main() -> int:
    """Prints the report; exits with 1 if a file ended wrongly."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=int, default=1, metavar="K", help="only every K-th of the files made here")
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    cases = [*list(all_cases())[:: given.every], *(case for folder in given.folders for case in of_folder(folder))]
    with tempfile.TemporaryDirectory(prefix="ingest-hostile-") as folder:
        report = asyncio.run(run(Path(folder), cases, given.rounds))
    print("\n".join(report.lines()))
    return 1 if any(each.wrong for each in report.rounds) else 0


if __name__ == "__main__":
    sys.exit(main())
