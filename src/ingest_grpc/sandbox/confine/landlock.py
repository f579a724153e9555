"""Landlock: from here on this process can open, create, rename and execute no file at all, but read those allowed
and, where it has a folder for that, make files in it.

Descriptors that are already open keep working; that is how a task's bytes come in and its output goes out.
See landlock(7); the numbers are the same on every architecture.
"""

import ctypes
import errno
import os
from collections.abc import Sequence

from ingest_grpc.sandbox.confine.kernel import syscall

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_GET_VERSION = 1

_FS_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many file-system rights an ABI knows; later ABIs add none."""
_PATH_BENEATH = 1
_WRITE_FILE, _READ_FILE, _READ_DIRECTORY, _MAKE_FILE, _TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 8, 1 << 14
_BIND_AND_CONNECT_TCP = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def restrict(readable_paths: Sequence[str] = (), scratch_folder: str | None = None) -> None:
    """Give up every right that this kernel's Landlock can take, but to read what stands in `readable_paths`, and to
    make, read and write files (not folders, and not to remove any) in `scratch_folder`.

    Needs no_new_privs. Restricts the calling thread and those it starts: OSError (EBUSY), after restricting this
    one, if there are others already. OSError (ENOSYS, EOPNOTSUPP, EPERM) where the kernel has no Landlock.
    """
    threads = len(os.listdir("/proc/self/task"))
    abi = syscall(_CREATE_RULESET, None, 0, _GET_VERSION)
    rights = max(count for since, count in _FS_RIGHTS_BY_ABI.items() if since <= abi)
    ruleset = _Ruleset(
        (1 << rights) - 1,
        _BIND_AND_CONNECT_TCP if abi >= 4 else 0,
        _ABSTRACT_SOCKETS_AND_SIGNALS if abi >= 6 else 0,
    )
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    descriptor = syscall(_CREATE_RULESET, ctypes.pointer(ruleset), size, 0)
    try:
        for path in readable_paths:
            _allow(descriptor, path, _READ_FILE | (_READ_DIRECTORY if os.path.isdir(path) else 0))
        if scratch_folder is not None:
            _allow(
                descriptor,
                scratch_folder,
                (_READ_FILE | _WRITE_FILE | _MAKE_FILE | _TRUNCATE) & ruleset.handled_access_fs,
            )
        syscall(_RESTRICT_SELF, descriptor, 0)
    finally:
        os.close(descriptor)
    if threads > 1:
        raise OSError(errno.EBUSY, f"{threads} threads were there before")


def _allow(ruleset: int, path: str, rights: int) -> None:
    """A path that is not there allows nothing."""
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.pointer(_PathBeneath(rights, beneath)), 0)
    finally:
        os.close(beneath)
