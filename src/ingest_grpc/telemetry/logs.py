"""Logging: one line per record, as text for people or as JSON for machines.

Facts go into `extra={"fields": {...}}`, never into the message, so that both forms keep them apart. Records made while
a call is served carry its id, the caller's request_id and the job it is about.
"""

import json
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

call_id: ContextVar[str] = ContextVar("call_id", default="")
"""Id of the call that is being served; the same that a caller sees with an unexpected error."""

MAX_FACT_CHARACTERS = 1_024
"""Of a longer fact, which may be as long as a request, a line shows the beginning."""

_facts: ContextVar[dict[str, str] | None] = ContextVar("call_facts", default=None)


def begin_call(identity: str) -> None:
    """From here on, what this task and its children log belongs to a call."""
    call_id.set(identity)
    _facts.set({"call_id": identity})


def note_call(name: str, value: str) -> None:
    """A fact of the call that is being served, such as its request_id; nothing happens outside of a call."""
    facts = _facts.get()
    if facts is not None:
        facts[name] = value


def call_facts() -> Mapping[str, str]:
    """What is known of the call that is being served; empty outside of one."""
    return _facts.get() or {}


def setup_logging(level: str, *, as_json: bool) -> None:
    """Sends all records from `level` on to stderr, of other packages none below INFO: their details would drown ours.

    Raises ValueError for an unknown level.
    """
    # What no line shows need not be found out: a quarter of a record's cost (see "Optimization" in logging's manual).
    logging._srcfile = None  # noqa: SLF001 - the documented way
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    root = logging.getLogger()
    logging.getLogger("ingest_grpc").setLevel(root.level)
    root.setLevel(max(root.level, logging.INFO))


def fields_of(record: logging.LogRecord) -> Mapping[str, Any]:
    """The facts of a record, with those of the call it was made in; long ones cut."""
    fields: Mapping[str, Any] = getattr(record, "fields", {})
    return {name: _cut(value) for name, value in {**call_facts(), **fields}.items()}


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_FACT_CHARACTERS:
        return f"{value[:MAX_FACT_CHARACTERS]}… ({len(value):,} characters)"
    return value


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.123Z INFO ingest_grpc.api message key="value"`, and a traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {key}={_encoded(value)}" for key, value in fields_of(record).items())
        # A message may quote a caller: it must not be able to begin a line of its own.
        message = record.getMessage().replace("\n", "\\n").replace("\r", "\\r")
        line = f"{_time(record)} {record.levelname} {record.name} {message}{facts}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **fields_of(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encoded(line)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_encoded = json.JSONEncoder(ensure_ascii=False, default=str).encode
"""One encoder for all: `json.dumps` would make a new one for each value."""
