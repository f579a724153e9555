"""Settings of the process' memory, in a process of their own."""

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import asyncio, gc
from ingest_grpc.memory import Cleaner, calm_collector, share_arenas
share_arenas()
calm_collector()
times = [1_000.0]
cleaner = Cleaner(lambda: 0, lambda: times[-1])
assert gc.get_freeze_count() > 0
assert gc.get_threshold()[0] > 700
class Cycle: pass
for _ in range(100_000):
    one = Cycle(); one.itself = one
def left(): return sum(isinstance(each, Cycle) for each in gc.get_objects())
assert 0 < left() <= 1.5 * gc.get_threshold()[0], f"{left()} cycles are waiting to be looked for"
del one
asyncio.run(cleaner.step())
assert left() > 0, "what is older was looked at at once"
times.append(1_300.0)
assert asyncio.run(cleaner.step()) == 2.0
assert left() == 0, f"{left()} are left after five minutes"
"""


PAUSES = """
import asyncio
from ingest_grpc import memory
now = given_back = 0.0
def give_back():
    global now, given_back
    now, given_back = now + took, now
memory.give_back = give_back
cleaner = memory.Cleaner(lambda: 0, lambda: now)
def step(at):
    global now
    now = at
    return round(asyncio.run(cleaner.step()), 6), given_back == at
for took, pause in [(0.001, 2.0), (0.1, 10.0), (3.0, 30.0)]:
    assert step(now + 100) == (pause, True), took
took = 0.0
assert step(1_000.0) == (2.0, True)
assert step(1_002.01) == (2.0, True), "in time"
for seconds in range(3, 31, 3):
    assert step(1_002.0 + seconds) == (2.0, False), "the event loop is busy"
assert step(1_035.0) == (2.0, True), "busy or not, half a minute is enough"
"""


def test_cleaner__that_has_much_to_do_comes_less_often_and_not_in_busy_moments() -> None:
    done = subprocess.run([sys.executable, "-c", PAUSES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_memory__settings_hold_and_cycles_are_still_collected() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


BURST = """
import ctypes
from pathlib import Path
from ingest_grpc.memory import give_back
library = ctypes.CDLL(None)
library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
blocks = [library.malloc(8_000) for _ in range(10_000)]
for block in blocks:
    ctypes.memset(ctypes.c_void_p(block), 1, 8_000)
for block in blocks[:-1]:
    library.free(block)
before = resident()
give_back()
assert before - resident() > 50_000_000, f"{before} before, {resident()} after"
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other libraries have no malloc_trim")
def test_give_back__returns_what_a_burst_left_behind_under_a_living_block() -> None:
    done = subprocess.run([sys.executable, "-c", BURST], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
