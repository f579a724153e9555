"""The filter, run by an interpreter of the few BPF steps it uses: both architectures, on any machine."""

import struct

import pytest

from ingest_grpc.sandbox.confine.seccomp import ABSENT, ALLOW, AUDIT_ARCH, CLONE_THREAD, DENY, PRETEND, build
from ingest_grpc.sandbox.confine.syscalls import ARCHITECTURES, CONDITIONAL, DENIED, NEWEST_KNOWN, REMOVALS, number

PID = 4242
READ = {"x86_64": 0, "aarch64": 63}


def verdict(machine: str, call: int, *arguments: int, arch: int | None = None, keep_files: bool = False) -> int:
    """What the filter for `machine` answers to one call."""
    words = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<IIQ6Q", call, AUDIT_ARCH[machine] if arch is None else arch, 0, *words)
    accumulator, position = 0, 0
    program = build(machine, PID, keep_files=keep_files)
    while True:
        code, if_true, if_false, operand = program[position]
        position += 1
        match code:
            case 0x20:
                accumulator = struct.unpack_from("<I", data, operand)[0]
            case 0x15:
                position += if_true if accumulator == operand else if_false
            case 0x25:
                position += if_true if accumulator > operand else if_false
            case 0x45:
                position += if_true if accumulator & operand else if_false
            case 0x54:
                accumulator &= operand
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"unknown step {code:#x}")


def conditional(machine: str, name: str) -> int:
    call = number(CONDITIONAL, name, machine)
    assert call is not None
    return call


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_filter__ordinary_calls_pass(machine: str) -> None:
    assert verdict(machine, READ[machine]) == ALLOW


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_filter__each_denied_call_is_refused(machine: str) -> None:
    calls = [call for name in DENIED if (call := number(DENIED, name, machine)) is not None]
    assert len(calls) > 80
    assert {verdict(machine, call) for call in calls} == {DENY}


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_numbers__are_not_repeated(machine: str) -> None:
    calls = [
        call for table in (DENIED, CONDITIONAL) for name in table if (call := number(table, name, machine)) is not None
    ]
    assert len(calls) == len(set(calls))
    assert max(calls) <= NEWEST_KNOWN


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_clone__threads_yes_processes_no(machine: str) -> None:
    clone = conditional(machine, "clone")
    assert verdict(machine, clone, CLONE_THREAD | 0x3D0F00) == ALLOW
    assert verdict(machine, clone, 17) == DENY
    assert verdict(machine, conditional(machine, "clone3")) == ABSENT


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize("name", ["kill", "tgkill"])
def test_signals__only_to_itself(machine: str, name: str) -> None:
    call = conditional(machine, name)
    assert verdict(machine, call, PID) == ALLOW
    assert verdict(machine, call, PID + 1) == DENY
    assert verdict(machine, call, 0) == DENY
    assert verdict(machine, call, 2**64 - 1) == DENY


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_limits__only_its_own(machine: str) -> None:
    call = conditional(machine, "prlimit64")
    assert verdict(machine, call, 0) == ALLOW
    assert verdict(machine, call, PID) == ALLOW
    assert verdict(machine, call, 1) == DENY


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_prctl__cannot_undo_what_was_set(machine: str) -> None:
    call = conditional(machine, "prctl")
    assert verdict(machine, call, 15) == ALLOW  # PR_SET_NAME
    assert {verdict(machine, call, option) for option in (1, 4, 0x59616D61)} == {DENY}


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_socketpair__of_streams_only(machine: str) -> None:
    call = conditional(machine, "socketpair")
    assert verdict(machine, call, 1, 1 | 0x80800) == ALLOW  # AF_UNIX, SOCK_STREAM, close on exec, non-blocking
    assert {verdict(machine, call, 1, kind) for kind in (0, 2, 3, 5, 2 | 0x80800)} == {DENY}
    assert {verdict(machine, call, family, 1) for family in (0, 2, 10, 30)} == {DENY}


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize(
    ("name", "refused", "needed"),
    [("fcntl", (8, 10, 15, 1033), (1, 2, 3, 4)), ("ioctl", (0x8901, 0x8902, 0x5412), (0x541B,))],
)
def test_descriptors__send_no_signals_and_are_not_sealed(
    machine: str, name: str, refused: tuple[int, ...], needed: tuple[int, ...]
) -> None:
    call = conditional(machine, name)
    assert {verdict(machine, call, 7, command) for command in refused} == {DENY}
    assert {verdict(machine, call, 7, command) for command in needed} == {ALLOW}


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_removals__are_pretended_where_files_are_kept_and_nowhere_else(machine: str) -> None:
    calls = [call for name in REMOVALS if (call := number(REMOVALS, name, machine)) is not None]
    assert calls
    assert {verdict(machine, call, keep_files=True) for call in calls} == {PRETEND}
    assert {verdict(machine, call) for call in calls} == {ALLOW}
    assert verdict(machine, READ[machine], keep_files=True) == ALLOW
    assert {verdict(machine, number(DENIED, "execve", machine) or 0, keep_files=True)} == {DENY}


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_unknown__newer_calls_do_not_exist(machine: str) -> None:
    assert verdict(machine, NEWEST_KNOWN + 1) == ABSENT
    assert verdict(machine, 2**30 + READ[machine]) == ABSENT


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_foreign_architecture__is_refused(machine: str) -> None:
    assert verdict(machine, READ[machine], arch=0x40000003) == DENY
