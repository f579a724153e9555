"""A child that does not keep to the form of members, in the way that its source says."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from ingest_grpc.pipeline.parse.members import LENGTH, MemberWriter
from ingest_grpc.sandbox.child import Reply, Report, serve

UNPACKED = {"outcome": "unpacked", "engine_name": "x", "engine_version": "1", "warnings": [], "losses": []}


def handle(_task: Mapping[str, Any], descriptors: Sequence[int], _report: Report) -> Reply:
    source, sink = descriptors
    lie, writer = os.pread(source, 100, 0).decode(), MemberWriter(sink)
    match lie:
        case "half a member":
            writer.begin("a")
        case "endless frame":
            writer.begin("a")
            os.write(sink, LENGTH.pack(2**31))
        case "no json":
            os.write(sink, LENGTH.pack(3) + b"xyz")
        case "dies":
            writer.begin("a")
            os.abort()
        case "keeps the pipe":
            os.dup(sink)
            writer.begin("a")
            writer.content(b"x" * 50_000)
            writer.end()
        case "result at once":
            return Reply({"outcome": "converted"})
        case "other result":
            return Reply(json.loads('{"outcome": {"a": 1}}'))
    return Reply(UNPACKED)


if __name__ == "__main__":
    serve(handle)
