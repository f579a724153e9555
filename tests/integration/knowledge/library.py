"""A folder of documents, a knowledge base that is synced with it, and what tests ask of both."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.ingestion_pb2 import RecordStatus
from ingest_grpc.v1.job_pb2 import Job
from ingest_grpc.v1.job_service_pb2 import GetJobRequest, WatchJobRequest
from ingest_grpc.v1.knowledge_base_pb2 import DataSource, DataSourceType, KnowledgeBase, KnowledgeBaseFile, SearchMode
from tests.integration.serving import Server

TEXTS = {
    "harbour.md": "# Harbour\n\nShips wait for the tide before they enter the harbour.\n",
    "bakery/bread.md": "# Bread\n\nSourdough needs a warm place and a long night.\n",
    "bakery/cake.txt": "A cake of almonds keeps for a week.\n",
    "mountain.html": "<h1>Mountain</h1><p>The glacier melts slowly in the valley.</p>",
}


@dataclass
class Library:
    """`folder` is what the data source reads; keys are paths in it."""

    server: Server
    folder: Path
    knowledge_base: KnowledgeBase
    source: DataSource | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, tmp_path: Path, **settings: Any) -> AsyncIterator[Self]:
        folder = tmp_path / "library"
        folder.mkdir()
        defaults: dict[str, Any] = {"workers": 2, "import_roots": [folder], "backoff_base_seconds": 0.01}
        server = Server(tmp_path / "data", converts=True, real_time=True, **(defaults | settings))
        async with server:
            request = pb.CreateKnowledgeBaseRequest(name="Library")
            created = (await server.knowledge.CreateKnowledgeBase(request)).knowledge_base
            yield cls(server, folder, created)

    @property
    def id(self) -> str:
        return self.knowledge_base.knowledge_base_id

    # ── the folder ─────────────────────────────────────────────────────────────────────────────────────

    def write(self, key: str, text: str | bytes) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def fill(self) -> None:
        for key, text in TEXTS.items():
            self.write(key, text)

    def delete(self, key: str) -> None:
        (self.folder / key).unlink()

    # ── syncing ────────────────────────────────────────────────────────────────────────────────────────

    async def add_source(self, **fields: Any) -> Job:
        """The folder as a data source, synced to the end of its first job."""
        request = pb.AddDataSourceRequest(
            knowledge_base_id=self.id,
            type=DataSourceType.DATA_SOURCE_TYPE_OBJECT_STORE,
            url=self.folder.as_uri(),
            **fields,
        )
        added = await self.server.knowledge.AddDataSource(request)
        self.source = added.data_source
        return await self.settled(added.job)

    async def add_files(self, *filenames: str) -> DataSource:
        """Files that were uploaded as a data source, ingested to the end."""
        files = [await self.server.upload(filename) for filename in filenames]
        request = pb.AddDataSourceRequest(
            knowledge_base_id=self.id,
            type=DataSourceType.DATA_SOURCE_TYPE_FILES,
            file_ids=[file.file_id for file in files],
        )
        added = await self.server.knowledge.AddDataSource(request)
        await self.settled(added.job)
        return added.data_source

    async def sync(self, *keys: str) -> pb.SyncDataSourceResponse:
        """A sync to the end of its job, which the reply then holds as it ended."""
        assert self.source is not None
        request = pb.SyncDataSourceRequest(data_source_id=self.source.data_source_id, keys=keys)
        reply = await self.server.knowledge.SyncDataSource(request)
        if reply.HasField("job"):
            reply.job.CopyFrom(await self.settled(reply.job))
        return reply

    async def settled(self, job: Job) -> Job:
        async for _ in self.server.jobs.WatchJob(WatchJobRequest(job_id=job.job_id, after_sequence=0)):
            pass
        return (await self.server.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job

    # ── what is there ──────────────────────────────────────────────────────────────────────────────────

    async def now(self) -> KnowledgeBase:
        request = pb.GetKnowledgeBaseRequest(knowledge_base_id=self.id)
        return (await self.server.knowledge.GetKnowledgeBase(request)).knowledge_base

    async def files(self) -> dict[str, KnowledgeBaseFile]:
        request = pb.ListKnowledgeBaseFilesRequest(knowledge_base_id=self.id, page_size=1_000)
        return {file.key: file for file in (await self.server.knowledge.ListKnowledgeBaseFiles(request)).files}

    async def found(self, query: str, mode: SearchMode.ValueType = SearchMode.SEARCH_MODE_HYBRID) -> list[str]:
        """Keys of the documents that a query finds, best first."""
        request = pb.SearchRequest(knowledge_base_id=self.id, query=query, mode=mode)
        return [each.chunk.key for each in (await self.server.knowledge.Search(request)).results]

    async def chunks(self, key: str) -> Sequence[str]:
        file_id = (await self.files())[key].file_id
        request = pb.ListChunksRequest(knowledge_base_id=self.id, file_id=file_id)
        return [chunk.text for chunk in (await self.server.knowledge.ListChunks(request)).chunks]

    async def counts(self) -> dict[str, int]:
        request = pb.GetFileStatusCountsRequest(knowledge_base_id=self.id)
        reply = await self.server.knowledge.GetFileStatusCounts(request)
        return {RecordStatus.Name(count.status).removeprefix("RECORD_STATUS_"): count.count for count in reply.counts}
