"""One record, from claim to outcome: fetch, convert, store, report."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TypeAlias

from ingest_grpc.blobs.interface import PATIENCE_SECONDS, BlobMissing, Blobs, StoredBlob
from ingest_grpc.errors import CATALOGUE, IngestError, Reason
from ingest_grpc.lifecycle import Step
from ingest_grpc.model import DocumentMetadata, Engine, RecordError, UnitProgress
from ingest_grpc.service.archives import Unpacked
from ingest_grpc.service.attempts import outages_or_failures
from ingest_grpc.service.finisher import Finisher
from ingest_grpc.service.handover import delete_all, hand_over
from ingest_grpc.service.imports import FETCH_FAILURES, ImportService
from ingest_grpc.service.progress import ProgressBoard
from ingest_grpc.service.work import Done, Failed, Outcome, Retry, WorkService
from ingest_grpc.store.interface import RecordRow
from ingest_grpc.worker.executors.interface import (
    ArchiveFound,
    ConversionFailed,
    ConversionRequest,
    Converted,
    Executor,
    Progress,
)
from ingest_grpc.worker.images import Images, NewImages
from ingest_grpc.worker.indexer import Indexer, IndexingFailed, Searchable
from ingest_grpc.worker.lease import Leases
from ingest_grpc.worker.retry import backoff_seconds
from ingest_grpc.worker.unpacker import Unpacker

log = logging.getLogger(__name__)

Turn: TypeAlias = Callable[[], Awaitable[None]]
"""Returns when a worker has come to a claim."""


async def at_once() -> None:
    """The turn of what does not wait."""


class Runner:
    """Runs claimed records. Cancelling `run` stops the conversion; the record is then somebody else's concern.

    But an outcome on its way to the ledger is reported to the end: its output must not lose its owner.
    """

    def __init__(
        self,
        work: WorkService,
        blobs: Blobs,
        executor: Executor,
        board: ProgressBoard,
        leases: Leases,
        imports: ImportService,
        unpacker: Unpacker,
        indexer: Indexer,
        new_images: NewImages,
        *,
        conversion_seconds: float,
        most_output_bytes: int,
        backoff_base_seconds: float,
        backoff_max_seconds: float,
        rng: random.Random,
    ) -> None:
        self._work = work
        self._blobs = blobs
        self._executor = executor
        self._board = board
        self._leases = leases
        self._imports = imports
        self._unpacker = unpacker
        self._indexer = indexer
        self._new_images = new_images
        self._conversion_seconds = conversion_seconds
        self._most_output_bytes = most_output_bytes
        self._backoff_base_seconds = backoff_base_seconds
        self._backoff_max_seconds = backoff_max_seconds
        self._rng = rng
        self._finisher = Finisher()

    async def run(
        self, claim: RecordRow, turn: Turn = at_once, on_converted: Callable[[], None] = lambda: None
    ) -> None:
        """Converts one claimed record and reports the outcome.

        All but the fetching waits for `turn`. From `on_converted` on, which may be called twice, nothing is left that
        needs a converter.
        """
        images = self._new_images()
        try:
            outcome = await self._outcome(claim, images, turn, on_converted)
            on_converted()
            await self._finisher.run(self._report(claim, outcome, images))
        finally:
            self._board.forget(claim.job_row, claim.record)
            self._board.pace.note()
            self._leases.release(claim)

    async def drain(self) -> None:
        """Waits for the reports of cancelled runs."""
        await self._indexer.drain()
        await self._finisher.drain()
        await self._unpacker.drain()

    async def _outcome(
        self, claim: RecordRow, images: Images | None, turn: Turn, on_converted: Callable[[], None]
    ) -> Outcome | Unpacked:
        """The outcome of one attempt; one that has none leaves no pictures behind."""
        try:
            return await self._attempt(claim, images, turn, on_converted)
        except BaseException:
            if images is not None:
                await self._finisher.run(images.drop())
            raise

    async def _attempt(
        self, claim: RecordRow, images: Images | None, turn: Turn, on_converted: Callable[[], None]
    ) -> Outcome | Unpacked:
        """What became of the document. Errors of the service itself are outcomes too: no record is left hanging."""
        step = Step.FETCH
        stored: StoredBlob | Unpacked | None = None
        try:
            self._at(claim, step)
            async with self._source(claim) as source, self._blobs.output(self._most_output_bytes) as output:
                await turn()
                step = Step.PARSE
                converted, reused_from = await self._markdown(claim, source, output.fd, images)
                if isinstance(converted, ArchiveFound):
                    converted = await self._unpack(claim, source, converted)
                if isinstance(converted, ConversionFailed):
                    return self._failure(claim, converted.reason, step, converted.detail)
                if isinstance(converted, Unpacked):
                    stored = converted
                    return converted
                searchable = await self._make_searchable(claim, output.fd)
                step = Step.STORE
                self._at(claim, step)
                on_converted()
                stored = await output.commit(output_key(claim), partial(self._transferring, claim))
            return _done(stored, converted, reused_from, searchable, images)
        except IndexingFailed as failed:
            return self._failure(claim, failed.reason, failed.step, failed.detail)
        except BlobMissing:
            return self._failure(claim, Reason.FILE_NOT_FOUND, step, "the source's bytes are gone")
        except IngestError as error:
            final = step is Step.FETCH and error.reason in FETCH_FAILURES
            return self._failure(claim, error.reason if final else Reason.SERVICE_UNAVAILABLE, step, str(error))
        except asyncio.CancelledError:
            if stored is not None:  # cancelled while the descriptors were closed: nobody reports this output
                keys = stored.blob_keys if isinstance(stored, Unpacked) else [stored.key]
                await self._finisher.run(delete_all(self._blobs, keys))
            raise
        except Exception as error:
            log.exception("record %s failed unexpectedly", claim.record.record_id)
            return self._failure(claim, Reason.INTERNAL, step, type(error).__name__)

    @asynccontextmanager
    async def _source(self, claim: RecordRow) -> AsyncIterator[int]:
        """A descriptor of the source's bytes; those of an imported file may have to be fetched first."""
        if claim.source is None:
            raise BlobMissing(claim.record.file_id)
        alive = partial(self._transferring, claim)
        async with AsyncExitStack() as opened:
            try:
                source = await opened.enter_async_context(self._blobs.open(claim.source, alive))
            except BlobMissing:
                record = claim.record
                file = await self._imports.fetch(record.team_id, record.file_id, partial(self._fetched, claim))
                source = await opened.enter_async_context(self._blobs.open(file.blob_key, alive))
            yield source

    def _transferring(self, claim: RecordRow) -> None:
        """Bytes are on their way, and may now stand still for as long as a backend tries by itself."""
        self._leases.renew(claim, PATIENCE_SECONDS)

    def _fetched(self, claim: RecordRow, done: int, total: int) -> None:
        self._transferring(claim)
        progress = UnitProgress(units_done=done, units_total=total, unit="bytes")
        self._board.report(claim.job_row, claim.record, Step.FETCH, progress)

    async def _markdown(
        self, claim: RecordRow, source: int, output: int, images: Images | None
    ) -> tuple[Converted | ArchiveFound | Unpacked | ConversionFailed, str | None]:
        """What is in the output now, and the record that had made it before, if one had."""
        if claim.document_row is not None:
            ready = await self._indexer.ready(claim, source, output)
            if ready is not None:
                return ready
        return await self._convert(claim, source, output, images), None

    async def _make_searchable(self, claim: RecordRow, output: int) -> Searchable | None:
        """None outside of knowledge bases."""
        if claim.document_row is None:
            return None
        return await self._indexer.run(claim, output, partial(self._stepped, claim))

    def _stepped(self, claim: RecordRow, step: Step, progress: UnitProgress | None) -> None:
        self._leases.renew(claim, self._conversion_seconds)
        self._board.report(claim.job_row, claim.record, step, progress)

    async def _convert(
        self, claim: RecordRow, source: int, output: int, images: Images | None
    ) -> Converted | ArchiveFound | Unpacked | ConversionFailed:
        record = claim.record
        self._at(claim, Step.PARSE)
        self._leases.renew(claim, self._conversion_seconds)
        request = ConversionRequest(record.filename, claim.source_type, record.method, images)
        return await self._executor.convert(source, output, request, lambda moved: self._moved(claim, moved))

    async def _unpack(self, claim: RecordRow, source: int, found: ArchiveFound) -> Unpacked | ConversionFailed:
        self._leases.renew(claim, self._conversion_seconds)
        on_progress = partial(self._moved, claim)
        return await self._unpacker.unpack(claim, source, output_key(claim), found, on_progress)

    def _moved(self, claim: RecordRow, moved: Progress) -> None:
        # Each stage of a conversion has its own limit, and a scan goes through three.
        self._leases.renew(claim, self._conversion_seconds)
        progress = UnitProgress(units_done=moved.units_done, units_total=moved.units_total, unit=moved.unit)
        self._board.report(claim.job_row, claim.record, moved.step, progress)

    def _at(self, claim: RecordRow, step: Step) -> None:
        self._transferring(claim)
        self._board.report(claim.job_row, claim.record, step)

    def _failure(self, claim: RecordRow, reason: Reason, step: Step, detail: str) -> Outcome:
        log.info(
            "record failed",
            extra={"fields": {"record_id": claim.record.record_id, "reason": reason, "step": step, "detail": detail}},
        )
        error = RecordError(reason=reason, step=step)
        if not CATALOGUE[reason].retryable:
            return Failed(error)
        before = outages_or_failures(claim.record, reason)
        seconds = backoff_seconds(before, self._backoff_base_seconds, self._backoff_max_seconds, self._rng)
        return Retry(error, seconds)

    async def _report(self, claim: RecordRow, outcome: Outcome | Unpacked, images: Images | None) -> None:
        """Commits the outcome; an output that nobody wants any more is dropped, and so are pictures that none has."""
        if images is not None and not (isinstance(outcome, Done) and outcome.images):
            await images.drop()
        if isinstance(outcome, Unpacked):
            refused = await self._unpacker.report(claim, outcome)
            if refused is not None:
                detail = f"{len(outcome.members)} members"
                await self._work.finish(claim, self._failure(claim, refused, Step.STORE, detail))
            return
        if not isinstance(outcome, Done):
            await self._work.finish(claim, outcome)
            return
        keys = outcome.blob_keys
        finish = self._work.finish(claim, outcome)
        await hand_over(self._blobs, keys, finish, lambda wanted: keys if wanted else ())


def output_key(claim: RecordRow) -> str:
    """Keyed by record and attempt: two attempts never write the same blob."""
    return f"{claim.record.record_id.removeprefix('ijf-').replace('-', '')}-{claim.record.attempt}"


def _done(
    stored: StoredBlob,
    converted: Converted,
    reused_from: str | None,
    searchable: Searchable | None,
    images: Images | None,
) -> Done:
    return Done(
        output=stored,
        engine=Engine(name=converted.engine_name, version=converted.engine_version),
        pages=converted.pages,
        warnings=converted.warnings,
        losses=converted.losses,
        chunk_losses=searchable.losses if searchable else (),
        document_metadata=_metadata(converted),
        reused_from=reused_from,
        indexed=searchable.indexed if searchable else None,
        images=() if images is None else tuple(images.stored),
    )


def _metadata(converted: Converted) -> DocumentMetadata | None:
    if not (converted.title or converted.author or converted.language):
        return None
    return DocumentMetadata(title=converted.title, author=converted.author, language=converted.language)
