"""Vectors as this project keeps them: little-endian 32-bit floats of length 1."""

import math
import struct
from collections.abc import Sequence

from ingest_grpc.pipeline.embed.interface import Vector


def normalised(values: Sequence[float]) -> Vector | None:
    """The vector of these numbers; None where they have no direction: all zero, or not finite."""
    length = math.sqrt(math.fsum(value * value for value in values))
    if not math.isfinite(length) or length == 0.0:
        return None
    return struct.pack(f"<{len(values)}f", *(value / length for value in values))
