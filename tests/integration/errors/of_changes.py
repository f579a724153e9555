"""What the RPCs answer that change a job or a file as a whole, wait for a job, watch all jobs, or upload in parts."""

from collections.abc import Callable
from functools import partial

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from ingest_grpc.errors import Reason
from ingest_grpc.v1 import file_service_pb2 as files
from ingest_grpc.v1 import ingestion_service_pb2 as ingestion
from ingest_grpc.v1 import job_service_pb2 as pb
from tests.integration.calling import Sent
from tests.integration.errors.row import Row, new, of_one_file, of_one_job, of_pages

UPDATE_JOB = partial(Row, "JobService/UpdateJob")
DELETE_JOB = partial(Row, "JobService/DeleteJob")
CLONE_JOB = partial(Row, "JobService/CloneJob")
RETRY_FILES = partial(Row, "JobService/RetryFiles")
START_JOB = partial(Row, "JobService/StartJob")
WAIT_JOB = partial(Row, "JobService/WaitJob")
WATCH_JOBS = partial(Row, "JobService/WatchJobs")
GET_RECORD = partial(Row, "IngestionService/GetFileRecord")
CREATE_UPLOAD = partial(Row, "FileService/CreateUpload")
WRITE_UPLOAD = partial(Row, "FileService/WriteUpload")
IMPORT_FILE = partial(Row, "FileService/ImportFile")
UPDATE_FILE = partial(Row, "FileService/UpdateFile")


def retry(job_id: str) -> pb.RetryFilesRequest:
    return pb.RetryFilesRequest(job_id=job_id, all_unresolved=pb.UnresolvedRecords())


def of_one_upload(rpc: str, request: Callable[[str], Sent]) -> list[Row]:
    return [
        Row(rpc, "no upload id", Reason.INVALID_ID, lambda w: request(""), ["upload_id"]),
        Row(rpc, "a malformed upload id", Reason.INVALID_ID, lambda w: request("up-1"), ["upload_id"]),
        Row(rpc, "an unknown upload", Reason.UPLOAD_NOT_FOUND, lambda w: request(new("up")), (), {"upload_id": ""}),
    ]


_OF_CHANGES = [
    UPDATE_JOB(
        "an unknown path in the mask",
        Reason.INVALID_FIELD,
        lambda w: pb.UpdateJobRequest(job_id=w.job_id, update_mask=FieldMask(paths=["status"])),
        ["update_mask.paths[0]"],
    ),
    UPDATE_JOB(
        "a name that is cleared",
        Reason.INVALID_FIELD,
        lambda w: pb.UpdateJobRequest(job_id=w.job_id, name=""),
        ["name"],
    ),
    UPDATE_JOB(
        "the etag of an older state",
        Reason.ETAG_MISMATCH,
        lambda w: pb.UpdateJobRequest(job_id=w.job_id, name="new", etag="old"),
        (),
        {"expected_etag": "old", "actual_etag": ""},
    ),
    UPDATE_JOB(
        "101 paths in the mask, and an etag of 65 characters",
        Reason.INVALID_FIELD,
        lambda w: pb.UpdateJobRequest(job_id=w.job_id, update_mask=FieldMask(paths=["name"] * 101), etag="x" * 65),
        ["update_mask.paths", "etag"],
    ),
    DELETE_JOB(
        "the etag of an older state",
        Reason.ETAG_MISMATCH,
        lambda w: pb.DeleteJobRequest(job_id=w.job_id, etag="old"),
        (),
        {"expected_etag": "old", "actual_etag": ""},
    ),
    CLONE_JOB(
        "an external_id of 129 characters",
        Reason.INVALID_FIELD,
        lambda w: pb.CloneJobRequest(job_id=w.job_id, external_id="x" * 129),
        ["external_id"],
    ),
    RETRY_FILES("no selection", Reason.INVALID_FIELD, lambda w: pb.RetryFilesRequest(job_id=w.job_id), ["records"]),
    RETRY_FILES(
        "an empty selection",
        Reason.INVALID_FIELD,
        lambda w: pb.RetryFilesRequest(job_id=w.job_id, records=pb.RecordIds()),
        ["records.record_ids"],
    ),
    WAIT_JOB(
        "a timeout above 60 seconds",
        Reason.INVALID_FIELD,
        lambda w: pb.WaitJobRequest(job_id=w.job_id, timeout=Duration(seconds=61)),
        ["timeout"],
    ),
    WAIT_JOB(
        "a sequence beyond the head",
        Reason.SEQUENCE_IN_FUTURE,
        lambda w: pb.WaitJobRequest(job_id=w.job_id, after_sequence=10_000),
        (),
        {"after_sequence": "10000", "head_sequence": "", "earliest_sequence": "1"},
    ),
    WATCH_JOBS(
        "a heartbeat below 5 seconds",
        Reason.INVALID_FIELD,
        lambda w: pb.WatchJobsRequest(heartbeat_interval_seconds=4),
        ["heartbeat_interval_seconds"],
    ),
    GET_RECORD(
        "a malformed record id",
        Reason.INVALID_ID,
        lambda w: ingestion.GetFileRecordRequest(record_id="ijf-1"),
        ["record_id"],
    ),
    GET_RECORD(
        "an unknown record",
        Reason.RECORD_NOT_FOUND,
        lambda w: ingestion.GetFileRecordRequest(record_id=new("ijf")),
        (),
        {"record_id": ""},
    ),
    CREATE_UPLOAD("no filename", Reason.INVALID_FIELD, lambda w: files.CreateUploadRequest(), ["filename"]),
    IMPORT_FILE(
        "a place that is not allowed",
        Reason.IMPORT_NOT_ALLOWED,
        lambda w: files.ImportFileRequest(url="s3://bucket/report.pdf"),
    ),
    UPDATE_FILE(
        "an unknown path in the mask",
        Reason.INVALID_FIELD,
        lambda w: files.UpdateFileRequest(file_id=w.file_id, update_mask=FieldMask(paths=["sha256"])),
        ["update_mask.paths[0]"],
    ),
    UPDATE_FILE(
        "the etag of an older state",
        Reason.ETAG_MISMATCH,
        lambda w: files.UpdateFileRequest(file_id=w.file_id, filename="b.pdf", etag="old"),
        (),
        {"expected_etag": "old", "actual_etag": ""},
    ),
]

ROWS = [
    *_OF_CHANGES,
    *of_one_job("JobService/UpdateJob", lambda job_id: pb.UpdateJobRequest(job_id=job_id, name="new")),
    *of_one_job("JobService/DeleteJob", pb.DeleteJobRequest),
    *of_one_job("JobService/UndeleteJob", pb.UndeleteJobRequest),
    *of_one_job("JobService/CloneJob", pb.CloneJobRequest),
    *of_one_job("JobService/RetryFiles", retry),
    *of_one_job("JobService/StartJob", pb.StartJobRequest),
    *of_one_job("JobService/WaitJob", pb.WaitJobRequest),
    *of_one_job("JobService/ListJobFiles", pb.ListJobFilesRequest),
    *of_pages("JobService/ListJobFiles", lambda w: pb.ListJobFilesRequest(job_id=w.job_id)),
    *of_one_upload("FileService/GetUpload", lambda upload_id: files.GetUploadRequest(upload_id=upload_id)),
    *of_one_upload(
        "FileService/WriteUpload", lambda upload_id: files.WriteUploadRequest(upload_id=upload_id, data=b"x")
    ),
    *of_one_upload("FileService/CompleteUpload", lambda upload_id: files.CompleteUploadRequest(upload_id=upload_id)),
    *of_one_file("FileService/UpdateFile", lambda file_id: files.UpdateFileRequest(file_id=file_id, filename="b.pdf")),
]
