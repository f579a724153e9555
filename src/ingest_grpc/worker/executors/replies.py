"""Reads what a child answered, with suspicion: a compromised child can answer anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import Step
from ingest_grpc.worker.executors.interface import (
    ArchiveFound,
    ArchiveUnpacked,
    ConversionFailed,
    Converted,
    Progress,
)

DETAIL_BYTES = 1024

_REASONS_OF_A_CHILD = frozenset(
    {
        Reason.EMPTY_FILE,
        Reason.PDF_UNREADABLE,
        Reason.PDF_PAGE_TOO_LARGE,
        Reason.NO_TEXT,
        Reason.ONLY_PICTURES,
        Reason.OCR_FOUND_NO_TEXT,
        Reason.OCR_UNAVAILABLE,
        Reason.UNSUPPORTED_TYPE,
        Reason.FILE_UNREADABLE,
        Reason.FILE_ENCRYPTED,
        Reason.TEXT_UNDECODABLE,
        Reason.DECOMPRESSION_BOMB,
        Reason.OUTPUT_TOO_LARGE,
        Reason.CONVERSION_STALLED,
        Reason.DOCUMENT_TOO_LARGE,
        Reason.TOO_MANY_PAGES,
        Reason.TOO_MANY_ENTRIES,
        Reason.TOO_DEEPLY_NESTED,
        Reason.IMAGE_TOO_LARGE,
    }
)
_T = TypeVar("_T")
_Readers: TypeAlias = Mapping[str, Callable[[Mapping[str, Any]], _T]]
_LARGEST_COUNT = 2**31 - 1
_MAX_REMARKS = 50
_TEXT_BYTES = 2048


def read_result(result: Mapping[str, Any]) -> Converted | ArchiveFound | ConversionFailed:
    """The outcome in a child's result, `bytes_out` still 0. What cannot be read counts as a crash."""
    readers: _Readers[Converted | ArchiveFound | ConversionFailed]
    readers = {"converted": _converted, "archive": _found, "failed": _failed}
    return _read(result, readers)


def read_unpacked(result: Mapping[str, Any]) -> ArchiveUnpacked | ConversionFailed:
    """The outcome of unpacking in a child's result, read the same way."""
    readers: _Readers[ArchiveUnpacked | ConversionFailed] = {"unpacked": _unpacked, "failed": _failed}
    return _read(result, readers)


def _read(result: Mapping[str, Any], readers: _Readers[_T]) -> _T | ConversionFailed:
    try:
        return readers[result["outcome"]](result)
    except (KeyError, TypeError, ValueError) as error:
        return ConversionFailed(Reason.CONVERTER_CRASHED, _text(f"an unreadable result: {error!r}", DETAIL_BYTES))


def _found(result: Mapping[str, Any]) -> ArchiveFound:
    return ArchiveFound(_texts(result["warnings"]))


def _unpacked(result: Mapping[str, Any]) -> ArchiveUnpacked:
    return ArchiveUnpacked(
        engine_name=_text(result["engine_name"]),
        engine_version=_text(result["engine_version"]),
        warnings=_texts(result["warnings"]),
        losses=_texts(result["losses"]),
    )


@dataclass(frozen=True, slots=True)
class UnreadPages:
    """A child asks for the texts of these pages before it can go on."""

    pages: tuple[int, ...]
    is_pdf: bool


def read_unread(result: Mapping[str, Any], max_pages: int) -> UnreadPages | None:
    """The pages that a child asks for; None if it asks for none, or for what makes no sense."""
    match result:
        case {"outcome": "unread", "pages": [*pages], "is_pdf": bool(is_pdf)}:
            if 0 < len(pages) <= max_pages and all(_is_page(page, max_pages) for page in pages):
                return UnreadPages(tuple(dict.fromkeys(pages)), is_pdf)
    return None


def _is_page(value: object, max_pages: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= max_pages


def with_size(outcome: Converted, bytes_out: int) -> Converted:
    """The outcome with the size that was found, whatever the child may have said."""
    return replace(outcome, bytes_out=bytes_out)


def read_progress(message: Mapping[str, Any]) -> Progress | None:
    """The progress in a child's message; None if it makes no sense."""
    try:
        done, total = _count(message["units_done"]), _count(message["units_total"])
        return Progress(Step(_text(message["step"])), min(done, total), total, _text(message["unit"], 32))
    except (KeyError, TypeError, ValueError):
        return None


def _converted(result: Mapping[str, Any]) -> Converted:
    return Converted(
        engine_name=_text(result["engine_name"]),
        engine_version=_text(result["engine_version"]),
        content_type=_text(result["content_type"]),
        pages=None if result["pages"] is None else _count(result["pages"]),
        bytes_out=0,
        title=_optional_text(result["title"]),
        author=_optional_text(result.get("author")),
        language=_optional_text(result.get("language")),
        warnings=_texts(result["warnings"]),
        losses=_texts(result["losses"]),
    )


def _failed(result: Mapping[str, Any]) -> ConversionFailed:
    reason = Reason(result["reason"])
    if reason not in _REASONS_OF_A_CHILD:
        raise ValueError(f"{reason} is not for a child to say")
    named = result["engine_name"] is not None
    return ConversionFailed(
        reason,
        _text(result["detail"], DETAIL_BYTES),
        engine_name=_text(result["engine_name"]) if named else None,
        engine_version=_text(result["engine_version"]) if named else None,
    )


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _text(value: object, max_bytes: int = _TEXT_BYTES) -> str:
    """`value` if it is a string, without anything that is no valid UTF-8, cut to `max_bytes`."""
    if not isinstance(value, str):
        raise TypeError(f"not a string but {type(value).__name__}")
    return value.encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore")


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError(f"not a list but {type(values).__name__}")
    return tuple(_text(value) for value in values[:_MAX_REMARKS])


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST_COUNT:
        raise ValueError("not a count")
    return value
