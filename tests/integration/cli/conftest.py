"""A server with a worker for the tests of a module, and the command line in this process."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ingest_grpc.cli.main import app
from tests.integration.cli.servers import Server, running_server

MAX_FILE_BYTES = 3_000_000
"""Largest file that the server of these tests takes."""

Cli = Callable[..., Result]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(
        tmp_path_factory.mktemp("server"), "--workers", "1", "--max-file-bytes", str(MAX_FILE_BYTES)
    ) as server:
        yield server


def runner(server: Server, **environment: str) -> Cli:
    """The command line, talking to this server."""
    variables = {"INGEST_ADDRESS": server.address, "INGEST_API_KEY": None, "COLUMNS": "80", **environment}

    def run(*arguments: str | Path, code: int = 0) -> Result:
        result = CliRunner(env=variables).invoke(app, list(map(str, arguments)), prog_name="ingest-grpc")
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture(scope="module")
def cli(server: Server) -> Cli:
    return runner(server)


def json_lines(result: Result) -> list[dict[str, Any]]:
    """What a command printed with --json."""
    return [json.loads(line) for line in result.stdout.splitlines()]
