"""All that KnowledgeBaseService of the contract is made of, put together."""

from dataclasses import dataclass
from typing import Self

from ingest_grpc.clock import Clock
from ingest_grpc.config import Settings
from ingest_grpc.model import Method
from ingest_grpc.pipeline.embed.engines import embedders
from ingest_grpc.pipeline.index.sqlite.index import SqliteIndex
from ingest_grpc.service.file_services import FileServices
from ingest_grpc.service.job_files import AddRules
from ingest_grpc.service.jobs import JobService
from ingest_grpc.service.knowledge_bases.bases import KnowledgeBaseService
from ingest_grpc.service.knowledge_bases.embedding import ChunkingDefaults, Embedders
from ingest_grpc.service.knowledge_bases.files import KnowledgeFileService
from ingest_grpc.service.knowledge_bases.index_work import IndexWork
from ingest_grpc.service.knowledge_bases.keeping import IndexKeeper
from ingest_grpc.service.knowledge_bases.listing import Listing
from ingest_grpc.service.knowledge_bases.reindexing import Reindexer
from ingest_grpc.service.knowledge_bases.searching import SearchService
from ingest_grpc.service.knowledge_bases.sources import DataSourceService
from ingest_grpc.service.knowledge_bases.syncing import SyncService
from ingest_grpc.store.interface import Store


@dataclass(frozen=True, slots=True)
class KnowledgeServices:
    """The services about knowledge bases, over one index and the server's embedders."""

    bases: KnowledgeBaseService
    sources: DataSourceService
    syncs: SyncService
    files: KnowledgeFileService
    search: SearchService
    keeper: IndexKeeper
    work: IndexWork
    index: SqliteIndex
    embedders: Embedders

    @classmethod
    def build(
        cls, settings: Settings, store: Store, clock: Clock, files: FileServices, jobs: JobService, rules: AddRules
    ) -> Self:
        """As the settings say."""
        index = SqliteIndex(settings.index_path, cache_bytes=settings.embedding_cache_bytes)
        defaults = ChunkingDefaults(settings.embedder, settings.chunk_max_tokens, settings.chunk_overlap_tokens)
        chosen = Embedders(embedders(settings, index.cache), defaults)
        method = Method(settings.default_method)
        reindexer = Reindexer(
            store,
            clock,
            default_method=method,
            max_records=settings.max_records_per_job,
            max_queued=rules.max_queued,
        )
        listing = Listing(store, files.origins, max_keys=settings.max_source_keys)
        syncs = SyncService(store, clock, listing, files.intake, jobs, max_queued=rules.max_queued)
        return cls(
            bases=KnowledgeBaseService(
                store, clock, index, chosen, jobs, reindexer, purge_after_days=settings.purge_after_days
            ),
            sources=DataSourceService(store, clock, listing, syncs, default_method=method),
            syncs=syncs,
            files=KnowledgeFileService(store, clock, jobs, default_method=method, rules=rules),
            search=SearchService(store, index, chosen),
            keeper=IndexKeeper(store, clock, index, reindexer),
            work=IndexWork(store, rules.is_current),
            index=index,
            embedders=chosen,
        )

    async def start(self) -> None:
        """Opens the index, and ends what the last server left half-written."""
        await self.index.open()
        await self.syncs.recover()
        await self.sources.recover()

    async def stop(self) -> None:
        """Closes the index and frees the models. Idempotent."""
        await self.embedders.close()
        await self.index.close()
