import json

import pytest

from tests.benchmarks.harness import ROOT, Table

RESULTS = ROOT / "bench-results"
_TABLE = pytest.StashKey[Table]()


@pytest.fixture
def table(pytestconfig: pytest.Config) -> Table:
    """Where benchmarks leave what they measured; printed at the end of the run."""
    return pytestconfig.stash.setdefault(_TABLE, Table())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if (measured := config.stash.get(_TABLE, None)) is not None:
        terminalreporter.section("benchmarks: ours against the bare thing, in the same run")
        terminalreporter.write_line(measured.text())
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "table.txt").write_text(measured.text() + "\n")
        curves = [{"name": name, "unit": unit, "points": points} for (name, unit), points in measured.curves.items()]
        if curves:
            (RESULTS / "curves.json").write_text(json.dumps(curves))
