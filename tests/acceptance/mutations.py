"""Every mutation of the contract as a call that can be sent again, and how often it can be seen to have happened."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc.aio
from google.protobuf.message import Message

from ingest_grpc.v1 import file_service_pb2 as files
from ingest_grpc.v1 import job_service_pb2 as jobs
from ingest_grpc.v1.ingestion_service_pb2 import ListIngestionJobsRequest
from ingest_grpc.v1.job_pb2 import EventType, Job
from tests.integration.calling import Sent, call
from tests.integration.serving import GROUNDED

NAMES = (
    *("ingestion_job_id", "results", "records_cancelled", "alignment_cancelled", "records_retried", "job_ids"),
    "files_removed",
)
"""What a reply says beside the resource: a replay says the same."""

IDS = {
    "job": "job_id",
    "file": "file_id",
    "upload": "upload_id",
    "knowledge_base": "knowledge_base_id",
    "data_source": "data_source_id",
}
"""The id of each resource that a reply may hold."""


@dataclass
class Caller:
    """Calls a server that may come and go; `incoming` is a folder that it may import from."""

    channel: grpc.aio.Channel
    incoming: Path

    async def call(self, rpc: str, *requests: Sent) -> Any:
        return (await call(self.channel, rpc, *requests)).messages[0]

    async def upload(self, name: str) -> str:
        request = files.CreateFileRequest(filename=name, content=name.encode())
        return str((await self.call("FileService/CreateFile", request)).file.file_id)

    async def job(self, name: str, *filenames: str) -> str:
        adding = [jobs.FileToAdd(file_id=await self.upload(each)) for each in filenames]
        request = jobs.CreateJobRequest(name=name, job_type=GROUNDED, files=adding)
        return str((await self.call("JobService/CreateJob", request)).job.job_id)

    async def events(self, job_id: str, type_: EventType.ValueType) -> int:
        request = jobs.ListTimelineEventsRequest(job_id=job_id, types=[type_], page_size=1_000)
        return len((await self.call("JobService/ListTimelineEvents", request)).events)

    async def jobs_named(self, name: str) -> int:
        return len((await self.call("JobService/ListJobs", jobs.ListJobsRequest(name_contains=name))).jobs)

    async def files_named(self, name: str) -> int:
        request = files.ListFilesRequest(filename_contains=name)
        return len((await self.call("FileService/ListFiles", request)).files)


@dataclass
class Attempt:
    """One mutation, ready to be sent; `effects` counts how often it happened, and should be 1 in the end."""

    rpc: str
    requests: list[Sent]
    effects: Callable[[], Awaitable[int]]
    answers: list[object] = field(default_factory=list)


async def once(value: int = 1) -> int:
    """The effects of what leaves no trace but its answer, which is compared."""
    return value


def said(message: Message) -> object:
    """The ids and per-item results of a reply; the resource itself is the current one."""
    told: list[object] = [getattr(message, name) for name in NAMES if name in message.DESCRIPTOR.fields_by_name]
    for name, key in IDS.items():
        if name in message.DESCRIPTOR.fields_by_name:
            told.append(getattr(getattr(message, name), key))
    return [str(each) for each in told]


async def job_mutations(caller: Caller, key: str) -> list[Attempt]:
    """Of JobService, each on a job of its own; `key` is in every name and is every request_id."""
    event = EventType.Value
    made: dict[str, str] = {}
    for what in ("update", "delete", "undelete", "add", "remove", "cancel"):
        made[what] = await caller.job(f"{what}-{key}", f"{what}-{key}.pdf")
    made["start"] = await caller.job(f"start-{key}", f"start-{key}.md")
    made["clone"] = await caller.job(f"original-{key}", f"original-{key}.md")
    made["retry"] = await caller.job(f"retry-{key}", f"retry-{key}.pdf")
    await caller.call("JobService/CancelJob", jobs.CancelJobRequest(job_id=made["retry"]))
    await caller.call("JobService/DeleteJob", jobs.DeleteJobRequest(job_id=made["undelete"]))
    new = jobs.FileToAdd(file_id=await caller.upload(f"new-{key}.pdf"))
    [record] = (await _job(caller, made["remove"])).ingestion_jobs[0].records

    def seen(what: str, name: str) -> Callable[[], Awaitable[int]]:
        return lambda: caller.events(made[what], event(f"EVENT_TYPE_{name}"))

    async def runs() -> int:
        request = ListIngestionJobsRequest(job_id=made["add"])
        return len((await caller.call("IngestionService/ListIngestionJobs", request)).ingestion_jobs) - 1

    def on(what: str, request: Callable[..., Message], **fields: Any) -> Message:
        return request(job_id=made[what], request_id=key, **fields)

    unresolved, records = jobs.UnresolvedRecords(), [record.record_id]
    create = jobs.CreateJobRequest(name=f"create-{key}", job_type=GROUNDED, request_id=key)
    copy = on("clone", jobs.CloneJobRequest, name=f"copy-{key}")
    retry = on("retry", jobs.RetryFilesRequest, all_unresolved=unresolved)
    return [
        _of("CreateJob", create, lambda: caller.jobs_named(f"create-{key}")),
        _of("CloneJob", copy, lambda: caller.jobs_named(f"copy-{key}")),
        _of("UpdateJob", on("update", jobs.UpdateJobRequest, description="new"), seen("update", "JOB_UPDATED")),
        _of("DeleteJob", on("delete", jobs.DeleteJobRequest), seen("delete", "JOB_DELETED")),
        _of("UndeleteJob", on("undelete", jobs.UndeleteJobRequest), seen("undelete", "JOB_UNDELETED")),
        _of("AddFiles", on("add", jobs.AddFilesRequest, files=[new]), runs),
        _of("RemoveFiles", on("remove", jobs.RemoveFilesRequest, record_ids=records), seen("remove", "RECORD_REMOVED")),
        _of("RetryFiles", retry, seen("retry", "RECORD_RETRIED")),
        _of("StartJob", on("start", jobs.StartJobRequest), seen("start", "ALIGNMENT_ADDED")),
        _of("CancelJob", on("cancel", jobs.CancelJobRequest), seen("cancel", "RECORD_CANCELLED")),
    ]


async def file_mutations(caller: Caller, key: str) -> list[Attempt]:
    """Of FileService, each on a file of its own."""
    updated, deleted = await caller.upload(f"update-{key}.pdf"), await caller.upload(f"unwanted-{key}.pdf")
    whole = files.CreateUploadRequest(filename=f"whole-{key}.bin")
    upload = (await caller.call("FileService/CreateUpload", whole)).upload
    await caller.call("FileService/WriteUpload", files.WriteUploadRequest(upload_id=upload.upload_id, data=b"bytes"))
    source = caller.incoming / f"import-{key}.txt"
    source.write_text(key)

    async def deletions() -> int:
        return 1 - await caller.files_named(f"unwanted-{key}")

    def named(what: str) -> Callable[[], Awaitable[int]]:
        return lambda: caller.files_named(f"{what}-{key}")

    header = files.UploadFileHeader(filename=f"stream-{key}.txt", request_id=key)
    stream: list[Sent] = [files.UploadFileRequest(header=header), files.UploadFileRequest(data=key.encode())]
    create = files.CreateFileRequest(filename=f"create-{key}.txt", content=key.encode(), request_id=key)
    complete = files.CompleteUploadRequest(upload_id=upload.upload_id, request_id=key)
    return [
        Attempt("FileService/CreateFile", [create], named("create")),
        Attempt("FileService/UploadFile", stream, named("stream")),
        Attempt("FileService/CreateUpload", [files.CreateUploadRequest(filename="begun.bin", request_id=key)], once),
        Attempt("FileService/CompleteUpload", [complete], named("whole")),
        Attempt(
            "FileService/ImportFile",
            [files.ImportFileRequest(url=f"file://{source}", request_id=key)],
            named("import"),
        ),
        Attempt(
            "FileService/UpdateFile",
            [files.UpdateFileRequest(file_id=updated, filename=f"renamed-{key}.pdf", request_id=key)],
            named("renamed"),
        ),
        Attempt("FileService/DeleteFile", [files.DeleteFileRequest(file_id=deleted, request_id=key)], deletions),
    ]


def _of(rpc: str, request: Message, effects: Callable[[], Awaitable[int]]) -> Attempt:
    return Attempt(f"JobService/{rpc}", [request], effects)


async def _job(caller: Caller, job_id: str) -> Job:
    job: Job = (await caller.call("JobService/GetJob", jobs.GetJobRequest(job_id=job_id))).job
    return job
