"""What can be wrong with alignments is found, named, and mended where that is safe."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest_grpc.admin import CheckReport, check
from ingest_grpc.config import Settings
from ingest_grpc.errors import Reason
from ingest_grpc.model import RecordError
from ingest_grpc.service.work import Retry
from tests.factories import Core


@dataclass
class Started:
    """A data folder in which one job completed, one failed and was started anew, and one waits for its back-off."""

    settings: Settings
    job_ids: list[str]
    alignment_job_ids: list[str]

    def sql(self, statement: str) -> None:
        with closing(sqlite3.connect(self.settings.ledger_path)) as connection:
            connection.executescript("DROP TRIGGER IF EXISTS alignment_jobs_guard")
            assert connection.execute(statement).rowcount > 0
            connection.commit()

    async def problems(self) -> list[str]:
        names = {name: f"{{job{number}}}" for number, name in enumerate(self.job_ids)}
        names |= {name: f"{{al{number}}}" for number, name in enumerate(self.alignment_job_ids)}
        problems = (await check(self.settings)).problems
        for name, placeholder in names.items():
            problems = [problem.replace(name, placeholder) for problem in problems]
        return problems

    async def repair(self) -> CheckReport:
        return await check(self.settings, repair=True)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], list[str]]:
    folder = tmp_path_factory.mktemp("template") / "data"
    return folder, *asyncio.run(_fill(folder))


async def _fill(folder: Path) -> tuple[list[str], list[str]]:
    core = Core(folder)
    await core.start()
    markdown = [await core.markdown(f"{number}.md", b"# A\ntext\n") for number in range(3)]
    jobs = [(await core.create(file)).job.job.job_id for file in markdown]
    alignments = [(await core.start_job(jobs[0])).alignment_job_id]
    await core.align(await core.claim_alignment())
    await core.start_job(jobs[1])
    await core.fail_alignment(await core.claim_alignment())
    alignments.append((await core.start_job(jobs[1])).alignment_job_id)
    await core.claim_alignment()
    alignments.append((await core.start_job(jobs[2])).alignment_job_id)
    error = RecordError(reason=Reason.ALIGN_ENDPOINT_UNAVAILABLE)
    await core.alignment_work.finish(await core.claim_alignment(), None, Retry(error, 60.0))
    await core.check()
    await core.stop()
    return jobs, alignments


@pytest.fixture
def started(template: tuple[Path, list[str], list[str]], tmp_path: Path) -> Started:
    shutil.copytree(template[0], tmp_path / "data")
    return Started(Settings(data_dir=tmp_path / "data"), template[1], template[2])


async def test_check__finds_nothing_wrong(started: Started) -> None:
    report = await check(started.settings)
    assert report.problems == []
    assert report.checked["alignments"] == 4


@pytest.mark.parametrize(
    ("statement", "problems"),
    [
        (
            "UPDATE jobs SET alignment_status = 'FAILED' WHERE id = 1",
            ["job {job0} says that its alignment is {al0}, FAILED; it is {al0}, COMPLETED"],
        ),
        (
            "UPDATE jobs SET alignment_status = NULL, alignment_job_id = NULL WHERE id = 1",
            ["job {job0} says that its alignment is none, none; it is {al0}, COMPLETED"],
        ),
        ("UPDATE jobs SET status = 'FAILED' WHERE id = 1", ["job {job0} is FAILED; by its rows it is COMPLETED"]),
    ],
)
async def test_check__of_what_a_job_says_of_its_alignment(
    started: Started, statement: str, problems: list[str]
) -> None:
    started.sql(statement)
    assert await started.problems() == problems
    report = await started.repair()
    assert report.repaired == [f"job {started.job_ids[0]} was recounted"]
    assert report.problems == []


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "UPDATE alignment_jobs SET next_attempt_at = NULL WHERE id = 4",
            "alignment {al2} is QUEUED, but neither claimable nor due at any time",
        ),
        (
            "UPDATE alignment_jobs SET claimable = 1 WHERE id = 4",
            "alignment {al2} is claimable although it waits for its back-off",
        ),
    ],
)
async def test_check__stuck_alignments_may_be_claimed_again(started: Started, statement: str, problem: str) -> None:
    started.sql(statement)
    assert await started.problems() == [problem]
    report = await started.repair()
    assert report.repaired == [f"alignment {started.alignment_job_ids[2]} may be claimed again"]
    assert report.problems == []


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "UPDATE alignment_jobs SET last_trigger = 'CLAIMED' WHERE id = 1",
            "alignment {al0} is COMPLETED by CLAIMED, which no transition allows",
        ),
        (
            "UPDATE alignment_jobs SET team = 'other' WHERE id = 1",
            "alignment {al0} of team other belongs to job {job0} of another team",
        ),
        (
            "UPDATE alignment_jobs SET last_sequence = 99 WHERE id = 1",
            "alignment {al0}: its last change, event 99 of job {job0}, does not exist",
        ),
    ],
)
async def test_check__what_cannot_be_mended_is_named(started: Started, statement: str, problem: str) -> None:
    started.sql(statement)
    assert await started.problems() == [problem]


async def test_check__a_dataset_that_was_never_stored(started: Started) -> None:
    started.sql("UPDATE alignment_jobs SET output_file_id = 'file-gone' WHERE id = 1")
    problems = await started.problems()
    assert "alignment {al0} is COMPLETED, but its dataset file-gone is not there" in problems
    assert any("was made by no completed record" in problem for problem in problems)


async def test_check__files_in_flight_under_an_alignment(started: Started) -> None:
    started.sql("UPDATE jobs SET queued = 1 WHERE id = 2")
    assert "job {job1} has files in flight under alignment {al1}, which is RUNNING" in await started.problems()
