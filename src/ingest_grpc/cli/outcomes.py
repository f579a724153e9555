"""What became of each file of a call that adds, removes or retries files."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ingest_grpc.cli.failures import FAILED
from ingest_grpc.cli.output import Column, Output
from ingest_grpc.cli.words import word

if TYPE_CHECKING:
    from ingest_grpc.client.messages import AddFileResult, RemoveFileResult, RetryFileResult

_COLUMNS = (Column("Id", whole=True), Column("Outcome", whole=True))
_GOOD = {"ADDED", "ALREADY_PRESENT", "MARKDOWN_READY", "REUSED", "REMOVED", "ALREADY_REMOVED", "RETRIED"}


def show_outcomes(
    output: Output, results: "Iterable[AddFileResult] | Iterable[RemoveFileResult] | Iterable[RetryFileResult]"
) -> None:
    """A row per file, under the id by which the caller named it."""
    rows = []
    for each in results:
        # The result of an addition has the id of the new record, too; a caller knows that of the file.
        named = next(field for field in ("id", "file_id", "record_id") if field in each.DESCRIPTOR.fields_by_name)
        rows.append((getattr(each, named), word(each, "outcome")))
    output.table(_COLUMNS, rows)


def exit_code(
    results: "Iterable[AddFileResult] | Iterable[RemoveFileResult] | Iterable[RetryFileResult]",
) -> int:
    """0 if each is as the caller wanted it, else FAILED."""
    return 0 if all(word(each, "outcome") in _GOOD for each in results) else FAILED
