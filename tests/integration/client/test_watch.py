import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import pytest

from ingest_grpc.client import AsyncClient, Client, ClientClosed, IngestCallError, resume
from ingest_grpc.client.messages import WatchJobRequest, WatchJobResponse
from tests.integration.client.network import Context, Network, WatchScript, sends, sends_and_hangs
from tests.unit.client.messages import end, event, heartbeat, snapshot, synced

Follow = Callable[..., Awaitable[list[WatchJobResponse]]]


@pytest.fixture(params=["async", "blocking"])
def follow(request: pytest.FixtureRequest, client: AsyncClient, blocking: Client) -> Follow:
    """Watches a job to its end, with the one client or the other."""

    async def asynchronously(**options: object) -> list[WatchJobResponse]:
        return [message async for message in client.watch("dj-1", **options)]  # type: ignore[arg-type]

    async def in_a_thread(**options: object) -> list[WatchJobResponse]:
        return await asyncio.to_thread(lambda: list(blocking.watch("dj-1", **options)))  # type: ignore[arg-type]

    return asynchronously if request.param == "async" else in_a_thread


def cut(network: Network, code: str, *messages: WatchJobResponse, **details: object) -> WatchScript:
    async def script(request: WatchJobRequest, context: Context) -> AsyncIterator[WatchJobResponse]:
        for message in messages:
            yield message
        await network.abort(context, code, **details)  # type: ignore[arg-type]

    return script


def events(messages: list[WatchJobResponse]) -> list[int]:
    return [message.event.sequence for message in messages if message.HasField("event")]


async def test_watch__survives_every_kind_of_ending(network: Network, follow: Follow) -> None:
    causes: list[str] = []
    network.watches = [
        cut(network, "UNAVAILABLE", snapshot(1)),
        cut(network, "UNAVAILABLE", snapshot(2), synced(2), event(3), reason="STREAM_ROTATED", retry_after=0.0),
        cut(network, "UNAVAILABLE", event(4), reason="SERVER_DRAINING", retry_after=0.01),
        cut(network, "CANCELLED", event(5)),
        cut(network, "ABORTED", event(6), reason="WATCHER_TOO_SLOW"),
        cut(network, "INTERNAL", event(7)),
        cut(network, "UNKNOWN", event(8)),
        sends(event(9)),
        sends(heartbeat(9), event(10), end(10)),
    ]
    messages = await follow(on_reconnect=lambda error, delay: causes.append(error.reason or error.code.name))
    assert events(messages) == list(range(3, 11))
    assert [each.after_sequence for each in network.requests] == [0, 0, 3, 4, 5, 6, 7, 8, 9]
    assert causes == [
        "UNAVAILABLE",
        "STREAM_ROTATED",
        "SERVER_DRAINING",
        "CANCELLED",
        "WATCHER_TOO_SLOW",
        "INTERNAL",
        "UNKNOWN",
        "UNAVAILABLE",
    ]


async def test_watch__survives_a_restart_of_the_server(network: Network, follow: Follow) -> None:
    lost = asyncio.Event()
    loop = asyncio.get_running_loop()
    watched = asyncio.Event()

    async def first(_request: WatchJobRequest, _context: Context) -> AsyncIterator[WatchJobResponse]:
        yield event(1)
        yield event(2)
        watched.set()
        await asyncio.Event().wait()

    network.watches = [first, sends(event(3), end(3))]
    watching = asyncio.ensure_future(
        follow(after_sequence=0, on_reconnect=lambda error, delay: loop.call_soon_threadsafe(lost.set))
    )
    await watched.wait()
    await network.stop()
    await lost.wait()
    await network.start()
    assert events(await watching) == [1, 2, 3]


async def test_watch__gives_a_silent_stream_up(
    network: Network, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "STALL_HEARTBEATS", 0.2)  # and no less: the first message must come in that time
    network.watches = [sends_and_hangs(event(1)), sends(event(2), end(2))]
    causes: list[str] = []
    messages = await follow(
        after_sequence=0, heartbeat_seconds=5, on_reconnect=lambda error, delay: causes.append(error.message)
    )
    assert events(messages) == [1, 2]
    assert causes == ["No message came for 1 seconds."]
    await network.ended.wait()


async def test_watch__raises_what_is_final_with_its_details(network: Network, follow: Follow) -> None:
    network.watches = [cut(network, "NOT_FOUND", reason="JOB_NOT_FOUND")]
    with pytest.raises(IngestCallError) as raised:
        await follow()
    error = raised.value
    assert (error.code.name, error.reason, error.message) == ("NOT_FOUND", "JOB_NOT_FOUND", "scripted")
    assert error.metadata == {"key": "value"}


async def test_watch__leaving_the_block_ends_the_stream(network: Network, client: AsyncClient) -> None:
    network.watches = [sends_and_hangs(event(1))]
    async with aclosing(client.watch("dj-1", after_sequence=0)) as messages:
        await anext(messages)
    await network.ended.wait()


async def test_watch__an_abandoned_loop_ends_the_stream(network: Network, client: AsyncClient) -> None:
    network.watches = [sends_and_hangs(event(1))]
    async for _message in client.watch("dj-1", after_sequence=0):
        break
    gc.collect()
    await network.ended.wait()


async def test_watch__an_abandoned_loop_of_the_blocking_client_ends_the_stream(
    network: Network, blocking: Client
) -> None:
    network.watches = [sends_and_hangs(event(1))]

    def look_once() -> None:
        for _message in blocking.watch("dj-1", after_sequence=0):
            break

    await asyncio.to_thread(look_once)
    await network.ended.wait()


async def test_watch__cancelling_the_task_ends_the_stream(network: Network, client: AsyncClient) -> None:
    network.watches = [sends_and_hangs(event(1))]
    first = asyncio.Event()

    async def look() -> None:
        async for _message in client.watch("dj-1", after_sequence=0):
            first.set()

    task = asyncio.create_task(look())
    await first.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await network.ended.wait()
    assert len(network.requests) == 1  # a cancellation by the caller is not resumed


async def test_watch__closing_the_client_ends_it(network: Network, client: AsyncClient) -> None:
    network.watches = [sends_and_hangs(event(1))]
    messages = client.watch("dj-1", after_sequence=0)
    await anext(messages)
    waiting = asyncio.ensure_future(anext(messages))
    await asyncio.sleep(0)
    await client.aclose()
    with pytest.raises(ClientClosed):
        await waiting


async def test_watch__closing_the_blocking_client_ends_it(network: Network, blocking: Client) -> None:
    network.watches = [sends_and_hangs(event(1))]
    messages = blocking.watch("dj-1", after_sequence=0)
    await asyncio.to_thread(next, messages)
    waiting = asyncio.ensure_future(asyncio.to_thread(next, messages))
    await asyncio.sleep(0)
    blocking.close()
    with pytest.raises(ClientClosed):
        await waiting


async def test_watch__an_address_where_nobody_listens_is_given_up(
    network: Network, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "CONNECT_PATIENCE_SECONDS", 0.2)
    await network.stop()
    with pytest.raises(IngestCallError, match="UNAVAILABLE"):
        await follow()
