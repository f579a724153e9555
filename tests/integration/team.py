"""One team's calls by name over a real channel."""

from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from ingest_grpc.v1.file_service_pb2 import CreateFileRequest
from ingest_grpc.v1.job_pb2 import Job
from ingest_grpc.v1.job_service_pb2 import CreateJobRequest, FileToAdd, GetJobRequest
from tests.integration.calling import call
from tests.integration.serving import GROUNDED, Server


@dataclass(frozen=True)
class Team:
    """Calls with one team's key."""

    server: Server
    secret: str

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """For calls by stubs."""
        return (("authorization", f"Bearer {self.secret}"),)

    async def call(self, rpc: str, request: Message) -> Any:
        return (await call(self.server.channel, rpc, request, secret=self.secret)).messages[0]

    async def upload(self, filename: str) -> str:
        request = CreateFileRequest(filename=filename, content=filename.encode())
        return str((await self.call("FileService/CreateFile", request)).file.file_id)

    async def create(self, *file_ids: str) -> Job:
        adding = [FileToAdd(file_id=file_id) for file_id in file_ids]
        request = CreateJobRequest(name="job", job_type=GROUNDED, files=adding)
        job: Job = (await self.call("JobService/CreateJob", request)).job
        return job

    async def job(self, job_id: str) -> Job:
        job: Job = (await self.call("JobService/GetJob", GetJobRequest(job_id=job_id))).job
        return job
