"""What JobService answers to what is wrong with a call."""

from functools import partial
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from ingest_grpc.errors import Reason
from ingest_grpc.v1 import job_service_pb2 as pb
from tests.integration.errors.row import Row, new, of_one_job, of_pages
from tests.integration.serving import GROUNDED

MAX_RECORDS = 5
"""The setting under which the table holds."""

CREATE_JOB = partial(Row, "JobService/CreateJob")
ADD_FILES = partial(Row, "JobService/AddFiles")
REMOVE_FILES = partial(Row, "JobService/RemoveFiles")
GET_JOB = partial(Row, "JobService/GetJob")
LIST_JOBS = partial(Row, "JobService/ListJobs")
WATCH_JOB = partial(Row, "JobService/WatchJob")
LIST_TIMELINE_EVENTS = partial(Row, "JobService/ListTimelineEvents")


def add(*file_ids: str, **more: Any) -> list[pb.FileToAdd]:
    return [pb.FileToAdd(file_id=file_id, **more) for file_id in file_ids]


def create_job(**changes: Any) -> pb.CreateJobRequest:
    return pb.CreateJobRequest(**{"name": "job", "job_type": GROUNDED, **changes})


_OF_JOBS = [
    CREATE_JOB(
        "no name and no job type", Reason.INVALID_FIELD, lambda w: pb.CreateJobRequest(name=" "), ["name", "job_type"]
    ),
    CREATE_JOB(
        "texts that are too long",
        Reason.INVALID_FIELD,
        lambda w: create_job(
            name="x" * 256, description="x" * 4_097, system_prompt="x" * 65_537, instructions="x" * 65_537
        ),
        ["name", "description", "system_prompt", "instructions"],
    ),
    CREATE_JOB(
        "unknown enum values",
        Reason.INVALID_FIELD,
        lambda w: create_job(job_type=99, method=99),
        ["job_type", "method"],
    ),
    CREATE_JOB(
        "an unknown file",
        Reason.FILE_NOT_FOUND,
        lambda w: create_job(files=add(w.file_id, new("file"))),
        ["files[1].file_id"],
        {"file_id": "", "rejected": "1"},
    ),
    CREATE_JOB(
        "another team's file",
        Reason.FILE_NOT_FOUND,
        lambda w: create_job(files=add(w.their_file_id)),
        ["files[0].file_id"],
        {"file_id": "", "rejected": "1"},
    ),
    CREATE_JOB(
        "300 malformed file ids",
        Reason.INVALID_ID,
        lambda w: create_job(files=add(*(f"not-an-id-{number}" for number in range(300)))),
        [f"files[{number}].file_id" for number in range(20)],
        {"violations_omitted": "280"},
    ),
    CREATE_JOB(
        "300 unknown files",
        Reason.FILE_NOT_FOUND,
        lambda w: create_job(files=add(*(new("file") for _ in range(300)))),
        [f"files[{number}].file_id" for number in range(20)],
        {"violations_omitted": "280", "rejected": "300"},
    ),
    CREATE_JOB("1,001 files", Reason.INVALID_FIELD, lambda w: create_job(files=add(*[w.file_id] * 1_001)), ["files"]),
    CREATE_JOB(
        "a record to replace in a job that has none",
        Reason.RECORD_NOT_REPLACEABLE,
        lambda w: create_job(files=add(w.file_id, replaces_record_id=w.record_id)),
        ["files[0].replaces_record_id"],
        {"record_id": "", "rejected": "1"},
    ),
    ADD_FILES("no files", Reason.INVALID_FIELD, lambda w: pb.AddFilesRequest(job_id=w.job_id), ["files"]),
    ADD_FILES(
        "an unknown file",
        Reason.FILE_NOT_FOUND,
        lambda w: pb.AddFilesRequest(job_id=w.job_id, files=add(new("file"), w.unused_file_ids[0])),
        ["files[0].file_id"],
        {"file_id": "", "rejected": "1"},
    ),
    ADD_FILES(
        "a record that did not fail",
        Reason.RECORD_NOT_REPLACEABLE,
        lambda w: pb.AddFilesRequest(job_id=w.job_id, files=add(w.unused_file_ids[0], replaces_record_id=w.record_id)),
        ["files[0].replaces_record_id"],
        {"record_id": "", "rejected": "1"},
    ),
    ADD_FILES(
        "more records than a job may hold",
        Reason.TOO_MANY_RECORDS,
        lambda w: pb.AddFilesRequest(job_id=w.job_id, files=add(*w.unused_file_ids)),
        (),
        {"max_records": str(MAX_RECORDS)},
    ),
    REMOVE_FILES(
        "nothing to remove", Reason.INVALID_FIELD, lambda w: pb.RemoveFilesRequest(job_id=w.job_id), ["record_ids"]
    ),
    REMOVE_FILES(
        "malformed ids",
        Reason.INVALID_ID,
        lambda w: pb.RemoveFilesRequest(job_id=w.job_id, record_ids=[w.file_id], file_ids=[w.file_id, "x"]),
        ["record_ids[0]", "file_ids[1]"],
    ),
    REMOVE_FILES(
        "1,001 ids",
        Reason.INVALID_FIELD,
        lambda w: pb.RemoveFilesRequest(job_id=w.job_id, record_ids=[w.record_id] * 500, file_ids=[w.file_id] * 501),
        ["record_ids"],
    ),
    ADD_FILES(
        "an unknown view",
        Reason.INVALID_FIELD,
        lambda w: pb.AddFilesRequest(job_id=w.job_id, files=[{"file_id": w.file_id}], view=99),  # type: ignore[list-item, arg-type]
        ["view"],
    ),
    REMOVE_FILES(
        "an unknown view",
        Reason.INVALID_FIELD,
        lambda w: pb.RemoveFilesRequest(job_id=w.job_id, file_ids=[w.file_id], view=99),  # type: ignore[arg-type]
        ["view"],
    ),
    GET_JOB(
        "an unknown view",
        Reason.INVALID_FIELD,
        lambda w: pb.GetJobRequest(job_id=w.job_id, view=99),  # type: ignore[arg-type]
        ["view"],
    ),
    LIST_JOBS(
        "an unspecified and an unknown status",
        Reason.INVALID_FIELD,
        lambda w: pb.ListJobsRequest(statuses=[0, 99]),  # type: ignore[list-item]
        ["statuses[0]", "statuses[1]"],
    ),
    LIST_JOBS(
        "65 labels, times beyond the year 9999 and of a negative nanosecond, and a page token of 8,193 characters",
        Reason.INVALID_FIELD,
        lambda w: pb.ListJobsRequest(
            labels={f"{number}": "" for number in range(65)},
            created_after=Timestamp(seconds=2**62),
            created_before=Timestamp(nanos=-1),
            page_token="x" * 8_193,
        ),
        ["labels", "created_after", "created_before", "page_token"],
    ),
    WATCH_JOB(
        "a sequence beyond the head",
        Reason.SEQUENCE_IN_FUTURE,
        lambda w: pb.WatchJobRequest(job_id=w.job_id, after_sequence=w.head + 1),
        (),
        {"after_sequence": "", "head_sequence": "", "earliest_sequence": "1"},
    ),
    WATCH_JOB(
        "another ledger",
        Reason.LEDGER_RESTORED,
        lambda w: pb.WatchJobRequest(job_id=w.job_id, after_sequence=1, ledger_id="another"),
        (),
        {"ledger_id": "", "head_sequence": "", "earliest_sequence": "1"},
    ),
    WATCH_JOB(
        "a heartbeat below 5 seconds, a negative sequence, unknown enum values",
        Reason.INVALID_FIELD,
        lambda w: pb.WatchJobRequest(
            job_id=w.job_id,
            after_sequence=-1,
            heartbeat_interval_seconds=4,
            until=99,  # type: ignore[arg-type]
            kinds=[0, 99],  # type: ignore[list-item]
        ),
        ["kinds[0]", "kinds[1]", "after_sequence", "until", "heartbeat_interval_seconds"],
    ),
    WATCH_JOB(
        "a heartbeat above 60 seconds",
        Reason.INVALID_FIELD,
        lambda w: pb.WatchJobRequest(job_id=w.job_id, heartbeat_interval_seconds=61),
        ["heartbeat_interval_seconds"],
    ),
    LIST_TIMELINE_EVENTS(
        "a sequence beyond the head",
        Reason.SEQUENCE_IN_FUTURE,
        lambda w: pb.ListTimelineEventsRequest(job_id=w.job_id, after_sequence=w.head + 1),
        (),
        {"after_sequence": "", "head_sequence": "", "earliest_sequence": "1"},
    ),
    LIST_TIMELINE_EVENTS(
        "a negative sequence",
        Reason.INVALID_FIELD,
        lambda w: pb.ListTimelineEventsRequest(job_id=w.job_id, after_sequence=-1),
        ["after_sequence"],
    ),
]

ROWS = [
    *_OF_JOBS,
    *of_one_job("JobService/GetJob", pb.GetJobRequest),
    *of_one_job("JobService/AddFiles", lambda job_id: pb.AddFilesRequest(job_id=job_id, files=add(new("file")))),
    *of_one_job("JobService/RemoveFiles", lambda job_id: pb.RemoveFilesRequest(job_id=job_id, file_ids=[new("file")])),
    *of_one_job("JobService/CancelJob", pb.CancelJobRequest),
    *of_one_job("JobService/WatchJob", pb.WatchJobRequest),
    *of_one_job("JobService/ListTimelineEvents", pb.ListTimelineEventsRequest),
    *of_pages("JobService/ListJobs", lambda w: pb.ListJobsRequest()),
    *of_pages("JobService/ListTimelineEvents", lambda w: pb.ListTimelineEventsRequest(job_id=w.job_id)),
]
