"""What is done to many documents is done in slices, so that nobody's commit waits for all of them."""

import asyncio
import uuid
from typing import Any

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.model import Caller, Scope
from ingest_grpc.service import jobs
from ingest_grpc.service.knowledge_bases import reindexing, sources
from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.ingestion_pb2 import RecordStatus
from ingest_grpc.v1.job_pb2 import Job, JobStatus
from ingest_grpc.v1.job_service_pb2 import (
    CancelJobRequest,
    DeleteJobRequest,
    GetJobRequest,
    RetryFilesRequest,
    UnresolvedRecords,
)
from ingest_grpc.v1.knowledge_base_pb2 import Chunking
from tests.integration.calling import failure
from tests.integration.knowledge.library import TEXTS, Library


@pytest.fixture
async def full(library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Four documents, of which a reindex takes two at once; nothing goes on with it by itself."""
    monkeypatch.setattr(reindexing, "SLICE", 2)
    library.fill()
    await library.add_source()
    await library.server.app.keeper.stop()
    return library


def fails_once(library: Library, monkeypatch: pytest.MonkeyPatch, unit_name: str) -> list[IngestError]:
    """The next unit of that name fails; the list is empty once it has."""
    store, errors = library.server.app.store, [IngestError(Reason.SERVER_BUSY)]
    write = store.write

    async def failing(unit: Any) -> Any:
        if errors and getattr(getattr(unit, "func", None), "__name__", "") == unit_name:
            raise errors.pop()
        return await write(unit)

    monkeypatch.setattr(store, "write", failing)
    return errors


async def reindex(library: Library, max_tokens: int = 128) -> Job:
    request = pb.UpdateKnowledgeBaseRequest(
        knowledge_base_id=library.id, chunking=Chunking(max_tokens=max_tokens), reindex=True
    )
    return (await library.server.knowledge.UpdateKnowledgeBase(request)).job


async def job_now(library: Library, job: Job) -> Job:
    return (await library.server.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job


def completed(job: Job) -> int:
    return sum(each.count for each in job.record_counts if each.status == RecordStatus.RECORD_STATUS_COMPLETED)


def total(job: Job) -> int:
    return sum(each.count for each in job.record_counts)


async def cut_and_searchable(library: Library) -> tuple[int, int]:
    now = await library.now()
    return now.chunking.max_tokens, now.files_searchable


async def test_reindex__is_not_over_before_its_job_has_all_files(full: Library) -> None:
    job = await reindex(full)
    while completed(await job_now(full, job)) < 2:
        continue
    assert not (await job_now(full, job)).settled
    assert await cut_and_searchable(full) == (400, 4)

    await full.server.app.keeper.step()

    assert completed(await full.settled(job)) == 4
    assert await cut_and_searchable(full) == (128, 4)
    assert await full.found("tide") != []


async def test_reindex__whose_last_slice_is_empty(full: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that it took was done before it was known to be all."""
    monkeypatch.setattr(reindexing, "SLICE", 4)
    job = await reindex(full)
    while completed(await job_now(full, job)) < 4:
        continue
    assert await cut_and_searchable(full) == (400, 4)

    await full.server.app.keeper.step()

    assert (await job_now(full, job)).settled
    assert await cut_and_searchable(full) == (128, 4)


async def test_reindex__goes_on_after_a_restart(full: Library) -> None:
    job = await reindex(full)
    await full.server.restart()
    assert completed(await full.settled(job)) == 4
    assert await cut_and_searchable(full) == (128, 4)


async def test_reindex__goes_on_after_a_failure(full: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await reindex(full)
    errors = fails_once(full, monkeypatch, "_fill_slice")
    await full.server.app.keeper.step()
    assert not errors
    await full.server.app.keeper.step()
    assert completed(await full.settled(job)) == 4


async def test_reindex__cancelled_between_two_slices_gets_nothing_more(full: Library) -> None:
    job = await reindex(full)
    cancelled = (await full.server.jobs.CancelJob(CancelJobRequest(job_id=job.job_id))).job
    assert cancelled.settled

    await full.server.app.keeper.step()

    assert total(await job_now(full, job)) == 2
    assert await cut_and_searchable(full) == (400, 4)
    again = await reindex(full, 64)
    await full.server.app.keeper.step()
    assert completed(await full.settled(again)) == 4
    assert await cut_and_searchable(full) == (64, 4)


async def test_reindex__of_a_knowledge_base_deleted_between_two_slices_gets_nothing_more(full: Library) -> None:
    job = await reindex(full)
    await full.server.knowledge.DeleteKnowledgeBase(pb.DeleteKnowledgeBaseRequest(knowledge_base_id=full.id))
    await full.server.app.keeper.step()
    now = await job_now(full, job)
    assert (now.settled, now.status, total(now)) == (True, JobStatus.JOB_STATUS_CANCELLED, 2)


async def test_reindex__leaves_out_what_was_removed_meanwhile(full: Library) -> None:
    job = await reindex(full)
    last = max((await full.files()).values(), key=lambda file: file.created_at.ToMicroseconds())
    removal = pb.RemoveKnowledgeBaseFilesRequest(knowledge_base_id=full.id, file_ids=[last.file_id])
    await full.server.knowledge.RemoveKnowledgeBaseFiles(removal)

    await full.server.app.keeper.step()

    assert total(await full.settled(job)) == 3
    assert await cut_and_searchable(full) == (128, 3)


@pytest.mark.parametrize("at_once", [2, 500])
async def test_reindex__whose_job_is_deleted_is_given_up(
    full: Library, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Between two slices, and with all its files in flight."""
    monkeypatch.setattr(reindexing, "SLICE", at_once)
    await full.server.app.pool.stop(0)
    job = await reindex(full)
    await full.server.jobs.DeleteJob(DeleteJobRequest(job_id=job.job_id))
    await full.server.app.keeper.step()
    full.server.app.pool.start()
    await full.sync()  # is no longer refused
    again = await reindex(full, 64)
    await full.server.app.keeper.step()
    assert completed(await full.settled(again)) == 4
    assert await cut_and_searchable(full) == (64, 4)


async def test_reindex__that_a_cancellation_left_half_filled_never_takes_the_place_of_the_whole(
    full: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cancellation is interrupted in its turn, and a retry lifts it."""
    await full.server.app.pool.stop(0)
    job = await reindex(full)
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "CANCEL_SLICE", 1)
        store, write = full.server.app.store, full.server.app.store.write

        async def failing(unit: Any) -> Any:
            if getattr(unit, "keywords", {}).get("so_far"):
                raise IngestError(Reason.SERVER_BUSY)
            return await write(unit)

        patched.setattr(store, "write", failing)
        refused = await failure(full.server.channel, "JobService/CancelJob", CancelJobRequest(job_id=job.job_id))
        assert refused.reason == Reason.SERVER_BUSY
    await full.server.jobs.RetryFiles(RetryFilesRequest(job_id=job.job_id, all_unresolved=UnresolvedRecords()))
    full.server.app.pool.start()
    await full.server.app.keeper.step()

    assert completed(await full.settled(job)) == 2
    assert await cut_and_searchable(full) == (400, 4)
    again = await reindex(full, 64)
    await full.server.app.keeper.step()
    assert completed(await full.settled(again)) == 4


async def test_reindex__takes_what_the_index_lost_and_another_job_brings_back(full: Library) -> None:
    await full.server.app.pool.stop(0)
    job = await reindex(full)
    app = full.server.app
    knowledge_base = await app.store.read(lambda rows: rows.knowledge_base_by_public_id(full.id))
    assert knowledge_base is not None
    documents = await app.store.read(lambda rows: rows.documents_of_knowledge_base(knowledge_base.row_id, 0, 10))
    caller = Caller(knowledge_base.team_id, "system", frozenset({Scope.WRITE}))
    await app.knowledge.keeper._reindexer.mend(caller, knowledge_base, documents[2:])

    await app.keeper.step()
    app.pool.start()

    assert completed(await full.settled(job)) == 4
    assert await cut_and_searchable(full) == (128, 4)


# ── removals of data sources ───────────────────────────────────────────────────────────────────────────────


def removal(library: Library) -> pb.RemoveDataSourceRequest:
    assert library.source is not None
    return pb.RemoveDataSourceRequest(data_source_id=library.source.data_source_id, request_id=str(uuid.uuid4()))


@pytest.fixture
async def half_removed(full: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Two of the four files are gone, and the other slices failed."""
    monkeypatch.setattr(sources, "REMOVED_AT_ONCE", 1)
    store, slices = full.server.app.store, list[Any]()
    with monkeypatch.context() as patched:
        write = store.write

        async def failing(unit: Any) -> Any:
            if "source_row" in getattr(unit, "keywords", {}):
                slices.append(unit)
                if len(slices) > 2:
                    raise IngestError(Reason.SERVER_BUSY)
            return await write(unit)

        patched.setattr(store, "write", failing)
        reply = await full.server.knowledge.RemoveDataSource(removal(full))
    assert reply.files_removed == len(TEXTS)
    assert len(await full.files()) == len(TEXTS) - 2
    return full


@pytest.mark.parametrize("at_once", [1, 3, 4, 200])
async def test_remove_data_source__takes_all_its_files(
    full: Library, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(sources, "REMOVED_AT_ONCE", at_once)
    request = removal(full)
    replies = await asyncio.gather(*(full.server.knowledge.RemoveDataSource(request) for _ in range(3)))
    assert [reply.files_removed for reply in replies] == [len(TEXTS)] * 3
    await full.server.app.keeper.step()  # a replay does not wait for the first call
    assert await full.files() == {}
    listing = pb.ListDataSourcesRequest(knowledge_base_id=full.id)
    assert not (await full.server.knowledge.ListDataSources(listing)).data_sources


async def test_remove_data_source__is_finished_by_the_keeper(half_removed: Library) -> None:
    await half_removed.server.app.keeper.step()
    assert await half_removed.files() == {}


async def test_remove_data_source__is_finished_by_the_next_server(half_removed: Library) -> None:
    await half_removed.server.restart()
    await half_removed.server.app.keeper.step()
    assert await half_removed.files() == {}


async def test_remove_data_source__is_gone_while_its_files_are_not(half_removed: Library) -> None:
    """Nothing brings them back."""
    assert half_removed.source is not None
    id_ = half_removed.source.data_source_id
    for name, request in {
        "SyncDataSource": pb.SyncDataSourceRequest(data_source_id=id_),
        "RemoveDataSource": pb.RemoveDataSourceRequest(data_source_id=id_),
    }.items():
        refused = await failure(half_removed.server.channel, f"KnowledgeBaseService/{name}", request)
        assert refused.reason == Reason.DATA_SOURCE_NOT_FOUND
