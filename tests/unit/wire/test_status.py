"""Errors as google.rpc.Status."""

from typing import TypeVar

import pytest
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2
from hypothesis import given
from hypothesis import strategies as st

from ingest_grpc.errors import IngestError, Reason, Violation
from ingest_grpc.wire.status import MAX_STATUS_BYTES, status

M = TypeVar("M", bound=Message)


def details(error: IngestError, kind: type[M]) -> list[M]:
    """The details of a kind that the error's status holds."""
    found = []
    for packed in status(error).details:
        message = kind()
        if packed.Unpack(message):
            found.append(message)
    return found


def detail(error: IngestError, kind: type[M]) -> M:
    """The one detail of a kind that the error's status holds."""
    [message] = details(error, kind)
    return message


def test_status__error_info_says_reason_metadata_and_fix() -> None:
    error = IngestError(Reason.FILE_IN_USE, {"file_id": "file-1", "job_count": "2"}, resource=("File", "file-1"))
    info = detail(error, error_details_pb2.ErrorInfo)

    assert status(error).code == code_pb2.FAILED_PRECONDITION
    assert status(error).message == "The file file-1 is listed by 2 job(s)."
    assert (info.reason, info.domain) == ("FILE_IN_USE", "ingest-grpc")
    assert dict(info.metadata) == {
        "file_id": "file-1",
        "job_count": "2",
        "retryable": "false",
        "suggested_fix": "Remove it from these jobs first, or set force.",
    }


def test_status__failed_precondition_and_resource() -> None:
    error = IngestError(Reason.FILE_IN_USE, resource=("File", "file-1"))
    failed = detail(error, error_details_pb2.PreconditionFailure)
    resource = detail(error, error_details_pb2.ResourceInfo)

    assert (failed.violations[0].type, failed.violations[0].subject) == ("FILE_IN_USE", "file-1")
    assert (resource.resource_type, resource.resource_name) == ("File", "file-1")
    assert not details(error, error_details_pb2.RetryInfo)


def test_status__the_etag_of_any_resource_names_no_kind() -> None:
    error = IngestError(Reason.ETAG_MISMATCH, {"expected_etag": "a", "actual_etag": "b"}, resource=("File", "file-1"))

    assert "job" not in f"{error.message} {error.suggested_fix}".lower()
    assert detail(error, error_details_pb2.ResourceInfo).resource_type == "File"


def test_status__what_ends_a_watch_tells_both_kinds_how_to_resume() -> None:
    for reason in (Reason.STREAM_ROTATED, Reason.SERVER_DRAINING, Reason.WATCHER_TOO_SLOW):
        assert "sequence or resume_token" in IngestError(reason).suggested_fix


def test_status__violations_that_were_only_counted_are_omitted() -> None:
    error = IngestError(Reason.INVALID_FIELD, violations=[Violation("f", "bad")] * 20, violations_total=2_000_000)

    assert detail(error, error_details_pb2.ErrorInfo).metadata["violations_omitted"] == "1999980"


def test_status__exhausted_resource_says_when_to_retry() -> None:
    error = IngestError(Reason.SERVER_BUSY, retry_after_seconds=1.5)

    assert detail(error, error_details_pb2.QuotaFailure).violations[0].description.startswith("The server has more")
    assert detail(error, error_details_pb2.RetryInfo).retry_delay.ToMilliseconds() == 1_500


def test_status__retry_at_once_is_said() -> None:
    retry = detail(IngestError(Reason.STREAM_ROTATED, retry_after_seconds=0), error_details_pb2.RetryInfo)

    assert retry.retry_delay.ToMilliseconds() == 0


@pytest.mark.parametrize("count", [1, 20, 21, 300])
def test_status__at_most_20_violations_the_rest_counted(count: int) -> None:
    error = IngestError(Reason.INVALID_ID, violations=[Violation(f"files[{i}].file_id", "bad") for i in range(count)])
    shown = detail(error, error_details_pb2.BadRequest).field_violations
    metadata = detail(error, error_details_pb2.ErrorInfo).metadata

    assert [violation.field for violation in shown] == [f"files[{i}].file_id" for i in range(min(count, 20))]
    assert metadata.get("violations_omitted") == (str(count - 20) if count > 20 else None)


def test_status__long_violations_give_way_until_it_fits() -> None:
    error = IngestError(Reason.INVALID_FIELD, violations=[Violation("f" * 300, "d" * 300)] * 20)
    shown = len(detail(error, error_details_pb2.BadRequest).field_violations)

    assert 0 < shown < 20
    assert detail(error, error_details_pb2.ErrorInfo).metadata["violations_omitted"] == str(20 - shown)
    assert status(error).ByteSize() <= MAX_STATUS_BYTES


TEXT = st.text(max_size=600)


@given(
    reason=st.sampled_from(Reason),
    metadata=st.dictionaries(st.text(max_size=40), TEXT, max_size=12),
    violations=st.lists(st.builds(Violation, TEXT, TEXT), max_size=30),
    resource=st.none() | st.tuples(TEXT, TEXT),
)
def test_status__never_above_4_kib(
    reason: Reason, metadata: dict[str, str], violations: list[Violation], resource: tuple[str, str] | None
) -> None:
    error = IngestError(reason, metadata, violations, retry_after_seconds=1.0, resource=resource)

    assert status(error).ByteSize() <= MAX_STATUS_BYTES
    assert detail(error, error_details_pb2.ErrorInfo).reason == reason
