"""SqliteStore: one file, one owner, one writer, several readers."""

import asyncio
import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

from ingest_grpc.cancellation import to_its_end
from ingest_grpc.clock import Clock
from ingest_grpc.store.interface import Commit, LedgerLocked, ReadUnit, Tx, WriteUnit
from ingest_grpc.store.sqlite.failures import LedgerDamaged, is_damage
from ingest_grpc.store.sqlite.readers import Readers
from ingest_grpc.store.sqlite.schema import connect_reader, connect_writer, migrate
from ingest_grpc.store.sqlite.tx import SqliteTx
from ingest_grpc.store.sqlite.writer import Writer, run_batch

T = TypeVar("T")


class FileLock:
    """An exclusive lock beside the ledger; the kernel drops it when its owner dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises LedgerLocked, naming the owner's process id."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._own(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def _own(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise LedgerLocked(f"{self._path.parent} is in use by process {owner}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def ledger_lock(ledger: Path) -> FileLock:
    """The lock that the owner of a ledger holds."""
    return FileLock(ledger.with_suffix(".lock"))


def _ignore(*_: object) -> None:
    """The listener of a store that nobody listens to."""


async def _apply_caps(tx: Tx) -> None:
    """The caps of today, whatever they were when the records came."""
    await tx.apply_caps()


class SqliteStore:
    """The embedded ledger, see store.interface.Store.

    `on_commit` is told what each commit touched; `on_broken` that the ledger could not be reopened after
    I/O errors, so that the process should end and be restarted. Of one team at most `team_max_running`
    records are claimable or running; the others wait outside of the queue, in its order.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        readers: int = 4,
        write_queue: int = 10_000,
        busy_timeout_seconds: float = 10.0,
        team_max_running: int | None = None,
        on_commit: Callable[[Commit], None] = _ignore,
        on_broken: Callable[[], None] = _ignore,
    ) -> None:
        self._path = path
        self._clock = clock
        self._busy_timeout_seconds = busy_timeout_seconds
        self._lock = ledger_lock(path)
        self._make_tx = partial(SqliteTx, team_max_running=team_max_running)
        self._writer = Writer(
            lambda: connect_writer(path, busy_timeout_seconds),
            on_commit,
            on_broken,
            write_queue,
            self._make_tx,
        )
        self._readers = Readers(lambda: connect_reader(path), readers)

    @property
    def healthy(self) -> bool:
        return self._writer.healthy

    @property
    def writes_waiting(self) -> int:
        return self._writer.waiting

    async def start(self) -> None:
        """As the contract says; raises LedgerDamaged too."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock.acquire()
        try:
            await to_its_end(asyncio.to_thread(self._migrate))  # a next start must not find it at work
            await self._writer.start()
            await self._readers.start()
        except BaseException as error:
            await self.stop()
            if is_damage(error):
                raise LedgerDamaged(f"{self._path}: {error}") from error
            raise

    def _migrate(self) -> None:
        with suppress(FileExistsError):  # SQLite would let everyone read it; -wal and -shm are as it is
            self._path.touch(mode=0o600, exist_ok=False)
        connection = connect_writer(self._path, self._busy_timeout_seconds)
        try:
            migrate(connection, self._clock)
            run_batch(connection, [_apply_caps], self._make_tx)
        finally:
            connection.close()

    async def stop(self) -> None:
        await self._readers.stop()
        await self._writer.stop()
        self._lock.release()

    async def read(self, unit: ReadUnit[T]) -> T:
        return await self._readers.read(unit)

    async def write(self, unit: WriteUnit[T]) -> T:
        return cast(T, await self._writer.write(unit))
