"""A file becomes a record of a job: queued, or complete at once where the same bytes were converted before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.lifecycle import RecordStatus, Trigger
from ingest_grpc.model import Engine, File, FileRecord, IngestionJob, Method, Scalar
from ingest_grpc.service.images import share_images
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.store.interface import NewRecord, RecordRow, Tx

MAX_REUSE_CANDIDATES = 10

IsCurrent = Callable[[Method, str, Engine], bool]
"""Whether a file of this name would be converted by this engine, in this version, if it came now."""


def never(_method: Method, _filename: str, _engine: Engine) -> bool:
    """An IsCurrent that reuses nothing."""
    return False


@dataclass(frozen=True, slots=True)
class Intended:
    """What is known of a record before it exists."""

    file: File
    method: Method
    user_id: str
    replaces: RecordRow | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)


def new_record(ledger: JobLedger, intended: Intended, ingestion_job: IngestionJob, fair_tag: int) -> NewRecord:
    """The record of a file that is to be converted."""
    file, job = intended.file, ledger.job
    record = FileRecord.trusted(
        record_id=new_id(Prefix.RECORD),
        ingestion_job_id=ingestion_job.ingestion_job_id,
        job_id=job.job_id,
        file_id=file.file_id,
        output_file_id=new_id(Prefix.OUTPUT_FILE),
        user_id=intended.user_id,
        team_id=job.team_id,
        filename=file.filename,
        output_filename=f"{PurePath(file.filename).stem}.md",
        method=intended.method,
        status=RecordStatus.QUEUED,
        metadata=intended.metadata,
        created_at=ledger.now,
    )
    return NewRecord(
        record=record,
        trigger=Trigger.ADDED,
        job_row=job.row_id,
        ingestion_row=ingestion_job.row_id,
        file_row=file.row_id,
        bytes_in=file.size_bytes,
        priority=job.priority,
        fair_tag=fair_tag,
        replaces_row=intended.replaces.record.row_id if intended.replaces else None,
    )


async def earlier_conversion(tx: Tx, file: File, method: Method, is_current: IsCurrent) -> RecordRow | None:
    """A record of this team with the same bytes, converted by the same method and engine, whose output is there."""
    for row in await tx.reusable_records(file, method, MAX_REUSE_CANDIDATES):
        if _same_conversion(row.record, file, is_current):
            return row
    return None


def _same_conversion(record: FileRecord, file: File, is_current: IsCurrent) -> bool:
    """The type of a file is told by its suffix too, and another engine, or another version of it, may do better."""
    same_suffix = PurePath(record.filename).suffix.lower() == PurePath(file.filename).suffix.lower()
    return same_suffix and record.engine is not None and is_current(record.method, file.filename, record.engine)


async def as_reused(ledger: JobLedger, new: NewRecord, earlier: FileRecord) -> NewRecord:
    """The record is complete at once: its output is another name of the earlier one's bytes."""
    tx, record = ledger.tx, new.record
    shared = await tx.file(record.team_id, earlier.output_file_id)
    assert shared is not None, "a reusable record has an output"
    output = shared.model_copy(
        update={
            "file_id": record.output_file_id,
            "filename": record.output_filename,
            "user_id": record.user_id,
            "created_at": ledger.now,
        }
    )
    await tx.share_output(output, shared)
    images = await share_images(ledger, record, earlier)
    done = record.model_copy(
        update={
            "status": RecordStatus.COMPLETED,
            "completed_at": ledger.now,
            "reused_from": earlier.record_id,
            "engine": earlier.engine,
            "pages": earlier.pages,
            "bytes_out": earlier.bytes_out,
            "image_file_ids": images,
            "warnings": earlier.warnings,
            "losses": earlier.markdown_losses,
            "document_metadata": earlier.document_metadata,
        }
    )
    return replace(new, record=done, trigger=Trigger.REUSED)


async def unresolved_named(tx: Tx, job_row: int, filename: str) -> RecordRow | None:
    """The one unresolved record of a job with this name; None if there is none, or more than one."""
    found = await tx.unresolved_with_name(job_row, filename)
    return await tx.record_by_row(found[0][0]) if len(found) == 1 else None


async def resolve(ledger: JobLedger, replaced: RecordRow, by: str) -> None:
    """A record or a Markdown file took the place of an unresolved record, unless something else did before."""
    row = await ledger.tx.record_by_row(replaced.record.row_id)
    if row.record.unresolved:
        await ledger.mark(row, Trigger.SUPERSEDED, superseded_by=by)
