"""Reads timelines as a watcher does; short names for the types of their events."""

from ingest_grpc.model import (
    EventType,
    TimelineEvent,
)
from tests.factories import Core

CREATED = EventType.CREATED
ADDED = EventType.RECORD_ADDED
CLAIMED = EventType.RECORD_CLAIMED
COMPLETED = EventType.RECORD_COMPLETED
FAILED = EventType.RECORD_FAILED
RETRY = EventType.RECORD_RETRY_SCHEDULED
ORPHANED = EventType.RECORD_ORPHANED
CANCELLED = EventType.RECORD_CANCELLED
REMOVED = EventType.RECORD_REMOVED
SUPERSEDED = EventType.RECORD_SUPERSEDED
RUN = EventType.INGESTION_JOB_CHANGED
JOB = EventType.JOB_CHANGED
STARTED = EventType.FILE_PROCESSING_STARTED
FINISHED = EventType.FILE_PROCESSING_COMPLETED
FILES_ADDED = EventType.FILES_ADDED
FILES_REMOVED = EventType.FILES_REMOVED


class Follower:
    """Reads a job's timeline from where it stopped, as a watcher does."""

    def __init__(self, core: Core, job_id: str) -> None:
        self._core = core
        self._job_id = job_id
        self.events: list[TimelineEvent] = []

    async def next(self) -> list[EventType]:
        news = await self._core.events(self._job_id, len(self.events))
        self.events += news
        return [event.type for event in news]


async def follow(core: Core, job_id: str) -> Follower:
    follower = Follower(core, job_id)
    await follower.next()
    return follower
