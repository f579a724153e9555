"""Importing, changing and finding files from the command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Cli, json_lines, runner
from tests.integration.cli.servers import running_server


@pytest.fixture(scope="module")
def incoming(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the server may import from."""
    folder = tmp_path_factory.mktemp("incoming")
    (folder / "report.txt").write_text("A report.\n")
    return folder


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory, incoming: Path) -> Iterator[Cli]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INGEST_IMPORT_ROOTS", json.dumps([str(incoming)]))
        with running_server(tmp_path_factory.mktemp("server"), "--workers", "0") as server:
            yield runner(server)


def test_import__shows_where_from_and_is_read_on_demand(cli: Cli, incoming: Path) -> None:
    url = f"file://{incoming}/report.txt"
    page = cli("files", "import", url, "--external-id", "report").stdout
    assert "not read yet" in page
    (file,) = json_lines(cli("files", "list", "--external-id", "report", "--json"))
    assert (file["filename"], file["import_source"]["url"]) == ("report.txt", url)
    assert cli("files", "read", file["file_id"]).stdout == "A report.\n"
    assert "not read yet" not in cli("files", "get", file["file_id"]).stdout


def test_import__of_nothing_names_it_and_speaks_of_the_url(cli: Cli, incoming: Path) -> None:
    refused = cli("files", "import", f"file://{incoming}/nope.txt", code=1).stderr
    assert "nope.txt)" in refused
    assert "fix: Verify the URL" in refused


def test_import__from_elsewhere_says_what_to_do(cli: Cli) -> None:
    refused = cli("files", "import", "file:///etc/passwd", code=1)
    assert refused.stderr.startswith("error: The server may not import from this URL.")
    assert "fix: " in refused.stderr


def test_update__name_metadata_and_expiry(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (uploaded,) = json_lines(cli("files", "upload", tmp_path / "a.txt", "--json"))
    file_id = uploaded["file_id"]
    options = (
        "--filename",
        "b.txt",
        "--metadata",
        "author=Ada",
        "--metadata",
        "year=1843",
        "--expires-at",
        "2999-01-31",
    )
    (changed,) = json_lines(cli("files", "update", file_id, *options, "--json"))
    assert (changed["filename"], changed["metadata"]) == ("b.txt", {"author": "Ada", "year": 1843.0})
    assert changed["expires_at"].startswith("2999-01-3")
    page = cli("files", "update", file_id, "--clear-metadata", "--never-expires").stdout
    assert "b.txt" in page
    assert "author" not in page
    assert "expires" not in page
    stale = cli("files", "update", file_id, "--filename", "c.txt", "--etag", changed["etag"], code=1)
    assert "etag" in stale.stderr
    cli("files", "update", file_id, "--expires-at", "2999-01-31", "--never-expires", code=2)


def test_list__by_a_part_of_the_name(cli: Cli, tmp_path: Path) -> None:
    for name in ("findable.txt", "other.txt"):
        (tmp_path / name).write_text(name)
    cli("files", "upload", tmp_path)
    found = json_lines(cli("files", "list", "--name", "FINDABLE", "--json"))
    assert [each["filename"] for each in found] == ["findable.txt"]
