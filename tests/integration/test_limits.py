"""How many may watch, how often a team may call, and what becomes of a watch whose key is revoked."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import QuotaFailure, RetryInfo

from ingest_grpc.errors import Reason
from ingest_grpc.model import Scope
from ingest_grpc.v1.job_service_pb2 import CreateJobRequest, GetJobRequest, ListJobsRequest, WatchJobsRequest
from ingest_grpc.v1.server_service_pb2 import GetServerInfoRequest
from tests.integration.calling import Refused, call, failure
from tests.integration.serving import GROUNDED, Server, until
from tests.integration.watching import NEVER, Watch, Watchers, detail
from tests.reaching import EVERY_RPC, reaches


async def refused(watch: Watch) -> Watch:
    """A watch that must be refused at once."""
    assert await watch.next() is None
    return watch


@reaches(Reason.TOO_MANY_WATCHERS, "JobService/WatchJob", "more watchers than a job, a team or the server may have")
@pytest.mark.parametrize(
    ("settings", "cap"),
    [({"job_max_watchers": 2}, "job"), ({"team_max_watchers": 2}, "team"), ({"max_watchers": 2}, "server")],
)
async def test_watchers__beyond_a_cap_are_refused_until_one_leaves(
    tmp_path: Path, settings: dict[str, Any], cap: str
) -> None:
    async with Server(tmp_path, **settings) as server:
        watchers, job = Watchers(server), await server.job("a.txt")
        first, second = watchers.watch(job, until=NEVER), watchers.watch(job, 0, until=NEVER)
        await first.take(1)
        await second.take(1)

        third = await refused(watchers.watch(job, 0, until=NEVER))
        assert third.connection.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert third.reason == "TOO_MANY_WATCHERS"
        assert (third.info.metadata["of"], third.info.metadata["max_watchers"]) == (cap, "2")
        [violation] = detail(third.error, QuotaFailure).violations
        subject = {"job": job.job_id, "team": "local", "server": "ingest-grpc"}[cap]
        assert violation.subject == subject
        assert third.retry_seconds > 0
        other = watchers.watch(await server.job("b.txt"), 0, until=NEVER)
        assert (await other.next() is None) == (cap != "job"), "the cap of one job is not that of another"

        first.leave()
        await until(lambda: server.app.limits.open["job"] == 1 + (cap == "job"))
        again = watchers.watch(job, 0, until=NEVER)
        assert len(await again.take(1)) == 1
        for watch in (second, other, again):
            watch.leave()
        await until(lambda: not server.app.limits.open["job"])
        assert not any(server.app.limits._counts.values()), "nothing is remembered of those who left"
        watchers.judge()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"job_max_watchers": 2}, (15_000, 15_000, 2)),
        ({"team_max_watchers": 2, "job_max_watchers": 9}, (15_000, 2, 2)),
        ({"max_watchers": 5, "team_max_watchers": 9}, (5, 5, 5)),
    ],
)
async def test_server_info__tells_how_many_may_watch(
    tmp_path: Path, settings: dict[str, Any], told: tuple[int, int, int]
) -> None:
    async with Server(tmp_path, **settings) as server:
        limits = (await server.info.GetServerInfo(GetServerInfoRequest())).limits
        assert (limits.max_watchers, limits.team_max_watchers, limits.job_max_watchers) == told


async def test_server_info__tells_what_a_job_and_a_team_may_take(tmp_path: Path) -> None:
    caps: dict[str, Any] = {
        "team_max_queued": 5_000,
        "team_max_running": 3,
        "team_max_bytes": 2**33,
        "team_calls_per_second": 2.5,
    }
    uploads: dict[str, Any] = {"team_max_uploads": 7}
    async with Server(tmp_path / "capped", **caps, **uploads) as server, Server(tmp_path / "free") as free:
        told = (await server.info.GetServerInfo(GetServerInfoRequest())).limits
        assert {name: getattr(told, name) for name in (*caps, *uploads)} == caps | uploads
        told = (await free.info.GetServerInfo(GetServerInfoRequest())).limits
        assert not any(told.HasField(name) for name in caps)  # type: ignore[arg-type]
        assert told.team_max_uploads == 1_000
        assert (told.max_prompt_bytes, told.max_labels, told.max_label_characters) == (64 * 2**10, 64, 63)


async def test_watchers__of_all_jobs_count_for_team_and_server(tmp_path: Path) -> None:
    async with Server(tmp_path, team_max_watchers=1) as server:
        feed = server.jobs.WatchJobs(WatchJobsRequest())
        await feed.read()
        told = await failure(server.channel, "JobService/WatchJobs", WatchJobsRequest())
        assert told.reason == "TOO_MANY_WATCHERS"
        feed.cancel()
        await until(lambda: not server.app.limits.open["team"])
        assert await server.jobs.WatchJobs(WatchJobsRequest()).read()


async def test_unknown_job__is_not_found_even_when_the_caps_are_met(tmp_path: Path) -> None:
    async with Server(tmp_path, max_watchers=1) as server:
        watchers = Watchers(server)
        watch = watchers.watch(await server.job("a.txt"), 0, until=NEVER)
        await watch.take(1)
        unknown = await refused(watchers.watch("dj-00000000-0000-4000-8000-000000000000"))
        assert unknown.connection.code is grpc.StatusCode.NOT_FOUND


# ── permissions ────────────────────────────────────────────────────────────────────────────────────────


def watch_with(server: Server, secret: str | None, **fields: Any) -> grpc.aio.UnaryStreamCall[Any, Any]:
    metadata = (("authorization", f"Bearer {secret}"),) if secret else ()
    opened: grpc.aio.UnaryStreamCall[Any, Any] = server.jobs.WatchJobs(WatchJobsRequest(**fields), metadata=metadata)
    return opened


async def ending(stream: grpc.aio.UnaryStreamCall[Any, Any]) -> grpc.StatusCode:
    """The code with which a stream ends."""
    async with asyncio.timeout(10):
        try:
            while await stream.read() is not grpc.aio.EOF:
                pass
        except grpc.aio.AioRpcError as error:
            return error.code()
        return await stream.code()


async def test_revoked_key__ends_its_streams_and_no_others(server: Server) -> None:
    """Rule 10. `_recheck` is what the server does by itself every 20 s."""
    keys = server.app.keys
    (doomed, secret), (_, other) = [await keys.create("team", name, (Scope.READ,)) for name in ("doomed", "other")]
    streams = [watch_with(server, each) for each in (secret, secret, other)]
    for stream in streams:
        await stream.read()
    assert await server.app.server.recheck.step() == 0
    await keys.revoke(doomed.key_id)
    assert await server.app.server.recheck.step() == 2
    assert await server.app.server.recheck.step() == 0, "they are told once"
    assert [await ending(stream) for stream in streams[:2]] == [grpc.StatusCode.UNAUTHENTICATED] * 2
    await server.app.keys.create("team", "third", (Scope.READ,))
    assert not streams[2].done()
    streams[2].cancel()


async def test_first_key__ends_the_streams_of_those_without_one(server: Server) -> None:
    stream = watch_with(server, None)
    await stream.read()
    await server.app.keys.create("team", "user", (Scope.READ,))
    assert await server.app.server.recheck.step() == 1
    assert await ending(stream) is grpc.StatusCode.UNAUTHENTICATED


# ── rate ───────────────────────────────────────────────────────────────────────────────────────────────


@reaches(Reason.RATE_LIMITED, EVERY_RPC, "more calls of a team in a second than it may make")
async def test_rate__refuses_what_is_beyond_and_says_when_to_come_back(tmp_path: Path) -> None:
    async with Server(tmp_path, team_calls_per_second=2.0) as server:
        for _ in range(4):  # a burst of two seconds
            await server.jobs.ListJobs(ListJobsRequest())
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await server.jobs.ListJobs(ListJobsRequest())
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert detail(caught.value, QuotaFailure).violations[0].subject == "local"
        wait = detail(caught.value, RetryInfo).retry_delay.ToTimedelta().total_seconds()
        assert wait == pytest.approx(0.5)
        refusals = [await failure(server.channel, "JobService/ListJobs", ListJobsRequest()) for _ in range(3)]
        assert {each.reason for each in refusals} == {"RATE_LIMITED"}, "who is refused does not wait longer for it"
        server.clock.advance(wait)
        await server.jobs.ListJobs(ListJobsRequest())


async def test_rate__of_one_team_is_not_that_of_another(tmp_path: Path) -> None:
    async with Server(tmp_path, team_calls_per_second=0.5) as server:
        secrets = [(await server.app.keys.create(team, "user", (Scope.WRITE,)))[1] for team in ("a", "b")]
        create = CreateJobRequest(name="job", job_type=GROUNDED)
        await call(server.channel, "JobService/CreateJob", create, secret=secrets[0])
        with pytest.raises(Refused, match="RATE_LIMITED"):
            await call(server.channel, "JobService/CreateJob", create, secret=secrets[0])
        await call(server.channel, "JobService/CreateJob", create, secret=secrets[1])
        unknown = await failure(server.channel, "JobService/GetJob", GetJobRequest(job_id="x"), secret="igk_wrong")
        assert unknown.reason == "CREDENTIALS_INVALID", "nobody's rate"
