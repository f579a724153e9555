"""A server with a folder that its data sources may read, and real workers, parsers and embedder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.knowledge.library import Library


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    async with Library.open(tmp_path) as library:
        yield library
