"""How an address is written."""

import re

import pytest

from ingest_grpc.addresses import split_address


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("localhost:65535", ("localhost", 65_535)),
        ("a_b.example.com:1", ("a_b.example.com", 1)),
        ("[::1]:50061", ("::1", 50_061)),
        ("[fe80::1%eth0]:1", ("fe80::1%eth0", 1)),
    ],
)
def test_split_address__host_and_port(address: str, parts: tuple[str, int]) -> None:
    assert split_address(address) == parts


@pytest.mark.parametrize(
    "address",
    [
        "",
        "foo",
        "localhost",
        ":50061",
        "127.0.0.1:",
        "127.0.0.1:-1",
        "127.0.0.1:99999",
        "127.0.0.1:1 ",
        "::1:50061",
        "[::1]",
        "[foo]:1",
        "http://127.0.0.1:50061",
        "127.0.0.1:\u0661",
        "unix:/tmp/socket",
    ],
)
def test_split_address__names_what_is_none(address: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(address))):
        split_address(address)
