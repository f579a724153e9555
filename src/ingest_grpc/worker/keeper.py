"""Keeps the index in step with the ledger, see service.knowledge_bases.keeping."""

from ingest_grpc.service.attempted import attempted
from ingest_grpc.service.knowledge_bases.bases import KnowledgeBaseService
from ingest_grpc.service.knowledge_bases.keeping import IndexKeeper
from ingest_grpc.service.knowledge_bases.sources import DataSourceService
from ingest_grpc.worker.loop import Loop

POLL_SECONDS = 30.0
"""Looks at least this often: an attempt that ended late may be left to settle."""

PURGED_AT_ONCE = 100


class Keeper:
    """Woken by commits that removed a document or changed the metadata of one."""

    def __init__(self, keeper: IndexKeeper, bases: KnowledgeBaseService, sources: DataSourceService) -> None:
        self._keeper = keeper
        self._bases = bases
        self._sources = sources
        self._loop = Loop("index-keeper", self._step)

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    def wake(self) -> None:
        self._loop.wake()

    async def step(self) -> int:
        """One round; returns how many documents were cleared."""
        await self._sources.finish_removals()
        cleared = await self._keeper.step()
        await attempted("purging knowledge bases", self._bases.purge(PURGED_AT_ONCE))
        return cleared

    async def _step(self) -> float:
        await self.step()
        return POLL_SECONDS
