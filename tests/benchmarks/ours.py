"""Our server as a contestant: started with a key, so that every call is authenticated, and a job to ask about."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest_grpc.admin import create_key
from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import AddFilesRequest, FileToAdd, RemoveFilesRequest
from ingest_grpc.client.rpcs import ADD_FILES, REMOVE_FILES
from ingest_grpc.config import Settings
from tests.acceptance.server import Server
from tests.benchmarks.harness import Contestant
from tests.benchmarks.http2 import Connection


@dataclass(frozen=True, slots=True)
class Ours:
    """A running server and the secret of its one key."""

    contestant: Contestant
    secret: str

    def client(self) -> AsyncClient:
        return AsyncClient(self.contestant.address, api_key=self.secret)

    async def connect(self) -> Connection:
        return await Connection.open(self.contestant.address, self.secret)


@asynccontextmanager
async def our_server(folder: Path, workers: int) -> AsyncIterator[Ours]:
    """A server with so many converters, and else the product's own settings; it is gone afterwards."""
    async with Server(folder, workers=workers) as server:
        key = await create_key(Settings(data_dir=server.data), team="bench", user="bench", scopes=["write"])
        yield Ours(Contestant(server.address, server.pid), key[1])


class Events:
    """A job to which Markdown is added and removed in turns: each call commits exactly one event."""

    def __init__(self, job_id: str, file_id: str) -> None:
        self.job_id = job_id
        add = AddFilesRequest(job_id=job_id, files=[FileToAdd(file_id=file_id)])
        remove = RemoveFilesRequest(job_id=job_id, file_ids=[file_id])
        self._calls = (ADD_FILES.path, add.SerializeToString()), (REMOVE_FILES.path, remove.SerializeToString())
        self._number = 0

    @classmethod
    async def prepare(cls, client: AsyncClient) -> "Events":
        """A job that has some Markdown already, so that one file more or less leaves its status alone."""
        kept = await client.create_file(b"# Kept\n", filename="kept.md")
        moved = await client.create_file(b"# Moved\n", filename="moved.md")
        job = (await client.create_job("benchmark", files=[kept])).job
        return cls(job.job_id, moved.file_id)

    def next_call(self) -> tuple[str, bytes]:
        """Path and message of the call that commits the next event."""
        self._number += 1
        return self._calls[(self._number - 1) % 2]
