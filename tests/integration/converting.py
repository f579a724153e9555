"""An executor with real children, and files for what goes in and comes out."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from ingest_grpc.config import Settings
from ingest_grpc.worker.executors.interface import (
    ArchiveFound,
    ConversionFailed,
    ConversionRequest,
    Converted,
    Progress,
)
from ingest_grpc.worker.executors.local import LocalExecutor

Outcome: TypeAlias = Converted | ArchiveFound | ConversionFailed


class Converting:
    """An executor, and a folder for what goes in and comes out."""

    def __init__(self, executor: LocalExecutor, folder: Path) -> None:
        self.executor = executor
        self.output = folder / "output.md"
        self._source = folder / "source"
        self.progress: list[Progress] = []
        self.on_progress: Callable[[], None] = lambda: None

    async def convert(
        self, data: bytes, filename: str = "", content_type: str = "", method: str = "SPEED_OPTIMIZED"
    ) -> Outcome:
        self._source.write_bytes(data)
        source = os.open(self._source, os.O_RDONLY)
        output = os.open(self.output, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        try:
            request = ConversionRequest(filename, content_type, method)
            return await self.executor.convert(source, output, request, self._note)
        finally:
            os.close(source)
            os.close(output)

    def _note(self, progress: Progress) -> None:
        self.progress.append(progress)
        self.on_progress()


@asynccontextmanager
async def started(
    folder: Path, command: tuple[str, ...] | None = None, **settings: object
) -> AsyncIterator[Converting]:
    chosen = Settings.model_validate({"workers": 1, **settings})
    executor = LocalExecutor(chosen) if command is None else LocalExecutor(chosen, command)
    try:
        await executor.start()
        yield Converting(executor, folder)
    finally:
        await executor.stop()
