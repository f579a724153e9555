"""What commands print: tables and fields for people, protojson for scripts, errors on stderr.

On a terminal tables are styled and fit its width; in a pipe they are plain, aligned and never cut.
"""

import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ingest_grpc.cli.failures import Failure
from ingest_grpc.cli.words import printable, printable_text

if TYPE_CHECKING:
    from google.protobuf.message import Message


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, and whether its values must stay whole (ids) or are numbers."""

    heading: str
    whole: bool = False
    number: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command's output goes."""

    as_json: bool = False
    out: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=not sys.stdout.isatty()))
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))

    def message(self, message: "Message") -> None:
        """One message as one line of JSON, with the names of the proto files."""
        from google.protobuf.json_format import MessageToJson  # noqa: PLC0415 - see Session.connect

        self._line(MessageToJson(message, preserving_proto_field_name=True, indent=None))

    def value(self, value: Any) -> None:
        """One value that is no message (a dataclass or a mapping) as one line of JSON."""
        plain = dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value
        self._line(json.dumps(plain, default=str, ensure_ascii=False))

    def table(
        self, columns: Sequence[Column], rows: Sequence[Sequence[str | Text]], empty: str = "Nothing found."
    ) -> None:
        """Rows under headings; `empty` is said on stderr when there are none."""
        if not rows:
            self.hint(empty)
        elif self.out.is_terminal:
            self.out.print(_styled(columns, rows))
        else:
            for line in plain_table(columns, rows):
                self._line(line)

    def fields(self, pairs: Mapping[str, str | Text | None]) -> None:
        """One thing, a line per field; fields that are None are left out."""
        shown = {name: _plain(value) for name, value in pairs.items() if value is not None}
        width = max(map(len, shown), default=0)
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="bold", min_width=width)
        grid.add_column(overflow="fold")
        for name, value in shown.items():
            if self.out.is_terminal:
                grid.add_row(name, value)
            else:
                self._line(f"{name.ljust(width)}  {value}")
        if self.out.is_terminal:
            self.out.print(grid)

    def line(self, text: str | Text) -> None:
        """One line for a person, in full."""
        self.out.print(text, markup=False, soft_wrap=True)

    def notes(self, notes: Iterable[tuple[str, str, str]]) -> None:
        """Lines that belong to the one before: (label, text, style of the label), wrapped below each other."""
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(min_width=9)
        grid.add_column(overflow="fold")
        for label, text, style in notes:
            if self.out.is_terminal:
                grid.add_row(Text(f"  {label}:", style=style), Text(printable(text)))
            else:
                self._line(f"  {label + ':':<7} {printable(text)}")
        if self.out.is_terminal:
            self.out.print(grid)

    def hint(self, text: str) -> None:
        """Something worth knowing that is not the result: on stderr, so that pipes stay clean."""
        self.err.print(text, style="dim", markup=False, soft_wrap=True)

    def failure(self, failure: Failure) -> None:
        """An error and its fix."""
        self.err.print(f"[bold red]error:[/] {escape(printable_text(failure.message))}", soft_wrap=True)
        self.err.print(f"[bold]fix:[/] {escape(printable_text(failure.fix))}", soft_wrap=True)

    def _line(self, text: str) -> None:
        self.out.print(text, markup=False, highlight=False, soft_wrap=True)


def _plain(value: str | Text) -> Text:
    return value if isinstance(value, Text) else Text(printable(value.replace("\n", " ")))


def plain_table(columns: Sequence[Column], rows: Sequence[Sequence[str | Text]]) -> Iterable[str]:
    """The lines of a table without any styling, columns aligned, nothing cut."""
    cells = [[column.heading.upper() for column in columns], *([printable(str(cell)) for cell in row] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    for row in cells:
        aligned = (
            cell.rjust(width) if column.number else cell.ljust(width)
            for cell, width, column in zip(row, widths, columns, strict=True)
        )
        yield "  ".join(aligned).rstrip()


def _styled(columns: Sequence[Column], rows: Sequence[Sequence[str | Text]]) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(
            column.heading,
            justify="right" if column.number else "left",
            no_wrap=column.whole or column.number,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(escape(printable(cell)) if isinstance(cell, str) else cell for cell in row))
    return table
