"""xberg, the engine for PDF, Office, HTML and RTF: called on bytes, its errors sorted into ours."""

import asyncio
import secrets
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import xberg

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import stored_images
from ingest_grpc.pipeline.parse.engines import XBERG
from ingest_grpc.pipeline.parse.extraction import Extraction, PageText
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.pipeline.parse.source import Source
from ingest_grpc.pipeline.parse.types import CONTENT_TYPES, Kind, usual_extension

_Result = TypeVar("_Result")

_OUT_OF_MEMORY = ("memory allocation", "out of memory", "cannot allocate memory", "bad_alloc")
_MIME_TYPES = {Kind.RST: "text/prs.fallenstein.rst"}
"""Where the library knows a format by another name."""

_NOISY_SOURCES = frozenset({"ocr"})
"""Sources of warnings that mean nothing here: OCR is off."""

_NO_RATIO = 1_000_000
"""The library refuses any part that expands a hundred times; what really expands is counted before."""

_PICTURES = xberg.ImageExtractionConfig(run_ocr_on_images=False, auto_adjust_dpi=False)
"""As they are in the file: neither read nor scaled."""

_LEFT_OUT = "not extracted"
_LIBRARY_MARGIN_SECONDS = 5


def extract(source: Source, unreadable: Reason) -> Extraction:
    """Convert with xberg, no OCR, no network, no cache. ParseFailure `unreadable` if it cannot read the file."""
    mark = secrets.token_hex(16)
    try:
        result = _run(_extract(source, mark))
    except RuntimeError as error:  # every error of the library is a plain RuntimeError
        raise _failure(str(error), unreadable) from None
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a panic in the library arrives as a class of its own, which has no name
        raise ParseFailure(unreadable, f"the engine panicked: {error}", engine=XBERG, retire=True) from None
    if not result.results:
        details = "; ".join(str(getattr(error, "message", error)) for error in result.errors)
        raise _failure(details or "no result", unreadable)
    document = result.results[0]
    remarks = [remark.message for remark in document.processing_warnings or () if remark.source not in _NOISY_SOURCES]
    linked = _with_pictures(source, document)
    return Extraction(
        text=linked.markdown,
        pages=_pages(document.content, mark) if source.kind is Kind.PDF else (),
        title=document.metadata.title,
        author=", ".join(document.metadata.authors or ()) or None,
        language=document.metadata.language,
        warnings=tuple(remark for remark in remarks if _LEFT_OUT not in remark),
        losses=(*(remark for remark in remarks if _LEFT_OUT in remark), *linked.losses),
        images=linked.images,
    )


_kept = threading.local()


def _run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """The result of `work`, as asyncio.run gives it, on a loop that is kept: to make one takes longer than some
    documents."""
    runner: asyncio.Runner | None = getattr(_kept, "runner", None)
    if runner is None:
        runner = _kept.runner = asyncio.Runner()
    try:
        return runner.run(work)
    finally:
        if asyncio.all_tasks(runner.get_loop()):  # left behind: it must not run beside the next document
            _kept.runner = None
            runner.close()


def _with_pictures(source: Source, document: xberg.ExtractedDocument) -> stored_images.Linked:
    if not source.options.store_images:
        return stored_images.Linked(document.content)
    found = {f"image_{image.image_index}.{image.format}": image.data for image in document.images or ()}
    return stored_images.link(document.content, found, source.options.limits)


def _pages(content: str, mark: str) -> tuple[PageText, ...]:
    """The text page by page; `mark` is a secret of this conversion, so that no document can pretend a page."""
    _before, *marked = content.split(f"<!--{mark} ")
    parted = (part.partition("-->") for part in marked)
    return tuple(PageText(int(number), text) for number, _, text in parted)


async def _extract(source: Source, mark: str) -> xberg.ExtractionResult:
    # Never the client's filename, and never anything as `uri`: the library would fetch an address.
    document = xberg.ExtractInput(
        kind="bytes",
        bytes=source.data,
        mime_type=_MIME_TYPES.get(source.kind, CONTENT_TYPES[source.kind]),
        filename=f"document.{usual_extension(source.kind)}",
    )
    return await xberg.extract(document, _configuration(source, mark))


def _configuration(source: Source, mark: str) -> xberg.ExtractionConfig:
    """The library's own timeout often yields a cleaner error; the supervisor's is the one that counts."""
    limits = source.options.limits
    seconds = int(limits.engine_seconds) - _LIBRARY_MARGIN_SECONDS
    return xberg.ExtractionConfig(
        output_format="markdown",
        use_cache=False,
        disable_ocr=True,
        extraction_timeout_secs=seconds if seconds > 0 else None,
        images=_PICTURES if source.options.store_images else None,
        # For PDF only: among the sheets, slides and headings of other formats the marks do harm.
        pages=_page_marks(mark) if source.kind is Kind.PDF else None,
        security_limits=xberg.SecurityLimits(
            max_archive_size=limits.max_expanded_bytes,
            max_content_size=2 * limits.max_output_bytes,
            max_compression_ratio=_NO_RATIO,
            max_files_in_archive=limits.max_entries,
            max_nesting_depth=limits.max_elements_deep,
            max_xml_depth=limits.max_elements_deep,
            max_table_cells=limits.max_table_cells,
        ),
        html_options=xberg.ConversionOptions(
            extract_metadata=False,
            inline_data_media="alt_text_only",
            exclude_selectors=["svg"],
            max_depth=limits.max_elements_deep,
        ),
    )


def _page_marks(mark: str) -> xberg.PageConfig:
    return xberg.PageConfig(insert_page_markers=True, marker_format=f"\n\n<!--{mark} {{page_num}}-->\n\n")


def _failure(message: str, unreadable: Reason) -> ParseFailure:
    """Sort an error by the words of its message: the library gives nothing else."""
    lowered = message.lower()
    if any(words in lowered for words in _OUT_OF_MEMORY):
        raise MemoryError(message)
    if "timed out" in lowered:
        # The library's threads may still be at it.
        return ParseFailure(Reason.CONVERSION_STALLED, message, engine=XBERG, retire=True)
    if "security violation" in lowered or "security limit" in lowered or ("exceeds" in lowered and "limit" in lowered):
        return ParseFailure(_violated_limit(lowered, unreadable), message, engine=XBERG, retire=True)
    if "password" in lowered or "encrypted" in lowered:
        reason = unreadable if unreadable is Reason.PDF_UNREADABLE else Reason.FILE_ENCRYPTED
        return ParseFailure(reason, message, engine=XBERG)
    return ParseFailure(unreadable, message, engine=XBERG)


def _violated_limit(message: str, unreadable: Reason) -> Reason:
    if "cell limit" in message:
        return Reason.OUTPUT_TOO_LARGE
    if "could not be read" in message:
        return unreadable
    if "depth" in message or "nesting" in message:
        return Reason.TOO_DEEPLY_NESTED
    if "entries" in message or "entry count" in message:
        return Reason.TOO_MANY_ENTRIES
    return Reason.DECOMPRESSION_BOMB
