"""What IngestionService answers to what is wrong with a call."""

from functools import partial

from ingest_grpc.errors import Reason
from ingest_grpc.v1 import ingestion_service_pb2 as pb
from tests.integration.errors.row import Row, new, of_pages

GET_INGESTION_JOB = partial(Row, "IngestionService/GetIngestionJob")
LIST_INGESTION_JOBS = partial(Row, "IngestionService/ListIngestionJobs")
LIST_FILE_RECORDS = partial(Row, "IngestionService/ListFileRecords")


_OF_INGESTION = [
    GET_INGESTION_JOB(
        "a malformed id",
        Reason.INVALID_ID,
        lambda w: pb.GetIngestionJobRequest(ingestion_job_id=w.job_id),
        ["ingestion_job_id"],
    ),
    *(
        GET_INGESTION_JOB(condition, Reason.INGESTION_JOB_NOT_FOUND, requests, (), {"ingestion_job_id": ""})
        for condition, requests in (
            ("an unknown id", lambda w: pb.GetIngestionJobRequest(ingestion_job_id=new("ij"))),
            ("another team's id", lambda w: pb.GetIngestionJobRequest(ingestion_job_id=w.their_ingestion_job_id)),
        )
    ),
    LIST_INGESTION_JOBS(
        "another team's job",
        Reason.JOB_NOT_FOUND,
        lambda w: pb.ListIngestionJobsRequest(job_id=w.their_job_id),
        (),
        {"job_id": ""},
    ),
    LIST_INGESTION_JOBS(
        "an unknown ingestion job to continue after",
        Reason.INGESTION_JOB_NOT_FOUND,
        lambda w: pb.ListIngestionJobsRequest(after=w.their_ingestion_job_id),
        (),
        {"ingestion_job_id": ""},
    ),
    LIST_INGESTION_JOBS(
        "after and a page token",
        Reason.INVALID_FIELD,
        lambda w: pb.ListIngestionJobsRequest(after=w.ingestion_job_id, page_token="x"),
        ["after"],
    ),
    LIST_FILE_RECORDS(
        "neither a job nor an ingestion job", Reason.INVALID_FIELD, lambda w: pb.ListFileRecordsRequest(), ["job_id"]
    ),
    LIST_FILE_RECORDS(
        "an unspecified and an unknown step",
        Reason.INVALID_FIELD,
        lambda w: pb.ListFileRecordsRequest(job_id=w.job_id, steps=[0, 99]),  # type: ignore[list-item]
        ["steps[0]", "steps[1]"],
    ),
    LIST_FILE_RECORDS(
        "another team's job",
        Reason.JOB_NOT_FOUND,
        lambda w: pb.ListFileRecordsRequest(job_id=w.their_job_id),
        (),
        {"job_id": ""},
    ),
    LIST_FILE_RECORDS(
        "an ingestion job of another job",
        Reason.INGESTION_JOB_NOT_FOUND,
        lambda w: pb.ListFileRecordsRequest(job_id=w.job_id, ingestion_job_id=w.their_ingestion_job_id),
        (),
        {"ingestion_job_id": ""},
    ),
]

ROWS = [
    *_OF_INGESTION,
    *of_pages("IngestionService/ListIngestionJobs", lambda w: pb.ListIngestionJobsRequest()),
    *of_pages("IngestionService/ListFileRecords", lambda w: pb.ListFileRecordsRequest(job_id=w.job_id)),
]
