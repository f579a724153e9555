"""Every mutation sent again with its request_id: before, during and after a restart of the server; one effect each."""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import grpc.aio
import pytest

from ingest_grpc.v1.job_service_pb2 import CreateJobRequest
from tests.acceptance.knowledge_mutations import base_mutations, source_mutations
from tests.acceptance.mutations import Attempt, Caller, file_mutations, job_mutations, said
from tests.acceptance.server import Server
from tests.acceptance.watchers import IMPATIENT
from tests.integration.calling import RPCS, Refused, Reply, call
from tests.integration.serving import GROUNDED, until

pytestmark = pytest.mark.acceptance

REPLAYED = ("ingest-replayed", "1")
HOW = "a mutation needs an Attempt in tests/acceptance/mutations.py, which says how often it was seen to happen"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    (tmp_path / "incoming").mkdir()
    roots = json.dumps([str(tmp_path / "incoming")])
    async with Server(tmp_path, workers=0, import_roots=roots, log_level="WARNING") as server:
        yield server
        assert await server.terminate() == 0, server.log()


@pytest.fixture
async def caller(server: Server) -> AsyncIterator[Caller]:
    async with grpc.aio.insecure_channel(server.address, options=IMPATIENT) as channel:
        yield Caller(channel, server.folder / "incoming")


async def all_mutations(caller: Caller, key: str) -> list[Attempt]:
    makers = (job_mutations, file_mutations, base_mutations, source_mutations)
    return [attempt for make in makers for attempt in await make(caller, key)]


async def send(caller: Caller, attempt: Attempt) -> Reply:
    """Sends it again while the server is not there; remembers what it answered."""
    while True:
        try:
            reply = await call(caller.channel, attempt.rpc, *attempt.requests)
        except Refused as refused:
            if refused.failure.code is not grpc.StatusCode.UNAVAILABLE:
                raise
            await asyncio.sleep(0.05)
        else:
            attempt.answers.append(said(reply.messages[0]))
            return reply


def takes_request_id(rpc: str) -> bool:
    fields = RPCS[rpc].input_type.fields_by_name
    header = fields["header"].message_type if "header" in fields else None
    return "request_id" in fields or (header is not None and "request_id" in header.fields_by_name)


async def judge(attempts: list[Attempt]) -> None:
    for attempt in attempts:
        assert len({str(answer) for answer in attempt.answers}) == 1, f"{attempt.rpc}: {attempt.answers}"
        assert await attempt.effects() == 1, attempt.rpc


async def test_replay__before_and_after_a_restart(server: Server, caller: Caller) -> None:
    attempts = await all_mutations(caller, "key-1")
    assert {attempt.rpc for attempt in attempts} == {rpc for rpc in RPCS if takes_request_id(rpc)}, HOW
    for attempt in attempts:
        assert REPLAYED not in (await send(caller, attempt)).trailers.items()
        assert REPLAYED in (await send(caller, attempt)).trailers.items()
    await server.kill()
    await server.start()
    for attempt in attempts:
        assert REPLAYED in (await send(caller, attempt)).trailers.items(), attempt.rpc
    await judge(attempts)


def are_done(tasks: list[asyncio.Task[Reply]], count: int) -> bool:
    return sum(task.done() for task in tasks) >= count


async def test_replay__of_what_a_kill_interrupts(server: Server, caller: Caller) -> None:
    """All at once, and the server is killed once so many were answered: of the others nobody knows what became."""
    for answered in (0, 5, 11):
        attempts = await all_mutations(caller, f"key-{answered}")
        sent = [asyncio.create_task(send(caller, attempt)) for attempt in attempts]
        await until(partial(are_done, sent, answered))
        await server.kill()
        await server.start()
        await asyncio.gather(*sent)
        for attempt in attempts:
            assert REPLAYED in (await send(caller, attempt)).trailers.items(), attempt.rpc
        await judge(attempts)


async def test_replay__a_hundred_at_once_make_one_job(server: Server, caller: Caller) -> None:
    request = CreateJobRequest(name="the job", job_type=GROUNDED, request_id="one")
    own = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(server.address, options=own) for _ in range(4)]
    replies = await asyncio.gather(
        *(call(channels[number % 4], "JobService/CreateJob", request) for number in range(100))
    )
    for channel in channels:
        await channel.close()
    assert len({str(said(reply.messages[0])) for reply in replies}) == 1
    assert sum(REPLAYED not in reply.trailers.items() for reply in replies) == 1
    assert await caller.jobs_named("the job") == 1
