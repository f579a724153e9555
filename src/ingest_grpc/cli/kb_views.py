"""How knowledge bases, their sources, files and chunks look."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from ingest_grpc.cli.outcomes import exit_code, show_outcomes
from ingest_grpc.cli.output import Column, Output
from ingest_grpc.cli.views import STYLES
from ingest_grpc.cli.words import day_and_time, human_bytes, plural, printable, shortened, word

if TYPE_CHECKING:
    from ingest_grpc.client.messages import (
        Chunk,
        DataSource,
        FileStatus,
        GetFileStatusCountsResponse,
        Job,
        KnowledgeBase,
        KnowledgeBaseFile,
        RemoveFileResult,
        SearchResult,
        SyncSummary,
    )

TEXT_WIDTH = 400
COLUMNS = (
    Column("Knowledge base", whole=True),
    Column("Name"),
    Column("Files", number=True),
    Column("Chunks", number=True),
    Column("Embedder", spare=True),
    Column("Created", whole=True, spare=True),
)
SOURCE_COLUMNS = (
    Column("Data source", whole=True),
    Column("Name"),
    Column("Files", number=True),
    Column("Last sync", spare=True),
)
FILE_COLUMNS = (
    Column("File", whole=True),
    Column("Key"),
    Column("Status", whole=True),
    Column("Chunks", number=True),
    Column("Size", number=True, spare=True),
)
CHUNK_COLUMNS = (Column("#", number=True), Column("Headings", spare=True), Column("Text"))


def _status(name: str) -> Text:
    return Text(name, STYLES.get(name, ""))


def row(value: "KnowledgeBase") -> Sequence[str | Text]:
    """A line of the list."""
    created = day_and_time(value.created_at)
    files, chunks = f"{value.files_total:,}", f"{value.chunks_total:,}"
    return value.knowledge_base_id, printable(value.name), files, chunks, value.embedding.embedder, created


def show_knowledge_base(output: Output, value: "KnowledgeBase") -> None:
    """All of it."""
    if output.as_json:
        output.message(value)
        return
    chunking = value.chunking
    output.fields(
        {
            "Knowledge base": value.knowledge_base_id,
            "Name": printable(value.name),
            "Description": printable(value.description) or None,
            "Embedder": f"{value.embedding.embedder} ({value.embedding.dimension} dimensions)",
            "Chunks": f"{value.chunks_total:,}, of at most {chunking.max_tokens} tokens",
            "Files": f"{value.files_total:,}, {value.files_searchable:,} searchable",
            "Data sources": f"{value.data_sources_total:,}",
            "Created": day_and_time(value.created_at),
            "Deleted": day_and_time(value.deleted_at) if value.HasField("deleted_at") else None,
        }
    )


def _summary(value: "SyncSummary") -> str:
    counts = f"{value.new:,} new, {value.modified:,} modified, {value.deleted:,} deleted, {value.unchanged:,} unchanged"
    return f"{counts}, {value.failed:,} failed" if value.failed else counts


def source_row(value: "DataSource") -> Sequence[str | Text]:
    """A line of the list."""
    last = _summary(value.last_sync) if value.HasField("last_sync") else "never"
    return value.data_source_id, printable(value.name), f"{value.files_total:,}", last


def show_source(output: Output, value: "DataSource") -> None:
    """All of it."""
    if output.as_json:
        output.message(value)
        return
    output.fields(
        {
            "Data source": value.data_source_id,
            "Name": printable(value.name),
            "Of": value.knowledge_base_id,
            "URL": printable(value.url) or None,
            "Include": _patterns(value.include_patterns),
            "Exclude": _patterns(value.exclude_patterns),
            "Files": f"{value.files_total:,}",
            "Last sync": _summary(value.last_sync) if value.HasField("last_sync") else "never",
            "Next sync": day_and_time(value.next_sync_at) if value.HasField("next_sync_at") else None,
            "Running": value.running_job_id or None,
        }
    )


def _patterns(patterns: Iterable[str]) -> str | None:
    return printable(", ".join(patterns)) or None


def files_met(source: "DataSource") -> int:
    """How many files the last sync saw, whatever became of them."""
    last = source.last_sync
    return last.new + last.modified + last.deleted + last.unchanged + last.failed


def show_sync(output: Output, source: "DataSource") -> None:
    """What a sync found."""
    if output.as_json:
        output.message(source)
        return
    last = source.last_sync
    output.line(f"{_summary(last)}" if last.job_id else f"nothing changed: {plural(last.unchanged, 'file')} as before")


def show_job(output: Output, job: "Job") -> None:
    """How a job of a knowledge base ended."""
    if output.as_json:
        output.message(job)
        return
    output.line(f"{word(job, 'status')}: {job.status_message} {plural(job.chunks_created, 'chunk')}.")
    for reason in job.review_reasons:
        output.line(f"  {printable(reason.filename)}: {reason.message} {reason.suggested_fix}")


def _named(value: "Chunk | KnowledgeBaseFile") -> str:
    """What a person knows the file by: its key in the source; that of an upload is its id, which says nothing."""
    return value.filename if value.key == value.file_id else value.key


def file_row(value: "KnowledgeBaseFile") -> Sequence[str | Text]:
    """A line of the list."""
    status = _status(word(value, "status"))
    return value.file_id, printable(_named(value)), status, f"{value.chunks:,}", human_bytes(value.size_bytes)


def show_counts(output: Output, value: "GetFileStatusCountsResponse") -> None:
    """Files per status."""
    if output.as_json:
        output.message(value)
        return
    output.fields(
        {word(each, "status"): f"{each.count:,}" for each in value.counts} | {"all": f"{value.total_count:,}"}
    )


def show_status(output: Output, value: "FileStatus") -> None:
    """Where one file stands."""
    if output.as_json:
        output.message(value)
        return
    errors = [f"{each.error.message} {each.error.suggested_fix}" for each in value.errors]
    output.fields(
        {
            "File": value.file_id,
            "Status": _status(word(value, "status")),
            "Since": day_and_time(value.effective_at),
            "Searchable since": day_and_time(value.deployed_at) if value.HasField("deployed_at") else None,
            "Chunks": f"{value.chunks:,}",
            "Job": value.job_id or None,
            "Error": "; ".join(errors) or None,
            "Lost": "; ".join(map(printable, value.losses)) or None,
        }
    )


def show_removed(output: Output, results: "Iterable[RemoveFileResult]") -> int:
    """What became of each file; the exit code."""
    listed = list(results)
    if output.as_json:
        for each in listed:
            output.message(each)
    else:
        show_outcomes(output, listed)
    return exit_code(listed)


def chunk_row(value: "Chunk") -> Sequence[str | Text]:
    """A line of the list."""
    headings = " > ".join(value.heading_path)
    return str(value.ordinal), printable(headings), printable(shortened(" ".join(value.text.split()), TEXT_WIDTH))


def show_results(output: Output, results: "Sequence[SearchResult]") -> None:
    """What was found, best first."""
    if output.as_json:
        for each in results:
            output.message(each)
        return
    if not results:
        output.line("Nothing was found.")
    for number, each in enumerate(results, 1):
        chunk = each.chunk
        headings = f"  {' > '.join(chunk.heading_path)}" if chunk.heading_path else ""
        output.line(Text(f"{number}. {printable(_named(chunk))}{printable(headings)}  ({each.score:.3f})", "bold"))
        output.line(f"   {printable(shortened(' '.join(chunk.text.split()), TEXT_WIDTH))}")
