"""Settings of the process' memory, in a process of their own."""

import subprocess
import sys

SCRIPT = """
import gc
from ingest_grpc.memory import calm_collector, share_arenas
share_arenas()
calm_collector()
assert gc.get_freeze_count() > 0
assert gc.get_threshold()[0] > 700
class Cycle: pass
for _ in range(100_000):
    one = Cycle(); one.itself = one
left = sum(isinstance(each, Cycle) for each in gc.get_objects())
assert left <= gc.get_threshold()[0], f"{left} cycles are waiting to be looked for"
"""


def test_memory__settings_hold_and_cycles_are_still_collected() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
