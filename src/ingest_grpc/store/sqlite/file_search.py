"""Lists of files by any filter: one index range, filtered row by row, with a bound."""

from collections.abc import Callable

from ingest_grpc.model import File, FileFilter
from ingest_grpc.store.sqlite import values
from ingest_grpc.store.sqlite.statements import Row

MAX_SCANNED = 20_000
"""Rows that one page may look at: a name that no file has must not read a million rows."""

BATCH = 1_000

PageOfFiles = Callable[..., list[Row]]
"""Rows of a team's files below an integer key, newest first, each with whether its name passes."""


def files_where(
    page: PageOfFiles, team: str, wanted: FileFilter, before: int, limit: int
) -> tuple[list[File], int | None]:
    """See store.interface.Rows.files_where."""
    found: list[File] = []
    contains = wanted.filename_contains.casefold()
    size = BATCH if contains else limit
    for _ in range(MAX_SCANNED // BATCH):
        rows = page(team=team, kind=wanted.kind, contains=contains, before=before, limit=size)
        for row in rows:
            before = row["id"]
            if row["passes"]:
                found.append(values.file_of(row))
                if len(found) == limit:
                    return found, before
        if len(rows) < size:
            return found, None
    return found, before


def passes_filter(file: File, wanted: FileFilter) -> bool:
    """The filters beside the external id, for the one file that has it."""
    right_kind = wanted.kind is None or wanted.kind is file.kind
    return right_kind and wanted.filename_contains.casefold() in file.filename.casefold()
