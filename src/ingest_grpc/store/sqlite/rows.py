"""Reads of the ledger: one method per statement or short sequence of statements, see store.interface.Rows."""

import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, TypeVar

from ingest_grpc.lifecycle import IngestionJobStatus, JobStatus, RecordStatus
from ingest_grpc.model import EventType, File, FileFilter, IngestionJob, Job, JobFile, JobFilter, TimelineEvent, Upload
from ingest_grpc.store.file_interface import ExpiryCursor
from ingest_grpc.store.interface import ApiKey, FeedEvent, FoundJob, JobCursor, JobHead, Position, QueueState, RecordRow
from ingest_grpc.store.sqlite import bounded, values
from ingest_grpc.store.sqlite.alignments import SqliteAlignmentRows
from ingest_grpc.store.sqlite.api_keys import api_key_of
from ingest_grpc.store.sqlite.job_search import count_jobs_where, jobs_where
from ingest_grpc.store.sqlite.knowledge_bases import NEWEST, SqliteKnowledgeRows

T = TypeVar("T")

_Place = tuple[int, int, int]
"""Where a record is in claim order: minus its priority, its fair tag, its row."""


def _passes_filter(file: File, wanted: FileFilter) -> bool:
    """The filters beside the external id, for the one file that has it."""
    right_kind = wanted.kind is None or wanted.kind is file.kind
    return right_kind and wanted.filename_contains.casefold() in file.filename.casefold()


def _merged(pages: Iterable[list[T]], key: Callable[[T], int], limit: int, *, descending: bool) -> list[T]:
    """The first `limit` of several sorted lists: how a filter on several statuses stays an index range."""
    return list(heapq.merge(*pages, key=key, reverse=descending))[:limit]


class SqliteRows(SqliteAlignmentRows, SqliteKnowledgeRows):
    """Reads on one connection inside a transaction that somebody else began."""

    async def ledger_id(self) -> str:
        return str(self._value("ledger_id"))

    # ── jobs ───────────────────────────────────────────────────────────────────────────────────────────

    async def job(self, team: str, job_id: str) -> Job | None:
        return self._one("job", values.job_of, team=team, job_id=job_id)

    async def job_by_row(self, row_id: int) -> Job:
        return self._the("job_by_row", values.job_of, row_id=row_id)

    async def job_by_external_id(self, team: str, external_id: str) -> Job | None:
        return self._one("job_by_external_id", values.job_of, team=team, external_id=external_id)

    async def jobs_where(
        self, team: str, wanted: JobFilter, after: JobCursor | None, limit: int
    ) -> tuple[list[FoundJob], JobCursor | None]:
        return jobs_where(self._connection, team, wanted, after, limit)

    async def count_jobs_where(self, team: str, wanted: JobFilter, limit: int) -> int:
        return count_jobs_where(self._connection, team, wanted, limit)

    async def jobs_newest(
        self, team: str, statuses: Sequence[JobStatus], before: int | None, limit: int
    ) -> list[JobHead]:
        where = {"team": team, "before": NEWEST if before is None else before, "limit": limit}
        if not statuses:
            return self._all("jobs_newest", lambda row: JobHead(**row), **where)
        pages = [
            self._all("jobs_newest_with_status", lambda row: JobHead(**row), status=status, **where)
            for status in set(statuses)
        ]
        return _merged(pages, lambda job: job.row_id, limit, descending=True)

    async def markdown_files(self, job_row: int, limit: int, after: int = 0) -> list[tuple[int, JobFile]]:
        read = values.markdown_file_of
        return self._all("markdown_files", lambda row: (row["id"], read(row)), job=job_row, after=after, limit=limit)

    # ── ingestion jobs ─────────────────────────────────────────────────────────────────────────────────

    async def ingestion_job(self, team: str, ingestion_job_id: str) -> IngestionJob | None:
        return self._one("ingestion_job", values.ingestion_job_of, team=team, ingestion_job_id=ingestion_job_id)

    async def ingestion_job_by_row(self, row_id: int) -> IngestionJob:
        return self._the("ingestion_job_by_row", values.ingestion_job_of, row_id=row_id)

    async def ingestion_jobs(
        self,
        *,
        team: str,
        job_row: int | None,
        statuses: Sequence[IngestionJobStatus],
        after: int | None,
        oldest_first: bool,
        limit: int,
        knowledge_base_id: str | None = None,
        data_source_id: str | None = None,
    ) -> list[IngestionJob]:
        order = "asc" if oldest_first else "desc"
        cursor = after if after is not None else (0 if oldest_first else NEWEST)
        where: dict[str, Any] = {"team": team, "job": job_row, "cursor": cursor, "limit": limit}
        where |= {"knowledge_base_id": knowledge_base_id, "data_source_id": data_source_id}
        if job_row is None and (data_source_id or knowledge_base_id):
            owner = "data_source" if data_source_id else "knowledge_base"
            where["statuses"] = json.dumps(sorted(statuses))
            return self._all(f"ingestion_jobs_of_{owner}_{order}", values.ingestion_job_of, **where)
        owner = "team" if job_row is None else "job"
        if not statuses:
            return self._all(f"ingestion_jobs_of_{owner}_{order}", values.ingestion_job_of, **where)
        name = f"ingestion_jobs_of_{owner}_with_status_{order}"
        pages = [self._all(name, values.ingestion_job_of, status=status, **where) for status in set(statuses)]
        return _merged(pages, lambda job: job.row_id, limit, descending=not oldest_first)

    # ── records ────────────────────────────────────────────────────────────────────────────────────────

    async def record(self, job_row: int, record_id: str) -> RecordRow | None:
        return self._one("record", values.record_row_of, job=job_row, record_id=record_id)

    async def record_of_team(self, team: str, record_id: str) -> RecordRow | None:
        return self._one("record_of_team", values.record_row_of, team=team, record_id=record_id)

    async def record_by_row(self, row_id: int) -> RecordRow:
        return self._the("record_by_row", values.record_row_of, row_id=row_id)

    async def record_of_output(self, team: str, output_file_id: str) -> RecordRow | None:
        return self._one("record_of_output", values.record_row_of, team=team, output_file_id=output_file_id)

    async def records(
        self,
        *,
        job_row: int | None = None,
        ingestion_row: int | None = None,
        statuses: Sequence[RecordStatus] = (),
        show_deleted: bool = False,
        after: int = 0,
        limit: int,
    ) -> list[RecordRow]:
        where: dict[str, Any] = {"after": after, "limit": limit, "show_deleted": show_deleted}
        if ingestion_row is not None:
            name, where["ingestion_job"] = "records_of_ingestion_job", ingestion_row
        else:
            name, where["job"] = "records_of_job", job_row
        if not statuses:
            return self._all(name, values.record_row_of, **where)
        pages = [
            self._all(f"{name}_with_status", values.record_row_of, status=status, **where) for status in set(statuses)
        ]
        return _merged(pages, lambda row: row.record.row_id, limit, descending=False)

    async def live_records_of_file(self, job_row: int, file_row: int, file_id: str) -> list[RecordRow]:
        return self._all("live_records_of_file", values.record_row_of, job=job_row, file=file_row, file_id=file_id)

    async def unresolved_records(self, job_row: int, limit: int, after: int = 0) -> list[RecordRow]:
        return self._all("unresolved_records", values.record_row_of, job=job_row, after=after, limit=limit)

    async def in_flight_records(self, job_row: int, up_to: int, limit: int) -> list[RecordRow]:
        return self._all("in_flight_records", values.record_row_of, job=job_row, up_to=up_to, limit=limit)

    async def newest_record(self, job_row: int) -> int:
        return int(self._value("newest_record", job=job_row) or 0)

    async def running_records(self) -> list[RecordRow]:
        return self._all("records_running", values.record_row_of)

    async def queue_state(self) -> QueueState:
        return self._the("queue_state", lambda row: QueueState(**row))

    async def ranks(self, rows: Sequence[RecordRow]) -> dict[int, int]:
        places = sorted((-row.priority, row.fair_tag, row.record.row_id) for row in rows if row.claimable)
        return {row_id: rank for (_, _, row_id), rank in zip(places, self._ranks(places), strict=True)}

    async def positions(self, job_row: int, limit: int) -> list[Position]:
        rows = self._all("claimable_of_job", lambda row: row, job=job_row, limit=limit)
        ranks = self._ranks([(-row["priority"], row["fair_tag"], row["id"]) for row in rows])
        return [Position(row["id"], row["record_id"], rank) for row, rank in zip(rows, ranks, strict=True)]

    def _ranks(self, places: Sequence[_Place]) -> Iterator[int]:
        """The ranks of records, given in claim order: of each priority the first is counted from the head of the queue,
        every other one from the one before."""
        for _, group in groupby(places, itemgetter(0)):
            run = list(group)
            rank = self._rank(run[0])
            yield rank
            if self._count_between(run[0], run[-1]) == len(run) - 1:  # the queue is theirs: nobody waits between them
                yield from range(rank + 1, rank + len(run))
                continue
            for before, place in pairwise(run):
                rank += self._count_between(before, place)
                yield rank

    def _rank(self, place: _Place) -> int:
        priority, fair_tag, row_id = place
        before = self._value("count_claimable_before", priority=-priority, fair_tag=fair_tag, row_id=row_id)
        alignments = self._value("count_alignments_before_record", priority=-priority, fair_tag=fair_tag)
        return int(before) + int(alignments) + 1

    def _count_between(self, after: _Place, up_to: _Place) -> int:
        counted = self._value(
            "count_claimable_between",
            priority=-up_to[0],
            after_tag=after[1],
            after_row=after[2],
            fair_tag=up_to[1],
            row_id=up_to[2],
        )
        return int(counted)

    async def next_due_at(self) -> int | None:
        due = self._value("next_due_at")
        return None if due is None else int(due)

    # ── timeline ───────────────────────────────────────────────────────────────────────────────────────

    async def events_after(
        self, job_row: int, after: int, limit: int, types: Sequence[EventType] = ()
    ) -> list[TimelineEvent]:
        if not types:
            return self._all("events_after", values.event_of, job=job_row, after=after, limit=limit)
        where = {"job": job_row, "after": after, "types": json.dumps(sorted(types))}
        return self._all("events_of_types_after", values.event_of, limit=limit, **where)

    async def count_events(self, job_row: int, after: int, limit: int, types: Sequence[EventType] = ()) -> int:
        wanted = json.dumps(sorted(types))
        return int(self._value("count_events", job=job_row, after=after, limit=limit, types=wanted))

    async def milestones_after(self, job_row: int, after: int, limit: int) -> list[TimelineEvent]:
        return self._all("milestones_after", values.event_of, job=job_row, after=after, limit=limit)

    async def feed_after(self, team: str, after: int, limit: int) -> list[FeedEvent]:
        return self._all("feed_after", values.feed_event_of, team=team, after=after, limit=limit)

    async def feed_bounds(self, team: str) -> tuple[int, int]:
        floor = int(self._value("feed_floor", team=team) or 0)
        # Nothing newer than the floor is left when the newest job was purged.
        return floor, max(floor, int(self._value("feed_newest", team=team) or 0))

    # ── files ──────────────────────────────────────────────────────────────────────────────────────────

    async def file(self, team: str, file_id: str) -> File | None:
        return self._one("file", values.file_of, team=team, file_id=file_id)

    async def file_by_row(self, row_id: int) -> File | None:
        return self._one("file_by_row", values.file_of, row_id=row_id)

    async def file_by_external_id(self, team: str, external_id: str) -> File | None:
        return self._one("file_by_external_id", values.file_of, team=team, external_id=external_id)

    async def files_where(
        self, team: str, wanted: FileFilter, before: int | None, limit: int
    ) -> tuple[list[File], int | None]:
        if wanted.external_id is not None:
            file = await self.file_by_external_id(team, wanted.external_id)
            passes = file is not None and _passes_filter(file, wanted) and (before is None or file.row_id < before)
            return [file] if file is not None and passes else [], None
        name = "files_newest" if wanted.kind is None else "files_newest_of_kind"
        contains = wanted.filename_contains.casefold()
        page = partial(self._all, name, lambda row: row, team=team, kind=wanted.kind, contains=contains)
        start = NEWEST if before is None else before
        rows, cursor = bounded.rows_that_pass(page, start, limit, filtered=bool(contains))
        return [values.file_of(row) for row in rows], cursor

    async def count_files(self, team: str, wanted: FileFilter, limit: int) -> int:
        if wanted.external_id is not None:
            return len((await self.files_where(team, wanted, None, 1))[0])
        name = "count_files" if wanted.kind is None else "count_files_of_kind"
        where = {"team": team, "kind": wanted.kind, "contains": wanted.filename_contains.casefold()}
        return int(self._value(name, scanned=bounded.MAX_SCANNED, limit=limit, **where))

    async def expired_files(
        self, now: int, after: ExpiryCursor | None, limit: int
    ) -> tuple[list[File], ExpiryCursor | None]:
        expires_at, row_id = after or (0, 0)
        where = {"now": now, "after_expires_at": expires_at, "after_row": row_id, "limit": limit}
        rows = self._all("expired_files", lambda row: row, **where)
        last = (rows[-1]["expires_at"], rows[-1]["id"]) if len(rows) == limit else None
        return [values.file_of(row) for row in rows if row["unlisted"]], last

    async def upload(self, team: str, upload_id: str) -> Upload | None:
        return self._one("upload", values.upload_of, team=team, upload_id=upload_id)

    async def upload_is_open(self, upload_id: str) -> bool:
        return bool(self._value("upload_is_open", upload_id=upload_id))

    async def count_open_uploads(self, team: str, limit: int) -> int:
        return int(self._value("count_open_uploads", team=team, limit=limit))

    async def stored_bytes(self, team: str) -> int:
        return int(self._value("stored_bytes", team=team))

    async def deleted_blobs(self, limit: int, after: int = 0) -> list[tuple[int, str]]:
        return self._all("deleted_blobs", lambda row: (row["id"], row["blob_key"]), limit=limit, after=after)

    async def blob_is_kept(self, blob_key: str) -> bool:
        return bool(self._value("blob_is_kept", blob_key=blob_key))

    # ── API keys ───────────────────────────────────────────────────────────────────────────────────────

    async def api_key_by_hash(self, secret_hash: bytes) -> ApiKey | None:
        return self._one("api_key_by_hash", api_key_of, secret_hash=secret_hash)

    async def any_api_key(self) -> bool:
        return bool(self._value("any_api_key"))

    async def api_keys(self) -> list[ApiKey]:
        return self._all("api_keys", api_key_of)
