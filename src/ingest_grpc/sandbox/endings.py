"""Why a child died, read from its exit status and its last words. Pure."""

import re
import signal

from ingest_grpc.sandbox.spec import ChildFailure, Ending

_OUT_OF_MEMORY = re.compile(r"memory allocation of \d+ bytes failed|bad_alloc|MemoryError\b|[Oo]ut of memory")
"""The last words of Rust, C++, Python, Java and PDFium when an allocation fails."""


def explain(returncode: int | None, last_words: str) -> ChildFailure:
    """The failure that a child's death stands for, when the supervisor itself did not kill it.

    `returncode` is negative for a signal, None when the child closed the channel but does not end.
    """
    words = " ".join(last_words.split())[-600:]
    if returncode is None:
        return ChildFailure(Ending.CRASHED, _sentence("closed its channel", words))
    if returncode == -signal.SIGXCPU:
        return ChildFailure(Ending.TIMED_OUT, "used up its CPU time")
    if returncode != 0 and _OUT_OF_MEMORY.search(words):
        return ChildFailure(Ending.OUT_OF_MEMORY, _sentence(_how(returncode), words))
    return ChildFailure(Ending.CRASHED, _sentence(_how(returncode), words))


def _how(returncode: int) -> str:
    if returncode >= 0:
        return f"exited with status {returncode}"
    try:
        return f"was killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was killed by signal {-returncode}"


def _sentence(how: str, words: str) -> str:
    return f"the child {how}; last words: {words}" if words else f"the child {how}"
