"""How far data expands."""

import zlib

import pytest

from ingest_grpc.pipeline.parse.inflate import RAW, ZLIB, Allowance, Bomb, fully_inflated, inflated, slices
from tests.limits import DEFAULTS

MIB = 2**20


def raw(data: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, RAW)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize("count", [0, 1, 3 * MIB])
def test_inflated__gives_back_what_was_compressed(count: int) -> None:
    data = b"abc" * count
    assert b"".join(inflated(slices(memoryview(zlib.compress(data))), ZLIB)) == data
    assert b"".join(inflated(slices(memoryview(raw(data) + b"what follows")), RAW)) == data


def test_inflated__a_damaged_stream_ends_quietly() -> None:
    assert b"".join(inflated(slices(memoryview(b"no stream at all")), ZLIB)) == b""


def test_fully_inflated__goes_through_stacked_filters() -> None:
    data = zlib.compress(zlib.compress(b"x" * MIB))
    assert sum(len(piece) for piece in fully_inflated(slices(memoryview(data)))) == MIB


def test_fully_inflated__plain_data_stays() -> None:
    assert b"".join(fully_inflated(slices(memoryview(b"plain")))) == b"plain"


def test_allowance__is_shared_by_all_streams() -> None:
    allowance = Allowance(1000, DEFAULTS)
    allowance.count(iter([bytes(MIB)] * 100))
    with pytest.raises(Bomb, match="1000 bytes expand"):
        allowance.count(iter([bytes(MIB)] * 29))


def test_allowance__grows_with_the_file() -> None:
    Allowance(4 * MIB, DEFAULTS).count(iter([bytes(MIB)] * 400))
    with pytest.raises(Bomb):
        Allowance(4 * MIB, DEFAULTS).count(iter([bytes(MIB)] * 401))
