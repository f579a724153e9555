"""Conversions on this machine, in confined child processes."""

import asyncio
import codecs
import json
import os
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeAlias

from ingest_grpc import memory_files
from ingest_grpc.config import Settings
from ingest_grpc.errors import Reason
from ingest_grpc.formats import PDF_HEAD_BYTES, Kind, is_pdf
from ingest_grpc.lifecycle import Step
from ingest_grpc.pipeline.parse import limits
from ingest_grpc.pipeline.parse.choice import EngineUnavailable, engine_table, without_apart
from ingest_grpc.pipeline.parse.descriptors import write_whole
from ingest_grpc.sandbox.entry import child_command
from ingest_grpc.sandbox.pool import ChildPool
from ingest_grpc.sandbox.spec import ChildFailure, ChildSpec, Ending, Limits, SandboxIncomplete
from ingest_grpc.sandbox.supervisor import OnProgress
from ingest_grpc.worker.executors import replies
from ingest_grpc.worker.executors.apart import pools_apart, sweep_scratch
from ingest_grpc.worker.executors.interface import (
    ArchiveFound,
    ArchiveUnpacked,
    ConversionFailed,
    ConversionRequest,
    Converted,
    MemberSink,
    Progress,
)
from ingest_grpc.worker.executors.ocr import OcrReader, TooMuchText
from ingest_grpc.worker.executors.unpacking import StreamBroken, member_pipe, receive

_COMMAND = child_command("ingest_grpc.pipeline.parse.child")

_REASONS: Mapping[Ending, Reason] = {
    Ending.CRASHED: Reason.CONVERTER_CRASHED,
    Ending.TIMED_OUT: Reason.CONVERSION_TIMEOUT,
    Ending.STALLED: Reason.CONVERSION_STALLED,
    Ending.OUT_OF_MEMORY: Reason.CONVERSION_OUT_OF_MEMORY,
    Ending.BROKEN: Reason.INTERNAL,
    Ending.UNAVAILABLE: Reason.SERVICE_UNAVAILABLE,
}

Work: TypeAlias = Coroutine[Any, Any, Mapping[str, Any]]
"""A task of a child on its way to its result."""

_CHECKED_BYTES = 1024 * 1024


class LocalExecutor:
    """An Executor: `settings.worker_count` conversions at once (at least 1), each in a child of its own."""

    def __init__(self, settings: Settings, command: tuple[str, ...] = _COMMAND) -> None:
        """`command` starts a child; another one is of use to tests only."""
        self._limits = limits.Limits.of(settings).to_task()
        self._max_output_bytes = settings.max_output_bytes
        self._max_pages = settings.max_pages
        self._seconds = settings.conversion_timeout_seconds
        self._engines = engine_table(settings)
        self._ocr = OcrReader(settings, _of_a_task(settings))
        self._all_protections = settings.require_sandbox
        self._pool = ChildPool(
            ChildSpec(command, _of_a_task(settings), all_protections=settings.require_sandbox),
            max(1, settings.worker_count),
            max_tasks=settings.child_max_documents,
            max_resident_bytes=settings.child_max_rss_bytes,
        )
        self._settings = settings
        self._apart = pools_apart(settings, _of_a_task(settings), self._engines)

    @property
    def protections(self) -> Mapping[str, bool]:
        """What confines every child, of each kind that was started, by name; empty before the first is up."""
        others = [self._ocr.protections, *(pool.protections for pool in self._apart.values())]
        return {
            name: in_force and all(each.get(name, True) for each in others)
            for name, in_force in self._pool.protections.items()
        }

    async def start(self) -> None:
        """Start the first child and wait for it, some 0.3 s. SandboxIncomplete where that is required and not so,
        EngineUnavailable for an engine whose children do not start."""
        await self._pool.start()
        await asyncio.to_thread(sweep_scratch, self._settings)
        for engine, pool in self._apart.items():
            await pool.start()
            if not pool.protections:
                raise EngineUnavailable(f"engines: {engine} cannot be started in its sandbox: {pool.last_failure}")
        if self._all_protections and not (self.protections and all(self.protections.values())):
            missing = [name for name, in_force in self.protections.items() if not in_force]
            raise SandboxIncomplete(f"refused to convert without {', '.join(missing) or 'any converter'}")

    async def stop(self) -> None:
        """Kill and reap every child."""
        await self._pool.stop()
        await self._ocr.stop()
        for pool in self._apart.values():
            await pool.stop()

    async def convert(
        self,
        source_fd: int,
        output_fd: int,
        request: ConversionRequest,
        on_progress: Callable[[Progress], None],
    ) -> Converted | ArchiveFound | ConversionFailed:
        """See Executor.convert."""
        pool, engines = self._place(request.method, source_fd)
        task, descriptors = self._task(request, engines), (source_fd, output_fd)

        def with_images(pipe: int) -> Work:
            return self._result(pool, task, (*descriptors, pipe), on_progress)

        try:
            if request.images is None:
                result = await self._result(pool, task, descriptors, on_progress)
            else:
                result = await _receiving(request.images, with_images)
        except TimeoutError:
            return ConversionFailed(Reason.CONVERSION_TIMEOUT, f"no result after {self._seconds:g} s")
        except ChildFailure as failure:
            return ConversionFailed(_REASONS[failure.ending], failure.detail)
        except TooMuchText as much:
            return ConversionFailed(Reason.OUTPUT_TOO_LARGE, str(much))
        except StreamBroken as broken:
            return ConversionFailed(Reason.CONVERTER_CRASHED, f"the pictures cannot be read: {broken}")
        return await self._checked(replies.read_result(result), output_fd)

    async def _result(
        self,
        pool: ChildPool,
        task: Mapping[str, Any],
        descriptors: tuple[int, ...],
        on_progress: Callable[[Progress], None],
    ) -> Mapping[str, Any]:
        """What the child says in the end, once OCR has read what the child could not."""
        pass_on = _reader_of(on_progress)
        # The child's own time is limited by its supervisor: waiting for a child to start is not its fault.
        result = await pool.run(task, descriptors, pass_on)
        if (unread := replies.read_unread(result, self._max_pages)) is not None:
            async with asyncio.timeout(self._seconds):
                texts = await self._read(descriptors[0], unread, on_progress)
                result = await _with_texts(pool, task, descriptors, texts, pass_on)
        return result

    def _place(self, method: str, source_fd: int) -> tuple[ChildPool, Mapping[str, str]]:
        """The children for a document and the engines for its kinds: a PDF goes to those of its engine, and what other
        documents hold is converted by an engine that theirs have."""
        row = self._engines.get(method, {})
        apart = self._apart.get(row.get(Kind.PDF.name, ""))
        if apart is not None and is_pdf(os.pread(source_fd, PDF_HEAD_BYTES, 0)):
            return apart, row
        return self._pool, without_apart(row, method)

    def _task(self, request: ConversionRequest, engines: Mapping[str, str]) -> dict[str, Any]:
        return {
            "filename": request.filename,
            "content_type": request.content_type,
            "method": request.method,
            "engines": engines,
            "ocr_engine": self._ocr.engine,
            "store_images": request.images is not None,
            "limits": self._limits,
        }

    async def _read(
        self, source_fd: int, unread: replies.UnreadPages, on_progress: Callable[[Progress], None]
    ) -> Mapping[int, str]:
        total = len(unread.pages)

        def on_page(done: int) -> None:
            on_progress(Progress(Step.PARSE, done, total, "pages"))

        on_page(0)
        return await self._ocr.read(source_fd, unread.pages, is_pdf=unread.is_pdf, on_page=on_page)

    async def unpack(
        self, source_fd: int, sink: MemberSink, on_progress: Callable[[Progress], None]
    ) -> ArchiveUnpacked | ConversionFailed:
        """See Executor.unpack."""
        task = {"unpack": True, "limits": self._limits}

        def unpacking(pipe: int) -> Work:
            return self._pool.run(task, (source_fd, pipe), _reader_of(on_progress))

        try:
            return replies.read_unpacked(await _receiving(sink, unpacking))
        except ChildFailure as failure:
            return ConversionFailed(_REASONS[failure.ending], failure.detail)
        except StreamBroken as broken:
            return ConversionFailed(Reason.CONVERTER_CRASHED, f"the members cannot be read: {broken}")

    async def _checked(
        self, outcome: Converted | ArchiveFound | ConversionFailed, output_fd: int
    ) -> Converted | ArchiveFound | ConversionFailed:
        """A success only with the evidence: the child's word alone is none."""
        if not isinstance(outcome, Converted):
            return outcome
        size = os.fstat(output_fd).st_size
        if size == 0:
            return ConversionFailed(Reason.CONVERTER_CRASHED, "the child reported success without output")
        if size > self._max_output_bytes:
            return ConversionFailed(Reason.OUTPUT_TOO_LARGE, f"{size} bytes, at most {self._max_output_bytes}")
        if size > _CHECKED_BYTES:
            valid = await asyncio.to_thread(_is_utf8, output_fd)
        else:
            valid = _is_utf8(output_fd)
        if not valid:
            return ConversionFailed(Reason.CONVERTER_CRASHED, "the child's output is not valid UTF-8")
        return replies.with_size(outcome, size)


def _reader_of(on_progress: Callable[[Progress], None]) -> Callable[[Mapping[str, Any]], None]:
    def pass_on(message: Mapping[str, Any]) -> None:
        if (progress := replies.read_progress(message)) is not None:
            on_progress(progress)

    return pass_on


async def _receiving(sink: MemberSink, work: Callable[[int], Work]) -> Mapping[str, Any]:
    """The result of work whose child writes members to a pipe. StreamBroken, or what the work or the sink raises."""
    async with member_pipe() as pipe:
        running = asyncio.create_task(work(pipe.descriptor))
        # Only then does the reader come to an end: until the child has the task, another one may get it.
        running.add_done_callback(lambda _: pipe.finish())
        try:
            await receive(pipe.reader, sink)
            return await running
        except StreamBroken:
            # What the child said or how it ended says more than the stream it left, unless it claims all is well.
            if running.done() and running.result().get("outcome") == "failed":
                return running.result()
            raise
        finally:
            running.cancel()
            await asyncio.wait((running,))


async def _with_texts(
    pool: ChildPool,
    task: Mapping[str, Any],
    descriptors: tuple[int, ...],
    texts: Mapping[int, str],
    on_progress: OnProgress,
) -> Mapping[str, Any]:
    """Convert again, now that the pages were read."""
    written = memory_files.create("texts")
    try:
        write_whole(written, json.dumps(texts).encode())
        return await pool.run(task, (*descriptors, written), on_progress)
    finally:
        memory_files.close(written)


def _of_a_task(settings: Settings) -> Limits:
    return Limits(
        address_space_bytes=settings.conversion_memory_bytes,
        resident_bytes=settings.conversion_memory_bytes,
        written_bytes=settings.max_output_bytes,
        wall_seconds=settings.conversion_timeout_seconds,
        stall_seconds=settings.conversion_stall_seconds,
        cpu_seconds=settings.conversion_cpu_seconds,
    )


def _is_utf8(output_fd: int) -> bool:
    """Whether what the descriptor has received is text; its offset, which the child shares, stays where it is."""
    decoder, position = codecs.getincrementaldecoder("utf-8")(), 0
    try:
        while chunk := os.pread(output_fd, _CHECKED_BYTES, position):
            decoder.decode(chunk)
            position += len(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
