"""Replies that are cut by bytes."""

from collections.abc import Sequence
from typing import TypeVar

from ingest_grpc import model
from ingest_grpc.lifecycle import IngestionJobStatus
from ingest_grpc.model import EventType
from ingest_grpc.wire.bounded import MAX_REPLY_BYTES, Sliced, full_ingestion_job, full_job, messages
from ingest_grpc.wire.ingestion import record
from tests.unit.wire import values

R = TypeVar("R")

LARGE = values.record(losses=("x" * 10_000,))
"""300 of these fill a reply."""


def done(work: Sliced[R]) -> tuple[R, int]:
    """The work's result and how often it stopped on the way."""
    stops = 0
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: R = end.value
            return result, stops
        stops += 1


def run(records: Sequence[model.FileRecord]) -> model.IngestionJob:
    return values.ingestion_job(records=tuple(records))


def milestones(count: int) -> list[model.TimelineEvent]:
    change = model.Milestone(
        ingestion_job_id=values.INGESTION_JOB_ID, status=IngestionJobStatus.RUNNING, record_count=1
    )
    return [values.event(change, EventType.FILE_PROCESSING_STARTED)] * count


def test_full_job__small_one_is_whole() -> None:
    detail = values.detail(
        files=[values.job_file()], ingestion_jobs=[run([values.record()] * 2), run([])], timeline=milestones(3)
    )
    full, stops = done(full_job(detail))

    assert (len(full["job"].files), len(full["job"].timeline)) == (1, 3)
    assert [len(ingestion_job.records) for ingestion_job in full["job"].ingestion_jobs] == [2, 0]
    assert (full["records_truncated"], full["timeline_truncated"], stops) == (False, False, 0)


def test_full_job__is_cut_below_3_mib() -> None:
    detail = values.detail(
        files=[values.job_file()] * 400, ingestion_jobs=[run([LARGE] * 200), run([LARGE] * 200)], timeline=milestones(1)
    )
    full, stops = done(full_job(detail))
    records = sum(len(ingestion_job.records) for ingestion_job in full["job"].ingestion_jobs)

    assert MAX_REPLY_BYTES - 11_000 < full["job"].ByteSize() <= MAX_REPLY_BYTES
    assert 250 < records < 310
    assert records - 1 <= len(full["job"].files) <= records
    assert (full["records_truncated"], full["timeline_truncated"]) == (True, False)
    assert stops > 3


def test_full_job__many_milestones_do_not_crowd_out_records() -> None:
    full, _ = done(full_job(values.detail(timeline=milestones(10_000), ingestion_jobs=[run([values.record()])])))

    assert full["timeline_truncated"]
    assert not full["records_truncated"]
    assert 500 < len(full["job"].timeline) < 10_000
    assert len(full["job"].ingestion_jobs[0].records) == 1


def test_full_job__many_ingestion_jobs_are_cut_too() -> None:
    wide = values.ingestion_job(file_ids=(values.FILE_ID,) * 1_000)
    full, _ = done(full_job(values.detail(ingestion_jobs=[wide] * 100)))

    assert full["records_truncated"]
    assert full["job"].ByteSize() <= MAX_REPLY_BYTES


def test_full_job__keeps_what_the_service_says_is_missing() -> None:
    full, _ = done(full_job(values.detail(records_truncated=True, timeline_truncated=True)))

    assert full["records_truncated"]
    assert full["timeline_truncated"]


def test_full_ingestion_job__is_cut_below_3_mib() -> None:
    full, _ = done(full_ingestion_job(run([LARGE] * 400)))

    assert full.records_truncated
    assert MAX_REPLY_BYTES - 11_000 < full.message.ByteSize() <= MAX_REPLY_BYTES


def test_full_ingestion_job__small_one_is_whole() -> None:
    full, _ = done(full_ingestion_job(run([values.record()] * 3)))

    assert not full.records_truncated
    assert len(full.message.records) == 3


def test_messages__are_cut_but_never_to_none() -> None:
    made, stops = done(messages([LARGE] * 400, record))
    huge, _ = done(messages([values.record(losses=("x" * MAX_REPLY_BYTES,))] * 2, record))

    assert 250 < len(made) < 310
    assert stops == 3
    assert len(huge) == 1
