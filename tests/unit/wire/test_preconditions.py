"""What stands in the way of a call, as PreconditionFailure: one violation each, bounded like all of a status."""

import pytest
from google.rpc import error_details_pb2

from ingest_grpc.errors import IngestError, Precondition, Reason
from ingest_grpc.wire.status import MAX_STATUS_BYTES, MAX_VIOLATIONS, status
from tests.unit.wire.test_status import detail, details


def refusal(count: int, total: int | None = None, description: str = "Fix it.") -> IngestError:
    preconditions = [Precondition("RECORD_FAILED", f"ijf-{number}", description) for number in range(count)]
    return IngestError(
        Reason.NOT_READY_TO_START,
        {"review_reasons_total": str(total or count)},
        preconditions=preconditions,
        preconditions_total=total or count,
    )


def test_preconditions__are_one_violation_each() -> None:
    failed = detail(refusal(2), error_details_pb2.PreconditionFailure)
    assert [(one.type, one.subject, one.description) for one in failed.violations] == [
        ("RECORD_FAILED", "ijf-0", "Fix it."),
        ("RECORD_FAILED", "ijf-1", "Fix it."),
    ]
    assert "violations_omitted" not in detail(refusal(2), error_details_pb2.ErrorInfo).metadata


@pytest.mark.parametrize(("count", "total", "omitted"), [(21, 21, "1"), (100, 100, "80"), (100, 250, "230")])
def test_preconditions__beyond_the_first_twenty_are_counted(count: int, total: int, omitted: str) -> None:
    error = refusal(count, total)
    assert len(detail(error, error_details_pb2.PreconditionFailure).violations) == MAX_VIOLATIONS
    assert detail(error, error_details_pb2.ErrorInfo).metadata["violations_omitted"] == omitted


def test_preconditions__fit_into_a_status_whatever_they_say() -> None:
    error = refusal(20, description="ü" * 10_000)
    shown = len(detail(error, error_details_pb2.PreconditionFailure).violations)
    assert 0 < shown < MAX_VIOLATIONS
    assert detail(error, error_details_pb2.ErrorInfo).metadata["violations_omitted"] == str(20 - shown)
    assert status(error).ByteSize() <= MAX_STATUS_BYTES


def test_precondition__of_an_error_that_names_none_is_the_error_itself() -> None:
    error = IngestError(Reason.JOB_STARTED, {"job_id": "dj-1", "status": "running"}, resource=("Job", "dj-1"))
    [one] = detail(error, error_details_pb2.PreconditionFailure).violations
    assert (one.type, one.subject) == ("JOB_STARTED", "dj-1")
    assert one.description == "The job dj-1 was started: its alignment is running and its files are frozen."
    assert not details(error, error_details_pb2.BadRequest)
