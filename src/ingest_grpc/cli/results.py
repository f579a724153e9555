"""What became of every file of a job: collected, saved, and printed."""

import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from rich.text import Text

from ingest_grpc.cli.advice import review_fix
from ingest_grpc.cli.failures import Failure, explain
from ingest_grpc.cli.output import Column, Output
from ingest_grpc.cli.parallel import in_parallel
from ingest_grpc.cli.saving import Destinations, refuse_taken
from ingest_grpc.cli.upload import Upload
from ingest_grpc.cli.views import STYLES, dataset, record_figures, status_text
from ingest_grpc.cli.words import human_bytes, plural, printable, word

if TYPE_CHECKING:
    from ingest_grpc.client.aio import AsyncClient
    from ingest_grpc.client.messages import AddFileResult, FileRecord, Job
    from ingest_grpc.client.state import JobState

_COLUMNS = (
    Column("File"),
    Column("Status", whole=True),
    Column("Pages", number=True),
    Column("Markdown", number=True),
    Column("Time", number=True),
)


@dataclass(frozen=True, slots=True)
class Result:
    """One file: its status, its record where it needed one, its Markdown where there is any, its failure if it has one.

    `status` is a record's status, or NOT_UPLOADED. `markdown_id` names a file that can be downloaded.
    """

    name: PurePath
    status: str
    record: "FileRecord | None" = None
    markdown_id: str = ""
    failure: Failure | None = None
    saved: Path | None = None

    @property
    def good(self) -> bool:
        return self.status == "COMPLETED" and self.failure is None


def results_of_uploads(
    uploads: Iterable[Upload], added: "Mapping[str, AddFileResult]", state: "JobState | None"
) -> list[Result]:
    """A result per upload, behind an archive one per member; `added` says by file id what became of it in the job,
    `state` how the job stands."""
    members = _members(state.live_records if state else ())
    results = (_result_of_upload(each, added, state) for each in uploads)
    return [each for result in results for each in _with_members(result, members)]


Members = dict[str, list["FileRecord"]]
"""What came out of an archive, by the archive's record; by "" what was added itself."""


def _members(records: "Sequence[FileRecord]") -> Members:
    known = {each.record_id for each in records}
    members: Members = {}
    for each in records:
        parent = each.parent_record_id if each.parent_record_id in known else ""
        members.setdefault(parent, []).append(each)
    return members


def _with_members(result: Result, members: Members) -> Iterator[Result]:
    """A result and those of what came out of it at every depth, named as if the archive were a folder."""
    yield result
    for each in members.get(result.record.record_id, ()) if result.record is not None else ():
        yield from _with_members(_result_of_record(result.name / each.filename, each), members)


def _result_of_upload(upload: Upload, added: "Mapping[str, AddFileResult]", state: "JobState | None") -> Result:
    name = upload.source.name
    if upload.file is None or state is None:
        return Result(name, "NOT_UPLOADED", failure=upload.failure)
    outcome = added[upload.file.file_id]
    if outcome.HasField("record_id"):
        return _result_of_record(name, state.records[outcome.record_id])
    return Result(name, "COMPLETED", markdown_id=outcome.output_file_id)


def results_of_job(state: "JobState") -> list[Result]:
    """A result per file of a job, members of archives behind theirs."""
    members = _members(state.live_records)
    outermost = (_result_of_record(PurePath(each.filename), each) for each in members.get("", ()))
    records = [each for result in outermost for each in _with_members(result, members)]
    markdown = [Result(PurePath(each.name), "COMPLETED", markdown_id=each.file_id) for each in state.files.values()]
    return records + markdown


def _result_of_record(name: PurePath, record: "FileRecord") -> Result:
    status = word(record, "status")
    failure = Failure(record.error.message, record.error.suggested_fix) if status == "FAILED" else None
    return Result(name, status, record, record.output_file_id if status == "COMPLETED" else "", failure)


def destinations(results: Iterable[Result], folder: Path) -> list[Path | None]:
    """Where the Markdown of each goes below `folder`; None for one without any."""
    chosen = Destinations(folder)
    return [chosen.choose(each.name) if each.markdown_id else None for each in results]


async def save_results(
    client: "AsyncClient",
    results: Sequence[Result],
    folder: Path,
    moved: Callable[[int, int], None],
    *,
    force: bool = False,
) -> list[Result]:
    """Downloads all Markdown below `folder`; a result whose Markdown could not be saved gets a failure.

    What is there already is replaced with `force` only.
    """
    work = list(zip(results, destinations(results, folder), strict=True))
    total = sum(path is not None for _, path in work)
    done = 0

    async def save(item: tuple[Result, Path | None]) -> Result:
        nonlocal done
        result, path = item
        if path is None:
            return result
        saved = await _save(client, result, path, force=force)
        done += 1
        moved(done, total)
        return saved

    moved(0, total)
    return await in_parallel(save, work)


async def _save(client: "AsyncClient", result: Result, path: Path, *, force: bool) -> Result:
    try:
        if not force:
            refuse_taken([path])
        path.parent.mkdir(parents=True, exist_ok=True)
        await client.download(result.markdown_id, path)
    except (OSError, Failure) as error:
        return dataclasses.replace(result, failure=explain(error))
    return dataclasses.replace(result, saved=path)


def show_results(output: Output, results: Sequence[Result], job: "Job | None") -> None:
    """All results: JSON per file, or a table, each failure with its fix, the sum. Without uploads there is no job."""
    if output.as_json:
        for each in results:
            output.value(_as_json(each, job.job_id if job else None))
        return
    names = Counter(each.name for each in results)
    told_apart = [(each, _told_apart(each) if names[each.name] > 1 else str(each.name)) for each in results]
    output.table(_COLUMNS, [_row(each, name) for each, name in told_apart])
    for each, name in told_apart:
        _show_notes(output, each, name)
    output.line("")
    output.line(_sum(results))
    if saved := [each.saved for each in results if each.saved]:
        output.line(f"Markdown of {plural(len(saved), 'file')} saved, for example {saved[0]}")
    if job:
        _show_job(output, job)


def _show_job(output: Output, job: "Job") -> None:
    output.line(Text.assemble("job ", job.job_id, " is ", status_text(word(job, "status"))))
    if made := dataset(job):
        output.line(f"dataset {made}")
    # What is said about single files stands above already.
    for reason in job.review_reasons:
        if not reason.HasField("record_id"):
            output.notes([("review", reason.message, "yellow"), ("fix", review_fix(reason, job.job_id), "dim")])


def _told_apart(result: Result) -> str:
    """A name that others of the job have, too, with the id that other commands take: a job does not keep folders."""
    return f"{result.name} ({result.record.record_id if result.record is not None else result.markdown_id})"


def _row(result: Result, name: str) -> Sequence[str | Text]:
    if result.record is not None:
        figures = record_figures(result.record)
    else:
        # Markdown that was uploaded is its own output.
        figures = ("", "as is" if result.markdown_id else "", "")
    return name, status_text(result.status), *figures


def _show_notes(output: Output, result: Result, name: str) -> None:
    """What a person has to know about a file besides its figures; nothing for most."""
    record = result.record
    notes = [("lost", each, "yellow") for each in record.losses] if record else []
    notes += [("note", each, "dim") for each in record.warnings] if record else []
    if result.failure:
        notes += [("error", result.failure.message, "red"), ("fix", result.failure.fix, "dim")]
    if not notes:
        return
    output.line("")
    mark, style = ("✗", "red") if result.failure else ("!", "yellow")
    output.line(Text.assemble((f"{mark} ", style), (printable(name), "bold")))
    output.notes(notes)


def _sum(results: Sequence[Result]) -> str:
    counts = Counter(each.status for each in results)
    ordered = sorted(counts.items(), key=lambda item: list(STYLES).index(item[0]))
    records = [each.record for each in results if each.record is not None]
    parts = [
        f"{plural(len(results), 'file')}: " + ", ".join(f"{count:,} {_words(status)}" for status, count in ordered)
    ]
    if pages := sum(each.pages for each in records):
        parts.append(plural(pages, "page"))
    if size := sum(each.bytes_out for each in records):
        parts.append(f"{human_bytes(size)} of Markdown")
    return "; ".join(parts)


def _words(status: str) -> str:
    return status.lower().replace("_", " ")


def _as_json(result: Result, job_id: str | None) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 - see Session.connect

    record = result.record
    failure = result.failure
    return {
        "file": str(result.name),
        "job_id": job_id,
        "status": result.status,
        "markdown_file_id": result.markdown_id or None,
        "saved": os.fspath(result.saved) if result.saved else None,
        "error": failure.message if failure else None,
        "suggested_fix": failure.fix if failure else None,
        "record": MessageToDict(record, preserving_proto_field_name=True) if record is not None else None,
    }
