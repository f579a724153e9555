"""Small rounds of what `scripts/chaos stalled` and `scripts/chaos cycles` do in full."""

from pathlib import Path

import pytest

from tests.acceptance import watch_strain

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]


async def test_cycles__leave_no_task_watcher_or_descriptor(tmp_path: Path) -> None:
    found = await watch_strain.cycles(tmp_path, seed=1, rounds=300)
    assert found.tasks[1] <= found.tasks[0]
    assert found.descriptors[1] <= found.descriptors[0] + watch_strain.SPARE_DESCRIPTORS
    assert found.watchers == 0


async def test_stalled__watcher_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Only that the others are served: how fast, a busy machine does not tell."""
    found = await watch_strain.stalled(tmp_path, seed=1, rounds=1, watchers=20, seconds=4.0)
    assert found.stalled_streams == 1
    assert len(found.beside) > 20
