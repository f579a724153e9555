"""The synchronous shell against grpcio-testing's fake channel, which fails, stalls and goes on when it is told to."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import grpc
import grpc_testing
import pytest

from ingest_grpc.client import Client, ClientClosed, IngestCallError, resume, sync
from ingest_grpc.client.effects import Send
from ingest_grpc.client.messages import File, GetFileResponse, UploadFileResponse, WatchJobResponse
from ingest_grpc.client.retry import Backoff, Session
from ingest_grpc.client.sources import CHUNK_BYTES
from ingest_grpc.client.sync import Requests
from ingest_grpc.client.watchdog import THREAD_NAME as WATCHDOG
from ingest_grpc.v1 import file_service_pb2, job_service_pb2
from tests.unit.client.messages import end, event, heartbeat, snapshot, synced

FILES = file_service_pb2.DESCRIPTOR.services_by_name["FileService"]
JOBS = job_service_pb2.DESCRIPTOR.services_by_name["JobService"]
WATCH = JOBS.methods_by_name["WatchJob"]
GET_FILE = FILES.methods_by_name["GetFile"]
UPLOAD = FILES.methods_by_name["UploadFile"]

OK = grpc.StatusCode.OK
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
CANCELLED = grpc.StatusCode.CANCELLED

T = TypeVar("T")


class Peer:
    """The other end of the fake channel: what a server would see and say."""

    def __init__(self) -> None:
        self.channel = grpc_testing.channel((FILES, JOBS), grpc_testing.strict_real_time())
        self.client = Client("", api_key="secret", channel=self.channel)
        self.client.session = Session(backoff=lambda: Backoff(initial=0.0, maximum=0.0))
        self._threads = ThreadPoolExecutor(max_workers=2)

    def start(self, function: Callable[[], T]) -> "Future[T]":
        """Let the client call in a thread while the test plays the server."""
        return self._threads.submit(function)

    def close(self) -> None:
        self._threads.shutdown()


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


def collect(messages: Iterator[WatchJobResponse]) -> list[WatchJobResponse]:
    return list(messages)


def test_call__sends_the_key_and_returns_the_answer(peer: Peer) -> None:
    result = peer.start(lambda: peer.client.get_file("file-1"))
    metadata, request, rpc = peer.channel.take_unary_unary(GET_FILE)
    rpc.terminate(GetFileResponse(file=File(file_id="file-1")), (), OK, "")
    assert result.result() == File(file_id="file-1")
    assert ("authorization", "Bearer secret") in metadata
    assert request.file_id == "file-1"


def test_call__is_repeated_when_the_server_is_away(peer: Peer) -> None:
    result = peer.start(lambda: peer.client.get_file("file-1"))
    peer.channel.take_unary_unary(GET_FILE)[2].terminate(None, (), UNAVAILABLE, "away")
    peer.channel.take_unary_unary(GET_FILE)[2].terminate(GetFileResponse(), (), OK, "")
    assert result.result() == File()


def test_call__failure_becomes_an_error_of_ours(peer: Peer) -> None:
    result = peer.start(lambda: peer.client.get_file("file-1"))
    peer.channel.take_unary_unary(GET_FILE)[2].terminate(None, (), grpc.StatusCode.NOT_FOUND, "no such file")
    with pytest.raises(IngestCallError, match="NOT_FOUND: no such file"):
        result.result()


def test_watch__resumes_where_it_was_cut(peer: Peer) -> None:
    arrived = threading.Semaphore(0)
    seen: list[WatchJobResponse] = []

    def follow() -> None:
        for message in peer.client.watch("dj-1"):
            seen.append(message)
            arrived.release()

    done = peer.start(follow)
    _metadata, request, rpc = peer.channel.take_unary_stream(WATCH)
    assert not request.HasField("after_sequence")
    for message in (snapshot(3), synced(3), event(4)):
        rpc.send_response(message)
        arrived.acquire()  # the fake forgets what was not read when it fails
    rpc.terminate((), UNAVAILABLE, "cut")

    _metadata, request, rpc = peer.channel.take_unary_stream(WATCH)
    assert (request.after_sequence, request.ledger_id) == (4, "ledger-1")
    for message in (heartbeat(4), event(5), end(5)):
        rpc.send_response(message)
    done.result()
    assert [message.event.sequence for message in seen if message.HasField("event")] == [4, 5]
    rpc.cancelled()  # the fake says so: the client has let the stream go


def test_watch__a_silent_stream_is_given_up_and_resumed(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "STALL_HEARTBEATS", 0.002)
    causes: list[str] = []
    feed = peer.client.watch("dj-1", after_sequence=0, on_reconnect=lambda error, delay: causes.append(str(error)))
    done = peer.start(lambda: collect(feed))
    _metadata, _request, silent = peer.channel.take_unary_stream(WATCH)
    silent.cancelled()
    monkeypatch.setattr(resume, "STALL_HEARTBEATS", 3)
    rpc = peer.channel.take_unary_stream(WATCH)[2]
    rpc.send_response(event(1))
    rpc.send_response(end(1))
    assert [message.sequence for message in done.result()] == [1, 1]
    assert causes == ["UNAVAILABLE: No message came for 0.03 seconds."]


def test_watch__cancelled_by_the_server_is_resumed(peer: Peer) -> None:
    done = peer.start(lambda: collect(peer.client.watch("dj-1", after_sequence=0)))
    peer.channel.take_unary_stream(WATCH)[2].terminate((), CANCELLED, "too many streams")
    rpc = peer.channel.take_unary_stream(WATCH)[2]
    rpc.send_response(end(0))
    assert [message.sequence for message in done.result()] == [0]


def test_watch__leaving_the_loop_ends_the_stream(peer: Peer) -> None:
    messages = peer.client.watch("dj-1", after_sequence=0)
    first = peer.start(lambda: next(messages))
    rpc = peer.channel.take_unary_stream(WATCH)[2]
    rpc.send_response(event(1))
    first.result()
    watchdogs = [thread for thread in threading.enumerate() if thread.name == WATCHDOG]
    messages.close()
    rpc.cancelled()
    assert len(watchdogs) == 1
    watchdogs[0].join(timeout=5.0)
    assert not watchdogs[0].is_alive()


class BreakingFile:
    """A file that can be read once, for its digest, and fails in the middle of the second time."""

    name = "a.bin"

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.rewinds = 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def seek(self, position: int) -> None:
        self.position = position
        self.rewinds += 1

    def read(self, size: int) -> bytes:
        if self.rewinds > 1 and self.position:
            raise OSError("the disk is gone")
        start, self.position = self.position, min(self.position + size, len(self.data))
        return self.data[start : self.position]


LARGE = bytes(3 * CHUNK_BYTES)


def take_upload(peer: Peer) -> tuple[list[Any], Any]:
    """All requests of the next upload, and its rpc."""
    _metadata, rpc = peer.channel.take_stream_unary(UPLOAD)
    requests = [rpc.take_request()]
    while sum(len(request.data) for request in requests) < requests[0].header.size_bytes:
        requests.append(rpc.take_request())
    return requests, rpc


def test_upload__streams_the_content_and_reports_progress(peer: Peer) -> None:
    seen: list[tuple[int, int]] = []
    result = peer.start(
        lambda: peer.client.upload(LARGE, filename="a.bin", on_progress=lambda done, total: seen.append((done, total)))
    )
    requests, rpc = take_upload(peer)
    rpc.requests_closed()
    rpc.terminate(UploadFileResponse(file=File(file_id="file-1")), (), OK, "")
    assert result.result() == File(file_id="file-1")
    assert [len(request.data) for request in requests] == [0, CHUNK_BYTES, CHUNK_BYTES, CHUNK_BYTES]
    assert [done for done, _total in seen] == [0, CHUNK_BYTES, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES]


def test_upload__a_broken_one_is_sent_again_whole(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[Requests[Any]] = []

    def remember(send: Send[Any, Any]) -> Requests[Any]:
        attempts.append(Requests(send))
        return attempts[-1]

    monkeypatch.setattr(sync, "Requests", remember)
    result = peer.start(lambda: peer.client.upload(LARGE, filename="a.bin"))
    _metadata, broken = peer.channel.take_stream_unary(UPLOAD)
    first = broken.take_request()
    broken.terminate(None, (), UNAVAILABLE, "cut")
    requests, rpc = take_upload(peer)
    # gRPC's thread outlives the call it feeds: reading on, it would move the position under the next attempt.
    assert attempts[0].stopped
    rpc.terminate(UploadFileResponse(), (), OK, "")
    result.result()
    assert requests[0] == first
    assert len(requests) == 4


def test_upload__an_error_of_the_disk_reaches_the_caller(peer: Peer) -> None:
    result = peer.start(lambda: peer.client.upload(BreakingFile(LARGE)))  # type: ignore[arg-type]
    peer.channel.take_stream_unary(UPLOAD)
    with pytest.raises(OSError, match="the disk is gone"):
        result.result()


def test_closed_client__says_so(peer: Peer) -> None:
    peer.client.close()
    with pytest.raises(ClientClosed):
        peer.client.get_file("file-1")
    with pytest.raises(ClientClosed):
        next(peer.client.watch("dj-1"))
