"""What became of every file: matched, printed, and told to scripts."""

import json
from pathlib import Path, PurePath

from ingest_grpc.cli.failures import Failure
from ingest_grpc.cli.results import Result, results_of_job, results_of_uploads, show_results
from ingest_grpc.cli.sources import Source
from ingest_grpc.cli.upload import Upload
from ingest_grpc.client.messages import (
    AddFileResult,
    Job,
    JobFile,
    JobStatus,
    ReviewReason,
    WatchJobResponse,
    WatchRecords,
)
from tests.unit.cli.jobs import completed, failed, queued, snapshot, state_of, stored
from tests.unit.cli.test_output import Streams

JOB = Job(
    job_id="dj-1",
    status=JobStatus.JOB_STATUS_NEEDS_REVIEW,
    review_reasons=[
        ReviewReason(message="empty.pdf failed.", suggested_fix="See above.", record_id="ijf-empty.pdf"),
        ReviewReason(message="The system prompt is missing.", suggested_fix="Set one."),
    ],
)


def upload(name: str, *, folder: str = "in") -> Upload:
    return Upload(Source(Path(name), PurePath(folder, name)), stored(name))


def added(name: str) -> AddFileResult:
    return AddFileResult(file_id=f"file-{name}", record_id=f"ijf-{name}", output_file_id=f"md-file-{name}")


def shown(*results: Result, job: Job | None = JOB) -> str:
    streams = Streams(terminal=False)
    show_results(streams.output, results, job)
    return streams.out


def test_results_of_uploads__one_per_source_in_its_order() -> None:
    names = ("a.pdf", "empty.pdf", "notes.md")
    uploads = [upload(name) for name in names]
    uploads.append(Upload(Source(Path("x"), PurePath("x")), failure=Failure("Permission denied", "Check it.")))
    outcomes = {f"file-{name}": added(name) for name in names}
    outcomes["file-notes.md"] = AddFileResult(file_id="file-notes.md", output_file_id="file-notes.md")
    state = state_of(*snapshot(failed("empty.pdf"), completed("a.pdf")))
    results = results_of_uploads(uploads, outcomes, state)
    assert [(str(each.name), each.status, each.markdown_id, each.good) for each in results] == [
        ("in/a.pdf", "COMPLETED", "md-file-a.pdf", True),
        ("in/empty.pdf", "FAILED", "", False),
        ("in/notes.md", "COMPLETED", "file-notes.md", True),
        ("x", "NOT_UPLOADED", "", False),
    ]


def test_results__members_stand_behind_their_archive_and_count() -> None:
    archive, inner, member, deepest = completed("all.zip"), completed("in.zip"), failed("b.txt"), completed("c.txt")
    inner.parent_record_id = member.parent_record_id = archive.record_id
    deepest.parent_record_id = inner.record_id
    state = state_of(*snapshot(archive, inner, member, deepest, completed("z.pdf")))
    names = ("all.zip", "z.pdf")
    results = results_of_uploads(
        [upload(name) for name in names], {f"file-{name}": added(name) for name in names}, state
    )
    assert [(str(each.name), each.good) for each in results] == [
        ("in/all.zip", True),
        ("in/all.zip/in.zip", True),
        ("in/all.zip/in.zip/c.txt", True),
        ("in/all.zip/b.txt", False),
        ("in/z.pdf", True),
    ]
    of_job = [str(each.name) for each in results_of_job(state)]
    assert of_job == ["all.zip", "all.zip/in.zip", "all.zip/in.zip/c.txt", "all.zip/b.txt", "z.pdf"]


def test_results_of_job__records_and_markdown_without_removed_ones() -> None:
    gone = completed("gone.pdf")
    gone.deleted = True
    markdown = WatchJobResponse(records=WatchRecords(files=[JobFile(file_id="file-m", name="m.md")]))
    results = results_of_job(state_of(*snapshot(completed("a.pdf"), gone, queued("b.pdf")), markdown))
    assert [(str(each.name), each.status, each.good) for each in results] == [
        ("a.pdf", "COMPLETED", True),
        ("b.pdf", "QUEUED", False),
        ("m.md", "COMPLETED", True),
    ]


def test_show_results__table_failures_with_their_fix_and_the_sum() -> None:
    lossy = completed("lossy.pdf", pages=2)
    lossy.losses.append("page 2 has no text")
    record = failed("empty.pdf")
    failure = Failure(record.error.message, record.error.suggested_fix)
    text = shown(
        Result(PurePath("in/lossy.pdf"), "COMPLETED", lossy, "md-file-1"),
        Result(PurePath("in/empty.pdf"), "FAILED", record, "", failure),
        Result(PurePath("notes.md"), "COMPLETED", markdown_id="file-2"),
    )
    assert text.splitlines() == [
        "FILE          STATUS     PAGES  MARKDOWN   TIME",
        "in/lossy.pdf  COMPLETED      2    1.4 kB  0.8 s",
        "in/empty.pdf  FAILED                      0.2 s",
        "notes.md      COMPLETED            as is",
        "",
        "! in/lossy.pdf",
        "  lost:   page 2 has no text",
        "",
        "✗ in/empty.pdf",
        "  error:  The file appears to be empty.",
        "  fix:    Upload a file with content.",
        "",
        "3 files: 2 completed, 1 failed; 2 pages; 1.4 kB of Markdown",
        "job dj-1 is NEEDS_REVIEW",
        "  review: The system prompt is missing.",
        "  fix:    Set one.",
    ]


def test_show_results__equal_names_are_told_apart_by_their_ids() -> None:
    results = [
        Result(PurePath("a.txt"), "COMPLETED", completed("1"), "md-file-1"),
        Result(PurePath("a.txt"), "COMPLETED", markdown_id="file-2"),
        Result(PurePath("b.txt"), "COMPLETED", markdown_id="file-3"),
    ]
    names = [line.rsplit("COMPLETED")[0].rstrip() for line in shown(*results).splitlines()[1:4]]
    assert names == ["a.txt (ijf-1)", "a.txt (file-2)", "b.txt"]


def test_show_results__says_where_the_markdown_is() -> None:
    saved = Result(PurePath("a.pdf"), "COMPLETED", completed("a.pdf"), "md-file-1", saved=Path("out/a.pdf.md"))
    assert "Markdown of 1 file saved, for example out/a.pdf.md" in shown(saved)


def test_show_results__without_a_job() -> None:
    text = shown(Result(PurePath("x"), "NOT_UPLOADED", failure=Failure("x: Permission denied", "Check it.")), job=None)
    assert "1 file: 1 not uploaded" in text
    assert "job" not in text


def test_show_results__json_is_an_object_per_file() -> None:
    streams = Streams(terminal=False, as_json=True)
    record = failed("empty.pdf")
    failure = Failure("The file appears to be empty.", "Upload a file with content.")
    results = [Result(PurePath("in/empty.pdf"), "FAILED", record, "", failure), Result(PurePath("a"), "COMPLETED")]
    show_results(streams.output, results, JOB)
    first, second = map(json.loads, streams.out.splitlines())
    assert first["record"]["record_id"] == "ijf-empty.pdf"
    assert {name: value for name, value in first.items() if name != "record"} == {
        "file": "in/empty.pdf",
        "job_id": "dj-1",
        "status": "FAILED",
        "markdown_file_id": None,
        "saved": None,
        "error": "The file appears to be empty.",
        "suggested_fix": "Upload a file with content.",
    }
    assert second["error"] is None
