"""Every command against a server, for people and for scripts."""

import json
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Cli, json_lines

MISSING_JOB = "dj-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d"
MISSING_FILE = "file-1b75f4d5-5c9e-4d33-b164-a2393bc5ab6d"


@pytest.fixture(scope="module")
def job(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A finished job with a good file, an empty one and Markdown: its id, and those of its files by name."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "a.txt").write_text("The first text.\n")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "ready.md").write_text("# Ready\n")
    found = json_lines(cli("ingest", folder, "--name", "three files", "--json", "--quiet", code=1))
    ids = {each["file"]: each["markdown_file_id"] or each["record"]["file_id"] for each in found}
    return ids | {"job": found[0]["job_id"], "record": found[0]["record"]["record_id"]}


def test_jobs_list__a_row_or_an_object_per_job(cli: Cli, job: dict[str, str]) -> None:
    rows = [line for line in cli("jobs", "list").stdout.splitlines() if job["job"] in line]
    assert [row.split("  ")[1] for row in rows] == ["three files"]
    assert rows[0].split("  ")[2] == "NEEDS_REVIEW"
    listed = json_lines(cli("jobs", "list", "--status", "needs_review", "--json"))
    assert job["job"] in [each["job_id"] for each in listed]
    assert cli("jobs", "list", "--status", "running").stdout == ""


def test_jobs_list__says_when_there_are_more(cli: Cli, job: dict[str, str]) -> None:
    cli("jobs", "create", "--name", "another")
    result = cli("jobs", "list", "--limit", "1")
    assert len(result.stdout.splitlines()) == 2
    assert "--limit 0 lists all" in result.stderr
    assert job["job"] in cli("jobs", "list", "--limit", "0").stdout


def test_jobs_get__status_what_needs_a_hand_files_and_milestones(cli: Cli, job: dict[str, str]) -> None:
    page = cli("jobs", "get", job["job"]).stdout
    assert "status   NEEDS_REVIEW" in page
    assert "files    3 files: 1 completed, 1 failed, 1 Markdown" in page
    assert "  review: empty.txt: " in page
    assert f"{job['a.txt']}" in page
    assert "File Processing Completed" in page
    (told,) = json_lines(cli("jobs", "get", job["job"], "--json"))
    assert (told["job_id"], told["status"]) == (job["job"], "JOB_STATUS_NEEDS_REVIEW")


def test_jobs_get__a_missing_job_ends_with_error_fix_and_exit_code_1(cli: Cli) -> None:
    result = cli("jobs", "get", MISSING_JOB, code=1)
    assert result.stderr.startswith(f"error: The job {MISSING_JOB} does not exist.\nfix: ")
    assert "Traceback" not in result.output


def test_jobs_get__a_malformed_id_names_the_field(cli: Cli) -> None:
    assert "job_id" in cli("jobs", "get", "dj-1", code=1).stderr


def test_jobs_events__all_of_them_in_order(cli: Cli, job: dict[str, str]) -> None:
    events = json_lines(cli("jobs", "events", job["job"], "--json"))
    assert [int(each["sequence"]) for each in events] == list(range(1, len(events) + 1))
    lines = cli("jobs", "events", job["job"]).stdout.splitlines()
    assert len(lines) == len(events)
    assert lines[0].split()[1:3] == ["1", "Created"]
    result = cli("jobs", "events", job["job"], "--after-sequence", "2", "--limit", "2")
    assert [line.split()[1] for line in result.stdout.splitlines()] == ["3", "4"]
    assert "--after-sequence 4" in result.stderr


def test_watch__replays_the_same_events_and_sums_up(cli: Cli, job: dict[str, str]) -> None:
    events = cli("jobs", "events", job["job"]).stdout.splitlines()
    watched = cli("watch", job["job"], "--after-sequence", "0").stdout.splitlines()
    assert watched[:-1] == events
    assert watched[-1].startswith(f"job three files at event {len(events)}: NEEDS_REVIEW")


def test_watch__kinds_and_json(cli: Cli, job: dict[str, str]) -> None:
    arguments = ("watch", job["job"], "--after-sequence", "0", "--until", "head", "--kinds", "milestone", "--json")
    messages = json_lines(cli(*arguments))
    titles = [each["event"]["title"] for each in messages if "event" in each]
    assert titles == ["Created", "File Processing Started", "File Processing Completed"]
    assert messages[-1]["end"]["reason"] == "WATCH_END_REASON_HEAD"


def test_watch__a_snapshot_unless_told_where_to_begin(cli: Cli, job: dict[str, str]) -> None:
    (line,) = cli("watch", job["job"]).stdout.splitlines()
    assert line.startswith("job three files at event ")


def test_watch__beyond_the_head_is_refused(cli: Cli, job: dict[str, str]) -> None:
    assert "beyond the head" in cli("watch", job["job"], "--after-sequence", "999999", code=1).stderr


def test_jobs_results__the_end_of_an_ingest_that_was_left(cli: Cli, job: dict[str, str], tmp_path: Path) -> None:
    result = cli("jobs", "results", job["job"], "--out", tmp_path, code=1)
    assert "3 files: 2 completed, 1 failed" in result.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt.md", "ready.md"}
    (tmp_path / "ready.md").unlink()
    (tmp_path / "a.txt.md").write_text("mine")
    assert "a.txt.md exists already" in cli("jobs", "results", job["job"], "--out", tmp_path, code=2).stderr
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
    cli("jobs", "results", job["job"], "--out", tmp_path, "--force", code=1)
    assert "The first text." in (tmp_path / "a.txt.md").read_text()


def test_jobs__created_by_hand_changed_and_cancelled(cli: Cli, job: dict[str, str]) -> None:
    job_id = cli("jobs", "create", "--name", "by hand", "--description", "A try").stdout.strip()
    added = cli("jobs", "add", job_id, job["empty.txt"]).stdout.splitlines()
    assert added[1].split() == [job["empty.txt"], "ADDED"]
    assert "ALREADY_PRESENT" in cli("jobs", "add", job_id, job["empty.txt"]).stdout
    removed = cli("jobs", "remove", job_id, job["empty.txt"]).stdout
    assert "REMOVED" in removed
    assert "NOT_FOUND" in cli("jobs", "remove", job_id, job["record"], code=1).stdout
    assert "neither a record nor a file" in cli("jobs", "remove", job_id, "what", code=2).stderr
    assert cli("jobs", "cancel", job_id).stdout.startswith("0 files cancelled; the job is ")


def test_ingestion__runs_and_records(cli: Cli, job: dict[str, str]) -> None:
    (run,) = json_lines(cli("ingestion", "list", "--job", job["job"], "--json"))
    run_id = run["ingestion_job_id"]
    assert run_id in cli("ingestion", "list", "--status", "partially_completed").stdout
    page = cli("ingestion", "get", run_id).stdout
    assert "files          1 of 2 files completed, 1 failed, 0 cancelled" in page
    assert job["record"] in page
    of_job = json_lines(cli("ingestion", "records", job["job"], "--json"))
    assert [each["filename"] for each in of_job] == ["a.txt", "empty.txt"]
    assert json_lines(cli("ingestion", "records", run_id, "--json")) == of_job
    failed = cli("ingestion", "records", run_id, "--status", "failed").stdout.splitlines()
    assert [line.split()[1] for line in failed[1:]] == ["empty.txt"]
    assert "'dj-x' is not of the form dj-<uuid> or ij-<uuid>" in cli("ingestion", "records", "dj-x", code=2).stderr


def test_files__upload_list_get(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Some notes.\n")
    (file,) = json_lines(cli("files", "upload", tmp_path, "--json"))
    file_id = file["file_id"]
    assert file["filename"] == "notes.txt"
    newest = cli("files", "list", "--kind", "upload", "--limit", "1").stdout.splitlines()[1]
    assert newest.split()[:4] == [file_id, "notes.txt", "12", "B"]
    assert f"sha256   {file['sha256']}" in cli("files", "get", file_id).stdout


def test_files__read_in_full_or_in_part(cli: Cli, job: dict[str, str]) -> None:
    assert cli("files", "read", job["ready.md"]).stdout == "# Ready\n"
    assert cli("files", "read", job["ready.md"], "--offset", "2", "--limit", "3").stdout == "Rea"
    assert cli("files", "read", job["empty.txt"]).stdout == ""


def test_files__what_is_no_text_is_not_printed(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff")
    (file,) = json_lines(cli("files", "upload", tmp_path, "--json", "--quiet"))
    result = cli("files", "read", file["file_id"], code=1)
    assert result.stdout == ""
    assert f"ingest-grpc files download {file['file_id']}" in result.stderr


def test_files__download_never_replaces_unless_told(
    cli: Cli, job: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli("files", "download", job["ready.md"]).stdout == "ready.md (8 B)\n"
    assert Path("ready.md").read_text() == "# Ready\n"
    Path("ready.md").write_text("mine")
    assert "exists already" in cli("files", "download", job["ready.md"], code=2).stderr
    assert Path("ready.md").read_text() == "mine"
    cli("files", "download", job["ready.md"], "--force")
    assert Path("ready.md").read_text() == "# Ready\n"
    cli("files", "download", job["ready.md"], "--out", "sub/other.md")
    assert Path("sub/other.md").read_text() == "# Ready\n"
    assert cli("files", "download", job["ready.md"], "--out", "-").stdout_bytes == b"# Ready\n"
    assert "sub/ready.md" in cli("files", "download", job["ready.md"], "--out", "sub").stdout


def test_files__delete_is_refused_while_a_job_lists_it(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "gone.md").write_text("# Gone\n")
    (found,) = json_lines(cli("ingest", tmp_path, "--json", "--quiet"))
    file_id = found["markdown_file_id"]
    assert "is listed by 1 job" in cli("files", "delete", file_id, code=1).stderr
    assert cli("files", "delete", file_id, "--force").stdout == f"{file_id} deleted and removed from 1 job\n"
    assert "not found" in cli("files", "read", file_id, code=1).stderr


def test_files__deleted_one_by_one_whatever_becomes_of_the_others(cli: Cli, tmp_path: Path) -> None:
    for name in ("first.txt", "last.txt"):
        (tmp_path / name).write_text(name)
    first, last = (each["file_id"] for each in json_lines(cli("files", "upload", tmp_path, "--json")))
    result = cli("files", "delete", first, MISSING_FILE, last, code=1)
    assert result.stdout == f"{first} deleted\n{last} deleted\n"
    assert result.stderr.startswith("error: The file was not found")
    assert f"({MISSING_FILE})" in result.stderr
    assert result.stderr.endswith("reason: FILE_NOT_FOUND\n")


def test_errors__are_an_object_for_scripts(cli: Cli) -> None:
    result = cli("jobs", "get", "dj-1", "--json", code=1)
    error = json.loads(result.stderr)
    assert (error["reason"], error["code"], result.stdout) == ("INVALID_ID", "INVALID_ARGUMENT", "")
    assert [each["field"] for each in error["violations"]] == ["job_id"]
    assert error["message"]
    assert error["fix"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("jobs", "list", "--json", "--limt", "3"), "No such option"),
        (("--json", "jobs", "lst"), "No such command"),
        (("jobs", "get", "--json"), "Missing argument"),
    ],
)
def test_json__a_mistyped_command_line_is_told_as_every_error(cli: Cli, words: tuple[str, ...], told: str) -> None:
    result = cli(*words, code=2)
    error = json.loads(result.stderr)
    assert (error["exit_code"], result.stdout) == (2, "")
    assert told in error["message"]
    assert "ingest-grpc jobs" in error["fix"]
    people = cli(*(each for each in words if each != "--json"), code=2)
    assert "Usage: ingest-grpc jobs" in people.stderr
    assert "Usage: ingest-grpc jobs" in cli("--json", "jobs", code=2).output, "a group called alone shows its help"


def test_server_info__for_people_and_scripts(cli: Cli) -> None:
    told = cli("server", "info").stdout
    assert "workers            1" in told
    assert "labels             64 a job, key and value of up to 63 characters each" in told
    assert "team               1,000 uploads unfinished" in told
    assert "embedders          wordllama" in told
    (info,) = json_lines(cli("server", "info", "--json"))
    assert info["limits"]["workers"] == 1
