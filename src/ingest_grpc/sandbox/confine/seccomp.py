"""seccomp: the system calls a confined child may not make, compiled to a filter the kernel runs before each call.

Allowed unless denied: the converters are large native libraries, and a list of what they need would break with
every release of them. A denied call returns EPERM, so that a library which merely tries can go on without it.
"""

import ctypes
import errno
import os
import platform
import struct

from ingest_grpc.sandbox.confine.kernel import PR_SET_DUMPABLE, PR_SET_PDEATHSIG, PR_SET_PTRACER, syscall
from ingest_grpc.sandbox.confine.syscalls import (
    ARCHITECTURES,
    CONDITIONAL,
    DENIED,
    NEWEST_KNOWN,
    REMOVALS,
    SETUP,
    number,
)

ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
DENY = _ERRNO | errno.EPERM
ABSENT = _ERRNO | errno.ENOSYS
PRETEND = _ERRNO
"""Not done, and answered as if it were."""

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CLONE_THREAD = 0x10000
AF_UNIX, SOCK_STREAM, SOCKET_TYPE_MASK = 1, 1, 0xF
F_SETOWN, F_SETSIG, F_SETOWN_EX, F_ADD_SEALS = 8, 10, 15, 1033
FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX = 0x8901, 0x8902, 0x5412, 0x541C

_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_IF_SET, _RETURN, _AND = 0x20, 0x15, 0x25, 0x45, 0x06, 0x54
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24
"""Offsets in struct seccomp_data. Of the arguments only the low 32 bits are read: the kernel itself takes the
deciding ones (pid_t, int, clone's flags) as 32 bits."""

Instruction = tuple[int, int, int, int]
"""A step of classic BPF: (code, jump if true, jump if false, operand)."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def build(machine: str, pid: int, *, keep_files: bool = False) -> list[Instruction]:
    """The filter for the process `pid` on `machine`, one of ARCHITECTURES.

    With `keep_files` no file is removed, and the caller is told that it was: a removed file that is still open
    would take room that nobody else can see.
    """
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, DENY),  # a call in the tongue of another architecture, whose numbers mean other things
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_GREATER, 0, 1, NEWEST_KNOWN),
        (_RETURN, 0, 0, ABSENT),
    ]
    for name in DENIED:
        program += _when(number(DENIED, name, machine), [(_RETURN, 0, 0, DENY)])
    for name, steps in _conditions(pid).items():
        program += _when(number(CONDITIONAL, name, machine), steps)
    for name in REMOVALS if keep_files else ():
        program += _when(number(REMOVALS, name, machine), [(_RETURN, 0, 0, PRETEND)])
    program.append((_RETURN, 0, 0, ALLOW))
    return program


def _when(call: int | None, steps: list[Instruction]) -> list[Instruction]:
    """`steps`, which end with a return, for one call; nothing where the call does not exist."""
    return [] if call is None else [(_JUMP_EQUAL, 0, len(steps), call), *steps]


def _conditions(pid: int) -> dict[str, list[Instruction]]:
    load, load_second = (_LOAD, 0, 0, _FIRST_ARGUMENT), (_LOAD, 0, 0, _SECOND_ARGUMENT)
    allow, deny = (_RETURN, 0, 0, ALLOW), (_RETURN, 0, 0, DENY)
    only_itself = [load, (_JUMP_EQUAL, 0, 1, pid), allow, deny]
    # The C library falls back from clone3, whose flags a filter cannot read, to clone: threads yes, processes no.
    return {
        "clone": [load, (_JUMP_IF_SET, 0, 1, CLONE_THREAD), allow, deny],
        "clone3": [(_RETURN, 0, 0, ABSENT)],
        "kill": only_itself,
        "tgkill": only_itself,
        "prlimit64": [load, (_JUMP_EQUAL, 1, 0, 0), (_JUMP_EQUAL, 0, 1, pid), allow, deny],
        # Outliving the server or becoming readable to others again is not for the child to decide.
        "prctl": [
            load,
            (_JUMP_EQUAL, 2, 0, PR_SET_PDEATHSIG),
            (_JUMP_EQUAL, 1, 0, PR_SET_DUMPABLE),
            (_JUMP_EQUAL, 0, 1, PR_SET_PTRACER),
            deny,
            allow,
        ],
        # Event loops wake themselves with a pair of streams. One of datagrams could send to any socket with a path.
        "socketpair": [
            load,
            (_JUMP_EQUAL, 1, 0, AF_UNIX),
            deny,
            load_second,
            (_AND, 0, 0, SOCKET_TYPE_MASK),
            (_JUMP_EQUAL, 1, 0, SOCK_STREAM),
            deny,
            allow,
        ],
        # A descriptor's owner is sent a signal of one's choice when the descriptor becomes ready: kill by another name.
        # A file in memory that it sealed could not be emptied by the parent.
        "fcntl": _none_of(load_second, F_SETOWN, F_SETSIG, F_SETOWN_EX, F_ADD_SEALS),
        "ioctl": _none_of(load_second, FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX),
    }


def _none_of(load: Instruction, *refused: int) -> list[Instruction]:
    """Allowed unless the argument that `load` reads is one of these."""
    tests = [(_JUMP_EQUAL, len(refused) - at, 0, value) for at, value in enumerate(refused)]
    return [load, *tests, (_RETURN, 0, 0, ALLOW), (_RETURN, 0, 0, DENY)]


def install(*, keep_files: bool = False) -> None:
    """Filter this process' calls from now on, all threads, for good. Needs no_new_privs.

    OSError (ENOSYS, EINVAL, EPERM) where the kernel or an outer sandbox does not let it, or on a machine
    whose numbers are not known here.
    """
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no system call numbers for {machine}")
    program = build(machine, os.getpid(), keep_files=keep_files)
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    filter_mode, all_threads = 1, 1
    call = number(SETUP, "seccomp", machine)
    assert call is not None
    syscall(call, filter_mode, all_threads, ctypes.pointer(_Program(len(program), code)))
