"""A few of the rounds of kill_syncs in every run."""

from pathlib import Path

import pytest

from tests.acceptance.kill_syncs import rounds

pytestmark = pytest.mark.acceptance


@pytest.mark.slow
async def test_kill__in_the_middle_of_syncs(tmp_path: Path) -> None:
    report = await rounds(tmp_path, 3, seed=7)

    assert report.good, report
    assert report.kills == 3
