"""What engines read and write in tests: files in a folder, checkpoints in memory."""

import json
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ingest_grpc.model import AlignmentTotals, SectionResult
from ingest_grpc.pipeline.align.interface import Aligner, AlignmentTask, SourceFile, Standing


class MemoryCheckpoints:
    """Keeps results as the ledger does; `fail_after` makes saving fail once so many are kept."""

    def __init__(self) -> None:
        self.kept: dict[int, SectionResult] = {}
        self.fail_after: int | None = None

    async def digest(self, section: int) -> str | None:
        result = self.kept.get(section)
        return None if result is None else result.digest

    async def save(self, section: int, result: SectionResult) -> None:
        if self.fail_after is not None and len(self.kept) >= self.fail_after:
            raise ConnectionError("the ledger is gone")
        self.kept[section] = result

    async def results(self, sections: int) -> AsyncGenerator[SectionResult, None]:
        for number in sorted(self.kept):
            if number <= sections:
                yield self.kept[number]


class Bench:
    """Runs engines over files in a folder; remembers what they said on their way and what they left open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkpoints = MemoryCheckpoints()
        self.standings: list[Standing] = []
        self.opened = 0
        self._files: list[SourceFile] = []

    def add(self, filename: str, text: str | bytes) -> None:
        data = text if isinstance(text, bytes) else text.encode()
        path = self.folder / f"{len(self._files)}.md"
        path.write_bytes(data)
        self._files.append(SourceFile(f"md-file-{len(self._files)}", filename, len(data), partial(self._open, path)))

    @asynccontextmanager
    async def _open(self, path: Path) -> AsyncIterator[int]:
        fd = os.open(path, os.O_RDONLY)
        self.opened += 1
        try:
            yield fd
        finally:
            os.close(fd)
            self.opened -= 1

    async def _all(self) -> AsyncGenerator[SourceFile, None]:
        for file in self._files:
            yield file

    def task(self, system_prompt: str = "", instructions: str = "") -> AlignmentTask:
        return AlignmentTask(system_prompt, instructions, self._all, len(self._files), self.checkpoints)

    async def run(
        self, engine: Aligner, system_prompt: str = "", instructions: str = ""
    ) -> tuple[AlignmentTotals, list[dict[str, Any]]]:
        """(totals, the lines of the dataset)."""
        totals, data = await self.run_raw(engine, system_prompt, instructions)
        return totals, [json.loads(line) for line in data.decode().splitlines()]

    async def run_raw(
        self, engine: Aligner, system_prompt: str = "", instructions: str = ""
    ) -> tuple[AlignmentTotals, bytes]:
        path = self.folder / "dataset"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        try:
            totals = await engine.align(self.task(system_prompt, instructions), fd, self.standings.append)
        finally:
            os.close(fd)
            assert self.opened == 0, "a descriptor leaked"
        return totals, path.read_bytes()
