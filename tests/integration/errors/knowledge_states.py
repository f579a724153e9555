"""What a call may meet in a knowledge base: a sync that runs or does not, files on their way, a job that it feeds."""

from dataclasses import dataclass

from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.job_pb2 import JobType
from ingest_grpc.v1.job_service_pb2 import CreateJobRequest
from ingest_grpc.v1.knowledge_base_pb2 import DataSourceType
from tests.integration.team import Team

FILES = DataSourceType.DATA_SOURCE_TYPE_FILES
VECTOR = JobType.JOB_TYPE_CONTEXT_GROUNDED_VECTOR_DB


@dataclass(frozen=True)
class KnowledgeStates:
    """Our team's. The job `sync_job_id` feeds `busy_id` from `syncing_id`; the sync of `idle_id` was cancelled.

    `baseless_job_id` has no knowledge base, `empty_job_id` one that has nothing yet.
    """

    deleted_id: str
    busy_id: str
    syncing_id: str
    sync_job_id: str
    idle_id: str
    baseless_job_id: str
    empty_job_id: str


async def build_knowledge(ours: Team) -> KnowledgeStates:
    """Over the wire, as any caller would."""
    deleted, busy, empty = [await _base(ours, name) for name in ("deleted", "busy", "empty")]
    request = pb.DeleteKnowledgeBaseRequest(knowledge_base_id=deleted)
    await ours.call("KnowledgeBaseService/DeleteKnowledgeBase", request)
    idle, _ = await _source(ours, await _base(ours, "idle"))
    await ours.call("KnowledgeBaseService/CancelSync", pb.CancelSyncRequest(data_source_id=idle))
    syncing, sync_job = await _source(ours, busy)
    return KnowledgeStates(
        deleted_id=deleted,
        busy_id=busy,
        syncing_id=syncing,
        sync_job_id=sync_job,
        idle_id=idle,
        baseless_job_id=await _job(ours, ""),
        empty_job_id=await _job(ours, empty),
    )


async def _base(ours: Team, name: str) -> str:
    request = pb.CreateKnowledgeBaseRequest(name=name)
    reply = await ours.call("KnowledgeBaseService/CreateKnowledgeBase", request)
    return str(reply.knowledge_base.knowledge_base_id)


async def _source(ours: Team, base: str) -> tuple[str, str]:
    """(a source of one file, the job of its first sync)."""
    file_ids = [await ours.upload(f"{base}.txt")]
    request = pb.AddDataSourceRequest(knowledge_base_id=base, type=FILES, file_ids=file_ids)
    reply = await ours.call("KnowledgeBaseService/AddDataSource", request)
    return reply.data_source.data_source_id, reply.job.job_id


async def _job(ours: Team, base: str) -> str:
    request = CreateJobRequest(name="vectors", job_type=VECTOR, knowledge_base_id=base)
    return str((await ours.call("JobService/CreateJob", request)).job.job_id)
