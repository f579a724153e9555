"""The mutations of KnowledgeBaseService, each on a knowledge base of its own; see `mutations`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.v1.job_pb2 import EventType, Job
from ingest_grpc.v1.job_service_pb2 import FileToAdd, ListJobsRequest
from ingest_grpc.v1.knowledge_base_pb2 import DataSource, DataSourceType, KnowledgeBase
from tests.acceptance.mutations import Attempt, Caller

CANCELLED = EventType.EVENT_TYPE_RECORD_CANCELLED
FILES, FOLDER = DataSourceType.DATA_SOURCE_TYPE_FILES, DataSourceType.DATA_SOURCE_TYPE_OBJECT_STORE


@dataclass
class Bases:
    """Makes what the mutations work on, and looks at what became of it."""

    caller: Caller
    key: str

    async def call(self, rpc: str, request: Message) -> Any:
        return await self.caller.call(f"KnowledgeBaseService/{rpc}", request)

    async def make(self, what: str) -> str:
        request = pb.CreateKnowledgeBaseRequest(name=f"{what}-{self.key}")
        return str((await self.call("CreateKnowledgeBase", request)).knowledge_base.knowledge_base_id)

    def folder(self, what: str) -> Path:
        """A folder that the server may read."""
        folder = self.caller.incoming / f"{what}-{self.key}"
        folder.mkdir(exist_ok=True)
        return folder

    async def source(self, what: str) -> tuple[str, DataSource, Job]:
        """(knowledge base, a source of the folder of that name, the job that its first sync made)."""
        base = await self.make(what)
        url = f"file://{self.folder(what)}/"
        request = pb.AddDataSourceRequest(knowledge_base_id=base, type=FOLDER, name=what, url=url)
        reply: pb.AddDataSourceResponse = await self.call("AddDataSource", request)
        return base, reply.data_source, reply.job

    async def base(self, base: str) -> KnowledgeBase:
        found: pb.GetKnowledgeBaseResponse = await self.call(
            "GetKnowledgeBase", pb.GetKnowledgeBaseRequest(knowledge_base_id=base)
        )
        return found.knowledge_base

    async def sources(self, base: str) -> list[DataSource]:
        request = pb.ListDataSourcesRequest(knowledge_base_id=base)
        return list((await self.call("ListDataSources", request)).data_sources)

    async def jobs(self, base: str) -> int:
        return len((await self.caller.call("JobService/ListJobs", ListJobsRequest(knowledge_base_id=base))).jobs)

    async def named(self, name: str) -> int:
        listed = await self.call("ListKnowledgeBases", pb.ListKnowledgeBasesRequest(page_size=1_000))
        return sum(base.name == name for base in listed.knowledge_bases)


def _of(rpc: str, request: Message, effects: Callable[[], Awaitable[int]]) -> Attempt:
    return Attempt(f"KnowledgeBaseService/{rpc}", [request], effects)


async def base_mutations(caller: Caller, key: str) -> list[Attempt]:
    """Of knowledge bases and their files."""
    bases = Bases(caller, key)
    updated, deleted, undeleted, filled = [
        await bases.make(what) for what in ("updated", "deleted", "undeleted", "filled")
    ]
    await bases.call("DeleteKnowledgeBase", pb.DeleteKnowledgeBaseRequest(knowledge_base_id=undeleted))
    file = FileToAdd(file_id=await caller.upload(f"filled-{key}.txt"))
    emptied = await bases.make("emptied")
    gone = await caller.upload(f"emptied-{key}.txt")
    adding = pb.AddKnowledgeBaseFilesRequest(knowledge_base_id=emptied, files=[FileToAdd(file_id=gone)])
    job = (await bases.call("AddKnowledgeBaseFiles", adding)).job

    async def is_renamed() -> int:
        return int((await bases.base(updated)).name == f"renamed-{key}")

    async def is_deleted() -> int:
        return int((await bases.base(deleted)).HasField("deleted_at"))

    async def is_back() -> int:
        return int(not (await bases.base(undeleted)).HasField("deleted_at"))

    def on(base: str, request: Callable[..., Message], **fields: Any) -> Message:
        return request(knowledge_base_id=base, request_id=key, **fields)

    create = pb.CreateKnowledgeBaseRequest(name=f"created-{key}", request_id=key)
    rename = on(updated, pb.UpdateKnowledgeBaseRequest, name=f"renamed-{key}")
    fill = on(filled, pb.AddKnowledgeBaseFilesRequest, files=[file])
    empty = on(emptied, pb.RemoveKnowledgeBaseFilesRequest, file_ids=[gone])
    return [
        _of("CreateKnowledgeBase", create, lambda: bases.named(f"created-{key}")),
        _of("UpdateKnowledgeBase", rename, is_renamed),
        _of("DeleteKnowledgeBase", on(deleted, pb.DeleteKnowledgeBaseRequest), is_deleted),
        _of("UndeleteKnowledgeBase", on(undeleted, pb.UndeleteKnowledgeBaseRequest), is_back),
        _of("AddKnowledgeBaseFiles", fill, lambda: bases.jobs(filled)),
        _of("RemoveKnowledgeBaseFiles", empty, lambda: caller.events(job.job_id, CANCELLED)),
    ]


async def source_mutations(caller: Caller, key: str) -> list[Attempt]:
    """Of data sources and their syncs."""
    bases = Bases(caller, key)
    fed = await bases.make("fed")
    renaming, renamed, _ = await bases.source("renaming")
    losing, lost, _ = await bases.source("losing")
    syncing, synced, _ = await bases.source("syncing")
    (bases.folder("cancelling") / "a.txt").write_text(f"cancelling {key}")
    _, cancelled, job = await bases.source("cancelling")
    (bases.folder("syncing") / "a.txt").write_text(f"syncing {key}")
    files = [await caller.upload(f"fed-{key}.txt")]

    async def is_renamed() -> int:
        return sum(source.name == f"renamed-{key}" for source in await bases.sources(renaming))

    async def syncs() -> int:
        return await bases.jobs(syncing) - 1  # adding the source was the first

    async def losses() -> int:
        return 1 - len(await bases.sources(losing))

    def on(source: DataSource, request: Callable[..., Message], **fields: Any) -> Message:
        return request(data_source_id=source.data_source_id, request_id=key, **fields)

    add = pb.AddDataSourceRequest(knowledge_base_id=fed, type=FILES, name="new", file_ids=files, request_id=key)
    mask = FieldMask(paths=["name"])
    rename = on(renamed, pb.UpdateDataSourceRequest, name=f"renamed-{key}", update_mask=mask)
    return [
        _of("AddDataSource", add, lambda: _count(bases.sources(fed))),
        _of("UpdateDataSource", rename, is_renamed),
        _of("RemoveDataSource", on(lost, pb.RemoveDataSourceRequest), losses),
        _of("SyncDataSource", on(synced, pb.SyncDataSourceRequest), syncs),
        _of("CancelSync", on(cancelled, pb.CancelSyncRequest), lambda: caller.events(job.job_id, CANCELLED)),
    ]


async def _count(found: Awaitable[list[DataSource]]) -> int:
    return len(await found)
