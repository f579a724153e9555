"""What a child may use while it works, and while it rests."""

from ingest_grpc.sandbox.memory import Guard, Usage, Used
from ingest_grpc.sandbox.spec import Limits

LIMITS = Limits(
    address_space_bytes=None, resident_bytes=1000, written_bytes=1, wall_seconds=1.0, threads=10, rest_cpu_seconds=2.0
)


HAD = Used(resident_bytes=1000, threads=10, cpu_seconds=50.0)


class Told(Usage):
    """A process that uses what a test says."""

    def __init__(self) -> None:
        self.used = HAD

    def sample(self) -> Used:
        return self.used


class Guarded:
    """A guard over such a process."""

    def __init__(self) -> None:
        self._told = Told()
        self._excesses: list[str] = []
        self.guard = Guard(self._told, LIMITS, self._excesses.append)

    def excess(self, used: Used) -> str:
        """What is exceeded, if anything is, by a sample."""
        self._told.used = used
        self._excesses.clear()
        self.guard._sample()
        return self._excesses[0] if self._excesses else ""


async def test_guard__cpu_counts_only_without_a_task() -> None:
    guarded = Guarded()
    guarded.guard.watch_work()
    assert guarded.excess(HAD._replace(cpu_seconds=90.0)) == ""
    guarded.guard.watch_rest()
    assert guarded.excess(HAD._replace(cpu_seconds=91.9)) == ""
    assert guarded.excess(HAD._replace(cpu_seconds=93.0)) == "3.0 CPU seconds in 0.0 s without a task"
    guarded.guard.watch_work()
    assert guarded.excess(HAD._replace(cpu_seconds=93.0)) == ""
    guarded.guard.watch_rest()
    assert guarded.excess(HAD._replace(cpu_seconds=94.9)) == "", "each rest begins anew"
    guarded.guard.stop()


async def test_guard__the_other_limits_hold_without_a_task_too() -> None:
    guarded = Guarded()
    for watch in (guarded.guard.watch_work, guarded.guard.watch_rest):
        watch()
        assert guarded.excess(HAD) == ""
        assert guarded.excess(HAD._replace(threads=11)) == "more than 10 threads"
        assert guarded.excess(HAD._replace(resident_bytes=1001)) == "more than 1000 bytes resident"
    guarded.guard.stop()
