"""What every way into the file store has in common: limits, room on the disk, and the row of a durable blob."""

import shutil
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.config import Settings
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.model import File, Mutation
from ingest_grpc.service.handover import hand_over
from ingest_grpc.store.interface import Rows, Store, Tx
from ingest_grpc.units import MIB

SPACE_KNOWN_SECONDS = 1.0
"""How long a look at the disk counts, less what was let in since."""

SPACE_CHECK_BYTES = 64 * MIB
"""A stream asks for room again after this many bytes."""


class Intake:
    """Shared by uploads of all kinds and by imports."""

    def __init__(self, store: Store, blobs: Blobs, settings: Settings) -> None:
        self._store = store
        self._blobs = blobs
        self._ledger_folder: Path = settings.data_dir
        self._max_bytes = settings.max_file_bytes
        self._min_free_bytes = settings.min_free_disk_bytes
        self._team_max_bytes = settings.team_max_bytes
        self._arriving = Counter[str]()
        self._free_bytes = 0
        self._measured_at = float("-inf")

    def check_size(self, size_bytes: int | None) -> None:
        """Raises FILE_TOO_LARGE; None = not known."""
        if size_bytes is not None and size_bytes > self._max_bytes:
            raise IngestError(Reason.FILE_TOO_LARGE, {"max_bytes": str(self._max_bytes)})

    async def check_space(self, more: int) -> None:
        """Refuses before the disk is full: the ledger must always be able to commit. Raises STORAGE_FULL."""
        if time.monotonic() - self._measured_at > SPACE_KNOWN_SECONDS:
            await self._measure()
        if self._free_bytes - more < self._min_free_bytes:
            raise IngestError(Reason.STORAGE_FULL, retry_after_seconds=30.0)
        self._free_bytes -= more

    async def _measure(self) -> None:
        free = [shutil.disk_usage(self._ledger_folder).free]
        if (of_blobs := await self._blobs.free_bytes()) is not None:
            free.append(of_blobs)
        self._free_bytes, self._measured_at = min(free), time.monotonic()

    async def insert(self, tx: Tx, file: File) -> None:
        """Stores a new file. Raises EXTERNAL_ID_TAKEN and TEAM_STORAGE_FULL."""
        await check_external_id(tx, file.team_id, file.external_id)
        if file.unfetched:
            await tx.insert_import(file)
        else:
            await tx.insert_file(file, shareable=True)
        # After the insert, so that bytes which the team stores already cost nothing.
        await self.check_team_bytes(tx, file.team_id)

    async def check_team_bytes(self, rows: Rows, team: str) -> None:
        """Raises TEAM_STORAGE_FULL where a team stores too much, what its unfinished uploads hold included."""
        if self._team_max_bytes is not None:
            self._check_team_bytes(team, await rows.stored_bytes(team))

    def arrive(self, team: str, more: int) -> None:
        """Counts bytes of a team's streams, or counts off those of one that has ended. Raises TEAM_STORAGE_FULL.

        Apart from what is stored: a stream may repeat a call that was answered, or bring bytes that are there already.
        """
        self._arriving[team] += more
        if more > 0:
            self._check_team_bytes(team, self._arriving[team])

    def _check_team_bytes(self, team: str, count: int) -> None:
        if self._team_max_bytes is not None and count > self._team_max_bytes:
            raise IngestError(
                Reason.TEAM_STORAGE_FULL, {"max_bytes": str(self._team_max_bytes)}, resource=("Team", team)
            )

    async def register(self, blob_key: str, unit: Callable[[Tx], Awaitable[Mutation[File]]]) -> Mutation[File]:
        """Commits the row of a durable blob, or drops the blob where the row names another one."""
        return await hand_over(self._blobs, [blob_key], self._store.write(unit), lambda done: {done.value.blob_key})


class Arrival:
    """A stream of bytes that are no file yet; those of all streams of a team may be as many as it may store."""

    def __init__(self, intake: Intake, team: str) -> None:
        self._intake = intake
        self._team = team
        self._size_bytes = self._checked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._intake.arrive(self._team, -self._size_bytes)

    async def grow(self, more: int) -> None:
        """So many bytes are about to be written. Raises FILE_TOO_LARGE, STORAGE_FULL and TEAM_STORAGE_FULL."""
        self._intake.check_size(self._size_bytes + more)
        self._size_bytes += more
        self._intake.arrive(self._team, more)
        if self._size_bytes - self._checked > SPACE_CHECK_BYTES:
            self._checked = self._size_bytes
            await self._intake.check_space(0)


async def check_external_id(tx: Tx, team: str, external_id: str | None) -> None:
    """Raises EXTERNAL_ID_TAKEN, naming the file that has it."""
    if external_id is not None and (file := await tx.file_by_external_id(team, external_id)) is not None:
        raise IngestError(
            Reason.EXTERNAL_ID_TAKEN,
            {"external_id": external_id, "resource_id": file.file_id},
            resource=("File", file.file_id),
        )


def file_not_found(file_id: str) -> IngestError:
    """FILE_NOT_FOUND, naming the file."""
    return IngestError(Reason.FILE_NOT_FOUND, {"file_id": file_id}, resource=("File", file_id))
