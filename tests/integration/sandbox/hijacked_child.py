"""Entry module of a child that somebody took over: it sends what it likes, and goes on between its tasks. Run by the
tests only."""

import mmap
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ingest_grpc.sandbox import protocol
from ingest_grpc.sandbox.child import Reply, Report, serve
from ingest_grpc.sandbox.spec import Launch

LAUNCH = Launch.from_json(sys.argv[-1])
MIB = 2**20

kept: list[int] = []
mapped: list[mmap.mmap] = []
send = protocol.send


def answer_twice(channel: socket.socket, message: protocol.Message) -> None:
    send(channel, message)
    if message["kind"] == "result":
        send(channel, message)


def answer_ahead(channel: socket.socket, message: protocol.Message) -> None:
    """The next task is answered before it was read, if it can be guessed what it will be called."""
    send(channel, message)
    if message["kind"] == "result":
        next_id = message["id"] + 1
        send(channel, {"kind": "accepted", "id": next_id})
        send(channel, {**message, "id": next_id, "result": {"forged": True}})


def answer_in_half(channel: socket.socket, message: protocol.Message) -> None:
    data = protocol.encode(message)
    channel.sendall(data[:-1] if message["kind"] == "result" else data)


def pass_descriptors(channel: socket.socket, message: protocol.Message) -> None:
    socket.send_fds(channel, [protocol.encode(message)], [0, 1, 2])


SENDING: Mapping[str, Callable[[socket.socket, protocol.Message], None]] = {
    "twice": answer_twice,
    "ahead": answer_ahead,
    "in half": answer_in_half,
    "with descriptors": pass_descriptors,
    "honestly": send,
}


def send_as_told(channel: socket.socket, message: protocol.Message) -> None:
    SENDING[sys.argv[1]](channel, message)


def spin() -> None:
    while True:
        pass


def fill_folder() -> None:
    """Once the task is over: its folder is emptied then."""
    while os.path.exists(_marker()):
        time.sleep(0.001)
    for number in range(100):
        with open(os.path.join(LAUNCH.scratch_folder or "", f"{number}"), "wb") as file:
            file.write(bytes(MIB // 2))


def _marker() -> str:
    return os.path.join(LAUNCH.scratch_folder or "", "task")


def keep(descriptor: int) -> None:
    kept.append(os.dup(descriptor))
    os.ftruncate(kept[-1], MIB)
    mapped.append(mmap.mmap(kept[-1], MIB))
    mapped[-1][:4] = b"kept"


def write_to_kept() -> dict[str, Any]:
    refused = []
    for attempt in (lambda: os.pwrite(kept[-1], b"x", 0), lambda: os.ftruncate(kept[-1], MIB)):
        try:
            attempt()
        except OSError as error:
            refused.append(error.errno)
    return {"refused": refused, "bytes": os.fstat(kept[-1]).st_size}


def handle(task: Mapping[str, Any], descriptors: Sequence[int], _report: Report) -> Reply:
    """Do what the task says; threads that it starts stay."""
    match task["action"]:
        case "keep":
            keep(descriptors[0])
        case "write to kept":
            return Reply(write_to_kept())
        case "spin on":
            threading.Thread(target=spin, daemon=True).start()
        case "fill on":
            open(_marker(), "wb").close()
            threading.Thread(target=fill_folder, daemon=True).start()
    return Reply({"pid": os.getpid()})


if __name__ == "__main__":
    protocol.send = send_as_told
    serve(handle)
