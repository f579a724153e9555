"""Only plain names become part of a path."""

import pytest

from ingest_grpc.blobs.interface import checked_key, is_key


@pytest.mark.parametrize("key", ["", "-a", "a/b", "..", "../a", "A", "a.b", "a_b", "a\n", "ä", "a" * 129, "a\0"])
def test_checked_key__refuses_what_is_no_plain_name(key: str) -> None:
    assert not is_key(key)
    with pytest.raises(ValueError, match="not a blob key"):
        checked_key(key)


@pytest.mark.parametrize("key", ["a", "0", "file-01hzy", "fr-01hzy-3", "a" * 128])
def test_checked_key__gives_the_name_back(key: str) -> None:
    assert is_key(key)
    assert checked_key(key) == key
