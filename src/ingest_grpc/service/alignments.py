"""StartJob: makes an alignment the current one of a job whose files are reviewed."""

from dataclasses import replace
from functools import partial

from pydantic import BaseModel

from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError, Precondition, Reason
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.lifecycle import AlignmentEngine, JobStatus, JobType, RecordStatus, job_status
from ingest_grpc.model import AlignmentJob, Caller, Job, JobDetail, Mutation, Request, ReviewReason
from ingest_grpc.service import views
from ingest_grpc.service.idempotency import once
from ingest_grpc.service.knowledge_bases.finding import find_knowledge_base, refuse_knowledge_base_job
from ingest_grpc.service.ledger import JobLedger
from ingest_grpc.service.progress import ProgressBoard
from ingest_grpc.service.queue import QueueTail
from ingest_grpc.store.interface import Rows, Store, Tx


class StartEffect(BaseModel):
    """What a StartJob call did; kept for its request id."""

    job_id: str
    alignment_job_id: str


class AlignmentService:
    """Starts jobs; `engine` makes their datasets."""

    def __init__(self, store: Store, clock: Clock, board: ProgressBoard, *, engine: AlignmentEngine) -> None:
        self._store = store
        self._clock = clock
        self._board = board
        self._engine = engine

    async def start(
        self, caller: Caller, job_id: str, expected_files_etag: str, request: Request | None
    ) -> Mutation[JobDetail]:
        """Queues an alignment of the job's viable files, as they were reviewed if an etag says so.

        Raises JOB_NOT_FOUND, JOB_DELETED, JOB_STARTED, FILES_ETAG_MISMATCH, FILES_PROCESSING and
        NOT_READY_TO_START.
        """

        async def unit(tx: Tx) -> Mutation[StartEffect]:
            async def effect() -> StartEffect:
                ledger = await JobLedger.open(tx, caller.team_id, job_id, self._clock.now(), caller.user_id)
                ledger.check_files_open()
                check_files_etag(ledger.job, expected_files_etag)
                refuse_knowledge_base_job(ledger.job)
                await check_ready(tx, ledger.job)
                await check_knowledge_base(tx, ledger.job)
                tail = await QueueTail.of(tx, caller.team_id, ledger.job.priority)
                alignment = await ledger.start_alignment(self._new(ledger, caller), tail.next())
                await ledger.close()
                return StartEffect(job_id=job_id, alignment_job_id=alignment.alignment_job_id)

            return await once(tx, caller, request, self._clock.now(), StartEffect, effect)

        done = await self._store.write(unit)
        find = partial(views.find_detail, team=caller.team_id, job_id=job_id, board=self._board)
        return Mutation(await self._store.read(find), done.replayed)

    def _new(self, ledger: JobLedger, caller: Caller) -> AlignmentJob:
        job = ledger.job
        return AlignmentJob(
            alignment_job_id=new_id(Prefix.ALIGNMENT),
            job_id=job.job_id,
            engine=self._engine,
            system_prompt=job.system_prompt,
            instructions=job.instructions,
            status=RecordStatus.QUEUED,
            user_id=caller.user_id,
            team_id=job.team_id,
            created_at=ledger.now,
        )


def check_files_etag(job: Job, expected: str) -> None:
    """Raises FILES_ETAG_MISMATCH unless the caller saw the files as they are, or does not care."""
    if expected and expected != job.files_etag:
        raise IngestError(
            Reason.FILES_ETAG_MISMATCH,
            {"expected_files_etag": expected, "actual_files_etag": job.files_etag},
            resource=("Job", job.job_id),
        )


async def check_ready(rows: Rows, job: Job) -> None:
    """Raises FILES_PROCESSING, and NOT_READY_TO_START with every review reason.

    A cancellation and an earlier alignment do not count: starting lifts both.
    """
    facts = replace(job.facts, cancelled=False, alignment=None)
    status = job_status(facts)
    resource = ("Job", job.job_id)
    if status is JobStatus.FILE_PROCESSING:
        metadata = {"queued": str(facts.tally.queued), "running": str(facts.tally.running)}
        raise IngestError(Reason.FILES_PROCESSING, metadata, resource=resource)
    if status is not JobStatus.READY_TO_START:
        anew = job.model_copy(update={"cancelled": False, "alignment_status": None})
        reasons = (await views.with_reviews(rows, anew)).review_reasons
        raise IngestError(
            Reason.NOT_READY_TO_START,
            {"job_id": job.job_id, "review_reasons_total": str(facts.reviews)},
            resource=resource,
            preconditions=[_precondition(job.job_id, reason) for reason in reasons],
            preconditions_total=facts.reviews,
        )


async def check_knowledge_base(rows: Rows, job: Job) -> None:
    """Raises KNOWLEDGE_BASE_EMPTY where a job is to use a knowledge base that has nothing yet."""
    if job.job_type is not JobType.CONTEXT_GROUNDED_VECTOR_DB or job.knowledge_base_id is None:
        return
    knowledge_base = await find_knowledge_base(rows, job.team_id, job.knowledge_base_id)
    if not await rows.is_searchable(knowledge_base.row_id):
        about = {"knowledge_base_id": job.knowledge_base_id}
        raise IngestError(Reason.KNOWLEDGE_BASE_EMPTY, about, resource=("KnowledgeBase", job.knowledge_base_id))


def _precondition(job_id: str, reason: ReviewReason) -> Precondition:
    about = f"{reason.filename}: " if reason.filename else ""
    return Precondition(reason.type, reason.record_id or job_id, f"{about}{reason.message} {reason.suggested_fix}")
