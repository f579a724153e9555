"""How tests start a server whose children misbehave, and the documents that make them."""

import sys
from pathlib import Path

from google.protobuf.timestamp_pb2 import Timestamp

from tests.acceptance.faulty_child import FAULT
from tests.acceptance.workload import Document

FAULTY = (sys.executable, str(Path(__file__).with_name("faulty_server.py")))


def fault(name: str) -> Document:
    """A text that makes the child do what `name` says, on every attempt."""
    return Document(f"{name}.txt", name, FAULT + name.encode())


def microseconds(timestamp: Timestamp) -> int:
    """UTC microseconds of a timestamp."""
    return timestamp.ToMicroseconds()
