"""How many calls a team may make: a token bucket each."""

from collections import OrderedDict
from collections.abc import Callable

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.model import Caller

BURST_SECONDS = 2.0
"""How many seconds' worth of calls a team that was silent may make at once."""

_MAX_TEAMS = 10_000


class RateLimit:
    """At most `per_second` calls of a team in the long run; None = as many as it likes."""

    def __init__(self, per_second: float | None, monotonic: Callable[[], float]) -> None:
        self._per_second = per_second or 0.0
        self._monotonic = monotonic
        self._most = max(1.0, self._per_second * BURST_SECONDS)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admit(self, caller: Caller) -> None:
        """Raises RATE_LIMITED, which says when the next call may be made."""
        if not self._per_second:
            return
        now = self._monotonic()
        tokens, since = self._buckets.get(caller.team_id, (self._most, now))
        tokens = min(self._most, tokens + (now - since) * self._per_second)
        allowed = tokens >= 1.0
        self._buckets[caller.team_id] = (tokens - allowed, now)
        self._buckets.move_to_end(caller.team_id)
        if len(self._buckets) > _MAX_TEAMS:
            self._buckets.popitem(last=False)
        if not allowed:
            raise IngestError(
                Reason.RATE_LIMITED,
                {"calls_per_second": f"{self._per_second:g}"},
                resource=("Team", caller.team_id),
                retry_after_seconds=(1.0 - tokens) / self._per_second,
            )
