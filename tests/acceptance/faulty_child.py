"""Entry of a converter child that does what its document asks for, and otherwise converts like the real one."""

import itertools
import os
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ingest_grpc.pipeline.parse import child
from ingest_grpc.sandbox.child import Reply, Report, serve

FAULT = b"FAULT "
MIB = 2**20


def convert(task: Mapping[str, Any], descriptors: Sequence[int], report: Report) -> Reply:
    """A text that begins with "FAULT <name>" is obeyed."""
    words = os.pread(descriptors[0], 64, 0).split()
    if words[:1] == [FAULT.strip()]:
        misbehave(words[1].decode(), report)
    return child.convert(task, descriptors, report)


def misbehave(fault: str, report: Report) -> None:
    match fault:
        case "SIGKILL" | "SIGSEGV":
            os.kill(os.getpid(), signal.Signals[fault])
        case "spin":
            while True:
                pass
        case "dawdle":
            for page in itertools.count(1):
                report({"step": "PARSE", "units_done": page, "units_total": 10**6, "unit": "pages"})
                time.sleep(0.1)
        case "allocate":
            hoard = bytearray(4096 * MIB)
            raise AssertionError(f"{len(hoard)} bytes were to be had")
        case "exit":
            os._exit(0)
        case _:
            raise ValueError(fault)


if __name__ == "__main__":
    child.load()
    serve(convert)
