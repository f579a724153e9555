"""Was every promise kept? Judged from what clients saw, from the ledger's rows and from the files on disk."""

import json
from collections import Counter
from collections.abc import Sequence

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import EventType, FileKind, RecordStatus, TimelineEvent
from ingest_grpc.clock import SystemClock
from ingest_grpc.store.sqlite.store import SqliteStore
from tests.acceptance.server import Server, run_cli
from tests.acceptance.traffic import Traffic
from tests.acceptance.watchers import RawWatcher, SdkWatcher, Watcher
from tests.history import violations
from tests.invariants import check_ledger, stored_files


async def judge(
    server: Server,
    client: AsyncClient,
    traffic: Traffic,
    watchers: Sequence[Watcher],
    events: Sequence[TimelineEvent],
) -> None:
    """Everything; stops the server in between, since the strictest checks want its data folder for themselves."""
    _judge_watchers(watchers, events)
    _judge_events(traffic, events)
    await _judge_records(client, traffic)
    await _judge_calls(client, traffic)
    assert await server.terminate() == 0, server.log()[-2000:]
    await server.nothing_left()
    await judge_folder(server)


def _judge_watchers(watchers: Sequence[Watcher], events: Sequence[TimelineEvent]) -> None:
    """Each saw what it asked for once, in order and without a gap, the same bytes as all others."""
    everything = [event.sequence for event in events]
    assert everything == list(range(1, len(events) + 1))
    raw = [watcher.connections for watcher in watchers if isinstance(watcher, RawWatcher)]
    problems = violations(*raw, truth=events)
    assert not problems, problems[:20]
    for watcher in watchers:
        if isinstance(watcher, SdkWatcher):
            assert watcher.sequences == everything[-len(watcher.sequences) :], "an SDK watcher missed events"
        if watcher.from_beginning:
            assert watcher.sequences == everything


def _judge_events(traffic: Traffic, events: Sequence[TimelineEvent]) -> None:
    """Every record was added once and completed once; nothing else ended it."""
    counted = Counter(
        (event.record_change.record.record_id, event.type) for event in events if event.HasField("record_change")
    )
    records = {record_id for record_id, _ in counted}
    assert len(records) == len(traffic.documents)
    for record_id in records:
        assert counted[record_id, EventType.EVENT_TYPE_RECORD_ADDED] == 1
        assert counted[record_id, EventType.EVENT_TYPE_RECORD_COMPLETED] == 1
    endings = {EventType.EVENT_TYPE_RECORD_FAILED, EventType.EVENT_TYPE_RECORD_RETRY_SCHEDULED}
    assert not [key for key in counted if key[1] in endings]


async def _judge_records(client: AsyncClient, traffic: Traffic) -> None:
    """One completed record and one readable output per document, with that document's own word in it."""
    records = [record async for record in client.list_file_records(job_id=traffic.job_id)]
    assert sorted(record.filename for record in records) == sorted(traffic.documents)
    for record in records:
        assert record.status == RecordStatus.RECORD_STATUS_COMPLETED, record
        assert record.failures == 0
        assert record.attempt == record.orphaned_count + 1
        assert record.file_id == traffic.files[record.filename].file_id
        text = await client.read_text(record.output_file_id)
        assert traffic.documents[record.filename].word in text, record.filename
    outputs = [file.file_id async for file in client.list_files(kind=FileKind.FILE_KIND_OUTPUT)]
    assert sorted(outputs) == sorted(record.output_file_id for record in records)


async def _judge_calls(client: AsyncClient, traffic: Traffic) -> None:
    """Exactly what was acknowledged exists, once."""
    uploads = [file.file_id async for file in client.list_files(kind=FileKind.FILE_KIND_UPLOAD)]
    assert sorted(uploads) == sorted(file.file_id for file in traffic.files.values())
    jobs = {job.job_id async for job in client.list_jobs()}
    assert jobs == {traffic.job_id, *traffic.other_jobs.values()}
    runs = {run.ingestion_job_id async for run in client.list_ingestion_jobs(job_id=traffic.job_id)}
    assert runs == traffic.ingestion_jobs


async def judge_folder(server: Server) -> None:
    """The ledger adds up, no byte is without an owner, `admin check` and even its repair find nothing to do."""
    assert list((server.data / "blobs" / "staging").iterdir()) == []
    store = SqliteStore(server.data / "ledger.sqlite3", SystemClock())
    await store.start()
    try:
        await check_ledger(store, server.data / "ledger.sqlite3", stored_files(server.data / "blobs"))
    finally:
        await store.stop()
    for flags in ((), ("--repair",)):
        checked = run_cli("admin", "check", "--json", "--data-dir", str(server.data), *flags)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        report = json.loads(checked.stdout)
        assert (report["problems"], report["repaired"]) == ([], []), report
