"""The part of store.interface that is about alignments; see there for what all its methods have in common."""

from dataclasses import dataclass
from typing import Protocol

from ingest_grpc.lifecycle import Trigger
from ingest_grpc.model import AlignmentJob, SectionResult


@dataclass(frozen=True, slots=True)
class AlignmentRow:
    """An alignment and what of its row the service alone needs."""

    alignment: AlignmentJob
    job_row: int
    priority: int
    fair_tag: int
    claimable: bool

    @property
    def key(self) -> tuple[str, int]:
        """What it is among all that workers claim."""
        return "alignment", self.alignment.row_id

    @property
    def attempt(self) -> int:
        return self.alignment.attempt


class AlignmentRows(Protocol):
    """Reads of alignments inside one snapshot."""

    async def alignment_by_row(self, row_id: int) -> AlignmentRow: ...
    async def current_alignment(self, job_row: int) -> AlignmentRow | None:
        """The alignment of a job that is not history."""
        ...

    async def running_alignments(self) -> list[AlignmentRow]: ...
    async def alignment_position(self, row: AlignmentRow) -> int | None:
        """The rank in claim order among records and alignments, None unless it is claimable."""
        ...

    async def next_alignment_due_at(self) -> int | None: ...
    async def section_digest(self, alignment_row: int, section: int) -> str | None:
        """Of which text the stored result of a section is, None where there is none."""
        ...

    async def sections_finished(self, alignment_row: int, after: int, limit: int) -> list[tuple[int, SectionResult]]:
        """(section, result) in the order of the sections."""
        ...

    async def alignments_with_sections(self) -> list[int]: ...


class AlignmentTx(AlignmentRows, Protocol):
    """Writes of alignments inside one transaction."""

    async def insert_alignment(
        self, alignment: AlignmentJob, trigger: Trigger, *, job_row: int, priority: int, fair_tag: int
    ) -> int: ...
    async def transition_alignment(
        self, before: AlignmentJob, after: AlignmentJob, trigger: Trigger, *, claimable: bool
    ) -> bool:
        """Stores `after` if the alignment still has the status and attempt of `before`; else changes nothing.

        The database itself refuses a (status, trigger) that lifecycle.TRANSITIONS does not have.
        """
        ...

    async def retire_alignment(self, row_id: int, now: int, sequence: int) -> None: ...
    async def alignments_to_claim(self, limit: int) -> list[AlignmentRow]: ...
    async def alignments_due(self, now: int, latest: int, limit: int) -> list[AlignmentRow]: ...
    async def make_alignment_claimable(self, row_id: int) -> None: ...
    async def save_section(self, alignment_row: int, section: int, result: SectionResult) -> None: ...
    async def purge_sections(self, alignment_row: int, limit: int) -> int:
        """Removes up to `limit` results of an alignment's sections; returns how many."""
        ...
