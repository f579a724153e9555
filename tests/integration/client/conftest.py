from collections.abc import AsyncIterator

import pytest

from ingest_grpc.client import AsyncClient, Client
from tests.integration.client.network import Network


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    network = Network()
    await network.start()
    yield network
    await network.stop()


@pytest.fixture
async def client(network: Network) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(network.target) as client:
        yield client


@pytest.fixture
async def blocking(network: Network) -> AsyncIterator[Client]:
    """The synchronous client; call it in a thread, since the server lives in this one."""
    with Client(network.target) as client:
        yield client
