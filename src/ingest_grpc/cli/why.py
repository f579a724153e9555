"""Why a job needs review or where it waits, and what to do next: findings, each about all files it is true of."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.text import Text

from ingest_grpc.cli.advice import PREREQUISITES
from ingest_grpc.cli.output import Output
from ingest_grpc.cli.views import progress_words, status_text
from ingest_grpc.cli.words import day_and_time, human_seconds, listed, local_time, plural, printable, word

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from ingest_grpc.client.messages import AlignmentJob, FileRecord, Job

_SCANS = (".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
"""Endings of names of what OCR may read."""

_RECORD_REASONS = {"RECORD_FAILED", "RECORD_CANCELLED"}
"""Review reasons that the records themselves tell better."""

_FEW = 3
"""So many records a command names one by one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about a job; `notes` are (label, text) below it: error, fix, next, or."""

    sign: str
    style: str
    sentence: str
    notes: Sequence[tuple[str, str]] = field(default=())


@dataclass(frozen=True, slots=True)
class Case:
    """What is known: the job, its records that are not completed, the time in microseconds, the server's workers."""

    job: "Job"
    records: "Sequence[FileRecord]"
    now: int
    workers: int = 1

    def those(self, wanted: "Callable[[FileRecord], bool]") -> "list[FileRecord]":
        """The live records that nothing has resolved and that are wanted."""
        return [each for each in self.records if not each.deleted and not each.superseded_by and wanted(each)]

    def seconds_until(self, stamp: "Timestamp") -> float:
        """How long until then; negative if it was before."""
        return (stamp.ToMicroseconds() - self.now) / 1_000_000


_NO_WORKERS = Finding("✗", "red", "The server has no workers", [("fix", "Start it with some: --workers N.")])


def headline(job: "Job") -> Text:
    """The job and its status in a line."""
    message = f": {job.status_message}" if job.status_message else ""
    return Text.assemble(
        f"{printable(job.name)} ({job.job_id}) is ", status_text(word(job, "status")), printable(message)
    )


def explain(case: Case) -> list[Finding]:
    """What stands between the job and its end, what runs first, what needs a hand after it."""
    if case.job.HasField("deleted_at"):
        return [_deleted(case.job)]
    if case.job.HasField("alignment_job") and (finding := _alignment(case, case.job.alignment_job)):
        waits = word(case.job.alignment_job, "status") == "QUEUED"
        return [finding, _NO_WORKERS] if waits and not case.workers else [finding]
    found, waiting = [*_running(case)], [*_waiting(case)]
    found += waiting
    if waiting and not case.workers:
        found.append(_NO_WORKERS)
    elif found:
        found.append(Finding("→", "dim", f"Nothing needs to be done: ingest-grpc watch {case.job.job_id}"))
    if word(case.job, "status") == "CANCELLED":
        found.append(Finding("✗", "magenta", f"It was cancelled; {_taken_up_by(case.job)} takes it up again"))
    found += [*_failed(case), *_cancelled(case), *_missing(case)]
    if found:
        return found
    ready = word(case.job, "status") == "READY_TO_START"
    notes = [("next", f"ingest-grpc jobs start {case.job.job_id}")] if ready else []
    return [Finding("✓", "green", "Nothing needs a hand, and nothing waits", notes)]


def show(output: Output, job: "Job", findings: Iterable[Finding]) -> None:
    """Prints the headline and the findings, or one JSON object."""
    if output.as_json:
        told = [{"sentence": each.sentence, "notes": [list(note) for note in each.notes]} for each in findings]
        output.value({"job_id": job.job_id, "status": word(job, "status"), "findings": told})
        return
    output.line(headline(job))
    for each in findings:
        output.line(Text.assemble((each.sign, each.style), f" {printable(each.sentence)}"))
        output.notes([(label, text, "dim") for label, text in each.notes])


def _taken_up_by(job: "Job") -> str:
    """What ends the cancellation of a job; one with something to review cannot be started."""
    return "adding or retrying files" if job.review_reasons_total else "adding or retrying files, or starting it,"


def _deleted(job: "Job") -> Finding:
    sentence = f"It was deleted and is purged on {day_and_time(job.purge_at)}."
    return Finding("✗", "magenta", sentence, [("next", f"ingest-grpc jobs undelete {job.job_id}")])


def _alignment(case: Case, alignment: "AlignmentJob") -> Finding | None:
    """What a started job does; None if that was cancelled, which is the job's own status then."""
    error = [("error", alignment.error.message), ("fix", alignment.error.suggested_fix)]
    match word(alignment, "status"):
        case "RUNNING":
            seconds = human_seconds(max(-case.seconds_until(alignment.started_at), 0))
            details = (
                f"{word(alignment, 'current_step').lower() or 'begins'}, {alignment.progress:.0f} %, for {seconds}"
            )
            return Finding("›", "blue", f"The dataset is being made ({details})")
        case "QUEUED" if alignment.HasField("next_attempt_at"):
            seconds = human_seconds(max(case.seconds_until(alignment.next_attempt_at), 0))
            return Finding("…", "yellow", f"The dataset is waiting to be tried again in {seconds}", error)
        case "QUEUED":
            position = alignment.queue_position
            place = f" (number {position:,} in the queue)" if alignment.HasField("queue_position") else ""
            return Finding("…", "cyan", f"The dataset is waiting for a worker{place}")
        case "COMPLETED":
            notes = [("next", f"ingest-grpc files download {each}") for each in alignment.output_file_ids]
            return Finding("✓", "green", f"The dataset is done: {plural(alignment.examples, 'line')}", notes)
        case "FAILED":
            again = ("next", f"ingest-grpc jobs start {case.job.job_id}")
            return Finding("✗", "red", "The dataset could not be made", [*error, again])
    return None


def _running(case: Case) -> Iterator[Finding]:
    running = case.those(lambda each: word(each, "status") == "RUNNING")
    if not running:
        return
    longest = min(running, key=lambda each: each.processing_at.ToMicroseconds())
    details = [progress_words(longest), f"for {human_seconds(max(-case.seconds_until(longest.processing_at), 0))}"]
    if longest.attempt > 1:
        details.append(f"attempt {longest.attempt}")
    which = "" if len(running) == 1 else f"; the longest: {longest.filename}"
    yield Finding("›", "blue", f"{_names(running)} being converted{which} ({', '.join(details)})")


def _waiting(case: Case) -> Iterator[Finding]:
    queued = case.those(lambda each: word(each, "status") == "QUEUED")
    back_off = [each for each in queued if word(each, "wait_reason") == "BACK_OFF"]
    for group in _grouped(back_off):
        first = min(group, key=lambda each: each.next_attempt_at.ToMicroseconds())
        seconds = human_seconds(max(case.seconds_until(first.next_attempt_at), 0))
        at = local_time(first.next_attempt_at.ToMicroseconds())
        which = "" if len(group) == 1 else f", the first being {first.filename},"
        sentence = f"{_names(group)} waiting to be tried again{which} in {seconds} ({at})"
        yield Finding("…", "yellow", sentence, _error_notes(first))
    capped = [each for each in queued if word(each, "wait_reason") == "TEAM_CAP"]
    if capped:
        yield Finding("…", "cyan", f"{_names(capped)} waiting until other files of the team are done")
    if rest := [each for each in queued if not word(each, "wait_reason")]:
        yield Finding("…", "cyan", f"{_names(rest)} waiting for a worker{_place(case, rest)}")


def _place(case: Case, queued: "Sequence[FileRecord]") -> str:
    placed = [each for each in queued if each.HasField("queue_position")]
    if not placed:
        return ""
    first = min(placed, key=lambda each: each.queue_position)
    which = "" if len(queued) == 1 else f"; the first: {first.filename}"
    place = f"number {first.queue_position:,} in the queue"
    if first.HasField("estimated_start_at"):
        place += f", probably in {human_seconds(max(case.seconds_until(first.estimated_start_at), 0))}"
    return f"{which} ({place})"


def _failed(case: Case) -> Iterator[Finding]:
    for group in _grouped(case.those(lambda each: word(each, "status") == "FAILED")):
        notes = _error_notes(group[0])
        notes.append(("next", _again(case.job, group)))
        notes.append(("or", _remove(case.job, group)))
        yield Finding("✗", "red", f"{_names(group, verb=False)} failed", notes)


def _cancelled(case: Case) -> Iterator[Finding]:
    if group := case.those(lambda each: word(each, "status") == "CANCELLED"):
        notes = [("next", _retry(case.job, group)), ("or", _remove(case.job, group))]
        yield Finding("✗", "magenta", f"{_names(group, verb=False)} cancelled before the end", notes)


def _missing(case: Case) -> Iterator[Finding]:
    for reason in case.job.review_reasons:
        if word(reason, "type") in _RECORD_REASONS:
            continue
        notes = [("fix", reason.suggested_fix)]
        if command := PREREQUISITES.get(word(reason, "type")):
            notes.append(("next", command.format(job=case.job.job_id)))
        yield Finding("✗", "yellow", reason.message, notes)


def _grouped(records: "Iterable[FileRecord]") -> "Iterable[list[FileRecord]]":
    """Records of one error together, in the order of their first."""
    groups: dict[tuple[str, str], list[FileRecord]] = {}
    for each in records:
        groups.setdefault((each.error.message, each.error.suggested_fix), []).append(each)
    return groups.values()


def _names(group: "Sequence[FileRecord]", *, verb: bool = True) -> str:
    """For example "a.pdf is", or "3 files (a.pdf, b.pdf and 1 more) are"."""
    if len(group) == 1:
        name = f"{group[0].filename}{' from an archive' if group[0].HasField('parent_record_id') else ''}"
        return f"{name} is" if verb else name
    names = f"{plural(len(group), 'file')} ({listed([each.filename for each in group])})"
    return f"{names} are" if verb else names


def _error_notes(record: "FileRecord") -> list[tuple[str, str]]:
    return [("error", record.error.message), ("fix", record.error.suggested_fix)]


def _again(job: "Job", group: "Sequence[FileRecord]") -> str:
    """What gets files that failed converted after all."""
    if group[0].error.retryable:
        return _retry(job, group)
    if all(map(_may_be_a_scan, group)):
        # The files are there already: only the method was the wrong one.
        ids = " ".join(each.file_id for each in group) if len(group) <= _FEW else "FILE_ID …"
        return f"ingest-grpc jobs add {job.job_id} {ids} --method accuracy-optimized"
    return f"ingest-grpc files upload FILE, then ingest-grpc jobs add {job.job_id} FILE_ID"


def _may_be_a_scan(record: "FileRecord") -> bool:
    without_text = word(record, "method") == "SPEED_OPTIMIZED" and word(record.error, "reason") == "NO_TEXT"
    return without_text and record.filename.lower().endswith(_SCANS)


def _retry(job: "Job", group: "Sequence[FileRecord]") -> str:
    few = " ".join(each.record_id for each in group) if len(group) <= _FEW else "--all"
    return f"ingest-grpc jobs retry {job.job_id} {few}"


def _remove(job: "Job", group: "Sequence[FileRecord]") -> str:
    if len(group) <= _FEW:
        return f"ingest-grpc jobs remove {job.job_id} {' '.join(each.record_id for each in group)}"
    status = word(group[0], "status").lower()
    return f"remove them; ingest-grpc ingestion records {job.job_id} --status {status} lists them"
