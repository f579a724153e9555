"""Rows of what workers claim. Imported from store.interface, alignments from store.alignment_interface."""

from dataclasses import dataclass

from ingest_grpc.lifecycle import Trigger
from ingest_grpc.model import FileRecord
from ingest_grpc.store.alignment_interface import AlignmentRow


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record and what of its row the service alone needs.

    `source` and `source_type` are the blob key (None once the file is deleted) and the declared content
    type of the source file; `replaces_row` is the record that this one resolves once it completes;
    `archive_depth` says in how many archives it lies, and `root_record_id` which the outermost is;
    `document_row` what of a knowledge base it makes, None outside of them.
    """

    record: FileRecord
    job_row: int
    ingestion_row: int
    file_row: int
    source: str | None
    source_type: str
    bytes_in: int
    priority: int
    fair_tag: int
    claimable: bool
    replaces_row: int | None
    root_record_id: str | None = None
    archive_depth: int = 0
    document_row: int | None = None

    @property
    def key(self) -> tuple[str, int]:
        """What it is among all that workers claim."""
        return "record", self.record.row_id

    @property
    def attempt(self) -> int:
        return self.record.attempt


def moved(row: RecordRow, record: FileRecord, *, claimable: bool) -> RecordRow:
    """The row with its record after a transition: `dataclasses.replace` takes five times as long."""
    return RecordRow(
        record,
        row.job_row,
        row.ingestion_row,
        row.file_row,
        row.source,
        row.source_type,
        row.bytes_in,
        row.priority,
        row.fair_tag,
        claimable,
        row.replaces_row,
        row.root_record_id,
        row.archive_depth,
        row.document_row,
    )


Claim = RecordRow | AlignmentRow
"""What workers claim, in one order: priority, then fair tag; at the same tag records go before alignments."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """Records that can be claimed, with the time at which the oldest of them was added; those that wait for a back-off
    or a cap; those that are RUNNING."""

    claimable: int
    oldest_at: int | None
    delayed: int
    running: int


@dataclass(slots=True)
class NewRecord:
    """A record about to be inserted; the ledger numbers it.

    `record.status` and `trigger` must be a transition from nothing.
    """

    record: FileRecord
    trigger: Trigger
    job_row: int
    ingestion_row: int
    file_row: int
    bytes_in: int
    priority: int
    fair_tag: int
    replaces_row: int | None
    root_record_id: str | None = None
    archive_depth: int = 0
    document_row: int | None = None
