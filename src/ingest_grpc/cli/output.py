"""What commands print: tables and fields for people, protojson for scripts, errors on stderr.

On a terminal tables are styled and fit its width; in a pipe they are plain, aligned and never cut.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ingest_grpc.cli.failures import Failure
from ingest_grpc.cli.words import printable, printable_text

if TYPE_CHECKING:
    from google.protobuf.message import Message


_GAP = 2
_WRAPPED_WIDTH = 12
"""Least width at which a value that may be wrapped can be read."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, and how it behaves.

    The values of a `whole` column (ids) are never wrapped, those of a `number` column stand right, and a `spare`
    column is left out on a terminal that is too narrow for all.
    """

    heading: str
    whole: bool = False
    number: bool = False
    spare: bool = False

    @property
    def wrapped(self) -> bool:
        """Whether its values may go over several lines."""
        return not (self.whole or self.number)


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command's output goes."""

    as_json: bool = False
    out: Console = field(default_factory=lambda: Console(highlight=False))
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))

    def message(self, message: "Message") -> None:
        """One message as one line of JSON, with the names of the proto files."""
        from google.protobuf.json_format import MessageToJson  # noqa: PLC0415 - see Session.connect

        self._line(MessageToJson(message, preserving_proto_field_name=True, indent=None))

    def value(self, value: Any) -> None:
        """One value that is no message (a dataclass or a mapping) as one line of JSON. Raises TypeError for another."""
        plain = dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value
        self._line(json.dumps(plain))

    def document(self, value: Any) -> None:
        """A value that is JSON for people, too: indented, unless objects are wanted line by line."""
        self._line(json.dumps(value, indent=None if self.as_json else 2))

    def table(
        self, columns: Sequence[Column], rows: Sequence[Sequence[str | Text]], empty: str = "Nothing found."
    ) -> None:
        """Rows under headings; `empty` is said on stderr when there are none."""
        if not rows:
            self.hint(empty)
        elif self.out.is_terminal:
            cells = [[_plain(cell) for cell in row] for row in rows]
            shown, fits = _fitting(columns, cells, self.out.width)
            kept = [columns[index] for index in shown]
            draw = _styled if fits else _stacked
            self.out.print(draw(kept, [[row[index] for index in shown] for row in cells]))
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
        """One line for a person, in full: wrapped between words on a terminal, never in a pipe."""
        self.out.print(_plain(text), soft_wrap=not self.out.is_terminal)

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
        self.err.print(Text(printable_text(text), style="dim"), soft_wrap=True)

    def failure(self, failure: Failure) -> None:
        """An error, its fix, and the reason by which it is documented; one JSON object where JSON is wanted."""
        if self.as_json:
            self.err.file.write(f"{json.dumps(dataclasses.asdict(failure))}\n")
            return
        self.err.print(Text.assemble(("error:", "bold red"), f" {printable_text(failure.message)}"), soft_wrap=True)
        self.err.print(Text.assemble(("fix:", "bold"), f" {printable_text(failure.fix)}"), soft_wrap=True)
        if failure.reason:
            self.err.print(Text(f"reason: {printable(failure.reason)}", style="dim"), soft_wrap=True)

    def _line(self, text: str) -> None:
        # Not through rich, which would read ":warning:" as an emoji. Whoever reads a stream wants each line at once.
        self.out.file.write(f"{text}\n")
        self.out.file.flush()


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


def _styled(columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, _GAP, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(
            column.heading,
            justify="right" if column.number else "left",
            no_wrap=column.whole or column.number,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*row)
    return table


def _stacked(columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> Group:
    """A table for a terminal too narrow for one: two lines per row, what may be wrapped below what may not.

    Where nothing may be wrapped, the first column stands above the others. Whatever the width, nothing is cut.
    """
    above = [index for index, column in enumerate(columns) if not column.wrapped]
    below = [index for index, column in enumerate(columns) if column.wrapped]
    if not below:
        above, below = above[:1], above[1:]
    headings = [Text(column.heading, style="bold") for column in columns]
    widths = [max(cell.cell_len for cell in cells) for cells in zip(headings, *rows, strict=True)]
    gap = Text(" " * _GAP)
    lines: list[RenderableType] = []
    for row in (headings, *rows):
        for index in (each for each, column in enumerate(columns) if not column.wrapped):
            row[index].align("right" if columns[index].number else "left", widths[index])
        lines.append(gap.join(row[index] for index in above))
        lines.append(Padding(gap.join(row[index] for index in below), (0, 0, 0, _GAP)))
    return Group(*lines)


def _fitting(columns: Sequence[Column], cells: Sequence[Sequence[Text]], width: int) -> tuple[list[int], bool]:
    """The columns to show, the last spare ones dropped as long as they do not fit; and whether the rest fits."""
    needed = [max(len(column.heading), *(row[index].cell_len for row in cells)) for index, column in enumerate(columns)]
    for index, column in enumerate(columns):
        if column.wrapped:
            needed[index] = min(needed[index], _WRAPPED_WIDTH)
    shown = list(range(len(columns)))
    spare = [each for each in shown if columns[each].spare]
    while not (fits := sum(needed[each] + _GAP for each in shown) - _GAP <= width) and spare:
        shown.remove(spare.pop())
    return shown, fits
