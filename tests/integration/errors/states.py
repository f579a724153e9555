"""What a call may meet that was right a moment ago: a job deleted or started, an id used up, a log compacted."""

from dataclasses import dataclass
from typing import Any

from ingest_grpc.v1.file_service_pb2 import (
    CompleteUploadRequest,
    CreateFileRequest,
    CreateUploadRequest,
    WriteUploadRequest,
)
from ingest_grpc.v1.job_service_pb2 import (
    CreateJobRequest,
    DeleteJobRequest,
    StartJobRequest,
    WatchJobsRequest,
    WatchJobsUntil,
)
from tests.integration.serving import GROUNDED, Server
from tests.integration.team import Team

USED_ID, TAKEN_ID = "used-request-id", "taken-external-id"
COMMITTED_BYTES = 4

MAX_UPLOADS = 2
"""As many as are left unfinished."""

SETTINGS: dict[str, Any] = {
    "event_retention_days": 1.0,
    "output_retention_days": 1.0,
    "team_max_uploads": MAX_UPLOADS,
}
"""The settings under which these states come about."""


@dataclass(frozen=True)
class Compacted:
    """A job whose events and output were not kept, and a token of the feed from before."""

    job_id: str
    output_id: str
    resume_token: str


@dataclass(frozen=True)
class States:
    """Our team's. `USED_ID` was used for a CreateFile and a CreateJob, `TAKEN_ID` belongs to a file and a job.

    Of the upload `COMMITTED_BYTES` bytes are there.
    """

    compacted: Compacted
    deleted_job_id: str
    started_job_id: str
    empty_job_id: str
    upload_id: str
    completed_upload_id: str


async def build_compacted(server: Server, ours: Team) -> Compacted:
    """While nothing else is queued."""
    finished = await ours.create(await ours.upload("finished.pdf"))
    token = ""
    async for message in server.jobs.WatchJobs(
        WatchJobsRequest(until=WatchJobsUntil.WATCH_JOBS_UNTIL_HEAD), metadata=ours.metadata
    ):
        token = message.resume_token
    [claim] = await server.claim()
    await server.succeed(claim)
    finished = await ours.job(finished.job_id)
    server.clock.advance(2 * 86_400.0)
    await server.app.compactor.step()
    await server.app.janitor.step()
    return Compacted(finished.job_id, finished.files[0].file_id, token)


async def build_states(ours: Team, compacted: Compacted) -> States:
    """Over the wire, as any caller would."""
    deleted = await ours.create()
    await ours.call("JobService/DeleteJob", DeleteJobRequest(job_id=deleted.job_id))
    started = await ours.create(await ours.upload("started.md"))
    await ours.call("JobService/StartJob", StartJobRequest(job_id=started.job_id))
    used = CreateFileRequest(filename="used.pdf", request_id=USED_ID, external_id=TAKEN_ID)
    await ours.call("FileService/CreateFile", used)
    taken = CreateJobRequest(name="used", job_type=GROUNDED, request_id=USED_ID, external_id=TAKEN_ID)
    empty = (await ours.call("JobService/CreateJob", taken)).job
    uploads = [
        (await ours.call("FileService/CreateUpload", CreateUploadRequest(filename="up.bin"))).upload for _ in range(2)
    ]
    for upload in uploads:
        written = WriteUploadRequest(upload_id=upload.upload_id, data=bytes(COMMITTED_BYTES))
        await ours.call("FileService/WriteUpload", written)
    completed = uploads[1].upload_id
    await ours.call("FileService/CompleteUpload", CompleteUploadRequest(upload_id=completed))
    await ours.call("FileService/CreateUpload", CreateUploadRequest(filename="another.bin"))
    return States(
        compacted=compacted,
        deleted_job_id=deleted.job_id,
        started_job_id=started.job_id,
        empty_job_id=empty.job_id,
        upload_id=uploads[0].upload_id,
        completed_upload_id=completed,
    )
