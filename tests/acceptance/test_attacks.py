"""Clients that misbehave, all kinds at once: everybody else is served. `scripts/chaos attacks` measures them."""

from pathlib import Path

import pytest

from tests.acceptance import attack_rounds
from tests.acceptance.attacks import ATTACKS

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]


async def test_attacks__leave_others_served(tmp_path: Path) -> None:
    report = await attack_rounds.run(tmp_path, seed=1, seconds=2.0, attacks=[list(ATTACKS)])
    alone, beside = report.found.values()
    assert alone.delays
    assert beside.delays
    assert not beside.failed
    assert beside.connections > 2 * len(ATTACKS)
    assert beside.aftermath_seconds < 30, "the server still works on what was sent to it"
