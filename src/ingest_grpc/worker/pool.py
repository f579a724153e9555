"""Claims records and alignments for free workers and runs them."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf

from ingest_grpc.clock import Clock
from ingest_grpc.errors import IngestError
from ingest_grpc.service.work import WorkService
from ingest_grpc.store.alignment_interface import AlignmentRow
from ingest_grpc.store.interface import Claim
from ingest_grpc.worker.aligner import AlignmentRunner
from ingest_grpc.worker.lease import Leases
from ingest_grpc.worker.loop import Loop
from ingest_grpc.worker.runner import Runner

log = logging.getLogger(__name__)

POLL_SECONDS = 5.0
"""The queue is looked at this often even if nobody said that it grew."""

SHORT_SECONDS = 0.5
"""Work that takes a worker no longer than this is claimed ahead: nobody minds to have waited behind it."""

_WEIGHT = 1 / 8
"""Of the latest claim in the mean: one that took long ends claiming ahead at once, dozens that did not resume it."""


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
        self._running: dict[tuple[str, int], _Work] = {}
        """All of them; `_waiting` and `_converted` are the parts that have no worker."""
        self._waiting: dict[_Work, None] = {}
        """In claim order."""
        self._converted: set[_Work] = set()
        self._mean_seconds = 2 * SHORT_SECONDS
        """How long a claim takes a worker, of late; long until that is known."""
        self._loop = Loop("worker-pool", self._step)

    def start(self) -> None:
        self._loop.start()

    async def stop(self, grace_seconds: float) -> None:
        """No new claims; what has a worker has `grace_seconds`, then it is stopped. What did not end is given back."""
        await self._loop.stop()
        left = self._cancelled(list(self._waiting))
        if self._running:
            await asyncio.wait([work.task for work in self._running.values()], timeout=grace_seconds)
        left += self._cancelled(unfinished := list(self._running.values()))
        await asyncio.gather(*(work.task for work in unfinished), return_exceptions=True)
        await self._runner.drain()
        try:
            await self._work.orphan(left)
        except IngestError as error:  # a ledger that cannot be written must not keep the server from its end
            log.warning("%d claims are given back by the next start: %s", len(left), error)

    def _cancelled(self, stopped: list[_Work]) -> list[Claim]:
        for work in stopped:
            work.task.cancel()
        self._waiting.clear()
        return [work.claim for work in stopped]

    def wake(self) -> None:
        """The queue may have grown."""
        self._loop.wake()

    def stop_claims(self, keys: Iterable[tuple[str, int]]) -> None:
        """Callers cancelled these: stop the work on them, whose late results are void anyway."""
        for key in keys:
            if (work := self._running.get(key)) is not None:
                work.task.cancel()

    async def step(self) -> int:
        """Claims once, for all free workers and ahead of them; returns how much was claimed."""
        if self._waiting:
            return 0
        wanted = self._free + (self._size if self._mean_seconds <= SHORT_SECONDS else 0)
        claims = await self._work.claim(self._worker_id, wanted) if wanted > 0 else []
        for claim in claims:
            self._take(claim)
        self._begin_next()
        return len(claims)

    async def _step(self) -> float:
        await self.step()
        return POLL_SECONDS

    @property
    def _free(self) -> int:
        """How many workers have nothing to do."""
        begun = len(self._running) - len(self._waiting)
        return self._size - max(begun - len(self._converted), begun - self._size)

    def _take(self, claim: Claim) -> None:
        if (earlier := self._running.get(claim.key)) is not None:  # it was cancelled, and added anew before it ended
            self._forget(earlier)
        self._leases.hold(claim)
        work = self._running[claim.key] = _Work(claim)
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
        self._leases.renew(work.claim)

    def _begin_next(self) -> None:
        while self._waiting and self._free > 0:
            work = next(iter(self._waiting))
            del self._waiting[work]
            work.began_at = self._clock.monotonic()
            work.turn.set()

    def _is_converted(self, work: _Work) -> None:
        if self._running.get(work.claim.key) is work and work not in self._converted:
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
        self._forget(work)
        self._go_on()

    def _forget(self, work: _Work) -> None:
        self._converted.discard(work)
        self._waiting.pop(work, None)
        if self._running.get(work.claim.key) is work:
            del self._running[work.claim.key]

    def _note_duration(self, work: _Work) -> None:
        """`work` has taken a worker until now, if it had one."""
        if work.turn.is_set():
            self._mean_seconds += _WEIGHT * (self._clock.monotonic() - work.began_at - self._mean_seconds)

    def _go_on(self) -> None:
        """A worker may be free: it takes what waits for it, or all look into the queue."""
        self._begin_next()
        if not self._waiting:
            self._loop.wake()
