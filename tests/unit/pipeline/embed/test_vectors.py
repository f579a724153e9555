"""Vectors of length 1, or none."""

import math
import struct

import pytest

from ingest_grpc.pipeline.embed.tokens import guess
from ingest_grpc.pipeline.embed.vectors import normalised


def test_normalised__has_length_one() -> None:
    assert struct.unpack("<2f", normalised([3.0, -4.0]) or b"") == pytest.approx((0.6, -0.8))


@pytest.mark.parametrize("values", [[0.0, 0.0], [math.inf, 1.0], [math.nan, 1.0], [1e308, 1e308], []])
def test_normalised__without_a_direction(values: list[float]) -> None:
    assert normalised(values) is None


def test_guess__is_seldom_too_low() -> None:
    assert guess(["", "word", "日本語"]) == [1, 2, 4]
