"""grpc.aio really waits for calls in our way: what replaces a name in its compiled code must go on doing so."""

import asyncio
from typing import Any

import pytest

from ingest_grpc.api import accepting
from ingest_grpc.v1 import job_service_pb2 as pb
from ingest_grpc.v1 import server_service_pb2
from tests.integration.api.conftest import Api


async def test_server__waits_for_calls_without_looking_at_every_method(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.jobs.ListJobs(pb.ListJobsRequest())  # whatever waited before
    looked: list[int] = []
    wait = asyncio.wait

    async def looking(futures: Any, **how: Any) -> Any:
        looked.append(len(futures))
        return await wait(futures, **how)

    monkeypatch.setattr(asyncio, "wait", looking)
    [awaited] = [one for task, one in accepting._awaited.items() if not task.done()]
    before = set(awaited._known)

    replies = [api.jobs.ListJobs(pb.ListJobsRequest()) for _ in range(20)]
    await asyncio.gather(*replies, api.info.GetServerInfo(server_service_pb2.GetServerInfoRequest()))

    assert not [count for count in looked if count >= len(before)]
    assert len(before) == len(awaited._known) > 50, "one future for each method, and one for all unknown ones"
    assert len(before & awaited._known) == len(before) - 2, "only those of the methods that were called are new"
