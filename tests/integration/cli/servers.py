"""Servers as an operator runs them: processes of their own, started and stopped through the command line."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

INGEST_GRPC = (sys.executable, "-m", "ingest_grpc.cli.main")


@dataclass(frozen=True)
class Server:
    """A running server."""

    address: str
    data_dir: Path
    process: subprocess.Popen[str]

    def stop(self) -> int:
        """Ends it as an operator does; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def running_server(folder: Path, *flags: str) -> Iterator[Server]:
    """A server on a free port with its data below `folder`."""
    ready = folder / "ready"
    command = [*INGEST_GRPC, "serve", "--address", "127.0.0.1:0", "--data-dir", str(folder / "data")]
    process = subprocess.Popen(
        [*command, "--ready-file", str(ready), *flags], stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    try:
        assert process.stderr is not None
        # The log says that it listens, then the file appears: reading to the line after would hang, so the file is
        # looked for from there on.
        assert any("listening on" in line for line in process.stderr), "the server did not start"
        while not ready.exists():
            assert process.poll() is None
        yield Server(ready.read_text().strip(), folder / "data", process)
    finally:
        process.terminate()
        process.communicate(timeout=30)
