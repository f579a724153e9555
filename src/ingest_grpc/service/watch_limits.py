"""How many may watch at once (rule 9): per job, per team, and all together."""

from collections import Counter
from collections.abc import Mapping, Sequence

from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.telemetry.instruments import WATCHERS_REFUSED, begin_at_zero

begin_at_zero(WATCHERS_REFUSED, ("server", "team", "job"))

RETRY_SECONDS = 5.0
"""When somebody who was refused may try again: watchers come and go."""


class WatchLimits:
    """Counts the open watches. A cap that is None does not exist."""

    def __init__(self, *, per_job: int | None, per_team: int | None, per_server: int | None) -> None:
        self._caps = {"server": per_server, "team": per_team, "job": per_job}
        self._counts: Mapping[str, Counter[str]] = {what: Counter() for what in self._caps}
        self._open: Counter[str] = Counter(job=0, team=0)

    @property
    def open(self) -> Mapping[str, int]:
        """Open watches of one job and of all jobs of a team."""
        return self._open

    def watch(self, team: str, job_id: str | None = None) -> "Counted":
        """Counts a watch of a job, or of all jobs, while it lasts. Raises TOO_MANY_WATCHERS when it begins."""
        return Counted(self, team, job_id)

    def begin(self, team: str, job_id: str | None) -> None:
        """One more, unless that were too many."""
        counted = _counted(team, job_id)
        for what, name in counted:
            self._check(what, name)
        for what, name in counted:
            self._counts[what][name] += 1
        self._open["team" if job_id is None else "job"] += 1

    def end(self, team: str, job_id: str | None) -> None:
        """One less."""
        self._open["team" if job_id is None else "job"] -= 1
        for what, name in _counted(team, job_id):
            counts = self._counts[what]
            counts[name] -= 1
            if not counts[name]:
                del counts[name]

    def _check(self, what: str, name: str) -> None:
        cap = self._caps[what]
        if cap is None or self._counts[what][name] < cap:
            return
        WATCHERS_REFUSED.labels(what).inc()
        resource = (what.capitalize(), name) if name else None
        raise IngestError(
            Reason.TOO_MANY_WATCHERS,
            {"of": what, "max_watchers": str(cap)},
            resource=resource,
            retry_after_seconds=RETRY_SECONDS,
        )


class Counted:
    """The time in which a watch counts. Not a generator: ten thousand of them would keep three megabytes."""

    __slots__ = ("_job_id", "_limits", "_team")

    def __init__(self, limits: WatchLimits, team: str, job_id: str | None) -> None:
        self._limits = limits
        self._team = team
        self._job_id = job_id

    def __enter__(self) -> None:
        self._limits.begin(self._team, self._job_id)

    def __exit__(self, *_error: object) -> None:
        self._limits.end(self._team, self._job_id)


def _counted(team: str, job_id: str | None) -> Sequence[tuple[str, str]]:
    everywhere = (("server", ""), ("team", team))
    return everywhere if job_id is None else (*everywhere, ("job", job_id))
