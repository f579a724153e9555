"""UploadFile against a client stream that is written, hashed and made durable."""

import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

import grpc.aio
import pytest

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import UploadFileHeader, UploadFileRequest, UploadFileResponse
from ingest_grpc.client.rpcs import UPLOAD_FILE
from ingest_grpc.units import MIB
from tests.benchmarks.bare import SERVICE
from tests.benchmarks.harness import Bar, Contestant, Figures, Table, bare_server
from tests.benchmarks.ours import our_server

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

CHUNKS = 100
"""Of 1 MiB each, as the SDK sends them."""

ROUNDS = 5


async def test_upload__against_a_bare_client_stream(tmp_path: Path, table: Table) -> None:
    """Both are sent ready-made messages by the same plain stub, so that the client costs the same."""
    chunk = os.urandom(MIB)
    distinct = itertools.count()
    async with our_server(tmp_path / "ours", workers=0) as ours:
        with bare_server(tmp_path / "bare") as bare:
            async with (
                ours.client() as client,
                grpc.aio.insecure_channel(ours.contestant.address) as our_channel,
                grpc.aio.insecure_channel(bare.address) as bare_channel,
            ):
                authorization = (("authorization", f"Bearer {ours.secret}"),)

                async def our_turn() -> Figures:
                    requests = _requests(chunk, next(distinct))
                    figures, reply = await _sent(
                        our_channel, ours.contestant, UPLOAD_FILE.path, requests, authorization
                    )
                    await _delete(client, reply)
                    return figures

                async def bare_turn() -> Figures:
                    requests = itertools.repeat(chunk, CHUNKS)
                    figures, _ = await _sent(bare_channel, bare, f"/{SERVICE}/upload", requests)
                    return figures

                await table.compare(
                    f"upload of {CHUNKS} MiB", our_turn, bare_turn, rounds=ROUNDS, bars={"MiB/s": Bar(0.8)}
                )


def _requests(chunk: bytes, number: int) -> Iterator[bytes]:
    """The first chunk differs each time: equal files would be stored once only."""
    yield UploadFileRequest(header=UploadFileHeader(filename=f"{number}.bin")).SerializeToString()
    yield UploadFileRequest(data=number.to_bytes(8, "big") + chunk[8:]).SerializeToString()
    yield from itertools.repeat(UploadFileRequest(data=chunk).SerializeToString(), CHUNKS - 1)


async def _sent(
    channel: grpc.aio.Channel,
    server: Contestant,
    path: str,
    messages: Iterator[bytes],
    metadata: tuple[tuple[str, str], ...] = (),
) -> tuple[Figures, bytes]:
    cpu, began = server.cpu_seconds(), time.perf_counter()
    call: grpc.aio.StreamUnaryCall[bytes, bytes] = channel.stream_unary(path)(metadata=metadata)
    for message in messages:
        await call.write(message)
    await call.done_writing()
    reply = await call
    elapsed = time.perf_counter() - began
    return {"MiB/s": CHUNKS / elapsed, "server CPU µs/MiB": (server.cpu_seconds() - cpu) / CHUNKS * 1e6}, reply


async def _delete(client: AsyncClient, reply: bytes) -> None:
    file = UploadFileResponse.FromString(reply).file
    assert file.size_bytes == CHUNKS * MIB
    await client.delete_file(file.file_id)
