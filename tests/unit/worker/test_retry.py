import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_grpc.worker.retry import backoff_seconds


@given(st.integers(0, 1_000), st.floats(0.1, 60), st.integers())
def test_backoff__stays_between_half_and_all_of_the_doubled_time(failures: int, base: float, seed: int) -> None:
    whole = min(300.0, base * 2.0 ** min(failures, 60))
    assert whole / 2 <= backoff_seconds(failures, base, 300.0, random.Random(seed)) <= whole


@pytest.mark.parametrize(("failures", "whole"), [(0, 2.0), (1, 4.0), (2, 8.0), (7, 256.0), (8, 300.0), (10_000, 300.0)])
def test_backoff__doubles_up_to_its_limit(failures: int, whole: float) -> None:
    class Early(random.Random):
        def random(self) -> float:
            return 0.0

    assert backoff_seconds(failures, 2.0, 300.0, Early()) == whole


def test_backoff__of_records_that_failed_together_differs() -> None:
    rng = random.Random(1)
    assert len({backoff_seconds(3, 2.0, 300.0, rng) for _ in range(100)}) == 100
