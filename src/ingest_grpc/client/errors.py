"""What the client raises, and how a gRPC status becomes one of these."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status

from ingest_grpc.errors import DOMAIN, Violation

STATUS_DETAILS_KEY = "grpc-status-details-bin"

_RETRYABLE_CODES = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED})


class ClientError(Exception):
    """Anything that the client raises on its own account."""


class ClientClosed(ClientError):
    """The client was closed, before the call or while it ran."""


class InvalidOption(ClientError, ValueError):
    """The client cannot be made like this: the message says what is wrong with its target or its API key."""


class ProtocolError(ClientError):
    """The server broke its contract, for example by a gap in the sequences of a watch. Please report it."""


class ContentMismatch(ProtocolError):
    """A download does not have the size or the SHA-256 that the server has on record for the file."""


@dataclass(eq=False)
class IngestCallError(ClientError):
    """A call that the server refused or that never reached it.

    `reason` is ErrorInfo.reason, for example "JOB_NOT_FOUND"; empty where the failure did not come from the
    service itself (a lost connection, a proxy). `metadata` holds every dynamic part of the message.
    `violations` name the fields of the request that are wrong. `retry_after` is how many seconds the server
    asks to wait (0 = try again at once), None where it does not say. `request_id` identifies an unexpected
    failure in the server's log.

        try:
            client.get_job(job_id)
        except IngestCallError as error:
            if error.reason == "JOB_NOT_FOUND": ...
    """

    code: grpc.StatusCode
    message: str
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: Sequence[Violation] = ()
    retry_after: float | None = None
    request_id: str = ""

    def __str__(self) -> str:
        return f"{self.reason or self.code.name}: {self.message}"

    @property
    def suggested_fix(self) -> str:
        """What the user can do about it, in the server's words; empty where nobody knows."""
        return self.metadata.get("suggested_fix", "")

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later: as the server says, else judged by the code."""
        told = self.metadata.get("retryable")
        return told == "true" if told else self.code in _RETRYABLE_CODES


def call_error(code: grpc.StatusCode, message: str | None, trailing_metadata: Iterable[Any] | None) -> IngestCallError:
    """The error for a gRPC status, with the google.rpc details of its trailing metadata (pairs) where it has any."""
    error = IngestCallError(code, message or code.name)
    for key, value in trailing_metadata or ():
        if key == STATUS_DETAILS_KEY and isinstance(value, bytes):
            _read_status(error, value)
    return error


def stalled(seconds: float) -> IngestCallError:
    """The error for a stream that was silent for too long."""
    return IngestCallError(grpc.StatusCode.UNAVAILABLE, f"No message came for {seconds:g} seconds.")


def _read_status(error: IngestCallError, encoded: bytes) -> None:
    # Details that cannot be read must not hide the error that they belong to.
    with suppress(DecodeError):
        for detail in Status.FromString(encoded).details:
            _read_detail(error, detail)


def _read_detail(error: IngestCallError, detail: AnyMessage) -> None:
    match detail.TypeName():
        case "google.rpc.ErrorInfo":
            info = ErrorInfo.FromString(detail.value)
            error.reason = info.reason if info.domain == DOMAIN else ""
            error.metadata = dict(info.metadata)
            error.request_id = error.request_id or info.metadata.get("call_id", "")
        case "google.rpc.BadRequest":
            violations = BadRequest.FromString(detail.value).field_violations
            error.violations = tuple(Violation(each.field, each.description) for each in violations)
        case "google.rpc.RetryInfo":
            error.retry_after = RetryInfo.FromString(detail.value).retry_delay.ToTimedelta().total_seconds()
        case "google.rpc.RequestInfo":
            error.request_id = RequestInfo.FromString(detail.value).request_id
        case _:  # Other kinds of detail repeat in another form what these say.
            pass
