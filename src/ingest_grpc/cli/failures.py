"""How a command fails: every exception becomes what went wrong, what to do about it, and an exit code."""

import asyncio
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest_grpc.cli.advice import REFUSED
from ingest_grpc.errors import IngestError, Reason

if TYPE_CHECKING:
    from ingest_grpc.client.errors import IngestCallError
    from ingest_grpc.errors import Violation

FAILED = 1
"""A file failed, or the server refused the call."""
USAGE = 2
"""The command line is wrong."""
UNREACHABLE = 3
"""No server answered."""
INTERRUPTED = 130
"""Ctrl-C, as shells count it."""

_SETTINGS_FIX = "Correct the flag, the INGEST_… variable or the line of the file that INGEST_CONFIG names."


@dataclass
class Failure(Exception):
    """The end of a command: what went wrong, what to do about it, and its exit code.

    Of a refused call also the reason, the name of the gRPC code, and the fields that are wrong; else they are empty.
    """

    message: str
    fix: str
    exit_code: int = FAILED
    reason: str = ""
    code: str = ""
    violations: "Sequence[Violation]" = ()

    def __str__(self) -> str:
        return self.message


def wrong_command_line(error: Any) -> Failure:
    """The failure for what Typer finds wrong with the words of a command: its UsageError."""
    command = error.ctx.command_path if error.ctx else "ingest-grpc"
    return Failure(error.format_message(), f"See '{command} --help'.", USAGE)


def invalid_settings(wrong: Iterable[str], fix: str = _SETTINGS_FIX) -> Failure:
    """The failure for settings: a line for each thing that is wrong, which names its setting."""
    return Failure("\n  ".join(["Invalid settings.", *wrong]), fix, USAGE)


def explain(error: Exception, target: str = "the server") -> Failure:
    """The failure that tells a person about `error`; `target` names the server that was called."""
    if isinstance(error, Failure):
        return error
    for translate in (_from_client, _from_ledger, _from_system):
        if failure := translate(error, target):
            return failure
    return Failure(
        f"Unexpected {type(error).__name__}: {error}", "Please report this; the server keeps what it stored."
    )


def _from_client(error: Exception, target: str) -> Failure | None:
    from grpc import StatusCode  # noqa: PLC0415 - see Session.connect

    from ingest_grpc.client.errors import (  # noqa: PLC0415 - see Session.connect
        ClientError,
        IngestCallError,
        InvalidOption,
    )

    if not isinstance(error, ClientError):
        return None
    if isinstance(error, InvalidOption):
        return Failure(str(error), _OPTION_FIX, USAGE)
    if not isinstance(error, IngestCallError):
        return Failure(str(error) or type(error).__name__, "Try again; if it happens again, report it.")
    if error.reason:
        return _refusal(error)
    if error.code is StatusCode.UNAVAILABLE:
        return _unreachable(target, error.message)
    if error.code is StatusCode.DEADLINE_EXCEEDED:
        return Failure(
            f"{target} did not answer in time.", "Check that the server is healthy, then try again.", UNREACHABLE
        )
    return Failure(
        _with_details(error.message, error), f"Check that {target} is an ingest-grpc server of this version."
    )


_OPTION_FIX = "Correct --address (INGEST_ADDRESS) or --api-key (INGEST_API_KEY)."


def _refusal(error: "IngestCallError") -> Failure:
    message, fix = error.message, REFUSED.get(error.reason, error.suggested_fix)
    if error.reason == Reason.FILE_NOT_FOUND:
        # The catalogue's words are kept to the letter, and name neither.
        if file_id := error.metadata.get("file_id"):
            message = f"{message} ({file_id})"
        elif path := error.metadata.get("path"):
            message = f"{message} ({path})"
            fix = "Verify the URL, and that the server may read what is there."
    return Failure(
        _with_details(message, error),
        fix or "Correct the request and try again.",
        reason=error.reason,
        code=error.code.name,
        violations=error.violations,
    )


def _with_details(message: str, error: Exception) -> str:
    """The message, every violation that it does not name itself, and the id of an unexpected failure in the log."""
    violations = [f"{each.field}: {each.description}" for each in getattr(error, "violations", ())]
    lines = [message, *(f"  {line}" for line in violations if line not in message)]
    if request_id := getattr(error, "request_id", ""):
        lines.append(f"  call_id in the server's log: {request_id}")
    return "\n".join(lines)


def _unreachable(target: str, detail: str) -> Failure:
    fix = f"Start one with 'ingest-grpc serve --address {target}', or name another with --address or INGEST_ADDRESS."
    if "handshake" in detail.lower() or "ssl" in detail.lower():
        fix = "Use --tls or --tls-ca FILE if the server has a certificate, and neither if it has none."
    return Failure(f"No server can be reached at {target}.", fix, UNREACHABLE)


def _from_ledger(error: Exception, target: str) -> Failure | None:
    """What the commands that open a data folder themselves meet."""
    from ingest_grpc.config import WrongSetting  # noqa: PLC0415 - kept with its siblings

    if isinstance(error, WrongSetting):
        return invalid_settings([str(error)])
    if isinstance(error, IngestError):
        return Failure(error.message, error.suggested_fix, reason=error.reason)
    fix = getattr(error, "fix", None)
    return Failure(str(error), fix) if isinstance(fix, str) else None


def _from_system(error: Exception, target: str) -> Failure | None:
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return Failure(
            f"{target} did not answer in time.", "Check that the server is healthy, then try again.", UNREACHABLE
        )
    if isinstance(error, OSError) and error.errno is not None:
        where = f"{error.filename}: " if error.filename else ""
        return Failure(f"{where}{os.strerror(error.errno)}", "Check the path, its permissions and the free space.")
    return None
