"""A child that does not keep to the form of pictures, in the way that its source says."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ingest_grpc.pipeline.parse.members import LENGTH, MemberWriter
from ingest_grpc.sandbox.child import Reply, Report, serve

FAILED = {"outcome": "failed", "reason": "NO_TEXT", "detail": "", "engine_name": None, "engine_version": None}
CONVERTED: Mapping[str, Any] = {
    "outcome": "converted",
    "engine_name": "x",
    "engine_version": "1",
    "content_type": "x/y",
    "pages": None,
    "title": None,
    "warnings": [],
    "losses": [],
}


def handle(_task: Mapping[str, Any], descriptors: Sequence[int], _report: Report) -> Reply:
    source, output, sink = descriptors
    lie, writer = os.pread(source, 100, 0).decode(), MemberWriter(sink)
    os.write(output, b"text")
    writer.begin("image-1.png")
    match lie:
        case "endless frame":
            os.write(sink, LENGTH.pack(2**31))
        case "dies":
            os.abort()
        case "no picture":
            writer.content(b"MZ, and so on")
            writer.end()
        case "fails in the middle":
            return Reply(FAILED)
    return Reply(CONVERTED)


if __name__ == "__main__":
    serve(handle)
