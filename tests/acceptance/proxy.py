"""A bad network between clients and a server: a TCP proxy that cuts, stalls and delays, by a seed."""

import asyncio
import contextlib
import random
from collections import Counter
from types import TracebackType
from typing import Self

READ_BYTES = 4_096
LONGEST_STALL_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 0.05


class BadNetwork:
    """Listens on `address` and forwards to the target. `did` counts what befell connections.

    Of ten connections five are cut after a while in the middle of whatever they carry, two stall now and then, two
    delay each chunk, and one is faithful until `calm`, from which on all are.
    """

    def __init__(self, target: str, rng: random.Random) -> None:
        self._host, _, port = target.rpartition(":")
        self._port = int(port)
        self._rng = rng
        self._calm = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.did: Counter[str] = Counter()
        self.address = ""

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def calm(self) -> None:
        """From now on nothing is cut, stalled or delayed."""
        self._calm = True

    def cut(self, count: int) -> int:
        """Cuts so many connections, if there are as many; returns how many."""
        chosen = self._rng.sample(list(self._tasks), min(count, len(self._tasks)))
        for task in chosen:
            task.cancel()
        self.did["cut"] += len(chosen)
        return len(chosen)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # Cut: whoever awaited this task is the loop's own stream server.
            with contextlib.suppress(asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            upstream, downstream = await asyncio.open_connection(self._host, self._port)
            try:
                # Bounds on the kernel's buffers would change nothing here: what is cut is cut in mid-message.
                mood = self._rng.choices(("cut", "stall", "delay", "faithful"), (5, 2, 2, 1))[0]
                life = self._rng.uniform(0.05, 4.0) if mood == "cut" and not self._calm else None
                async with asyncio.timeout(life), asyncio.TaskGroup() as group:
                    group.create_task(self._forward(reader, downstream, mood))
                    group.create_task(self._forward(upstream, writer, mood))
            except* TimeoutError:
                self.did["cut"] += 1
            except* OSError:
                self.did["ended"] += 1  # one side is gone, and so is the other now
            finally:
                downstream.transport.abort()

    async def _forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, mood: str) -> None:
        while data := await source.read(READ_BYTES):
            if not self._calm and mood == "stall" and self._rng.random() < 0.05:
                self.did["stalled"] += 1
                await asyncio.sleep(self._rng.uniform(0.0, LONGEST_STALL_SECONDS))
            elif not self._calm and mood == "delay":
                self.did["delayed"] += 1
                await asyncio.sleep(self._rng.uniform(0.0, LONGEST_DELAY_SECONDS))
            target.write(data)
            await target.drain()
        raise ConnectionResetError("one side is done")
