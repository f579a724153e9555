"""What README.md and the pages of docs/ show works: Python, command lines, links."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from ingest_grpc.cli.main import app
from tests import documents
from tests.integration.buf import buf
from tests.integration.cli.servers import Server, running_server
from tests.integration.documentation import PAGES, README, ROOT, Block, Ids, blocks, calls

PYTHON = [block for page in PAGES for block in blocks(page, "python")]
_INLINE = re.compile(r"`(ingest-grpc [^`\n]+)`")
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), "--workers", "1") as server:
        yield server


def run_python(block: Block, server: Server, folder: Path) -> str:
    """What the block prints in a folder with a report.pdf."""
    (folder / "report.pdf").write_bytes(documents.pdf())
    code = block.text.replace("127.0.0.1:50061", server.address)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{block}: {done.stderr}"
    return done.stdout


def test_readme__python_client_prints_events_and_markdown(running: Server, tmp_path: Path) -> None:
    text = README.read_text()
    [example] = (block for block in PYTHON if f"<!-- example: python client -->\n```python\n{block.text}" in text)
    printed = run_python(example, running, tmp_path).splitlines()
    assert printed[0] == "1 Created - Data job created."
    assert printed[1] == "2 File Added - report.pdf was added."
    events = [line for line in printed if re.match(r"\d+ ", line)]
    assert [int(line.split()[0]) for line in events] == list(range(1, len(events) + 1))
    assert any("quick brown fox" in line for line in printed[len(events) :])


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_pages__python_runs(block: Block, running: Server, tmp_path: Path) -> None:
    assert run_python(block, running, tmp_path)


def test_readme__grpcurl_commands_work(running: Server) -> None:
    # By buf, which is here on every machine: it is asked the same.
    asked, ids = [], Ids()
    for command in (line for block in blocks(README) for line in block.commands):
        for call in calls(command, "grpcurl"):
            arguments = ["curl", "--protocol", "grpc", "-d", ids.fill(call.data or "{}")]
            done = subprocess.run(
                [buf(), *arguments, f"http://{running.address}/{call.method}"],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, f"{command}: {done.stderr}"
            ids.learn(done.stdout)
            asked.append(call.method.split("/")[1])
    assert asked == ["CreateFile", "CreateJob", "WatchJob"]


def command_lines() -> Iterator[str]:
    """Every `ingest-grpc …` that a page shows on a line of a block or within a sentence."""
    for page in PAGES:
        lines = [line for block in blocks(page) for line in block.commands]
        yield from (line for line in lines if line.startswith("ingest-grpc "))
        yield from _INLINE.findall(page.read_text())


def parse(line: str) -> None:
    """Parses a command line as the program does, without running it. Raises what ends the program."""
    words = [word for word in shlex.split(line, comments=True)[1:] if word != "…"]
    command: Any = typer.main.get_command(app)
    context: Any = None
    while True:
        context = command.make_context(command.name, words, parent=context)
        if not hasattr(command, "commands"):
            return
        _, command, words = command.resolve_command(context, [*context._protected_args, *context.args])


@pytest.mark.parametrize("line", sorted(set(command_lines())))
def test_pages__command_lines_exist(line: str, tmp_path: Path) -> None:
    parse(line.replace("/backups/today", str(tmp_path)))


@pytest.mark.parametrize("line", ["ingest-grpc jobs list --nonsense", "ingest-grpc jobs nonsense", "ingest-grpc watch"])
def test_parse__refuses_what_does_not_exist(line: str) -> None:
    with pytest.raises(Exception, match=r"nonsense|Missing"):
        parse(line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages__links_lead_somewhere(page: Path) -> None:
    assert [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []
