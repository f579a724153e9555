"""Waiting for the first of many futures that are brought again and again."""

import asyncio
from typing import Any

from ingest_grpc.api.accepting import Awaited, wait

Pending = dict[asyncio.Future[Any], str]


def pending(count: int) -> Pending:
    loop = asyncio.get_running_loop()
    return {loop.create_future(): str(number) for number in range(count)}


async def test_first__returns_all_that_are_done_and_each_once() -> None:
    awaited, futures = Awaited(), pending(5)
    first, second, third, *_ = futures
    waiting = asyncio.create_task(awaited.first(futures.keys()))
    await asyncio.sleep(0)
    assert not waiting.done()
    third.set_result(None)
    first.set_result(None)

    done, _ = await waiting

    assert done == {first, third}
    for future in done:
        del futures[future]
    second.set_result(None)
    assert (await awaited.first(futures.keys()))[0] == {second}


async def test_first__of_a_future_that_is_done_before_it_is_brought() -> None:
    awaited, futures = Awaited(), pending(2)
    early = next(iter(futures))
    early.set_exception(RuntimeError("refused"))
    assert (await awaited.first(futures.keys()))[0] == {early}
    assert isinstance(early.exception(), RuntimeError)


async def test_first__of_one_that_became_done_between_two_waits() -> None:
    awaited, futures = Awaited(), pending(3)
    first, second, third = futures
    first.set_result(None)
    done, _ = await awaited.first(futures.keys())
    third.set_result(None)  # the last of those that were brought
    await asyncio.sleep(0)
    for future in done:
        del futures[future]
    again = asyncio.get_running_loop().create_future()
    futures[again] = "again"

    assert (await awaited.first(futures.keys()))[0] == {third}
    del futures[third]
    waiting = asyncio.create_task(awaited.first(futures.keys()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done(), "what was returned once is not returned again"
    again.set_result(None)
    second.set_result(None)
    assert (await waiting)[0] == {again, second}


async def test_first__looks_at_each_future_once() -> None:
    awaited, futures = Awaited(), pending(100)
    looked: list[asyncio.Future[Any]] = []

    class Counting(dict[asyncio.Future[Any], str]):
        def __reversed__(self) -> Any:
            for future in super().__reversed__():
                looked.append(future)
                yield future

    brought = Counting(futures)
    for _ in range(50):
        oldest = next(iter(brought))
        oldest.set_result(None)
        assert (await awaited.first(brought))[0] == {oldest}
        del brought[oldest]
        brought[asyncio.get_running_loop().create_future()] = "again"
    assert len(looked) <= 100 + 2 * 50


async def test_first__that_is_cancelled_loses_nothing() -> None:
    awaited, futures = Awaited(), pending(2)
    waiting = asyncio.create_task(awaited.first(futures.keys()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    one = next(iter(futures))
    one.set_result(None)
    assert (await awaited.first(futures.keys()))[0] == {one}


async def test_wait__is_that_of_asyncio_for_everybody_else() -> None:
    futures = pending(2)
    one, other = futures
    one.set_result(None)
    assert await wait(set(futures), return_when=asyncio.FIRST_COMPLETED) == ({one}, {other})
    assert await wait(futures.keys(), timeout=0) == ({one}, {other})
    other.set_result(None)
    assert await wait(futures.keys()) == ({one, other}, set())
