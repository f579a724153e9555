"""Errors as google.rpc.Status: what leaves the service when a call fails.

The details are those of https://google.aip.dev/193. A status travels base64-encoded in the trailers, whose limit is
8 KiB with many clients; a larger one would reach them as RESOURCE_EXHAUSTED without any detail. So it is trimmed.
"""

from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from ingest_grpc.errors import DOMAIN, Code, IngestError, Precondition

MAX_STATUS_BYTES = 4_096
MAX_VIOLATIONS = 20

_MAX_MESSAGE_BYTES = 512
_MAX_TEXT_BYTES = 256
_MAX_METADATA = 8
_MAX_VALUE_BYTES = 128
_CODES = {code: code_pb2.Code.Value(code.name) for code in Code}


def status(error: IngestError) -> status_pb2.Status:
    """The status of an error, at most 4 KiB: as many of the first 20 violations as fit, the rest only counted.

    An error has violations either of its request or of preconditions.
    """
    shown = min(max(len(error.violations), len(error.preconditions)), MAX_VIOLATIONS)
    built = _status(error, shown)
    while built.ByteSize() > MAX_STATUS_BYTES and shown:
        shown -= 1
        built = _status(error, shown)
    return built


def _status(error: IngestError, shown: int) -> status_pb2.Status:
    built = status_pb2.Status(code=_CODES[error.entry.code], message=_cut(error.message, _MAX_MESSAGE_BYTES))
    for detail in _details(error, shown, built.message):
        built.details.add().Pack(detail)
    return built


def _details(error: IngestError, shown: int, message: str) -> list[Message]:
    violations, preconditions = error.violations[:shown], error.preconditions[:shown]
    omitted = max(error.violations_total, len(error.violations)) - len(violations)
    omitted += max(error.preconditions_total, len(error.preconditions)) - len(preconditions)
    details: list[Message] = [_error_info(error, omitted)]
    if violations:
        request = error_details_pb2.BadRequest()
        for wrong in violations:
            request.field_violations.add(
                field=_cut(wrong.field, _MAX_TEXT_BYTES), description=_cut(wrong.description, _MAX_TEXT_BYTES)
            )
        details.append(request)
    subject = _cut(error.resource[1] if error.resource else "", _MAX_VALUE_BYTES)
    if error.entry.code is Code.FAILED_PRECONDITION:
        failed = [Precondition(one.type, one.subject, _cut(one.description, _MAX_TEXT_BYTES)) for one in preconditions]
        whole = [Precondition(error.reason, subject, message)]
        details.append(error_details_pb2.PreconditionFailure(violations=map(_precondition, failed or whole)))
    if error.entry.code is Code.RESOURCE_EXHAUSTED:
        quota = error_details_pb2.QuotaFailure()
        quota.violations.add(subject=subject or DOMAIN, description=message)
        details.append(quota)
    if error.resource:
        details.append(
            error_details_pb2.ResourceInfo(
                resource_type=_cut(error.resource[0], _MAX_VALUE_BYTES), resource_name=subject, description=message
            )
        )
    if error.retry_after_seconds is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMicroseconds(round(error.retry_after_seconds * 1_000_000))
        details.append(retry)
    return details


def _precondition(value: Precondition) -> Message:
    failed: Message = error_details_pb2.PreconditionFailure.Violation(
        type=_cut(value.type, _MAX_VALUE_BYTES),
        subject=_cut(value.subject, _MAX_VALUE_BYTES),
        description=value.description,
    )
    return failed


def _error_info(error: IngestError, violations_omitted: int) -> error_details_pb2.ErrorInfo:
    """The reason, every dynamic part of the message, and what a caller needs where it does not know the reason."""
    metadata = {
        "suggested_fix": error.suggested_fix,
        "retryable": str(error.entry.retryable).lower(),
    }
    if violations_omitted:
        metadata["violations_omitted"] = str(violations_omitted)
    # The catalogue's placeholders are few and short; the limits stand against what a caller's text may bring in.
    for key, value in list(error.metadata.items())[:_MAX_METADATA]:
        metadata.setdefault(key, _cut(value, _MAX_VALUE_BYTES))
    return error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)


def _cut(text: str, max_bytes: int) -> str:
    """The beginning of a text in at most so many bytes of UTF-8, with an ellipsis where something is missing."""
    encoded = text.encode()
    if len(encoded) <= max_bytes:
        return text
    return encoded[: max_bytes - 3].decode(errors="ignore") + "…"
