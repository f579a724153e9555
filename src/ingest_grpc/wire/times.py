"""Microseconds since the epoch, as google.protobuf.Timestamp."""

from google.protobuf.timestamp_pb2 import Timestamp

from ingest_grpc.clock import MICROSECONDS


def set_time(timestamp: Timestamp, microseconds: int | None) -> None:
    """Sets a Timestamp field in place (nothing is built and copied); None leaves it unset."""
    if microseconds is not None:
        timestamp.seconds, rest = divmod(microseconds, MICROSECONDS)
        timestamp.nanos = rest * 1_000


def microseconds_of(timestamp: Timestamp) -> int:
    """UTC microseconds since the epoch; nanoseconds below one microsecond are cut off."""
    return timestamp.seconds * MICROSECONDS + timestamp.nanos // 1_000
