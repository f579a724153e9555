"""Another allocator for children: what converts documents allocates small things by the million.

A quarter of a conversion's time was glibc's malloc; mimalloc needs half of that. The dynamic linker loads it before
everything else. Where its package is not installed children use what the system has.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, files

_PACKAGE = "cmeel-mimalloc"
_LIBRARY = "libmimalloc.so.3"

_SEPARATORS = frozenset(" :")
"""LD_PRELOAD cannot name a path with one of these in it."""

_ARENA_KIB = 64 * 1024
"""Address space is taken in pieces of this size: it is limited, and by itself the library reserves a gibibyte."""

_PURGE_MILLISECONDS = 10_000
"""How long freed pages are kept: the next document wants them again."""


@cache
def variables() -> Mapping[str, str]:
    """The environment that makes a child use mimalloc; empty where it is not installed, or cannot be named."""
    path = _library()
    if path is None or set(path) & _SEPARATORS:
        return {}
    return {
        "LD_PRELOAD": path,
        "MIMALLOC_ARENA_RESERVE": str(_ARENA_KIB),
        "MIMALLOC_PURGE_DELAY": str(_PURGE_MILLISECONDS),
    }


def _library() -> str | None:
    try:
        found = [str(file.locate()) for file in files(_PACKAGE) or () if file.name == _LIBRARY]
    except PackageNotFoundError:
        return None
    return found[0] if found else None
