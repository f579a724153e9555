"""Pages of rows that are filtered one by one end early rather than read all there is."""

import pytest

from ingest_grpc.store.sqlite import bounded
from ingest_grpc.store.sqlite.statements import Row

ROWS = range(1, 11)


class Table:
    """Ten rows of which some pass; `read` is how many were looked at."""

    def __init__(self, *passing: int) -> None:
        self._passing = passing
        self.read = 0

    def page(self, *, before: int, limit: int) -> list[Row]:
        found = [row for row in reversed(ROWS) if row < before][:limit]
        self.read += len(found)
        return [{"id": row, "passes": row in self._passing} for row in found]

    def found(self, before: int, limit: int, *, filtered: bool = True) -> tuple[list[int], int | None]:
        rows, cursor = bounded.rows_that_pass(self.page, before, limit, filtered=filtered)
        return [row["id"] for row in rows], cursor


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "BATCH", 2)
    monkeypatch.setattr(bounded, "MAX_SCANNED", 6)


def test_rows__that_are_rare_make_a_page_that_ends_early() -> None:
    table = Table(9, 1)
    assert table.found(99, 5) == ([9], 5)
    assert table.read == 6
    assert table.found(5, 5) == ([1], None)


def test_rows__that_are_many_fill_a_page() -> None:
    assert Table(*ROWS).found(99, 3) == ([10, 9, 8], 8)
    assert Table().found(99, 3) == ([], 5)


def test_rows__without_a_filter_are_read_at_once() -> None:
    table = Table(*ROWS)
    assert table.found(99, 10, filtered=False) == (list(reversed(ROWS)), 1)
    assert table.found(1, 10, filtered=False) == ([], None)
