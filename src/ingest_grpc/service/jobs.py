"""JobService: jobs and their timelines."""

from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

from pydantic import BaseModel

from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.lifecycle import IN_FLIGHT, JobFacts, JobStatus, job_status
from ingest_grpc.model import (
    Caller,
    EventType,
    FilesAdded,
    FilesRemoved,
    FileToAdd,
    Job,
    JobCancelled,
    JobDetail,
    JobFile,
    JobFilter,
    Method,
    Mutation,
    NewJob,
    Page,
    Request,
    TimelinePage,
)
from ingest_grpc.service import job_files, views
from ingest_grpc.service.idempotency import once, recall, remember
from ingest_grpc.service.job_cache import ListedJobs
from ingest_grpc.service.job_files import AddFiles, AddRules, FilesAddedEffect, FilesRemovedEffect
from ingest_grpc.service.job_pages import count_jobs, in_order, jobs_page
from ingest_grpc.service.knowledge_bases.documents import end_reindex, give_up_reindex
from ingest_grpc.service.knowledge_bases.finding import (
    fed_by,
    find_knowledge_base,
    refuse_knowledge_base_job,
)
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.service.paging import MAX_TOTAL, decode_cursor, decode_token, encode_cursor, encode_token
from ingest_grpc.service.progress import ProgressBoard
from ingest_grpc.store.interface import JobCursor, Rows, Store, Tx, WriteUnit

CANCEL_SLICE = 200
"""Records cancelled in one transaction, some 20 ms: all other writers wait for it."""

_AddUnit: TypeAlias = WriteUnit[Mutation[FilesAddedEffect]]


class CancelEffect(BaseModel):
    """What a CancelJob call did; kept for its request id."""

    job_id: str
    records_cancelled: int
    alignment_cancelled: bool = False


class JobService:
    """Creates, reads and changes jobs."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        board: ProgressBoard,
        listed: ListedJobs,
        *,
        default_method: Method,
        rules: AddRules,
    ) -> None:
        self._store = store
        self._clock = clock
        self._board = board
        self._listed = listed
        self._default_method = default_method
        self._rules = rules

    async def create(
        self, caller: Caller, new: NewJob, request: Request | None, *, validate_only: bool = False
    ) -> Mutation[FilesAdded]:
        """Creates a job with its files, in one transaction. Raises EXTERNAL_ID_TAKEN, and what AddFiles raises."""

        async def unit(tx: Tx) -> Mutation[FilesAddedEffect]:
            async def effect() -> FilesAddedEffect:
                await check_external_id(tx, caller.team_id, new.external_id)
                if new.knowledge_base_id is not None:
                    await find_knowledge_base(tx, caller.team_id, new.knowledge_base_id)
                ledger = await JobLedger.create(tx, self._new_job(caller, new), caller.user_id)
                added = FilesAddedEffect(job_id=ledger.job.job_id)
                if new.files:
                    added = await (await self._adding(ledger, caller, None, allow_partial=False)).run(new.files)
                await ledger.close()
                return added

            return await once(tx, caller, request, self._clock.now(), FilesAddedEffect, effect)

        return await self._added(caller, unit, validate_only=validate_only, full=True)

    def _new_job(self, caller: Caller, new: NewJob) -> Job:
        now = self._clock.now()
        facts = JobFacts(
            new.job_type,
            has_system_prompt=bool(new.system_prompt),
            has_knowledge_base=new.knowledge_base_id is not None,
        )
        return Job(
            job_id=new_id(Prefix.JOB),
            name=new.name,
            description=new.description,
            job_type=new.job_type,
            status=job_status(facts),
            system_prompt=new.system_prompt,
            system_prompt_updated_at=now if new.system_prompt else None,
            instructions=new.instructions,
            instructions_updated_at=now if new.instructions else None,
            method=new.method or self._default_method,
            user_id=caller.user_id,
            team_id=caller.team_id,
            priority=min(new.priority, caller.max_priority),
            external_id=new.external_id,
            labels=new.labels,
            knowledge_base_id=new.knowledge_base_id,
            created_at=now,
            updated_at=now,
        )

    async def get(self, caller: Caller, job_id: str) -> Job:
        """The BASIC view. Raises JOB_NOT_FOUND."""
        return (await self.get_detail(caller, job_id, full=False)).job

    async def get_detail(self, caller: Caller, job_id: str, *, full: bool = True) -> JobDetail:
        """The FULL view, or the BASIC one. Raises JOB_NOT_FOUND."""
        return await self._store.read(partial(self._detail, caller=caller, job_id=job_id, full=full))

    async def _detail(self, rows: Rows, caller: Caller, job_id: str, *, full: bool) -> JobDetail:
        return await views.find_detail(rows, team=caller.team_id, job_id=job_id, board=self._board, full=full)

    async def list(
        self, caller: Caller, wanted: JobFilter, *, page_size: int, page_token: str, include_total: bool = False
    ) -> Page[Job]:
        """The team's jobs that pass the filter, in its order. Raises INVALID_PAGE_TOKEN."""
        filters = in_order(wanted).model_dump(mode="json")
        after = decode_cursor(caller.team_id, "jobs", filters, page_token)

        async def unit(rows: Rows) -> tuple[list[Job], JobCursor | None, int | None]:
            jobs, cursor = await jobs_page(rows, self._listed, caller.team_id, wanted, after, page_size)
            return jobs, cursor, await count_jobs(rows, caller.team_id, wanted) if include_total else None

        jobs, cursor, total = await self._store.read(unit)
        token = "" if cursor is None else encode_cursor(caller.team_id, "jobs", filters, cursor)
        return Page(jobs, token, total)

    async def list_files(
        self, caller: Caller, job_id: str, *, page_size: int, page_token: str, include_total: bool = False
    ) -> Page[JobFile]:
        """The unified file list: Markdown first, then ingestion outputs. Raises JOB_NOT_FOUND, INVALID_PAGE_TOKEN."""
        after = decode_cursor(caller.team_id, "job_files", job_id, page_token)

        async def unit(rows: Rows) -> tuple[Sequence[JobFile], JobCursor | None, int | None]:
            job = await views.find_job(rows, caller.team_id, job_id)
            total = min(job.markdown_files + job.tally.total, MAX_TOTAL) if include_total else None
            return *await views.file_list(rows, job, after, page_size), total

        files, cursor, total = await self._store.read(unit)
        token = "" if cursor is None else encode_cursor(caller.team_id, "job_files", job_id, cursor)
        return Page(files, token, total)

    async def add_files(
        self,
        caller: Caller,
        job_id: str,
        files: Sequence[FileToAdd],
        *,
        method: Method | None,
        allow_partial: bool,
        request: Request | None,
        validate_only: bool = False,
        full: bool = True,
    ) -> Mutation[FilesAdded]:
        """Adds files as one ingestion job. Raises JOB_NOT_FOUND and, unless partial, FILE_NOT_FOUND and others."""

        async def unit(tx: Tx) -> Mutation[FilesAddedEffect]:
            async def effect() -> FilesAddedEffect:
                ledger = await JobLedger.open(tx, caller.team_id, job_id, self._clock.now(), caller.user_id)
                refuse_knowledge_base_job(ledger.job)
                adding = await self._adding(ledger, caller, method, allow_partial=allow_partial)
                added = await adding.run(files)
                await ledger.close()
                return added

            return await once(tx, caller, request, self._clock.now(), FilesAddedEffect, effect)

        return await self._added(caller, unit, validate_only=validate_only, full=full)

    async def _adding(
        self, ledger: JobLedger, caller: Caller, method: Method | None, *, allow_partial: bool
    ) -> AddFiles:
        chosen = method or ledger.job.method
        knowledge_base = await fed_by(ledger.tx, ledger.job)
        return AddFiles(ledger, caller.user_id, chosen, allow_partial, self._rules, knowledge_base)

    async def _added(self, caller: Caller, unit: _AddUnit, *, validate_only: bool, full: bool) -> Mutation[FilesAdded]:
        """The result with the job as it is now; or, where nothing is to change, as it would be."""
        if validate_only:
            return await self._rehearse(caller, unit, full=full)
        done = await self._store.write(unit)
        effect = done.value
        detail = await self.get_detail(caller, effect.job_id, full=full)
        return Mutation(FilesAdded(detail, effect.results, effect.ingestion_job_id), done.replayed)

    async def _rehearse(self, caller: Caller, unit: _AddUnit, *, full: bool) -> Mutation[FilesAdded]:
        """Does it all, looks at it, and takes it back."""

        async def rehearsed(tx: Tx) -> FilesAdded:
            effect = (await unit(tx)).value
            detail = await self._detail(tx, caller, effect.job_id, full=full)
            return FilesAdded(detail, effect.results, effect.ingestion_job_id)

        return Mutation(await self._store.write(lambda tx: tx.rehearse(rehearsed)))

    async def remove_files(
        self,
        caller: Caller,
        job_id: str,
        *,
        record_ids: Sequence[str],
        file_ids: Sequence[str],
        request: Request | None,
        full: bool = True,
    ) -> Mutation[FilesRemoved]:
        """Removes records and Markdown; what runs is stopped. Raises JOB_NOT_FOUND and JOB_STARTED."""

        async def unit(tx: Tx) -> Mutation[FilesRemovedEffect]:
            async def effect() -> FilesRemovedEffect:
                ledger = await JobLedger.open(tx, caller.team_id, job_id, self._clock.now(), caller.user_id)
                ledger.check_files_open()
                results = [await job_files.remove_by_record_id(ledger, record_id) for record_id in record_ids]
                results += [await job_files.remove_by_file_id(ledger, file_id) for file_id in file_ids]
                await end_reindex(tx, await ledger.close(), ledger.now)
                return FilesRemovedEffect(job_id=job_id, results=tuple(results))

            return await once(tx, caller, request, self._clock.now(), FilesRemovedEffect, effect)

        done = await self._store.write(unit)
        detail = await self.get_detail(caller, job_id, full=full)
        return Mutation(FilesRemoved(detail, done.value.results), done.replayed)

    async def cancel(self, caller: Caller, job_id: str, request: Request | None) -> Mutation[JobCancelled]:
        """Cancels all that is in flight now, and leaves a job alone whose alignment completed or failed.

        Repeating it changes nothing. Raises JOB_NOT_FOUND.

        A large job is cancelled in slices; one that is interrupted between two of them is finished by the
        caller's retry, which finds only what is left.
        """
        cancelled, up_to = 0, None
        while True:
            work = partial(
                self._cancel_slice, caller=caller, job_id=job_id, request=request, up_to=up_to, so_far=cancelled
            )
            done, up_to = await self._store.write(work)
            cancelled = done.value.records_cancelled
            if up_to is None:
                break
        job = await self.get(caller, job_id)
        return Mutation(JobCancelled(job, cancelled, done.value.alignment_cancelled), done.replayed)

    async def _cancel_slice(
        self, tx: Tx, caller: Caller, job_id: str, request: Request | None, up_to: int | None, so_far: int
    ) -> tuple[Mutation[CancelEffect], int | None]:
        """Returns up to which row the next slice goes, None after the last; the first one sees what is the newest."""
        earlier = await recall(tx, caller, request, CancelEffect)
        if earlier is not None:
            return Mutation(earlier, replayed=True), None
        ledger = await JobLedger.open(tx, caller.team_id, job_id, self._clock.now(), caller.user_id)
        aligning = ledger.job.alignment_status in IN_FLIGHT
        first, up_to = up_to is None, await tx.newest_record(ledger.job.row_id) if up_to is None else up_to
        cancelled, more = await self.cancel_in_flight(ledger, up_to, CANCEL_SLICE, first=first)
        job = await ledger.close()
        if not more and job.cancelled:
            await give_up_reindex(tx, job, ledger.now)
        effect = CancelEffect(job_id=job_id, records_cancelled=so_far + cancelled, alignment_cancelled=aligning)
        if not more:  # only the last slice answers the request, so only it is remembered
            await remember(tx, caller, request, effect, self._clock.now())
        return Mutation(effect), up_to if more else None

    async def cancel_in_flight(
        self, ledger: JobLedger, up_to: int, limit: int, *, first: bool = True
    ) -> tuple[int, bool]:
        """(how many records were cancelled, whether more are in flight up to that row)."""
        if ledger.job.status in (JobStatus.COMPLETED, JobStatus.FAILED):
            return 0, False
        if first:  # files that come between two slices are the later command: they lift the cancellation
            ledger.cancel_requested(True)
        await ledger.cancel_alignment()
        in_flight = await ledger.tx.in_flight_records(ledger.job.row_id, up_to, limit + 1)
        for row in in_flight[:limit]:
            await job_files.cancel_record(ledger, row)
        return min(limit, len(in_flight)), len(in_flight) > limit

    async def list_events(
        self,
        caller: Caller,
        job_id: str,
        *,
        after_sequence: int,
        types: Sequence[EventType],
        page_size: int,
        page_token: str,
        include_total: bool = False,
    ) -> TimelinePage:
        """Events of a job, oldest first; before its earliest sequence only milestones are left.

        Raises JOB_NOT_FOUND, SEQUENCE_IN_FUTURE and INVALID_PAGE_TOKEN.
        """
        filters = [job_id, after_sequence, sorted(types)]
        after = decode_token(caller.team_id, "events", filters, page_token)
        cursor = after_sequence if after is None else after

        async def unit(rows: Rows) -> TimelinePage:
            job = await views.find_job(rows, caller.team_id, job_id)
            check_not_in_future(job, cursor)
            events = await rows.events_after(job.row_id, cursor, page_size + 1, types)
            more = len(events) > page_size
            token = encode_token(caller.team_id, "events", filters, events[page_size - 1].sequence) if more else ""
            total = None
            if include_total:
                total = await rows.count_events(job.row_id, after_sequence, MAX_TOTAL, types)
            return TimelinePage(events[:page_size], token, job.earliest_sequence, job.last_sequence, total)

        return await self._store.read(unit)


async def check_external_id(tx: Tx, team: str, external_id: str | None) -> None:
    """Raises EXTERNAL_ID_TAKEN, naming the job that has it."""
    if external_id is not None and (job := await tx.job_by_external_id(team, external_id)) is not None:
        raise IngestError(
            Reason.EXTERNAL_ID_TAKEN,
            {"external_id": external_id, "resource_id": job.job_id},
            resource=("Job", job.job_id),
        )


def check_not_in_future(job: Job, after_sequence: int) -> None:
    """Raises SEQUENCE_IN_FUTURE for a cursor beyond the head."""
    if after_sequence > job.last_sequence:
        raise IngestError(
            Reason.SEQUENCE_IN_FUTURE,
            {
                "after_sequence": str(after_sequence),
                "head_sequence": str(job.last_sequence),
                "earliest_sequence": str(job.earliest_sequence),
            },
        )
