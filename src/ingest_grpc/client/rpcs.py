"""The RPCs that the client calls, by name, with how their messages are written and read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

from ingest_grpc.client import messages as m

Request = TypeVar("Request")
Response = TypeVar("Response")

PACKAGE = "ingest_grpc.v1"


@dataclass(frozen=True, slots=True)
class Rpc(Generic[Request, Response]):
    """One RPC. `path` is the HTTP/2 path, for example "/ingest_grpc.v1.JobService/GetJob"."""

    path: str
    encode: Callable[[Request], bytes]
    decode: Callable[[bytes], Response]


MessageRequest = TypeVar("MessageRequest", bound=Message)
MessageResponse = TypeVar("MessageResponse", bound=Message)


def _rpc(
    name: str, request: type[MessageRequest], response: type[MessageResponse]
) -> Rpc[MessageRequest, MessageResponse]:
    return Rpc(f"/{PACKAGE}.{name}", request.SerializeToString, response.FromString)


CREATE_FILE = _rpc("FileService/CreateFile", m.CreateFileRequest, m.CreateFileResponse)
UPLOAD_FILE = _rpc("FileService/UploadFile", m.UploadFileRequest, m.UploadFileResponse)
CREATE_UPLOAD = _rpc("FileService/CreateUpload", m.CreateUploadRequest, m.CreateUploadResponse)
WRITE_UPLOAD = _rpc("FileService/WriteUpload", m.WriteUploadRequest, m.WriteUploadResponse)
GET_UPLOAD = _rpc("FileService/GetUpload", m.GetUploadRequest, m.GetUploadResponse)
COMPLETE_UPLOAD = _rpc("FileService/CompleteUpload", m.CompleteUploadRequest, m.CompleteUploadResponse)
IMPORT_FILE = _rpc("FileService/ImportFile", m.ImportFileRequest, m.ImportFileResponse)
UPDATE_FILE = _rpc("FileService/UpdateFile", m.UpdateFileRequest, m.UpdateFileResponse)
GET_FILE = _rpc("FileService/GetFile", m.GetFileRequest, m.GetFileResponse)
LIST_FILES = _rpc("FileService/ListFiles", m.ListFilesRequest, m.ListFilesResponse)
READ_FILE = _rpc("FileService/ReadFile", m.ReadFileRequest, m.ReadFileResponse)
DOWNLOAD_FILE = _rpc("FileService/DownloadFile", m.DownloadFileRequest, m.DownloadFileResponse)
DELETE_FILE = _rpc("FileService/DeleteFile", m.DeleteFileRequest, m.DeleteFileResponse)

CREATE_JOB = _rpc("JobService/CreateJob", m.CreateJobRequest, m.CreateJobResponse)
GET_JOB = _rpc("JobService/GetJob", m.GetJobRequest, m.GetJobResponse)
LIST_JOBS = _rpc("JobService/ListJobs", m.ListJobsRequest, m.ListJobsResponse)
UPDATE_JOB = _rpc("JobService/UpdateJob", m.UpdateJobRequest, m.UpdateJobResponse)
DELETE_JOB = _rpc("JobService/DeleteJob", m.DeleteJobRequest, m.DeleteJobResponse)
UNDELETE_JOB = _rpc("JobService/UndeleteJob", m.UndeleteJobRequest, m.UndeleteJobResponse)
CLONE_JOB = _rpc("JobService/CloneJob", m.CloneJobRequest, m.CloneJobResponse)
ADD_FILES = _rpc("JobService/AddFiles", m.AddFilesRequest, m.AddFilesResponse)
REMOVE_FILES = _rpc("JobService/RemoveFiles", m.RemoveFilesRequest, m.RemoveFilesResponse)
RETRY_FILES = _rpc("JobService/RetryFiles", m.RetryFilesRequest, m.RetryFilesResponse)
START_JOB = _rpc("JobService/StartJob", m.StartJobRequest, m.StartJobResponse)
CANCEL_JOB = _rpc("JobService/CancelJob", m.CancelJobRequest, m.CancelJobResponse)
WATCH_JOB = _rpc("JobService/WatchJob", m.WatchJobRequest, m.WatchJobResponse)
WATCH_JOBS = _rpc("JobService/WatchJobs", m.WatchJobsRequest, m.WatchJobsResponse)
WAIT_JOB = _rpc("JobService/WaitJob", m.WaitJobRequest, m.WaitJobResponse)
LIST_JOB_FILES = _rpc("JobService/ListJobFiles", m.ListJobFilesRequest, m.ListJobFilesResponse)
LIST_TIMELINE_EVENTS = _rpc("JobService/ListTimelineEvents", m.ListTimelineEventsRequest, m.ListTimelineEventsResponse)

LIST_INGESTION_JOBS = _rpc(
    "IngestionService/ListIngestionJobs", m.ListIngestionJobsRequest, m.ListIngestionJobsResponse
)
GET_INGESTION_JOB = _rpc("IngestionService/GetIngestionJob", m.GetIngestionJobRequest, m.GetIngestionJobResponse)
LIST_FILE_RECORDS = _rpc("IngestionService/ListFileRecords", m.ListFileRecordsRequest, m.ListFileRecordsResponse)
GET_FILE_RECORD = _rpc("IngestionService/GetFileRecord", m.GetFileRecordRequest, m.GetFileRecordResponse)

CREATE_KNOWLEDGE_BASE = _rpc(
    "KnowledgeBaseService/CreateKnowledgeBase", m.CreateKnowledgeBaseRequest, m.CreateKnowledgeBaseResponse
)
GET_KNOWLEDGE_BASE = _rpc(
    "KnowledgeBaseService/GetKnowledgeBase", m.GetKnowledgeBaseRequest, m.GetKnowledgeBaseResponse
)
LIST_KNOWLEDGE_BASES = _rpc(
    "KnowledgeBaseService/ListKnowledgeBases", m.ListKnowledgeBasesRequest, m.ListKnowledgeBasesResponse
)
UPDATE_KNOWLEDGE_BASE = _rpc(
    "KnowledgeBaseService/UpdateKnowledgeBase", m.UpdateKnowledgeBaseRequest, m.UpdateKnowledgeBaseResponse
)
DELETE_KNOWLEDGE_BASE = _rpc(
    "KnowledgeBaseService/DeleteKnowledgeBase", m.DeleteKnowledgeBaseRequest, m.DeleteKnowledgeBaseResponse
)
UNDELETE_KNOWLEDGE_BASE = _rpc(
    "KnowledgeBaseService/UndeleteKnowledgeBase", m.UndeleteKnowledgeBaseRequest, m.UndeleteKnowledgeBaseResponse
)
ADD_DATA_SOURCE = _rpc("KnowledgeBaseService/AddDataSource", m.AddDataSourceRequest, m.AddDataSourceResponse)
GET_DATA_SOURCE = _rpc("KnowledgeBaseService/GetDataSource", m.GetDataSourceRequest, m.GetDataSourceResponse)
LIST_DATA_SOURCES = _rpc("KnowledgeBaseService/ListDataSources", m.ListDataSourcesRequest, m.ListDataSourcesResponse)
UPDATE_DATA_SOURCE = _rpc(
    "KnowledgeBaseService/UpdateDataSource", m.UpdateDataSourceRequest, m.UpdateDataSourceResponse
)
REMOVE_DATA_SOURCE = _rpc(
    "KnowledgeBaseService/RemoveDataSource", m.RemoveDataSourceRequest, m.RemoveDataSourceResponse
)
SYNC_DATA_SOURCE = _rpc("KnowledgeBaseService/SyncDataSource", m.SyncDataSourceRequest, m.SyncDataSourceResponse)
CANCEL_SYNC = _rpc("KnowledgeBaseService/CancelSync", m.CancelSyncRequest, m.CancelSyncResponse)
ADD_KNOWLEDGE_BASE_FILES = _rpc(
    "KnowledgeBaseService/AddKnowledgeBaseFiles", m.AddKnowledgeBaseFilesRequest, m.AddKnowledgeBaseFilesResponse
)
LIST_KNOWLEDGE_BASE_FILES = _rpc(
    "KnowledgeBaseService/ListKnowledgeBaseFiles", m.ListKnowledgeBaseFilesRequest, m.ListKnowledgeBaseFilesResponse
)
REMOVE_KNOWLEDGE_BASE_FILES = _rpc(
    "KnowledgeBaseService/RemoveKnowledgeBaseFiles",
    m.RemoveKnowledgeBaseFilesRequest,
    m.RemoveKnowledgeBaseFilesResponse,
)
GET_FILE_STATUS = _rpc("KnowledgeBaseService/GetFileStatus", m.GetFileStatusRequest, m.GetFileStatusResponse)
GET_FILE_STATUS_COUNTS = _rpc(
    "KnowledgeBaseService/GetFileStatusCounts", m.GetFileStatusCountsRequest, m.GetFileStatusCountsResponse
)
LIST_CHUNKS = _rpc("KnowledgeBaseService/ListChunks", m.ListChunksRequest, m.ListChunksResponse)
SEARCH = _rpc("KnowledgeBaseService/Search", m.SearchRequest, m.SearchResponse)

GET_SERVER_INFO = _rpc("ServerService/GetServerInfo", m.GetServerInfoRequest, m.GetServerInfoResponse)
