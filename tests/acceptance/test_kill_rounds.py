import os
import random
import statistics
from pathlib import Path

import pytest

from tests.acceptance import kill_rounds

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

ROUNDS = int(os.environ.get("INGEST_TEST_KILLS", "5"))
SEED = int(os.environ.get("INGEST_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@pytest.mark.timeout(90 + 15 * ROUNDS)
async def test_kill__loses_and_doubles_nothing(tmp_path: Path) -> None:
    """scripts/chaos runs the same with 30 rounds; the seed in the output repeats it."""
    print(f"INGEST_TEST_SEED={SEED}")  # noqa: T201 - pytest shows it when the test fails
    report = await kill_rounds.run(tmp_path, SEED, ROUNDS)
    assert report.orphaned > 0, "no kill hit a conversion"
    # Processor time, because the wall clock of a busy machine says nothing about the server.
    assert statistics.median(each.cpu_seconds for each in report.rounds if each.cpu_seconds is not None) < 2.0
