"""WatchJobs against a whole server: who is told what, and where a watch goes on."""

import asyncio
from functools import partial
from pathlib import Path

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo

from ingest_grpc import model
from ingest_grpc.model import Scope
from ingest_grpc.service import watch_jobs as service
from ingest_grpc.service.paging import Tokens
from ingest_grpc.v1.job_pb2 import JobType
from ingest_grpc.v1.job_service_pb2 import (
    CreateJobRequest,
    UndeleteJobRequest,
    UpdateJobRequest,
    WatchJobsRequest,
)
from ingest_grpc.v1.knowledge_base_service_pb2 import CreateKnowledgeBaseRequest
from tests.integration.serving import GROUNDED, Server, until
from tests.integration.watching import detail
from tests.integration.watching_jobs import HEAD, JobsWatch, create, delete, label, told, watching

DAY = 86_400.0
PRINCIPLE = JobType.JOB_TYPE_PRINCIPLE_FILES
VECTOR_DB = JobType.JOB_TYPE_CONTEXT_GROUNDED_VECTOR_DB


# ── the snapshot ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_snapshot__is_every_job_once_then_synced(server: Server) -> None:
    for name in ("one", "two", "three"):
        await create(server, name)
    await delete(server, await create(server, "gone"))
    messages = await JobsWatch(server.channel).synced()
    assert told(messages) == ["snapshot", "job one", "job two", "job three", "synced"]
    assert messages[0].snapshot.ledger_id
    assert messages[1].job.last_sequence == 1


async def test_snapshot__of_no_job_comes_at_once(server: Server) -> None:
    assert told(await JobsWatch(server.channel, until=HEAD).rest()) == ["snapshot", "synced", "end"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"job_types": [PRINCIPLE]}, ["p"]),
        ({"job_types": [PRINCIPLE, GROUNDED]}, ["a", "b", "p"]),
        ({"labels": {"tenant": "acme"}}, ["a", "b"]),
        ({"labels": {"tenant": "acme", "stage": "live"}}, ["b"]),
        ({"labels": {"tenant": "acme"}, "external_id": "key-a"}, ["a"]),
        ({"external_id": "key-p"}, ["p"]),
        ({"external_id": "key-p", "job_types": [GROUNDED]}, []),
        ({"external_id": "nobody"}, []),
    ],
)
async def test_snapshot__and_events_pass_the_filter(
    server: Server, wanted: dict[str, object], expected: list[str]
) -> None:
    watch = JobsWatch(server.channel, **wanted)
    await watch.synced()
    await create(server, "a", labels={"tenant": "acme"}, external_id="key-a")
    await create(server, "b", labels={"tenant": "acme", "stage": "live"})
    await create(server, "p", job_type=PRINCIPLE, labels={"tenant": "other"}, external_id="key-p")
    snapshot = await JobsWatch(server.channel, until=HEAD, **wanted).rest()
    assert [message.job.name for message in snapshot if message.HasField("job")] == expected
    for name in expected:
        assert told(await watch.take(2)) == [f"job {name}", "Created"]
    await server.quiet()
    assert len(watch.received) == 2 + 2 * len(expected)


async def test_snapshot__of_many_jobs_goes_on_where_it_was_cut(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "SNAPSHOT_PAGE", 3)
    for number in range(8):
        await create(server, str(number))
    whole = await JobsWatch(server.channel).synced()
    for cut in range(1, len(whole)):
        watch = JobsWatch(server.channel, resume_token=whole[cut - 1].resume_token)
        rest = await watch.synced()
        expected = whole if cut == 1 else whole[cut:]
        assert told(rest) == told(expected)


async def test_snapshot__and_the_events_of_its_time_miss_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that changes after its page was read comes again as an event; one that is new, as a job."""
    monkeypatch.setattr(service, "SNAPSHOT_PAGE", 1)
    jobs = [await create(server, str(number)) for number in range(3)]
    held = asyncio.Event()
    read = server.app.store.read

    async def slowly(unit: object) -> object:
        if isinstance(unit, partial) and unit.func.__name__ == "_jobs" and unit.keywords["after"] != (0, 0):
            await held.wait()
        return await read(unit)  # type: ignore[arg-type]

    server.app.store.read = slowly  # type: ignore[assignment, method-assign]
    watch = JobsWatch(server.channel, until=HEAD)
    assert told(await watch.take(2)) == ["snapshot", "job 0"]
    await label(server, jobs[0], new="label")
    await delete(server, jobs[1])
    await create(server, "new")
    held.set()
    seen = told(await watch.rest())
    assert seen == [
        *("job 2", "job new", "synced"),
        *("job 0", "Job Updated", "job_removed", "job new", "Created", "end"),
    ]
    assert dict(watch.received[5].job.labels) == {"new": "label"}
    assert watch.received[7].job_removed.job_id == jobs[1].job_id


# ── what follows ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_events__are_milestones_and_those_of_the_job_in_their_order(server: Server) -> None:
    watch = await watching(server)
    job = await server.job("a.pdf", "b.pdf")
    for claim in await server.claim(2):
        await server.succeed(claim)
    seen = await watch.through(lambda message: message.event.title == "File Processing Completed")
    assert told(seen)[0] == "job job"
    titles = [message.event.title for message in seen if message.HasField("event")]
    assert "File Added" not in titles
    assert titles[0] == "Created"
    sequences = [message.event.sequence for message in seen if message.HasField("event")]
    assert sequences == sorted(set(sequences))
    assert {message.event.job_id for message in seen if message.HasField("event")} == {job.job_id}


async def test_job__comes_when_labels_bring_it_and_goes_when_they_take_it(server: Server) -> None:
    watch = await watching(server, labels={"tenant": "acme"})
    job = await create(server, "a")
    await label(server, job, tenant="acme")
    assert told(await watch.take(2)) == ["job a", "Job Updated"]
    await label(server, job, tenant="acme", more="labels")
    [shown, _event] = await watch.take(2)
    assert dict(shown.job.labels) == {"tenant": "acme", "more": "labels"}
    await label(server, job, tenant="other")
    [gone] = await watch.take(1)
    assert (gone.job_removed.job_id, gone.job_removed.deleted) == (job.job_id, False)
    assert gone.job_removed.sequence == 4
    await label(server, job)
    await server.quiet()
    assert len(watch.received) == 7, "one that was none of the watched is not removed"


async def test_job__is_removed_by_a_deletion_and_comes_back_undeleted(server: Server) -> None:
    watch = await watching(server)
    job = await server.job("a.pdf")
    await watch.through(lambda message: message.event.title == "Created")
    await delete(server, job)
    gone = await watch.through(lambda message: message.HasField("job_removed"))
    assert gone[-1].job_removed.deleted
    await server.jobs.UndeleteJob(UndeleteJobRequest(job_id=job.job_id))
    back = await watch.take(2)
    assert told(back) == ["job job", "Job Undeleted"]
    assert back[0].job.last_sequence == back[1].event.sequence


async def test_job__of_another_team_is_never_shown(tmp_path: Path) -> None:
    async with Server(tmp_path / "data") as server:
        secrets = [(await server.app.keys.create(team, "user", {Scope.WRITE}))[1] for team in ("one", "two")]
        mine, theirs = ((("authorization", f"Bearer {secret}"),) for secret in secrets)
        await server.jobs.CreateJob(CreateJobRequest(name="mine", job_type=GROUNDED), metadata=mine)
        request = WatchJobsRequest(until=HEAD)
        seen = [message async for message in server.jobs.WatchJobs(request, metadata=mine)]
        assert told(seen) == ["snapshot", "job mine", "synced", "end"]
        request.resume_token = seen[-1].resume_token
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            [message async for message in server.jobs.WatchJobs(request, metadata=theirs)]
        assert detail(raised.value, ErrorInfo).reason == "INVALID_RESUME_TOKEN"
        nothing = server.jobs.WatchJobs(WatchJobsRequest(until=HEAD), metadata=theirs)
        assert told([message async for message in nothing]) == ["snapshot", "synced", "end"]


# ── resuming ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_resume__after_any_message_brings_exactly_the_rest(server: Server) -> None:
    first = await watching(server)
    jobs = [await create(server, name) for name in ("a", "b")]
    await label(server, jobs[0], new="label")
    await delete(server, jobs[1])
    await first.through(lambda message: message.HasField("job_removed"))
    events = first.received[2:]
    for cut in range(len(events)):
        again = JobsWatch(server.channel, resume_token=events[cut].resume_token, until=HEAD)
        rest = [(each.event.job_id, each.event.sequence) for each in await again.rest() if each.HasField("event")]
        # A job that is deleted by now is no longer shown, however it was when it was watched.
        expected = [
            (each.event.job_id, each.event.sequence)
            for each in events[cut + 1 :]
            if each.HasField("event") and each.event.job_id == jobs[0].job_id
        ]
        assert rest == expected
        assert again.error is None


async def test_resume__at_the_head_begins_with_a_heartbeat(server: Server) -> None:
    await create(server, "a")
    first = await watching(server)
    again = JobsWatch(server.channel, resume_token=first.token)
    [beat] = await again.take(1)
    assert beat.heartbeat.ledger_id == first.received[0].snapshot.ledger_id
    assert beat.heartbeat.server_time.seconds > 0
    await create(server, "b")
    assert told(await again.take(2)) == ["job b", "Created"]


@pytest.mark.parametrize("first", ["labels", "knowledge_base_id"])
async def test_resume__tells_of_a_job_that_lost_two_properties_meanwhile(server: Server, first: str) -> None:
    base = (await server.knowledge.CreateKnowledgeBase(CreateKnowledgeBaseRequest(name="base"))).knowledge_base
    wanted = {"labels": {"a": "b"}, "knowledge_base_id": base.knowledge_base_id}
    job = await create(server, "grounded", job_type=VECTOR_DB, **wanted)
    watch = await watching(server, **wanted)
    assert told(watch.received) == ["snapshot", "job grounded", "synced"]
    for path in (first, *wanted.keys() - {first}):
        await server.jobs.UpdateJob(UpdateJobRequest(job_id=job.job_id, update_mask=FieldMask(paths=[path])))
    rest = await JobsWatch(server.channel, resume_token=watch.token, until=HEAD, **wanted).rest()
    assert told(rest) == ["job_removed", "end"]
    assert rest[0].job_removed.sequence == job.last_sequence + 1


async def test_resume__over_restarts_of_the_server(tmp_path: Path) -> None:
    async with Server(tmp_path / "data") as server:
        token = (await JobsWatch(server.channel, until=HEAD).rest())[-1].resume_token
        seen: list[str] = []
        for number in range(3):
            await create(server, f"before {number}")
            await server.restart()
            await create(server, f"after {number}")
            messages = await JobsWatch(server.channel, resume_token=token, until=HEAD).rest()
            token = messages[-1].resume_token
            seen += [message.job.name for message in messages if message.HasField("job")]
        assert seen == [f"{when} {number}" for number in range(3) for when in ("before", "after")]


@pytest.mark.parametrize("token", ["garbage", "AAAA", "\N{SNOWMAN}", "a" * 5_000])
async def test_resume__with_garbage_is_refused(server: Server, token: str) -> None:
    watch = JobsWatch(server.channel, resume_token=token)
    assert await watch.rest() == []
    assert watch.error is not None
    assert watch.error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert watch.reason == "INVALID_RESUME_TOKEN"


@pytest.mark.parametrize("place", [(-(2**64),), (0, 2**70, 1), (0, 1, 2**63)])
async def test_resume__at_a_forged_place_is_refused(server: Server, place: tuple[int, ...]) -> None:
    """Whoever knows how tokens are made can forge one; it harms nobody."""
    ledger_id = (await watching(server)).received[0].snapshot.ledger_id
    token = Tokens("local", "watch_jobs", model.WatchJobsRequest().filters).encode((ledger_id, *place))
    watch = JobsWatch(server.channel, resume_token=token)
    await watch.rest()
    assert watch.reason == "INVALID_RESUME_TOKEN"


async def test_resume__with_another_filter_is_refused(server: Server) -> None:
    token = (await watching(server, labels={"a": "b"})).token
    for fields in ({}, {"labels": {"a": "c"}}, {"labels": {"a": "b"}, "external_id": "x"}):
        watch = JobsWatch(server.channel, resume_token=token, **fields)
        await watch.rest()
        assert watch.reason == "INVALID_RESUME_TOKEN"
    # Neither when it ends nor how often it beats belongs to the filter.
    same = JobsWatch(server.channel, resume_token=token, labels={"a": "b"}, until=HEAD, heartbeat_interval_seconds=60)
    assert told(await same.rest()) == ["end"]


async def test_resume__in_another_ledger_is_told(server: Server) -> None:
    token = (await watching(server)).token
    server.change("UPDATE ledger SET ledger_id = 'restored'")
    watch = JobsWatch(server.channel, resume_token=token)
    await watch.rest()
    assert watch.error is not None
    assert watch.error.code() is grpc.StatusCode.OUT_OF_RANGE
    assert watch.reason == "LEDGER_RESTORED"


async def test_resume__in_an_older_state_of_the_ledger_is_refused(server: Server) -> None:
    await create(server, "a")
    token = (await watching(server)).token
    server.change("DELETE FROM events")
    watch = JobsWatch(server.channel, resume_token=token)
    await watch.rest()
    assert watch.reason == "INVALID_RESUME_TOKEN"


@pytest.mark.parametrize(
    ("fields", "violation"),
    [
        ({"until": 9}, "until"),
        ({"job_types": [0]}, "job_types[0]"),
        ({"job_types": [77]}, "job_types[0]"),
        ({"labels": {"": "x"}}, "labels"),
        ({"external_id": "x" * 129}, "external_id"),
        ({"heartbeat_interval_seconds": 4}, "heartbeat_interval_seconds"),
        ({"heartbeat_interval_seconds": -1}, "heartbeat_interval_seconds"),
    ],
)
async def test_bad_request__names_the_field(server: Server, fields: dict[str, object], violation: str) -> None:
    watch = JobsWatch(server.channel, **fields)
    await watch.rest()
    assert watch.error is not None
    assert watch.error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [each.field for each in detail(watch.error, BadRequest).field_violations] == [violation]


# ── what is no longer kept ─────────────────────────────────────────────────────────────────────────────────────────


async def test_compaction__makes_old_tokens_expire_and_no_others(server: Server) -> None:
    job = await create(server, "a")
    await server.add(job, "notes.md")
    old = await watching(server)
    await label(server, job, new="label")
    await old.take(2)
    newer = await watching(server)
    server.clock.advance(31 * DAY)
    await server.app.compactor.step()
    expired = JobsWatch(server.channel, resume_token=old.received[1].resume_token)
    await expired.rest()
    assert expired.error is not None
    assert expired.error.code() is grpc.StatusCode.OUT_OF_RANGE
    assert expired.reason == "FEED_COMPACTED"
    for token in (old.token, newer.token):
        live = JobsWatch(server.channel, resume_token=token, until=HEAD)
        assert told(await live.rest()) == ["end"]


async def test_compaction__under_a_watcher_that_lags_is_told(server: Server) -> None:
    """It was woken, but what it was woken for is gone by the time it reads."""
    job = await create(server, "a")
    await server.add(job, "notes.md")
    watch = await watching(server)
    held = asyncio.Event()
    read = server.app.store.read

    async def slowly(unit: object) -> object:
        await held.wait()
        return await read(unit)  # type: ignore[arg-type]

    server.app.store.read = slowly  # type: ignore[assignment, method-assign]
    change = asyncio.ensure_future(label(server, job, new="label"))
    await until(lambda: server.app.streams._job_watches._feed._reads)
    server.clock.advance(31 * DAY)
    await server.app.compactor.step()
    held.set()
    await change
    assert await watch.rest() == []
    assert watch.reason == "FEED_COMPACTED"


async def test_compaction__does_not_disturb_a_watcher_at_the_head(server: Server) -> None:
    job = await server.finished_job("a.pdf")
    watch = await watching(server)
    server.clock.advance(31 * DAY)
    await server.app.compactor.step()
    again = JobsWatch(server.channel, resume_token=watch.token, until=HEAD)
    assert told(await again.rest()) == ["end"]
    await label(server, job, new="label")
    watch.received.clear()
    seen = await watch.through(lambda message: message.event.title == "Job Updated")
    assert [each.event.sequence for each in seen if each.HasField("event")] == [job.last_sequence + 8]


async def test_purge__of_a_deleted_job_makes_tokens_before_its_deletion_expire(server: Server) -> None:
    before = (await watching(server)).token
    job = await create(server, "a")
    await delete(server, job)
    after = (await watching(server)).token
    server.clock.advance(31 * DAY)
    await server.app.janitor.step()
    missed = JobsWatch(server.channel, resume_token=before)
    await missed.rest()
    assert missed.reason == "FEED_COMPACTED"
    await create(server, "next")
    seen = await JobsWatch(server.channel, resume_token=after, until=HEAD).rest()
    assert told(seen) == ["job next", "Created", "end"]
