"""Children ready for work: as many as may be busy at once, and one spare so that nobody waits for a start."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ingest_grpc.sandbox.spec import ChildFailure, ChildSpec, Ending
from ingest_grpc.sandbox.supervisor import Child, ChildGone, OnProgress
from ingest_grpc.telemetry.instruments import CHILD_RESTARTS, begin_at_zero

_log = logging.getLogger(__name__)

_OTHER_CAUSES = ("cancelled", "died_idle", "recycled", "restless", "retired", "start_failed")
"""Why a child was replaced, beside the endings of tasks."""

begin_at_zero(CHILD_RESTARTS, (*(ending.lower() for ending in Ending), *_OTHER_CAUSES))

_FIRST_BACKOFF_SECONDS = 0.1
_LONGEST_BACKOFF_SECONDS = 10.0
_STARTS_AT_ONCE = 4
_CHILDREN_TRIED = 3
_PROVEN_SECONDS = 10.0


class ChildPool:
    """Runs tasks in children, at most `size` at once; replaces each child that died, failed or has done its share.

    One task, the keeper, does all the starting: whoever removes a child only wakes it. A child is in `_ready`,
    or in the hands of exactly one `run`, or on its way out; all that are not reaped yet are in `_children`.
    """

    def __init__(
        self,
        spec: ChildSpec,
        size: int,
        *,
        max_tasks: int,
        max_resident_bytes: int,
        patience_seconds: float = 10.0,
    ) -> None:
        """A child is replaced after `max_tasks` tasks, or when it keeps more than `max_resident_bytes` after
        one. A task waits `patience_seconds` for a child before it fails as UNAVAILABLE."""
        self.protections: Mapping[str, bool] = {}
        self._spec = spec
        self._size = size
        self._max_tasks = max_tasks
        self._max_resident_bytes = max_resident_bytes
        self._patience_seconds = patience_seconds
        self._slots = asyncio.Semaphore(size)
        self._children: set[Child] = set()
        self._ready: list[Child] = []
        self._waiting = 0
        self._arrived = asyncio.Event()
        self._wanted = asyncio.Event()
        self._failed_starts = 0
        self._last_failure = "no child has been started yet"
        self._keeper: asyncio.Task[None] | None = None
        self._stopped = False

    async def start(self) -> None:
        """Begin to keep children, and wait for the first: it tells which protections are in force.

        Returns without one after `patience_seconds` or _CHILDREN_TRIED failures: tasks then fail as UNAVAILABLE until
        a start succeeds.
        """
        self._keeper = asyncio.create_task(self._keep(), name="child-pool-keeper")
        self._wanted.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience_seconds):
                while not self.protections and self._failed_starts < _CHILDREN_TRIED:
                    await self._arrival()
        if not self.protections:
            _log.error("no converter child is ready yet: %s", self._last_failure)

    async def stop(self) -> None:
        """Kill and reap every child; running tasks fail as UNAVAILABLE. Safe to call twice."""
        self._stopped = True
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait((self._keeper,))
        self._ready.clear()
        self._arrived.set()
        children = tuple(self._children)
        for child in children:
            child.kill()
        for child in children:
            await child.exited()

    async def run(
        self, task: Mapping[str, Any], descriptors: Sequence[int], on_progress: OnProgress
    ) -> Mapping[str, Any]:
        """Do one task in some child: its result, plain JSON values that nobody has checked; or ChildFailure.

        Cancelling ends the work: its child is killed and replaced.
        """
        async with self._slots:
            for _ in range(_CHILDREN_TRIED):
                child = await self._take()
                try:
                    result = await child.run(task, descriptors, on_progress)
                    if not child.usable:
                        CHILD_RESTARTS.labels("retired").inc()
                    return result
                except ChildGone:
                    _note_lost(child)
                    continue
                except ChildFailure as failure:
                    if self._stopped:
                        raise ChildFailure(Ending.UNAVAILABLE, "the server is stopping") from None
                    CHILD_RESTARTS.labels(failure.ending.lower()).inc()
                    _log.warning("converter child %d: %s", child.pid, failure)
                    raise
                except asyncio.CancelledError:
                    CHILD_RESTARTS.labels("cancelled").inc()
                    raise
                finally:
                    self._give_back(child)
            raise ChildFailure(Ending.UNAVAILABLE, "children die before they can be given a task")

    async def _take(self) -> Child:
        """A child of one's own; ChildFailure UNAVAILABLE if there is none for too long."""
        self._waiting += 1
        self._wanted.set()
        try:
            async with asyncio.timeout(self._patience_seconds):
                while not self._stopped:
                    if self._ready:
                        return self._ready.pop()
                    await self._arrival()
        except TimeoutError:
            raise ChildFailure(Ending.UNAVAILABLE, self._last_failure) from None
        finally:
            self._waiting -= 1
        raise ChildFailure(Ending.UNAVAILABLE, "the server is stopping")

    async def _arrival(self) -> None:
        """Wait until something changed. Nobody is handed a child here, so a cancelled waiter cannot lose one."""
        self._arrived.clear()
        await self._arrived.wait()

    def _give_back(self, child: Child) -> None:
        if child.accepted:
            self._failed_starts = 0
        worn_out = child.tasks >= self._max_tasks or child.resident_bytes > self._max_resident_bytes
        if child.usable and not worn_out and not self._stopped:
            self._ready.append(child)
            self._arrived.set()
        else:
            if child.usable and worn_out:
                CHILD_RESTARTS.labels("recycled").inc()
            child.kill()
        self._wanted.set()

    async def _keep(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while (missing := self._missing()) > 0:
                # A group and not gather: cancelled by `stop`, gather would not wait for all to reap their child.
                async with asyncio.TaskGroup() as starting:
                    for _ in range(min(missing, _STARTS_AT_ONCE)):
                        starting.create_task(self._start_one())
                if self._failed_starts:
                    await asyncio.sleep(self._backoff_seconds())

    def _missing(self) -> int:
        """How many to start: one for everyone who waits and one spare, but never more than size + 1 in all.
        Children on their way out do not count: their successors need not wait for them."""
        living = sum(child.usable for child in self._children)
        return min(self._waiting + 1 - len(self._ready), self._size + 1 - living)

    async def _start_one(self) -> None:
        try:
            child = await Child.start(self._spec)
            self._note_protections(child)
            if self._spec.all_protections and (missing := child.missing_protections):
                await child.end()
                raise ChildFailure(Ending.UNAVAILABLE, f"the sandbox lacks {', '.join(missing)}")
        except Exception as failure:  # noqa: BLE001 - whatever it is, the keeper must live on
            CHILD_RESTARTS.labels("start_failed").inc()
            self._failed_starts += 1
            self._last_failure = str(failure)
            _log.error("a converter child could not be started (%d in a row): %s", self._failed_starts, failure)
            self._arrived.set()
            return
        self._children.add(child)
        child.on_exit(self._forget)
        self._ready.append(child)
        self._arrived.set()

    def _forget(self, child: Child) -> None:
        self._children.discard(child)
        if child in self._ready:
            # Died while idle. If it never did anything, the next may die the same way: do not spin.
            self._ready.remove(child)
            _note_lost(child)
            self._failed_starts += child.tasks == 0 and child.age_seconds < _PROVEN_SECONDS
        self._wanted.set()

    @property
    def last_failure(self) -> str:
        """Why the latest start that failed did so."""
        return self._last_failure

    def _note_protections(self, child: Child) -> None:
        if child.protections != self.protections:
            self.protections = child.protections
            if missing := child.missing_protections:
                _log.warning("converter children run without: %s", ", ".join(missing))

    def _backoff_seconds(self) -> float:
        return min(_LONGEST_BACKOFF_SECONDS, _FIRST_BACKOFF_SECONDS * 2.0 ** min(self._failed_starts - 1, 10))


def _note_lost(child: Child) -> None:
    """A child went while it had no task."""
    CHILD_RESTARTS.labels("restless" if child.excess else "died_idle").inc()
    _log.warning("idle converter child %d is gone%s", child.pid, f": {child.excess}" if child.excess else "")
