import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ingest_grpc.config import Settings


class Owner:
    """A process that owns the ledger of a data folder."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, command: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@contextmanager
def _owner(settings: Settings) -> Iterator[Owner]:
    script = Path(__file__).with_name("owner.py")
    with subprocess.Popen(
        [sys.executable, script, settings.ledger_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield Owner(process)
        finally:
            process.kill()


@pytest.fixture
def own() -> Iterator[Callable[[Settings], Owner]]:
    """Starts another process that owns a ledger until the test ends."""
    with ExitStack() as stack:
        yield lambda settings: stack.enter_context(_owner(settings))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", busy_timeout_seconds=1.0)


@pytest.fixture
def quick_folder(tmp_path: Path) -> Path:
    """Where `core` keeps its data: the folder that `settings` names, on a real disk."""
    return tmp_path
