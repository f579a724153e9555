"""Messages of a watch over all jobs as bytes: a content for everyone, and the token of one watch behind it."""

from ingest_grpc import model
from ingest_grpc.lifecycle import IngestionJobStatus
from ingest_grpc.model import EventType
from ingest_grpc.v1 import job_service_pb2
from ingest_grpc.v1.job_service_pb2 import WatchJobsResponse
from ingest_grpc.wire import watch_jobs
from ingest_grpc.wire.events import event
from ingest_grpc.wire.jobs import basic_job
from tests.unit.wire import values
from tests.unit.wire.values import NOW


def parse(content: bytes) -> WatchJobsResponse:
    message = WatchJobsResponse.FromString(watch_jobs.with_token(content, "token"))
    assert message.resume_token == "token"
    return message


def test_contents__are_whole_with_any_token_behind_them() -> None:
    milestone = model.Milestone(ingestion_job_id="ij-1", status=IngestionJobStatus.RUNNING, record_count=3)
    value = values.event(milestone, EventType.FILE_PROCESSING_STARTED)
    assert parse(watch_jobs.event_content(value)).event == event(value)
    assert parse(watch_jobs.job(values.job())).job == basic_job(values.job())
    assert parse(watch_jobs.synced()).HasField("synced")
    assert parse(watch_jobs.end()).HasField("end")


def test_event_content__is_the_same_in_every_process() -> None:
    milestone = model.Milestone(ingestion_job_id="ij-1", status=IngestionJobStatus.RUNNING, record_count=3)
    data = watch_jobs.event_content(values.event(milestone, EventType.FILE_PROCESSING_STARTED))
    metadata = data[data.rindex(b"ingestion_job_id") :]
    assert metadata.index(b"record_count") < metadata.index(b"status")


def test_snapshot_and_heartbeat__name_the_ledger_and_the_time() -> None:
    for message in (
        parse(watch_jobs.snapshot("ledger", NOW)).snapshot,
        parse(watch_jobs.heartbeat("ledger", NOW)).heartbeat,
    ):
        assert message.ledger_id == "ledger"
        assert message.server_time.ToMicroseconds() == NOW


def test_job_removed__says_whether_the_job_was_deleted() -> None:
    gone = watch_jobs.job_removed(values.JOB_ID, 7, deleted=True)
    assert parse(gone).job_removed == job_service_pb2.WatchJobsRemoved(job_id=values.JOB_ID, sequence=7, deleted=True)
    other = watch_jobs.job_removed(values.JOB_ID, 7, deleted=False)
    assert not parse(other).job_removed.deleted
