"""Which blobs stay when a commit went well, when it did not, and when nobody knows."""

import pytest

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.service.handover import hand_over
from tests.factories import Core

KEYS = ("one", "two")


async def commit(error: Exception | None = None) -> str:
    if error is not None:
        raise error
    return "done"


async def kept(core: Core) -> set[str]:
    """The blobs that are left, of two that were handed over."""
    left = {key for key in KEYS if await core.blobs.exists(key)}
    for key in left:
        await core.blobs.delete(key)
    return left


@pytest.mark.parametrize("named", [set(), {"two"}, {"one", "two"}])
async def test_commit__keeps_what_it_names(core: Core, named: set[str]) -> None:
    for key in KEYS:
        await core.blobs.put(key, b"bytes")
    assert await hand_over(core.blobs, KEYS, commit(), lambda _: named) == "done"
    assert await kept(core) == named


@pytest.mark.parametrize("error", [IngestError(Reason.SERVER_BUSY), LookupError("purged")])
async def test_commit__that_was_refused_keeps_nothing(core: Core, error: Exception) -> None:
    for key in KEYS:
        await core.blobs.put(key, b"bytes")
    with pytest.raises(type(error)):
        await hand_over(core.blobs, KEYS, commit(error), lambda _: KEYS)
    assert await kept(core) == set()


async def test_commit__whose_fate_is_unknown_keeps_everything(core: Core) -> None:
    for key in KEYS:
        await core.blobs.put(key, b"bytes")
    with pytest.raises(IngestError):
        await hand_over(core.blobs, KEYS, commit(IngestError(Reason.STORAGE_UNAVAILABLE)), lambda _: KEYS)
    assert await kept(core) == set(KEYS)
