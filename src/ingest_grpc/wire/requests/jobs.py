"""Requests of JobService."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ingest_grpc import model
from ingest_grpc.ids import Prefix
from ingest_grpc.lifecycle import JobType
from ingest_grpc.v1 import job_service_pb2 as pb
from ingest_grpc.wire import enums
from ingest_grpc.wire.enums import JobView, WatchKind
from ingest_grpc.wire.requests.fields import MAX_ETAG, MAX_ITEMS, MAX_TOKEN, Fields
from ingest_grpc.wire.requests.metadata import metadata

MAX_NAME_CHARACTERS = 255
MAX_DESCRIPTION_CHARACTERS = 4_096
MAX_PROMPT_BYTES = 64 * 1024
DEFAULT_HEARTBEAT_SECONDS = 15
HEARTBEAT_SECONDS = range(5, 61)

SERVICE = "/ingest_grpc.v1.JobService"


@dataclass(frozen=True, slots=True)
class CreateJob:
    """A job to create."""

    new: model.NewJob
    request: model.Request | None
    validate_only: bool


def create_job(message: pb.CreateJobRequest) -> CreateJob:
    """Raises INVALID_FIELD or INVALID_ID, as all functions here do."""
    with Fields() as fields:
        _check_type(fields, message)
        return CreateJob(
            model.NewJob(
                name=fields.required_text("name", message.name, characters=MAX_NAME_CHARACTERS),
                description=fields.text("description", message.description, characters=MAX_DESCRIPTION_CHARACTERS),
                job_type=fields.required_enum("job_type", message.job_type, enums.JOB_TYPE),
                system_prompt=fields.text("system_prompt", message.system_prompt, size_bytes=MAX_PROMPT_BYTES),
                instructions=fields.text("instructions", message.instructions, size_bytes=MAX_PROMPT_BYTES),
                method=fields.optional_enum("method", message.method, enums.METHOD),
                files=files_to_add(fields, message.files),
                priority=fields.priority("priority", message.priority),
                external_id=fields.external_id("external_id", message.external_id),
                labels=fields.labels("labels", message.labels),
                knowledge_base_id=fields.optional_id(
                    "knowledge_base_id", message.knowledge_base_id, Prefix.KNOWLEDGE_BASE
                ),
            ),
            fields.request(message, f"{SERVICE}/CreateJob"),
            message.validate_only,
        )


def _check_type(fields: Fields, message: pb.CreateJobRequest) -> None:
    """Jobs that feed a knowledge base are made by its own service, and only one other type may name one."""
    job_type = enums.JOB_TYPE.members.get(message.job_type)
    if job_type is JobType.KNOWLEDGE_BASE:
        fields.wrong("job_type", "is made by KnowledgeBaseService alone: sync a data source, or add files there")
    elif message.knowledge_base_id and job_type is not JobType.CONTEXT_GROUNDED_VECTOR_DB:
        fields.wrong("knowledge_base_id", "is for jobs of type CONTEXT_GROUNDED_VECTOR_DB")


def files_to_add(fields: Fields, messages: Sequence[pb.FileToAdd]) -> tuple[model.FileToAdd, ...]:
    """At most 1,000 files."""
    if not fields.fits("files", messages):
        return ()
    return tuple(
        model.FileToAdd(
            file_id=fields.id(f"files[{index}].file_id", message.file_id, Prefix.FILE),
            method=fields.optional_enum(f"files[{index}].method", message.method, enums.METHOD),
            replaces_record_id=fields.optional_id(
                f"files[{index}].replaces_record_id", message.replaces_record_id, Prefix.RECORD
            ),
            metadata=metadata(fields, f"files[{index}].metadata", message.metadata),
        )
        for index, message in enumerate(messages)
    )


@dataclass(frozen=True, slots=True)
class GetJob:
    """A job to read."""

    job_id: str
    full: bool


def get_job(message: pb.GetJobRequest) -> GetJob:
    """Checks the id and the view."""
    with Fields() as fields:
        return GetJob(
            fields.id("job_id", message.job_id, Prefix.JOB),
            _full(fields, message.view),
        )


def _full(fields: Fields, view: int) -> bool:
    """FULL unless BASIC is asked for."""
    return fields.optional_enum("view", view, enums.JOB_VIEW) is not JobView.BASIC


@dataclass(frozen=True, slots=True)
class ListJobs:
    """A page of jobs to read."""

    wanted: model.JobFilter
    page_size: int
    page_token: str
    include_total: bool


def list_jobs(message: pb.ListJobsRequest) -> ListJobs:
    """The token is checked by the service, which made it."""
    with Fields() as fields:
        return ListJobs(
            model.JobFilter(
                statuses=fields.enum_list("statuses", message.statuses, enums.JOB_STATUS),
                job_types=fields.enum_list("job_types", message.job_types, enums.JOB_TYPE),
                external_id=fields.external_id("external_id", message.external_id),
                knowledge_base_id=fields.optional_id(
                    "knowledge_base_id", message.knowledge_base_id, Prefix.KNOWLEDGE_BASE
                ),
                name_contains=fields.text("name_contains", message.name_contains, characters=MAX_NAME_CHARACTERS),
                labels=fields.labels("labels", message.labels),
                created_after=fields.time("created_after", message),
                created_before=fields.time("created_before", message),
                show_deleted=message.show_deleted,
                order_by=fields.optional_enum("order_by", message.order_by, enums.LIST_JOBS_ORDER)
                or model.JobOrder.CREATED_AT,
                ascending=message.ascending,
            ),
            fields.page_size(message.page_size),
            fields.page_token(message.page_token),
            message.include_total,
        )


@dataclass(frozen=True, slots=True)
class AddFiles:
    """Files to add to a job."""

    job_id: str
    files: tuple[model.FileToAdd, ...]
    method: model.Method | None
    allow_partial: bool
    request: model.Request | None
    validate_only: bool
    full: bool


def add_files(message: pb.AddFilesRequest) -> AddFiles:
    """At least one file."""
    with Fields() as fields:
        if not message.files:
            fields.wrong("files", "is required")
        return AddFiles(
            fields.id("job_id", message.job_id, Prefix.JOB),
            files_to_add(fields, message.files),
            fields.optional_enum("method", message.method, enums.METHOD),
            message.allow_partial,
            fields.request(message, f"{SERVICE}/AddFiles"),
            message.validate_only,
            _full(fields, message.view),
        )


@dataclass(frozen=True, slots=True)
class RemoveFiles:
    """Records and files to remove from a job."""

    job_id: str
    record_ids: tuple[str, ...]
    file_ids: tuple[str, ...]
    request: model.Request | None
    full: bool


def remove_files(message: pb.RemoveFilesRequest) -> RemoveFiles:
    """1 to 1,000 ids in all."""
    with Fields() as fields:
        if not message.record_ids and not message.file_ids:
            fields.wrong("record_ids", "is required, unless file_ids is given")
        if len(message.record_ids) + len(message.file_ids) > MAX_ITEMS:
            fields.wrong("record_ids", f"must have at most {MAX_ITEMS:,} ids together with file_ids")
        return RemoveFiles(
            fields.id("job_id", message.job_id, Prefix.JOB),
            fields.id_list("record_ids", message.record_ids, Prefix.RECORD),
            fields.id_list("file_ids", message.file_ids, Prefix.FILE, Prefix.OUTPUT_FILE),
            fields.request(message, f"{SERVICE}/RemoveFiles"),
            _full(fields, message.view),
        )


@dataclass(frozen=True, slots=True)
class CancelJob:
    """A job to cancel."""

    job_id: str
    request: model.Request | None


def cancel_job(message: pb.CancelJobRequest) -> CancelJob:
    """Checks the id."""
    with Fields() as fields:
        return CancelJob(
            fields.id("job_id", message.job_id, Prefix.JOB), fields.request(message, f"{SERVICE}/CancelJob")
        )


@dataclass(frozen=True, slots=True)
class ListTimelineEvents:
    """A page of a job's events to read; no types = all."""

    job_id: str
    after_sequence: int
    types: tuple[model.EventType, ...]
    page_size: int
    page_token: str
    include_total: bool


def list_timeline_events(message: pb.ListTimelineEventsRequest) -> ListTimelineEvents:
    """Whether after_sequence is still kept is the service's to say."""
    with Fields() as fields:
        return ListTimelineEvents(
            fields.id("job_id", message.job_id, Prefix.JOB),
            fields.count("after_sequence", message.after_sequence),
            fields.enum_list("types", message.types, enums.EVENT_TYPE),
            fields.page_size(message.page_size),
            fields.page_token(message.page_token),
            message.include_total,
        )


def watch_job(message: pb.WatchJobRequest) -> model.WatchRequest:
    """Whether after_sequence is within the log is the service's to say."""
    with Fields() as fields:
        kinds = fields.enum_list("kinds", message.kinds, enums.WATCH_KIND)
        has_cursor = message.HasField("after_sequence")
        return model.WatchRequest(
            job_id=fields.id("job_id", message.job_id, Prefix.JOB),
            after_sequence=fields.count("after_sequence", message.after_sequence) if has_cursor else None,
            until=fields.optional_enum("until", message.until, enums.WATCH_UNTIL) or model.WatchUntil.SETTLED,
            kinds=_event_kinds(frozenset(kinds)) if kinds else None,
            progress=WatchKind.PROGRESS in kinds,
            heartbeat_interval_seconds=_heartbeat_seconds(fields, message.heartbeat_interval_seconds),
            ledger_id=fields.text("ledger_id", message.ledger_id, characters=MAX_ETAG) or None,
        )


@cache
def _event_kinds(kinds: frozenset[WatchKind]) -> frozenset[model.EventKind]:
    """One value for all who ask the same: ten thousand watches keep it."""
    return frozenset(map(model.EventKind, kinds - {WatchKind.PROGRESS}))


def watch_jobs(message: pb.WatchJobsRequest) -> model.WatchJobsRequest:
    """Whether the resume token belongs to this watch is the service's to say."""
    with Fields() as fields:
        return model.WatchJobsRequest(
            job_types=fields.enum_list("job_types", message.job_types, enums.JOB_TYPE),
            labels=fields.labels("labels", message.labels),
            external_id=fields.external_id("external_id", message.external_id),
            knowledge_base_id=fields.knowledge_base(message.knowledge_base_id),
            resume_token=fields.text("resume_token", message.resume_token, characters=MAX_TOKEN),
            until=fields.optional_enum("until", message.until, enums.WATCH_JOBS_UNTIL) or model.WatchJobsUntil.NEVER,
            heartbeat_interval_seconds=_heartbeat_seconds(fields, message.heartbeat_interval_seconds),
        )


def _heartbeat_seconds(fields: Fields, seconds: int) -> int:
    if seconds and seconds not in HEARTBEAT_SECONDS:
        fields.wrong("heartbeat_interval_seconds", "must be 5 to 60, or 0 for 15")
    return seconds or DEFAULT_HEARTBEAT_SECONDS
