"""A double at the executor seam, for tests that are about the queue and not about conversion."""

import asyncio
import io
import os
import zipfile
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from ingest_grpc.worker.executors.interface import (
    ArchiveFound,
    ArchiveUnpacked,
    ConversionFailed,
    ConversionRequest,
    Converted,
    MemberSink,
    Progress,
)

Outcome: TypeAlias = Converted | ConversionFailed
OnProgress: TypeAlias = Callable[[Progress], None]
Script: TypeAlias = Callable[[ConversionRequest, OnProgress], Awaitable[Outcome]]


AfterUnpacking: TypeAlias = Callable[[MemberSink], Awaitable[ArchiveUnpacked | ConversionFailed]]


async def _all_unpacked(_sink: MemberSink) -> ArchiveUnpacked:
    return ArchiveUnpacked("fake", "1", losses=("lost",))


def converted(bytes_out: int = 8) -> Converted:
    return Converted(
        engine_name="fake", engine_version="1", content_type="x/y", pages=1, bytes_out=bytes_out, title=None
    )


class FakeExecutor:
    """Converts everything to the same Markdown, unless a script by file name says otherwise."""

    def __init__(self, output: bytes = b"# Title\n") -> None:
        self.scripts: dict[str, Script] = {}
        self.requests: list[ConversionRequest] = []
        self.cancelled: list[str] = []
        self._output = output
        self.after_unpacking: AfterUnpacking = _all_unpacked

    @property
    def protections(self) -> Mapping[str, bool]:
        return {}

    async def start(self) -> None:
        """Nothing to ready."""

    async def stop(self) -> None:
        """Nothing to end."""

    async def convert(
        self, source_fd: int, output_fd: int, request: ConversionRequest, on_progress: OnProgress
    ) -> Outcome | ArchiveFound:
        self.requests.append(request)
        assert os.fstat(source_fd).st_size >= 0, "the source is open"
        try:
            if script := self.scripts.get(request.filename):
                outcome = await script(request, on_progress)
            elif os.pread(source_fd, 4, 0) == b"PK\x03\x04":
                return ArchiveFound(("odd",))
            else:
                await asyncio.sleep(0)
                outcome = converted(len(self._output))
        except asyncio.CancelledError:
            self.cancelled.append(request.filename)
            raise
        if isinstance(outcome, Converted):
            os.write(output_fd, self._output)
        return outcome

    async def unpack(
        self, source_fd: int, sink: MemberSink, on_progress: OnProgress
    ) -> ArchiveUnpacked | ConversionFailed:
        """The real members of a real archive, then whatever `after_unpacking` says."""
        with zipfile.ZipFile(io.BytesIO(os.pread(source_fd, 2**24, 0))) as archive:
            for entry in archive.infolist():
                await sink.begin(entry.filename)
                if content := archive.read(entry):
                    await sink.write(content)
                await sink.end()
        return await self.after_unpacking(sink)


class Gate:
    """A script that holds a conversion until it is opened; `entered` is set once it is held."""

    def __init__(self, outcome: Outcome | None = None) -> None:
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()
        self._outcome = outcome or converted()

    async def __call__(self, request: ConversionRequest, on_progress: OnProgress) -> Outcome:
        self.entered.set()
        await self.opened.wait()
        return self._outcome


def fails(failure: ConversionFailed) -> Script:
    async def script(request: ConversionRequest, on_progress: OnProgress) -> Outcome:
        return failure

    return script


def raises(error: Exception) -> Script:
    async def script(request: ConversionRequest, on_progress: OnProgress) -> Outcome:
        raise error

    return script
