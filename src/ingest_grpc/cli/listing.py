"""Lists: one table for people, one JSON object per line for scripts, fetched page by page."""

import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.text import Text

from ingest_grpc.cli.output import Column
from ingest_grpc.cli.session import Session

if TYPE_CHECKING:
    from google.protobuf.message import Message

M = TypeVar("M", bound="Message")

DEFAULT_LIMIT = 100
MAX_PAGE = 1_000

Limit = Annotated[int, typer.Option(metavar="N", min=0, help="Most to list; 0 = all.")]


def page_size(limit: int) -> int:
    """How many to ask for at once, so that a short list takes one call that returns no more than is shown."""
    # One more than is shown tells whether there are more.
    return min(limit + 1, MAX_PAGE) if limit else MAX_PAGE


async def show_list(
    session: Session,
    items: AsyncGenerator[M, None],
    columns: Sequence[Column],
    row: Callable[[M], Sequence[str | Text]],
    limit: int,
    empty: str,
) -> None:
    """Prints the first `limit` items, and says on stderr if there are more."""
    rows: list[Sequence[str | Text]] = []
    shown = 0
    more = False
    async with contextlib.aclosing(items):
        async for item in items:
            if limit and shown == limit:
                more = True
                break
            shown += 1
            if session.output.as_json:
                session.output.message(item)
            else:
                rows.append(row(item))
    if not session.output.as_json:
        session.output.table(columns, rows, empty)
    if more:
        session.output.hint(f"Only the first {limit:,} are listed; --limit 0 lists all.")
