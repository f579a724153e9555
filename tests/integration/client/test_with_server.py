"""The client and the server together, over a real channel."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import grpc
import pytest

from ingest_grpc.app import App
from ingest_grpc.client import AsyncClient, Client, IngestCallError, JobState
from ingest_grpc.client.messages import EventType, RecordStatus, WatchEndReason
from ingest_grpc.config import load_settings

COMPLETED, FAILED = RecordStatus.RECORD_STATUS_COMPLETED, RecordStatus.RECORD_STATUS_FAILED
MISSING_JOB = "dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d"


class Service:
    """A server that can be restarted at its address."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self.address = "127.0.0.1:0"
        self._app: App | None = None

    async def start(self) -> None:
        self._app = App(load_settings(address=self.address, data_dir=self._data_dir, workers=1))
        await self._app.start()
        self.address = self._app.address

    async def stop(self) -> None:
        assert self._app is not None
        await self._app.stop(grace_seconds=0.0)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    service = Service(tmp_path / "data")
    await service.start()
    yield service
    await service.stop()


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(service.address) as client:
        yield client


def record_of(state: JobState, filename: str) -> tuple[RecordStatus.ValueType, str]:
    (record,) = (each for each in state.live_records if each.filename == filename)
    return record.status, record.error.message or record.output_file_id


async def test_documents_become_markdown(client: AsyncClient, tmp_path: Path) -> None:
    files = [
        await client.upload(b"A plain text.\n", filename="plain.txt"),
        await client.upload(b"", filename="empty.txt"),
        await client.upload(b"# Markdown\n", filename="ready.md"),
    ]
    created = await client.create_job("Documents", files=files)
    state = await client.wait(created.job.job_id)

    assert state.end is not None
    assert state.end.reason == WatchEndReason.WATCH_END_REASON_SETTLED
    assert (state.counts[COMPLETED], state.counts[FAILED], len(state.files)) == (1, 1, 1)
    assert record_of(state, "empty.txt") == (FAILED, "The file appears to be empty.")
    status, output = record_of(state, "plain.txt")
    assert status == COMPLETED
    assert "A plain text." in await client.read_text(output)
    await client.download(output, tmp_path / "plain.md")
    assert "A plain text." in (tmp_path / "plain.md").read_text()

    seen_at_once = await client.job_view(created.job.job_id)
    assert seen_at_once.records == state.records
    listed = [record async for record in client.list_file_records(job_id=created.job.job_id, page_size=1)]
    assert listed == list(state.records.values())


async def test_documents_become_markdown__blocking(service: Service) -> None:
    def script() -> tuple[str, list[str]]:
        with Client(service.address) as client:
            job = client.create_job("Script", files=[client.upload(b"From a script.", filename="a.txt")]).job
            (record,) = client.wait(job.job_id).live_records
            titles = [event.title for event in client.list_events(job.job_id) if event.HasField("metadata")]
            return client.read_text(record.output_file_id), titles

    text, titles = await asyncio.to_thread(script)
    assert "From a script." in text
    assert titles == ["Created", "File Processing Started", "File Processing Completed"]


async def test_large_upload_and_download(client: AsyncClient, tmp_path: Path) -> None:
    content = os.urandom(5 * 1024 * 1024 + 17)
    file = await client.upload(content, filename="large.bin")
    again = await client.download(file.file_id, tmp_path / "copy.bin")
    assert (tmp_path / "copy.bin").read_bytes() == content
    assert again == file


async def test_watch__sees_every_event_once_over_a_restart(service: Service, client: AsyncClient) -> None:
    created = await client.create_job("Restart", files=[await client.upload(b"one", filename="one.txt")])
    job_id = created.job.job_id
    lost = asyncio.Event()
    settled = asyncio.Event()
    state, sequences = JobState(), list[int]()

    async def follow() -> None:
        feed = client.watch(job_id, after_sequence=0, until="NEVER", on_reconnect=lambda error, delay: lost.set())
        async with aclosing(feed) as messages:
            async for message in messages:
                state.apply(message)
                if message.HasField("event"):
                    sequences.append(message.event.sequence)
                if state.counts[COMPLETED] == 1:
                    settled.set()
                if state.counts[COMPLETED] == 2:
                    return

    watching = asyncio.create_task(follow())
    await settled.wait()
    await service.stop()
    await lost.wait()
    await service.start()
    await client.add_files(job_id, [await client.upload(b"two", filename="two.txt")])
    await watching
    assert sequences == list(range(1, len(sequences) + 1))
    assert {record.filename for record in state.live_records} == {"one.txt", "two.txt"}


async def test_states__from_a_snapshot_and_from_all_events_are_the_same(client: AsyncClient) -> None:
    files = [await client.upload(f"text {n}".encode(), filename=f"{n}.txt") for n in range(5)]
    job_id = (await client.create_job("Same", files=files)).job.job_id
    from_snapshot, from_events = JobState(), JobState()
    async for message in client.watch(job_id):
        from_snapshot.apply(message)
    async for message in client.watch(job_id, after_sequence=0):
        from_events.apply(message)
    assert from_snapshot.counts[COMPLETED] == 5
    assert from_snapshot.records == from_events.records
    assert from_snapshot.ingestion_jobs == from_events.ingestion_jobs


async def test_repeated_mutation__has_one_effect(client: AsyncClient) -> None:
    first = await client.create_job("Once", request_id="my-request")
    second = await client.create_job("Once", request_id="my-request")
    assert first.job.job_id == second.job.job_id
    assert len([job async for job in client.list_jobs()]) == 1


async def test_refusals__come_with_reason_field_and_fix(client: AsyncClient) -> None:
    with pytest.raises(IngestCallError) as raised:
        await client.get_job("dj-x")
    assert (raised.value.code, raised.value.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ID")
    assert [violation.field for violation in raised.value.violations] == ["job_id"]
    assert "exactly as the service returned it" in raised.value.suggested_fix

    with pytest.raises(IngestCallError, match="JOB_NOT_FOUND") as missing:
        await client.wait(MISSING_JOB)
    assert missing.value.metadata["job_id"] == MISSING_JOB

    job = (await client.create_job("Future")).job
    with pytest.raises(IngestCallError, match="SEQUENCE_IN_FUTURE"):
        await anext(client.watch(job.job_id, after_sequence=99))


async def test_removed_and_cancelled(client: AsyncClient) -> None:
    file = await client.upload(b"text", filename="a.txt")
    job_id = (await client.create_job("Gone", files=[file])).job.job_id
    await client.wait(job_id)
    removed = await client.remove_files(job_id, file_ids=[file.file_id])
    assert len(removed.results[0].record_ids) == 1
    assert (await client.job_view(job_id)).live_records == []
    removals = [event async for event in client.list_events(job_id, types=["RECORD_REMOVED"])]
    assert [event.type for event in removals] == [EventType.EVENT_TYPE_RECORD_REMOVED]
    assert (await client.cancel_job(job_id)).records_cancelled == 0
    assert (await client.delete_file(file.file_id)).file.HasField("deleted_at")


async def test_job_changes__update_delete_clone_and_retry(client: AsyncClient) -> None:
    files = [await client.upload(b"", filename="empty.txt"), await client.upload(b"# Ready\n", filename="ready.md")]
    job = (await client.create_job("Changed", files=files, labels={"a": "b"}, external_id="mine")).job
    settled = (await client.wait_job(job.job_id, timeout=30)).job
    assert settled.settled

    updated = await client.update_job(job.job_id, name="New", labels={}, etag=settled.etag)
    assert (updated.name, dict(updated.labels)) == ("New", {})
    with pytest.raises(IngestCallError, match="ETAG_MISMATCH"):
        await client.update_job(job.job_id, name="Newer", etag=settled.etag)

    retried = await client.retry_files(job.job_id, all_unresolved=True)
    assert retried.records_retried == 1
    # The first change after the retry is told, whenever it came.
    changed = await client.wait_job(job.job_id, until="CHANGE", after_sequence=retried.job.last_sequence, timeout=30)
    assert changed.job.last_sequence > retried.job.last_sequence
    await client.wait_job(job.job_id, timeout=30)

    clone = await client.clone_job(job.job_id, name="Copy")
    assert [file.name async for file in client.list_job_files(clone.job_id)] == ["ready.md"]
    assert clone.origin_job_id == job.job_id

    assert (await client.delete_job(job.job_id)).HasField("purge_at")
    assert await client.count_jobs() == 1
    assert [each.job_id async for each in client.list_jobs(external_id="mine", show_deleted=True)] == [job.job_id]
    assert not (await client.undelete_job(job.job_id)).HasField("deleted_at")


async def test_whole_job__is_the_full_view_and_a_record_is_read_alone(client: AsyncClient) -> None:
    file = await client.upload(b"Some text.\n", filename="a.txt")
    job_id = (await client.create_job("Whole", files=[file])).job.job_id
    await client.wait(job_id)
    job = await client.whole_job(job_id)
    assert job == (await client.get_job(job_id)).job
    (record,) = job.ingestion_jobs[0].records
    assert await client.get_file_record(record.record_id) == record


async def test_validate_only__checks_and_changes_nothing(client: AsyncClient) -> None:
    response = await client.create_job("Tried", validate_only=True)
    assert response.job.name == "Tried"
    assert await client.count_jobs() == 0
