"""Who works on what, and until when he is believed. In one process, on the monotonic clock."""

from dataclasses import dataclass

from ingest_grpc.clock import Clock
from ingest_grpc.store.interface import Claim


@dataclass(slots=True)
class _Lease:
    claim: Claim
    expires_at: float


class Leases:
    """The claims of this process. A claim without a lease has no worker, whatever its row says."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._held: dict[tuple[str, int], _Lease] = {}

    def hold(self, claim: Claim) -> None:
        self._held[claim.key] = _Lease(claim, self._clock.monotonic() + self._seconds)

    def renew(self, claim: Claim, more_seconds: float = 0.0) -> None:
        """A sign of life; `more_seconds` on top for a step that gives none of its own."""
        lease = self._held.get(claim.key)
        if lease is not None and lease.claim.attempt == claim.attempt:
            lease.expires_at = self._clock.monotonic() + self._seconds + more_seconds

    def release(self, claim: Claim) -> None:
        lease = self._held.get(claim.key)
        if lease is not None and lease.claim.attempt == claim.attempt:
            del self._held[claim.key]

    def holds(self, claim: Claim) -> bool:
        """Whether this attempt has a lease that did not expire."""
        lease = self._held.get(claim.key)
        if lease is None or lease.claim.attempt != claim.attempt:
            return False
        return lease.expires_at > self._clock.monotonic()
