"""Requests of IngestionService."""

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.lifecycle import IngestionJobStatus, RecordStatus, Step
from ingest_grpc.v1 import ingestion_pb2
from ingest_grpc.v1 import ingestion_service_pb2 as pb
from ingest_grpc.wire.requests import ingestion
from tests.unit.wire.values import INGESTION_JOB_ID, JOB_ID


def test_list_ingestion_jobs__everything_is_optional() -> None:
    asked = ingestion.list_ingestion_jobs(pb.ListIngestionJobsRequest())

    assert (asked.job_id, asked.statuses, asked.after, asked.page_size) == (None, (), None, 50)


def test_list_ingestion_jobs__filters() -> None:
    asked = ingestion.list_ingestion_jobs(
        pb.ListIngestionJobsRequest(
            job_id=JOB_ID,
            statuses=[ingestion_pb2.INGESTION_JOB_STATUS_FAILED],
            oldest_first=True,
            after=INGESTION_JOB_ID,
        )
    )

    assert (asked.job_id, asked.statuses) == (JOB_ID, (IngestionJobStatus.FAILED,))
    assert (asked.oldest_first, asked.after) == (True, INGESTION_JOB_ID)


def test_list_ingestion_jobs__after_and_token_exclude_each_other() -> None:
    with pytest.raises(IngestError) as raised:
        ingestion.list_ingestion_jobs(pb.ListIngestionJobsRequest(after=INGESTION_JOB_ID, page_token="t"))

    assert [violation.field for violation in raised.value.violations] == ["after"]


def test_get_ingestion_job__id() -> None:
    assert ingestion.get_ingestion_job(pb.GetIngestionJobRequest(ingestion_job_id=INGESTION_JOB_ID)) == INGESTION_JOB_ID
    with pytest.raises(IngestError) as raised:
        ingestion.get_ingestion_job(pb.GetIngestionJobRequest(ingestion_job_id=JOB_ID))
    assert raised.value.reason is Reason.INVALID_ID


def test_list_file_records__needs_one_of_two_ids() -> None:
    with pytest.raises(IngestError) as raised:
        ingestion.list_file_records(pb.ListFileRecordsRequest())

    assert [violation.field for violation in raised.value.violations] == ["job_id"]


def test_list_file_records__filters() -> None:
    asked = ingestion.list_file_records(
        pb.ListFileRecordsRequest(
            ingestion_job_id=INGESTION_JOB_ID,
            statuses=[ingestion_pb2.RECORD_STATUS_FAILED],
            show_deleted=True,
            steps=[ingestion_pb2.STEP_PARSE],
            page_size=7,
        )
    )
    assert asked.steps == (Step.PARSE,)

    assert (asked.job_id, asked.ingestion_job_id) == (None, INGESTION_JOB_ID)
    assert (asked.statuses, asked.show_deleted, asked.page_size) == ((RecordStatus.FAILED,), True, 7)
