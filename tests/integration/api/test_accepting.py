"""grpc.aio really waits for calls in our way: what replaces a name in its compiled code must go on doing so."""

import asyncio
from typing import Any

import pytest

from ingest_grpc.api import accepting
from ingest_grpc.v1 import job_service_pb2 as pb
from ingest_grpc.v1 import server_service_pb2
from tests.integration.api.conftest import Api

METHODS = 60


async def test_server__waits_for_calls_without_looking_at_every_method(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.jobs.ListJobs(pb.ListJobsRequest())  # whatever waited before
    by_asyncio, by_us = [], []
    wait, first = asyncio.wait, accepting.Awaited.first

    async def looking(futures: Any, **how: Any) -> Any:
        by_asyncio.append(len(futures))
        return await wait(futures, **how)

    async def counting(awaited: accepting.Awaited, futures: Any) -> Any:
        done, rest = await first(awaited, futures)
        by_us.append((len(futures), len(done)))
        return done, rest

    monkeypatch.setattr(asyncio, "wait", looking)
    monkeypatch.setattr(accepting.Awaited, "first", counting)

    calls = [api.jobs.ListJobs(pb.ListJobsRequest()) for _ in range(20)]
    await asyncio.gather(*calls, api.info.GetServerInfo(server_service_pb2.GetServerInfoRequest()))

    assert all(count < METHODS for count in by_asyncio)
    # The wait that began before they were counted brought one or two of the calls.
    assert 19 <= sum(done for _, done in by_us) <= 21
    assert all(brought > METHODS for brought, _ in by_us), "a future for each method, and one for all unknown ones"
