"""Every failure becomes an error, a fix and an exit code."""

import errno
import re

import grpc
import pytest

from ingest_grpc.cli.failures import FAILED, UNREACHABLE, USAGE, Failure, explain
from ingest_grpc.client.errors import IngestCallError, InvalidOption, ProtocolError
from ingest_grpc.config import WrongSetting
from ingest_grpc.errors import CATALOGUE, IngestError, Reason, Violation


def test_explain__a_failure_stays_as_it_is() -> None:
    failure = Failure("no", "yes", USAGE)
    assert explain(failure) is failure


def refused(reason: Reason, **metadata: str) -> IngestCallError:
    code = grpc.StatusCode[CATALOGUE[reason].code]
    return IngestCallError(code, "It went wrong.", reason, {"suggested_fix": "Do it right.", **metadata})


@pytest.mark.parametrize("reason", [Reason.JOB_DELETED, Reason.CREDENTIALS_INVALID, Reason.SERVER_BUSY])
def test_explain__a_refused_call_has_its_reason_and_the_fix_that_the_server_tells(reason: Reason) -> None:
    code = CATALOGUE[reason].code
    assert explain(refused(reason)) == Failure("It went wrong.", "Do it right.", FAILED, reason, code)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason.CREDENTIALS_MISSING, "--api-key or INGEST_API_KEY"),
        (Reason.FILE_IN_USE, "--force"),
        (Reason.REINDEX_REQUIRED, "--reindex"),
        (Reason.SEQUENCE_IN_FUTURE, "--after-sequence"),
        (Reason.EMBEDDER_UNAVAILABLE, "ingest-grpc server info"),
    ],
)
def test_explain__fixes_are_said_in_options_and_commands(reason: Reason, words: str) -> None:
    assert words in explain(refused(reason)).fix


NEVER_MET = {
    Reason.INVALID_PAGE_TOKEN,
    Reason.RECORD_NOT_REPLACEABLE,
    Reason.REQUEST_ID_REUSED,
    Reason.STREAM_ROTATED,
    Reason.UPLOAD_INVALID,
    Reason.UPLOAD_OFFSET,
}
"""The client sees to it that no command meets these."""


@pytest.mark.parametrize("reason", sorted(set(Reason) - NEVER_MET))
def test_explain__no_fix_speaks_of_calls_and_their_fields(reason: Reason) -> None:
    fix = explain(refused(reason, suggested_fix=CATALOGUE[reason].suggested_fix)).fix
    assert not re.search(r"[a-z]_[a-z]|[a-z]{3}[A-Z]|[Mm]etadata", fix), fix


def test_explain__a_missing_file_is_named() -> None:
    failure = explain(refused(Reason.FILE_NOT_FOUND, file_id="file-1"))
    assert failure.message == "It went wrong. (file-1)"
    of_a_store = explain(refused(Reason.FILE_NOT_FOUND, path="nope.txt"))
    assert of_a_store.message == "It went wrong. (nope.txt)"
    assert "URL" in of_a_store.fix
    assert explain(refused(Reason.FILE_NOT_FOUND)).message == "It went wrong."


def test_explain__a_refused_call_names_every_violation_once() -> None:
    violations = (Violation("name", "must not be empty"), Violation("files[3].file_id", "is malformed"))
    message = "The request has an invalid field. name: must not be empty"
    failure = explain(
        IngestCallError(grpc.StatusCode.INVALID_ARGUMENT, message, "INVALID_FIELD", violations=violations)
    )
    assert failure.message == f"{message}\n  files[3].file_id: is malformed"
    assert failure.violations == violations


def test_explain__an_unexpected_failure_gives_its_call_id() -> None:
    error = IngestCallError(grpc.StatusCode.INTERNAL, "Internal processing failure.", "INTERNAL", request_id="r-7")
    assert "call_id in the server's log: r-7" in explain(error).message


def test_explain__no_server() -> None:
    error = IngestCallError(grpc.StatusCode.UNAVAILABLE, "failed to connect to all addresses")
    failure = explain(error, "10.0.0.5:50061")
    assert failure.exit_code == UNREACHABLE
    assert failure.message == "No server can be reached at 10.0.0.5:50061."
    assert "ingest-grpc serve --address 10.0.0.5:50061" in failure.fix


def test_explain__tls_trouble_says_so() -> None:
    error = IngestCallError(grpc.StatusCode.UNAVAILABLE, "Ssl handshake failed: wrong version number")
    failure = explain(error)
    assert failure.exit_code == UNREACHABLE
    assert "--tls" in failure.fix


def test_explain__a_server_that_does_not_answer() -> None:
    failure = explain(IngestCallError(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded"), "host:1")
    assert (failure.message, failure.exit_code) == ("host:1 did not answer in time.", UNREACHABLE)


def test_explain__a_server_that_is_something_else() -> None:
    failure = explain(IngestCallError(grpc.StatusCode.UNIMPLEMENTED, "unknown service"), "host:1")
    assert "host:1 is an ingest-grpc server" in failure.fix


def test_explain__a_broken_promise_of_the_server() -> None:
    assert explain(ProtocolError("a gap after 3")).message == "a gap after 3"


def test_explain__errors_of_a_data_folder() -> None:
    failure = explain(IngestError(Reason.STORAGE_FULL))
    assert failure.message == "The server's disk is full."
    assert failure.fix == CATALOGUE[Reason.STORAGE_FULL].suggested_fix


def test_explain__errors_that_bring_their_own_fix() -> None:
    class LockedError(Exception):
        fix = "Stop the other server."

    assert explain(LockedError("In use.")) == Failure("In use.", "Stop the other server.")


def test_explain__what_was_given_wrong_is_a_usage_error() -> None:
    assert explain(WrongSetting("blobs_url: no store")).message == "Invalid settings.\n  blobs_url: no store"
    for error in (WrongSetting("blobs_url: no store"), InvalidOption("The address 'foo' is no host:port.")):
        failure = explain(error)
        assert (failure.exit_code, bool(failure.fix)) == (USAGE, True)


def test_explain__errors_of_the_system() -> None:
    failure = explain(OSError(errno.EACCES, "Permission denied", "/etc/shadow"))
    assert failure.message == "/etc/shadow: Permission denied"


def test_explain__anything_else_is_said_without_a_stack_trace() -> None:
    failure = explain(ZeroDivisionError("division by zero"))
    assert failure.message == "Unexpected ZeroDivisionError: division by zero"
    assert failure.exit_code == FAILED
