"""Alignments: what StartJob begins, and the dataset that comes of it."""

from dataclasses import dataclass

from pydantic import Field

from ingest_grpc.lifecycle import AlignmentEngine, AlignmentStep, RecordStatus, WaitReason
from ingest_grpc.model.base import Model
from ingest_grpc.model.records import RecordError


class AlignmentTotals(Model):
    """What a dataset is made of. Tokens are those that the model's endpoint counted; 0 without one.

    `losses` says what of the files is not in the dataset, the first of `sections_lost` sections.
    """

    sections: int = 0
    sections_lost: int = 0
    examples: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    losses: tuple[str, ...] = ()


class AlignmentJob(Model):
    """One run over a job's viable files. Progress, position and eta are computed when asked, never stored.

    `system_prompt` and `instructions` are the job's at its start: an attempt that is repeated makes the same.
    `retired_at` is when it became history.
    """

    row_id: int = Field(0, exclude=True)
    system_prompt: str = Field("", exclude=True)
    instructions: str = Field("", exclude=True)
    alignment_job_id: str
    job_id: str
    engine: AlignmentEngine
    engine_version: str = ""
    status: RecordStatus
    current_step: AlignmentStep | None = None
    progress: float = 0.0
    step_progress: float = 0.0
    eta: int | None = None
    queue_position: int | None = None
    error: RecordError | None = None
    output_file_ids: tuple[str, ...] = ()
    totals: AlignmentTotals = AlignmentTotals()
    attempt: int = 0
    failures: int = 0
    orphaned_count: int = 0
    next_attempt_at: int | None = None
    wait_reason: WaitReason | None = None
    worker_id: str | None = None
    user_id: str
    team_id: str
    created_at: int
    started_at: int | None = None
    completed_at: int | None = None
    failed_at: int | None = None
    cancelled_at: int | None = None
    retired_at: int | None = None
    last_sequence: int = 0


@dataclass(frozen=True, slots=True)
class AlignmentProgress:
    """Where the alignment of a job is now; `progress` and `step_progress` go from 0 to 100."""

    alignment_job_id: str
    current_step: AlignmentStep | None = None
    progress: float = 0.0
    step_progress: float = 0.0
    eta: int | None = None
    queue_position: int | None = None


@dataclass(frozen=True, slots=True)
class SectionResult:
    """What became of one section: its lines of the dataset, or why there are none; kept until the alignment ends.

    `digest` is that of the section's text: a result for another text is none.
    """

    digest: str
    lines: str
    examples: int = 0
    loss: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
