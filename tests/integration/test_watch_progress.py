"""Positions and progress: streamed, newest wins, at most one per record and second, never an event, never ahead."""

from collections.abc import Sequence

from ingest_grpc.lifecycle import Step
from ingest_grpc.model import UnitProgress
from ingest_grpc.store.interface import RecordRow
from ingest_grpc.v1.ingestion_pb2 import Step as WireStep
from ingest_grpc.v1.job_service_pb2 import WatchJobResponse
from tests.integration.serving import Server, until
from tests.integration.watching import NEVER, PROGRESS, RECORDS, Watchers, kind

FILENAMES = [f"{number}.pdf" for number in range(6)]


def positions(messages: Sequence[WatchJobResponse], record_id: str) -> list[int]:
    return [
        moved.queue_position
        for message in messages
        for moved in message.progress.records
        if moved.record_id == record_id and moved.HasField("queue_position")
    ]


def report(server: Server, claim: RecordRow, done: int) -> None:
    """What the runner does when a child tells how far it is."""
    progress = UnitProgress(units_done=done, units_total=9, unit="pages")
    server.app.board.report(claim.job_row, claim.record, Step.PARSE, progress)


async def test_positions__fall_as_records_are_claimed(server: Server, watchers: Watchers) -> None:
    job = await server.job(*FILENAMES)
    watch = watchers.watch(job, 0, kinds=[RECORDS, PROGRESS], heartbeat_interval_seconds=60)
    seen = await watch.through(lambda message: kind(message) == "progress")
    last = next(message for message in reversed(seen) if message.HasField("event"))
    last_id = last.event.record_change.record.record_id
    for _ in range(5):
        [claim] = await server.claim()
        await server.pass_time(1)
        seen += await watch.through(lambda message: kind(message) == "progress")
        await server.succeed(claim)
    assert positions(seen, last_id) == [6, 5, 4, 3, 2, 1]
    [claim] = await server.claim()
    await server.succeed(claim)
    seen += await watch.rest()
    assert kind(seen[-1]) == "end"
    events = [message.event.record_change.record for message in seen if message.HasField("event")]
    assert not any(record.HasField("queue_position") or record.HasField("progress") for record in events)


async def test_positions__fall_when_another_job_is_claimed(server: Server, watchers: Watchers) -> None:
    await server.job("before.pdf")
    job = await server.job("a.pdf")
    watch = watchers.watch(job, kinds=[PROGRESS])
    [first] = (await watch.through(lambda message: kind(message) == "progress"))[-1].progress.records
    await server.claim()
    await server.pass_time(1)
    [message] = await watch.take(1)
    [second] = message.progress.records
    assert (first.queue_position, second.queue_position) == (2, 1)
    assert message.sequence == job.last_sequence


async def test_progress__comes_at_most_once_a_second_and_the_newest_wins(server: Server, watchers: Watchers) -> None:
    job = await server.job("a.pdf")
    [claim] = await server.claim()
    report(server, claim, 1)
    watch = watchers.watch(job, kinds=[PROGRESS], until=NEVER, heartbeat_interval_seconds=60)
    seen = await watch.through(lambda message: kind(message) == "progress")
    for done in range(2, 9):
        report(server, claim, done)
        await server.pass_time(0.5)
        await server.quiet()
    report(server, claim, 9)
    await server.pass_time(0.5)
    seen += await watch.through(lambda message: message.progress.records[0].progress.units_done == 9)
    told = [moved for message in seen for moved in message.progress.records]
    assert [moved.progress.units_done for moved in told] == [1, 3, 5, 7, 9]
    assert {moved.step for moved in told} == {WireStep.STEP_PARSE}


async def test_progress__is_never_ahead_of_the_claim(server: Server, watchers: Watchers) -> None:
    """A record moves from the moment it is claimed; its watcher must hear of the claim first. The judge looks."""
    job = await server.job(*FILENAMES)
    watch = watchers.watch(job, 0, kinds=[RECORDS, PROGRESS])
    for number in range(6):
        await server.pass_time(1)
        [claim] = await server.claim()
        report(server, claim, number)
        await server.pass_time(1)
        await server.succeed(claim)
        report(server, claim, number + 1)  # late: its event is on the way already
    seen = await watch.rest()
    assert kind(seen[-1]) == "end"
    assert any(moved.HasField("progress") for message in seen for moved in message.progress.records)


async def test_progress__of_a_record_that_ended_is_not_sent(server: Server, watchers: Watchers) -> None:
    job = await server.job("a.pdf", "b.pdf")
    first, second = await server.claim(2)
    await server.succeed(first)
    watch = watchers.watch(job, kinds=[PROGRESS, RECORDS])
    report(server, first, 9)
    report(server, second, 1)
    await server.pass_time(1)
    seen = await watch.through(lambda message: kind(message) == "progress")
    assert [moved.record_id for moved in seen[-1].progress.records] == [second.record.record_id]


async def test_progress__is_not_sent_unasked(server: Server, watchers: Watchers) -> None:
    job = await server.job("a.pdf")
    watch = watchers.watch(job)
    [claim] = await server.claim()
    report(server, claim, 1)
    await server.pass_time(2)
    await server.succeed(claim)
    assert "progress" not in [kind(message) for message in await watch.rest()]


async def test_queue__is_looked_at_once_for_all_watchers(server: Server, watchers: Watchers) -> None:
    job = await server.job(*FILENAMES)
    looks = 0
    read = server.app.store.read

    async def counting(unit: object) -> object:
        nonlocal looks
        looks += "_standing_of" in repr(unit)
        return await read(unit)  # type: ignore[arg-type]

    server.app.store.read = counting  # type: ignore[assignment, method-assign]
    watches = [watchers.watch(job, kinds=[PROGRESS], until=NEVER) for _ in range(50)]
    for watch in watches:
        await watch.through(lambda message: kind(message) == "progress")
    assert looks == 1
    await server.claim()
    await server.pass_time(1)
    for watch in watches:
        await watch.through(lambda message: kind(message) == "progress")
    assert looks == 2
    for watch in watches:
        watch.leave()
    await until(lambda: not len(server.app.hub))
