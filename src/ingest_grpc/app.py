"""Composition root: settings to store, hub, services, server and workers; the order of start and stop."""

import asyncio
import logging
import os
import random
import signal
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from importlib.metadata import version
from pathlib import Path

import uvloop

from ingest_grpc.addresses import UNIX
from ingest_grpc.api.caches import JobCaches
from ingest_grpc.api.exposure import check_exposure
from ingest_grpc.api.interceptors.rate import RateLimit
from ingest_grpc.api.server import GrpcServer
from ingest_grpc.api.servicers.file_service import FileServicer
from ingest_grpc.api.servicers.ingestion_service import IngestionServicer
from ingest_grpc.api.servicers.job_service import JobServicer
from ingest_grpc.api.servicers.knowledge_base_service import KnowledgeBaseServicer
from ingest_grpc.api.servicers.server_service import ServerServicer
from ingest_grpc.api.watch import WatchStreams, event_tail
from ingest_grpc.api.watch import feed as feed_of_jobs
from ingest_grpc.blobs.factory import open_blobs
from ingest_grpc.clock import Clock, SystemClock
from ingest_grpc.config import Settings
from ingest_grpc.hub import Hub
from ingest_grpc.memory import Cleaner, calm_collector, share_arenas
from ingest_grpc.model import Engine, Method, ServerInfo
from ingest_grpc.observing import Observing
from ingest_grpc.pipeline.align.engines import alignment_engines, chosen_engine, patience_seconds
from ingest_grpc.pipeline.parse.choice import engine_table, is_current
from ingest_grpc.pipeline.parse.engines import engines
from ingest_grpc.pipeline.parse.types import SUPPORTED_CONTENT_TYPES
from ingest_grpc.service.alignment_work import AlignmentWork
from ingest_grpc.service.alignments import AlignmentService
from ingest_grpc.service.announcements import announce
from ingest_grpc.service.attempts import AttemptLimits
from ingest_grpc.service.file_services import FileServices
from ingest_grpc.service.ingestion import IngestionService
from ingest_grpc.service.job_files import AddRules
from ingest_grpc.service.jobs import JobService
from ingest_grpc.service.keys import KeyService
from ingest_grpc.service.knowledge_bases.services import KnowledgeServices
from ingest_grpc.service.new_records import IsCurrent
from ingest_grpc.service.positions import ProgressFeed
from ingest_grpc.service.progress import ProgressBoard
from ingest_grpc.service.retention import Retention
from ingest_grpc.service.retries import RetryService
from ingest_grpc.service.settings import SettingsService
from ingest_grpc.service.waits import WaitService
from ingest_grpc.service.watch import Sources, WatchService
from ingest_grpc.service.watch_jobs import WatchJobsService
from ingest_grpc.service.watch_lag import WatchLag
from ingest_grpc.service.watch_limits import WatchLimits
from ingest_grpc.service.work import WorkService
from ingest_grpc.store.interface import Commit
from ingest_grpc.store.sqlite.store import SqliteStore
from ingest_grpc.telemetry import setup_logging
from ingest_grpc.worker.aligner import AlignmentRunner
from ingest_grpc.worker.compactor import Compactor
from ingest_grpc.worker.executors.interface import Executor
from ingest_grpc.worker.executors.local import LocalExecutor
from ingest_grpc.worker.findings import warn_of_settings
from ingest_grpc.worker.images import new_images
from ingest_grpc.worker.indexer import Indexer
from ingest_grpc.worker.janitor import Janitor
from ingest_grpc.worker.keeper import Keeper
from ingest_grpc.worker.lease import Leases
from ingest_grpc.worker.loop import Loop
from ingest_grpc.worker.pool import Pool
from ingest_grpc.worker.reaper import Reaper
from ingest_grpc.worker.runner import Runner
from ingest_grpc.worker.stager import Stager
from ingest_grpc.worker.syncer import Syncer
from ingest_grpc.worker.unpacker import Unpacker

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
RECHECK_SECONDS = 20.0
"""How often the permissions of calls that live are looked at: well within the half minute that rule 10 allows."""


class App:
    """A whole server. `start` returns when it serves, `stop` when nothing of it runs any more."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        executor: Executor | None = None,
        on_broken: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings = settings
        clock = clock or SystemClock()
        self.hub = Hub()
        self.board = ProgressBoard(clock)
        self.store = SqliteStore(
            settings.ledger_path,
            clock,
            readers=settings.readers,
            write_queue=settings.write_queue,
            busy_timeout_seconds=settings.busy_timeout_seconds,
            team_max_running=settings.team_max_running,
            on_commit=self._on_commit,
            on_broken=on_broken,
        )
        self.blobs = open_blobs(settings)
        self.executor = executor or LocalExecutor(settings)
        self._build_services(settings, clock)
        self._build_workers(settings, clock)
        self.server = GrpcServer(
            settings,
            self.keys.authenticate,
            {
                "JobService": JobServicer(
                    self.jobs, self.job_settings, self.retries, self.alignments, self.waits, self.streams, self.caches
                ),
                "FileService": FileServicer(self.file_services),
                "IngestionService": IngestionServicer(self.ingestion),
                "KnowledgeBaseService": KnowledgeBaseServicer(self.knowledge),
                "ServerService": ServerServicer(self.server_info, settings),
            },
            refusals=self.keys.refusals,
            rate=RateLimit(settings.team_calls_per_second, clock.monotonic),
        )
        self.observing = Observing(settings, self.store, self.limits, clock)
        self._rechecker = Loop("permissions", self._recheck)
        self._ticker = Loop("ticker", self._tick)
        self._cleaner = Loop("memory", Cleaner(self.hub.__len__).step)
        self._serving = True
        self.port = 0

    def _build_services(self, settings: Settings, clock: Clock) -> None:
        self.keys = KeyService(self.store, clock)
        self.caches = JobCaches.of(self.store)
        rules = AddRules(settings.max_records_per_job, settings.team_max_queued, _current_engines(settings))
        self.jobs = JobService(
            self.store,
            clock,
            self.board,
            self.caches.listed,
            default_method=Method(settings.default_method),
            rules=rules,
        )
        self.file_services = FileServices.build(settings, self.store, self.blobs, clock)
        self.files = self.file_services.files
        self.knowledge = KnowledgeServices.build(settings, self.store, clock, self.file_services, self.jobs, rules)
        self.job_settings = SettingsService(
            self.store, clock, self.board, self.jobs, purge_after_days=settings.purge_after_days
        )
        self.retries = RetryService(self.store, clock, self.board, max_queued=settings.team_max_queued)
        self.alignments = AlignmentService(self.store, clock, self.board, engine=chosen_engine(settings))
        self.waits = WaitService(self.store, self.hub, clock)
        self.ingestion = IngestionService(self.store, self.board)
        feed = ProgressFeed(self.store, self.board, clock)
        self.limits = WatchLimits(
            per_job=settings.job_max_watchers,
            per_team=settings.team_max_watchers,
            per_server=settings.max_watchers,
        )
        self.tail = event_tail(self.store, self.hub)
        sources = Sources(self.store, self.hub, self.tail, feed, clock, self.limits, WatchLag(clock))
        watches = WatchService(sources, rotate_seconds=settings.watch_rotate_seconds)
        job_watches = WatchJobsService(
            self.store,
            self.hub,
            feed_of_jobs(self.store, self.hub),
            clock,
            self.limits,
            rotate_seconds=settings.watch_rotate_seconds,
        )
        self.streams = WatchStreams(
            watches, job_watches, clock, write_timeout_seconds=settings.watch_write_timeout_seconds
        )
        self._clock = clock

    def _build_workers(self, settings: Settings, clock: Clock) -> None:
        self.work = WorkService(
            self.store,
            clock,
            limits=AttemptLimits(settings.max_failures, settings.max_orphaned),
            backoff_max_seconds=settings.backoff_max_seconds,
        )
        leases = Leases(clock, settings.lease_seconds)
        runner = Runner(
            self.work,
            self.blobs,
            self.executor,
            self.board,
            leases,
            self.file_services.imports,
            Unpacker.build(settings, self.store, self.blobs, clock, self.executor, _current_engines(settings)),
            Indexer.build(self.knowledge, self.blobs),
            new_images(settings, self.store, self.blobs),
            conversion_seconds=settings.conversion_timeout_seconds,
            most_output_bytes=settings.max_output_bytes,
            backoff_base_seconds=settings.backoff_base_seconds,
            backoff_max_seconds=settings.backoff_max_seconds,
            rng=random.Random(),
        )
        self.aligner = self._new_aligner(settings, clock, leases)
        worker_id = f"{socket.gethostname()}:{os.getpid()}"
        self.pool = Pool(
            self.work,
            runner,
            self.aligner,
            leases,
            clock,
            size=settings.worker_count,
            worker_id=worker_id,
        )
        self.reaper = Reaper(self.work, leases, self.pool)
        self.stager = Stager(self.work)
        retention = Retention(
            self.store, clock, event_days=settings.event_retention_days, output_days=settings.output_retention_days
        )
        self.compactor = Compactor(retention)
        self.keeper = Keeper(self.knowledge.keeper, self.knowledge.bases, self.knowledge.sources)
        self.syncer = Syncer(self.store, self.knowledge.syncs, clock)
        self.janitor = Janitor(self.store, self.file_services, clock, request_id_days=settings.request_id_days)
        self._background = (self.stager, self.janitor, self.compactor, self.keeper, self.syncer)

    def _new_aligner(self, settings: Settings, clock: Clock, leases: Leases) -> AlignmentRunner:
        return AlignmentRunner(
            AlignmentWork(self.store, clock, limits=AttemptLimits(settings.max_failures, settings.max_orphaned)),
            self.blobs,
            alignment_engines(settings),
            self.board,
            leases,
            clock,
            patience_seconds=patience_seconds(settings),
            backoff_base_seconds=settings.backoff_base_seconds,
            backoff_max_seconds=settings.backoff_max_seconds,
            rng=random.Random(),
        )

    # ── start and stop ─────────────────────────────────────────────────────────────────────────────────

    async def start(self, on_owned: Callable[[], None] = lambda: None) -> None:
        """Ledger first, callers before workers: what is left half-way stops what was started.

        `on_owned` is called once the data folder is known to be this server's alone.
        """
        try:
            await self.store.start()
            on_owned()
            check_exposure(self.settings, has_keys=await self.keys.any_key())
            await self.blobs.start(self._is_known)
            await self.file_services.start()
            await self.knowledge.start()
            orphans = await self.reaper.recover()
            if orphans:
                log.info("%d claims lost their worker with the last server and are queued again", orphans)
            self.observing.start()
            self.port = await self.server.start()
            # After the server: its callers need not wait until the first converter child is ready.
            await self.executor.start()
            await self.knowledge.keeper.recover()
        except BaseException:
            with suppress(Exception):  # logged; what ended the start is what counts
                await self.stop(0)
            raise
        for loop in (self._ticker, self._rechecker, self._cleaner, self.pool, self.reaper, *self._background):
            loop.start()

    async def stop(self, grace_seconds: float | None = None) -> None:
        """Watchers are told, calls and conversions may end within the grace, then everything is closed in order.

        A part that fails keeps no other from its end: each failure is logged, and the first is raised.
        """
        grace = self.settings.shutdown_grace_seconds if grace_seconds is None else grace_seconds
        self.hub.drain()
        ends = [*await asyncio.gather(self.server.stop(grace), self.pool.stop(grace), return_exceptions=True)]
        loops = (*reversed(self._background), self.reaper, self._cleaner, self._rechecker, self._ticker)
        services = (self.observing, self.file_services, self.knowledge)
        for part in (*loops, *services, self.executor, self.blobs, self.store):
            ends += await asyncio.gather(part.stop(), return_exceptions=True)
        failures = [end for end in ends if end is not None]
        for failure in failures:
            log.error("a part of the server failed to stop", exc_info=failure)
        if failures:
            raise failures[0]

    @property
    def address(self) -> str:
        """host:port as bound, or unix:path."""
        address = self.settings.address
        return address if address.startswith(UNIX) else f"{address.rpartition(':')[0]}:{self.port}"

    # ── what connects the parts ────────────────────────────────────────────────────────────────────────

    def _on_commit(self, commit: Commit) -> None:
        """After each COMMIT, before its callers hear of it."""
        self.caches.changed(commit)
        self.hub.wake(commit.jobs)
        self.hub.wake(commit.teams)
        if commit.claimable:
            self.pool.wake()
        if commit.delayed:
            self.stager.wake()
        if commit.unindexed:
            self.keeper.wake()
        if commit.stopped:
            self.pool.stop_claims(commit.stopped)
        self.tail.follow(commit.steps)
        # After those who were woken: a watcher need not wait until a line is written.
        asyncio.get_running_loop().call_soon(announce, commit)

    async def _is_known(self, blob_key: str) -> bool:
        return await self.store.read(lambda rows: rows.blob_is_kept(blob_key))

    async def _recheck(self) -> float:
        if ended := await self.server.recheck.step():
            log.info("ended %d calls whose permission is gone", ended)
        return RECHECK_SECONDS

    async def _tick(self) -> float:
        self.hub.tick(self._clock.monotonic())
        self.streams.tick()
        if self.store.healthy != self._serving:
            self._serving = self.store.healthy
            await self.server.set_serving(self._serving)
        return TICK_SECONDS

    async def server_info(self) -> ServerInfo:
        return ServerInfo(
            version=version("ingest-grpc"),
            ledger_id=await self.store.read(lambda rows: rows.ledger_id()),
            content_types=sorted(SUPPORTED_CONTENT_TYPES),
            methods=list(Method),
            default_method=Method(self.settings.default_method),
            engines=[Engine(name=name, version=number) for name, number in engines().items()],
            protections=self.executor.protections,
            embedders=self.knowledge.embedders.names,
        )


def _current_engines(settings: Settings) -> IsCurrent:
    table = engine_table(settings)
    return lambda method, filename, engine: is_current(table, method, filename, engine.name, engine.version)


def serve(
    settings: Settings, ready_file: Path | None = None, executor: Callable[[Settings], Executor] = LocalExecutor
) -> int:
    """Runs a server until SIGTERM, SIGINT or SIGHUP; returns the process's exit code.

    `ready_file` is written with the address once the server answers, and removed when it stops: one that lies
    there is of a server that lives or was killed.
    """
    setup_logging(settings.log_level, as_json=settings.log_json)
    share_arenas()
    return uvloop.run(_serve(settings, ready_file, executor))


async def _serve(settings: Settings, ready_file: Path | None, executor: Callable[[Settings], Executor]) -> int:
    stop = asyncio.Event()
    broken = asyncio.Event()

    def on_broken() -> None:
        broken.set()
        stop.set()

    app = App(settings, executor=executor(settings), on_broken=on_broken)
    loop = asyncio.get_running_loop()
    hung_up = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)  # nohup has it ignored
    for number in (signal.SIGTERM, signal.SIGINT, *hung_up):
        loop.add_signal_handler(number, stop.set)
    warn_of_settings(settings)
    await app.start(on_owned=lambda: _withdraw(ready_file))
    async with AsyncExitStack() as at_end:  # from here on, whatever happens
        at_end.push_async_callback(app.stop)
        at_end.callback(_withdraw, ready_file)
        calm_collector()
        log.info("listening on %s", app.address)
        if ready_file is not None:
            await asyncio.to_thread(_announce, ready_file, app.address)
        await stop.wait()
        log.info("stopping")
    return 1 if broken.is_set() else 0


def _announce(ready_file: Path, address: str) -> None:
    """Whole or not at all: a script that waits for the file must not read half an address."""
    partial = ready_file.with_name(f".{ready_file.name}.{os.getpid()}")
    partial.write_text(f"{address}\n")
    partial.replace(ready_file)


def _withdraw(ready_file: Path | None) -> None:
    """No script shall take a server for ready that was killed before, or that stops."""
    if ready_file is not None:
        ready_file.unlink(missing_ok=True)
