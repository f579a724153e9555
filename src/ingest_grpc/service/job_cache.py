"""Jobs as callers last saw them, encoded once: what is asked most and changes least.

Caches over the ledger, nothing more. All are bounded, and what is not in them is read.
"""

from collections.abc import Callable, Coroutine, Hashable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ingest_grpc.hub import Topic
from ingest_grpc.model import Job
from ingest_grpc.service import views
from ingest_grpc.service.shared_reads import SharedReads
from ingest_grpc.store.interface import JobHead, Rows, Store

KEPT_BYTES = 32 * 1024 * 1024
KEPT_JOBS = 1_000
LISTED_BYTES = 4 * 1024
"""Jobs of lists, forty pages of 25, and the most bytes of one, encoded: a server that runs for hours comes to hold so
many for good, about 10 KB each, 25 at most. What is longer is read and encoded each time."""

ENTRY_BYTES = 512
"""What a reply takes beside its own bytes: its key, and its places in the caches. It bounds the number of replies."""

MAX_REMEMBERED_CHANGES = 10_000

Encode = Callable[[Job], bytes]
Read = Callable[[], Coroutine[Any, Any, tuple[Topic, bytes]]]
"""Makes a reply, and says what it is about."""


class Replies:
    """Encoded replies under short keys, each about one topic: a job, by its row, or the jobs of a team, by its name.

    `changed` is told of every commit before anybody hears of it. A reader keeps what it read only if its topic has not
    changed since its read began: the snapshot may be older than the commit that `changed` was told of, and nobody would
    drop it again.
    """

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._room = kept_bytes
        self._replies: dict[Hashable, bytes] = {}
        self._keys: dict[Topic, set[Hashable]] = {}
        self._reads: SharedReads[tuple[Hashable, int], bytes] = SharedReads()
        self._commits = 0
        self._forgotten_before = 0
        self._changes: dict[Topic, int] = {}

    def __len__(self) -> int:
        return len(self._replies)

    async def of(self, key: Hashable, read: Read) -> bytes:
        """The reply that is kept under the key, or what `read` makes."""
        kept = self._replies.get(key)
        if kept is not None:
            return kept
        # Joins a read only if no commit came since it began.
        return await self._reads.get((key, self._commits), partial(self._read, key, read))

    def changed(self, topics: Iterable[Topic]) -> None:
        """These are no longer what they were."""
        self._commits += 1
        for topic in topics:
            self._drop(topic)
            if self._reads:
                self._changes[topic] = self._commits

    async def _read(self, key: Hashable, read: Read) -> bytes:
        began = self._commits
        try:
            topic, reply = await read()
            if self._forgotten_before <= began and self._changes.get(topic, 0) <= began:
                self._keep(topic, key, reply)
            return reply
        finally:
            self._forget_changes()

    def _keep(self, topic: Topic, key: Hashable, reply: bytes) -> None:
        if key in self._replies:
            return  # another read of the same, which began later, was quicker
        self._keys.setdefault(topic, set()).add(key)
        self._replies[key] = reply
        self._room -= len(reply) + ENTRY_BYTES
        while self._room < 0:
            self._drop(next(iter(self._keys)))  # the one that came first

    def _drop(self, topic: Topic) -> None:
        for key in self._keys.pop(topic, ()):
            self._room += len(self._replies.pop(key)) + ENTRY_BYTES

    def _forget_changes(self) -> None:
        """Changes matter to the reads under way alone: this one is about to end, and if no other is left, to none."""
        if len(self._reads) <= 1:
            self._changes.clear()
        elif len(self._changes) > MAX_REMEMBERED_CHANGES:
            self._changes.clear()
            self._forgotten_before = self._commits + 1


class JobReplies(Replies):
    """The replies of GetJob in the BASIC view."""

    def __init__(self, store: Store, encode: Encode, kept_bytes: int = KEPT_BYTES) -> None:
        super().__init__(kept_bytes)
        self._store = store
        self._encode = encode

    async def of_job(self, team: str, job_id: str) -> bytes:
        """The reply for a job of a team. Raises JOB_NOT_FOUND."""
        key = (team, job_id)
        return self._replies.get(key) or await self.of(key, partial(self._read_job, team, job_id))

    async def _read_job(self, team: str, job_id: str) -> tuple[Topic, bytes]:
        async def unit(rows: Rows) -> Job:
            return await views.with_reviews(rows, await views.find_job(rows, team, job_id))

        job = await self._store.read(unit)
        return job.row_id, self._encode(job)


@dataclass(frozen=True, slots=True)
class _Listed:
    head: JobHead
    job: Job
    data: bytes


class ListedJobs:
    """Jobs as lists show them. They need no word of commits: a list reads which version of each job it shows."""

    def __init__(self, encode: Encode, kept: int = KEPT_JOBS) -> None:
        self._encode = encode
        self._kept = kept
        self._jobs: dict[int, _Listed] = {}

    def get(self, head: JobHead) -> Job | None:
        """The job in this very version, if it is kept. May be called on any thread."""
        known = self._jobs.get(head.row_id)
        return known.job if known is not None and known.head == head else None

    def encoded(self, job: Job) -> bytes:
        """The job as a list's reply holds it."""
        known = self._jobs.get(job.row_id)
        if known is None or known.job is not job:
            self._jobs.pop(job.row_id, None)
            known = _Listed(head_of(job), job, self._encode(job))
            self._keep(known)
        return known.data

    def _keep(self, listed: _Listed) -> None:
        if len(listed.data) > LISTED_BYTES:
            return
        if len(self._jobs) >= self._kept:
            del self._jobs[next(iter(self._jobs))]
        self._jobs[listed.head.row_id] = listed


def head_of(job: Job) -> JobHead:
    """The head of a job at hand."""
    return JobHead(job.row_id, job.created_at, job.last_sequence, job.updated_at)
