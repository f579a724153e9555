"""docs/grpcurl.md: its commands are run from top to bottom, and every RPC has one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import documents
from tests.integration.buf import buf
from tests.integration.calling import RPCS
from tests.integration.cli.servers import Server, running_server
from tests.integration.documentation import ROOT, Block, Call, Ids, blocks, calls, json_values, shows

PAGE = ROOT / "docs" / "grpcurl.md"
TOOLS = ("buf", "grpcurl")
NEEDS_GRPCURL = pytest.mark.skipif(not shutil.which("grpcurl"), reason="grpcurl is not on the PATH")
OWN = "grpc.reflection."
"""Methods that are called by hand with buf alone: it has no `describe`."""


def calls_of(block: Block, tool: str) -> list[Call]:
    return [call for command in block.commands for call in calls(command, tool) if not call.method.startswith(OWN)]


@pytest.mark.parametrize("block", blocks(PAGE, "sh"), ids=str)
def test_page__both_tools_ask_the_same(block: Block) -> None:
    assert calls_of(block, "grpcurl") == calls_of(block, "buf")


@pytest.mark.parametrize("tool", TOOLS)
def test_page__has_every_rpc(tool: str) -> None:
    shown = {call.method for block in blocks(PAGE, "sh") for call in calls_of(block, tool)}
    assert shown == {"grpc.health.v1.Health/Check", *(f"ingest_grpc.v1.{rpc}" for rpc in RPCS)}


class Reader:
    """Types what the page shows into a shell, with ids that were printed before in place of `file-…`."""

    def __init__(self, server: Server, tool: str, folder: Path) -> None:
        self._server = server
        self._other = next(each for each in TOOLS if each != tool)
        self._folder = folder
        self._ids = Ids()
        path = [str(buf().parent), str(Path(sys.executable).parent), os.environ["PATH"]]
        self._environment = {**os.environ, "PATH": os.pathsep.join(path)}

    def type(self, block: Block) -> subprocess.CompletedProcess[str] | None:
        """What the block's commands of this tool do; None if it has none for it."""
        commands = [command for command in block.commands if f"{self._other} " not in command]
        if not commands:
            return None
        script = self._ids.fill("\n".join(commands))
        script = script.replace("127.0.0.1:50061", self._server.address)
        script = script.replace("--data-dir ingest-data", f"--data-dir {self._server.data_dir}")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self._ids.learn(done.stdout + done.stderr)
        return done


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path / "server", "--workers", "1") as server:
        yield server


@pytest.mark.parametrize("tool", ["buf", pytest.param("grpcurl", marks=NEEDS_GRPCURL)])
def test_page__does_what_it_shows(running: Server, tool: str, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(documents.pdf())
    reader = Reader(running, tool, tmp_path)
    done = None
    for block in blocks(PAGE):
        fails = block.info == "sh fails"
        if block.info in ("sh", "sh fails"):
            done = reader.type(block)
            assert done is None or (done.returncode != 0) == fails, f"{block}: {done}"
        # grpcurl prints errors as text, in words of its own.
        elif done is not None and (tool == "buf" or done.returncode == 0):
            printed = iter(json_values(done.stderr if done.returncode else done.stdout))
            for message in block.messages:
                assert any(shows(message, each) for each in printed), f"{block}: {message} in {done}"
    assert "| a | b |" in (tmp_path / "hello.md").read_text()
