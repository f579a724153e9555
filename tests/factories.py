"""A whole core for tests: real ledger, real blobs, real services and workers, and a clock that is turned by hand.

The factories chain: a `Core` uploads files, makes jobs of them and plays the worker on their records. After each
change it recounts the ledger (tests/invariants.py), so every test is a test of the invariants too.
"""

import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from obstore.store import MemoryStore

from ingest_grpc.api.caches import JobCaches
from ingest_grpc.blobs.interface import Blobs, StoredBlob
from ingest_grpc.blobs.local import LocalBlobs
from ingest_grpc.blobs.objects import ObjectBlobs
from ingest_grpc.blobs.origins.origins import Origins
from ingest_grpc.clock import ManualClock
from ingest_grpc.config import Settings
from ingest_grpc.errors import Reason
from ingest_grpc.hub import Hub
from ingest_grpc.lifecycle import JobType, Step
from ingest_grpc.model import (
    AlignmentJob,
    Caller,
    EventType,
    File,
    FilesAdded,
    FilesRemoved,
    FileToAdd,
    Job,
    Method,
    NewFile,
    NewJob,
    RecordError,
    Request,
    Scope,
    TimelineEvent,
)
from ingest_grpc.pipeline.align.engines import alignment_engines, chosen_engine, patience_seconds
from ingest_grpc.service.alignment_work import AlignmentWork
from ingest_grpc.service.alignments import AlignmentService
from ingest_grpc.service.attempts import AttemptLimits
from ingest_grpc.service.file_services import FileServices
from ingest_grpc.service.ingestion import IngestionService
from ingest_grpc.service.job_files import AddRules
from ingest_grpc.service.jobs import JobService
from ingest_grpc.service.keys import KeyService
from ingest_grpc.service.knowledge_bases.services import KnowledgeServices
from ingest_grpc.service.progress import ProgressBoard
from ingest_grpc.service.retention import Retention
from ingest_grpc.service.retries import RetryService
from ingest_grpc.service.settings import SettingsService
from ingest_grpc.service.waits import WaitService
from ingest_grpc.service.work import Done, Failed, Retry, WorkService
from ingest_grpc.store.alignment_interface import AlignmentRow
from ingest_grpc.store.interface import Claim, Commit, RecordRow
from ingest_grpc.store.sqlite.store import SqliteStore
from ingest_grpc.worker.aligner import AlignmentRunner
from ingest_grpc.worker.images import new_images
from ingest_grpc.worker.indexer import Indexer
from ingest_grpc.worker.janitor import Janitor
from ingest_grpc.worker.lease import Leases
from ingest_grpc.worker.pool import Pool
from ingest_grpc.worker.reaper import Reaper
from ingest_grpc.worker.runner import Runner, output_key
from ingest_grpc.worker.stager import Stager
from ingest_grpc.worker.unpacker import Unpacker
from tests.cached_rows import check_cached_rows
from tests.engine import ENGINE, made_by_engine
from tests.executors import FakeExecutor
from tests.invariants import check_ledger, stored_files

ALICE = Caller("team-a", "alice", frozenset(Scope), "key-alice")
BOB = Caller("team-b", "bob", frozenset(Scope), "key-bob")
WORKER = "worker-1"


MARKDOWN = b"# Title\n"


def quick_disk() -> Path | None:
    """A file system in memory if there is one with room; None = wherever temporary files go."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 256 * 2**20 else None


def request(request_id: str, payload: bytes = b"payload", method: str = "/ingest_grpc.v1.Test/Mutate") -> Request:
    return Request(method, request_id, payload)


async def chunks_of(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def to_add(*files: File | str) -> tuple[FileToAdd, ...]:
    return tuple(FileToAdd(file_id=file if isinstance(file, str) else file.file_id) for file in files)


class Core:
    """Everything below the API, over one data folder. `reopen` is what a restart of the server does to it.

    `memory` keeps the blobs there: quicker, for tests that make very many ledgers.
    """

    def __init__(self, folder: Path, *, memory: MemoryStore | None = None, **settings: object) -> None:
        self._memory = memory
        defaults: dict[str, object] = {"readers": 2, "workers": 2, "min_free_disk_bytes": 0}
        defaults["busy_timeout_seconds"] = 1.0
        self.settings = Settings.model_validate({**defaults, **settings, "data_dir": folder})
        self.clock = ManualClock()
        self.origins: Origins | None = None  # as the settings say
        self.commits: list[Commit] = []
        self.broken = 0
        self._build()

    def _build(self) -> None:
        settings, clock = self.settings, self.clock
        self.hub, self.board = Hub(), ProgressBoard(clock)
        self.store = SqliteStore(
            settings.ledger_path,
            clock,
            readers=settings.readers,
            write_queue=settings.write_queue,
            busy_timeout_seconds=settings.busy_timeout_seconds,
            team_max_running=settings.team_max_running,
            on_commit=self._on_commit,
            on_broken=self._on_broken,
        )
        self.blobs: Blobs = (
            LocalBlobs(settings.data_dir / "blobs") if self._memory is None else ObjectBlobs(self._memory)
        )
        self.keys, self.caches = KeyService(self.store, clock), JobCaches.of(self.store)
        rules = AddRules(settings.max_records_per_job, settings.team_max_queued, made_by_engine)
        default = Method.SPEED_OPTIMIZED
        self.jobs = JobService(self.store, clock, self.board, self.caches.listed, rules=rules, default_method=default)
        self.file_services = FileServices.build(settings, self.store, self.blobs, clock, self.origins)
        self.knowledge = KnowledgeServices.build(settings, self.store, clock, self.file_services, self.jobs, rules)
        self.files = self.file_services.files
        self.ingestion = IngestionService(self.store, self.board)
        self.retries = RetryService(self.store, clock, self.board, max_queued=settings.team_max_queued)
        self.job_settings = SettingsService(
            self.store, clock, self.board, self.jobs, purge_after_days=settings.purge_after_days
        )
        self.waits = WaitService(self.store, self.hub, clock)
        self.alignments = AlignmentService(self.store, clock, self.board, engine=chosen_engine(settings))
        self._build_workers()

    def _build_workers(self) -> None:
        settings, clock = self.settings, self.clock
        limits = AttemptLimits(settings.max_failures, settings.max_orphaned)
        self.work = WorkService(self.store, clock, limits=limits, backoff_max_seconds=settings.backoff_max_seconds)
        self.executor = FakeExecutor()
        self.leases = Leases(clock, settings.lease_seconds)
        self.runner = Runner(
            self.work,
            self.blobs,
            self.executor,
            self.board,
            self.leases,
            self.file_services.imports,
            Unpacker.build(settings, self.store, self.blobs, clock, self.executor, made_by_engine),
            Indexer.build(self.knowledge, self.blobs),
            new_images(settings, self.store, self.blobs),
            conversion_seconds=settings.conversion_timeout_seconds,
            most_output_bytes=settings.max_output_bytes,
            backoff_base_seconds=settings.backoff_base_seconds,
            backoff_max_seconds=settings.backoff_max_seconds,
            rng=random.Random(1),
        )
        self.alignment_work = AlignmentWork(self.store, clock, limits=limits)
        self.aligner = AlignmentRunner(
            self.alignment_work,
            self.blobs,
            alignment_engines(settings),
            self.board,
            self.leases,
            clock,
            patience_seconds=patience_seconds(settings),
            backoff_base_seconds=settings.backoff_base_seconds,
            backoff_max_seconds=settings.backoff_max_seconds,
            rng=random.Random(1),
        )
        self.pool = Pool(
            self.work, self.runner, self.aligner, self.leases, clock, size=settings.worker_count, worker_id=WORKER
        )
        self.reaper = Reaper(self.work, self.leases, self.pool)
        self.stager = Stager(self.work)
        self.retention = Retention(
            self.store, clock, event_days=settings.event_retention_days, output_days=settings.output_retention_days
        )
        self.janitor = Janitor(self.store, self.file_services, clock, request_id_days=settings.request_id_days)

    def _on_commit(self, commit: Commit) -> None:
        self.commits.append(commit)
        self.caches.changed(commit)
        self.hub.wake(commit.jobs)
        self.hub.wake(commit.teams)
        self.pool.stop_claims(commit.stopped)
        if commit.claimable:
            self.pool.wake()

    def _on_broken(self) -> None:
        self.broken += 1

    async def start(self) -> None:
        await self.store.start()
        await self.blobs.start(self._is_known)
        await self.file_services.start()

    async def stop(self) -> None:
        await self.pool.stop(0)
        await self.file_services.stop()
        await self.blobs.stop()
        await self.store.stop()

    async def reopen(self) -> None:
        await self.stop()
        self._build()
        await self.start()

    async def _is_known(self, blob_key: str) -> bool:
        return await self.store.read(lambda rows: rows.blob_is_kept(blob_key))

    async def check(self) -> None:
        """Recounts the ledger; to be called while nothing is on its way."""
        if isinstance(self.blobs, LocalBlobs):
            await self.blobs.settled()
            stored = stored_files(self.settings.data_dir / "blobs")
        else:
            stored = {blob.key: blob.size_bytes async for blob in self.blobs.listing()}
        await check_ledger(self.store, self.settings.ledger_path, stored)
        await check_cached_rows(self.store)

    # ── callers ────────────────────────────────────────────────────────────────────────────────────────

    async def upload(
        self, filename: str = "a.pdf", data: bytes | None = None, caller: Caller = ALICE, content_type: str = "x/y"
    ) -> File:
        """A file whose bytes are its name unless given."""
        new = NewFile(filename=filename, content_type=content_type)
        done = await self.files.upload(caller, new, chunks_of(filename.encode() if data is None else data), None)
        return done.value

    async def uploads(self, count: int, caller: Caller = ALICE, prefix: str = "") -> list[File]:
        return [await self.upload(f"{prefix}{number}.pdf", caller=caller) for number in range(1, count + 1)]

    async def markdown(self, filename: str = "notes.md", data: bytes = MARKDOWN, caller: Caller = ALICE) -> File:
        return await self.upload(filename, data, caller)

    async def create(
        self,
        *files: File | str,
        caller: Caller = ALICE,
        job_type: JobType = JobType.CONTEXT_GROUNDED_FILES,
        system_prompt: str = "",
        request: Request | None = None,
    ) -> FilesAdded:
        new = NewJob(name="job", job_type=job_type, system_prompt=system_prompt, files=to_add(*files))
        done = await self.jobs.create(caller, new, request)
        await self.check()
        return done.value

    async def add(
        self,
        job_id: str,
        *files: File | FileToAdd,
        caller: Caller = ALICE,
        allow_partial: bool = False,
        request: Request | None = None,
    ) -> FilesAdded:
        items = [file if isinstance(file, FileToAdd) else FileToAdd(file_id=file.file_id) for file in files]
        done = await self.jobs.add_files(
            caller, job_id, items, method=None, allow_partial=allow_partial, request=request
        )
        await self.check()
        return done.value

    async def remove(
        self, job_id: str, *, records: Sequence[str] = (), files: Sequence[str] = (), caller: Caller = ALICE
    ) -> FilesRemoved:
        done = await self.jobs.remove_files(caller, job_id, record_ids=records, file_ids=files, request=None)
        await self.check()
        return done.value

    async def cancel(self, job_id: str, caller: Caller = ALICE) -> int:
        done = await self.jobs.cancel(caller, job_id, None)
        await self.check()
        return done.value.records_cancelled

    async def start_job(
        self, job_id: str, caller: Caller = ALICE, files_etag: str = "", request: Request | None = None
    ) -> AlignmentJob:
        """Starts a job; the alignment as the reply shows it."""
        done = await self.alignments.start(caller, job_id, files_etag, request)
        await self.check()
        assert done.value.alignment is not None
        return done.value.alignment

    async def alignment(self, job_id: str, caller: Caller = ALICE) -> AlignmentJob:
        """The current alignment as GetJob shows it."""
        detail = await self.jobs.get_detail(caller, job_id)
        assert detail.alignment is not None
        return detail.alignment

    async def read(self, file_id: str, caller: Caller = ALICE) -> bytes:
        return (await self.files.read(caller, file_id, 0, 0)).data

    async def job(self, job_id: str, caller: Caller = ALICE) -> Job:
        return await self.jobs.get(caller, job_id)

    async def events(self, job_id: str, after: int = 0, caller: Caller = ALICE) -> list[TimelineEvent]:
        page = await self.jobs.list_events(
            caller, job_id, after_sequence=after, types=(), page_size=1_000, page_token=""
        )
        return list(page.events)

    async def event_types(self, job_id: str, after: int = 0) -> list[EventType]:
        return [event.type for event in await self.events(job_id, after)]

    # ── the worker ─────────────────────────────────────────────────────────────────────────────────────

    async def claim(self, limit: int = 1) -> list[RecordRow]:
        claims = await self.claim_records(limit)
        await self.check()
        return claims

    async def claim_records(self, limit: int = 1) -> list[RecordRow]:
        """Without a recount, for tests that have very many records."""
        claims = await self.work.claim(WORKER, limit)
        assert not any(isinstance(claim, AlignmentRow) for claim in claims)
        return [claim for claim in claims if isinstance(claim, RecordRow)]

    async def claim_alignment(self) -> AlignmentRow:
        """The only thing that can be claimed."""
        [claim] = await self.work.claim(WORKER, 10)
        await self.check()
        assert isinstance(claim, AlignmentRow)
        return claim

    async def claim_one(self) -> RecordRow:
        [claim] = await self.claim(1)
        return claim

    async def store_output(self, claim: RecordRow, data: bytes = MARKDOWN) -> StoredBlob:
        async with self.blobs.writer(output_key(claim)) as writer:
            await writer.write(data)
            return await writer.commit()

    async def succeed(self, claim: RecordRow, pages: int | None = 1) -> bool:
        """Stores an output and reports it, as the runner does."""
        stored = await self.store_output(claim)
        wanted = await self.work.finish(claim, Done(stored, ENGINE, pages))
        await (self.blobs.settle if wanted else self.blobs.delete)(stored.key)
        await self.check()
        return wanted

    async def fail(self, claim: RecordRow, reason: Reason = Reason.PDF_UNREADABLE) -> bool:
        current = await self.work.finish(claim, Failed(RecordError(reason=reason, step=Step.PARSE)))
        await self.check()
        return current

    async def retry(self, claim: RecordRow, after_seconds: float = 2.0, why: Reason = Reason.CONVERTER_CRASHED) -> bool:
        current = await self.work.finish(claim, Retry(RecordError(reason=why, step=Step.PARSE), after_seconds))
        await self.check()
        return current

    async def align(self, claim: AlignmentRow) -> None:
        """Runs an alignment as a worker does."""
        await self.aligner.run(claim)
        await self.check()

    async def fail_alignment(self, claim: AlignmentRow, reason: Reason = Reason.ALIGN_ENDPOINT_REFUSED) -> bool:
        current = await self.alignment_work.finish(claim, None, Failed(RecordError(reason=reason)))
        await self.check()
        return current

    async def orphan(self, *claims: Claim) -> int:
        taken = await self.work.orphan(claims)
        await self.check()
        return taken

    async def record(self, claim: RecordRow) -> RecordRow:
        """The record as it is now."""
        return await self.store.read(lambda rows: rows.record_by_row(claim.record.row_id))


def of_attempt(claim: RecordRow, attempt: int) -> RecordRow:
    """The same claim, as a worker of another attempt holds it."""
    return replace(claim, record=claim.record.model_copy(update={"attempt": attempt}))


StartCore: TypeAlias = Callable[..., Awaitable[Core]]
"""The fixture `start_core`."""
