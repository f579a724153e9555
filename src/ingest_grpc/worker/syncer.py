"""Syncs data sources that are to be synced by themselves."""

import logging

from ingest_grpc.clock import MICROSECONDS, Clock
from ingest_grpc.errors import IngestError
from ingest_grpc.model import Caller, DataSource, Scope
from ingest_grpc.service.knowledge_bases.syncing import SyncService
from ingest_grpc.store.interface import Store, Tx
from ingest_grpc.worker.loop import Loop

log = logging.getLogger(__name__)

POLL_SECONDS = 30.0
"""Looks at least this often: an interval may have been set meanwhile, or the wall clock have jumped."""

RETRY_SECONDS = 60
"""After a sync that could not be begun, unless its interval is shorter."""

AT_ONCE = 20


class Syncer:
    """One source after the other: a large one makes its job, and its files wait in the queue like all others."""

    def __init__(self, store: Store, syncs: SyncService, clock: Clock) -> None:
        self._store = store
        self._syncs = syncs
        self._clock = clock
        self._loop = Loop("syncer", self._step)

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def step(self) -> int:
        """Syncs what is due; returns how many syncs were begun."""
        await self._syncs.end_interrupted()
        due = await self._store.read(lambda rows: rows.data_sources_due(self._clock.now(), AT_ONCE))
        return sum([await self._sync(source) for source in due])

    async def _sync(self, source: DataSource) -> bool:
        caller = Caller(source.team_id, source.user_id, frozenset({Scope.WRITE}))
        try:
            await self._syncs.sync(caller, source.data_source_id, (), None)
        except IngestError as error:
            log.info("the sync of %s has to wait: %s", source.data_source_id, error)
        except Exception:  # whatever is wrong with one source, the others are synced
            log.exception("the sync of %s failed, trying again later", source.data_source_id)
        else:
            return True
        await self._postpone(source)
        return False

    async def _postpone(self, source: DataSource) -> None:
        async def unit(tx: Tx) -> None:
            now = await tx.data_source_by_row(source.row_id)
            if now.removed_at is None and now.sync_interval_seconds is not None:
                seconds = min(now.sync_interval_seconds, RETRY_SECONDS)
                later = {"next_sync_at": self._clock.now() + seconds * MICROSECONDS}
                await tx.update_data_source(now.model_copy(update=later))

        await self._store.write(unit)

    async def _step(self) -> float:
        await self.step()
        due = await self._store.read(lambda rows: rows.next_sync_at())
        if due is None:
            return POLL_SECONDS
        return min(POLL_SECONDS, max(0.0, (due - self._clock.now()) / MICROSECONDS))
