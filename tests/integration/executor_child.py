"""Entry module of a converter child that lies or misbehaves. Run by the tests only."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ingest_grpc.sandbox.child import Reply, Report, serve

CONVERTED: Mapping[str, Any] = {
    "outcome": "converted",
    "engine_name": "liar",
    "engine_version": "0",
    "content_type": "text/plain",
    "pages": None,
    "title": None,
    "warnings": [],
    "losses": [],
}


def handle(task: Mapping[str, Any], descriptors: Sequence[int], report: Report) -> Reply:
    """What the filename says."""
    match task["filename"]:
        case "claims success":
            pass
        case "writes no UTF-8":
            os.write(descriptors[1], b"almost text \xff\xfe")
        case "writes much no UTF-8":
            os.write(descriptors[1], b"x" * 2**21 + b"\xc3")
        case "writes what it should":
            os.write(descriptors[1], "schön\n".encode())
        case "answers nonsense":
            return Reply({"outcome": "nonsense"})
        case "dies":
            os.abort()
        case "has a defect":
            raise RuntimeError("a defect of the converter")
    report({"step": "PARSE", "units_done": "many", "units_total": 0, "unit": "pages"})
    return Reply(CONVERTED)


if __name__ == "__main__":
    serve(handle)
