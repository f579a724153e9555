"""Tables, fields and errors, on a terminal and in a pipe."""

import io
import json
from typing import Literal

import pytest
from rich.console import Console
from rich.text import Text

from ingest_grpc.cli.failures import Failure
from ingest_grpc.cli.output import Column, Output
from ingest_grpc.client.messages import File
from ingest_grpc.errors import Violation

COLUMNS = (Column("File", whole=True), Column("Name"), Column("Size", number=True))
ROWS = [("file-1", "a [b].pdf", "1.4 kB"), ("file-22", "evil\x1b[2J" + "x" * 100, "12 B")]


class Streams:
    """An Output whose streams can be read."""

    def __init__(self, *, terminal: bool, width: int = 80, as_json: bool = False) -> None:
        self._out, self._err = io.StringIO(), io.StringIO()
        colours: Literal["truecolor"] | None = "truecolor" if terminal else None
        self.output = Output(
            as_json,
            Console(file=self._out, force_terminal=terminal, width=width, highlight=False, color_system=colours),
            Console(file=self._err, force_terminal=terminal, width=width, highlight=False, color_system=colours),
        )

    @property
    def out(self) -> str:
        return self._out.getvalue()

    @property
    def err(self) -> str:
        return self._err.getvalue()


def test_table__in_a_pipe_is_plain_aligned_and_never_cut() -> None:
    streams = Streams(terminal=False, width=20)
    streams.output.table(COLUMNS, ROWS)
    heading, first, second = streams.out.splitlines()
    assert heading.split() == ["FILE", "NAME", "SIZE"]
    assert first.startswith("file-1   a [b].pdf ")
    assert second == f"file-22  evil\ufffd[2J{'x' * 100}    12 B"
    assert len(heading) == len(first) == len(second)


def test_table__on_a_terminal_fits_and_keeps_ids_whole() -> None:
    streams = Streams(terminal=True, width=40)
    streams.output.table(COLUMNS, ROWS)
    assert "a [b].pdf" in streams.out
    assert "file-22" in streams.out
    assert "\x1b[2J" not in streams.out


def test_table__a_narrow_terminal_goes_without_spare_columns() -> None:
    columns = (Column("Id", whole=True), Column("Name"), Column("Pages", spare=True), Column("Created", spare=True))
    row = ("i" * 20, "n" * 30, "12", "2026-01-01")

    def headings(width: int) -> list[str]:
        streams = Streams(terminal=True, width=width)
        streams.output.table(columns, [row])
        return Text.from_ansi(streams.out).plain.splitlines()[0].split()

    assert headings(53) == ["Id", "Name", "Pages", "Created"]
    assert headings(52) == ["Id", "Name", "Pages"]
    assert headings(40) == ["Id", "Name"]


def test_table__too_narrow_for_the_wrapped_column_gives_it_a_line_of_its_own() -> None:
    columns = (Column("Id", whole=True), Column("Name"), Column("Status", whole=True), Column("Pages", spare=True))
    row = ("i" * 20, "some name of 24 characters", "READY", "12")

    def lines(width: int) -> list[str]:
        streams = Streams(terminal=True, width=width)
        streams.output.table(columns, [row])
        return [line.rstrip() for line in Text.from_ansi(streams.out).plain.splitlines()]

    ids = "i" * 20
    assert lines(42)[:2] == ["Id                    Name          Status", f"{ids}  some name of  READY"]
    assert lines(41) == ["Id                    Status", "  Name", f"{ids}  READY", "  some name of 24 characters"]
    assert max(map(len, lines(29))) <= 29


def test_table__too_narrow_for_whole_columns_alone_cuts_none() -> None:
    columns = (Column("Run", whole=True), Column("Status", whole=True), Column("Files", number=True))
    rows = [("i" * 20, "COMPLETED", "1"), ("j" * 19, "RUNNING", "1,000")]
    streams = Streams(terminal=True, width=30)
    streams.output.table(columns, rows)
    assert [line.rstrip() for line in Text.from_ansi(streams.out).plain.splitlines()] == [
        "Run",
        "  Status     Files",
        "i" * 20,
        "  COMPLETED      1",
        "j" * 19,
        "  RUNNING    1,000",
    ]


def test_value__what_json_cannot_say_is_an_error() -> None:
    with pytest.raises(TypeError):
        Streams(terminal=False, as_json=True).output.value({"scopes": frozenset({"READ"})})


def test_line__is_wrapped_between_words_on_a_terminal_only() -> None:
    terminal, pipe = Streams(terminal=True, width=12), Streams(terminal=False, width=12)
    for streams in (terminal, pipe):
        streams.output.line("some words that go on")
    assert [line.rstrip() for line in terminal.out.splitlines()] == ["some words", "that go on"]
    assert pipe.out == "some words that go on\n"


def test_table__without_rows_says_so_on_stderr() -> None:
    streams = Streams(terminal=False)
    streams.output.table(COLUMNS, [], "No files.")
    assert (streams.out, streams.err) == ("", "No files.\n")


def test_fields__leave_out_what_is_unknown() -> None:
    streams = Streams(terminal=False)
    streams.output.fields({"job": "dj-1", "description": None, "name": "a\nb\x1b"})
    assert streams.out == "job   dj-1\nname  a b\ufffd\n"


def test_message__is_one_line_of_json_with_proto_names() -> None:
    streams = Streams(terminal=False, as_json=True, width=20)
    streams.output.message(File(file_id="file-1", size_bytes=7, filename="[bold]" + "é" * 50))
    assert streams.out.count("\n") == 1
    assert json.loads(streams.out) == {"file_id": "file-1", "size_bytes": "7", "filename": "[bold]" + "é" * 50}


def test_line__neither_emoji_nor_markup_nor_control_characters_are_interpreted() -> None:
    streams = Streams(terminal=False, as_json=True)
    streams.output.line("[bold]:warning:\x1b[2J")
    streams.output.hint(":warning:")
    streams.output.message(File(filename=":warning:"))
    streams.output.value({"file": "not utf-8: \udcff"})
    assert streams.out.splitlines() == [
        "[bold]:warning:\ufffd[2J",
        '{"filename": ":warning:"}',
        '{"file": "not utf-8: \\udcff"}',
    ]
    assert streams.err == ":warning:\n"


def test_failure__error_and_fix_on_stderr() -> None:
    streams = Streams(terminal=False)
    streams.output.failure(Failure("The job [x] does not exist.\x1b[2J\n  name: is empty", "Verify the job_id."))
    assert streams.err == "error: The job [x] does not exist.\ufffd[2J\n  name: is empty\nfix: Verify the job_id.\n"
    assert streams.out == ""


def test_failure__of_a_refused_call_has_its_reason() -> None:
    failure = Failure(
        "It is wrong.", "Correct it.", 1, "INVALID_FIELD", "INVALID_ARGUMENT", [Violation("name", "empty")]
    )
    streams = Streams(terminal=False)
    streams.output.failure(failure)
    assert streams.err == "error: It is wrong.\nfix: Correct it.\nreason: INVALID_FIELD\n"

    scripts = Streams(terminal=False, as_json=True)
    scripts.output.failure(failure)
    assert scripts.err.count("\n") == 1
    assert json.loads(scripts.err) == {
        "message": "It is wrong.",
        "fix": "Correct it.",
        "exit_code": 1,
        "reason": "INVALID_FIELD",
        "code": "INVALID_ARGUMENT",
        "violations": [{"field": "name", "description": "empty"}],
    }
    assert scripts.out == ""
