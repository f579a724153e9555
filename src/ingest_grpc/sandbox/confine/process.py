"""What a process can give up by itself: descriptors, resources, privileges, and outliving its parent."""

import ctypes
import os
import platform
import resource
import tempfile

from ingest_grpc.sandbox.confine.kernel import (
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    prctl,
    syscall,
)
from ingest_grpc.sandbox.confine.syscalls import ARCHITECTURES, SETUP, number

_CAPABILITY_VERSION_3 = 0x20080522


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Capabilities(ctypes.Structure):
    _fields_ = (("words", ctypes.c_uint32 * 6),)


def enter_removed_folder(parent: str) -> None:
    """Work in an empty folder of one's own that is removed at once: in a removed folder nothing can be created,
    and none is left behind however this process ends."""
    folder = tempfile.mkdtemp(prefix="ingest-child-", dir=parent)
    try:
        os.chdir(folder)
    finally:
        os.rmdir(folder)


def close_descriptors(keep: int) -> None:
    """Close all but the standard three and `keep`."""
    os.closerange(3, keep)
    os.closerange(keep + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def limit_resources(address_space_bytes: int | None, written_bytes: int, open_files: int) -> None:
    """Hard limits of this process. Writing past `written_bytes` fails with EFBIG (Python ignores SIGXFSZ)."""
    _set_limit(resource.RLIMIT_CORE, 0)
    _set_limit(resource.RLIMIT_NOFILE, open_files)
    _set_limit(resource.RLIMIT_FSIZE, written_bytes)
    if address_space_bytes is not None:
        _set_limit(resource.RLIMIT_AS, address_space_bytes)


def _set_limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def grant_cpu(seconds: int) -> None:
    """Allow `seconds` more of CPU time. The kernel counts over the whole life: the soft limit moves along."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(usage.ru_utime + usage.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def forbid_new_privileges() -> None:
    """No set-uid program gives more rights; Landlock and seccomp ask for this first."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def hide_from_debuggers() -> None:
    """Not dumpable: no ptrace and no /proc/PID/mem by others of the same user, no core file."""
    prctl(PR_SET_DUMPABLE, 0)


def drop_capabilities() -> None:
    """Give up every capability: as root, this process could otherwise lift its own limits."""
    machine = platform.machine()
    call = number(SETUP, "capset", machine) if machine in ARCHITECTURES else None
    if call is None:
        raise OSError(f"no system call numbers for {machine}")
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    syscall(call, ctypes.pointer(header), ctypes.pointer(_Capabilities()))
