"""Logging in both forms."""

import json
import logging
import sys
from collections.abc import Iterator
from contextvars import copy_context

import pytest

from ingest_grpc.telemetry import JsonFormatter, TextFormatter, begin_call, call_facts, note_call, setup_logging


def a_record(message: str = "it happened", **fields: object) -> logging.LogRecord:
    record = logging.makeLogRecord({"name": "ingest_grpc.x", "levelname": "INFO", "msg": message, "created": 0.5})
    record.fields = fields
    return record


def test_text__facts_follow_the_message() -> None:
    line = TextFormatter().format(a_record(job_id="dj-1", count=2))

    assert line == '1970-01-01T00:00:00.500Z INFO ingest_grpc.x it happened job_id="dj-1" count=2'


def test_text__a_message_cannot_begin_a_line_of_its_own() -> None:
    assert "\n" not in TextFormatter().format(a_record("a\n2026 ERROR forged", name="b\nc"))


def test_json__is_one_object() -> None:
    line = json.loads(JsonFormatter().format(a_record("a\nb", path="ü")))

    assert line == {
        "time": "1970-01-01T00:00:00.500Z",
        "level": "INFO",
        "logger": "ingest_grpc.x",
        "message": "a\nb",
        "path": "ü",
    }


def with_long_facts(formatter: logging.Formatter) -> str:
    begin_call("abc-1")
    note_call("request_id", "\x01" * 4_000_000)
    return formatter.format(a_record(error="é" * 4_000_000))


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_formatters__show_the_beginning_of_a_long_fact_and_its_length(formatter: logging.Formatter) -> None:
    line = copy_context().run(with_long_facts, formatter)

    assert line.count("… (4,000,000 characters)") == 2
    assert "é" * 1_024 + "…" in line
    assert len(line) < 10_000


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_formatters__keep_the_traceback(formatter: logging.Formatter) -> None:
    record = a_record()
    try:
        raise LookupError("gone")
    except LookupError:
        record.exc_info = sys.exc_info()

    assert "LookupError: gone" in formatter.format(record)


def in_a_call() -> str:
    begin_call("abc-1")
    note_call("request_id", "mine")
    return JsonFormatter().format(a_record(job_id="dj-1"))


def test_call__is_a_fact_of_every_record_of_the_call_and_of_no_other() -> None:
    line = json.loads(copy_context().run(in_a_call))
    assert (line["call_id"], line["request_id"], line["job_id"]) == ("abc-1", "mine", "dj-1")
    note_call("request_id", "nobody's")
    assert "request_id" not in json.loads(JsonFormatter().format(a_record()))
    assert call_facts() == {}


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root of all loggers, without handlers; at the end everything is as it was."""
    root, own = logging.getLogger(), logging.getLogger("ingest_grpc")
    before = root.handlers, root.level, own.level
    root.handlers = []
    yield root
    root.handlers = before[0]
    root.setLevel(before[1])
    own.setLevel(before[2])


def test_setup_logging__replaces_what_was_set_up(root: logging.Logger) -> None:
    setup_logging("info", as_json=False)
    setup_logging("WARNING", as_json=True)

    [handler] = root.handlers
    assert isinstance(handler.formatter, JsonFormatter)
    assert root.level == logging.WARNING


@pytest.mark.usefixtures("root")
def test_setup_logging__details_are_those_of_this_package_alone(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging("DEBUG", as_json=False)
    for name in ("ingest_grpc.x", "aiosqlite"):
        logging.getLogger(name).debug("a detail")
        logging.getLogger(name).info("a fact")
    assert [line.split(" ", 1)[1] for line in capsys.readouterr().err.splitlines()] == [
        "DEBUG ingest_grpc.x a detail",
        "INFO ingest_grpc.x a fact",
        "INFO aiosqlite a fact",
    ]


@pytest.mark.usefixtures("root")
def test_setup_logging__unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"):
        setup_logging("loud", as_json=False)
