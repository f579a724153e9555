"""JobService: jobs and their timelines."""

from collections.abc import Sequence
from functools import partial

from pydantic import BaseModel

from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.lifecycle import JobFacts, JobStatus, job_status
from ingest_grpc.model import (
    Caller,
    EventType,
    FilesAdded,
    FilesRemoved,
    FileToAdd,
    Job,
    JobCancelled,
    JobDetail,
    Method,
    Mutation,
    NewJob,
    Page,
    Request,
    TimelinePage,
)
from ingest_grpc.service import job_files, views
from ingest_grpc.service.idempotency import once, recall, remember
from ingest_grpc.service.job_files import AddFiles, FilesAddedEffect, FilesRemovedEffect
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.service.paging import decode_token, encode_token
from ingest_grpc.service.progress import ProgressBoard
from ingest_grpc.store.interface import Rows, Store, Tx

CANCEL_SLICE = 1_000
"""Records cancelled in one transaction: a job of 100,000 must not keep all other writers waiting."""


class CancelEffect(BaseModel):
    """What a CancelJob call did; kept for its request id."""

    job_id: str
    records_cancelled: int


class JobService:
    """Creates, reads and changes jobs."""

    def __init__(
        self, store: Store, clock: Clock, board: ProgressBoard, *, default_method: Method, max_records: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._board = board
        self._default_method = default_method
        self._max_records = max_records

    async def create(self, caller: Caller, new: NewJob, request: Request | None) -> Mutation[FilesAdded]:
        """Creates a job with its files, in one transaction. Raises what AddFiles raises."""

        async def unit(tx: Tx) -> Mutation[FilesAddedEffect]:
            async def effect() -> FilesAddedEffect:
                ledger = await JobLedger.create(tx, self._new_job(caller, new), caller.user_id)
                added = FilesAddedEffect(job_id=ledger.job.job_id)
                if new.files:
                    added = await self._adding(ledger, caller, None, allow_partial=False).run(new.files)
                await ledger.close()
                return added

            return await once(tx, caller, request, self._clock.now(), FilesAddedEffect, effect)

        return await self._added(caller, await self._store.write(unit))

    def _new_job(self, caller: Caller, new: NewJob) -> Job:
        now = self._clock.now()
        facts = JobFacts(new.job_type, has_system_prompt=bool(new.system_prompt))
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
            created_at=now,
            updated_at=now,
        )

    async def get(self, caller: Caller, job_id: str) -> Job:
        """The BASIC view. Raises JOB_NOT_FOUND."""

        async def unit(rows: Rows) -> Job:
            return await views.with_reviews(rows, await views.find_job(rows, caller.team_id, job_id))

        return await self._store.read(unit)

    async def get_detail(self, caller: Caller, job_id: str) -> JobDetail:
        """The FULL view. Raises JOB_NOT_FOUND."""

        async def unit(rows: Rows) -> JobDetail:
            return await views.job_detail(rows, await views.find_job(rows, caller.team_id, job_id), self._board)

        return await self._store.read(unit)

    async def list(
        self, caller: Caller, *, statuses: Sequence[JobStatus], page_size: int, page_token: str
    ) -> Page[Job]:
        """The team's jobs, newest first. Raises INVALID_PAGE_TOKEN."""
        filters = sorted(statuses)
        before = decode_token(caller.team_id, "jobs", filters, page_token)

        async def unit(rows: Rows) -> tuple[list[Job], bool]:
            jobs = await rows.jobs_newest(caller.team_id, statuses, before, page_size + 1)
            limit = views.MAX_REVIEW_REASONS_IN_LISTS
            return [await views.with_reviews(rows, job, limit) for job in jobs[:page_size]], len(jobs) > page_size

        jobs, more = await self._store.read(unit)
        token = encode_token(caller.team_id, "jobs", filters, jobs[-1].row_id) if more else ""
        return Page(jobs, token)

    async def add_files(
        self,
        caller: Caller,
        job_id: str,
        files: Sequence[FileToAdd],
        *,
        method: Method | None,
        allow_partial: bool,
        request: Request | None,
    ) -> Mutation[FilesAdded]:
        """Adds files as one ingestion job. Raises JOB_NOT_FOUND and, unless partial, FILE_NOT_FOUND and others."""

        async def unit(tx: Tx) -> Mutation[FilesAddedEffect]:
            async def effect() -> FilesAddedEffect:
                ledger = await JobLedger.open(tx, caller.team_id, job_id, self._clock.now(), caller.user_id)
                added = await self._adding(ledger, caller, method, allow_partial=allow_partial).run(files)
                await ledger.close()
                return added

            return await once(tx, caller, request, self._clock.now(), FilesAddedEffect, effect)

        return await self._added(caller, await self._store.write(unit))

    def _adding(self, ledger: JobLedger, caller: Caller, method: Method | None, *, allow_partial: bool) -> AddFiles:
        return AddFiles(ledger, caller.user_id, method or ledger.job.method, allow_partial, self._max_records)

    async def _added(self, caller: Caller, done: Mutation[FilesAddedEffect]) -> Mutation[FilesAdded]:
        effect = done.value
        detail = await self.get_detail(caller, effect.job_id)
        return Mutation(FilesAdded(detail, effect.results, effect.ingestion_job_id), done.replayed)

    async def remove_files(
        self,
        caller: Caller,
        job_id: str,
        *,
        record_ids: Sequence[str],
        file_ids: Sequence[str],
        request: Request | None,
    ) -> Mutation[FilesRemoved]:
        """Removes records and Markdown; what runs is stopped. Raises JOB_NOT_FOUND."""

        async def unit(tx: Tx) -> Mutation[FilesRemovedEffect]:
            async def effect() -> FilesRemovedEffect:
                ledger = await JobLedger.open(tx, caller.team_id, job_id, self._clock.now(), caller.user_id)
                results = [await job_files.remove_by_record_id(ledger, record_id) for record_id in record_ids]
                results += [await job_files.remove_by_file_id(ledger, file_id) for file_id in file_ids]
                await ledger.close()
                return FilesRemovedEffect(job_id=job_id, results=tuple(results))

            return await once(tx, caller, request, self._clock.now(), FilesRemovedEffect, effect)

        done = await self._store.write(unit)
        detail = await self.get_detail(caller, job_id)
        return Mutation(FilesRemoved(detail, done.value.results), done.replayed)

    async def cancel(self, caller: Caller, job_id: str, request: Request | None) -> Mutation[JobCancelled]:
        """Cancels all that is in flight now. Repeating it changes nothing. Raises JOB_NOT_FOUND.

        A large job is cancelled in slices; one that is interrupted between two of them is finished by the
        caller's retry, which finds only what is left.
        """
        up_to = await self._store.read(lambda rows: _newest_record(rows, caller.team_id, job_id))
        cancelled = 0
        while True:
            work = partial(
                self._cancel_slice, caller=caller, job_id=job_id, request=request, up_to=up_to, so_far=cancelled
            )
            done, more = await self._store.write(work)
            cancelled = done.value.records_cancelled
            if not more:
                break
        return Mutation(JobCancelled(await self.get(caller, job_id), cancelled), done.replayed)

    async def _cancel_slice(
        self, tx: Tx, caller: Caller, job_id: str, request: Request | None, up_to: int, so_far: int
    ) -> tuple[Mutation[CancelEffect], bool]:
        earlier = await recall(tx, caller, request, CancelEffect)
        if earlier is not None:
            return Mutation(earlier, replayed=True), False
        ledger = await JobLedger.open(tx, caller.team_id, job_id, self._clock.now(), caller.user_id)
        if so_far == 0:  # files that come between two slices are the later command: they lift the cancellation
            ledger.cancel_requested(True)
        in_flight = await tx.in_flight_records(ledger.job.row_id, up_to, CANCEL_SLICE + 1)
        for row in in_flight[:CANCEL_SLICE]:
            await job_files.cancel_record(ledger, row)
        await ledger.close()
        effect = CancelEffect(job_id=job_id, records_cancelled=so_far + len(in_flight[:CANCEL_SLICE]))
        more = len(in_flight) > CANCEL_SLICE
        if not more:  # only the last slice answers the request, so only it is remembered
            await remember(tx, caller, request, effect, self._clock.now())
        return Mutation(effect), more

    async def list_events(
        self,
        caller: Caller,
        job_id: str,
        *,
        after_sequence: int,
        types: Sequence[EventType],
        page_size: int,
        page_token: str,
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
            return TimelinePage(events[:page_size], token, job.earliest_sequence, job.last_sequence)

        return await self._store.read(unit)


async def _newest_record(rows: Rows, team: str, job_id: str) -> int:
    return await rows.newest_record((await views.find_job(rows, team, job_id)).row_id)


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
