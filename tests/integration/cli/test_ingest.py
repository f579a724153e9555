"""`ingest` against a server: documents in, Markdown out, and exit codes that a script can trust."""

from pathlib import Path

import pytest

from tests.integration.cli.conftest import MAX_FILE_BYTES, Cli, json_lines


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A folder with four good documents, one of them Markdown, and an empty one."""
    folder = tmp_path / "documents"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("The first text.\n")
    (folder / "sub" / "a.txt").write_text("The second text.\n")
    (folder / "page.html").write_text("<h1>A title</h1><p>A paragraph.</p>")
    (folder / "ready.md").write_text("# Ready\n")
    (folder / "empty.csv").write_bytes(b"")
    return folder


def test_ingest__table_saved_markdown_and_exit_code_1_for_a_failed_file(
    cli: Cli, documents: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = cli("ingest", documents, "--out", out, code=1)
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:6]] == [
        ["FILE", "STATUS"],
        ["a.txt", "COMPLETED"],
        ["empty.csv", "FAILED"],
        ["page.html", "COMPLETED"],
        ["ready.md", "COMPLETED"],
        ["sub/a.txt", "COMPLETED"],
    ]
    assert "  error:  The file appears to be empty." in lines
    assert "  fix:    Upload a file with content." in lines
    saved = {str(path.relative_to(out)): path.read_text() for path in out.rglob("*") if path.is_file()}
    assert set(saved) == {"a.txt.md", "page.html.md", "ready.md", "sub/a.txt.md"}
    assert "The second text." in saved["sub/a.txt.md"]
    assert "# A title" in saved["page.html.md"]
    assert saved["ready.md"] == "# Ready\n"
    assert "completed     sub/a.txt" in result.stderr


def test_ingest__json_says_per_file_what_became_of_it(cli: Cli, documents: Path) -> None:
    found = {each["file"]: each for each in json_lines(cli("ingest", documents, "--json", "--quiet", code=1))}
    assert {name: each["status"] for name, each in found.items()} == {
        "a.txt": "COMPLETED",
        "empty.csv": "FAILED",
        "page.html": "COMPLETED",
        "ready.md": "COMPLETED",
        "sub/a.txt": "COMPLETED",
    }
    assert found["empty.csv"]["suggested_fix"] == "Upload a file with content."
    markdown = cli("files", "read", found["a.txt"]["markdown_file_id"]).stdout
    assert "The first text." in markdown


def test_ingest__exit_code_0_when_all_is_well(cli: Cli, documents: Path) -> None:
    result = cli("ingest", documents / "a.txt", "--quiet")
    assert (result.stdout, result.stderr) == ("", "")


def test_ingest__a_file_that_is_refused_does_not_stop_the_others(cli: Cli, documents: Path) -> None:
    (documents / "large.txt").write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    result = cli("ingest", documents / "large.txt", documents / "a.txt", code=1)
    assert [line.split()[:2] for line in result.stdout.splitlines()[1:3]] == [
        ["large.txt", "NOT_UPLOADED"],
        ["a.txt", "COMPLETED"],
    ]
    assert f"exceeds the maximum size of {MAX_FILE_BYTES} bytes" in result.stdout
    assert "not uploaded  large.txt" in result.stderr


def test_ingest__without_any_upload_there_is_no_job(cli: Cli, documents: Path) -> None:
    (documents / "large.txt").write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    before = cli("jobs", "list", "--json", "--limit", "0").stdout
    assert "1 file: 1 not uploaded" in cli("ingest", documents / "large.txt", code=1).stdout
    assert cli("jobs", "list", "--json", "--limit", "0").stdout == before


def test_ingest__the_type_decides_what_else_the_job_needs(cli: Cli, documents: Path, tmp_path: Path) -> None:
    result = cli("ingest", documents / "a.txt", "--type", "principle_files", "--name", "principles")
    assert "NEEDS_REVIEW" in result.stdout
    assert "  review: " in result.stdout
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("Answer in Latin.")
    arguments = ("--type", "PRINCIPLE_FILES", "--system-prompt", prompt, "--name", "with a prompt")
    assert "READY_TO_START" in cli("ingest", documents / "a.txt", *arguments).stdout
    newest = json_lines(cli("jobs", "list", "--limit", "1", "--json"))[0]
    assert (newest["name"], newest["system_prompt"]) == ("with a prompt", "Answer in Latin.")


def test_ingest__more_files_than_one_call_takes(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest_grpc.cli.ingest.FILES_PER_CALL", 2)
    for index in range(5):
        (tmp_path / f"{index}.txt").write_text(f"Text {index}.\n")
    found = json_lines(cli("ingest", tmp_path, "--json", "--quiet"))
    assert [each["file"] for each in found] == [f"{index}.txt" for index in range(5)]
    (job_id,) = {each["job_id"] for each in found}
    runs = json_lines(cli("ingestion", "list", "--job", job_id, "--json"))
    assert sorted(int(each["documents_total"]) for each in runs) == [1, 2, 2]


def test_ingest__nothing_to_do_is_a_usage_error(cli: Cli, tmp_path: Path) -> None:
    assert "No files to ingest." in cli("ingest", tmp_path, code=2).stderr
    assert "does not exist" in cli("ingest", tmp_path / "missing", code=2).stderr


def test_ingest__without_a_server_exit_code_3(cli: Cli, documents: Path) -> None:
    result = cli("ingest", documents, "--address", "127.0.0.1:1", code=3)
    assert result.stderr.startswith("error: No server can be reached at 127.0.0.1:1.\nfix: ")
