"""Microseconds since the epoch as google.protobuf.Timestamp, and seconds as google.protobuf.Duration."""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from ingest_grpc.clock import MICROSECONDS

NANOSECONDS = 1_000_000_000
"""In a second."""

TIMESTAMP_SECONDS = range(-62_135_596_800, 253_402_300_800)
"""The seconds that a Timestamp may have by its definition, those of the years 1 to 9999."""


def set_time(timestamp: Timestamp, microseconds: int | None) -> None:
    """Sets a Timestamp field in place (nothing is built and copied); None leaves it unset."""
    if microseconds is not None:
        timestamp.seconds, rest = divmod(microseconds, MICROSECONDS)
        timestamp.nanos = rest * 1_000


def microseconds_of(timestamp: Timestamp) -> int:
    """UTC microseconds since the epoch; nanoseconds below one microsecond are cut off."""
    return timestamp.seconds * MICROSECONDS + timestamp.nanos // 1_000


def is_time(timestamp: Timestamp) -> bool:
    """Whether a Timestamp is one by its definition, which parsing does not check."""
    return timestamp.seconds in TIMESTAMP_SECONDS and 0 <= timestamp.nanos < NANOSECONDS


def seconds_of(duration: Duration) -> float:
    """Seconds, with their fraction."""
    return duration.seconds + duration.nanos / NANOSECONDS
