"""Claims records and alignments for free workers and runs them."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf

from ingest_grpc.blobs.interface import PATIENCE_SECONDS
from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError
from ingest_grpc.service.work import WorkService
from ingest_grpc.store.alignment_interface import AlignmentRow
from ingest_grpc.store.interface import Attempt, Claim
from ingest_grpc.worker.aligner import AlignmentRunner
from ingest_grpc.worker.lease import Leases
from ingest_grpc.worker.loop import Loop
from ingest_grpc.worker.runner import Runner

log = logging.getLogger(__name__)

POLL_SECONDS = 5.0
"""The queue is looked at this often even if nobody said that it grew."""

SHORT_SECONDS = 0.5
"""Where claims take a worker no longer than this, the next ones are taken ahead: they hardly wait."""

_WEIGHT = 1 / 8
"""Of the latest claim in the mean: one of some seconds ends claiming ahead, dozens of short ones resume it."""


@dataclass(slots=True, eq=False)
class _Work:
    """A claim on its way: it waits for a worker, has one, or needs none any more."""

    claim: Claim
    turn: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once it has a worker."""
    began_at: float = 0.0
    """When that was, in seconds on the monotonic clock."""
    task: asyncio.Task[None] = field(init=False)


class Pool:
    """`size` claims at once. Woken by commits that made something claimable, and by workers that become free.

    A record that is converted, and only has to be stored and reported, takes no worker: its converter would stand
    still for two commits between any two documents. At most `size` records are in that state. And while claims are
    short, up to `size` are taken ahead and fetched, so that a worker that becomes free goes on at once.
    See docs/decisions/0041-claims-ahead.md.
    """

    def __init__(
        self,
        work: WorkService,
        runner: Runner,
        aligner: AlignmentRunner,
        leases: Leases,
        clock: Clock,
        *,
        size: int,
        worker_id: str,
    ) -> None:
        self._work = work
        self._runner = runner
        self._aligner = aligner
        self._leases = leases
        self._clock = clock
        self._size = size
        self._worker_id = worker_id
        self._running: set[_Work] = set()
        """All whose tasks have not ended; `_waiting` and `_converted` are the parts that have no worker."""
        self._newest: dict[tuple[str, int], _Work] = {}
        """By key: one that was cancelled and added anew may run again before its former task has ended."""
        self._waiting: dict[_Work, None] = {}
        """In claim order."""
        self._converted: set[_Work] = set()
        self._claiming: asyncio.Task[list[Claim]] | None = None
        self._stopped_early: set[Attempt] = set()
        """What callers cancelled while claims were under way."""
        self._mean_seconds = 2 * SHORT_SECONDS
        """How long a claim takes a worker, of late; long until that is known."""
        self._loop = Loop("worker-pool", self._step)

    def start(self) -> None:
        self._loop.start()

    async def stop(self, grace_seconds: float) -> None:
        """No new claims. What waits is given back, what has a worker has `grace_seconds`, then it is stopped, too."""
        await self._loop.stop()
        await self._give_back([*await self._last_claims(), *await self._stopped(self._waiting)])
        if self._running:
            await asyncio.wait([work.task for work in self._running], timeout=grace_seconds)
        left = await self._stopped(self._running)
        await self._runner.drain()
        await self._aligner.drain()
        await self._give_back(left)

    async def _last_claims(self) -> Sequence[Claim]:
        """What was being claimed when the loop was stopped: the commit goes on."""
        claiming, self._claiming = self._claiming, None
        if claiming is None:
            return []
        [claimed] = await asyncio.gather(claiming, return_exceptions=True)
        return claimed if isinstance(claimed, list) else []

    async def _stopped(self, stopped: Iterable[_Work]) -> list[Claim]:
        """Their claims, once their tasks have ended."""
        works = list(stopped)
        for work in works:
            work.task.cancel()
        await asyncio.gather(*(work.task for work in works), return_exceptions=True)
        return [work.claim for work in works]

    async def _give_back(self, claims: Sequence[Claim]) -> None:
        try:
            await self._work.orphan(claims)
        except IngestError as error:  # a ledger that cannot be written must not keep the server from its end
            log.warning("%d claims are given back by the next start: %s", len(claims), error)

    def wake(self) -> None:
        """The queue may have grown."""
        self._loop.wake()

    def stop_claims(self, attempts: Iterable[Attempt]) -> None:
        """Callers cancelled these: stop the work on them, whose late results are void anyway."""
        for key, attempt in attempts:
            if (work := self._newest.get(key)) is not None and work.claim.attempt == attempt:
                work.task.cancel()
            elif self._claiming is not None:  # it may be claimed and cancelled by one and the same commit
                self._stopped_early.add((key, attempt))

    async def step(self) -> int:
        """Claims once, for all free workers and ahead of them; returns how much was claimed."""
        if self._waiting:
            return 0
        wanted = self._free + (self._size if self._is_short else 0)
        if wanted <= 0:
            return 0
        self._stopped_early.clear()
        self._claiming = asyncio.create_task(self._work.claim(self._worker_id, wanted))
        claims = await asyncio.shield(self._claiming)
        self._claiming = None
        for claim in claims:
            self._take(claim)
        self.stop_claims(self._stopped_early)
        self._begin_next()
        return len(claims)

    async def _step(self) -> float:
        await self.step()
        return POLL_SECONDS

    @property
    def _is_short(self) -> bool:
        """Whether a worker will be free soon: claims took one but shortly of late, and none has one for longer now."""
        now = self._clock.monotonic()
        at_work = (work for work in self._running if work.turn.is_set() and work not in self._converted)
        return self._mean_seconds <= SHORT_SECONDS and all(now - work.began_at <= SHORT_SECONDS for work in at_work)

    @property
    def _free(self) -> int:
        """How many workers have nothing to do."""
        begun = len(self._running) - len(self._waiting)
        return self._size - max(begun - len(self._converted), begun - self._size)

    def _take(self, claim: Claim) -> None:
        self._leases.hold(claim)
        work = self._newest[claim.key] = _Work(claim)
        self._running.add(work)
        self._waiting[work] = None
        work.task = asyncio.create_task(self._run(work), name=f"{claim.key[0]}-{claim.key[1]}")
        work.task.add_done_callback(lambda _: self._ended(work))

    async def _run(self, work: _Work) -> None:
        if isinstance(work.claim, AlignmentRow):
            await self._turn(work)
            await self._aligner.run(work.claim)
        else:
            await self._runner.run(work.claim, lambda: self._turn(work), lambda: self._is_converted(work))

    async def _turn(self, work: _Work) -> None:
        """Waits until `work` has a worker; its lease lasts as long, since nobody but this pool could take it."""
        self._leases.renew(work.claim, inf)
        await work.turn.wait()
        self._leases.renew(work.claim, PATIENCE_SECONDS)

    def _begin_next(self) -> None:
        while self._waiting and self._free > 0:
            work = next(iter(self._waiting))
            del self._waiting[work]
            work.began_at = self._clock.monotonic()
            work.turn.set()

    def _is_converted(self, work: _Work) -> None:
        if work not in self._converted:
            self._waiting.pop(work, None)  # what cannot be fetched needs no worker
            self._converted.add(work)
            self._note_duration(work)
            self._go_on()

    def _ended(self, work: _Work) -> None:
        if not work.task.cancelled():
            if work not in self._converted:
                self._note_duration(work)
            if (error := work.task.exception()) is not None:
                log.error("worker failed; its claim is taken back by the reaper: %s", error)
        self._leases.release(work.claim)
        self._running.discard(work)
        self._converted.discard(work)
        self._waiting.pop(work, None)
        if self._newest.get(work.claim.key) is work:
            del self._newest[work.claim.key]
        self._go_on()

    def _note_duration(self, work: _Work) -> None:
        """`work` has taken a worker until now, if it had one."""
        if work.turn.is_set():
            self._mean_seconds += _WEIGHT * (self._clock.monotonic() - work.began_at - self._mean_seconds)

    def _go_on(self) -> None:
        """A worker may be free: it takes what waits for it, or all look into the queue."""
        self._begin_next()
        if not self._waiting:
            self._loop.wake()
