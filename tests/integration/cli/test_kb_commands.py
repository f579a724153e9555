"""`ingest-grpc kb …` and `jobs add`: what a person says of files, and what searches make of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Cli, json_lines, runner
from tests.integration.cli.servers import running_server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server of these tests may import."""
    folder = tmp_path_factory.mktemp("source")
    (folder / "ships.txt").write_text("Ships carry tea from the harbour.\n")
    return folder


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Cli]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INGEST_IMPORT_ROOTS", f'["{folder}"]')
        with running_server(tmp_path_factory.mktemp("server"), "--workers", "1") as server:
            yield runner(server)


@pytest.fixture
def knowledge_base(cli: Cli) -> str:
    (created,) = json_lines(cli("kb", "create", "Handbook", "--json"))
    return str(created["knowledge_base_id"])


def test_kb_add__metadata_are_what_searches_compare_with(cli: Cli, knowledge_base: str, tmp_path: Path) -> None:
    for name, *said in (("rye.txt", "year=1843", "author=Ada"), ("wheat.txt", "year=2026", "author=42")):
        (tmp_path / name).write_text("Bread is baked from flour.\n")
        cli("kb", "add", knowledge_base, tmp_path / name, *(f"--metadata={each}" for each in said))

    def found(*conditions: str) -> list[str]:
        options = [f"--where={each}" for each in conditions]
        results = json_lines(cli("kb", "search", knowledge_base, "bread", "--json", *options))
        return sorted(each["chunk"]["filename"] for each in results)

    assert found() == ["rye.txt", "wheat.txt"]
    assert found("year=1843") == found("year=1843", "author=Ada") == ["rye.txt"]
    assert found("author=42") == ["wheat.txt"]
    page = cli("kb", "search", knowledge_base, "bread", "--where", "year=1843").stdout
    assert page.startswith("1. rye.txt"), "uploads are known by their names, not by their ids"
    assert "wheat.txt" in cli("kb", "files", knowledge_base).stdout
    assert found('author="42"') == found("year=1843", "author=42") == []


def test_kb_add__wrong_options_are_told_before_anything_is_sent(cli: Cli, knowledge_base: str, folder: Path) -> None:
    add = ("kb", "add", knowledge_base)
    before = json_lines(cli("files", "list", "--json", "--limit", "0"))
    assert "no metadata" in cli(*add, folder, "--metadata", "year", code=2).stderr
    assert "for files of this machine" in cli(*add, f"file://{folder}/", "--metadata", "a=b", code=2).stderr
    for option in (("--include", "*.pdf"), ("--exclude", "*.pdf"), ("--every", "60")):
        assert "for a URL that is synced" in cli(*add, folder, *option, code=2).stderr
    assert json_lines(cli("files", "list", "--json", "--limit", "0")) == before


def test_kb_add__without_waiting_tells_the_job(cli: Cli, knowledge_base: str, tmp_path: Path) -> None:
    (tmp_path / "rye.txt").write_text("Rye bread.\n")
    (tmp_path / "oats.txt").write_text("Oat cakes.\n")
    added = cli("kb", "add", knowledge_base, tmp_path / "rye.txt", "--no-wait", "--json")
    (job,) = json_lines(added)
    follow = f"ingest-grpc watch {job['job_id']}"
    assert follow in added.stderr
    assert json_lines(cli("watch", str(job["job_id"]), "--json"))
    told = cli("kb", "add", knowledge_base, tmp_path / "oats.txt", "--no-wait")
    assert (told.stdout, "ingest-grpc watch " in told.stderr) == ("", True)


def test_kb_sync__a_key_that_is_not_there_is_told(cli: Cli, knowledge_base: str, folder: Path) -> None:
    cli("kb", "add", knowledge_base, f"file://{folder}/")
    (source,) = json_lines(cli("kb", "sources", knowledge_base, "--json"))
    source_id = source["data_source_id"]
    assert "nothing changed: 1 file as before" in cli("kb", "sync", source_id).stdout
    assert "nothing changed: 1 file as before" in cli("kb", "sync", source_id, "ships.txt").stdout
    assert "none of these keys" in cli("kb", "sync", source_id, "shops.txt", code=1).stderr
    assert "Nothing to change" in cli("kb", "update-source", source_id, code=2).stderr


def test_kb_source__shows_its_patterns(cli: Cli, knowledge_base: str, folder: Path) -> None:
    cli("kb", "add", knowledge_base, f"file://{folder}/", "--include", "*.txt", "--include", "*.md")
    (source,) = json_lines(cli("kb", "sources", knowledge_base, "--json"))
    page = cli("kb", "update-source", source["data_source_id"], "--exclude", "draft*").stdout
    assert "*.txt, *.md" in page
    assert "draft*" in page
    assert cli("kb", "source", source["data_source_id"]).stdout == page


def test_kb_add__what_is_there_already_is_left_out(cli: Cli, knowledge_base: str, tmp_path: Path) -> None:
    for name, text in (("rye.txt", "Bread of rye.\n"), ("oats.txt", "Bread of oats.\n"), ("empty.txt", "")):
        (tmp_path / name).write_text(text)

    def add(code: int = 0) -> str:
        return cli("kb", "add", knowledge_base, tmp_path, code=code).stderr

    add(code=1)
    assert "being there already with the same bytes: oats.txt, rye.txt" in add(code=1)
    assert len(json_lines(cli("kb", "search", knowledge_base, "bread", "--json"))) == 2

    (tmp_path / "empty.txt").unlink()
    uploaded = json_lines(cli("files", "list", "--json", "--limit", "0"))
    assert "oats.txt, rye.txt" in add()
    assert json_lines(cli("files", "list", "--json", "--limit", "0")) == uploaded

    (old,) = [
        each for each in json_lines(cli("kb", "files", knowledge_base, "--json")) if each["filename"] == "rye.txt"
    ]
    (tmp_path / "rye.txt").write_text("Bread of rye, corrected.\n")
    told = add()
    assert "Another rye.txt is there, and stays. If the new one replaces it: " in told
    assert f"ingest-grpc kb remove {knowledge_base} {old['file_id']}" in told
    assert len(json_lines(cli("kb", "search", knowledge_base, "rye bread", "--json"))) == 3


def test_kb_add__what_is_said_of_a_file_is_not_dropped_because_it_is_there(
    cli: Cli, knowledge_base: str, tmp_path: Path
) -> None:
    (tmp_path / "rye.txt").write_text("Bread of rye.\n")
    add = ("kb", "add", knowledge_base, tmp_path)
    cli(*add)
    assert json_lines(cli(*add, "--json")) == [{"left_out": ["rye.txt"]}]
    for said in (("--metadata", "team=support"), ("--method", "accuracy-optimized")):
        told = cli(*add, *said).stderr
        assert "Left out" not in told
        assert "rye.txt is there" in told or "others called rye.txt are there" in told
    found = json_lines(cli("kb", "search", knowledge_base, "bread", "--where", "team=support", "--json"))
    assert [each["chunk"]["filename"] for each in found] == ["rye.txt"]
    assert len(json_lines(cli("kb", "files", knowledge_base, "--json"))) == 3


def test_kb_update__without_a_change_is_a_usage_error(cli: Cli, knowledge_base: str) -> None:
    assert "Nothing to change" in cli("kb", "update", knowledge_base, code=2).stderr
    assert "Manual" in cli("kb", "update", knowledge_base, "--name", "Manual").stdout


def test_jobs_create__grounded_in_a_knowledge_base(cli: Cli, knowledge_base: str) -> None:
    create = ("jobs", "create", "--name", "answers", "--type", "context_grounded_vector_db")
    grounded = cli(*create, "--knowledge-base", knowledge_base).stdout.strip()
    (job,) = json_lines(cli("jobs", "update", grounded, "--name", "better", "--json"))
    assert job["knowledge_base_id"] == knowledge_base

    bare = cli(*create).stdout.strip()
    assert f"next:   ingest-grpc jobs update {bare} --knowledge-base KB" in cli("jobs", "why", bare).stdout
    (job,) = json_lines(cli("jobs", "update", bare, "--knowledge-base", knowledge_base, "--json"))
    assert job["knowledge_base_id"] == knowledge_base


def test_jobs_add__metadata_are_kept_on_the_record(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A text that is added by hand.\n")
    (file,) = json_lines(cli("files", "upload", tmp_path / "a.txt", "--json"))
    assert "Nothing to change" in cli("files", "update", file["file_id"], code=2).stderr
    job_id = cli("jobs", "create", "--name", "by hand").stdout.strip()
    assert "no metadata" in cli("jobs", "add", job_id, file["file_id"], "--metadata", "legal", code=2).stderr
    cli("jobs", "add", job_id, file["file_id"], "--metadata", "team=legal", "--metadata", "year=2026")
    (record,) = json_lines(cli("ingestion", "records", job_id, "--json"))
    assert record["metadata"] == {"team": "legal", "year": 2026.0}
