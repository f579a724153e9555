"""The child's side: confine this process, say hello, then do one task after the other until the parent is gone.

An entry module imports everything it will ever need, then calls `serve`: after that no file can be opened,
so no module can be imported.
"""

import os
import socket
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest_grpc.sandbox import protocol
from ingest_grpc.sandbox.confine import landlock, parent, process, seccomp
from ingest_grpc.sandbox.spec import Ending, Launch

Report = Callable[[Mapping[str, Any]], None]
"""Sends the parent a progress message."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler returns: the result, as plain JSON values; `retire` asks for this child to be replaced,
    because the task may have left something behind (work still running, a limit hit, torn memory)."""

    result: Mapping[str, Any]
    retire: bool = False


Handler = Callable[[Mapping[str, Any], Sequence[int], Report], Reply]
"""Does one task, given the parent's words, the descriptors that came with them (closed afterwards by the
runtime), and a way to report. MemoryError is understood; any other exception is a defect of the handler."""


def _nothing() -> None:
    """Nothing is left to do."""


def serve(handler: Handler, load: Callable[[], None] = _nothing, prove: Callable[[], None] = _nothing) -> None:
    """The life of a child. Returns when the parent has closed the channel.

    `load` is for libraries that start threads when they are loaded: those begin life as confined as this one is
    then, with nothing but the system call filter to come. It can read the `readable_paths` of the child's spec.
    `prove` is called once all is in force: a child in which it raises is never ready.
    """
    launch = Launch.from_json(sys.argv[-1])
    protections = confine(launch, load)
    prove()
    with socket.socket(fileno=launch.channel) as channel:
        protocol.send(channel, {"kind": "hello", "protections": protections})
        while (received := protocol.receive(channel)) is not None:
            message, descriptors = received
            # From here on the task is to blame for a death, not something that happened while this child was idle.
            protocol.send(channel, {"kind": "accepted", "id": message["id"]})
            try:
                process.grant_cpu(launch.cpu_seconds)
                answer = _perform(handler, message, descriptors, channel)
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
            protocol.send(channel, answer)


def _perform(
    handler: Handler, message: protocol.Message, descriptors: Sequence[int], channel: socket.socket
) -> protocol.Message:
    task_id = message["id"]

    def report(progress: Mapping[str, Any]) -> None:
        protocol.send(channel, {"kind": "progress", "id": task_id, "progress": progress})

    try:
        reply = handler(message["task"], descriptors, report)
    except MemoryError as error:
        return _failure(task_id, Ending.OUT_OF_MEMORY, f"MemoryError {error}".strip())
    except Exception:  # noqa: BLE001 - the parent decides what a defect means; this child goes on to tell it
        return _failure(task_id, Ending.BROKEN, traceback.format_exc(limit=-4)[-900:])
    return {"kind": "result", "id": task_id, "result": reply.result, "retire": reply.retire}


def _failure(task_id: int, ending: Ending, detail: str) -> protocol.Message:
    return {"kind": "failure", "id": task_id, "ending": ending, "detail": detail}


def confine(launch: Launch, load: Callable[[], None] = _nothing) -> dict[str, bool]:
    """Give up everything a task does not need. Returns which protections are in force, by name.

    A kernel without one of them is no reason to stop: the parent logs and shows what is missing. The order
    matters: limits are lowered before the privileges to do so go, and the filter comes last because it
    refuses some of the calls made here.
    """
    os.umask(0o077)
    parent.die_with_parent(launch.parent_pid)
    protections = {
        "parent_death_signal": True,
        "empty_working_folder": _in_force(lambda: _enter_folder(launch)),
        "no_inherited_descriptors": _in_force(lambda: process.close_descriptors(launch.channel)),
        "resource_limits": _in_force(
            lambda: process.limit_resources(launch.address_space_bytes, launch.written_bytes, launch.open_files)
        ),
        "not_dumpable": _in_force(process.hide_from_debuggers),
        "no_new_privileges": _in_force(process.forbid_new_privileges),
        "no_capabilities": _in_force(process.drop_capabilities),
        "landlock": _in_force(lambda: landlock.restrict(launch.readable_paths, launch.scratch_folder)),
    }
    load()  # threads inherit all of the above; the filter below reaches those that are there already
    keep_files = launch.scratch_folder is not None
    return {**protections, "seccomp": _in_force(lambda: seccomp.install(keep_files=keep_files))}


def _enter_folder(launch: Launch) -> None:
    """Work in the folder to write in, where there is one: some libraries ask for the name of theirs."""
    if launch.scratch_folder is None:
        process.enter_removed_folder(launch.temporary_folder)
    else:
        os.chdir(launch.scratch_folder)


def _in_force(step: Callable[[], None]) -> bool:
    try:
        step()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{step.__qualname__}: {error}\n")
        return False
    return True
