"""Several things at once, but not too many."""

import asyncio

import pytest

from ingest_grpc.cli.parallel import in_parallel


async def test_in_parallel__results_in_order_and_never_more_at_once() -> None:
    now = most = 0

    async def work(number: int) -> int:
        nonlocal now, most
        now += 1
        most = max(most, now)
        # The first ones need more turns of the loop than the last ones, and end later.
        for _ in range(20 - number):
            await asyncio.sleep(0)
        now -= 1
        return number * 2

    assert await in_parallel(work, range(20), at_once=3) == [number * 2 for number in range(20)]
    assert most == 3


async def test_in_parallel__the_first_error_stops_the_rest() -> None:
    begun = []

    async def work(number: int) -> None:
        begun.append(number)
        if number == 1:
            raise OSError("disk gone")
        await asyncio.Event().wait()

    with pytest.raises(OSError, match="disk gone"):
        await in_parallel(work, range(100), at_once=2)
    assert begun == [0, 1]


async def test_in_parallel__nothing_to_do() -> None:
    async def work(number: int) -> int:
        return number

    assert await in_parallel(work, []) == []
