"""Jobs, as the BASIC view shows them."""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from ingest_grpc.lifecycle import NOTHING, JobFacts, JobStatus, JobType, RecordStatus, Tally, is_settled
from ingest_grpc.model.base import Method, Model


class ReviewReasonType(StrEnum):
    """What kind of thing needs a hand."""

    RECORD_FAILED = "RECORD_FAILED"
    RECORD_CANCELLED = "RECORD_CANCELLED"
    NO_VIABLE_FILE = "NO_VIABLE_FILE"
    SYSTEM_PROMPT_MISSING = "SYSTEM_PROMPT_MISSING"
    KNOWLEDGE_BASE_MISSING = "KNOWLEDGE_BASE_MISSING"


class ReviewReason(Model):
    """One thing that stands between a job and READY_TO_START."""

    type: ReviewReasonType
    message: str
    suggested_fix: str
    record_id: str | None = None
    file_id: str | None = None
    filename: str | None = None


class JobFile(Model):
    """One line of a job's unified file list: an ingestion output, or Markdown that needed none."""

    file_id: str
    source_file_id: str | None = None
    record_id: str | None = None
    name: str
    content_type: str
    created_at: int
    status: RecordStatus
    suggested_fix: str = ""
    expired_at: int | None = None


class Job(Model):
    """A job in the BASIC view: all but its files, ingestion jobs and timeline."""

    row_id: int = Field(0, exclude=True)
    job_id: str
    name: str
    description: str = ""
    job_type: JobType
    status: JobStatus
    tally: Tally = NOTHING
    markdown_files: int = 0
    expired_outputs: int = 0
    archives: int = 0
    cancelled: bool = False
    ever_active: bool = False
    alignment_job_id: str | None = None
    alignment_status: RecordStatus | None = None
    review_reasons: tuple[ReviewReason, ...] = ()
    system_prompt: str = ""
    system_prompt_updated_at: int | None = None
    instructions: str = ""
    instructions_updated_at: int | None = None
    method: Method
    user_id: str
    team_id: str
    external_id: str | None = None
    labels: Mapping[str, str] = Field(default_factory=dict)
    origin_job_id: str | None = None
    knowledge_base_id: str | None = None
    data_source_id: str | None = None
    chunks_created: int = 0
    priority: int = 0
    last_sequence: int = 0
    earliest_sequence: int = 1
    files_sequence: int = 0
    created_at: int
    updated_at: int
    deleted_at: int | None = None
    purge_at: int | None = None
    purged_at: int | None = None

    @property
    def prompt_characters(self) -> int:
        """The length of the two texts that make one job a hundred times as large as another; 1 to 4 bytes each."""
        return len(self.system_prompt) + len(self.instructions)

    @property
    def facts(self) -> JobFacts:
        """What the status depends on."""
        return JobFacts(
            job_type=self.job_type,
            tally=self.tally,
            markdown_files=self.markdown_files,
            expired_outputs=self.expired_outputs,
            archives=self.archives,
            has_system_prompt=bool(self.system_prompt),
            has_knowledge_base=self.knowledge_base_id is not None,
            cancelled=self.cancelled,
            ever_active=self.ever_active,
            alignment=self.alignment_status,
        )

    @property
    def settled(self) -> bool:
        """As its facts say."""
        return is_settled(self.tally, self.alignment_status, ever_active=self.ever_active)

    @property
    def etag(self) -> str:
        """Changes with what a caller may set, and with nothing else."""
        parts = [self.name, self.description, self.system_prompt, self.instructions, sorted(self.labels.items())]
        parts += [self.knowledge_base_id] if self.knowledge_base_id else []
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    @property
    def files_etag(self) -> str:
        """Changes with the job's files and what became of them, and with nothing else."""
        expired = f"x{self.expired_outputs}" if self.expired_outputs else ""
        return f"f{self.files_sequence}{expired}"
