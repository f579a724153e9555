"""The newest events of watched jobs, encoded once for all who watch them.

A cache over the log, nothing more: what is not in it is read from the ledger. A thousand watchers that wake
for the same commit cause one read and one encoding; each then takes the bytes after its own cursor.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from ingest_grpc.hub import Hub
from ingest_grpc.model import EventKind, Job, TimelineEvent
from ingest_grpc.service import views
from ingest_grpc.service.shared_reads import SharedReads
from ingest_grpc.store.interface import JobStep, Rows, Store

PAGE = 200
"""Events per read: what a watcher that lags behind holds in memory at most."""

KEPT = 500
"""Events a tail keeps for watchers that lag a little."""

KEPT_UNWANTED = 50
"""The same, where the one before them was not wanted by anybody: such an event is larger than its bytes."""

OLD = 0
"""A generation before every one that the hub counts."""

Encode = Callable[[TimelineEvent], bytes]


class TailEvent:
    """An event that becomes the bytes of a complete message, the same for every watcher, once the first one wants it:
    who waits for the end of a job wants hardly any of those that its commits bring. `happened_at` is its timestamp."""

    __slots__ = ("_content", "_encode", "happened_at", "kind", "sequence")

    def __init__(self, event: TimelineEvent, encode: Encode) -> None:
        self.sequence = event.sequence
        self.kind: EventKind = event.kind
        self.happened_at = event.timestamp
        self._encode = encode
        self._content: TimelineEvent | bytes = event

    @property
    def was_wanted(self) -> bool:
        return isinstance(self._content, bytes)

    def data(self) -> bytes:
        content = self._content
        if not isinstance(content, bytes):
            content = self._content = self._encode(content)
        return content


@dataclass(frozen=True, slots=True)
class TailPage:
    """Events after a cursor, and the job as it stood in the snapshot that they were read from, or in a later one.

    `current` says that this snapshot held every commit that anybody had been told of when the page was asked for:
    only then may `job` be taken for the job at the head. `whole` says that no event is missing between the cursor and
    the last one; without events, that there are none to come up to the job's head.
    """

    events: Sequence[TailEvent]
    job: Job
    settled: bool
    current: bool
    whole: bool

    @classmethod
    def after(cls, cursor: int, events: Sequence[TailEvent], job: Job, *, current: bool = True) -> Self:
        if events:
            # The last one too: of what is no longer kept, milestones stay behind as islands.
            whole = events[0].sequence == cursor + 1 and events[-1].sequence == cursor + len(events)
        else:
            whole = cursor >= job.last_sequence
        return cls(events, job, job.facts.settled, current, whole)


@dataclass(slots=True)
class _Tail:
    """`events` are consecutive and end at the head of `job`, as of the hub's `generation`."""

    job: Job
    generation: int
    events: list[TailEvent] = field(default_factory=list)
    _shared: tuple[tuple[int, int, int], TailPage] | None = None

    def page(self, cursor: int, generation: int) -> TailPage | None:
        """What follows the cursor, None if the tail does not reach back that far.

        A thousand watchers wake at the same place: they share one page.
        """
        wanted = (cursor, generation, self.job.last_sequence)
        if self._shared is not None and self._shared[0] == wanted:
            return self._shared[1]
        page = self._page(cursor, generation)
        if page is not None:
            self._shared = (wanted, page)
        return page

    def _page(self, cursor: int, generation: int) -> TailPage | None:
        first = self.job.last_sequence - len(self.events) + 1
        if not first - 1 <= cursor <= self.job.last_sequence:
            return None
        start = cursor + 1 - first
        current = self.generation == generation
        return TailPage.after(cursor, self.events[start : start + PAGE], self.job, current=current)


class EventTail:
    """Pages of events for watchers."""

    def __init__(self, store: Store, hub: Hub, encode: Encode) -> None:
        self._store = store
        self._hub = hub
        self._encode = encode
        self._tails: dict[int, _Tail] = {}
        self._reads: SharedReads[tuple[int, int, int], TailPage] = SharedReads()

    async def after(self, job_row: int, cursor: int) -> TailPage:
        """Up to PAGE events after the cursor. The caller subscribed to the job and cleared its signal before."""
        if (page := self.at_hand(job_row, cursor)) is not None:
            return page
        generation = self._hub.generation(job_row)
        # Joins a read only if it began in this generation: an older one may not see the newest commit.
        return await self._reads.get((job_row, cursor, generation), partial(self._read, job_row, cursor, generation))

    def at_hand(self, job_row: int, cursor: int) -> TailPage | None:
        """The same, None where it has to be read."""
        tail = self._tails.get(job_row)
        page = None if tail is None else tail.page(cursor, self._hub.generation(job_row))
        # A tail of an older generation may have missed the commit that woke the caller.
        return page if page is not None and (page.events or page.current) else None

    def follow(self, steps: Iterable[JobStep]) -> None:
        """Takes over what a commit brought, after the hub was woken: those who wake need not read it.

        Only where it continues a tail without a gap, and where no records are to be reviewed: they would have to be
        read. The tail of any other job grows old, and whoever wakes reads.
        """
        begun: set[int] = set()
        for step in steps:
            job = step.job
            tail = self._tails.get(job.row_id)
            if tail is None:
                continue
            if job.row_id not in begun:  # what this very commit brings, nobody could want so far
                begun.add(job.row_id)
                tail.events = _worth_keeping(tail.events)
            if tail.job.last_sequence + 1 != step.events[0].sequence or views.reviews_records(job):
                # An earlier step of this very commit may have made it current: it no longer is.
                tail.generation = OLD
                continue
            tail.events += [TailEvent(event, self._encode) for event in step.events]
            del tail.events[:-KEPT]
            tail.job, tail.generation = views.with_prerequisites(job), self._hub.generation(job.row_id)

    def forget(self, job_row: int) -> None:
        """The last watcher of the job is gone."""
        self._tails.pop(job_row, None)

    async def _read(self, job_row: int, cursor: int, generation: int) -> TailPage:
        async def unit(rows: Rows) -> tuple[list[TimelineEvent], Job]:
            events = await rows.events_after(job_row, cursor, PAGE)
            return events, await views.with_reviews(rows, await rows.job_by_row(job_row))

        events, job = await self._store.read(unit)
        read = [TailEvent(event, self._encode) for event in events]
        for event in read:  # who reads lags behind, perhaps for long: bytes take less than what they are made of
            event.data()
        self._keep(job_row, cursor, generation, read, job)
        return TailPage.after(cursor, read, job)

    def _keep(self, job_row: int, cursor: int, generation: int, events: list[TailEvent], job: Job) -> None:
        """Extends the tail if the read reached the head without a gap, and is newer than what is kept."""
        last = events[-1].sequence if events else cursor
        whole = last == job.last_sequence and len(events) == last - cursor
        tail = self._tails.get(job_row)
        if not whole or (tail is not None and tail.generation > generation):
            return
        if tail is not None and tail.job.last_sequence == cursor:
            events = _worth_keeping(tail.events) + events
        if self._hub.is_watched(job_row):
            self._tails[job_row] = _Tail(job, generation, events[-KEPT:])


def _worth_keeping(events: list[TailEvent]) -> list[TailEvent]:
    """Of those that were there before."""
    unwanted = len(events) > KEPT_UNWANTED and not events[-KEPT_UNWANTED - 1].was_wanted
    return events[-KEPT_UNWANTED:] if unwanted else events
