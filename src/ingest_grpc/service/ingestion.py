"""IngestionService: ingestion jobs and their records, as they are read."""

from collections.abc import Sequence
from functools import partial

from ingest_grpc.errors import IngestError, Reason, invalid
from ingest_grpc.lifecycle import IngestionJobStatus, RecordStatus, Step
from ingest_grpc.model import Caller, FileRecord, IngestionDetail, IngestionJob, Page
from ingest_grpc.service import views
from ingest_grpc.service.paging import MAX_TOTAL, decode_token, encode_token
from ingest_grpc.service.progress import ProgressBoard
from ingest_grpc.store.interface import RecordRow, Rows, Store

HAVE_STEP = (RecordStatus.RUNNING, RecordStatus.FAILED)


class IngestionService:
    """Reads ingestion jobs and records."""

    def __init__(self, store: Store, board: ProgressBoard) -> None:
        self._store = store
        self._board = board

    async def list(
        self,
        caller: Caller,
        *,
        job_id: str | None,
        knowledge_base_id: str | None = None,
        data_source_id: str | None = None,
        statuses: Sequence[IngestionJobStatus],
        oldest_first: bool,
        after: str | None,
        page_size: int,
        page_token: str,
        include_total: bool = False,
    ) -> Page[IngestionJob]:
        """The team's ingestion jobs, of the job, the data source and the knowledge base that are named.

        Raises JOB_NOT_FOUND, INGESTION_JOB_NOT_FOUND (for `after`) and INVALID_PAGE_TOKEN.
        """
        filters = [job_id, knowledge_base_id, data_source_id, sorted(statuses), oldest_first]
        cursor = decode_token(caller.team_id, "ingestion_jobs", filters, page_token)

        async def unit(rows: Rows) -> tuple[Sequence[IngestionJob], int | None]:
            job_row = None if job_id is None else (await views.find_job(rows, caller.team_id, job_id)).row_id
            start = cursor
            if start is None and after is not None:
                start = (await _find(rows, caller, after)).row_id
            listed = partial(
                rows.ingestion_jobs,
                team=caller.team_id,
                job_row=job_row,
                statuses=statuses,
                oldest_first=oldest_first,
                knowledge_base_id=knowledge_base_id,
                data_source_id=data_source_id,
            )
            total = len(await listed(after=None, limit=MAX_TOTAL)) if include_total else None
            return await listed(after=start, limit=page_size + 1), total

        found, total = await self._store.read(unit)
        page = found[:page_size]
        more = len(found) > page_size
        token = encode_token(caller.team_id, "ingestion_jobs", filters, page[-1].row_id) if more else ""
        return Page(page, token, total)

    async def get(self, caller: Caller, ingestion_job_id: str) -> IngestionDetail:
        """An ingestion job with its live records, bounded. Raises INGESTION_JOB_NOT_FOUND."""

        async def unit(rows: Rows) -> IngestionDetail:
            ingestion_job = await _find(rows, caller, ingestion_job_id)
            found = await rows.records(ingestion_row=ingestion_job.row_id, limit=views.MAX_DETAIL_RECORDS)
            records = await views.shown_records(rows, found, self._board)
            total = ingestion_job.tally.total
            return IngestionDetail(views.with_records(ingestion_job, records), total, len(records) < total)

        return await self._store.read(unit)

    async def get_record(self, caller: Caller, record_id: str) -> FileRecord:
        """A record, removed or not. Raises RECORD_NOT_FOUND."""

        async def unit(rows: Rows) -> FileRecord:
            row = await rows.record_of_team(caller.team_id, record_id)
            if row is None:
                raise IngestError(Reason.RECORD_NOT_FOUND, {"record_id": record_id}, resource=("FileRecord", record_id))
            return (await views.shown_records(rows, [row], self._board))[0]

        return await self._store.read(unit)

    async def list_records(
        self,
        caller: Caller,
        *,
        job_id: str | None,
        ingestion_job_id: str | None,
        statuses: Sequence[RecordStatus],
        show_deleted: bool,
        page_size: int,
        page_token: str,
        steps: Sequence[Step] = (),
        include_total: bool = False,
    ) -> Page[FileRecord]:
        """Records of a job, or of an ingestion job, oldest first.

        Of those with one of `steps` a page holds what is left of `page_size` records that have any: where a running
        one is, is known to its worker alone.

        Raises JOB_NOT_FOUND, INGESTION_JOB_NOT_FOUND, INVALID_PAGE_TOKEN, and INVALID_FIELD if neither is named.
        """
        filters = [job_id, ingestion_job_id, sorted(statuses), show_deleted, sorted(steps)]
        after = decode_token(caller.team_id, "records", filters, page_token)
        if steps:
            statuses = [status for status in HAVE_STEP if not statuses or status in statuses]
            if not statuses:
                return Page([], "", 0 if include_total else None)

        async def passing(rows: Rows, found: Sequence[RecordRow]) -> list[FileRecord]:
            shown = await views.shown_records(rows, found, self._board)
            return [one for one in shown if not steps or _step_of(one) in steps]

        async def unit(rows: Rows) -> tuple[list[FileRecord], int | None, int | None]:
            job_row, ingestion_row = await _owner(rows, caller, job_id, ingestion_job_id)
            listed = partial(
                rows.records, job_row=job_row, ingestion_row=ingestion_row, statuses=statuses, show_deleted=show_deleted
            )
            found = await listed(after=after or 0, limit=page_size + 1)
            page = found[:page_size]
            last = page[-1].record.row_id if len(found) > page_size else None
            total = None
            if include_total and not (steps or show_deleted):
                total = await _count(rows, job_row, ingestion_row, statuses)
            elif include_total:
                counted = await listed(after=0, limit=MAX_TOTAL)
                total = len(await passing(rows, counted) if steps else counted)
            return await passing(rows, page), last, total

        records, last, total = await self._store.read(unit)
        return Page(records, "" if last is None else encode_token(caller.team_id, "records", filters, last), total)


async def _count(rows: Rows, job_row: int | None, ingestion_row: int | None, statuses: Sequence[RecordStatus]) -> int:
    """Live records with one of these statuses, or with any: their owner counts them. At most MAX_TOTAL."""
    if ingestion_row is not None:
        tally = (await rows.ingestion_job_by_row(ingestion_row)).tally
    else:
        assert job_row is not None, "one of them owns the records"
        tally = (await rows.job_by_row(job_row)).tally
    return min(sum(tally.of(status) for status in set(statuses or RecordStatus)), MAX_TOTAL)


def _step_of(record: FileRecord) -> Step | None:
    """Where a record is, or where it failed."""
    return record.step or (record.error.step if record.error is not None else None)


async def _owner(
    rows: Rows, caller: Caller, job_id: str | None, ingestion_job_id: str | None
) -> tuple[int | None, int | None]:
    """(row of the job, row of the ingestion job); the narrower one counts, and must belong to the other."""
    if job_id is None and ingestion_job_id is None:
        raise invalid("job_id", "one of job_id and ingestion_job_id is required")
    job = None if job_id is None else await views.find_job(rows, caller.team_id, job_id)
    if ingestion_job_id is None:
        return (job.row_id if job else None), None
    ingestion_job = await _find(rows, caller, ingestion_job_id)
    if job is not None and ingestion_job.job_id != job.job_id:
        raise _not_found(ingestion_job_id)
    return None, ingestion_job.row_id


async def _find(rows: Rows, caller: Caller, ingestion_job_id: str) -> IngestionJob:
    found = await rows.ingestion_job(caller.team_id, ingestion_job_id)
    if found is None:
        raise _not_found(ingestion_job_id)
    return found


def _not_found(ingestion_job_id: str) -> IngestError:
    return IngestError(
        Reason.INGESTION_JOB_NOT_FOUND,
        {"ingestion_job_id": ingestion_job_id},
        resource=("IngestionJob", ingestion_job_id),
    )
