"""Refuses calls with more metadata than one frame of HTTP/2 may hold, before much of it is made into Python objects.

gRPC core bounds the metadata of each frame, yet not how many frames a call's metadata may have (seen with grpcio 1.85).
So a caller without a key can send 100,000 entries, and the event loop stands still for 0.2 s while grpc.aio makes
tuples of them; two connections with ten thousand each, again and again, held the p99 of other callers at 0.1 s.

grpc.aio makes them in compiled code, one by one, by a name that is replaced here: see also `accepting`. The call ends
with UNKNOWN, grpc.aio's answer to any error of its own kind. Should a release not ask for that name any more,
tests/integration/api/test_metadata_limit.py fails.
"""

import logging
import types
from collections.abc import Callable
from functools import partial
from importlib import import_module
from time import perf_counter
from typing import Any

log = logging.getLogger(__name__)

MOST_ENTRIES = 512
"""More do not fit into one frame: core allows 16 KiB, and counts 32 bytes for an entry beside its texts."""

_LONGEST_SECONDS = 0.01
"""So many take 1 to 2 ms. What took longer was made for a hundred answers to clients in this process; they pass no
gate."""

_CYGRPC = "grpc._cython.cygrpc"
_NAME = "_Metadatum"
_NOBODY_TO_TELL = "ExecuteBatchError"
"""Raised where an error was to be sent to a caller who is gone."""


class TooMuchMetadata(Exception):
    """A call's metadata has more entries than any may have."""


class _Count:
    """Entries that were made since the last call was let in. Nobody locks it: the loop's thread makes all of a call."""

    def __init__(self) -> None:
        self.entries = 0
        self.began = 0.0


_count = _Count()


def metadata_was_read() -> None:
    """To be called once for each call, as soon as its metadata is there: the next entry is one of another call."""
    _count.entries = 0


def _counted(make: Callable[[str, Any], tuple[str, Any]], key: str, value: Any) -> tuple[str, Any]:
    count = _count
    count.entries += 1
    if count.entries == 1:
        count.began = perf_counter()
    elif count.entries > MOST_ENTRIES:
        count.entries = 0
        if perf_counter() - count.began < _LONGEST_SECONDS:
            raise TooMuchMetadata(f"more than {MOST_ENTRIES} entries")
    return make(key, value)


def _told_shortly(record: logging.LogRecord) -> bool:
    """One line instead of tracebacks: what happened is known, and whoever floods the server may not flood its log."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, TooMuchMetadata):
        log.info("a call was refused for its metadata: %s", error)
        return False
    return type(error).__name__ != _NOBODY_TO_TELL


def limit_metadata() -> None:
    """From now on servers of this process refuse such calls."""
    names = vars(import_module(_CYGRPC))
    make = names[_NAME]
    if not isinstance(make, partial):
        names[_NAME] = partial(_counted, make)
        logging.getLogger(_CYGRPC).addFilter(_told_shortly)
        # What grpc.aio logs with its traceback, it also prints to stderr.
        names["traceback"] = types.SimpleNamespace(print_exc=lambda: None)
