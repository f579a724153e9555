"""WaitJob: one answer when something happened, for callers who cannot stream."""

from ingest_grpc.clock import Clock
from ingest_grpc.hub import Hub
from ingest_grpc.lifecycle import TERMINAL_JOB_STATUSES
from ingest_grpc.model import Caller, Job, WaitUntil
from ingest_grpc.service import views
from ingest_grpc.service.jobs import check_not_in_future
from ingest_grpc.store.interface import Rows, Store


class WaitService:
    """Waits on the same hub as watchers do."""

    def __init__(self, store: Store, hub: Hub, clock: Clock) -> None:
        self._store = store
        self._hub = hub
        self._clock = clock

    async def wait(
        self, caller: Caller, job_id: str, after_sequence: int | None, until: WaitUntil, timeout_seconds: float
    ) -> tuple[Job, bool]:
        """(the job in the BASIC view, whether the time ran out). Raises JOB_NOT_FOUND and SEQUENCE_IN_FUTURE."""

        async def unit(rows: Rows) -> Job:
            return await views.with_reviews(rows, await views.find_job(rows, caller.team_id, job_id))

        job = await self._store.read(unit)
        after = job.last_sequence if after_sequence is None else after_sequence
        check_not_in_future(job, after)
        deadline = self._clock.monotonic() + timeout_seconds
        signal = self._hub.subscribe(job.row_id)
        try:
            while True:
                signal.clear()
                job = await self._store.read(unit)
                if _happened(job, after, until):
                    return job, False
                if self._hub.draining or self._clock.monotonic() >= deadline:
                    return job, True
                await signal.wait(deadline)
        finally:
            self._hub.unsubscribe(signal)


def _happened(job: Job, after: int, until: WaitUntil) -> bool:
    match until:
        case WaitUntil.SETTLED:
            return job.facts.settled
        case WaitUntil.TERMINAL:
            return job.status in TERMINAL_JOB_STATUSES
        case WaitUntil.CHANGE:
            return job.last_sequence > after
