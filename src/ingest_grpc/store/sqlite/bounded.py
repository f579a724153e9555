"""Lists by any filter: one index range, filtered row by row, with a bound."""

from collections.abc import Callable

from ingest_grpc.store.sqlite.statements import Row

MAX_SCANNED = 20_000
"""Rows that one page may look at: a filter that nothing passes must not read a million rows."""

BATCH = 1_000

PageOfRows = Callable[..., list[Row]]
"""Up to `limit` rows below the integer key `before`, newest first, each with whether it `passes`."""


def rows_that_pass(page: PageOfRows, before: int, limit: int, *, filtered: bool) -> tuple[list[Row], int | None]:
    """Rows that pass, and where to go on, None at the end. Without a filter all of them do."""
    found: list[Row] = []
    size = BATCH if filtered else limit
    for _ in range(MAX_SCANNED // BATCH):
        rows = page(before=before, limit=size)
        for row in rows:
            before = row["id"]
            if row["passes"]:
                found.append(row)
                if len(found) == limit:
                    return found, before
        if len(rows) < size:
            return found, None
    return found, before
