"""What an engine gets, what it gives, and how it says that it cannot."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import AlignmentEngine, AlignmentStep
from ingest_grpc.model import AlignmentTotals, SectionResult


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A viable Markdown file. `open` gives a descriptor at offset 0 that is closed with its context."""

    file_id: str
    filename: str
    size_bytes: int
    open: Callable[[], AbstractAsyncContextManager[int]]


class Checkpoints(Protocol):
    """Results of finished sections, which outlive an attempt. Sections are numbered 1, 2, 3 … over all files."""

    async def digest(self, section: int) -> str | None:
        """The digest of a section's stored result, None where there is none."""
        ...

    async def save(self, section: int, result: SectionResult) -> None:
        """Stores the result of a section, in place of an older one."""
        ...

    def results(self, sections: int) -> AsyncGenerator[SectionResult, None]:
        """The stored results of sections 1 to `sections`, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class AlignmentTask:
    """What to make a dataset of. `files` begins anew with every call, always in the same order."""

    system_prompt: str
    instructions: str
    files: Callable[[], AsyncGenerator[SourceFile, None]]
    files_total: int
    checkpoints: Checkpoints


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the work is: `progress` of the whole and `step_progress` of the step, both 0 to 100."""

    step: AlignmentStep
    progress: float
    step_progress: float


OnStanding = Callable[[Standing], None]


class AlignmentFailure(Exception):
    """The dataset cannot be made, at least not now: the catalogue says whether the reason may pass.

    `detail` is for operators and holds nothing of the documents.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Aligner(Protocol):
    """Makes datasets: JSON lines of UTF-8."""

    @property
    def engine(self) -> AlignmentEngine: ...

    @property
    def version(self) -> str:
        """What makes the content: for a model its name."""
        ...

    async def align(self, task: AlignmentTask, output_fd: int, on_standing: OnStanding) -> AlignmentTotals:
        """Writes the dataset to `output_fd`, from its start, off the event loop.

        `on_standing` is called on the loop's thread, as a sign of life also where nothing moved. Cancelling
        the caller stops the work within a moment; nothing writes to the descriptor any more once this
        returned or raised. Raises AlignmentFailure, and what `open` and the checkpoints raise.
        """
        ...
