"""Messages of a watch as bytes."""

from ingest_grpc import model
from ingest_grpc.lifecycle import IngestionJobStatus, JobStatus, Step
from ingest_grpc.model import EventType, WatchEndReason
from ingest_grpc.v1 import ingestion_pb2, job_pb2, job_service_pb2
from ingest_grpc.v1.job_service_pb2 import WatchJobResponse
from ingest_grpc.wire import watch
from ingest_grpc.wire.times import microseconds_of
from tests.unit.wire import values
from tests.unit.wire.values import NOW

parse = WatchJobResponse.FromString


def test_event_bytes__sequence_is_the_events() -> None:
    message = parse(watch.event_bytes(values.event(model.RecordChange(record=values.record()), EventType.RECORD_ADDED)))

    assert (message.sequence, message.event.sequence) == (5, 5)


def test_event_bytes__are_the_same_in_every_process() -> None:
    """A milestone's metadata is a map: encoded as it comes, its order would change with each restart."""
    milestone = model.Milestone(ingestion_job_id="ij-1", status=IngestionJobStatus.RUNNING, record_count=3)
    data = watch.event_bytes(values.event(milestone, EventType.FILE_PROCESSING_STARTED))
    metadata = data[data.rindex(b"ingestion_job_id") :]
    assert metadata.index(b"record_count") < metadata.index(b"status")
    assert data.count(b"ingestion_job_id") == 1


def test_snapshot__is_at_the_jobs_sequence() -> None:
    message = parse(watch.snapshot(values.job(), "ledger", NOW))

    assert message.sequence == 7
    assert message.snapshot.ledger_id == "ledger"
    assert message.snapshot.server_time.ToMicroseconds() == NOW
    assert message.snapshot.job.job_id == values.JOB_ID


def test_records__small_snapshot_is_one_message() -> None:
    [data] = watch.records(
        7, records=[values.record()], ingestion_jobs=[values.ingestion_job()], files=[values.job_file()]
    )
    message = parse(data)

    assert message.sequence == 7
    assert (len(message.records.records), len(message.records.ingestion_jobs), len(message.records.files)) == (1, 1, 1)


def test_records__nothing_is_no_message() -> None:
    assert list(watch.records(7)) == []


def test_records__split_below_1_mib() -> None:
    large = values.record(losses=("x" * 1000,))
    parts = [*watch.records(7, records=[large] * 2_500, files=[values.job_file()] * 10)]

    assert len(parts) == 4
    assert all(len(part) <= watch.MAX_RECORDS_BYTES for part in parts)
    assert min(len(part) for part in parts[:-1]) > watch.MAX_RECORDS_BYTES - 8_000
    messages = [parse(part) for part in parts]
    assert sum(len(message.records.records) for message in messages) == 2_500
    assert len(messages[-1].records.files) == 10


def test_synced() -> None:
    message = parse(watch.synced(7))

    assert (message.sequence, message.WhichOneof("message")) == (7, "synced")


def test_progress__queued_and_running() -> None:
    running = model.RecordProgress(
        "ijf-1",
        step=Step.PARSE,
        progress=model.UnitProgress(units_done=1, units_total=4, unit="pages"),
        step_started_at=NOW,
    )
    queued = model.RecordProgress("ijf-2", queue_position=3)
    first, second = parse(watch.progress(7, [running, queued])).progress.records

    assert (first.step, first.progress.units_total, first.HasField("queue_position")) == (
        ingestion_pb2.STEP_PARSE,
        4,
        False,
    )
    assert (second.step, second.HasField("progress"), second.queue_position) == (0, False, 3)
    assert microseconds_of(first.step_started_at) == NOW
    assert not second.HasField("step_started_at")


def test_heartbeat() -> None:
    data = watch.heartbeat(
        7, head_sequence=9, earliest_sequence=2, status=JobStatus.CANCELLED, ledger_id="ledger", now=NOW
    )
    message = parse(data)

    assert message.sequence == 7
    assert (message.heartbeat.head_sequence, message.heartbeat.earliest_sequence) == (9, 2)
    assert message.heartbeat.status == job_pb2.JOB_STATUS_CANCELLED
    assert message.heartbeat.server_time.ToMicroseconds() == NOW


def test_end() -> None:
    message = parse(watch.end(7, WatchEndReason.HEAD, values.job()))

    assert message.end.reason == job_service_pb2.WATCH_END_REASON_HEAD
    assert message.end.job.job_id == values.JOB_ID
