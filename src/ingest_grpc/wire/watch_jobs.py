"""The messages of a watch over all jobs, each as the bytes of a complete WatchJobsResponse.

A message is its content, which is the same for every watcher and encoded for all of them once, and behind it the
resume token, which belongs to one watch: what is concatenated is merged when it is read.
"""

from ingest_grpc import model
from ingest_grpc.v1 import job_service_pb2
from ingest_grpc.v1.job_service_pb2 import WatchJobsResponse
from ingest_grpc.wire.events import event
from ingest_grpc.wire.jobs import basic_job
from ingest_grpc.wire.times import set_time


def with_token(content: bytes, resume_token: str) -> bytes:
    """A complete message."""
    return content + WatchJobsResponse(resume_token=resume_token).SerializeToString()


def snapshot(ledger_id: str, now: int) -> bytes:
    """A snapshot begins. `now` is the server's time in microseconds."""
    message = job_service_pb2.WatchJobsSnapshot(ledger_id=ledger_id)
    set_time(message.server_time, now)
    return WatchJobsResponse(snapshot=message).SerializeToString()


def job(value: model.Job) -> bytes:
    """A job as it is now."""
    return WatchJobsResponse(job=basic_job(value)).SerializeToString()


def synced() -> bytes:
    """The end of the snapshot."""
    return WatchJobsResponse(synced=job_service_pb2.WatchSynced()).SerializeToString()


def event_content(value: model.TimelineEvent) -> bytes:
    """One event; deterministic, so that it has the same bytes before and after a restart."""
    return WatchJobsResponse(event=event(value)).SerializeToString(deterministic=True)


def job_removed(job_id: str, sequence: int, *, deleted: bool) -> bytes:
    """A job went, by the event with this sequence."""
    message = job_service_pb2.WatchJobsRemoved(job_id=job_id, sequence=sequence, deleted=deleted)
    return WatchJobsResponse(job_removed=message).SerializeToString()


def heartbeat(ledger_id: str, now: int) -> bytes:
    """A sign of life. `now` is the server's time in microseconds."""
    message = job_service_pb2.WatchJobsHeartbeat(ledger_id=ledger_id)
    set_time(message.server_time, now)
    return WatchJobsResponse(heartbeat=message).SerializeToString()


def end() -> bytes:
    """The last message of a watch that ends with OK."""
    return WatchJobsResponse(end=job_service_pb2.WatchJobsEnd()).SerializeToString()
