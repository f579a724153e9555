"""Metadata in many frames, which gRPC core does not bound: what replaces a name in grpc.aio must go on doing so."""

import asyncio
import logging
from importlib import import_module
from typing import Any

import pytest

from ingest_grpc.api import metadata_limit
from ingest_grpc.api.metadata_limit import MOST_ENTRIES, TooMuchMetadata
from ingest_grpc.v1 import job_service_pb2 as pb
from tests.acceptance.attacks import CALL, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, OPENED, frame, literal
from tests.integration.api.conftest import Api

OK, UNKNOWN, REFUSED_BY_CORE = b"grpc-status\x010", b"grpc-status\x012", b"grpc-status\x018"
PER_FRAME = 10


async def _answer(port: int, entries: int) -> bytes:
    """The answer to an empty request with so many entries of metadata, in small frames."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(OPENED + frame(HEADERS, 0, 1, CALL))
        for first in range(0, entries, PER_FRAME):
            block = b"".join(literal(b"x-%d" % number, b"v") for number in range(first, first + PER_FRAME))
            writer.write(frame(CONTINUATION, END_HEADERS if first + PER_FRAME >= entries else 0, 1, block))
        writer.write(frame(DATA, END_STREAM, 1, bytes(5)))
        await writer.drain()
        answer = b""
        async with asyncio.timeout(10):
            while b"grpc-status" not in answer or len(answer) < answer.index(b"grpc-status") + 13:
                piece = await reader.read(65_536)
                assert piece, answer
                answer += piece
        return answer
    finally:
        writer.close()


async def test_metadata__of_more_entries_than_fit_into_a_frame_is_not_made(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    names, made = vars(import_module("grpc._cython.cygrpc")), list[str]()
    counted = names["_Metadatum"]

    def noting(key: str, value: str | bytes) -> Any:
        made.append(key)
        return counted(key, value)

    monkeypatch.setitem(names, "_Metadatum", noting)
    caplog.set_level(logging.INFO)
    metadata_limit.metadata_was_read()  # a client of this process may have been answered before
    monkeypatch.setattr(metadata_limit, "perf_counter", lambda: 0.0)  # however busy the machine is
    answer = await _answer(api.port, 2_000)
    # A busy core may refuse it by itself, and then makes nothing of it.
    assert UNKNOWN in answer or REFUSED_BY_CORE in answer
    assert len(made) == (MOST_ENTRIES + 1 if UNKNOWN in answer else 0)
    told = f"a call was refused for its metadata: more than {MOST_ENTRIES} entries"
    assert (told in caplog.messages) == (UNKNOWN in answer)
    assert not any(record.exc_info for record in caplog.records)
    await api.jobs.ListJobs(pb.ListJobsRequest())


async def test_metadata__of_many_calls_is_counted_for_each(api: Api) -> None:
    metadata = [(f"x-{number}", "v") for number in range(100)]
    for _ in range(10):
        await api.jobs.ListJobs(pb.ListJobsRequest(), metadata=metadata)


async def test_metadata__as_large_as_it_may_be_passes(api: Api) -> None:
    assert OK in await _answer(api.port, MOST_ENTRIES - 12)


def test_entries__of_several_calls_over_time_are_not_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(metadata_limit, "perf_counter", lambda: now)
    metadata_limit.metadata_was_read()
    for _ in range(10 * MOST_ENTRIES):
        now += 0.001
        metadata_limit._counted(lambda *entry: entry, "key", "value")
    metadata_limit.metadata_was_read()
    for _ in range(MOST_ENTRIES):
        metadata_limit._counted(lambda *entry: entry, "key", "value")
    with pytest.raises(TooMuchMetadata):
        metadata_limit._counted(lambda *entry: entry, "key", "value")
