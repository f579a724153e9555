"""Ingestion jobs and their file records."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field

from ingest_grpc.errors import CATALOGUE, Reason
from ingest_grpc.lifecycle import NOTHING, IngestionJobStatus, RecordStatus, Step, Tally, WaitReason
from ingest_grpc.model.base import DocumentMetadata, Engine, Method, Model, UnitProgress
from ingest_grpc.model.files import Scalar


class RecordError(Model):
    """Why an attempt failed. Texts come from the catalogue, so that they are the same everywhere."""

    reason: Reason
    step: Step | None = None
    detail: str = ""

    @property
    def message(self) -> str:
        return CATALOGUE[self.reason].message

    @property
    def suggested_fix(self) -> str:
        return CATALOGUE[self.reason].suggested_fix

    @property
    def retryable(self) -> bool:
        return CATALOGUE[self.reason].retryable


class FileRecord(Model):
    """One file in one ingestion job. `queue_position` and `progress` are computed when asked, never stored.

    The last `chunk_losses` of the losses are about chunks in the index, those before about the Markdown.
    """

    row_id: int = Field(0, exclude=True)
    record_id: str
    ingestion_job_id: str
    job_id: str
    file_id: str
    output_file_id: str
    user_id: str
    team_id: str
    filename: str
    output_filename: str
    method: Method
    engine: Engine | None = None
    status: RecordStatus
    step: Step | None = None
    queue_position: int | None = None
    estimated_start_at: int | None = None
    error: RecordError | None = None
    warnings: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    chunk_losses: int = 0
    attempt: int = 0
    failures: int = 0
    orphaned_count: int = 0
    next_attempt_at: int | None = None
    wait_reason: WaitReason | None = None
    worker_id: str | None = None
    superseded_by: str | None = None
    output_expired_at: int | None = None
    reused_from: str | None = None
    parent_record_id: str | None = None
    member_count: int | None = None
    image_file_ids: tuple[str, ...] = ()
    deleted_at: int | None = None
    created_at: int
    processing_at: int | None = None
    completed_at: int | None = None
    failed_at: int | None = None
    cancelled_at: int | None = None
    progress: UnitProgress | None = None
    pages: int | None = None
    document_metadata: DocumentMetadata | None = None
    bytes_out: int | None = None
    chunks_created: int | None = None
    engine_job_id: str | None = None
    metadata: Mapping[str, Scalar] = Field(default_factory=dict)
    last_sequence: int = 0

    @property
    def deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def markdown_losses(self) -> tuple[str, ...]:
        """What the Markdown lacks, whatever it is used for."""
        return self.losses[: len(self.losses) - self.chunk_losses]

    @property
    def is_archive(self) -> bool:
        """Whether it was unpacked into members: its output lists them and is no document itself."""
        return self.member_count is not None

    @property
    def unresolved(self) -> bool:
        """Whether it needs a hand: failed or cancelled, still in its job, and nothing took its place."""
        ended_badly = self.status in (RecordStatus.FAILED, RecordStatus.CANCELLED)
        return ended_badly and not self.deleted and self.superseded_by is None


class IngestionJob(Model):
    """One ingestion run inside a job. File ids and records are filled only by the calls that say so.

    `error` is that of its first failed live record, there only while the status is FAILED.
    """

    row_id: int = Field(0, exclude=True)
    ingestion_job_id: str
    job_id: str
    status: IngestionJobStatus
    tally: Tally = NOTHING
    pages: int = 0
    bytes_in: int = 0
    chunks_created: int = 0
    knowledge_base_id: str | None = None
    data_source_id: str | None = None
    error: RecordError | None = None
    created_at: int
    started_at: int | None = None
    completed_at: int | None = None
    last_sequence: int = 0
    file_ids: tuple[str, ...] = ()
    output_file_ids: tuple[str, ...] = ()
    records: tuple[FileRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordProgress:
    """Where one record is now: the step and its progress while RUNNING, the position while QUEUED."""

    record_id: str
    step: Step | None = None
    progress: UnitProgress | None = None
    queue_position: int | None = None
    estimated_start_at: int | None = None
    step_started_at: int | None = None
