"""What a client can be made with."""

import pytest

from ingest_grpc.client import AsyncClient, Client
from ingest_grpc.client.errors import InvalidOption
from ingest_grpc.client.options import call_metadata, check_target


@pytest.mark.parametrize("client", [AsyncClient, Client])
@pytest.mark.parametrize("target", ["http://127.0.0.1:50061", "localhost", "foo", "127.0.0.1:0", "127.0.0.1:99999"])
def test_target__that_is_no_address(client: type[AsyncClient] | type[Client], target: str) -> None:
    with pytest.raises(InvalidOption, match=f"^The address '{target}' "):
        client(target)


@pytest.mark.parametrize("target", ["127.0.0.1:1", "[::1]:1", "dns:///example.com:443", "unix:/tmp/socket"])
def test_target__of_every_kind(target: str) -> None:
    check_target(target)


def test_api_key__of_a_mounted_file_ends_with_a_newline() -> None:
    assert call_metadata(" secret\n") == (("authorization", "Bearer secret"),)
    assert call_metadata("\n") == call_metadata(None) == ()


@pytest.mark.parametrize("key", ["schl\u00fcssel", "two\nlines"])
def test_api_key__that_no_call_can_carry(key: str) -> None:
    with pytest.raises(InvalidOption, match="API key") as refused:
        Client("127.0.0.1:1", api_key=key)
    assert key not in str(refused.value)
