"""The C library, as far as confinement needs it: no package for Landlock or seccomp is established enough."""

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.prctl.restype = ctypes.c_int

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38
PR_SET_PTRACER = 0x59616D61


def syscall(number: int, *arguments: "int | ctypes._Pointer[ctypes.Structure] | None") -> int:
    """Call the kernel by number; OSError with the kernel's errno. Integers are passed as machine words."""
    words = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result: int = _libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise _error()
    return result


def prctl(option: int, value: int) -> None:
    """prctl(2) with one argument; OSError with the kernel's errno."""
    if _libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)) < 0:
        raise _error()


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
