import pytest

from tests.benchmarks.harness import Table

_TABLE = pytest.StashKey[Table]()


@pytest.fixture
def table(pytestconfig: pytest.Config) -> Table:
    """Where benchmarks leave what they measured; printed at the end of the run."""
    return pytestconfig.stash.setdefault(_TABLE, Table())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if (measured := config.stash.get(_TABLE, None)) is not None:
        terminalreporter.section("benchmarks: ours against the bare thing, in the same run")
        terminalreporter.write_line(measured.text())
