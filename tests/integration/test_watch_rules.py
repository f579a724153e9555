"""Rules 1 to 6 of WatchJob, against a whole server: what is sent, from where on, and when.

What every watcher received is judged at the end of each test (tests/history.py).
"""

import asyncio
import time

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest

from ingest_grpc.v1.ingestion_pb2 import RecordStatus
from ingest_grpc.v1.job_pb2 import EventKind, JobStatus
from ingest_grpc.v1.job_service_pb2 import CancelJobRequest, GetJobRequest, WatchEndReason
from tests.integration.serving import Server
from tests.integration.watching import (
    FILES,
    HEAD,
    MILESTONES,
    NEVER,
    RECORDS,
    Watchers,
    detail,
    kind,
    kinds,
    sequences,
)

OK = grpc.StatusCode.OK
UNKNOWN_JOB = "dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d"
END_SETTLED = WatchEndReason.WATCH_END_REASON_SETTLED
RUNNING, COMPLETED = RecordStatus.RECORD_STATUS_RUNNING, RecordStatus.RECORD_STATUS_COMPLETED


# ── rules 1 to 4: snapshot, then every event once and in order, resumable anywhere ─────────────────────────────────


async def test_watch__is_snapshot_records_synced_events_end(server: Server, watchers: Watchers) -> None:
    job = await server.job("a.pdf", "b.pdf", "notes.md")
    watch = watchers.watch(job)
    first = await watch.through(lambda message: kind(message) == "synced")
    assert kinds(first) == ["snapshot", "records", "synced"]
    assert {message.sequence for message in first} == {job.last_sequence}
    parts = [message.records for message in first if message.HasField("records")]
    assert [record.filename for part in parts for record in part.records] == ["a.pdf", "b.pdf"]
    assert [file.name for part in parts for file in part.files] == ["notes.md"]
    assert len([run for part in parts for run in part.ingestion_jobs]) == 1

    for claim in await server.claim(2):
        await server.succeed(claim)
    rest = await watch.rest()
    assert kinds(rest) == ["event", "end"]
    assert sequences(rest) == list(range(job.last_sequence + 1, rest[-1].sequence + 1))
    assert watch.connection.code is OK
    assert rest[-1].end.reason == END_SETTLED
    assert rest[-1].end.job.status == JobStatus.JOB_STATUS_READY_TO_START


async def test_watch__sends_a_change_the_moment_it_commits(server: Server, watchers: Watchers) -> None:
    job = await server.job("a.pdf")
    watch = watchers.watch(job)
    await watch.through(lambda message: kind(message) == "synced")
    await server.quiet()
    claims = await server.claim()
    seen = await watch.through(lambda message: message.event.record_change.record.status == RUNNING)
    assert seen[-1].event.record_change.record.HasField("processing_at")
    await server.succeed(claims[0])
    seen = await watch.through(lambda message: message.event.record_change.record.status == COMPLETED)
    assert seen[-1].event.record_change.record.HasField("completed_at")


def no_news(server: Server) -> None:
    """Commits no longer bring their events along: whoever is woken reads."""
    server.app.tail.follow = lambda steps: None  # type: ignore[method-assign]


async def test_watch__hears_of_a_commit_that_comes_while_it_reads(server: Server, watchers: Watchers) -> None:
    """The read began before the commit and ends after it: the watcher's next sleep must not begin at all."""
    job = await server.job("a.pdf")
    watch = watchers.watch(job, job.last_sequence, until=NEVER)
    await watch.take(1)
    await server.quiet()
    read, began, released = server.app.store.read, asyncio.Event(), asyncio.Event()
    no_news(server)

    async def held(unit: object) -> object:
        seen: object = await read(unit)  # type: ignore[arg-type]
        if "EventTail" in repr(unit):
            began.set()
            await released.wait()
        return seen

    server.app.store.read = held  # type: ignore[assignment, method-assign]
    await server.claim()
    await began.wait()
    await server.add(job, "b.pdf")
    head = (await server.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job.last_sequence
    released.set()
    seen = await watch.through(lambda message: message.sequence == head)
    assert sequences(seen) == list(range(job.last_sequence + 1, head + 1))


async def test_watch__from_zero_replays_everything(server: Server, watchers: Watchers) -> None:
    job = await server.finished_job("a.pdf", "b.pdf")
    seen = await watchers.watch(job, 0).rest()
    assert kinds(seen) == ["event", "end"]
    assert sequences(seen) == list(range(1, seen[-1].sequence + 1))
    assert seen[-1].end.job.last_sequence == seen[-1].sequence
    titles = [message.event.title for message in seen if message.event.kind == EventKind.EVENT_KIND_MILESTONE]
    assert titles == ["Created", "File Processing Started", "File Processing Completed"]


async def test_watch__resumes_from_every_sequence(server: Server, watchers: Watchers) -> None:
    job = await server.finished_job("a.pdf", "b.pdf", "c.pdf")
    [*_, last] = await watchers.watch(job, 0).rest()
    for after in range(last.sequence + 1):
        seen = await watchers.watch(job, after).rest()
        assert sequences(seen) == list(range(after + 1, last.sequence + 1))
        assert kind(seen[-1]) == "end"


async def test_watch__survives_a_restart_of_the_server(server: Server, watchers: Watchers) -> None:
    job = await server.job("a.pdf")
    watch = watchers.watch(job, 0)
    taken = await watch.take(2)
    await server.claim()
    await server.restart()
    again = watchers.watch(job, taken[-1].sequence)
    [claim] = await server.claim()  # the one that was running lost its worker with the restart
    await server.succeed(claim)
    seen = await again.rest()
    assert sequences(taken + seen) == list(range(1, seen[-1].sequence + 1))
    assert claim.record.orphaned_count == 1


async def test_snapshot__may_hold_newer_records_and_no_event_is_lost(server: Server, watchers: Watchers) -> None:
    job = await server.job(*(f"{number}.pdf" for number in range(20)))
    early = [watchers.watch(job) for _ in range(5)]
    claims = await server.claim(20)
    late = [watchers.watch(job) for _ in range(5)]
    for claim in claims:
        await server.succeed(claim)
        late.append(watchers.watch(job))
    for watch in [*early, *late]:
        seen = await watch.rest()
        assert kind(seen[-1]) == "end"


async def test_snapshot__of_more_than_one_page_is_whole(server: Server, watchers: Watchers) -> None:
    [added] = [await server.job("a.pdf")]
    files = [f"{number}.md" for number in range(3)]
    await server.add(added, *files)
    # What one page of a read holds is far more than a quick test uploads, so the rows are multiplied in the ledger.
    server.change(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)"
        " INSERT INTO files (file_id, team, user_id, kind, filename, path, content_type, size_bytes, sha256, markdown,"
        " blob, created_at) SELECT 'file-' || i, team, user_id, kind, filename, path, content_type, size_bytes, sha256,"
        " markdown, blob, created_at FROM n, (SELECT * FROM files WHERE filename = '0.md')"
    )
    server.change(
        "INSERT INTO job_files (job, file, added_at) SELECT 1, id, created_at FROM files"
        " WHERE id NOT IN (SELECT file FROM job_files) AND markdown = 1"
    )
    seen = await watchers.watch(added, until=HEAD).through(lambda message: kind(message) == "synced")
    names = [file.file_id for message in seen for file in message.records.files]
    assert len(names) == len(set(names)) == 2503


# ── rule 5: a cursor that does not belong to the log ───────────────────────────────────────────────────────────────


async def test_cursor__in_the_future_is_refused(server: Server, watchers: Watchers) -> None:
    job = await server.job("a.pdf")
    watch = watchers.watch(job, job.last_sequence + 1)
    assert await watch.rest() == []
    assert watch.connection.code is grpc.StatusCode.OUT_OF_RANGE
    assert watch.reason == "SEQUENCE_IN_FUTURE"
    head = str(job.last_sequence)
    assert watch.info.metadata["head_sequence"] == head
    assert watch.info.metadata["earliest_sequence"] == "1"
    assert watch.info.metadata["after_sequence"] == str(job.last_sequence + 1)


@pytest.mark.parametrize("told", [True, False], ids=["earliest moved", "rows alone deleted"])
async def test_cursor__before_the_retained_log_is_refused(server: Server, watchers: Watchers, told: bool) -> None:
    job = await server.finished_job("a.pdf", "b.pdf")
    server.change("DELETE FROM events WHERE sequence < 5 AND milestone = 0")
    if told:
        server.change("UPDATE jobs SET earliest_sequence = 5")
    for after in range(4):
        watch = watchers.watch(job, after)
        seen = await watch.rest()
        # Milestones stay, but a watcher that cannot have them all gets none beyond the gap.
        assert sequences(seen) in ([], [1])
        assert watch.connection.code is grpc.StatusCode.OUT_OF_RANGE
        assert watch.reason == "SEQUENCE_COMPACTED"
        assert watch.info.metadata["earliest_sequence"] == ("5" if told else "1")
        assert int(watch.info.metadata["head_sequence"]) > 5
    assert sequences(await watchers.watch(job, 4).rest())[0] == 5
    assert kinds(await watchers.watch(job).rest()) == ["snapshot", "records", "synced", "end"]


async def test_cursor__that_falls_out_of_the_log_while_watched_is_refused(server: Server, watchers: Watchers) -> None:
    job = await server.job("a.pdf")
    watch = watchers.watch(job, 0, until=NEVER)
    await watch.take(job.last_sequence)
    await server.quiet()
    # Compacted by another process, and committed to right after: the watcher comes too late.
    no_news(server)
    server.app.hub.wake = lambda topics: None  # type: ignore[method-assign]
    [claim] = await server.claim()
    server.change("DELETE FROM events WHERE sequence = ?", [job.last_sequence + 1])
    del server.app.hub.wake
    await server.succeed(claim)
    assert await watch.rest() == []
    assert watch.reason == "SEQUENCE_COMPACTED"


async def test_ledger__of_another_identity_is_refused(server: Server, watchers: Watchers) -> None:
    job = await server.finished_job("a.pdf")
    watch = watchers.watch(job, 2, ledger_id="another")
    assert await watch.rest() == []
    assert watch.connection.code is grpc.StatusCode.OUT_OF_RANGE
    assert watch.reason == "LEDGER_RESTORED"
    assert {"earliest_sequence", "head_sequence"} <= watch.info.metadata.keys()
    [snapshot, *_] = await watchers.watch(job).rest()
    assert snapshot.snapshot.ledger_id == watch.info.metadata["ledger_id"]
    [fresh, *_] = await watchers.watch(job, ledger_id="another").rest()
    assert kind(fresh) == "snapshot", "without a cursor there is nothing that would not apply"
    assert kind((await watchers.watch(job, 2, ledger_id=snapshot.snapshot.ledger_id).rest())[-1]) == "end"


async def test_job__that_does_not_exist_is_not_found(server: Server, watchers: Watchers) -> None:
    watch = watchers.watch(UNKNOWN_JOB)
    assert await watch.rest() == []
    assert (watch.connection.code, watch.reason) == (grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND")


async def test_job__with_a_malformed_id_names_the_field(server: Server, watchers: Watchers) -> None:
    watch = watchers.watch("dj-1", -1)
    assert await watch.rest() == []
    assert (watch.connection.code, watch.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    fields = {violation.field for violation in detail(watch.error, BadRequest).field_violations}
    assert fields == {"job_id", "after_sequence"}


# ── rules 4 and 6: kinds and heartbeats ────────────────────────────────────────────────────────────────────────────


async def test_kinds__filter_and_the_hidden_ones_advance_the_sequence(server: Server, watchers: Watchers) -> None:
    job = await server.finished_job("a.pdf", "b.pdf")
    everything = await watchers.watch(job, 0).rest()
    head = everything[-1].sequence
    for wanted in (MILESTONES, RECORDS, FILES):
        seen = await watchers.watch(job, 0, kinds=[wanted]).rest()
        of_kind = [m.sequence for m in everything if m.HasField("event") and m.event.kind == int(wanted)]
        assert sequences(seen) == of_kind
        assert seen[-1].sequence == head


async def test_kinds__that_hide_all_leave_heartbeats(server: Server, watchers: Watchers) -> None:
    job = await server.job("a.pdf")
    watch = watchers.watch(job, 0, kinds=[FILES], until=NEVER, heartbeat_interval_seconds=5)
    [first] = await watch.take(1)
    assert (kind(first), first.sequence) == ("heartbeat", job.last_sequence)
    [claim] = await server.claim()
    await server.pass_time(5)
    [second] = await watch.take(1)
    assert (kind(second), second.sequence) == ("heartbeat", second.heartbeat.head_sequence)
    assert second.sequence > job.last_sequence
    await server.succeed(claim)
    await server.pass_time(5)
    [third] = await watch.take(1)
    assert third.sequence == third.heartbeat.head_sequence > second.sequence
    assert third.heartbeat.status == JobStatus.JOB_STATUS_READY_TO_START


async def test_kinds__that_hide_a_long_log_are_answered_at_once(server: Server, watchers: Watchers) -> None:
    job = await server.job(*(f"{number}.pdf" for number in range(210)))
    [first, *_] = await watchers.watch(job, 0, kinds=[FILES], until=NEVER).take(1)
    assert kind(first) == "heartbeat"
    assert first.sequence < first.heartbeat.head_sequence  # not only when the end of the log is reached


async def test_first_message__at_the_head_is_a_heartbeat(server: Server, watchers: Watchers) -> None:
    job = await server.job("a.pdf")
    watch = watchers.watch(job, job.last_sequence)
    [first] = await watch.take(1)
    assert kind(first) == "heartbeat"
    assert first.sequence == first.heartbeat.head_sequence == job.last_sequence
    assert first.heartbeat.earliest_sequence == 1
    assert first.heartbeat.status == JobStatus.JOB_STATUS_FILE_PROCESSING
    assert first.heartbeat.server_time.ToMicroseconds() == server.clock.now()


async def test_first_message__comes_within_100_milliseconds(server: Server, watchers: Watchers) -> None:
    job = await server.job("a.pdf")
    took = []
    for after in (None, 0, job.last_sequence) * 3:
        began = time.perf_counter()
        await watchers.watch(job, after, until=NEVER).take(1)
        took.append(time.perf_counter() - began)
    assert sorted(took)[len(took) // 2] < 0.1  # the median: a machine that is busy elsewhere may be late once


async def test_initial_metadata__comes_at_once(server: Server, watchers: Watchers) -> None:
    """Before the first message: that one waits for the ledger."""
    job = await server.job("a.pdf")
    read, released = server.app.store.read, asyncio.Event()

    async def held(unit: object) -> object:
        await released.wait()
        return await read(unit)  # type: ignore[arg-type]

    server.app.store.read = held  # type: ignore[assignment, method-assign]
    watch = watchers.watch(job, until=NEVER)
    await watch.call.initial_metadata()
    released.set()
    assert kind((await watch.take(1))[0]) == "snapshot"


async def test_heartbeats__are_on_an_absolute_clock(server: Server, watchers: Watchers) -> None:
    """Events flow all the time, and time is looked at every 1.5 seconds: no event and no late beat puts one off."""
    job = await server.job("a.pdf")
    watch = watchers.watch(job, job.last_sequence, until=NEVER, heartbeat_interval_seconds=5)
    await watch.take(1)
    for step in range(14):
        await server.add(job, f"more-{step}.pdf")
        await server.pass_time(1.5)
        await server.quiet()
    await server.jobs.CancelJob(CancelJobRequest(job_id=job.job_id))
    seen = await watch.through(lambda message: message.event.job_change.job.status == JobStatus.JOB_STATUS_CANCELLED)
    times = [
        (message.heartbeat.server_time.ToMicroseconds() - job.created_at.ToMicroseconds()) / 1e6
        for message in seen
        if message.HasField("heartbeat")
    ]
    assert times == [6, 10.5, 15, 21]  # the first looks after 5, 10, 15 and 20
    assert len(sequences(seen)) > 40


async def test_heartbeats__go_on_while_nothing_happens(server: Server, watchers: Watchers) -> None:
    job = await server.finished_job("a.pdf")
    watch = watchers.watch(job, until=NEVER, heartbeat_interval_seconds=7)
    await watch.through(lambda message: kind(message) == "synced")
    for _ in range(3):
        await server.pass_time(7)
        [beat] = await watch.take(1)
        assert kind(beat) == "heartbeat"
