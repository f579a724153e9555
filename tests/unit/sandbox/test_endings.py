"""Why a child died."""

import signal

import pytest

from ingest_grpc.sandbox.endings import explain
from ingest_grpc.sandbox.spec import ChildFailure, Ending


@pytest.mark.parametrize(
    ("returncode", "words", "ending"),
    [
        (-signal.SIGSEGV, "", Ending.CRASHED),
        (-signal.SIGKILL, "", Ending.CRASHED),
        (-signal.SIGABRT, "assertion failed", Ending.CRASHED),
        (3, "", Ending.CRASHED),
        (0, "", Ending.CRASHED),
        (None, "", Ending.CRASHED),
        (-signal.SIGXCPU, "", Ending.TIMED_OUT),
        (-signal.SIGABRT, "memory allocation of 8589934592 bytes failed", Ending.OUT_OF_MEMORY),
        (-signal.SIGABRT, "terminate called after throwing an instance of 'std::bad_alloc'", Ending.OUT_OF_MEMORY),
        (1, "Traceback ...\nMemoryError", Ending.OUT_OF_MEMORY),
        (0, "MemoryError", Ending.CRASHED),
        (3, "Terminating due to java.lang.OutOfMemoryError: Java heap space", Ending.OUT_OF_MEMORY),
    ],
)
def test_explain__tells_the_endings_apart(returncode: int | None, words: str, ending: Ending) -> None:
    assert explain(returncode, words).ending is ending


def test_explain__names_the_signal_and_the_last_words() -> None:
    detail = explain(-signal.SIGSEGV, "first line\nthe end").detail
    assert "SIGSEGV" in detail
    assert "first line the end" in detail


def test_explain__an_unnamed_signal() -> None:
    assert "signal 40" in explain(-40, "").detail


def test_failure__detail_is_bounded_in_bytes() -> None:
    failure = ChildFailure(Ending.BROKEN, "ü" * 5000)
    assert len(failure.detail.encode()) == ChildFailure.DETAIL_BYTES
    assert set(failure.detail) == {"ü"}
