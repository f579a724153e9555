import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, Help, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status

from ingest_grpc.client.errors import STATUS_DETAILS_KEY, IngestCallError, call_error
from ingest_grpc.errors import Violation

VIOLATION = BadRequest.FieldViolation(field="files[3].file_id", description="is malformed")


def decoded(*details: Message) -> IngestCallError:
    status = Status(code=grpc.StatusCode.INVALID_ARGUMENT.value[0])
    for detail in details:
        status.details.add().Pack(detail)
    pairs = [("x-other", "1"), (STATUS_DETAILS_KEY, status.SerializeToString())]
    return call_error(grpc.StatusCode.INVALID_ARGUMENT, "It is wrong.", pairs)


def test_call_error__reads_every_detail() -> None:
    error = decoded(
        ErrorInfo(reason="INVALID_ID", domain="ingest-grpc", metadata={"job_id": "dj-x"}),
        BadRequest(field_violations=[VIOLATION]),
        RetryInfo(retry_delay=Duration(seconds=1, nanos=500_000_000)),
        RequestInfo(request_id="7f"),
        Help(),
    )
    assert (error.code, error.message) == (grpc.StatusCode.INVALID_ARGUMENT, "It is wrong.")
    assert (error.reason, error.metadata) == ("INVALID_ID", {"job_id": "dj-x"})
    assert error.violations == (Violation("files[3].file_id", "is malformed"),)
    assert (error.retry_after, error.request_id) == (1.5, "7f")
    assert str(error) == "INVALID_ID: It is wrong."


def test_call_error__retry_at_once_is_not_the_same_as_no_advice() -> None:
    assert decoded(RetryInfo()).retry_after == 0.0
    assert decoded().retry_after is None


def test_call_error__a_reason_of_somebody_else_is_not_ours() -> None:
    error = decoded(ErrorInfo(reason="INTERNAL", domain="proxy.example"))
    assert error.reason == ""


def test_call_error__without_details_there_is_the_code() -> None:
    error = call_error(grpc.StatusCode.UNAVAILABLE, None, None)
    assert str(error) == "UNAVAILABLE: UNAVAILABLE"
    assert error.retryable


def test_call_error__unreadable_details_do_not_hide_the_error() -> None:
    error = call_error(grpc.StatusCode.NOT_FOUND, "gone", [(STATUS_DETAILS_KEY, b"\xff\xff")])
    assert (error.code, error.message, error.reason) == (grpc.StatusCode.NOT_FOUND, "gone", "")


def test_call_error__unreadable_detail_inside_a_readable_status_does_not_hide_it_either() -> None:
    status = Status()
    status.details.add(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff")
    error = call_error(grpc.StatusCode.NOT_FOUND, "gone", [(STATUS_DETAILS_KEY, status.SerializeToString())])
    assert (error.code, error.message, error.reason) == (grpc.StatusCode.NOT_FOUND, "gone", "")


def test_call_error__an_unexpected_failure_brings_the_id_it_was_logged_under() -> None:
    assert decoded(ErrorInfo(reason="INTERNAL", domain="ingest-grpc", metadata={"call_id": "c-1"})).request_id == "c-1"


def test_error__the_server_tells_the_fix_and_whether_to_retry() -> None:
    told = {"suggested_fix": "Retry after a brief wait.", "retryable": "true"}
    busy = decoded(ErrorInfo(reason="SERVER_BUSY", domain="ingest-grpc", metadata=told))
    assert (busy.suggested_fix, busy.retryable) == ("Retry after a brief wait.", True)


def test_error__without_advice_the_code_decides() -> None:
    assert IngestCallError(grpc.StatusCode.UNAVAILABLE, "").retryable
    assert not IngestCallError(grpc.StatusCode.UNAVAILABLE, "", metadata={"retryable": "false"}).retryable
    refused = IngestCallError(grpc.StatusCode.FAILED_PRECONDITION, "", "NEWER")
    assert (refused.suggested_fix, refused.retryable) == ("", False)
