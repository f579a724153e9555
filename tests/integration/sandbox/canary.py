"""Entry module of a child that misbehaves on purpose: each task names one thing to try. Run by the tests only."""

import ctypes
import errno
import fcntl
import os
import pathlib
import resource
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ingest_grpc.sandbox.child import Reply, Report, serve
from ingest_grpc.sandbox.confine import landlock
from ingest_grpc.sandbox.spec import Launch

libc = ctypes.CDLL(None, use_errno=True)


def attempt(action: Callable[[], object]) -> dict[str, Any]:
    """What became of something that must be refused: the errno's number, or 0 when it worked."""
    try:
        action()
    except OSError as error:
        return {"errno": error.errno, "text": str(error)}
    return {"errno": 0, "text": "it worked"}


def checked(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def missing(readable_paths: Sequence[str] = (), scratch_folder: str | None = None) -> None:
    raise OSError(errno.ENOSYS, "not on this kernel")


def exec_something() -> None:
    os.execv(sys.executable, [sys.executable, "-c", ""])


def fork_something() -> None:
    if os.fork() == 0:
        os._exit(0)


def grow_by(count: int) -> list[bytes]:
    """Take memory in steps, slowly enough to be watched."""
    hoard = []
    for _ in range(count // 2**20):
        hoard.append(b"x" * 2**20)
        time.sleep(0.001)
    return hoard


def write_beyond(descriptor: int, count: int) -> None:
    for _ in range(count // 65536 + 1):
        os.write(descriptor, b"x" * 65536)


def signal_through_a_descriptor() -> None:
    """The owner of a descriptor gets a signal of one's choice when it becomes ready."""
    fcntl.fcntl(2, fcntl.F_SETOWN, os.getppid())


def choose_that_signal() -> None:
    fcntl.fcntl(2, 10, signal.SIGKILL)


def threads_without_end() -> None:
    """As small as they can be: what the kernel keeps for each counts against no limit of memory."""
    threading.stack_size(32 * 1024)
    stay = threading.Event()
    while True:
        threading.Thread(target=stay.wait, daemon=True).start()


FORBIDDEN: Mapping[str, Callable[[], object]] = {
    "open_passwd": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "open_own_source": lambda: os.open(__file__, os.O_RDONLY),
    "list_root": lambda: os.listdir("/"),
    "create_in_tmp": lambda: os.open("/tmp/canary", os.O_CREAT | os.O_WRONLY),
    "create_here": lambda: os.close(os.open("canary", os.O_CREAT | os.O_WRONLY)),
    "read_parent_memory": lambda: os.open(f"/proc/{os.getppid()}/mem", os.O_RDONLY),
    "internet_socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "unix_socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
    "exec": exec_something,
    "fork": fork_something,
    "kill_parent": lambda: os.kill(os.getppid(), signal.SIGTERM),
    "kill_group": lambda: os.kill(0, signal.SIGTERM),
    "chmod": lambda: os.chmod("/", 0o755),
    "touch": lambda: os.utime("/"),
    "raise_own_limit": lambda: resource.prlimit(0, resource.RLIMIT_AS, (2**40, 2**40)),
    "parent_limits": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CORE, (0, 0)),
    "outlive_parent": lambda: checked(libc.prctl(1, 0, 0, 0, 0)),
    "become_dumpable": lambda: checked(libc.prctl(4, 1, 0, 0, 0)),
    "ptrace_parent": lambda: checked(libc.ptrace(16, os.getppid(), 0, 0)),
    "memfd": lambda: os.memfd_create("canary"),
    "unshare": lambda: checked(libc.unshare(0x10000000)),
    "unix_datagrams": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
    "signal_through_a_descriptor": signal_through_a_descriptor,
    "choose_that_signal": choose_that_signal,
    "seal_a_file": lambda: fcntl.fcntl(2, fcntl.F_ADD_SEALS, 0),
    "owner_by_ioctl": lambda: fcntl.ioctl(2, 0x8901, struct.pack("i", os.getppid())),
    "watch_names": lambda: checked(libc.inotify_init()),
    "watch_names_more": lambda: checked(libc.inotify_init1(0)),
    "truncate_by_name": lambda: os.truncate("/etc/hostname", 0),
    "sync_the_machine": lambda: checked(libc.syscall(306, 2)),
    "parent_environment": lambda: os.open(f"/proc/{os.getppid()}/environ", os.O_RDONLY),
    "own_descriptors_by_name": lambda: os.open("/proc/self/fd/2", os.O_WRONLY),
    "renice_parent": lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19),
}


def handle(task: Mapping[str, Any], descriptors: Sequence[int], report: Report) -> Reply:
    """Do what the task says; what must be refused answers with its errno."""
    action = task["action"]
    if action in FORBIDDEN:
        return Reply(attempt(FORBIDDEN[action]))
    match action:
        case "echo":
            report({"seen": len(descriptors)})
            return Reply({"pid": os.getpid(), "text": task.get("text", "")})
        case "retire":
            return Reply({"pid": os.getpid()}, retire=True)
        case "copy":
            return Reply({"count": os.write(descriptors[1], os.read(descriptors[0], 65536))})
        case "write_to_source":
            return Reply(attempt(lambda: os.write(descriptors[0], b"x")))
        case "write_beyond":
            return Reply(attempt(lambda: write_beyond(descriptors[1], task["bytes"])))
        case "open":
            return Reply(attempt(lambda: os.open(task["path"], task["flags"])))
        case "fork_often":
            return Reply({"errnos": sorted({attempt(fork_something)["errno"] for _ in range(1000)})})
        case "say_much":
            return Reply(attempt(lambda: write_beyond(2, task["bytes"])))
        case "describe":
            return Reply(describe())
        case "in_folder":
            return Reply(attempt(IN_FOLDER[task["deed"]]))
        case "write_in_folder":
            with open(write_file("a", 10), "rb") as written:
                return Reply({"read": len(written.read()), "path": written.name})
        case "remove_in_folder":
            return Reply({"still_there": remove_file()})
    misbehave(action, task, report)
    return Reply({"unknown": action})


def misbehave(action: str, task: Mapping[str, Any], report: Report) -> None:
    """Die, hang, take too much, or break the protocol; returns only where that is no fault by itself."""
    match action:
        case "raise":
            raise ValueError("on purpose")
        case "signal":
            os.kill(os.getpid(), task["signal"])
        case "exit":
            os._exit(task["status"])
        case "say":
            os.write(2, task["text"].encode())
            os.kill(os.getpid(), signal.SIGABRT)
        case "spin":
            report({"spinning": True})
            while True:
                pass
        case "hang":
            report({"hanging": True})
            time.sleep(3600)
        case "allocate":
            raise AssertionError(f"{len(bytearray(task['bytes']))} bytes were to be had")
        case "grow":
            raise AssertionError(f"{len(grow_by(task['bytes']))} MiB were to be had")
        case "flood":
            while True:
                report({"flood": True})
        case "flood of words":
            for number in range(100):
                report({"number": number, "words": "x" * 2**19})
        case "go on":
            for number in range(100_000):
                report({"number": number})
                time.sleep(0.02)
        case "repeat":
            while True:
                report({"number": 1})
                time.sleep(0.02)
        case "garbage":
            os.write(channel(), b"\xff\xff\xff\xffgarbage")
        case "threads":
            threads_without_end()
        case "fill_folder":
            write_files(task["size"], task["pause_seconds"])
        case "close_channel":
            os.close(channel())
            time.sleep(3600)


def launch() -> Launch:
    """What this child was told when it was started."""
    return Launch.from_json(sys.argv[-1])


def channel() -> int:
    """The descriptor of the channel."""
    return launch().channel


def write_file(name: str, count: int = 10) -> str:
    """Make a file in the folder of one's own; its path."""
    path = os.path.join(launch().scratch_folder or "", name)
    with open(path, "wb") as file:
        file.write(b"x" * count)
    return path


def remove_file() -> bool:
    """Whether a file that was removed is still there."""
    path = write_file("removed")
    os.unlink(path)
    pathlib.Path(path).unlink()
    return os.path.exists(path)


def write_files(size: int, pause_seconds: float) -> None:
    """Without end, and each removed at once: what is still open takes room that nobody sees."""
    for number in range(100_000):
        path = write_file(f"{number}", size)
        if number < 20:
            os.open(path, os.O_RDONLY)
        os.unlink(path)
        time.sleep(pause_seconds)


IN_FOLDER: Mapping[str, Callable[[], object]] = {
    "mkdir": lambda: os.mkdir(os.path.join(launch().scratch_folder or "", "below")),
    "symlink": lambda: os.symlink("/etc/passwd", os.path.join(launch().scratch_folder or "", "link")),
    "fifo": lambda: os.mkfifo(os.path.join(launch().scratch_folder or "", "pipe")),
    "rename": lambda: os.rename(write_file("a"), write_file("b")),
    "list": lambda: os.listdir(launch().scratch_folder),
    "above": lambda: write_file("../beside"),
    "exec": lambda: os.execv(write_file("program"), ["program"]),
}
"""What a child may not do even in its own folder."""


def describe() -> dict[str, Any]:
    """What the child sees of its own surroundings."""
    open_now = []
    for number in range(256):
        try:
            os.fstat(number)
        except OSError:
            continue
        open_now.append(number)
    return {
        "descriptors": open_now,
        "environment": dict(os.environ),
        "mimalloc": hasattr(ctypes.CDLL(None), "mi_version"),
        "session": os.getsid(0) == os.getpid(),
        "cwd": attempt(os.getcwd),
        "limits": {name: resource.getrlimit(getattr(resource, name))[1] for name in ("RLIMIT_CORE", "RLIMIT_NOFILE")},
    }


if __name__ == "__main__":
    match sys.argv[1]:
        case "dead_on_arrival":
            sys.exit("no reason given")
        case "with_threads":
            threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
            serve(handle)
        case "silent":
            time.sleep(3600)
        case "on_an_old_kernel":
            landlock.restrict = missing
            serve(handle)
        case _:
            serve(handle)
