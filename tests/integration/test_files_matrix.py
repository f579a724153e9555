"""Every state of a file × AddFiles, atomic and partial, and RemoveFiles: the table of docs/lifecycle.md, played."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest_grpc.model import Scope
from ingest_grpc.v1.ingestion_pb2 import FileRecord, RecordStatus
from ingest_grpc.v1.ingestion_service_pb2 import ListFileRecordsRequest
from ingest_grpc.v1.job_service_pb2 import (
    AddFileOutcome,
    AddFilesRequest,
    AddFilesResponse,
    CancelJobRequest,
    FileToAdd,
    RemoveFileOutcome,
    RemoveFilesRequest,
)
from tests.executors import FakeExecutor, Gate
from tests.integration.calling import Refused
from tests.integration.files_matrix import FATES, Fate
from tests.integration.serving import Server, until
from tests.integration.team import Team

MIXED = "companion.pdf"


@dataclass
class Place:
    """A job of ours with one file in the state that is asked for, and another file that is new to it."""

    server: Server
    ours: Team
    job_id: str
    file_id: str
    companion_id: str
    times: int = 1

    async def records(self) -> list[FileRecord]:
        """Of the file alone, removed ones too, in the order of adding."""
        request = ListFileRecordsRequest(job_id=self.job_id, show_deleted=True)
        reply = await self.ours.call("IngestionService/ListFileRecords", request)
        return [record for record in reply.records if record.file_id == self.file_id]

    async def add(self, *, allow_partial: bool) -> str:
        """What AddFiles answers to the file and its companion: the outcomes of the file, or the reason."""
        files = [FileToAdd(file_id=self.file_id)] * self.times + [FileToAdd(file_id=self.companion_id)]
        request = AddFilesRequest(job_id=self.job_id, files=files, allow_partial=allow_partial)
        try:
            reply: AddFilesResponse = await self.ours.call("JobService/AddFiles", request)
        except Refused as refused:
            return refused.failure.reason
        *own, companion = [
            AddFileOutcome.Name(result.outcome).removeprefix("ADD_FILE_OUTCOME_") for result in reply.results
        ]
        assert companion == "ADDED", "no file is refused for another one's sake"
        return ", ".join(own)

    async def remove(self) -> str:
        request = RemoveFilesRequest(job_id=self.job_id, file_ids=[self.file_id] * self.times)
        reply = await self.ours.call("JobService/RemoveFiles", request)
        return ", ".join(
            RemoveFileOutcome.Name(one.outcome).removeprefix("REMOVE_FILE_OUTCOME_") for one in reply.results
        )


@pytest.fixture
async def server(quick_folder: Path) -> AsyncIterator[Server]:
    async with Server(quick_folder / "data") as server:
        yield server


async def place(server: Server, state: str) -> Place:
    """Brings a file into a state over the wire, and by a worker."""
    keys = server.app.keys
    ours, theirs = [Team(server, (await keys.create(team, team, [Scope.WRITE]))[1]) for team in ("ours", "theirs")]
    owner = theirs if state == "another team's" else ours
    file_id, companion_id = await owner.upload("a.pdf"), await ours.upload(MIXED)
    listed = () if state in ("new to the job", "another team's") else (file_id,)
    job = await ours.create(*listed)
    found = Place(server, ours, job.job_id, file_id, companion_id)
    match state:
        case "running":
            await server.claim()
        case "completed":
            await server.succeed((await server.claim())[0])
        case "failed":
            await server.fail((await server.claim())[0])
        case "cancelled":
            await ours.call("JobService/CancelJob", CancelJobRequest(job_id=job.job_id))
        case "removed":
            assert await found.remove() == "REMOVED"
        case "twice in the call":
            found.times = 2
    return found


@pytest.mark.parametrize("allow_partial", [False, True], ids=["atomic", "partial"])
@pytest.mark.parametrize("fate", FATES, ids=lambda fate: fate.state)
async def test_add__of_a_file_in_each_state(server: Server, fate: Fate, allow_partial: bool) -> None:
    found = await place(server, fate.state)
    if fate.state == "twice in the call":  # which of the two is new is the question
        await found.remove()
    before = await found.records()
    last = (await found.ours.job(found.job_id)).last_sequence
    expected = fate.partial if allow_partial else fate.atomic
    assert await found.add(allow_partial=allow_partial) == expected
    after = await found.records()
    added = expected.split(", ").count("ADDED")
    assert after[: len(before)] == before, "what was there is as it was"
    assert [RecordStatus.Name(record.status) for record in after[len(before) :]] == ["RECORD_STATUS_QUEUED"] * added
    job = await found.ours.job(found.job_id)
    if expected == "FILE_NOT_FOUND":
        assert job.last_sequence == last, "one that is refused refuses the whole call, and nothing happens"
    else:
        assert MIXED in [record.filename for run in job.ingestion_jobs for record in run.records]


@pytest.mark.parametrize("fate", FATES, ids=lambda fate: fate.state)
async def test_remove__of_a_file_in_each_state(server: Server, fate: Fate) -> None:
    found = await place(server, fate.state)
    before = await found.records()
    last = (await found.ours.job(found.job_id)).last_sequence
    assert await found.remove() == fate.removed
    after = await found.records()
    job = await found.ours.job(found.job_id)
    if "REMOVED" not in fate.removed.split(", "):
        assert (after, job.last_sequence) == (before, last), "nothing happened"
        return
    [was], [record] = before, after
    in_flight = (RecordStatus.RECORD_STATUS_QUEUED, RecordStatus.RECORD_STATUS_RUNNING)
    status = RecordStatus.RECORD_STATUS_CANCELLED if was.status in in_flight else was.status
    assert (record.status, record.deleted, record.HasField("deleted_at")) == (status, True, True)
    if fate.then != "as above":
        assert fate.then.startswith(RecordStatus.Name(status).removeprefix("RECORD_STATUS_"))
    assert not record.HasField("queue_position")
    assert list(job.files) == []
    assert job.settled
    again = await found.add(allow_partial=False)
    assert again.startswith("ADDED"), "a file that was removed can be added anew"


async def test_remove__of_a_running_file_stops_it_and_its_late_result_changes_nothing(quick_folder: Path) -> None:
    """The call itself is answered after the commit that stops the work; the worker hears of it at once."""
    executor, gate = FakeExecutor(), Gate()
    executor.scripts["a.pdf"] = gate
    async with Server(quick_folder / "data", executor=executor, workers=1) as server:
        job = await server.job("a.pdf")
        await gate.entered.wait()
        [claim] = [work.claim for work in server.app.pool._running]
        record_id = job.ingestion_jobs[0].records[0].record_id
        began = asyncio.get_running_loop().time()
        await server.jobs.RemoveFiles(RemoveFilesRequest(job_id=job.job_id, record_ids=[record_id]))
        await until(lambda: executor.cancelled == ["a.pdf"] and not server.app.pool._running)
        assert asyncio.get_running_loop().time() - began < 1.0
        before = server.belongings()
        with pytest.raises(AssertionError):  # `succeed` asserts that the outcome was wanted
            await server.succeed(claim)  # type: ignore[arg-type]
        after = server.belongings()
        for belongings in (before, after):
            belongings.pop("on disk")  # the output that `succeed` wrote, which a runner would have dropped
        assert after == before
