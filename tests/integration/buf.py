"""The locked buf: a client of the server that shares no code with it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def buf() -> Path:
    """The program."""
    found = next(ROOT.glob("node_modules/@bufbuild/buf-linux-*/bin/buf"), None)
    assert found is not None, "scripts/setup buf installs it"
    return found
