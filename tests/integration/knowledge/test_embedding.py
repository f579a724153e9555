"""What an embedder makes of a document's way into a knowledge base, and of a knowledge base."""

import os
import tempfile
from pathlib import Path

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import Step
from ingest_grpc.store.interface import RecordRow
from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.error_reason_pb2 import ErrorReason
from ingest_grpc.v1.ingestion_pb2 import STEP_EMBED, RecordStatus
from ingest_grpc.v1.ingestion_service_pb2 import ListIngestionJobsRequest
from ingest_grpc.v1.job_pb2 import JobStatus
from ingest_grpc.v1.job_service_pb2 import GetJobRequest
from ingest_grpc.v1.knowledge_base_pb2 import Chunking, DataSourceType
from ingest_grpc.worker.indexer import IndexingFailed
from tests.chat_server import Asked, ChatServer, Reply
from tests.embedding_server import vectors
from tests.integration.knowledge.library import Library
from tests.reaching import A_RECORD, reaches


class Endpoint:
    """A real endpoint that does as it is told."""

    def __init__(self) -> None:
        self.status = 200
        self.word = ""

    def __call__(self, asked: Asked) -> Reply:
        refused = self.status != 200 and any(self.word in text for text in asked.body["input"])
        return Reply(self.status, b'{"error": {"message": "no"}}') if refused else vectors(asked)


def settings(server: ChatServer) -> dict[str, object]:
    return {
        "embedder": "endpoint",
        "embedding_endpoint_url": server.url,
        "embedding_model": "m",
        "embedding_attempts": 1,
        "backoff_base_seconds": 0.05,
        "backoff_max_seconds": 0.1,
    }


@reaches(Reason.EMBEDDING_REFUSED, A_RECORD, "an embedding endpoint that refuses all of its text")
async def test_refusing_endpoint__fails_the_document(tmp_path: Path) -> None:
    endpoint = Endpoint()
    async with ChatServer(endpoint) as server, Library.open(tmp_path, **settings(server)) as library:
        library.write("a.md", "# A\n\nText.\n")
        endpoint.status = 401
        job = await library.add_source()

        [record] = job.ingestion_jobs[0].records
        assert ErrorReason.Name(record.error.reason) == f"ERROR_REASON_{Reason.EMBEDDING_REFUSED}"
        assert (job.status, job.chunks_created) == (JobStatus.JOB_STATUS_FAILED, 0)
        runs = ListIngestionJobsRequest(knowledge_base_id=library.id)
        [listed] = (await library.server.ingestion.ListIngestionJobs(runs)).ingestion_jobs
        assert listed.error == record.error


async def test_endpoint_that_is_down__is_waited_for(tmp_path: Path) -> None:
    endpoint = Endpoint()
    async with ChatServer(endpoint) as server, Library.open(tmp_path, **settings(server)) as library:
        library.write("a.md", "# A\n\nText.\n")
        endpoint.status = 503
        request = pb.AddDataSourceRequest(
            knowledge_base_id=library.id,
            type=DataSourceType.DATA_SOURCE_TYPE_OBJECT_STORE,
            url=library.folder.as_uri(),
        )
        job = (await library.server.knowledge.AddDataSource(request)).job
        while len(server.asked) < 5:  # more often than a record may fail by its own fault
            await library.server.jobs.GetJob(GetJobRequest(job_id=job.job_id))
        endpoint.status = 200

        ended = await library.settled(job)

        [record] = ended.ingestion_jobs[0].records
        assert (record.status, record.failures) == (RecordStatus.RECORD_STATUS_COMPLETED, 0)
        assert record.orphaned_count >= 3


async def test_one_bad_chunk__is_a_loss(tmp_path: Path) -> None:
    endpoint = Endpoint()
    async with ChatServer(endpoint) as server, Library.open(tmp_path, **settings(server)) as library:
        library.write("a.md", "# Good\n\nFine words.\n\n# Bad\n\nThe word is poison.\n")
        endpoint.status, endpoint.word = 400, "poison"
        job = await library.add_source()

        [record] = job.ingestion_jobs[0].records
        assert record.status == RecordStatus.RECORD_STATUS_COMPLETED
        assert (len(record.losses), list(record.loss_steps)) == (1, [STEP_EMBED])
        request = pb.GetFileStatusRequest(knowledge_base_id=library.id, file_id=record.file_id)
        status = (await library.server.knowledge.GetFileStatus(request)).status
        assert (status.partial, list(status.loss_steps)) == (True, [STEP_EMBED])
        assert status.ingestion_job_id == record.ingestion_job_id


async def test_bad_chunk__is_no_loss_of_a_reindex_that_shares_the_markdown(tmp_path: Path) -> None:
    endpoint = Endpoint()
    async with ChatServer(endpoint) as server, Library.open(tmp_path, **settings(server)) as library:
        library.write("a.html", "<h1>Good</h1><p>Fine words.</p><h1>Bad</h1><p>The word is poison.</p>")
        endpoint.status, endpoint.word = 400, "poison"
        [lossy] = (await library.add_source()).ingestion_jobs[0].records
        endpoint.status = 200
        smaller = Chunking(max_tokens=128)
        request = pb.UpdateKnowledgeBaseRequest(knowledge_base_id=library.id, chunking=smaller, reindex=True)

        reindex = (await library.server.knowledge.UpdateKnowledgeBase(request)).job

        [record] = (await library.settled(reindex)).ingestion_jobs[0].records
        assert (len(lossy.losses), len(record.losses)) == (1, 0)
        assert record.reused_from == lossy.record_id


@reaches(Reason.NOTHING_TO_INDEX, A_RECORD, "a document without any text")
async def test_nothing__cannot_be_indexed(library: Library) -> None:
    await library.server.app.pool.stop(0)
    file = await library.server.upload("a.md", b"# A\n")
    files = DataSourceType.DATA_SOURCE_TYPE_FILES
    request = pb.AddDataSourceRequest(knowledge_base_id=library.id, type=files, file_ids=[file.file_id])
    await library.server.knowledge.AddDataSource(request)
    [claim] = await library.server.claim()
    assert isinstance(claim, RecordRow)
    with tempfile.TemporaryFile() as empty:
        os.write(empty.fileno(), b" \n")
        with pytest.raises(IndexingFailed) as failed:
            await library.server.app.pool._runner._indexer.run(claim, empty.fileno(), lambda step, progress: None)

    assert (failed.value.reason, failed.value.step) == (Reason.NOTHING_TO_INDEX, Step.CHUNK)
