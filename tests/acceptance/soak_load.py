"""A mixed load at a modest rate: what a day of several callers looks like, for as long as it is let to run."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import RecordStatus
from tests.acceptance.workload import Document, make_documents

JOB_WATCHERS = 5
FEED_WATCHERS = 3
READS_PER_SECOND = 10.0
DONE = {RecordStatus.RECORD_STATUS_COMPLETED}


class Load:
    """Callers that come again and again. `done` counts what they did; a caller that fails ends the load with it."""

    def __init__(self, client: AsyncClient, seed: int) -> None:
        self.done: Counter[str] = Counter()
        self._client = client
        self._rng = random.Random(seed)
        self._documents = make_documents(60, seed)
        self._recent: list[str] = []

    async def run(self, seconds: float) -> None:
        """Returns when the time is over. Raises what a caller raised."""
        roles: list[tuple[Callable[[], Awaitable[None]], float, int]] = [
            (self._ingest, 1.0, 3),
            (self._read, 1.0 / READS_PER_SECOND, 1),
            (self._list, 2.0, 1),
            (self._upload_large, 20.0, 1),
            (self._come_and_go, 0.5, 2),
            (self._refused, 3.0, 1),
        ]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                for role, pause, count in roles:
                    for _ in range(count):
                        group.create_task(self._again(role, pause))
                for _ in range(FEED_WATCHERS):
                    group.create_task(self._watch_feed())

    async def _again(self, role: Callable[[], Awaitable[None]], pause: float) -> None:
        while True:
            await role()
            await asyncio.sleep(pause * self._rng.uniform(0.5, 1.5))

    # ── callers ────────────────────────────────────────────────────────────────────────────────────────

    async def _ingest(self) -> None:
        """A job from its uploads to its outputs, watched by several; the older ones are deleted."""
        documents = self._rng.sample(self._documents, self._rng.randint(1, 4))
        files = [await self._client.upload(_fresh(each, self._rng), filename=each.name) for each in documents]
        job_id = (await self._client.create_job("soak", files=files)).job.job_id
        self._recent.append(job_id)
        async with asyncio.TaskGroup() as group:
            for _ in range(JOB_WATCHERS):
                group.create_task(self._watch(job_id))
        records = [record async for record in self._client.list_file_records(job_id=job_id)]
        assert {record.status for record in records} == DONE, records
        for record in records:
            assert await self._client.read_text(record.output_file_id)
        self.done["jobs"] += 1
        self.done["documents"] += len(records)
        if len(self._recent) > 20:
            await self._client.delete_job(self._recent.pop(0))

    async def _watch(self, job_id: str) -> None:
        async with contextlib.aclosing(self._client.watch(job_id, after_sequence=0)) as messages:
            sequences = [message.sequence async for message in messages if message.HasField("event")]
        assert sequences == list(range(1, len(sequences) + 1)), sequences
        self.done["events watched"] += len(sequences)

    async def _watch_feed(self) -> None:
        async with contextlib.aclosing(self._client.watch_jobs()) as messages:
            async for _ in messages:
                self.done["messages of the feed"] += 1

    async def _come_and_go(self) -> None:
        """Watches that are left in the middle of it."""
        if not self._recent:
            return
        stream = self._client.watch(self._rng.choice(self._recent), until="NEVER")
        async with contextlib.aclosing(stream) as messages:
            async for _ in messages:
                if self._rng.random() < 0.5:
                    break
        self.done["watches left"] += 1

    async def _read(self) -> None:
        if self._recent:
            await self._client.get_job(self._rng.choice(self._recent))
            self.done["reads"] += 1

    async def _list(self) -> None:
        self.done["jobs listed"] += len([job async for job in self._client.list_jobs(page_size=25)])

    async def _upload_large(self) -> None:
        data = self._rng.randbytes(4) * 2**20
        file = await self._client.upload(data, filename="large.bin", content_type="application/octet-stream")
        await self._client.delete_file(file.file_id)
        self.done["megabytes"] += len(data) // 2**20

    async def _refused(self) -> None:
        """A document that cannot be converted."""
        file = await self._client.upload(b"%PDF-1.7 broken " + self._rng.randbytes(8), filename="broken.pdf")
        created = await self._client.create_job("broken", files=[file])
        await self._client.wait(created.job.job_id)
        await self._client.delete_job(created.job.job_id)
        self.done["documents refused"] += 1


def _fresh(document: Document, rng: random.Random) -> bytes:
    """Other bytes each time where the format allows it, so that the work is done and not reused."""
    plain = document.name.endswith((".txt", ".csv", ".html"))
    return document.data + f"\n{rng.random()}".encode() if plain else document.data
