"""One row of the error catalogue."""

from dataclasses import dataclass

from ingest_grpc.errors.reasons import Code


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalogue.

    `message` may hold {placeholders}; they are filled from the error's metadata, so every dynamic part
    of a message is also machine-readable. `code` is the gRPC code when the reason ends an RPC.
    `retryable` says whether the same request (or the same record) may succeed later, unchanged. `outage` says
    that the service was at fault: an attempt that ends by it does not count among the failures of its record.
    """

    message: str
    suggested_fix: str
    code: Code
    retryable: bool = False
    outage: bool = False
