"""One child under supervision: started, given one task at a time, killed at a limit, always reaped."""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ingest_grpc.sandbox import protocol
from ingest_grpc.sandbox.endings import explain
from ingest_grpc.sandbox.memory import Guard
from ingest_grpc.sandbox.process import ChildProcess
from ingest_grpc.sandbox.spec import ChildFailure, ChildSpec, Ending

REAP_SECONDS = 0.5
"""How long a caller waits for a killed child to be gone; the kernel needs some milliseconds."""

_MAX_MESSAGES = 20_000
_MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Per task, all together. An honest child tells of each page; a hostile one could keep the event loop busy."""

OnProgress = Callable[[Mapping[str, Any]], None]


class ChildGone(Exception):
    """The child was dead before it got the task: the task is not to blame and can go to another child."""


class Child:
    """A running child. Create with `start`; once `usable` is false it has to be replaced."""

    def __init__(self, process: ChildProcess, spec: ChildSpec) -> None:
        self._process = process
        self._reader = protocol.Reader(process.channel)
        self._limits = spec.limits
        self._guard = Guard(process.usage, spec.limits, self._on_excess, process.scratch)
        self.excess = ""
        """The limit of the sandbox for which it was killed, if it was."""
        self._spent = False
        self._in_use = True
        self._exit = asyncio.create_task(self._reap())
        self._exit.add_done_callback(lambda _: self._stop_watching())
        self._started_at = time.monotonic()
        self.tasks = 0
        self._task_id = 0
        self.accepted = False
        """Whether the child has confirmed that it received the latest task."""
        self.protections: Mapping[str, bool] = {}

    @classmethod
    async def start(cls, spec: ChildSpec) -> "Child":
        """A child that has said hello. ChildFailure if it does not, OSError if no process can be had."""
        child = cls(await ChildProcess.start(spec), spec)
        try:
            await child._greet(spec.start_timeout_seconds)
        except BaseException:
            # Nobody else knows this child: whatever went wrong, cancellation too, it is reaped before that is told.
            await child.end()
            raise
        finally:
            child._release()
        return child

    async def _greet(self, timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds):
                self.protections = _hello((await self._reader.read())[0])
        except TimeoutError:
            raise ChildFailure(Ending.UNAVAILABLE, f"not ready after {timeout_seconds:g} s") from None
        except (OSError, EOFError, protocol.ProtocolError) as error:
            raise ChildFailure(Ending.UNAVAILABLE, f"no hello: {(await self._died(error)).detail}") from None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def usable(self) -> bool:
        return not self._exit.done() and not self._spent

    @property
    def resident_bytes(self) -> int:
        return self._process.usage.sample().resident_bytes

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self._started_at

    @property
    def missing_protections(self) -> list[str]:
        """The names of those that this machine does not enforce."""
        return sorted(name for name, in_force in self.protections.items() if not in_force)

    def on_exit(self, callback: Callable[["Child"], None]) -> None:
        """Call `callback` when the process has ended and was reaped, however that came."""
        self._exit.add_done_callback(lambda _: callback(self))

    def kill(self) -> None:
        """End it now. Reaping happens by itself; `exited` waits for it."""
        self._spent = True
        self._process.kill()

    async def end(self) -> None:
        """Kill it and wait until it was reaped."""
        self.kill()
        await self.exited()

    async def exited(self) -> None:
        """Wait until the process was reaped. Cancelling this wait leaves the reaping alone."""
        await asyncio.wait((self._exit,))

    async def run(
        self, task: Mapping[str, Any], descriptors: Sequence[int], on_progress: OnProgress
    ) -> Mapping[str, Any]:
        """Do one task; returns its result, plain JSON values that nobody has checked.

        ChildFailure says how it ended otherwise; ChildGone that it never began. When it returns or raises,
        whatever the reason, either the child is idle again or it has been sent SIGKILL.
        """
        self.tasks += 1
        # Not to be guessed: no child answers what it has not read.
        self._task_id = secrets.randbits(64)
        self._in_use = True
        self.accepted = False
        self._process.forget_words()
        self._guard.watch_work()
        patience = asyncio.timeout(self._limits.stall_seconds)
        try:
            async with asyncio.timeout(self._limits.wall_seconds), patience:
                await protocol.send_task(self._process.channel, {"id": self._task_id, "task": task}, descriptors)
                return await self._answer(on_progress, patience)
        except TimeoutError:
            await self._kill_and_wait()
            raise self._out_of_time(patience) from None
        except (OSError, EOFError, protocol.ProtocolError) as error:
            failure = await self._died(error)
            raise (failure if self.accepted else ChildGone(failure.detail)) from None
        except ChildFailure:
            raise
        except BaseException:
            # Above all cancellation: the caller is free at once, and the child must not work on.
            self.kill()
            raise
        finally:
            self._process.empty_scratch()
            self._release()

    async def _answer(self, on_progress: OnProgress, patience: asyncio.Timeout) -> Mapping[str, Any]:
        bytes_left, last = _MAX_MESSAGE_BYTES, None
        for _ in range(_MAX_MESSAGES):
            message, size = await self._reader.read()
            bytes_left -= size
            if bytes_left < 0:
                raise protocol.ProtocolError("too many bytes of progress")
            if message.get("id") != self._task_id:
                raise protocol.ProtocolError("an answer to another task")
            match message:
                case {"kind": "accepted"}:
                    self.accepted = True
                case {"kind": "progress", "progress": dict(progress)}:
                    if progress != last and self._limits.stall_seconds is not None:
                        patience.reschedule(asyncio.get_running_loop().time() + self._limits.stall_seconds)
                    last = progress
                    on_progress(progress)
                case {"kind": "result", "result": dict(result), "retire": bool(retire)}:
                    self._spent = self._spent or retire
                    return result
                case {
                    "kind": "failure",
                    "ending": Ending.OUT_OF_MEMORY | Ending.BROKEN as ending,
                    "detail": str(detail),
                }:
                    self._spent = True
                    raise ChildFailure(Ending(ending), detail)
                case _:
                    raise protocol.ProtocolError("an unknown message")
        raise protocol.ProtocolError("too many progress messages")

    def _out_of_time(self, patience: asyncio.Timeout) -> ChildFailure:
        """Why the task was stopped: no progress for too long, or too long in all."""
        if patience.expired():
            return ChildFailure(Ending.STALLED, f"no progress for {self._limits.stall_seconds:g} s")
        return ChildFailure(Ending.TIMED_OUT, f"no result after {self._limits.wall_seconds:g} s")

    async def _died(self, error: Exception) -> ChildFailure:
        """The failure that the end of the channel stands for; the child is gone afterwards."""
        self._spent = True
        # A dying process closes its channel before it can be reaped: let it tell why it dies.
        if not isinstance(error, protocol.ProtocolError):
            await asyncio.wait((self._exit,), timeout=REAP_SECONDS)
        returncode = self._process.returncode
        await self._kill_and_wait()
        if self.excess:
            return ChildFailure(Ending.OUT_OF_MEMORY, self.excess)
        if isinstance(error, protocol.ProtocolError):
            return ChildFailure(Ending.CRASHED, f"broke the protocol: {error}")
        return explain(returncode, self._process.last_words())

    async def _kill_and_wait(self) -> None:
        self.kill()
        await asyncio.wait((self._exit,), timeout=REAP_SECONDS)

    def _release(self) -> None:
        self._in_use = False
        if self.usable:
            self._guard.watch_rest()
        else:
            self._stop_watching()

    def _stop_watching(self) -> None:
        self._guard.stop()
        self._close_unless_in_use()

    def _close_unless_in_use(self) -> None:
        """Close the channel once nobody reads from it: a descriptor closed under a waiting read never wakes it."""
        if self._exit.done() and not self._in_use:
            self._process.close()

    def _on_excess(self, excess: str) -> None:
        self.excess = excess
        self.kill()

    async def _reap(self) -> None:
        await self._process.process.wait()


def _hello(message: protocol.Message) -> Mapping[str, bool]:
    match message:
        case {"kind": "hello", "protections": dict(protections)}:
            return {str(name): value is True for name, value in protections.items()}
    raise protocol.ProtocolError("no hello")
