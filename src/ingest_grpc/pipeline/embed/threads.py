"""A model's own thread: work off the event loop, one batch at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class ModelThread:
    """Runs a model's work in one thread, which starts with the first call: a model uses several cores by itself."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`. A cancelled caller leaves at once; what has begun runs to its end unseen."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def close(self) -> None:
        """Waits for what runs and drops what waits. Idempotent."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
