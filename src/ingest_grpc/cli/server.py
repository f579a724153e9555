"""`server …`: what a server is and can do."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from ingest_grpc.cli.options import teaches
from ingest_grpc.cli.session import Session, command
from ingest_grpc.cli.words import human_bytes, human_seconds, plural, word

if TYPE_CHECKING:
    from ingest_grpc.client.messages import GetServerInfoResponse, ServerLimits

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, add_completion=False)


@app.callback()
@teaches
def server() -> None:
    """Ask a server what it is and can do.

    Example:
      ingest-grpc server info
    """


@app.command("info")
@command
async def info(session: Session) -> None:
    """Show version, limits, content types and protections of the server.

    Examples:
      ingest-grpc server info
      ingest-grpc --address 10.0.0.5:50061 server info --json
    """
    async with session.connect() as client:
        found = await client.server_info()
    if session.output.as_json:
        session.output.message(found)
    else:
        session.output.fields({"server": session.options.target} | _fields(found) | _limits(found.limits))


def _fields(found: "GetServerInfoResponse") -> dict[str, str]:
    enforced = [each.name for each in found.protections if each.enforced]
    missing = [each.name for each in found.protections if not each.enforced]
    return {
        "version": found.version,
        "ledger": found.ledger_id,
        "default method": word(found, "default_method"),
        "engines": ", ".join(f"{each.name} {each.version}" for each in found.engines),
        "embedders": ", ".join(found.embedders) or "none",
        "content types": ", ".join(found.content_types),
        "sandbox": ", ".join(enforced) + (f" (not on this machine: {', '.join(missing)})" if missing else ""),
        "sandbox required": "yes" if found.sandbox_required else "no",
    }


def _limits(limits: "ServerLimits") -> dict[str, str]:
    return {
        "workers": f"{limits.workers:,}",
        "file": human_bytes(limits.max_file_bytes),
        "converted file": human_bytes(limits.max_document_bytes),
        "expanded": human_bytes(limits.max_expanded_bytes),
        "pages": f"{limits.max_pages:,} of {limits.max_page_points:,g} points",
        "pixels": f"{limits.max_image_pixels:,}",
        "parts": f"{limits.max_entries:,}, nested {limits.max_nesting} deep",
        "table cells": f"{limits.max_table_cells:,}",
        "Markdown": human_bytes(limits.max_output_bytes),
        "records per job": f"{limits.max_records_per_job:,}",
        "files per call": f"{limits.max_files_per_call:,}",
        "conversion time": f"{human_seconds(limits.conversion_timeout_seconds)} in all, "
        f"{human_seconds(limits.conversion_stall_seconds)} without progress",
        "conversion memory": human_bytes(limits.conversion_memory_bytes),
        "watches": f"{limits.max_watchers:,} at once, {limits.team_max_watchers:,} by a team, "
        f"{limits.job_max_watchers:,} of a job",
        "prompts": human_bytes(limits.max_prompt_bytes),
        "labels": f"{limits.max_labels:,} a job, "
        f"key and value of up to {limits.max_label_characters:,} characters each",
        "team": ", ".join(_of_a_team(limits)) or "no limits",
    }


def _of_a_team(limits: "ServerLimits") -> Iterator[str]:
    if limits.HasField("team_max_queued"):
        yield f"{limits.team_max_queued:,} files queued"
    if limits.HasField("team_max_running"):
        yield f"{limits.team_max_running:,} converted at once"
    if limits.HasField("team_max_bytes"):
        yield f"{human_bytes(limits.team_max_bytes)} stored"
    if limits.team_max_uploads:  # a server of an earlier version does not tell it
        yield f"{plural(limits.team_max_uploads, 'upload')} unfinished"
    if limits.HasField("team_calls_per_second"):
        yield f"{limits.team_calls_per_second:,g} calls/s"
