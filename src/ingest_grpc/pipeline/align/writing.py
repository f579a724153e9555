"""Lines of a dataset and how they get into its descriptor."""

import json
import os
from collections.abc import Mapping
from typing import Any

from ingest_grpc.pipeline.align.reading import SourceSection

_BREAKS = {ord(char): f"\\u{ord(char):04x}" for char in "\x85\u2028\u2029"}


def line(value: Mapping[str, Any]) -> str:
    """One line of JSON, also for readers that take every Unicode line break for one; the same for the same value."""
    return json.dumps(value, ensure_ascii=False).translate(_BREAKS) + "\n"


def source(section: SourceSection) -> dict[str, object]:
    """Where a line comes from."""
    return {"file_id": section.file_id, "filename": section.filename, "section": section.number}


def write_all(fd: int, text: str) -> None:
    """Appends at the descriptor's offset; blocks."""
    data = memoryview(text.encode())
    while data:
        data = data[os.write(fd, data) :]
