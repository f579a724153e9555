"""The one exit for errors, over a real channel."""

import logging
from collections.abc import AsyncIterator
from typing import Any, Never

import grpc
import pytest

from ingest_grpc.service.keys import LOCAL
from ingest_grpc.v1 import file_service_pb2 as file_pb
from ingest_grpc.v1 import job_service_pb2 as pb
from tests.integration.api.answers import failure_of
from tests.integration.api.conftest import Api, raw

UNKNOWN_JOB = "dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d"
SECRET = "the inner workings"


async def broken(*_arguments: Any, **_named: Any) -> Never:
    raise RuntimeError(SECRET)


async def test_expected_error__has_code_reason_and_metadata(api: Api) -> None:
    failure = await failure_of(api.jobs.GetJob(pb.GetJobRequest(job_id=UNKNOWN_JOB)))

    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND")
    assert failure.metadata["job_id"] == UNKNOWN_JOB
    assert failure.metadata["suggested_fix"].startswith("Verify the job_id")


async def test_300_bad_ids__arrive_with_details(api: Api) -> None:
    request = pb.AddFilesRequest(job_id=UNKNOWN_JOB, files=[pb.FileToAdd(file_id="x" * 100)] * 300)
    failure = await failure_of(api.jobs.AddFiles(request))

    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ID")
    assert failure.fields[0] == "files[0].file_id"
    assert len(failure.fields) + int(failure.metadata["violations_omitted"]) == 300


@pytest.mark.parametrize("job_id", ["", "dj-1", "file-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d"])
async def test_bad_id__the_fix_has_the_form_that_the_field_wants(api: Api, job_id: str) -> None:
    failure = await failure_of(api.jobs.GetJob(pb.GetJobRequest(job_id=job_id)))

    assert failure.reason == "INVALID_ID"
    assert failure.metadata["suggested_fix"] == "Use an id exactly as the service returned it: dj-<uuid>."


async def test_bad_ids_of_two_fields__the_fix_has_each_form_once(api: Api) -> None:
    request = pb.AddFilesRequest(job_id="dj-1", files=[pb.FileToAdd(file_id="bad")] * 2)
    failure = await failure_of(api.jobs.AddFiles(request))

    assert failure.metadata["suggested_fix"] == (
        "Use an id exactly as the service returned it: dj-<uuid> or file-<uuid>."
    )


async def test_unexpected_exception__tells_the_caller_only_an_id(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(api.core.jobs, "get_detail", broken)
    failure = await failure_of(api.jobs.GetJob(pb.GetJobRequest(job_id=UNKNOWN_JOB)))

    assert (failure.code, failure.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert SECRET not in f"{failure}"
    assert set(failure.metadata) == {"call_id", "retryable", "suggested_fix"}
    [written] = [record for record in caplog.records if record.name == "ingest_grpc.api"]
    assert written.levelno == logging.ERROR
    assert SECRET in str(written.exc_info)


async def test_unexpected_exception__in_an_upload(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.core.files, "upload", broken)
    header = file_pb.UploadFileRequest(header=file_pb.UploadFileHeader(filename="a.txt"))
    failure = await failure_of(api.files.UploadFile(iter([header])))

    assert (failure.code, failure.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")


async def test_unexpected_exception__in_the_middle_of_a_download(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    file = await api.core.upload("a.txt", b"abc", caller=LOCAL)

    async def chunks(*_arguments: object) -> AsyncIterator[bytes]:
        yield b"ab"
        raise RuntimeError(SECRET)

    monkeypatch.setattr(api.core.files, "_chunks", chunks)
    call = api.files.DownloadFile(file_pb.DownloadFileRequest(file_id=file.file_id))
    await call.read()
    second = await call.read()
    assert isinstance(second, file_pb.DownloadFileResponse)
    assert second.data == b"ab"
    failure = await failure_of(call.read())

    assert (failure.code, failure.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert SECRET not in failure.message


async def test_unexpected_exception__while_authenticating(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.core.keys, "_is_open", broken)
    failure = await failure_of(api.jobs.ListJobs(pb.ListJobsRequest()))

    assert (failure.code, failure.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert SECRET not in failure.message


@pytest.mark.parametrize("method", ["UnaryCalls/GetJob", "JobService/Nothing", "JobService/"])
async def test_unknown_method__is_unimplemented(api: Api, method: str) -> None:
    name = f"/ingest_grpc.v1.{method}"
    failure = await failure_of(api.channel.unary_unary(name, raw, raw)(b""))

    assert (failure.code, failure.reason) == (grpc.StatusCode.UNIMPLEMENTED, "METHOD_NOT_FOUND")
    assert failure.metadata["method"] == name


async def test_unknown_method__answers_a_stream_too(api: Api) -> None:
    call = api.channel.stream_stream("/ingest_grpc.v1.JobService/Nothing", raw, raw)()

    assert (await failure_of(call.read())).reason == "METHOD_NOT_FOUND"


async def test_malformed_request__is_an_invalid_argument(api: Api) -> None:
    failure = await failure_of(api.channel.unary_unary("/ingest_grpc.v1.JobService/GetJob", raw, raw)(b"\xff\xff"))

    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert failure.fields == ["request"]


async def test_malformed_message__of_an_upload_is_an_invalid_argument(api: Api) -> None:
    upload = api.channel.stream_unary("/ingest_grpc.v1.FileService/UploadFile", raw, raw)
    failure = await failure_of(upload(iter([b"\xff\xff"])))

    assert (failure.code, failure.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["request"])


@pytest.mark.parametrize("size", [4 * 1024 * 1024 + 1])
async def test_oversized_message__is_refused_by_the_transport(api: Api, size: int) -> None:
    failure = await failure_of(api.files.CreateFile(file_pb.CreateFileRequest(filename="a", content=bytes(size))))

    assert failure.code is grpc.StatusCode.RESOURCE_EXHAUSTED
