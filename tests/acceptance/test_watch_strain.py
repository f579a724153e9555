"""A small round of `scripts/chaos cycles`; what `stalled` does, tests/integration/test_watch_crowd.py has in small."""

from pathlib import Path

import pytest

from tests.acceptance import watch_strain

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]


async def test_cycles__leave_no_task_watcher_or_descriptor(tmp_path: Path) -> None:
    found = await watch_strain.cycles(tmp_path, seed=1, rounds=300)
    assert found.tasks[1] <= found.tasks[0]
    assert found.descriptors[1] <= found.descriptors[0] + watch_strain.SPARE_DESCRIPTORS
    assert found.watchers == 0
