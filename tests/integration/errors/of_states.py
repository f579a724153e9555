"""What the RPCs answer that would have been right in another state of the job, the file, the team or the log."""

from collections.abc import Callable

from ingest_grpc.errors import Reason
from ingest_grpc.v1 import file_service_pb2 as files
from ingest_grpc.v1 import job_service_pb2 as pb
from ingest_grpc.v1 import knowledge_base_service_pb2 as kb
from ingest_grpc.v1.knowledge_base_pb2 import Chunking
from tests.integration.calling import Sent
from tests.integration.errors.of_changes import retry
from tests.integration.errors.of_files import CHUNK, data, header
from tests.integration.errors.of_jobs import add, create_job
from tests.integration.errors.row import Row, new
from tests.integration.errors.states import COMMITTED_BYTES, MAX_UPLOADS, TAKEN_ID, USED_ID

MAX_QUEUED, MAX_BYTES = 5, 3 * 2**20
"""The settings under which the table holds."""

OTHER_CHUNKS = Chunking(max_tokens=99)


def deleted(rpc: str, request: Callable[..., Sent]) -> Row:
    condition = "a job that is deleted"
    return Row(
        rpc, condition, Reason.JOB_DELETED, lambda w: request(job_id=w.states.deleted_job_id), (), {"job_id": ""}
    )


def started(rpc: str, request: Callable[..., Sent]) -> Row:
    answer = {"job_id": "", "status": "queued"}
    condition = "a job that was started"
    return Row(rpc, condition, Reason.JOB_STARTED, lambda w: request(job_id=w.states.started_job_id), (), answer)


_OF_JOBS = [
    deleted("JobService/UpdateJob", lambda job_id: pb.UpdateJobRequest(job_id=job_id, name="new")),
    deleted("JobService/AddFiles", lambda job_id: pb.AddFilesRequest(job_id=job_id, files=add(new("file")))),
    deleted("JobService/RemoveFiles", lambda job_id: pb.RemoveFilesRequest(job_id=job_id, file_ids=[new("file")])),
    deleted("JobService/RetryFiles", retry),
    deleted("JobService/StartJob", pb.StartJobRequest),
    deleted("JobService/CancelJob", pb.CancelJobRequest),
    started("JobService/StartJob", pb.StartJobRequest),
    started("JobService/AddFiles", lambda job_id: pb.AddFilesRequest(job_id=job_id, files=add(new("file")))),
    Row(
        "JobService/StartJob",
        "a job that has no file",
        Reason.NOT_READY_TO_START,
        lambda w: pb.StartJobRequest(job_id=w.states.empty_job_id),
        (),
        {"review_reasons_total": "1"},
    ),
    Row(
        "JobService/StartJob",
        "a job whose files are being converted",
        Reason.FILES_PROCESSING,
        lambda w: pb.StartJobRequest(job_id=w.job_id),
        (),
        {"queued": "1", "running": "0"},
    ),
    Row(
        "JobService/StartJob",
        "the files_etag of other files",
        Reason.FILES_ETAG_MISMATCH,
        lambda w: pb.StartJobRequest(job_id=w.job_id, expected_files_etag="other"),
        (),
        {"expected_files_etag": "other", "actual_files_etag": ""},
    ),
    Row(
        "JobService/CreateJob",
        "an external_id that another job has",
        Reason.EXTERNAL_ID_TAKEN,
        lambda w: create_job(external_id=TAKEN_ID),
        (),
        {"external_id": TAKEN_ID, "resource_id": ""},
    ),
    Row(
        "JobService/CreateJob",
        "a request_id that was used for another request",
        Reason.REQUEST_ID_REUSED,
        lambda w: create_job(request_id=USED_ID),
        ["request_id"],
        {"request_id": USED_ID},
    ),
    Row(
        "JobService/CreateJob",
        "more files than the team may have in the queue",
        Reason.TEAM_QUEUE_FULL,
        lambda w: create_job(files=add(*w.unused_file_ids)),
        (),
        {"max_queued": str(MAX_QUEUED)},
    ),
]

_OF_FILES = [
    Row(
        "FileService/CreateFile",
        "an external_id that another file has",
        Reason.EXTERNAL_ID_TAKEN,
        lambda w: files.CreateFileRequest(filename="a.pdf", external_id=TAKEN_ID),
        (),
        {"external_id": TAKEN_ID, "resource_id": ""},
    ),
    Row(
        "FileService/CreateFile",
        "a request_id that was used for another request",
        Reason.REQUEST_ID_REUSED,
        lambda w: files.CreateFileRequest(filename="another.pdf", request_id=USED_ID),
        ["request_id"],
        {"request_id": USED_ID},
    ),
    Row(
        "FileService/UploadFile",
        "more bytes than the team may store",
        Reason.TEAM_STORAGE_FULL,
        lambda w: [header(), data(bytes(CHUNK)), data(bytes(CHUNK // 2))],
        (),
        {"max_bytes": str(MAX_BYTES)},
    ),
    Row(
        "FileService/CreateUpload",
        "more uploads than the team may have unfinished",
        Reason.TOO_MANY_UPLOADS,
        lambda w: files.CreateUploadRequest(filename="a.bin"),
        (),
        {"max_uploads": str(MAX_UPLOADS)},
    ),
    Row(
        "FileService/WriteUpload",
        "an offset beyond what is committed",
        Reason.UPLOAD_OFFSET,
        lambda w: files.WriteUploadRequest(upload_id=w.states.upload_id, offset=COMMITTED_BYTES + 1, data=b"x"),
        (),
        {"committed_bytes": str(COMMITTED_BYTES), "offset": str(COMMITTED_BYTES + 1)},
    ),
    Row(
        "FileService/WriteUpload",
        "an upload that is complete",
        Reason.UPLOAD_COMPLETED,
        lambda w: files.WriteUploadRequest(upload_id=w.states.completed_upload_id, offset=COMMITTED_BYTES, data=b"x"),
        (),
        {"upload_id": "", "file_id": ""},
    ),
    Row(
        "FileService/GetFile",
        "an output whose retention time is over",
        Reason.OUTPUT_EXPIRED,
        lambda w: files.GetFileRequest(file_id=w.states.compacted.output_id),
        (),
        {"file_id": ""},
    ),
]

_OF_LOGS = [
    Row(
        "JobService/WatchJob",
        "a sequence whose events are no longer kept",
        Reason.SEQUENCE_COMPACTED,
        lambda w: pb.WatchJobRequest(job_id=w.states.compacted.job_id, after_sequence=1),
        (),
        {"after_sequence": "1", "earliest_sequence": "", "head_sequence": ""},
    ),
    Row(
        "JobService/WatchJobs",
        "a resume token that is none",
        Reason.INVALID_RESUME_TOKEN,
        lambda w: pb.WatchJobsRequest(resume_token="token!"),
    ),
    Row(
        "JobService/WatchJobs",
        "a resume token before what is kept",
        Reason.FEED_COMPACTED,
        lambda w: pb.WatchJobsRequest(resume_token=w.states.compacted.resume_token),
    ),
]

_OF_KNOWLEDGE = [
    Row(
        "KnowledgeBaseService/AddKnowledgeBaseFiles",
        "a knowledge base that is deleted",
        Reason.KNOWLEDGE_BASE_DELETED,
        lambda w: kb.AddKnowledgeBaseFilesRequest(knowledge_base_id=w.knowledge.deleted_id, files=add(w.file_id)),
        (),
        {"knowledge_base_id": ""},
    ),
    Row(
        "KnowledgeBaseService/SyncDataSource",
        "a data source that is being synced",
        Reason.SYNC_RUNNING,
        lambda w: kb.SyncDataSourceRequest(data_source_id=w.knowledge.syncing_id),
        (),
        {"job_id": ""},
    ),
    Row(
        "KnowledgeBaseService/CancelSync",
        "a data source that is not being synced",
        Reason.SYNC_NOT_RUNNING,
        lambda w: kb.CancelSyncRequest(data_source_id=w.knowledge.idle_id),
        (),
        {"data_source_id": ""},
    ),
    Row(
        "KnowledgeBaseService/UpdateKnowledgeBase",
        "another way of cutting texts, without reindex",
        Reason.REINDEX_REQUIRED,
        lambda w: kb.UpdateKnowledgeBaseRequest(knowledge_base_id=w.knowledge.busy_id, chunking=OTHER_CHUNKS),
        (),
        {"knowledge_base_id": ""},
    ),
    Row(
        "KnowledgeBaseService/UpdateKnowledgeBase",
        "a reindex while files are being ingested",
        Reason.KNOWLEDGE_BASE_BUSY,
        lambda w: kb.UpdateKnowledgeBaseRequest(
            knowledge_base_id=w.knowledge.busy_id, chunking=OTHER_CHUNKS, reindex=True
        ),
        (),
        {"knowledge_base_id": ""},
    ),
    Row(
        "KnowledgeBaseService/GetFileStatus",
        "a file that is not in the knowledge base",
        Reason.NOT_IN_KNOWLEDGE_BASE,
        lambda w: kb.GetFileStatusRequest(knowledge_base_id=w.knowledge.busy_id, file_id=w.file_id),
        (),
        {"file_id": "", "knowledge_base_id": ""},
    ),
    Row(
        "JobService/StartJob",
        "a job that feeds a knowledge base",
        Reason.KNOWLEDGE_BASE_JOB,
        lambda w: pb.StartJobRequest(job_id=w.knowledge.sync_job_id),
        (),
        {"job_id": ""},
    ),
    Row(
        "JobService/StartJob",
        "a job whose knowledge base has nothing yet",
        Reason.KNOWLEDGE_BASE_EMPTY,
        lambda w: pb.StartJobRequest(job_id=w.knowledge.empty_job_id),
        (),
        {"knowledge_base_id": ""},
    ),
    Row(
        "JobService/AddFiles",
        "a job of a type that feeds a knowledge base, without one",
        Reason.KNOWLEDGE_BASE_REQUIRED,
        lambda w: pb.AddFilesRequest(job_id=w.knowledge.baseless_job_id, files=add(w.file_id)),
        (),
        {"job_id": ""},
    ),
]

ROWS = [*_OF_JOBS, *_OF_FILES, *_OF_LOGS, *_OF_KNOWLEDGE]
