"""Requests of JobService that change a job as a whole, retry its records or wait for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from ingest_grpc import model
from ingest_grpc.ids import Prefix
from ingest_grpc.v1 import job_service_pb2 as pb
from ingest_grpc.wire import enums
from ingest_grpc.wire.requests.fields import Fields
from ingest_grpc.wire.requests.jobs import (
    MAX_DESCRIPTION_CHARACTERS,
    MAX_NAME_CHARACTERS,
    MAX_PROMPT_BYTES,
    SERVICE,
)

UPDATABLE = ("name", "description", "system_prompt", "instructions", "knowledge_base_id", "labels")
DEFAULT_WAIT_SECONDS = 30.0
MAX_WAIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class UpdateJob:
    """What to change in a job, and the etag the change is based on, empty for none."""

    job_id: str
    update: model.JobUpdate
    etag: str
    request: model.Request | None


def update_job(message: pb.UpdateJobRequest) -> UpdateJob:
    """Fields in the mask, or where it is empty those that are present; a masked field that is absent is cleared."""
    with Fields() as fields:
        values: Mapping[str, object] = {
            "name": fields.text("name", message.name, characters=MAX_NAME_CHARACTERS),
            "description": fields.text("description", message.description, characters=MAX_DESCRIPTION_CHARACTERS),
            "system_prompt": fields.text("system_prompt", message.system_prompt, size_bytes=MAX_PROMPT_BYTES),
            "instructions": fields.text("instructions", message.instructions, size_bytes=MAX_PROMPT_BYTES),
            "knowledge_base_id": fields.knowledge_base(message.knowledge_base_id) or "",
            "labels": fields.labels("labels", message.labels),
        }
        wanted = fields.changed(message, UPDATABLE)
        if "name" in wanted and not message.name.strip():
            fields.wrong("name", "cannot be cleared")
        return UpdateJob(
            fields.id("job_id", message.job_id, Prefix.JOB),
            model.JobUpdate.model_validate({name: values[name] for name in wanted}),
            fields.etag("etag", message.etag),
            fields.request(message, f"{SERVICE}/UpdateJob"),
        )


@dataclass(frozen=True, slots=True)
class DeleteJob:
    """A job to delete, and the etag the deletion is based on, empty for none."""

    job_id: str
    etag: str
    request: model.Request | None


def delete_job(message: pb.DeleteJobRequest) -> DeleteJob:
    """Checks the id."""
    with Fields() as fields:
        return DeleteJob(
            fields.id("job_id", message.job_id, Prefix.JOB),
            fields.etag("etag", message.etag),
            fields.request(message, f"{SERVICE}/DeleteJob"),
        )


@dataclass(frozen=True, slots=True)
class UndeleteJob:
    """A job to undelete."""

    job_id: str
    request: model.Request | None


def undelete_job(message: pb.UndeleteJobRequest) -> UndeleteJob:
    """Checks the id."""
    with Fields() as fields:
        return UndeleteJob(
            fields.id("job_id", message.job_id, Prefix.JOB), fields.request(message, f"{SERVICE}/UndeleteJob")
        )


@dataclass(frozen=True, slots=True)
class CloneJob:
    """A job to clone; an empty name is that of the original."""

    job_id: str
    name: str
    external_id: str | None
    request: model.Request | None


def clone_job(message: pb.CloneJobRequest) -> CloneJob:
    """Checks the id, the name and the external_id."""
    with Fields() as fields:
        return CloneJob(
            fields.id("job_id", message.job_id, Prefix.JOB),
            fields.text("name", message.name, characters=MAX_NAME_CHARACTERS),
            fields.external_id("external_id", message.external_id),
            fields.request(message, f"{SERVICE}/CloneJob"),
        )


@dataclass(frozen=True, slots=True)
class StartJob:
    """A job to start, and the files_etag that was reviewed, empty for none."""

    job_id: str
    expected_files_etag: str
    request: model.Request | None


def start_job(message: pb.StartJobRequest) -> StartJob:
    """Checks the id."""
    with Fields() as fields:
        return StartJob(
            fields.id("job_id", message.job_id, Prefix.JOB),
            fields.etag("expected_files_etag", message.expected_files_etag),
            fields.request(message, f"{SERVICE}/StartJob"),
        )


@dataclass(frozen=True, slots=True)
class RetryFiles:
    """Records to retry; None = all that are unresolved."""

    job_id: str
    record_ids: tuple[str, ...] | None
    request: model.Request | None


def retry_files(message: pb.RetryFilesRequest) -> RetryFiles:
    """One of the two selections."""
    with Fields() as fields:
        chosen = message.WhichOneof("selection")
        record_ids: tuple[str, ...] | None = None
        if chosen is None:
            fields.wrong("records", "is required, unless all_unresolved is given")
        elif chosen == "records":
            if not message.records.record_ids:
                fields.wrong("records.record_ids", "is required")
            record_ids = fields.id_list("records.record_ids", message.records.record_ids, Prefix.RECORD)
        return RetryFiles(
            fields.id("job_id", message.job_id, Prefix.JOB),
            record_ids,
            fields.request(message, f"{SERVICE}/RetryFiles"),
        )


@dataclass(frozen=True, slots=True)
class WaitJob:
    """What to wait for and how long."""

    job_id: str
    after_sequence: int | None
    until: model.WaitUntil
    timeout_seconds: float


def wait_job(message: pb.WaitJobRequest) -> WaitJob:
    """0 to 60 seconds."""
    with Fields() as fields:
        has_cursor = message.HasField("after_sequence")
        seconds = fields.seconds("timeout", message, 0, MAX_WAIT_SECONDS)
        return WaitJob(
            fields.id("job_id", message.job_id, Prefix.JOB),
            fields.count("after_sequence", message.after_sequence) if has_cursor else None,
            fields.optional_enum("until", message.until, enums.WAIT_UNTIL) or model.WaitUntil.CHANGE,
            DEFAULT_WAIT_SECONDS if seconds is None else seconds,
        )


@dataclass(frozen=True, slots=True)
class ListJobFiles:
    """A page of a job's file list to read."""

    job_id: str
    page_size: int
    page_token: str
    include_total: bool


def list_job_files(message: pb.ListJobFilesRequest) -> ListJobFiles:
    """The token is checked by the service, which made it."""
    with Fields() as fields:
        return ListJobFiles(
            fields.id("job_id", message.job_id, Prefix.JOB),
            fields.page_size(message.page_size),
            fields.page_token(message.page_token),
            message.include_total,
        )
