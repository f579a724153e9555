"""`doctor`: whether this machine can run a server, and what it enforces around converters."""

import dataclasses
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ingest_grpc.cli.failures import FAILED
from ingest_grpc.cli.options import OUTPUT_OPTIONS
from ingest_grpc.cli.output import Column
from ingest_grpc.cli.serve import from_setting, load_settings_or_fail
from ingest_grpc.cli.session import Session, command

app = typer.Typer(rich_markup_mode="rich", add_completion=False)

_COLUMNS = (Column("Subject", whole=True), Column("Result"), Column("Detail"))
_RESULTS = {True: "ok", False: "missing", None: ""}


@app.command()
@partial(command, shared=OUTPUT_OPTIONS)
async def doctor(
    session: Session,
    data_dir: Annotated[Path | None, from_setting("data_dir", metavar="FOLDER", file_okay=False)] = None,
) -> int:
    """Check whether this machine can run a server, and what it enforces.

    Starts one converter as the server would and asks it which protections are in
    force; no server needs to run. Exits with 1 if something is missing.

    Examples:
      ingest-grpc doctor
      INGEST_DATA_DIR=/var/lib/ingest-grpc ingest-grpc doctor --json
    """
    from ingest_grpc.admin.doctor import examine  # noqa: PLC0415 - the server side takes a second to load

    findings = await examine(load_settings_or_fail({"data_dir": data_dir}))
    output = session.output
    if output.as_json:
        output.value({"findings": [dataclasses.asdict(each) for each in findings]})
    else:
        output.table(_COLUMNS, [[each.subject, _RESULTS[each.ok], each.detail] for each in findings])
        output.notes(("fix", f"{each.subject}: {each.fix}", "yellow") for each in findings if each.ok is False)
    return FAILED if any(each.ok is False for each in findings) else 0
