"""The commands that change a job as a whole, retry its files, wait for it and explain it, against a server."""

import json
from pathlib import Path

import pytest

from tests import documents
from tests.integration.cli.conftest import Cli, json_lines


@pytest.fixture(scope="module")
def job(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A finished job with a good file, an empty one and Markdown: its id, and those of the records by name."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "a.txt").write_text("The first text of this module.\n")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "ready.md").write_text("# Ready here\n\nA text below its heading.\n")
    found = json_lines(cli("ingest", folder, "--name", "three of them", "--json", "--quiet", code=1))
    records = {each["file"]: each["record"]["record_id"] for each in found if each["record"]}
    return records | {"job": found[0]["job_id"]}


def new_job(cli: Cli, *options: str) -> str:
    return cli("jobs", "create", "--name", "by hand", *options).stdout.strip()


def markdown_of(cli: Cli, job: dict[str, str]) -> str:
    """The file that was added as it is."""
    (file_id,) = (
        each["file_id"] for each in json_lines(cli("jobs", "files", job["job"], "--json")) if "record_id" not in each
    )
    return str(file_id)


def test_jobs_list__filters_and_order(cli: Cli) -> None:
    legal = new_job(cli, "--label", "team=legal", "--label", "year=2026", "--external-id", "key-1")
    other = new_job(cli, "--label", "team=sales")

    def listed(*options: str) -> list[str]:
        return [each["job_id"] for each in json_lines(cli("jobs", "list", "--json", *options))]

    assert listed("--label", "team=legal") == [legal]
    assert listed("--external-id", "key-1") == [legal]
    assert listed("--name-contains", "BY HAND", "--ascending") == [legal, other]
    assert listed("--name-contains", "by hand", "--order-by", "updated_at") == [other, legal]
    assert listed("--created-after", "2999-01-01") == []
    assert listed("--created-before", "2001-01-01T00:00:00") == []
    assert listed("--label", "team=legal", "--type", "principle_files") == []
    assert "Write it as KEY=VALUE" in cli("jobs", "list", "--label", "legal", code=2).stderr


def test_method__of_a_job_and_of_files_added_to_it(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Converted once by each method.\n")
    found = json_lines(cli("ingest", tmp_path, "--method", "accuracy-optimized", "--json", "--quiet"))
    assert [each["record"]["method"] for each in found] == ["METHOD_ACCURACY_OPTIMIZED"]
    file_id = found[0]["record"]["file_id"]
    job_id = new_job(cli, "--method", "accuracy-optimized")
    assert json.loads(cli("jobs", "get", job_id, "--json").stdout)["method"] == "METHOD_ACCURACY_OPTIMIZED"
    cli("jobs", "add", job_id, file_id, "--method", "speed-optimized")
    (record,) = json_lines(cli("ingestion", "records", job_id, "--json"))
    assert record["method"] == "METHOD_SPEED_OPTIMIZED"
    assert "accuracy-optimized" in cli("ingest", tmp_path, "--method", "best", code=2).stderr


def test_method__a_scan_that_failed_is_added_again_by_the_other(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "scan.png").write_bytes(documents.page_picture("The tower stands near the river."))
    (failed,) = json_lines(cli("ingest", tmp_path, "--json", "--quiet", code=1))
    assert failed["record"]["error"]["reason"] == "ERROR_REASON_NO_TEXT"
    assert "accuracy-optimized" in failed["record"]["error"]["suggested_fix"]
    job_id, file_id = failed["job_id"], failed["record"]["file_id"]
    cli("jobs", "add", job_id, file_id, "--method", "accuracy-optimized")
    cli("jobs", "wait", job_id)
    records = {each["status"]: each for each in json_lines(cli("ingestion", "records", job_id, "--json"))}
    read = records["RECORD_STATUS_COMPLETED"]
    assert records["RECORD_STATUS_FAILED"]["superseded_by"] == read["record_id"]
    assert "The tower stands near the river." in cli("files", "read", read["output_file_id"]).stdout


def test_document_metadata__of_a_record(cli: Cli, tmp_path: Path) -> None:
    page = "<html lang=en-GB><head><title>The Tower</title><meta name=author content='Ada L.'></head><p>Words.</html>"
    (tmp_path / "tower.html").write_text(page)
    metadata = {"title": "The Tower", "author": "Ada L.", "language": "en-GB"}
    for reused in (False, True):
        found = json_lines(cli("ingest", tmp_path, "--method", "accuracy-optimized", "--json", "--quiet"))
        assert found[0]["record"]["document_metadata"] == metadata
        assert ("reused_from" in found[0]["record"]) is reused


def test_jobs_update__changes_and_clears(cli: Cli, tmp_path: Path) -> None:
    job_id = new_job(cli, "--description", "old", "--label", "a=b")
    (tmp_path / "prompt.txt").write_text("Be brief.")
    page = cli(
        "jobs", "update", job_id, "--name", "new name", "--description", "", "--label", "c=d",
        "--system-prompt", str(tmp_path / "prompt.txt"),
    ).stdout  # fmt: skip
    assert "name           new name" in page
    assert "system prompt  Be brief." in page
    assert "labels         c=d" in page
    assert "description" not in page
    (updated,) = json_lines(cli("jobs", "update", job_id, "--clear-labels", "--json"))
    assert "labels" not in updated
    assert "Nothing to change" in cli("jobs", "update", job_id, code=2).stderr
    stale = cli("jobs", "update", job_id, "--name", "x", "--etag", "of-yesterday", code=1)
    assert "etag" in stale.stderr


def test_jobs_delete_and_undelete(cli: Cli) -> None:
    job_id = new_job(cli)
    assert cli("jobs", "delete", job_id).stdout.startswith(f"{job_id} deleted; it is purged on ")
    assert job_id not in cli("jobs", "list", "--limit", "0").stdout
    assert job_id in cli("jobs", "list", "--deleted", "--limit", "0").stdout
    assert "deleted" in cli("jobs", "get", job_id).stdout
    assert f"next:   ingest-grpc jobs undelete {job_id}" in cli("jobs", "why", job_id).stdout
    assert cli("jobs", "undelete", job_id).stdout == f"{job_id} is back; it is CANCELLED\n"
    assert job_id in cli("jobs", "list", "--limit", "0").stdout


def test_jobs_clone__takes_what_is_viable(cli: Cli, job: dict[str, str]) -> None:
    clone = cli("jobs", "clone", job["job"], "--name", "second try", "--external-id", "clone-1").stdout.strip()
    (told,) = json_lines(cli("jobs", "get", clone, "--json"))
    assert (told["name"], told["origin_job_id"], told["external_id"]) == ("second try", job["job"], "clone-1")
    assert "empty.txt" not in cli("jobs", "files", clone).stdout
    assert "ready.md" in cli("jobs", "files", clone).stdout


def test_jobs_files__markdown_first_then_outputs(cli: Cli, job: dict[str, str]) -> None:
    names = [each["name"] for each in json_lines(cli("jobs", "files", job["job"], "--json"))]
    assert names == ["ready.md", "a.md", "empty.md"]
    assert "--limit 0 lists all" in cli("jobs", "files", job["job"], "--limit", "2").stderr


def test_jobs_retry_and_wait(cli: Cli, job: dict[str, str]) -> None:
    retried = cli("jobs", "retry", job["job"], job["empty.txt"])
    assert retried.stdout.splitlines()[1].split() == [job["empty.txt"], "RETRIED"]
    assert retried.stdout.splitlines()[2] == "1 file queued again; the job is FILE_PROCESSING"
    # It is still empty.
    assert cli("jobs", "wait", job["job"]).stdout == "NEEDS_REVIEW, 3 files: 1 completed, 1 failed, 1 Markdown\n"
    assert "1 file queued again" in cli("jobs", "retry", job["job"], "--all").stdout
    cli("jobs", "wait", job["job"])
    assert "NOT_RETRYABLE" in cli("jobs", "retry", job["job"], job["a.txt"], code=1).stdout
    assert "Give records, ijf-…, or --all." in cli("jobs", "retry", job["job"], code=2).stderr


def test_jobs_wait__says_that_the_time_ran_out(cli: Cli, job: dict[str, str]) -> None:
    late = cli("jobs", "wait", job["job"], "--until", "change", "--timeout", "0", code=1)
    assert f"ingest-grpc jobs why {job['job']}" in late.stderr


def test_jobs_why__what_failed_and_what_is_missing(cli: Cli, job: dict[str, str]) -> None:
    lines = cli("jobs", "why", job["job"]).stdout.splitlines()
    assert lines[0].startswith(f"three of them ({job['job']}) is NEEDS_REVIEW: ")
    assert lines[1:] == [
        "✗ empty.txt failed",
        "  error:  The file appears to be empty.",
        "  fix:    Upload a file with content.",
        f"  next:   ingest-grpc files upload FILE, then ingest-grpc jobs add {job['job']} FILE_ID",
        f"  or:     ingest-grpc jobs remove {job['job']} {job['empty.txt']}",
    ]
    empty = new_job(cli, "--type", "principle_files")
    told = cli("jobs", "why", empty).stdout
    assert f"next:   ingest-grpc jobs update {empty} --system-prompt FILE" in told
    assert f"next:   ingest-grpc jobs add {empty} FILE_ID" in told


def test_jobs__validate_only_changes_nothing(cli: Cli, job: dict[str, str]) -> None:
    before = cli("jobs", "list", "--limit", "0").stdout
    assert new_job(cli, "--validate-only") == "Everything is fine; nothing was changed."
    assert cli("jobs", "list", "--limit", "0").stdout == before
    file_id = markdown_of(cli, job)
    fresh = new_job(cli)
    assert "MARKDOWN_READY" in cli("jobs", "add", fresh, file_id, "--validate-only").stdout
    assert cli("jobs", "files", fresh).stdout == ""


def test_jobs_get__as_another_system_shows_it(cli: Cli, job: dict[str, str]) -> None:
    detail = json.loads(cli("jobs", "get", job["job"], "--as", "seekr").stdout)
    assert (detail["id"], detail["status"], detail["job_type"]) == (
        job["job"],
        "needs_review",
        "context_grounded_files",
    )
    (run,) = detail["ingestion_jobs"]
    assert [(each["filename"], each["status"]) for each in run["records"]] == [
        ("a.txt", "completed"),
        ("empty.txt", "failed"),
    ]
    assert [each["event_type"] for each in detail["timeline"]][:3] == [
        "Created",
        "File Processing Started",
        "File Processing Completed",
    ]
    statuses = json.loads(cli("jobs", "get", job["job"], "--as", "llamacloud", "--json").stdout)
    assert sorted(each["status"] for each in statuses.values()) == ["ERROR", "SUCCESS", "SUCCESS"]
    assert "seekr" in cli("jobs", "get", job["job"], "--as", "other", code=2).stderr


def test_jobs_start__makes_a_dataset(cli: Cli, job: dict[str, str]) -> None:
    job_id = new_job(cli, "--file", markdown_of(cli, job))
    assert f"next:   ingest-grpc jobs start {job_id}" in cli("jobs", "why", job_id).stdout
    assert "files changed" in cli("jobs", "start", job_id, "--files-etag", "of-yesterday", code=1).stderr
    assert cli("jobs", "start", job_id).stdout.split()[1:5] == ["started;", "the", "job", "is"]
    assert cli("jobs", "wait", job_id, "--until", "terminal").stdout.startswith("COMPLETED, ")
    assert "✓ The dataset is done: 1 line" in cli("jobs", "why", job_id).stdout
    (file_id,) = json_lines(cli("jobs", "get", job_id, "--json"))[0]["alignment_job"]["output_file_ids"]
    assert f"{file_id} (1 line)" in cli("jobs", "get", job_id).stdout
    assert f"dataset {file_id} (1 line)" in cli("jobs", "results", job_id).stdout
    detail = json.loads(cli("jobs", "get", job_id, "--as", "seekr").stdout)
    assert (detail["status"], detail["alignment_job"]["status"]) == ("completed", "completed")
    assert detail["alignment_job_id"] == detail["alignment_job"]["id"]
