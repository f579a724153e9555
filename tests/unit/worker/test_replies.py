"""A child's answers are read with suspicion."""

from typing import Any

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import Step
from ingest_grpc.worker.executors.interface import ConversionFailed, Converted, Progress
from ingest_grpc.worker.executors.replies import DETAIL_BYTES, read_progress, read_result, with_size

CONVERTED: dict[str, Any] = {
    "outcome": "converted",
    "engine_name": "xberg",
    "engine_version": "1",
    "content_type": "application/pdf",
    "pages": 3,
    "title": None,
    "warnings": ["odd"],
    "losses": [],
}
FAILED: dict[str, Any] = {
    "outcome": "failed",
    "reason": "NO_TEXT",
    "detail": "a scan",
    "engine_name": None,
    "engine_version": None,
}


def test_converted__is_read_and_gets_its_size_from_elsewhere() -> None:
    outcome = read_result({**CONVERTED, "bytes_out": 10**9})
    assert isinstance(outcome, Converted)
    assert (outcome.pages, outcome.warnings, outcome.bytes_out) == (3, ("odd",), 0)
    assert with_size(outcome, 17).bytes_out == 17


def test_failed__is_read() -> None:
    assert read_result(FAILED) == ConversionFailed(Reason.NO_TEXT, "a scan")


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"outcome": "splendid"},
        {**CONVERTED, "pages": -1},
        {**CONVERTED, "pages": "3"},
        {**CONVERTED, "pages": True},
        {**CONVERTED, "pages": 2**40},
        {**CONVERTED, "warnings": "odd"},
        {**CONVERTED, "losses": [1]},
        {**CONVERTED, "engine_name": None},
        {key: value for key, value in CONVERTED.items() if key != "title"},
        {**FAILED, "reason": "NO_SUCH_REASON"},
        {**FAILED, "reason": "WORKER_LOST"},
        {**FAILED, "reason": None},
        {**FAILED, "detail": ["x"]},
    ],
)
def test_result__what_makes_no_sense_is_a_crash(result: dict[str, Any]) -> None:
    outcome = read_result(result)
    assert isinstance(outcome, ConversionFailed)
    assert outcome.reason is Reason.CONVERTER_CRASHED


def test_failed__detail_is_bounded_and_valid_utf8() -> None:
    outcome = read_result({**FAILED, "detail": "\ud800" + "ü" * 5000})
    assert isinstance(outcome, ConversionFailed)
    assert len(outcome.detail.encode()) <= DETAIL_BYTES


def test_progress__is_read() -> None:
    message = {"step": "PARSE", "units_done": 9, "units_total": 7, "unit": "pages"}
    assert read_progress(message) == Progress(Step.PARSE, 7, 7, "pages")


@pytest.mark.parametrize(
    "change", [{"units_done": -1}, {"units_total": 1.5}, {"unit": 3}, {"step": None}, {"step": "SLEEP"}]
)
def test_progress__what_makes_no_sense_is_ignored(change: dict[str, Any]) -> None:
    message = {"step": "PARSE", "units_done": 1, "units_total": 2, "unit": "pages"}
    assert read_progress({**message, **change}) is None
