"""`ingest` against a server: documents in, Markdown out, and exit codes that a script can trust."""

import zipfile
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


def files_and_jobs(cli: Cli) -> tuple[str, str]:
    """All that the server has, to see that nothing was added."""
    return tuple(cli(what, "list", "--json", "--limit", "0").stdout for what in ("files", "jobs"))  # type: ignore[return-value]


def test_ingest__a_file_of_the_users_is_never_replaced_unless_told(cli: Cli, documents: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ingest = ("ingest", documents / "a.txt", documents / "page.html", "--out", out, "--quiet")
    out.mkdir()
    (out / "page.html.md").write_text("mine")
    before = files_and_jobs(cli)
    assert "page.html.md exists already" in cli(*ingest, code=2).stderr
    assert files_and_jobs(cli) == before
    assert [path.read_text() for path in out.iterdir()] == ["mine"]
    cli(*ingest, "--force")
    cli(*ingest, "--force")
    assert {path.name for path in out.iterdir()} == {"a.txt.md", "page.html.md"}
    assert "# A title" in (out / "page.html.md").read_text()


def test_ingest__what_comes_out_of_an_archive_replaces_nothing_either(
    cli: Cli, documents: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(documents / "a.txt", "a.txt")
        archive.write(documents / "page.html", "page.html")
    mine = tmp_path / "out" / "all.zip" / "a.txt.md"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    result = cli("ingest", tmp_path / "all.zip", "--out", tmp_path / "out", code=1)
    assert "a.txt.md exists already" in result.stdout
    assert mine.read_text() == "mine"
    assert (mine.parent / "page.html.md").exists()


def test_ingest__equal_names_are_told_apart(cli: Cli, documents: Path, tmp_path: Path) -> None:
    (documents / "x").mkdir()
    (documents / "x" / "a.txt").write_bytes(b"")
    arguments = (documents / "sub" / "a.txt", documents / "x" / "a.txt", "--out", tmp_path / "out")
    found = json_lines(cli("ingest", *arguments, "--json", "--quiet", code=1))
    assert [(each["file"], each["status"]) for each in found] == [("sub/a.txt", "COMPLETED"), ("x/a.txt", "FAILED")]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["sub"]


def test_ingest__says_what_it_leaves_out_of_a_folder(cli: Cli, documents: Path) -> None:
    (documents / "gone.txt").symlink_to(documents / "nowhere")
    assert "gone.txt (a link that leads nowhere)" in cli("ingest", documents, code=1).stderr


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--type", "knowledge_base"), "--type"),
        (("--name", "n" * 600), "name"),
        (("--type", "context_grounded_vector_db"), "--knowledge-base"),
        (
            (
                *("--type", "context_grounded_vector_db"),
                *("--knowledge-base", "kb-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d"),
            ),
            "does not exist",
        ),
        (("--system-prompt", "prmpt.txt"), "There is no file prmpt.txt"),
    ],
)
def test_ingest__a_job_that_cannot_be_is_told_before_anything_is_uploaded(
    cli: Cli, documents: Path, options: tuple[str, ...], why: str
) -> None:
    before = files_and_jobs(cli)
    assert why in cli("ingest", documents, *options, code=2).stderr
    assert files_and_jobs(cli) == before


def test_ingest__into_a_knowledge_base(cli: Cli, documents: Path) -> None:
    (created,) = json_lines(cli("kb", "create", "Handbook", "--json"))
    knowledge_base = created["knowledge_base_id"]
    options = ("--type", "context_grounded_vector_db", "--knowledge-base", knowledge_base)
    assert "READY_TO_START" in cli("ingest", documents / "page.html", *options).stdout
    assert "page.html" in cli("kb", "files", knowledge_base).stdout


def test_ingest__nothing_to_do_is_a_usage_error(cli: Cli, tmp_path: Path) -> None:
    assert "No files to ingest." in cli("ingest", tmp_path, code=2).stderr
    assert "does not exist" in cli("ingest", tmp_path / "missing", code=2).stderr


def test_ingest__without_a_server_exit_code_3(cli: Cli, documents: Path) -> None:
    result = cli("ingest", documents, "--address", "127.0.0.1:1", code=3)
    assert result.stderr.startswith("error: No server can be reached at 127.0.0.1:1.\nfix: ")
