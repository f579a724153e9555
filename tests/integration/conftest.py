from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.integration.serving import Server
from tests.integration.watching import Watchers


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A server without workers and with a clock that is moved by hand."""
    async with Server(tmp_path / "data") as server:
        yield server


@pytest.fixture
def watchers(server: Server) -> Iterator[Watchers]:
    """Opens watches; at the end of the test, all that they received is judged."""
    watchers = Watchers(server)
    yield watchers
    watchers.judge()
