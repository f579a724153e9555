"""How many may watch at once (rule 9): per job, per team, and all together."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.telemetry.instruments import WATCHERS_REFUSED

RETRY_SECONDS = 5.0
"""When somebody who was refused may try again: watchers come and go."""


class WatchLimits:
    """Counts the open watches. A cap that is None does not exist."""

    def __init__(self, *, per_job: int | None, per_team: int | None, per_server: int | None) -> None:
        self._caps = {"job": per_job, "team": per_team, "server": per_server}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._open: Counter[str] = Counter(job=0, team=0)

    @property
    def open(self) -> Mapping[str, int]:
        """Open watches of one job and of all jobs of a team."""
        return self._open

    @contextmanager
    def watch(self, team: str, job_id: str | None = None) -> Iterator[None]:
        """Counts a watch of a job, or of all jobs, while it lasts. Raises TOO_MANY_WATCHERS."""
        counted = [("server", ""), ("team", team)]
        if job_id is not None:
            counted.append(("job", job_id))
        for what, name in counted:
            self._check(what, name)
        kind = "team" if job_id is None else "job"
        self._counts.update(counted)
        self._open[kind] += 1
        try:
            yield
        finally:
            self._open[kind] -= 1
            for key in counted:
                self._counts[key] -= 1
                if not self._counts[key]:
                    del self._counts[key]

    def _check(self, what: str, name: str) -> None:
        cap = self._caps[what]
        if cap is None or self._counts[what, name] < cap:
            return
        WATCHERS_REFUSED.labels(what).inc()
        resource = (what.capitalize(), name) if name else None
        raise IngestError(
            Reason.TOO_MANY_WATCHERS,
            {"of": what, "max_watchers": str(cap)},
            resource=resource,
            retry_after_seconds=RETRY_SECONDS,
        )
