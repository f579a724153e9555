"""What a knowledge base, a data source or a job refuses in a state that something brought it into."""

from typing import Any

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.index.interface import IndexUnavailable
from ingest_grpc.v1 import job_service_pb2 as jobs
from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.job_pb2 import JobStatus, JobType
from ingest_grpc.v1.knowledge_base_pb2 import Chunking, DataSourceType
from tests.integration.calling import failure
from tests.integration.knowledge.library import Library
from tests.reaching import reaches

KNOWLEDGE = "KnowledgeBaseService"
VECTOR_DB = JobType.JOB_TYPE_CONTEXT_GROUNDED_VECTOR_DB


@pytest.fixture
async def idle(library: Library) -> Library:
    """Nothing is claimed: what is added stays queued."""
    await library.server.app.pool.stop(0)
    return library


async def refused(library: Library, rpc: str, request: Any) -> str:
    return str((await failure(library.server.channel, rpc, request)).reason)


async def queued_source(library: Library) -> pb.AddDataSourceResponse:
    file = await library.server.upload("a.md", b"# A\n\ntext\n")
    files = DataSourceType.DATA_SOURCE_TYPE_FILES
    request = pb.AddDataSourceRequest(knowledge_base_id=library.id, type=files, file_ids=[file.file_id])
    return await library.server.knowledge.AddDataSource(request)


@reaches(Reason.SYNC_RUNNING, "KnowledgeBaseService/SyncDataSource", "a sync of the source that is not done")
async def test_sync__one_at_a_time(idle: Library) -> None:
    added = await queued_source(idle)
    request = pb.SyncDataSourceRequest(data_source_id=added.data_source.data_source_id)

    found = await failure(idle.server.channel, f"{KNOWLEDGE}/SyncDataSource", request)

    assert found.reason == Reason.SYNC_RUNNING
    assert found.info.metadata["job_id"] == added.job.job_id


@reaches(Reason.SYNC_NOT_RUNNING, "KnowledgeBaseService/CancelSync", "no sync that runs")
async def test_cancel_sync__only_while_one_runs(idle: Library) -> None:
    added = await queued_source(idle)
    request = pb.CancelSyncRequest(data_source_id=added.data_source.data_source_id)

    done = await idle.server.knowledge.CancelSync(request)

    assert (done.records_cancelled, done.job.status) == (1, JobStatus.JOB_STATUS_CANCELLED)
    assert await refused(idle, f"{KNOWLEDGE}/CancelSync", request) == Reason.SYNC_NOT_RUNNING


@reaches(Reason.SOURCE_TOO_LARGE, "KnowledgeBaseService/AddDataSource", "more keys than a source may have")
async def test_source__may_not_have_any_number_of_keys(tmp_path: Any) -> None:
    async with Library.open(tmp_path, max_source_keys=3) as library:
        library.fill()
        request = pb.AddDataSourceRequest(
            knowledge_base_id=library.id,
            type=DataSourceType.DATA_SOURCE_TYPE_OBJECT_STORE,
            url=library.folder.as_uri(),
        )
        assert await refused(library, f"{KNOWLEDGE}/AddDataSource", request) == Reason.SOURCE_TOO_LARGE
        request.include_patterns.append("*.md")
        assert (await library.server.knowledge.AddDataSource(request)).job.knowledge_base_id == library.id


@reaches(Reason.KNOWLEDGE_BASE_DELETED, "KnowledgeBaseService/Search", "a deleted knowledge base")
async def test_deleted__is_not_searched_until_it_is_undeleted(library: Library) -> None:
    library.fill()
    await library.add_source()
    await library.server.knowledge.DeleteKnowledgeBase(pb.DeleteKnowledgeBaseRequest(knowledge_base_id=library.id))
    request = pb.SearchRequest(knowledge_base_id=library.id, query="tide")
    assert await refused(library, f"{KNOWLEDGE}/Search", request) == Reason.KNOWLEDGE_BASE_DELETED

    await library.server.knowledge.UndeleteKnowledgeBase(pb.UndeleteKnowledgeBaseRequest(knowledge_base_id=library.id))

    assert await library.found("tide") != []


async def test_purge__that_has_begun_is_not_taken_back(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its chunks go first, in the index: an undelete in between would bring it back empty."""
    library.fill()
    await library.add_source()
    await library.server.knowledge.DeleteKnowledgeBase(pb.DeleteKnowledgeBaseRequest(knowledge_base_id=library.id))
    library.server.change("UPDATE knowledge_bases SET purge_at = 1")
    knowledge = library.server.app.knowledge
    undelete = pb.UndeleteKnowledgeBaseRequest(knowledge_base_id=library.id)

    answers = list[str]()

    async def drop(_key: str) -> None:
        answers.append(await refused(library, f"{KNOWLEDGE}/UndeleteKnowledgeBase", undelete))
        raise IndexUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(knowledge.index, "drop", drop)
        await knowledge.bases.purge(10)  # logged, and left to the next round
    answers.append(await refused(library, f"{KNOWLEDGE}/UndeleteKnowledgeBase", undelete))
    assert answers == [Reason.KNOWLEDGE_BASE_NOT_FOUND] * 2
    await knowledge.bases.purge(10)
    assert await knowledge.index.keys() == []
    assert await library.server.app.store.write(lambda tx: tx.begin_knowledge_base_purges(2**62, 10)) == []


@reaches(Reason.NOT_IN_KNOWLEDGE_BASE, "KnowledgeBaseService/GetFileStatus", "a file that was never added")
async def test_file_status__of_a_stranger(library: Library) -> None:
    file = await library.server.upload("stranger.md", b"# S\n")
    request = pb.GetFileStatusRequest(knowledge_base_id=library.id, file_id=file.file_id)

    assert await refused(library, f"{KNOWLEDGE}/GetFileStatus", request) == Reason.NOT_IN_KNOWLEDGE_BASE


@reaches(Reason.REINDEX_REQUIRED, "KnowledgeBaseService/UpdateKnowledgeBase", "other chunks without reindex")
@reaches(Reason.KNOWLEDGE_BASE_BUSY, "KnowledgeBaseService/UpdateKnowledgeBase", "a reindex while files are ingested")
async def test_other_chunks__need_a_reindex(idle: Library) -> None:
    await queued_source(idle)
    request = pb.UpdateKnowledgeBaseRequest(knowledge_base_id=idle.id, chunking=Chunking(max_tokens=128))

    assert await refused(idle, f"{KNOWLEDGE}/UpdateKnowledgeBase", request) == Reason.REINDEX_REQUIRED
    request.reindex = True
    assert await refused(idle, f"{KNOWLEDGE}/UpdateKnowledgeBase", request) == Reason.KNOWLEDGE_BASE_BUSY


@reaches(Reason.REINDEX_RUNNING, "KnowledgeBaseService/SyncDataSource", "a reindex that is not done")
async def test_reindex__serves_the_old_chunks_until_it_is_done(library: Library) -> None:
    library.fill()
    await library.add_source()
    await library.server.app.pool.stop(0)
    request = pb.UpdateKnowledgeBaseRequest(
        knowledge_base_id=library.id, chunking=Chunking(max_tokens=128), reindex=True
    )
    job = (await library.server.knowledge.UpdateKnowledgeBase(request)).job
    assert library.source is not None
    sync = pb.SyncDataSourceRequest(data_source_id=library.source.data_source_id)
    assert await refused(library, f"{KNOWLEDGE}/SyncDataSource", sync) == Reason.REINDEX_RUNNING
    assert await library.found("tide") != []
    assert (await library.now()).chunking.max_tokens == 400

    library.server.app.pool.start()
    await library.settled(job)

    now = await library.now()
    assert (now.chunking.max_tokens, now.files_searchable) == (128, 4)
    assert await library.found("tide") != []
    await library.server.app.keeper.step()
    assert await library.server.app.knowledge.index.keys() == [f"{library.id}/2"]


@reaches(Reason.KNOWLEDGE_BASE_REQUIRED, "JobService/AddFiles", "a job that names no knowledge base yet")
@reaches(Reason.KNOWLEDGE_BASE_EMPTY, "JobService/StartJob", "a knowledge base with nothing in it")
async def test_vector_db_job__needs_a_knowledge_base_with_something_in_it(library: Library) -> None:
    server = library.server
    file = await server.upload("a.md", b"# A\n\nA page about tides.\n")
    created = await server.jobs.CreateJob(jobs.CreateJobRequest(name="job", job_type=VECTOR_DB))
    job_id = created.job.job_id
    adding = jobs.AddFilesRequest(job_id=job_id, files=[jobs.FileToAdd(file_id=file.file_id)])
    assert created.job.status == JobStatus.JOB_STATUS_NEEDS_REVIEW
    assert await refused(library, "JobService/AddFiles", adding) == Reason.KNOWLEDGE_BASE_REQUIRED

    updated = await server.jobs.UpdateJob(jobs.UpdateJobRequest(job_id=job_id, knowledge_base_id=library.id))
    assert updated.job.status == JobStatus.JOB_STATUS_READY_TO_START
    start = jobs.StartJobRequest(job_id=job_id)
    assert await refused(library, "JobService/StartJob", start) == Reason.KNOWLEDGE_BASE_EMPTY

    added = await server.jobs.AddFiles(adding)
    await library.settled(added.job)
    assert await library.found("tides") == [file.file_id]
    assert (await server.jobs.StartJob(start)).job.alignment_job_id


@reaches(Reason.KNOWLEDGE_BASE_JOB, "JobService/AddFiles", "a job that KnowledgeBaseService made")
async def test_knowledge_base_job__takes_no_files(library: Library) -> None:
    library.fill()
    job = await library.add_source()
    file = await library.server.upload("a.md", b"# A\n")
    request = jobs.AddFilesRequest(job_id=job.job_id, files=[jobs.FileToAdd(file_id=file.file_id)])

    assert await refused(library, "JobService/AddFiles", request) == Reason.KNOWLEDGE_BASE_JOB
