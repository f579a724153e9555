"""Enums of the domain and of the contract, matched by name.

A contract enum has the domain's names behind a prefix, and an UNSPECIFIED that the domain expresses as None. A name
that only one side has stops the program when it starts.
"""

from enum import StrEnum
from typing import Any, Generic, TypeVar

from google.protobuf.descriptor import EnumDescriptor

from ingest_grpc import lifecycle, model
from ingest_grpc.errors import Reason
from ingest_grpc.v1 import (
    alignment_pb2,
    error_reason_pb2,
    file_pb2,
    ingestion_pb2,
    job_pb2,
    job_service_pb2,
    knowledge_base_pb2,
)

E = TypeVar("E", bound=StrEnum)

UNSPECIFIED = "UNSPECIFIED"


class EnumTable(Generic[E]):
    """One enum in both forms: `numbers` by member for sending, `members` by number for reading.

    `numbers[None]` is UNSPECIFIED. The numbers are typed Any because each contract enum has an int type of its own.
    """

    def __init__(self, domain: type[E], descriptor: EnumDescriptor) -> None:
        first = descriptor.values[0].name
        if not first.endswith(UNSPECIFIED):
            raise ValueError(f"{descriptor.full_name} does not begin with {UNSPECIFIED}")
        prefix = first.removesuffix(UNSPECIFIED)
        named = {value.name.removeprefix(prefix): value.number for value in descriptor.values[1:]}
        if named.keys() != {member.name for member in domain}:
            raise ValueError(f"{descriptor.full_name} and {domain.__name__} have different names")
        self.numbers: dict[E | None, Any] = {None: 0, **{member: named[member.name] for member in domain}}
        self.members: dict[int, E] = {named[member.name]: member for member in domain}


class WatchKind(StrEnum):
    """What a watcher can ask for: the kinds of events, and PROGRESS, which is never an event."""

    MILESTONE = "MILESTONE"
    RECORD = "RECORD"
    JOB = "JOB"
    FILES = "FILES"
    PROGRESS = "PROGRESS"


class JobView(StrEnum):
    """How much of a job is returned."""

    BASIC = "BASIC"
    FULL = "FULL"


ERROR_REASON = EnumTable(Reason, error_reason_pb2.ErrorReason.DESCRIPTOR)
METHOD = EnumTable(model.Method, ingestion_pb2.Method.DESCRIPTOR)
RECORD_STATUS = EnumTable(lifecycle.RecordStatus, ingestion_pb2.RecordStatus.DESCRIPTOR)
INGESTION_JOB_STATUS = EnumTable(lifecycle.IngestionJobStatus, ingestion_pb2.IngestionJobStatus.DESCRIPTOR)
ALIGNMENT_ENGINE = EnumTable(lifecycle.AlignmentEngine, alignment_pb2.AlignmentEngine.DESCRIPTOR)
ALIGNMENT_STEP = EnumTable(lifecycle.AlignmentStep, alignment_pb2.AlignmentStep.DESCRIPTOR)
STEP = EnumTable(lifecycle.Step, ingestion_pb2.Step.DESCRIPTOR)
WAIT_REASON = EnumTable(lifecycle.WaitReason, ingestion_pb2.WaitReason.DESCRIPTOR)
JOB_TYPE = EnumTable(lifecycle.JobType, job_pb2.JobType.DESCRIPTOR)
JOB_STATUS = EnumTable(lifecycle.JobStatus, job_pb2.JobStatus.DESCRIPTOR)
JOB_VIEW = EnumTable(JobView, job_pb2.JobView.DESCRIPTOR)
REVIEW_REASON_TYPE = EnumTable(model.ReviewReasonType, job_pb2.ReviewReasonType.DESCRIPTOR)
EVENT_KIND = EnumTable(model.EventKind, job_pb2.EventKind.DESCRIPTOR)
EVENT_TYPE = EnumTable(model.EventType, job_pb2.EventType.DESCRIPTOR)
TRIGGER = EnumTable(lifecycle.Trigger, job_pb2.Trigger.DESCRIPTOR)
FILE_KIND = EnumTable(model.FileKind, file_pb2.FileKind.DESCRIPTOR)
ADD_FILE_OUTCOME = EnumTable(model.AddFileOutcome, job_service_pb2.AddFileOutcome.DESCRIPTOR)
REMOVE_FILE_OUTCOME = EnumTable(model.RemoveFileOutcome, job_service_pb2.RemoveFileOutcome.DESCRIPTOR)
WATCH_UNTIL = EnumTable(model.WatchUntil, job_service_pb2.WatchUntil.DESCRIPTOR)
RETRY_FILE_OUTCOME = EnumTable(model.RetryFileOutcome, job_service_pb2.RetryFileOutcome.DESCRIPTOR)
LIST_JOBS_ORDER = EnumTable(model.JobOrder, job_service_pb2.ListJobsOrder.DESCRIPTOR)
WAIT_UNTIL = EnumTable(model.WaitUntil, job_service_pb2.WaitUntil.DESCRIPTOR)
WATCH_JOBS_UNTIL = EnumTable(model.WatchJobsUntil, job_service_pb2.WatchJobsUntil.DESCRIPTOR)
DATA_SOURCE_TYPE = EnumTable(model.DataSourceType, knowledge_base_pb2.DataSourceType.DESCRIPTOR)
SEARCH_MODE = EnumTable(model.SearchMode, knowledge_base_pb2.SearchMode.DESCRIPTOR)
METADATA_OP = EnumTable(model.MetadataOp, knowledge_base_pb2.MetadataOp.DESCRIPTOR)
WATCH_KIND = EnumTable(WatchKind, job_service_pb2.WatchKind.DESCRIPTOR)
WATCH_END_REASON = EnumTable(model.WatchEndReason, job_service_pb2.WatchEndReason.DESCRIPTOR)
