"""The domain: what is stored, returned and streamed, free of I/O and of gRPC. Import any name from here.

Times are UTC microseconds since the epoch. `row_id` is the ledger's own integer key: it never leaves the
service and is not part of what an event stores.
"""

from ingest_grpc.model.asked import Caller, FileToAdd, NewJob, Request, Scope, WatchRequest, WatchUntil
from ingest_grpc.model.base import Engine, Method, Model, UnitProgress
from ingest_grpc.model.events import (
    EVENT_TYPES,
    Change,
    EventDescription,
    EventKind,
    EventType,
    FilesChange,
    IngestionJobChange,
    JobChange,
    Milestone,
    RecordChange,
    TimelineEvent,
)
from ingest_grpc.model.files import Download, File, FileDeleted, FileKind, FileSlice, NewFile
from ingest_grpc.model.jobs import Job, JobFile, ReviewReason, ReviewReasonType
from ingest_grpc.model.records import FileRecord, IngestionJob, RecordError, RecordProgress
from ingest_grpc.model.results import (
    AddFileOutcome,
    AddFileResult,
    FilesAdded,
    FilesRemoved,
    IngestionDetail,
    JobCancelled,
    JobDetail,
    Mutation,
    Page,
    RemoveFileOutcome,
    RemoveFileResult,
    ServerInfo,
    TimelinePage,
)

__all__ = [
    "EVENT_TYPES",
    "AddFileOutcome",
    "AddFileResult",
    "Caller",
    "Change",
    "Download",
    "Engine",
    "EventDescription",
    "EventKind",
    "EventType",
    "File",
    "FileDeleted",
    "FileKind",
    "FileRecord",
    "FileSlice",
    "FileToAdd",
    "FilesAdded",
    "FilesChange",
    "FilesRemoved",
    "IngestionDetail",
    "IngestionJob",
    "IngestionJobChange",
    "Job",
    "JobCancelled",
    "JobChange",
    "JobDetail",
    "JobFile",
    "Method",
    "Milestone",
    "Model",
    "Mutation",
    "NewFile",
    "NewJob",
    "Page",
    "RecordChange",
    "RecordError",
    "RecordProgress",
    "RemoveFileOutcome",
    "RemoveFileResult",
    "Request",
    "ReviewReason",
    "ReviewReasonType",
    "Scope",
    "ServerInfo",
    "TimelineEvent",
    "TimelinePage",
    "UnitProgress",
    "WatchRequest",
    "WatchUntil",
]
