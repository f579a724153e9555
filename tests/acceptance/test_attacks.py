"""Clients that misbehave, each kind for a moment: everybody else is served. `scripts/chaos attacks` measures them."""

from pathlib import Path

import pytest

from tests.acceptance import attack_rounds
from tests.acceptance.attacks import ATTACKS

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]


async def test_attacks__leave_others_served(tmp_path: Path) -> None:
    report = await attack_rounds.run(tmp_path, seed=1, rounds=1, seconds=0.2)
    assert set(report.found) == {"(none)", *ATTACKS}
    for name, one in report.found.items():
        assert one.delays, name
        assert not one.failed, f"{name}: {one.failed}"
        assert one.connections or name == "(none)"
