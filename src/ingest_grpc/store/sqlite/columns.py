"""How single values lie in columns; made for the hot path, where each of them passes some twenty of these."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from ingest_grpc.model import RecordError
from ingest_grpc.store.sqlite.statements import Row

E = TypeVar("E", bound=StrEnum)


def members(words: type[E]) -> Mapping[str | None, E]:
    """An enumeration by what its columns hold: calling the class costs five times as much."""
    return {str(word): word for word in words}


def members_or_none(words: type[E]) -> Mapping[str | None, E | None]:
    """The same for a column that may be NULL."""
    return {None: None, **members(words)}


def word_column(word: StrEnum | None) -> str | None:
    """A plain string: sqlite3 asks every other type how it wants to be adapted."""
    return None if word is None else str(word)


def texts_of(column: str) -> tuple[str, ...]:
    """A JSON list of strings; nearly always an empty one."""
    return () if column == "[]" else tuple(json.loads(column))


def texts_column(texts: Sequence[str]) -> str:
    """A JSON list of strings."""
    return json.dumps(texts) if texts else "[]"


def error_of(row: Row) -> RecordError | None:
    """Why something failed, None where it did not."""
    if row["error_reason"] is None:
        return None
    return RecordError(reason=row["error_reason"], step=row["error_step"], detail=row["error_detail"])


def error_columns(error: RecordError | None) -> dict[str, Any]:
    """The columns that `error_of` reads."""
    return {
        "error_reason": error and error.reason,
        "error_step": error and error.step,
        "error_detail": error.detail if error else "",
    }
