"""Watchers of many jobs without the SDK, and what must hold of everything that they receive."""

from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio
from google.protobuf.field_mask_pb2 import FieldMask
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo

from ingest_grpc.v1.job_pb2 import Job, JobType
from ingest_grpc.v1.job_service_pb2 import (
    CreateJobRequest,
    DeleteJobRequest,
    UpdateJobRequest,
    WatchJobsRequest,
    WatchJobsResponse,
    WatchJobsUntil,
)
from tests.integration.serving import GROUNDED, Server
from tests.integration.watching import detail

WATCH_JOBS = "/ingest_grpc.v1.JobService/WatchJobs"
HEAD = WatchJobsUntil.WATCH_JOBS_UNTIL_HEAD


class JobsWatch:
    """One WatchJobs call. What it received is in `received`, how it ended in `error`."""

    def __init__(self, channel: grpc.aio.Channel, **fields: Any) -> None:
        self.received: list[WatchJobsResponse] = []
        self.error: grpc.aio.AioRpcError | None = None
        open_stream: Any = channel.unary_stream(
            WATCH_JOBS,
            request_serializer=WatchJobsRequest.SerializeToString,
            response_deserializer=WatchJobsResponse.FromString,
        )
        self.call: grpc.aio.UnaryStreamCall[WatchJobsRequest, WatchJobsResponse] = open_stream(
            WatchJobsRequest(**fields)
        )

    async def next(self) -> WatchJobsResponse | None:
        """The next message; None once the stream has ended."""
        try:
            message = await self.call.read()
        except grpc.aio.AioRpcError as error:
            self.error = error
            return None
        if not isinstance(message, WatchJobsResponse):
            return None
        assert message.resume_token, "every message has a token"
        self.received.append(message)
        return message

    async def take(self, count: int) -> list[WatchJobsResponse]:
        """The next messages, exactly so many."""
        taken = [await self.next() for _ in range(count)]
        assert None not in taken, self.error
        return [message for message in taken if message is not None]

    async def through(self, condition: Callable[[WatchJobsResponse], object]) -> list[WatchJobsResponse]:
        """The next messages, up to the first that meets the condition."""
        taken: list[WatchJobsResponse] = []
        while (message := await self.next()) is not None:
            taken.append(message)
            if condition(message):
                return taken
        raise AssertionError(f"the stream ended: {self.error}")

    async def synced(self) -> list[WatchJobsResponse]:
        """The whole snapshot."""
        return await self.through(lambda message: message.HasField("synced"))

    async def rest(self) -> list[WatchJobsResponse]:
        """All messages to the end of the stream."""
        before = len(self.received)
        while await self.next() is not None:
            pass
        return self.received[before:]

    @property
    def token(self) -> str:
        """Where the next watch goes on."""
        return self.received[-1].resume_token

    @property
    def reason(self) -> str:
        return str(detail(self.error, ErrorInfo).reason)

    @property
    def retry_seconds(self) -> float:
        return float(detail(self.error, RetryInfo).retry_delay.ToTimedelta().total_seconds())


def told(messages: list[WatchJobsResponse]) -> list[str]:
    """What messages are, in short: the name of a job, the title of an event."""
    return [_told(message) for message in messages]


def _told(message: WatchJobsResponse) -> str:
    match message.WhichOneof("message"):
        case "job":
            return f"job {message.job.name}"
        case "event":
            return message.event.title
        case kind:
            return str(kind)


async def create(server: Server, name: str, *, job_type: JobType.ValueType = GROUNDED, **fields: object) -> Job:
    request = CreateJobRequest(name=name, job_type=job_type, **fields)  # type: ignore[arg-type]
    return (await server.jobs.CreateJob(request)).job


async def label(server: Server, job: Job, **labels: str) -> None:
    mask = FieldMask(paths=["labels"])
    await server.jobs.UpdateJob(UpdateJobRequest(job_id=job.job_id, labels=labels, update_mask=mask))


async def delete(server: Server, job: Job) -> None:
    await server.jobs.DeleteJob(DeleteJobRequest(job_id=job.job_id))


async def watching(server: Server, **fields: object) -> JobsWatch:
    """A watch that has its snapshot and sleeps."""
    watch = JobsWatch(server.channel, **fields)
    await watch.synced()
    await server.quiet()
    return watch
