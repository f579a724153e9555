"""Since when a running record is in its step: what a watcher derives a duration from, and what operators see."""

import pytest

from ingest_grpc.clock import ManualClock
from ingest_grpc.lifecycle import Step
from ingest_grpc.model import UnitProgress
from ingest_grpc.service.progress import ProgressBoard, RunningProgress
from ingest_grpc.telemetry.instruments import REGISTRY
from tests.unit.wire.values import record

JOB = 7
RECORD = record(row_id=1, attempt=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def board(clock: ManualClock) -> ProgressBoard:
    return ProgressBoard(clock)


def at(board: ProgressBoard) -> RunningProgress:
    [entry] = board.entries(JOB)
    return entry


def seconds_in(step: Step) -> tuple[float, float]:
    """How many stays in a step were observed, and their seconds in all."""
    found = [REGISTRY.get_sample_value(f"ingest_step_seconds_{part}", {"step": step}) for part in ("count", "sum")]
    return found[0] or 0.0, found[1] or 0.0


def test_step__keeps_its_start_while_units_are_done(board: ProgressBoard, clock: ManualClock) -> None:
    board.report(JOB, RECORD, Step.PARSE)
    began = at(board).step_started_at
    clock.advance(5)
    board.report(JOB, RECORD, Step.PARSE, UnitProgress(units_done=1, units_total=9, unit="pages"))
    assert at(board).step_started_at == began == clock.now() - 5_000_000

    board.report(JOB, RECORD, Step.STORE)
    assert at(board).step_started_at == clock.now()


def test_step__of_a_new_attempt_begins_anew(board: ProgressBoard, clock: ManualClock) -> None:
    board.report(JOB, RECORD, Step.PARSE)
    clock.advance(5)
    board.report(JOB, RECORD.model_copy(update={"attempt": 2}), Step.PARSE)
    assert at(board).step_started_at == clock.now()


def test_step__is_observed_when_it_ends(board: ProgressBoard, clock: ManualClock) -> None:
    parse, store = seconds_in(Step.PARSE), seconds_in(Step.STORE)
    board.report(JOB, RECORD, Step.PARSE)
    clock.advance(5)
    board.report(JOB, RECORD, Step.STORE)
    clock.advance(2)
    board.forget(JOB, RECORD)

    assert seconds_in(Step.PARSE) == pytest.approx((parse[0] + 1, parse[1] + 5))
    assert seconds_in(Step.STORE) == pytest.approx((store[0] + 1, store[1] + 2))
