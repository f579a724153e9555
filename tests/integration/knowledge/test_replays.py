"""Calls that are repeated under their request id, after what they were about has changed or gone."""

import shutil
import uuid

import pytest

from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.job_pb2 import JobStatus
from ingest_grpc.v1.job_service_pb2 import GetJobRequest
from ingest_grpc.v1.knowledge_base_pb2 import DataSourceType
from tests.integration.knowledge.library import Library


def new_source(library: Library) -> pb.AddDataSourceRequest:
    return pb.AddDataSourceRequest(
        knowledge_base_id=library.id,
        type=DataSourceType.DATA_SOURCE_TYPE_OBJECT_STORE,
        url=library.folder.as_uri(),
        request_id=str(uuid.uuid4()),
    )


async def test_add_data_source__has_its_first_job_after_a_later_sync(library: Library) -> None:
    library.fill()
    request = new_source(library)
    first = await library.server.knowledge.AddDataSource(request)
    library.source = first.data_source
    await library.settled(first.job)
    library.delete("harbour.md")
    later = await library.sync()

    again = await library.server.knowledge.AddDataSource(request)

    assert again.data_source.data_source_id == first.data_source.data_source_id
    assert again.job.job_id == first.job.job_id != later.job.job_id


async def test_add_data_source__looks_at_nothing_again(library: Library) -> None:
    library.fill()
    request = new_source(library)
    first = await library.server.knowledge.AddDataSource(request)
    shutil.rmtree(library.folder)

    again = await library.server.knowledge.AddDataSource(request)

    assert again.job.job_id == first.job.job_id


async def test_add_data_source__begins_the_first_sync_that_was_interrupted(library: Library) -> None:
    library.fill()
    request = new_source(library)
    first = await library.server.knowledge.AddDataSource(request)
    await library.settled(first.job)
    library.server.change("UPDATE data_sources SET sync_job_id = NULL, last_sync = NULL")
    library.server.change("UPDATE jobs SET job_id = 'dj-gone'")

    again = await library.server.knowledge.AddDataSource(request)

    assert again.job.job_id == first.job.job_id
    assert again.data_source.last_sync.job_id == first.job.job_id


async def test_update_knowledge_base__after_its_deletion(library: Library) -> None:
    request = pb.UpdateKnowledgeBaseRequest(knowledge_base_id=library.id, name="New", request_id=str(uuid.uuid4()))
    await library.server.knowledge.UpdateKnowledgeBase(request)
    await library.server.knowledge.DeleteKnowledgeBase(pb.DeleteKnowledgeBaseRequest(knowledge_base_id=library.id))

    again = await library.server.knowledge.UpdateKnowledgeBase(request)

    assert again.knowledge_base.name == "New"
    assert again.knowledge_base.HasField("deleted_at")


async def test_create_knowledge_base__whose_embedder_is_no_longer_there(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = pb.CreateKnowledgeBaseRequest(name="Once", request_id=str(uuid.uuid4()))
    first = await library.server.knowledge.CreateKnowledgeBase(request)
    monkeypatch.setattr(library.server.app.knowledge.embedders, "_embedders", {})

    again = await library.server.knowledge.CreateKnowledgeBase(request)

    assert again.knowledge_base.knowledge_base_id == first.knowledge_base.knowledge_base_id


async def test_delete_knowledge_base__cancels_nothing_once_it_was_taken_back(library: Library) -> None:
    await library.server.app.pool.stop(0)
    delete = pb.DeleteKnowledgeBaseRequest(knowledge_base_id=library.id, request_id=str(uuid.uuid4()))
    await library.server.knowledge.DeleteKnowledgeBase(delete)
    await library.server.knowledge.UndeleteKnowledgeBase(pb.UndeleteKnowledgeBaseRequest(knowledge_base_id=library.id))
    library.fill()
    added = await library.server.knowledge.AddDataSource(new_source(library))

    await library.server.knowledge.DeleteKnowledgeBase(delete)

    job = (await library.server.jobs.GetJob(GetJobRequest(job_id=added.job.job_id))).job
    assert job.status == JobStatus.JOB_STATUS_FILE_PROCESSING
