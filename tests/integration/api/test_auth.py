"""Credentials: what is refused, with what, and what needs none."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from ingest_grpc.model import Scope
from ingest_grpc.v1 import file_service_pb2 as file_pb
from ingest_grpc.v1 import job_service_pb2 as pb
from tests.integration.api.answers import failure_of
from tests.integration.api.conftest import Api, raw

Metadata = tuple[tuple[str, str], ...]

JOB = pb.CreateJobRequest(name="job", job_type=2)  # type: ignore[arg-type]  # CONTEXT_GROUNDED_FILES


async def key(api: Api, team: str = "team", *scopes: Scope) -> Metadata:
    """Metadata with a new key."""
    _, secret = await api.core.keys.create(team, "user", scopes or (Scope.WRITE,))
    return (("authorization", f"Bearer {secret}"),)


def list_jobs(api: Api, metadata: Metadata) -> Awaitable[Any]:
    return api.jobs.ListJobs(pb.ListJobsRequest(), metadata=metadata)


def watch(api: Api, metadata: Metadata) -> Awaitable[Any]:
    job_id = "dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d"
    return api.jobs.WatchJob(pb.WatchJobRequest(job_id=job_id), metadata=metadata).read()


def upload(api: Api, metadata: Metadata) -> Awaitable[Any]:
    # The stream stays open and empty: the refusal must not wait for its first message.
    return api.files.UploadFile(metadata=metadata)


def unknown_method(api: Api, metadata: Metadata) -> Awaitable[Any]:
    return api.channel.unary_unary("/ingest_grpc.v1.JobService/Nothing", raw, raw)(b"", metadata=metadata)


def reflection(api: Api, metadata: Metadata) -> Awaitable[Any]:
    name = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
    return api.channel.stream_stream(name, raw, raw)(metadata=metadata).read()


CALLS = [list_jobs, watch, upload, unknown_method, reflection]


@pytest.mark.parametrize("call", CALLS)
async def test_without_key__every_kind_of_call_is_refused(
    api: Api, call: Callable[[Api, Metadata], Awaitable[Any]]
) -> None:
    await key(api)
    failure = await failure_of(call(api, ()))

    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_MISSING")


@pytest.mark.parametrize("call", CALLS)
async def test_with_wrong_key__every_kind_of_call_is_refused(
    api: Api, call: Callable[[Api, Metadata], Awaitable[Any]]
) -> None:
    failure = await failure_of(call(api, (("authorization", "Bearer nonsense"),)))

    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_INVALID")


async def test_reading_key__reads_and_does_not_write(api: Api) -> None:
    metadata = await key(api, "team", Scope.READ)

    assert not (await api.jobs.ListJobs(pb.ListJobsRequest(), metadata=metadata)).jobs
    failure = await failure_of(api.jobs.CreateJob(JOB, metadata=metadata))
    assert (failure.code, failure.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
    assert failure.metadata["scope"] == "write"


async def test_other_team__does_not_see_a_job_or_a_file(api: Api) -> None:
    ours, theirs = await key(api, "ours"), await key(api, "theirs")
    job = (await api.jobs.CreateJob(JOB, metadata=ours)).job
    created = await api.files.CreateFile(file_pb.CreateFileRequest(filename="a.txt"), metadata=ours)

    assert (job.team_id, created.file.team_id) == ("ours", "ours")
    failure = await failure_of(api.jobs.GetJob(pb.GetJobRequest(job_id=job.job_id), metadata=theirs))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND")
    request = file_pb.GetFileRequest(file_id=created.file.file_id)
    assert (await failure_of(api.files.GetFile(request, metadata=theirs))).reason == "FILE_NOT_FOUND"


async def test_concurrent_calls__each_has_its_own_caller(api: Api) -> None:
    metadata = [await key(api, f"team-{number}") for number in range(10)]
    calls = [api.jobs.CreateJob(JOB, metadata=own) for own in metadata]

    assert [(await call).job.team_id for call in calls] == [f"team-{number}" for number in range(10)]


async def test_health__needs_no_credentials(api: Api) -> None:
    await key(api)
    check = api.channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        health_pb2.HealthCheckRequest.SerializeToString,
        health_pb2.HealthCheckResponse.FromString,
    )

    assert (await check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
