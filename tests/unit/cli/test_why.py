"""What `jobs why` says of a job, line for line."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from ingest_grpc.cli.why import Case, explain, show
from ingest_grpc.cli.words import day_and_time
from ingest_grpc.client.messages import (
    AlignmentJob,
    AlignmentStep,
    ErrorReason,
    FileRecord,
    Job,
    JobStatus,
    Method,
    RecordError,
    RecordStatus,
    ReviewReason,
    ReviewReasonType,
    Step,
    UnitProgress,
    WaitReason,
)
from tests.unit.cli.jobs import START, at, completed, failed, queued, running
from tests.unit.cli.test_output import Streams

NOW = (START + 30) * 1_000_000
PROCESSING = JobStatus.JOB_STATUS_FILE_PROCESSING
REVIEW = JobStatus.JOB_STATUS_NEEDS_REVIEW


def job(status: JobStatus.ValueType, *reasons: ReviewReason) -> Job:
    found = Job(job_id="dj-1", name="reports", status=status, status_message="So it is.", review_reasons=reasons)
    found.review_reasons_total = len(reasons)
    return found


def started(status: str, **fields: Any) -> Job:
    """A job whose alignment has this status, and such fields."""
    found = job(JobStatus.Value(f"JOB_STATUS_{status}"))
    alignment = AlignmentJob(status=RecordStatus.Value(f"RECORD_STATUS_{status}"), **fields)
    found.alignment_job.CopyFrom(alignment)
    return found


def placed(name: str, position: int, seconds: float | None = None) -> FileRecord:
    """A record with its place in the queue, and its start in so many seconds from NOW."""
    record = queued(name)
    record.queue_position = position
    if seconds is not None:
        record.estimated_start_at.CopyFrom(at(30 + seconds))
    return record


def without_text(name: str) -> FileRecord:
    """A record that the fast method found no text in."""
    record = failed(name)
    record.method = Method.METHOD_SPEED_OPTIMIZED
    message, fix = "There is no text.", "Choose the other method."
    record.error.CopyFrom(RecordError(reason=ErrorReason.ERROR_REASON_NO_TEXT, message=message, suggested_fix=fix))
    return record


def backing_off(name: str, seconds: float, attempt: int = 2) -> FileRecord:
    """A record that is tried again in so many seconds from NOW."""
    record = queued(name, attempt=attempt, retry="Service temporarily unavailable.")
    record.error.suggested_fix = "Retry the job after a brief wait."
    record.wait_reason = WaitReason.WAIT_REASON_BACK_OFF
    record.next_attempt_at.CopyFrom(at(30 + seconds))
    return record


def capped(name: str) -> FileRecord:
    record = queued(name)
    record.wait_reason = WaitReason.WAIT_REASON_TEAM_CAP
    return record


def cancelled(name: str) -> FileRecord:
    record = queued(name)
    record.status = RecordStatus.RECORD_STATUS_CANCELLED
    return record


def parsing(name: str, *, attempt: int = 1, done: int = 0) -> FileRecord:
    record = running(name, attempt=attempt)
    record.step = Step.STEP_PARSE
    record.progress.CopyFrom(UnitProgress(units_done=done, units_total=40, unit="pages"))
    return record


def unreachable(name: str) -> FileRecord:
    """A record that failed although it may succeed unchanged."""
    record = failed(name, "Service temporarily unavailable.", "Retry the job after a brief wait.")
    record.error.retryable = True
    return record


def resolved(name: str) -> FileRecord:
    record = failed(name)
    record.superseded_by = "ijf-new"
    return record


def removed(name: str) -> FileRecord:
    record = failed(name)
    record.deleted = True
    return record


NO_PROMPT = ReviewReason(
    type=ReviewReasonType.REVIEW_REASON_TYPE_SYSTEM_PROMPT_MISSING,
    message="The job has no system prompt.",
    suggested_fix="Set one.",
)
NO_FILE = ReviewReason(
    type=ReviewReasonType.REVIEW_REASON_TYPE_NO_VIABLE_FILE, message="No file is viable.", suggested_fix="Add one."
)
LATER_REASON = ReviewReason(message="Something new is missing.", suggested_fix="Read the manual.")
FAILED_REASON = ReviewReason(
    type=ReviewReasonType.REVIEW_REASON_TYPE_RECORD_FAILED, message="The file appears to be empty.", filename="a.pdf"
)
DELETED = Job(job_id="dj-1", name="reports", deleted_at=at(1), purge_at=at(60))
WATCH = "→ Nothing needs to be done: ingest-grpc watch dj-1"
RETRY_AT = f"({day_and_time(at(55))})"


class Told(NamedTuple):
    """A row of the table: the job, its records, and the lines below the headline."""

    job: Job
    records: Sequence[FileRecord]
    lines: Sequence[str]


TABLE = {
    "nothing to do": Told(
        job(JobStatus.JOB_STATUS_READY_TO_START),
        [completed("a.pdf"), resolved("b.pdf"), removed("c.pdf")],
        ["✓ Nothing needs a hand, and nothing waits", "  next:   ingest-grpc jobs start dj-1"],
    ),
    "nothing to do, and nothing to start": Told(
        job(JobStatus.JOB_STATUS_COMPLETED), [], ["✓ Nothing needs a hand, and nothing waits"]
    ),
    "the dataset is made": Told(
        started("RUNNING", current_step=AlignmentStep.ALIGNMENT_STEP_GENERATE, progress=49.6, started_at=at(1)),
        [],
        ["› The dataset is being made (generate, 50 %, for 29 s)"],
    ),
    "the dataset waits": Told(
        started("QUEUED", queue_position=2), [], ["… The dataset is waiting for a worker (number 2 in the queue)"]
    ),
    "the dataset is tried again": Told(
        started("QUEUED", next_attempt_at=at(55), error=RecordError(message="It is away.", suggested_fix="Wait.")),
        [],
        ["… The dataset is waiting to be tried again in 25 s", "  error:  It is away.", "  fix:    Wait."],
    ),
    "the dataset is done": Told(
        started("COMPLETED", examples=1, output_file_ids=["file-1"]),
        [],
        ["✓ The dataset is done: 1 line", "  next:   ingest-grpc files download file-1"],
    ),
    "the dataset failed": Told(
        started("FAILED", error=RecordError(message="It is away.", suggested_fix="Wait.")),
        [],
        [
            "✗ The dataset could not be made",
            "  error:  It is away.",
            "  fix:    Wait.",
            "  next:   ingest-grpc jobs start dj-1",
        ],
    ),
    "the alignment was cancelled": Told(
        started("CANCELLED"), [], ["✗ It was cancelled; adding or retrying files, or starting it, takes it up again"]
    ),
    "one runs": Told(
        job(PROCESSING), [parsing("a.pdf", done=3)], ["› a.pdf is being converted (parse 3/40 pages, for 29 s)", WATCH]
    ),
    "some run, one again": Told(
        job(PROCESSING),
        [parsing("a.pdf", attempt=2), parsing("b.pdf")],
        ["› 2 files (a.pdf, b.pdf) are being converted; the longest: a.pdf (parse, for 29 s, attempt 2)", WATCH],
    ),
    "one waits in the queue": Told(
        job(PROCESSING), [placed("a.pdf", 4)], ["… a.pdf is waiting for a worker (number 4 in the queue)", WATCH]
    ),
    "many wait in the queue": Told(
        job(PROCESSING),
        [placed("a.pdf", 7), placed("b.pdf", 3), queued("c.pdf")],
        [
            "… 3 files (a.pdf, b.pdf, c.pdf) are waiting for a worker; the first: b.pdf (number 3 in the queue)",
            WATCH,
        ],
    ),
    "with an estimate": Told(
        job(PROCESSING),
        [placed("a.pdf", 9, seconds=40)],
        ["… a.pdf is waiting for a worker (number 9 in the queue, probably in 40 s)", WATCH],
    ),
    "without a place": Told(job(PROCESSING), [queued("a.pdf")], ["… a.pdf is waiting for a worker", WATCH]),
    "tried again": Told(
        job(PROCESSING),
        [backing_off("a.pdf", 25)],
        [
            f"… a.pdf is waiting to be tried again in 25 s {RETRY_AT}",
            "  error:  Service temporarily unavailable.",
            "  fix:    Retry the job after a brief wait.",
            WATCH,
        ],
    ),
    "several tried again": Told(
        job(PROCESSING),
        [backing_off("a.pdf", 90), backing_off("b.pdf", 25)],
        [
            f"… 2 files (a.pdf, b.pdf) are waiting to be tried again, the first being b.pdf, in 25 s {RETRY_AT}",
            "  error:  Service temporarily unavailable.",
            "  fix:    Retry the job after a brief wait.",
            WATCH,
        ],
    ),
    "team cap": Told(
        job(PROCESSING),
        [capped("a.pdf"), capped("b.pdf")],
        ["… 2 files (a.pdf, b.pdf) are waiting until other files of the team are done", WATCH],
    ),
    "failed for good": Told(
        job(REVIEW, FAILED_REASON),
        [failed("a.pdf")],
        [
            "✗ a.pdf failed",
            "  error:  The file appears to be empty.",
            "  fix:    Upload a file with content.",
            "  next:   ingest-grpc files upload FILE, then ingest-grpc jobs add dj-1 FILE_ID",
            "  or:     ingest-grpc jobs remove dj-1 ijf-a.pdf",
        ],
    ),
    "failed but may succeed": Told(
        job(REVIEW),
        [unreachable("a.pdf"), unreachable("b.pdf")],
        [
            "✗ 2 files (a.pdf, b.pdf) failed",
            "  error:  Service temporarily unavailable.",
            "  fix:    Retry the job after a brief wait.",
            "  next:   ingest-grpc jobs retry dj-1 ijf-a.pdf ijf-b.pdf",
            "  or:     ingest-grpc jobs remove dj-1 ijf-a.pdf ijf-b.pdf",
        ],
    ),
    "scans are read by the other method, without an upload": Told(
        job(REVIEW),
        [without_text("a.PDF"), without_text("b.png")],
        [
            "✗ 2 files (a.PDF, b.png) failed",
            "  error:  There is no text.",
            "  fix:    Choose the other method.",
            "  next:   ingest-grpc jobs add dj-1 file-a.PDF file-b.png --method accuracy-optimized",
            "  or:     ingest-grpc jobs remove dj-1 ijf-a.PDF ijf-b.png",
        ],
    ),
    "what no method reads has to be uploaded": Told(
        job(REVIEW),
        [without_text("a.rtf")],
        [
            "✗ a.rtf failed",
            "  error:  There is no text.",
            "  fix:    Choose the other method.",
            "  next:   ingest-grpc files upload FILE, then ingest-grpc jobs add dj-1 FILE_ID",
            "  or:     ingest-grpc jobs remove dj-1 ijf-a.rtf",
        ],
    ),
    "each error once": Told(
        job(REVIEW),
        [failed("a"), unreachable("b"), failed("c"), failed("d"), failed("e")],
        [
            "✗ 4 files (a, c, d and 1 more) failed",
            "  error:  The file appears to be empty.",
            "  fix:    Upload a file with content.",
            "  next:   ingest-grpc files upload FILE, then ingest-grpc jobs add dj-1 FILE_ID",
            "  or:     remove them; ingest-grpc ingestion records dj-1 --status failed lists them",
            "✗ b failed",
            "  error:  Service temporarily unavailable.",
            "  fix:    Retry the job after a brief wait.",
            "  next:   ingest-grpc jobs retry dj-1 ijf-b",
            "  or:     ingest-grpc jobs remove dj-1 ijf-b",
        ],
    ),
    "cancelled": Told(
        job(JobStatus.JOB_STATUS_CANCELLED),
        [cancelled(name) for name in "abcd"],
        [
            "✗ It was cancelled; adding or retrying files, or starting it, takes it up again",
            "✗ 4 files (a, b, c and 1 more) cancelled before the end",
            "  next:   ingest-grpc jobs retry dj-1 --all",
            "  or:     remove them; ingest-grpc ingestion records dj-1 --status cancelled lists them",
        ],
    ),
    "cancelled, with what keeps it from a start": Told(
        job(JobStatus.JOB_STATUS_CANCELLED, FAILED_REASON),
        [],
        ["✗ It was cancelled; adding or retrying files takes it up again"],
    ),
    "prerequisites, also one of a later server": Told(
        job(REVIEW, NO_FILE, NO_PROMPT, LATER_REASON),
        [],
        [
            "✗ No file is viable.",
            "  fix:    Add one.",
            "  next:   ingest-grpc jobs add dj-1 FILE_ID",
            "✗ The job has no system prompt.",
            "  fix:    Set one.",
            "  next:   ingest-grpc jobs update dj-1 --system-prompt FILE",
            "✗ Something new is missing.",
            "  fix:    Read the manual.",
        ],
    ),
    "what needs a hand comes after what runs": Told(
        job(PROCESSING),
        [failed("a.pdf"), parsing("b.pdf")],
        [
            "› b.pdf is being converted (parse, for 29 s)",
            WATCH,
            "✗ a.pdf failed",
            "  error:  The file appears to be empty.",
            "  fix:    Upload a file with content.",
            "  next:   ingest-grpc files upload FILE, then ingest-grpc jobs add dj-1 FILE_ID",
            "  or:     ingest-grpc jobs remove dj-1 ijf-a.pdf",
        ],
    ),
    "deleted": Told(
        DELETED,
        [failed("a.pdf")],
        [
            f"✗ It was deleted and is purged on {day_and_time(at(60))}.",
            "  next:   ingest-grpc jobs undelete dj-1",
        ],
    ),
}


@pytest.mark.parametrize("told", TABLE.values(), ids=TABLE)
def test_why(told: Told) -> None:
    streams = Streams(terminal=False)
    show(streams.output, told.job, explain(Case(told.job, told.records, NOW)))
    headline, *lines = streams.out.splitlines()
    assert headline.startswith("reports (dj-1) is ")
    assert lines == list(told.lines)


def test_why__the_headline_has_the_status_and_its_message() -> None:
    streams = Streams(terminal=False)
    show(streams.output, job(REVIEW), [])
    assert streams.out == "reports (dj-1) is NEEDS_REVIEW: So it is.\n"


def test_why__a_server_without_workers_is_named_as_the_cause() -> None:
    found = explain(Case(job(PROCESSING), [queued("a.pdf")], NOW, workers=0))
    # Not beside "Nothing needs to be done".
    assert [each.sentence for each in found] == ["a.pdf is waiting for a worker", "The server has no workers"]
    dataset = explain(Case(started("QUEUED"), [], NOW, workers=0))
    assert [each.sentence for each in dataset] == ["The dataset is waiting for a worker", "The server has no workers"]
    # Nothing that is in flight already, or failed, waits for one.
    done = explain(Case(job(REVIEW), [failed("a.pdf")], NOW, workers=0))
    assert [each.sentence for each in done] == ["a.pdf failed"]


def test_why__times_that_have_come_are_not_negative() -> None:
    (found, _) = explain(Case(job(PROCESSING), [backing_off("a.pdf", -5)], NOW))
    assert " in 0 ms " in found.sentence


def test_why__names_cannot_rule_the_terminal() -> None:
    streams = Streams(terminal=True)
    show(streams.output, job(REVIEW), explain(Case(job(REVIEW), [failed("\x1b[2Jevil.pdf")], NOW)))
    assert "\x1b[2J" not in streams.out
    assert "evil.pdf" in streams.out


def test_why__json_is_one_object() -> None:
    streams = Streams(terminal=False, as_json=True)
    show(streams.output, job(REVIEW, NO_PROMPT), explain(Case(job(REVIEW, NO_PROMPT), [], NOW)))
    (line,) = streams.out.splitlines()
    assert json.loads(line) == {
        "job_id": "dj-1",
        "status": "NEEDS_REVIEW",
        "findings": [
            {
                "sentence": "The job has no system prompt.",
                "notes": [["fix", "Set one."], ["next", "ingest-grpc jobs update dj-1 --system-prompt FILE"]],
            }
        ],
    }


def test_why__a_member_of_an_archive_says_so() -> None:
    member = failed("b.txt")
    member.parent_record_id = "ijf-1"
    assert [each.sentence for each in explain(Case(job(REVIEW), [member], NOW))] == ["b.txt from an archive failed"]
