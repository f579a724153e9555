"""How jobs, files, records and events look: as rows of tables, as fields, and as lines."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from ingest_grpc.cli.advice import review_fix
from ingest_grpc.cli.output import Column, Output
from ingest_grpc.cli.words import (
    day_and_time,
    human_bytes,
    human_seconds,
    plural,
    printable,
    seconds_between,
    time_of_day,
    word,
)

if TYPE_CHECKING:
    from ingest_grpc.client.messages import File, FileRecord, IngestionJob, Job, JobFile, RecordProgress, TimelineEvent

STYLES = {
    "QUEUED": "cyan",
    "RUNNING": "blue",
    "FILE_PROCESSING": "blue",
    "COMPLETED": "green",
    "READY_TO_START": "green",
    "PARTIALLY_COMPLETED": "yellow",
    "NEEDS_REVIEW": "yellow",
    "CANCELLED": "magenta",
    "FAILED": "red",
    "NOT_UPLOADED": "red",
}
"""The colour of each status, the same in every table and in the live display."""

JOB_COLUMNS = (
    Column("Job", whole=True),
    Column("Name"),
    Column("Status", whole=True),
    Column("Files", number=True, spare=True),
    Column("Created", whole=True, spare=True),
)
FILE_COLUMNS = (
    Column("File", whole=True),
    Column("Name"),
    Column("Size", number=True),
    Column("Created", whole=True, spare=True),
    Column("Type", spare=True),
)
INGESTION_COLUMNS = (
    Column("Ingestion job", whole=True),
    Column("Status", whole=True),
    Column("Files", number=True),
    Column("Failed", number=True),
    Column("Done", number=True, spare=True),
    Column("Created", whole=True, spare=True),
)
JOB_FILE_COLUMNS = (Column("Output", whole=True), Column("Name"), Column("Status", whole=True))
RECORD_COLUMNS = (
    Column("Record", whole=True),
    Column("Name"),
    Column("Status", whole=True),
    Column("Pages", number=True, spare=True),
    Column("Markdown", number=True, spare=True),
    Column("Time", number=True, spare=True),
)


def status_text(status: str) -> Text:
    """A status in its colour."""
    return Text(status, style=STYLES.get(status, ""))


def job_row(job: "Job") -> Sequence[str | Text]:
    """The cells of JOB_COLUMNS."""
    return job.job_id, job.name, status_text(word(job, "status")), f"{job_files(job):,}", day_and_time(job.created_at)


def job_files(job: "Job") -> int:
    """All files of a job: its live records, and the Markdown that needed none."""
    return sum(each.count for each in job.record_counts) + job.markdown_files


def job_counts(job: "Job") -> str:
    """For example "12 files: 10 completed, 2 failed"."""
    parts = [f"{each.count:,} {word(each, 'status').lower()}" for each in job.record_counts if each.count]
    if job.markdown_files:
        parts.append(f"{job.markdown_files:,} Markdown")
    total = plural(job_files(job), "file")
    return f"{total}: {', '.join(parts)}" if parts else total


def show_job(output: Output, job: "Job") -> None:
    """A job for a person: what it is, how it stands, and what needs a hand."""
    output.fields(
        {
            "job": job.job_id,
            "name": job.name,
            "description": job.description or None,
            "type": word(job, "job_type"),
            "status": status_text(word(job, "status")),
            "message": job.status_message or None,
            "files": job_counts(job),
            "system prompt": job.system_prompt or None,
            "instructions": job.instructions or None,
            "method": word(job, "method"),
            "labels": ", ".join(f"{key}={value}" for key, value in sorted(job.labels.items())) or None,
            "external id": job.external_id or None,
            "dataset": dataset(job),
            "clone of": job.origin_job_id or None,
            "created": f"{day_and_time(job.created_at)} by {job.user_id} of team {job.team_id}",
            "updated": day_and_time(job.updated_at),
            "deleted": _deletion(job),
            "events": f"{job.last_sequence:,}",
        }
    )
    for reason in job.review_reasons:
        name = f"{reason.filename}: " if reason.HasField("filename") else ""
        output.notes([("review", f"{name}{reason.message}", "yellow"), ("fix", review_fix(reason, job.job_id), "dim")])
    if (missing := job.review_reasons_total - len(job.review_reasons)) > 0:
        output.line(f"and {missing:,} more; 'ingest-grpc ingestion records {job.job_id}' lists every record")


def dataset(job: "Job") -> str | None:
    """The files of the dataset that was made of the job; None before there is one."""
    alignment = job.alignment_job
    ids = ", ".join(alignment.output_file_ids)
    return f"{ids} ({plural(alignment.examples, 'line')})" if ids else None


def _deletion(job: "Job") -> str | None:
    if not job.HasField("deleted_at"):
        return None
    return f"{day_and_time(job.deleted_at)}; purged on {day_and_time(job.purge_at)}"


def file_row(file: "File") -> Sequence[str | Text]:
    """The cells of FILE_COLUMNS."""
    size = human_bytes(file.size_bytes)
    return file.file_id, file.path or file.filename, size, day_and_time(file.created_at), file.content_type


def show_file(output: Output, file: "File") -> None:
    """A file for a person."""
    output.fields(
        {
            "file": file.file_id,
            "name": file.filename,
            "path": file.path or None,
            "kind": word(file, "kind"),
            "type": file.content_type,
            "size": f"{human_bytes(file.size_bytes)} ({file.size_bytes:,} bytes)",
            "sha256": file.sha256 or None,
            "external id": file.external_id or None,
            "metadata": _metadata(file),
            "imported": _import(file),
            "created": f"{day_and_time(file.created_at)} by {file.user_id} of team {file.team_id}",
            "expires": day_and_time(file.expires_at) if file.HasField("expires_at") else None,
            "deleted": day_and_time(file.deleted_at) if file.HasField("deleted_at") else None,
        }
    )


def _metadata(file: "File") -> str | None:
    return ", ".join(f"{key}={_scalar(value)}" for key, value in sorted(file.metadata.items())) or None


def _scalar(value: object) -> str:
    """As --metadata takes it; messages keep every number as a float."""
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def _import(file: "File") -> str | None:
    if not file.HasField("import_source"):
        return None
    read = file.import_source.HasField("fetched_at")
    return f"from {file.import_source.url}" + ("" if read else ", not read yet")


def ingestion_row(each: "IngestionJob") -> Sequence[str | Text]:
    """The cells of INGESTION_COLUMNS."""
    figures = (each.documents_total, each.documents_failed, each.documents_processed)
    status = status_text(word(each, "status"))
    return each.ingestion_job_id, status, *(f"{figure:,}" for figure in figures), day_and_time(each.created_at)


def show_ingestion(output: Output, each: "IngestionJob") -> None:
    """An ingestion job for a person, without its records."""
    done = f"{each.documents_processed:,} of {plural(each.documents_total, 'file')} completed"
    output.fields(
        {
            "ingestion job": each.ingestion_job_id,
            "job": each.job_id,
            "status": status_text(word(each, "status")),
            "error": f"{each.error.message} {each.error.suggested_fix}" if each.HasField("error") else None,
            "files": f"{done}, {each.documents_failed:,} failed, {each.documents_cancelled:,} cancelled",
            "pages": f"{each.pages:,}",
            "size": human_bytes(each.bytes_in),
            "created": day_and_time(each.created_at),
            "started": day_and_time(each.started_at) if each.HasField("started_at") else None,
            "completed": day_and_time(each.completed_at) if each.HasField("completed_at") else None,
        }
    )


def job_file_row(file: "JobFile") -> Sequence[str | Text]:
    """The cells of JOB_FILE_COLUMNS."""
    return file.file_id, file.name, status_text(word(file, "status"))


def record_row(record: "FileRecord") -> Sequence[str | Text]:
    """The cells of RECORD_COLUMNS."""
    return record.record_id, record_name(record), status_text(word(record, "status")), *record_figures(record)


def record_name(record: "FileRecord") -> str:
    """The file's name, with how much came out of an archive, or with a sign of having come out of one."""
    if record.HasField("member_count"):
        return f"{record.filename} ({plural(record.member_count, 'file')})"
    return f"› {record.filename}" if record.HasField("parent_record_id") else record.filename


def record_figures(record: "FileRecord") -> tuple[str, str, str]:
    """Pages, size of the Markdown and time of the conversion; "" for what there is none of."""
    pages = f"{record.pages:,}" if record.HasField("pages") else ""
    size = human_bytes(record.bytes_out) if record.HasField("bytes_out") else ""
    seconds = conversion_seconds(record)
    return pages, size, "" if seconds is None else human_seconds(seconds)


def conversion_seconds(record: "FileRecord") -> float | None:
    """Seconds that the last attempt took; None while there is no end to it, or if it never began."""
    if not record.HasField("processing_at"):
        return None
    for field in ("completed_at", "failed_at", "cancelled_at"):
        if record.HasField(field):
            return seconds_between(record.processing_at, getattr(record, field))
    return None


def progress_words(progress: "RecordProgress | FileRecord") -> str:
    """For example "parse 3/40 pages", or "position 4" for one that waits."""
    if progress.HasField("queue_position"):
        return f"position {progress.queue_position:,}"
    step = word(progress, "step").lower()
    if not progress.HasField("progress") or not progress.progress.units_done:
        return step or "running"
    units = progress.progress
    total = f"/{units.units_total:,}" if units.units_total else ""
    return f"{step} {units.units_done:,}{total} {printable(units.unit)}".strip()


def event_line(event: "TimelineEvent") -> Text:
    """An event in one line: time, sequence, title, message."""
    style = "bold" if word(event, "kind") == "MILESTONE" else _change_style(event)
    return Text.assemble(
        (time_of_day(event.timestamp), "dim"),
        f" {event.sequence:>5}  ",
        (f"{printable(event.title):<25}", style),
        f" {printable(event.message)}",
    )


def _change_style(event: "TimelineEvent") -> str:
    field = event.WhichOneof("change")
    if field == "record_change":
        return STYLES.get(word(event.record_change.record, "status"), "")
    if field == "job_change":
        return STYLES.get(word(event.job_change.job, "status"), "")
    return ""
