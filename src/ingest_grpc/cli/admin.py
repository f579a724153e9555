"""`admin …`: API keys, backup, restore and check; they open the data folder themselves, no server is asked."""

import dataclasses
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingest_grpc.cli.failures import FAILED, Failure
from ingest_grpc.cli.options import OUTPUT_OPTIONS, flag, teaches
from ingest_grpc.cli.output import Column
from ingest_grpc.cli.serve import from_setting, load_settings_or_fail
from ingest_grpc.cli.session import Session, command
from ingest_grpc.cli.words import human_bytes, local_time, plural, rfc3339
from ingest_grpc.config import Settings
from ingest_grpc.model import Scope

if TYPE_CHECKING:
    from ingest_grpc.admin import BackupReport, RestoreReport
    from ingest_grpc.store.interface import ApiKey

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, add_completion=False)
keys_app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True)
app.add_typer(keys_app, name="keys")

local_command = partial(command, shared=OUTPUT_OPTIONS)
DataDir = Annotated[Path | None, from_setting("data_dir", metavar="FOLDER", file_okay=False)]
_KEY_COLUMNS = tuple(
    Column(heading, whole=heading == "Key") for heading in ("Key", "Team", "User", "Scopes", "Created", "Revoked")
)


@app.callback()
@teaches
def admin() -> None:
    """API keys, backup, restore and check of a data folder.

    These commands run on the server's machine and open its data folder themselves.

    Example:
      ingest-grpc admin check --data-dir ingest-data
    """


@keys_app.callback()
@teaches
def keys() -> None:
    """API keys: who may call the server, as which team.

    Example:
      ingest-grpc admin keys create --team search --user crawler --scope write
    """


@keys_app.command("create")
@local_command
async def create_key(
    session: Session,
    team: Annotated[str, typer.Option(help="Team it belongs to; all keys of a team see the same jobs and files.")],
    user: Annotated[str, typer.Option(help="Who uses it; recorded with everything that is done with it.")],
    scope: Annotated[
        list[Scope] | None,
        typer.Option(
            case_sensitive=False, metavar="SCOPE", help="read, write (default; includes read), admin (includes write)."
        ),
    ] = None,
    max_priority: Annotated[
        int, typer.Option(min=0, max=9, help="Greatest priority that its jobs may have; a greater one goes first.")
    ] = 0,
    data_dir: DataDir = None,
) -> None:
    """Create an API key and print it: once only, for the server keeps no more than its hash.

    Examples:
      ingest-grpc admin keys create --team search --user crawler
      ingest-grpc admin keys create --team search --user dashboard --scope read
    """
    from ingest_grpc.admin import create_key as create  # noqa: PLC0415 - the server side takes a second to load

    scopes = scope or [Scope.WRITE]
    key_id, secret = await create(
        _settings(data_dir),
        team=team,
        user=user,
        scopes=[each.value for each in scopes],
        max_priority=max_priority,
    )
    if session.output.as_json:
        session.output.value({"key_id": key_id, "secret": secret})
    else:
        session.output.line(secret)
        session.output.hint(
            f"This is the key {key_id}; it is not shown again. Callers send it as INGEST_API_KEY or --api-key."
        )


@keys_app.command("list")
@local_command
async def list_keys(session: Session, data_dir: DataDir = None) -> None:
    """List API keys, without their secrets.

    Example:
      ingest-grpc admin keys list --data-dir ingest-data
    """
    from ingest_grpc.admin import list_keys as find  # noqa: PLC0415 - see create_key

    found = await find(_settings(data_dir))
    if session.output.as_json:
        for key in found:
            session.output.value(_key_as_json(key))
        return
    rows = [
        (
            key.key_id,
            key.team_id,
            key.user_id,
            " ".join(sorted(key.scopes)),
            local_time(key.created_at),
            "" if key.revoked_at is None else local_time(key.revoked_at),
        )
        for key in found
    ]
    session.output.table(_KEY_COLUMNS, rows, "No API keys; 'ingest-grpc admin keys create' makes one.")


@keys_app.command("revoke")
@local_command
async def revoke_key(
    session: Session,
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="The key's id, as 'admin keys list' shows it.")],
    data_dir: DataDir = None,
) -> None:
    """Revoke an API key: calls with it are refused from now on.

    Example:
      ingest-grpc admin keys revoke key-2f0b…
    """
    from ingest_grpc.admin import revoke_key as revoke  # noqa: PLC0415 - see create_key

    if not await revoke(_settings(data_dir), key_id):
        raise Failure(f"There is no live key {key_id}.", "Use an id of 'ingest-grpc admin keys list'.")
    if session.output.as_json:
        session.output.value({"key_id": key_id, "revoked": True})
    else:
        session.output.line(f"{key_id} revoked")


@app.command("backup")
@local_command
async def backup(
    session: Session,
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="Folder to make; must not exist or be empty.")],
    data_dir: DataDir = None,
) -> int:
    """Copy the ledger and the files to another folder, while the server runs or not.

    Exit code 1 if the bytes of some files are lost.

    Example:
      ingest-grpc admin backup /backup/2026-03-01 --data-dir ingest-data
    """
    from ingest_grpc.admin import backup as make  # noqa: PLC0415 - see create_key

    return _show_report(session, await make(_settings(data_dir), destination))


@app.command("restore")
@local_command
async def restore(
    session: Session,
    source: Annotated[Path, typer.Argument(metavar="SRC", exists=True, help="A backup that 'admin backup' made.")],
    data_dir: DataDir = None,
) -> int:
    """Make a data folder of a backup; its ledger gets a new identity, so that watchers start afresh.

    Exit code 1 if the bytes of some files are lost.

    Example:
      ingest-grpc admin restore /backup/2026-03-01 --data-dir ingest-data-restored
    """
    from ingest_grpc.admin import restore as bring_back  # noqa: PLC0415 - see create_key

    return _show_report(session, await bring_back(_settings(data_dir), source))


@app.command("check")
@local_command
async def check(
    session: Session,
    repair: Annotated[bool, flag("--repair", help="Mend what can be mended; no server may run on it.")] = False,
    data_dir: DataDir = None,
) -> int:
    """Recount everything in the ledger, and compare it with the stored files.

    Changes nothing unless it may repair. Exit code 1 if something is wrong.

    Examples:
      ingest-grpc admin check
      ingest-grpc admin check --data-dir ingest-data --repair
    """
    from ingest_grpc.admin import check as examine  # noqa: PLC0415 - see create_key

    report = await examine(_settings(data_dir), repair=repair)
    if session.output.as_json:
        session.output.value(report)
    else:
        session.output.fields({name.replace("_", " "): f"{count:,}" for name, count in report.checked.items()})
        _show_lines(session, repaired=report.repaired, problem=report.problems)
        session.output.line(plural(len(report.problems), "problem") if report.problems else "No problems.")
    return FAILED if report.problems else 0


def _key_as_json(key: "ApiKey") -> dict[str, Any]:
    return dataclasses.asdict(key) | {
        "scopes": sorted(key.scopes),
        "created_at": rfc3339(key.created_at),
        "revoked_at": None if key.revoked_at is None else rfc3339(key.revoked_at),
    }


def _settings(data_dir: Path | None) -> Settings:
    return load_settings_or_fail({"data_dir": data_dir})


def _show_report(session: Session, report: "BackupReport | RestoreReport") -> int:
    """Prints the report; returns the exit code."""
    if session.output.as_json:
        session.output.value(report)
    else:
        values = dataclasses.asdict(report) | {"blob_bytes": human_bytes(report.blob_bytes)}
        figures = {name.replace("_", " "): str(value) for name, value in values.items() if not isinstance(value, list)}
        session.output.fields(figures)
        _show_lines(session, note=report.notes, problem=report.problems)
    return FAILED if report.problems else 0


def _show_lines(session: Session, **lines: list[str]) -> None:
    session.output.notes((label, each, _LINE_STYLES.get(label, "dim")) for label in lines for each in lines[label])


_LINE_STYLES = {"problem": "red", "repaired": "green"}
