"""Bad files through a real server: some of them here, all of them by scripts/hostile."""

from pathlib import Path

import pytest

from tests.acceptance.hostile_rounds import MIB, run
from tests.hostile.all_cases import all_cases

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

EVERY = 40
MAX_GROWTH_BYTES = 16 * MIB


@pytest.mark.timeout(240)
async def test_bad_files__end_as_they_should_and_leave_the_server_as_it_was(tmp_path: Path) -> None:
    cases = [case for case in all_cases() if not case.slow][::EVERY]
    report = await run(tmp_path, cases, rounds=2, good=10)
    assert [line for each in report.rounds for line in each.wrong] == []
    first, second = report.rounds
    assert second.resident_bytes - first.resident_bytes < MAX_GROWTH_BYTES, list(report.lines())
    assert second.descriptors <= first.descriptors + 5, list(report.lines())
    assert report.during, "the other team's jobs went on"


def test_bad_files__are_many_of_every_family() -> None:
    names = [case.name for case in all_cases()]
    assert len(names) > 800
    suffixes = {name.rpartition(".")[2] for name in names}
    assert suffixes >= {"pdf", "docx", "xlsx", "pptx", "odt", "epub", "html", "xml", "rtf", "eml", "csv", "json", "zip"}
    assert suffixes >= {
        "doc",
        "xls",
        "ppt",
        "msg",
        "mhtml",
        "ipynb",
        "rst",
        "tex",
        "png",
        "jpeg",
        "tiff",
        "webp",
        "txt",
    }
