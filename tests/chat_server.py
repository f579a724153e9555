"""A chat endpoint on loopback that speaks OpenAI's protocol over real HTTP, and misbehaves where a script says so."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

MAX_HEADER_LINES = 100


@dataclass
class Asked:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def section(self) -> str:
        """What the user's message holds."""
        return str(self.body["messages"][-1]["content"])


@dataclass
class Reply:
    """What is answered; without a body, and with `hangs`, nothing at all until the connection is closed."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False


Script = Callable[[Asked], Reply | Awaitable[Reply]]


def completion(text: str, prompt_tokens: int = 10, completion_tokens: int = 5) -> Reply:
    """A chat completion that says `text`."""
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens},
    }
    return Reply(body=json.dumps(answer).encode(), headers={"content-type": "application/json"})


def pairs(asked: Asked) -> Reply:
    """One question and answer about the section's last line."""
    last = asked.section.splitlines()[-1]
    return completion(json.dumps({"pairs": [{"question": f"What of {last}?", "answer": last}]}))


class ChatServer:
    """Answers each request by the next of `scripts`, and once they ran out by `script`."""

    def __init__(self, script: Script = pairs) -> None:
        self.script = script
        self.scripts: list[Script] = []
        self.asked: list[Asked] = []
        self.arrived = asyncio.Event()
        self.url = ""
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (asked := await _read(reader)) is not None:
                self.asked.append(asked)
                self.arrived.set()
                reply = (self.scripts.pop(0) if self.scripts else self.script)(asked)
                if not isinstance(reply, Reply):
                    reply = await reply
                if reply.hangs:
                    await reader.read()  # until the caller gives up
                    return
                writer.write(_encoded(reply))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    start = await reader.readline()
    if not start:
        return None
    headers: dict[str, str] = {}
    for _ in range(MAX_HEADER_LINES):
        line = (await reader.readline()).decode().strip()
        if not line:
            break
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, path, _ = start.decode().split(" ")
    assert method == "POST"
    return Asked(path, headers, json.loads(body))


def _encoded(reply: Reply) -> bytes:
    headers = {"content-length": str(len(reply.body)), **reply.headers}
    lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + reply.body
