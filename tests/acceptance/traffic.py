"""Callers who upload files and add them to a job, each call under a request_id until it is acknowledged."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from typing import TypeVar

import grpc

from ingest_grpc.client import AsyncClient, IngestCallError
from ingest_grpc.client.messages import File
from tests.acceptance.workload import Document

T = TypeVar("T")

_OUTAGE = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""What a caller meets whose server was killed; any other error is a finding."""


class Traffic:
    """Feeds `documents` to one job in `steps` portions: uploads, AddFiles, and empty jobs beside it.

    Every call is made again under its request_id after it was acknowledged, and must answer with the same ids.
    """

    def __init__(self, client: AsyncClient, documents: Sequence[Document], rng: random.Random, *, steps: int) -> None:
        self.documents = {document.name: document for document in documents}
        self.job_id = ""
        self.files: dict[str, File] = {}
        self.ingestion_jobs: set[str] = set()
        self.other_jobs: dict[str, str] = {}
        self.acknowledged = 0
        self._client = client
        self._name = f"{rng.randrange(16**8):08x}"
        first = max(2, len(documents) // 4)
        self._first, rest = documents[:first], documents[first:]
        cuts = sorted(rng.randint(0, len(rest)) for _ in range(steps - 1))
        bounds = [0, *cuts, len(rest)]
        self._portions = [rest[start:end] for start, end in pairwise(bounds)]
        self._tasks: list[asyncio.Task[None]] = []

    async def create(self) -> None:
        """The job with its first files, before anything is killed."""
        files = [await self._upload(document) for document in self._first]
        created = await self._twice(
            lambda key: self._client.create_job("Killed again and again", files=files, request_id=key),
            f"create-{self._name}",
            lambda answer: answer.job.job_id,
        )
        self.job_id = created.job.job_id
        runs = [run async for run in self._client.list_ingestion_jobs(job_id=self.job_id)]
        self.ingestion_jobs = {run.ingestion_job_id for run in runs}

    def step(self) -> None:
        """The next portion goes out, whatever the server is doing."""
        number = len(self._tasks)
        portion = self._portions[number] if number < len(self._portions) else []
        self._tasks.append(asyncio.create_task(self._send(number, portion)))

    async def finish(self, seconds: float) -> None:
        """Wait until every call was acknowledged; raises what one of them failed with."""
        async with asyncio.timeout(seconds):
            await asyncio.gather(*self._tasks)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _send(self, number: int, portion: Sequence[Document]) -> None:
        name = f"beside-{number}"
        created = await self._twice(
            lambda key: self._client.create_job(name, request_id=key),
            f"{name}-{self._name}",
            lambda answer: answer.job.job_id,
        )
        self.other_jobs[name] = created.job.job_id
        if not portion:
            return
        files = await asyncio.gather(*(self._upload(document) for document in portion))
        added = await self._twice(
            lambda key: self._client.add_files(self.job_id, files, request_id=key),
            f"add-{number}-{self._name}",
            lambda answer: (answer.ingestion_job_id, [each.record_id for each in answer.results]),
        )
        self.ingestion_jobs.add(added.ingestion_job_id)

    async def _upload(self, document: Document) -> File:
        file = await self._twice(
            lambda key: self._client.upload(document.data, filename=document.name, request_id=key),
            f"up-{document.name}-{self._name}",
            lambda answer: answer.file_id,
        )
        self.files[document.name] = file
        return file

    async def _twice(self, call: Callable[[str], Awaitable[T]], key: str, identity: Callable[[T], object]) -> T:
        first = await self._acknowledged(call, key)
        again = await self._acknowledged(call, key)
        assert identity(again) == identity(first), f"{key} had its effect twice"
        return first

    async def _acknowledged(self, call: Callable[[str], Awaitable[T]], key: str) -> T:
        """The SDK gives up an upload after some attempts; this caller does not."""
        while True:
            try:
                answer = await call(key)
            except IngestCallError as error:
                if error.code not in _OUTAGE:
                    raise
            else:
                self.acknowledged += 1
                return answer
