"""Waiting for the first of many futures that are brought again and again."""

import asyncio
import contextvars
from collections.abc import Iterator
from typing import Any

import pytest

from ingest_grpc.api.accepting import Awaited, wait

Pending = dict[asyncio.Future[Any], str]


def pending(count: int) -> Pending:
    loop = asyncio.get_running_loop()
    return {loop.create_future(): str(number) for number in range(count)}


async def take(awaited: Awaited, futures: Pending) -> set[asyncio.Future[Any]]:
    """What is done, which is not brought again."""
    done, _ = await awaited.first(futures.keys())
    for future in done:
        del futures[future]
    return done


async def turn() -> None:
    """One turn of the event loop: callbacks of what was done before it run."""
    await asyncio.sleep(0)


async def test_first__returns_all_that_are_done_and_each_once() -> None:
    awaited, futures = Awaited(None), pending(5)
    first, second, third, *_ = futures
    waiting = asyncio.create_task(take(awaited, futures))
    await turn()
    assert not waiting.done()
    third.set_result(None)
    first.set_result(None)

    assert await waiting == {first, third}
    second.set_result(None)
    assert await take(awaited, futures) == {second}


async def test_first__returns_what_is_done_though_its_callback_has_not_run() -> None:
    """A server that stops just then would drop it, and core would wait for a call that nobody serves."""
    awaited, futures = Awaited(None), pending(3)
    first, second, _ = futures
    waiting = asyncio.create_task(take(awaited, futures))
    await turn()
    first.set_result(None)
    await turn()  # the callback of the first wakes the one who waits, for the next turn
    second.set_result(None)
    assert await waiting == {first, second}


async def test_first__of_futures_that_were_done_before_they_were_brought() -> None:
    awaited, futures = Awaited(None), pending(2)
    early = next(iter(futures))
    early.set_exception(RuntimeError("refused"))
    assert await take(awaited, futures) == {early}
    assert isinstance(early.exception(), RuntimeError)


@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_first__of_one_that_became_done_between_two_waits(turns: int) -> None:
    awaited, futures = Awaited(None), pending(3)
    first, second, third = futures
    first.set_result(None)
    assert await take(awaited, futures) == {first}
    third.set_result(None)  # the last of those that were brought
    for _ in range(turns):
        await turn()
    again = asyncio.get_running_loop().create_future()
    futures[again] = "again"

    assert await take(awaited, futures) == {third}
    waiting = asyncio.create_task(take(awaited, futures))
    await turn()
    await turn()
    assert not waiting.done(), "what was returned once is not returned again"
    again.set_result(None)
    second.set_result(None)
    assert await waiting == {again, second}


async def test_first__finds_new_ones_wherever_they_stand() -> None:
    awaited, futures = Awaited(None), pending(3)
    first, *_ = futures
    first.set_result(None)
    assert await take(awaited, futures) == {first}
    new = asyncio.get_running_loop().create_future()
    new.set_result(None)
    assert await take(awaited, {new: "new", **futures}) == {new}


async def test_first__looks_at_each_future_once() -> None:
    awaited, looked = Awaited(None), 0

    class Counting(dict[asyncio.Future[Any], str]):
        def __reversed__(self) -> Iterator[Any]:
            nonlocal looked
            for future in super().__reversed__():
                looked += 1
                yield future

    futures: Any = Counting(pending(100))
    for _ in range(50):
        oldest = next(iter(futures))
        oldest.set_result(None)
        assert (await awaited.first(futures))[0] == {oldest}
        del futures[oldest]
        futures[asyncio.get_running_loop().create_future()] = "again"
    assert looked <= 100 + 2 * 50


@pytest.mark.parametrize("while_nobody_waits", [True, False])
async def test_first__that_is_cancelled_loses_nothing(while_nobody_waits: bool) -> None:
    awaited, futures = Awaited(None), pending(2)
    one = next(iter(futures))
    waiting = asyncio.create_task(take(awaited, futures))
    await turn()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    if while_nobody_waits:
        one.set_result(None)
        await turn()
    again = asyncio.create_task(take(awaited, futures))
    await turn()
    if not while_nobody_waits:
        one.set_result(None)
    assert await again == {one}


async def test_wait__of_two_servers_one_of_which_started_the_other() -> None:
    ours, theirs = pending(2), pending(3)

    async def serve(futures: Pending, started: asyncio.Task[Any] | None = None) -> set[asyncio.Future[Any]]:
        del started
        done, _ = await wait(futures.keys(), return_when=asyncio.FIRST_COMPLETED)
        return set(done)

    async def outer() -> tuple[set[asyncio.Future[Any]], asyncio.Task[set[asyncio.Future[Any]]]]:
        first = next(iter(ours))
        first.set_result(None)
        assert await serve(ours) == {first}
        del ours[first]
        return await serve(ours), asyncio.create_task(serve(theirs), context=contextvars.copy_context())

    serving = asyncio.create_task(outer())
    while len(ours) > 1:
        await turn()
    next(iter(ours)).set_result(None)
    done, inner = await serving
    assert done == set(ours)
    last = list(theirs)[-1]
    last.set_result(None)
    assert await inner == {last}


async def test_wait__is_that_of_asyncio_for_everybody_else() -> None:
    futures = pending(2)
    one, other = futures
    one.set_result(None)
    assert await wait(set(futures), return_when=asyncio.FIRST_COMPLETED) == ({one}, {other})
    assert await wait(futures.keys(), timeout=0) == ({one}, {other})
    other.set_result(None)
    assert await wait(futures.keys()) == ({one, other}, set())
