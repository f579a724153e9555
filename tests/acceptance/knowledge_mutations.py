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

    return [
        _of(
            "CreateKnowledgeBase",
            pb.CreateKnowledgeBaseRequest(name=f"created-{key}", request_id=key),
            lambda: bases.named(f"created-{key}"),
        ),
        _of(
            "UpdateKnowledgeBase",
            pb.UpdateKnowledgeBaseRequest(knowledge_base_id=updated, name=f"renamed-{key}", request_id=key),
            is_renamed,
        ),
        _of(
            "DeleteKnowledgeBase",
            pb.DeleteKnowledgeBaseRequest(knowledge_base_id=deleted, request_id=key),
            is_deleted,
        ),
        _of(
            "UndeleteKnowledgeBase",
            pb.UndeleteKnowledgeBaseRequest(knowledge_base_id=undeleted, request_id=key),
            is_back,
        ),
        _of(
            "AddKnowledgeBaseFiles",
            pb.AddKnowledgeBaseFilesRequest(knowledge_base_id=filled, files=[file], request_id=key),
            lambda: bases.jobs(filled),
        ),
        _of(
            "RemoveKnowledgeBaseFiles",
            pb.RemoveKnowledgeBaseFilesRequest(knowledge_base_id=emptied, file_ids=[gone], request_id=key),
            lambda: caller.events(job.job_id, EventType.EVENT_TYPE_RECORD_CANCELLED),
        ),
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

    async def losses() -> int:
        return 1 - len(await bases.sources(losing))

    return [
        _of(
            "AddDataSource",
            pb.AddDataSourceRequest(knowledge_base_id=fed, type=FILES, name="new", file_ids=files, request_id=key),
            lambda: _count(bases.sources(fed)),
        ),
        _of(
            "UpdateDataSource",
            pb.UpdateDataSourceRequest(
                data_source_id=renamed.data_source_id,
                name=f"renamed-{key}",
                update_mask=FieldMask(paths=["name"]),
                request_id=key,
            ),
            is_renamed,
        ),
        _of(
            "RemoveDataSource",
            pb.RemoveDataSourceRequest(data_source_id=lost.data_source_id, request_id=key),
            losses,
        ),
        _of(
            "SyncDataSource",
            pb.SyncDataSourceRequest(data_source_id=synced.data_source_id, request_id=key),
            lambda: bases.jobs(syncing),
        ),
        _of(
            "CancelSync",
            pb.CancelSyncRequest(data_source_id=cancelled.data_source_id, request_id=key),
            lambda: caller.events(job.job_id, EventType.EVENT_TYPE_RECORD_CANCELLED),
        ),
    ]


async def _count(found: Awaitable[list[DataSource]]) -> int:
    return len(await found)
