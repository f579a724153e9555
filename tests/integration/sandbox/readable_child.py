"""A child that may read one folder, and starts a thread while it is being confined."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ingest_grpc.sandbox.child import Reply, Report, serve

_asked, _answered = threading.Event(), threading.Event()
_task: dict[str, str] = {}


def _attempt(path: str, mode: str) -> str:
    try:
        with Path(path).open(mode) as opened:
            return opened.read() if mode == "r" else "written"
    except OSError as error:
        return type(error).__name__


def _beside() -> None:
    _asked.wait()
    _task["beside"] = _attempt(_task["path"], _task["mode"])
    _answered.set()


def attempt(task: Mapping[str, Any], _descriptors: Sequence[int], _report: Report) -> Reply:
    _task.update(task)
    _asked.set()
    _answered.wait()
    return Reply({"main": _attempt(task["path"], task["mode"]), "beside": _task["beside"]}, retire=True)


if __name__ == "__main__":
    serve(attempt, threading.Thread(target=_beside, daemon=True).start)
