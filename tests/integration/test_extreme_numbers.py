"""Numbers at the ends of what 64 bits hold: refused or answered, and never an error of the service."""

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from ingest_grpc.v1 import file_service_pb2 as files
from ingest_grpc.v1 import job_service_pb2 as pb
from tests.integration.calling import Refused, call
from tests.integration.serving import Server

UNKNOWN_UPLOAD = "up-00000000-0000-4000-8000-000000000000"

REQUESTS: dict[str, Callable[[str, str, int], Message]] = {
    "FileService/CreateUpload": lambda _job, _file, number: files.CreateUploadRequest(
        filename="a.pdf", size_bytes=number
    ),
    "FileService/UploadFile": lambda _job, _file, number: files.UploadFileRequest(
        header=files.UploadFileHeader(filename="a.pdf", size_bytes=number)
    ),
    "FileService/WriteUpload": lambda _job, _file, number: files.WriteUploadRequest(
        upload_id=UNKNOWN_UPLOAD, offset=number, data=b"x"
    ),
    "FileService/ReadFile": lambda _job, file, number: files.ReadFileRequest(file_id=file, offset=number),
    "FileService/DownloadFile": lambda _job, file, number: files.DownloadFileRequest(
        file_id=file, offset=number, limit=number
    ),
    "FileService/UpdateFile": lambda _job, file, number: files.UpdateFileRequest(
        file_id=file, expires_at=Timestamp(seconds=number)
    ),
    "JobService/ListJobs": lambda _job, _file, number: pb.ListJobsRequest(created_after=Timestamp(seconds=number)),
    "JobService/ListTimelineEvents": lambda job, _file, number: pb.ListTimelineEventsRequest(
        job_id=job, after_sequence=number
    ),
    "JobService/WaitJob": lambda job, _file, number: pb.WaitJobRequest(
        job_id=job, after_sequence=number, timeout=Duration()
    ),
    "JobService/WatchJob": lambda job, _file, number: pb.WatchJobRequest(job_id=job, after_sequence=number),
}


@pytest.mark.parametrize("number", [-(2**63), 2**63 - 1])
@pytest.mark.parametrize("rpc", REQUESTS)
async def test_number__is_refused_or_answered(server: Server, rpc: str, number: int) -> None:
    job = await server.job("a.txt")
    file = await server.upload("b.txt")
    request: Any = REQUESTS[rpc](job.job_id, file.file_id, number)
    try:
        await call(server.channel, rpc, request)
    except Refused as refused:
        assert refused.failure.reason not in {"", "INTERNAL"}  # noqa: PT017 - an answer is as good
