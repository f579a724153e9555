"""Starts a child's process and knows the parent's ends of what connects the two."""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import tempfile
from dataclasses import dataclass
from typing import IO

from ingest_grpc.sandbox import allocator
from ingest_grpc.sandbox.memory import Usage
from ingest_grpc.sandbox.scratch import ScratchFolder
from ingest_grpc.sandbox.spec import ChildSpec, Launch

_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "HOME": "/nonexistent",
    "TMPDIR": "/nonexistent",
    # Each arena reserves address space, which is limited; too late once the process runs.
    "MALLOC_ARENA_MAX": "2",
    "RUST_BACKTRACE": "0",
    # A child does one thing at a time: on a second thread the engine's memory would be cold, and there twice.
    "TOKIO_WORKER_THREADS": "1",
}
"""All a child's environment holds: no secret of the server's."""

_DEEP_STACK_BYTES = 8 * 1024 * 1024
_AMPLE_BYTES = 1024 * 1024 * 1024
"""Threads of libraries in Rust have 2 MiB of stack: too little for what may be nested. But where address space is
scarce, larger stacks leave no room for the threads themselves, and the library waits for them for ever; and an
allocator that trades space for time takes what honest documents need."""

_LAST_WORDS_BYTES = 4096


@dataclass(frozen=True, slots=True)
class ChildProcess:
    """A process of its own session, the channel to it (raw, non-blocking), the file of its stderr, what it uses, and
    the folder that it may write in, if any."""

    process: asyncio.subprocess.Process
    channel: socket.socket
    stderr: IO[bytes]
    usage: Usage
    scratch: ScratchFolder | None = None

    @classmethod
    async def start(cls, spec: ChildSpec) -> "ChildProcess":
        """Execute the child's command. OSError if that fails; nothing is left behind then.

        Runs on the event loop's thread: the child asks for a signal when the *thread* that started it ends.
        """
        ours, theirs = socket.socketpair()
        with theirs, contextlib.ExitStack() as undo:
            undo.callback(ours.close)
            ours.setblocking(False)
            stderr = undo.enter_context(tempfile.TemporaryFile())
            # Appending, so that after the supervisor has emptied it the child's next words are its first bytes.
            fcntl.fcntl(stderr, fcntl.F_SETFL, fcntl.fcntl(stderr, fcntl.F_GETFL) | os.O_APPEND)
            scratch = ScratchFolder(spec.scratch) if spec.scratch is not None else None
            if scratch is not None:
                undo.callback(scratch.remove)
            process = await _executed(spec, _launch(spec, theirs.fileno(), scratch), stderr)
            usage = await _usage(process)
            undo.pop_all()
        return cls(process, ours, stderr, usage, scratch)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        return self.process.returncode

    def kill(self) -> None:
        """SIGKILL to the whole group, unless it was reaped already (its number may be another's by then)."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def last_words(self) -> str:
        """The end of what the child wrote to stderr since `forget_words`, at most 4 KiB."""
        size = os.fstat(self.stderr.fileno()).st_size
        data = os.pread(self.stderr.fileno(), _LAST_WORDS_BYTES, max(0, size - _LAST_WORDS_BYTES))
        return data.decode("utf-8", "replace")

    def forget_words(self) -> None:
        if os.fstat(self.stderr.fileno()).st_size > 0:  # cutting off nothing would still write to the disk
            os.ftruncate(self.stderr.fileno(), 0)

    def empty_scratch(self) -> None:
        """Remove the files that a task left."""
        if self.scratch is not None:
            self.scratch.empty()

    def close(self) -> None:
        """Release the parent's side, once the process is gone."""
        self.channel.close()
        self.stderr.close()
        self.usage.close()
        if self.scratch is not None:
            self.scratch.remove()


async def _executed(spec: ChildSpec, launch: Launch, stderr: IO[bytes]) -> asyncio.subprocess.Process:
    """The process, also where the caller is cancelled meanwhile: it is reaped then, and not left to an event loop that
    may be closed before it ends."""
    executing = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *spec.command,
            launch.to_json(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=stderr,
            cwd="/",
            env=_environment(spec.limits.address_space_bytes),
            pass_fds=(launch.channel,),
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(executing)
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            await _reaped(await executing)
        raise


async def _usage(process: asyncio.subprocess.Process) -> Usage:
    """What the process uses. OSError if that cannot be watched; the process is gone then."""
    try:
        return Usage(process.pid)
    except OSError:
        await _reaped(process)
        raise


async def _reaped(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def _environment(address_space_bytes: int | None) -> dict[str, str]:
    if address_space_bytes is not None and address_space_bytes < _AMPLE_BYTES:
        return _ENVIRONMENT
    return {**_ENVIRONMENT, **allocator.variables(), "RUST_MIN_STACK": str(_DEEP_STACK_BYTES)}


def _launch(spec: ChildSpec, channel: int, scratch: ScratchFolder | None) -> Launch:
    return Launch(
        channel=channel,
        parent_pid=os.getpid(),
        temporary_folder=tempfile.gettempdir(),
        address_space_bytes=spec.limits.address_space_bytes,
        written_bytes=spec.limits.written_bytes,
        cpu_seconds=spec.limits.granted_cpu_seconds,
        open_files=spec.limits.open_files,
        readable_paths=spec.readable_paths,
        scratch_folder=scratch.path if scratch is not None else None,
    )
