"""Alignments in SQLite, see store.alignment_interface."""

import json
from typing import Any

from ingest_grpc.lifecycle import RecordStatus, Trigger
from ingest_grpc.model import AlignmentJob, AlignmentTotals, RecordError, SectionResult
from ingest_grpc.store.alignment_interface import AlignmentRow
from ingest_grpc.store.sqlite.statements import Row, Statements

_COLUMNS = (
    "alignment_job_id",
    "job_id",
    "engine",
    "engine_version",
    "system_prompt",
    "instructions",
    "status",
    "current_step",
    "attempt",
    "failures",
    "orphaned_count",
    "next_attempt_at",
    "wait_reason",
    "worker_id",
    "user_id",
    "created_at",
    "started_at",
    "completed_at",
    "failed_at",
    "cancelled_at",
    "retired_at",
    "last_sequence",
)
_CHANGEABLE = (
    "status",
    "current_step",
    "engine_version",
    "attempt",
    "failures",
    "orphaned_count",
    "next_attempt_at",
    "wait_reason",
    "worker_id",
    "started_at",
    "completed_at",
    "failed_at",
    "cancelled_at",
    "last_sequence",
)
_TOTALS = (
    "sections",
    "sections_lost",
    "examples",
    "prompt_tokens",
    "completion_tokens",
)
_SECTION = (
    "digest",
    "lines",
    "examples",
    "loss",
    "prompt_tokens",
    "completion_tokens",
)


def alignment_row_of(row: Row) -> AlignmentRow:
    """A row of alignment_jobs, joined with its job's id."""
    error, output = row["error_reason"], row["output_file_id"]
    alignment = AlignmentJob(
        row_id=row["id"],
        team_id=row["team"],
        error=None if error is None else RecordError(reason=error, detail=row["error_detail"]),
        output_file_ids=() if output is None else (output,),
        totals=AlignmentTotals(losses=json.loads(row["losses"]), **{name: row[name] for name in _TOTALS}),
        **{name: row[name] for name in _COLUMNS},
    )
    return AlignmentRow(alignment, row["job"], row["priority"], row["fair_tag"], bool(row["claimable"]))


def alignment_columns(alignment: AlignmentJob) -> dict[str, Any]:
    """The columns that a transition may change."""
    error, totals = alignment.error, alignment.totals
    return {
        **{name: getattr(alignment, name) for name in _CHANGEABLE},
        **{name: getattr(totals, name) for name in _TOTALS},
        "losses": json.dumps(totals.losses),
        "error_reason": error and error.reason,
        "error_detail": error.detail if error else "",
        "output_file_id": next(iter(alignment.output_file_ids), None),
    }


class SqliteAlignmentRows(Statements):
    """Reads of alignments."""

    async def alignment_by_row(self, row_id: int) -> AlignmentRow:
        return self._the("alignment_by_row", alignment_row_of, row_id=row_id)

    async def current_alignment(self, job_row: int) -> AlignmentRow | None:
        return self._one("current_alignment", alignment_row_of, job=job_row)

    async def running_alignments(self) -> list[AlignmentRow]:
        return self._all("alignments_running", alignment_row_of)

    async def alignment_position(self, row: AlignmentRow) -> int | None:
        if not row.claimable:
            return None
        place = {"priority": row.priority, "fair_tag": row.fair_tag, "row_id": row.alignment.row_id}
        return int(self._value("count_before_alignment", **place)) + 1

    async def next_alignment_due_at(self) -> int | None:
        due = self._value("next_alignment_due_at")
        return None if due is None else int(due)

    async def section_digest(self, alignment_row: int, section: int) -> str | None:
        digest = self._value("section_digest", alignment=alignment_row, section=section)
        return None if digest is None else str(digest)

    async def sections_finished(self, alignment_row: int, after: int, limit: int) -> list[tuple[int, SectionResult]]:
        def result(row: Row) -> tuple[int, SectionResult]:
            return row["section"], SectionResult(**{name: row[name] for name in _SECTION})

        return self._all("sections_finished", result, alignment=alignment_row, after=after, limit=limit)

    async def alignments_with_sections(self) -> list[int]:
        return self._all("alignments_with_sections", lambda row: int(row["alignment"]))


class SqliteAlignmentTx(SqliteAlignmentRows):
    """Writes of alignments."""

    async def insert_alignment(
        self, alignment: AlignmentJob, trigger: Trigger, *, job_row: int, priority: int, fair_tag: int
    ) -> int:
        return self._write(
            "insert_alignment",
            alignment_job_id=alignment.alignment_job_id,
            job=job_row,
            team=alignment.team_id,
            user_id=alignment.user_id,
            engine=alignment.engine,
            system_prompt=alignment.system_prompt,
            instructions=alignment.instructions,
            status=alignment.status,
            last_trigger=trigger,
            created_at=alignment.created_at,
            last_sequence=alignment.last_sequence,
            priority=priority,
            fair_tag=fair_tag,
            claimable=alignment.status is RecordStatus.QUEUED,
        )

    async def transition_alignment(
        self, before: AlignmentJob, after: AlignmentJob, trigger: Trigger, *, claimable: bool
    ) -> bool:
        changed = self._write(
            "transition_alignment",
            row_id=before.row_id,
            status_before=before.status,
            attempt_before=before.attempt,
            last_trigger=trigger,
            claimable=claimable,
            **alignment_columns(after),
        )
        return changed == 1

    async def retire_alignment(self, row_id: int, now: int, sequence: int) -> None:
        self._write("retire_alignment", row_id=row_id, retired_at=now, last_sequence=sequence)

    async def alignments_to_claim(self, limit: int) -> list[AlignmentRow]:
        return self._all("alignments_to_claim", alignment_row_of, limit=limit)

    async def alignments_due(self, now: int, latest: int, limit: int) -> list[AlignmentRow]:
        return self._all("alignments_due", alignment_row_of, now=now, latest=latest, limit=limit)

    async def make_alignment_claimable(self, row_id: int) -> None:
        self._write("make_alignment_claimable", row_id=row_id)

    async def save_section(self, alignment_row: int, section: int, result: SectionResult) -> None:
        values = {name: getattr(result, name) for name in _SECTION}
        self._write("save_section", alignment=alignment_row, section=section, **values)

    async def purge_sections(self, alignment_row: int, limit: int) -> int:
        return self._write("purge_sections", alignment=alignment_row, limit=limit)
