"""`serve`: the server, with the settings that operators change most as flags."""

import os
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingest_grpc.cli.failures import INTERRUPTED, USAGE, Failure, explain, invalid_settings
from ingest_grpc.cli.options import Options, teaches
from ingest_grpc.cli.output import Output
from ingest_grpc.config import Settings, load_settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

app = typer.Typer(rich_markup_mode="rich", add_completion=False)


def from_setting(name: str, **more: Any) -> Any:
    """An option for a setting: its flag, its description and its default are those of the setting."""
    field = Settings.model_fields[name]
    default = f"; default {field.default}" if field.default not in {None, False} else ""
    return typer.Option(f"--{name.replace('_', '-')}", help=f"{field.description}{default}", **more)


@app.command()
@teaches
def serve(  # long: one parameter per flag
    context: typer.Context,
    address: Annotated[str | None, from_setting("address", metavar="HOST:PORT")] = None,
    data_dir: Annotated[Path | None, from_setting("data_dir", metavar="FOLDER", file_okay=False)] = None,
    blobs_url: Annotated[str | None, from_setting("blobs_url", metavar="URL")] = None,
    workers: Annotated[int | None, from_setting("workers", metavar="N")] = None,
    insecure: Annotated[bool | None, from_setting("insecure", metavar="")] = None,
    tls_certificate: Annotated[Path | None, from_setting("tls_certificate", metavar="FILE")] = None,
    tls_key: Annotated[Path | None, from_setting("tls_key", metavar="FILE")] = None,
    log_level: Annotated[str | None, from_setting("log_level", metavar="LEVEL")] = None,
    log_json: Annotated[bool | None, from_setting("log_json", metavar="")] = None,
    conversion_timeout_seconds: Annotated[float | None, from_setting("conversion_timeout_seconds", metavar="S")] = None,
    conversion_memory_bytes: Annotated[int | None, from_setting("conversion_memory_bytes", metavar="BYTES")] = None,
    max_file_bytes: Annotated[int | None, from_setting("max_file_bytes", metavar="BYTES")] = None,
    max_failures: Annotated[int | None, from_setting("max_failures", metavar="N")] = None,
    shutdown_grace_seconds: Annotated[float | None, from_setting("shutdown_grace_seconds", metavar="S")] = None,
    ready_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="written with the address once the server answers, for scripts that wait",
        ),
    ] = None,
) -> None:
    """Run the server until SIGTERM or Ctrl-C.

    Every setting can also be given as an environment variable, for example
    INGEST_WORKERS for --workers, or in the TOML file that INGEST_CONFIG names;
    a flag wins over both. docs/operations.md lists all settings.

    Examples:
      ingest-grpc serve
      ingest-grpc serve --address 127.0.0.1:0 --data-dir /tmp/try --workers 4
      ingest-grpc serve --address 0.0.0.0:50061 --insecure --log-json
    """
    flags = {name: value for name, value in context.params.items() if name != "ready_file"}
    outer = context.obj if isinstance(context.obj, Options) else Options()
    flags["address"] = address or outer.address
    raise typer.Exit(_run(flags, ready_file))


def _run(flags: dict[str, Any], ready_file: Path | None) -> int:
    try:
        settings = load_settings_or_fail(flags)
        if ready_file is not None:
            _require_writable(ready_file.absolute().parent, settings.data_dir.absolute())
        for name in unknown_variables(os.environ):
            Output().hint(f"{name} is no setting and has no effect.{_meant(name)}")
        # The server side takes a second to load, and no help page needs it.
        from ingest_grpc.app import serve as run_server  # noqa: PLC0415

        return run_server(settings, ready_file)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one exit: an operator meets an error and a fix, never a stack trace
        failure = explain(error)
        Output().failure(failure)
        return failure.exit_code


def _require_writable(folder: Path, data_dir: Path) -> None:
    """Raises Failure unless the ready file can be written; the start makes the data folder and those around it."""
    if not os.access(folder, os.W_OK | os.X_OK) and folder not in (data_dir, *data_dir.parents):
        raise Failure(f"--ready-file cannot be written in {folder}.", "Make the folder, or name another.", USAGE)


def unknown_variables(environment: Iterable[str]) -> list[str]:
    """Variables that look like settings and are none: a misspelt one would leave its default in force unseen."""
    return sorted(name for name in environment if name.startswith("INGEST_") and name not in _VARIABLES)


def _meant(name: str) -> str:
    close = get_close_matches(name, _VARIABLES, n=1)
    return f" Did you mean {close[0]}?" if close else ""


_VARIABLES = frozenset(
    {f"INGEST_{name.upper()}" for name in Settings.model_fields} | {"INGEST_CONFIG", "INGEST_API_KEY"}
)


def load_settings_or_fail(flags: dict[str, Any]) -> Settings:
    """Settings from flags, environment and file. Raises Failure that names what is wrong."""
    # The library reads a file that is not there as an empty one: a server would start with another data folder.
    if (file := os.environ.get("INGEST_CONFIG")) and not Path(file).is_file():
        raise Failure(f"There is no file {file}, which INGEST_CONFIG names.", "Correct it, or unset it.", USAGE)
    # Only for their names.
    from pydantic import ValidationError  # noqa: PLC0415
    from pydantic_settings import SettingsError  # noqa: PLC0415

    try:
        return load_settings(**flags)
    except ValidationError as error:
        raise invalid_settings(map(_told, error.errors())) from error
    except SettingsError as error:  # a list or a table that is no JSON: the library names the setting
        raise invalid_settings([str(error)], _JSON_FIX) from error
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise invalid_settings([f"{file}: {error}"]) from error


def _told(error: "ErrorDetails") -> str:
    """What is wrong with a setting, which is named; with several together, which the message names itself."""
    name, message = ".".join(map(str, error["loc"])), error["msg"].removeprefix("Value error, ")
    return f"{name}: {message}" if name else message


_JSON_FIX = """Write lists and tables as JSON, for example INGEST_IMPORT_ROOTS='["/srv/incoming"]'."""
