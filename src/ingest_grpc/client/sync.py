"""The synchronous client: a shell that performs the same operations on a blocking channel."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

import grpc

from ingest_grpc.client.effects import Call, Effect, Emit, Feed, Open, Operation, Outcome, Receive, Run, Send, Sleep
from ingest_grpc.client.errors import ClientClosed, call_error
from ingest_grpc.client.methods import present
from ingest_grpc.client.operations import (
    data_sources,
    file_changes,
    files,
    ingestion,
    job_changes,
    jobs,
    knowledge_bases,
    uploads,
    waiting,
    watching,
    whole_jobs,
)
from ingest_grpc.client.options import CHANNEL_OPTIONS, call_metadata, channel_credentials, check_target
from ingest_grpc.client.retry import Session
from ingest_grpc.client.watchdog import WatchedStream

P = ParamSpec("P")
T = TypeVar("T")


class SyncShell:
    """Performs effects on a blocking channel."""

    def __init__(self, channel: grpc.Channel, api_key: str | None) -> None:
        self._channel = channel
        self._metadata = call_metadata(api_key)
        self._closed = False

    def run(self, operation: Operation[T]) -> T:
        """Perform effect after effect, to the operation's result."""
        try:
            effect = next(operation)
            while True:
                effect = self._outcome(effect).resume(operation)
        except StopIteration as done:
            result: T = done.value
            return result
        finally:
            operation.close()

    def iterate(self, feed: Feed[T]) -> Generator[T, None, None]:
        """The items of a feed. Leaving the iteration ends its streams."""
        try:
            step = next(feed)
            while True:
                outcome = Outcome()
                if isinstance(step, Emit):
                    yield step.item
                else:
                    outcome = self._outcome(step)
                step = outcome.resume(feed)
        except StopIteration:
            return
        finally:
            feed.close()

    def close(self) -> None:
        """End all calls: those that still run in other threads raise ClientClosed."""
        self._closed = True
        self._channel.close()

    def _outcome(self, effect: Effect[Any]) -> Outcome:
        try:
            with self._translated():
                return Outcome(answer=self._perform(effect))
        except Exception as error:  # noqa: BLE001 - the operation decides what an error means
            return Outcome(error=error)

    def _perform(self, effect: Effect[Any]) -> Any:
        match effect:
            case Receive(stream, timeout) if isinstance(stream, WatchedStream):
                return stream.receive(timeout)
            case Call(rpc, request, timeout):
                method = self._channel.unary_unary(rpc.path, rpc.encode, rpc.decode)
                return method(request, timeout=timeout, metadata=self._metadata)
            case Open(rpc, request):
                opened = self._channel.unary_stream(rpc.path, rpc.encode, rpc.decode)(request, metadata=self._metadata)
                return WatchedStream(opened)
            case Send():
                return self._send(effect)
            case Sleep(seconds):
                return time.sleep(seconds)
            case Run(function):
                return function()
            case _:
                raise TypeError(f"not an effect: {effect!r}")

    def _send(self, send: Send[Any, Any]) -> Any:
        requests = Requests(send)
        try:
            return self._channel.stream_unary(send.rpc.path, send.rpc.encode, send.rpc.decode)(
                requests, metadata=self._metadata
            )
        except grpc.RpcError:
            if requests.error is not None:
                raise requests.error from None
            raise
        finally:
            requests.stop()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        self._check_open()
        try:
            yield
        except grpc.RpcError as error:
            self._check_open()
            raise call_error(error.code(), error.details(), error.trailing_metadata()) from error

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosed("the client is closed")


class Requests(Generic[T]):
    """The requests of one attempt to upload, for the thread of gRPC that consumes them.

    After `stop` nothing is read any more: that thread outlives a failed call, and must not move the position
    of the file while the next attempt reads it.
    """

    def __init__(self, send: Send[T, Any]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._given: T | None = None
        self.stopped = False
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        with self._lock:
            if self.stopped:
                raise StopIteration
            try:
                if self._given is not None:
                    self._send.sent(self._given)
                self._given = next(self._send.requests)
            except StopIteration:
                raise
            except Exception as error:
                self.error = error
                raise
            return self._given

    def stop(self) -> None:
        """Give nothing more; returns once a reading that was under way is over."""
        with self._lock:
            self.stopped = True


def _blocking(
    operation: Callable[Concatenate[Session, P], Operation[T]],
) -> Callable[Concatenate["Client", P], T]:
    def method(client: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client.shell.run(operation(client.session, *args, **kwargs))

    present(method, operation)
    return method


def _generator(
    feed: Callable[Concatenate[Session, P], Feed[T]],
) -> Callable[Concatenate["Client", P], Generator[T, None, None]]:
    def method(client: "Client", /, *args: P.args, **kwargs: P.kwargs) -> Generator[T, None, None]:
        return client.shell.iterate(feed(client.session, *args, **kwargs))

    present(method, feed)
    return method


class Client:
    """A connection to one server, for scripts: AsyncClient without asyncio, method for method.

        with Client("127.0.0.1:50061") as client:
            file = client.upload("report.pdf")
            job = client.create_job("Reports", files=[file]).job
            for record in client.wait(job.job_id).live_records:
                print(record.filename, client.read_text(record.output_file_id))

    Arguments and promises are those of AsyncClient; lists and `watch` are plain generators. A client may be used
    by several threads.
    """

    def __init__(
        self,
        target: str,
        *,
        api_key: str | None = None,
        tls: bool | str | Path | grpc.ChannelCredentials = False,
        timeout: float = 60.0,
        channel: grpc.Channel | None = None,
    ) -> None:
        self.session = Session(timeout=timeout)
        self.shell = SyncShell(channel or _channel(target, tls), api_key)

    def close(self) -> None:
        """Close the connection; calls that still run in other threads raise ClientClosed."""
        self.shell.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    create_file = _blocking(files.create_file)
    upload = _blocking(files.upload)
    create_upload = _blocking(uploads.create_upload)
    write_upload = _blocking(uploads.write_upload)
    get_upload = _blocking(uploads.get_upload)
    complete_upload = _blocking(uploads.complete_upload)
    import_file = _blocking(file_changes.import_file)
    update_file = _blocking(file_changes.update_file)
    get_file = _blocking(files.get_file)
    list_files = _generator(files.list_files)
    read_file = _blocking(files.read_file)
    read_text = _blocking(files.read_text)
    download = _blocking(files.download)
    delete_file = _blocking(files.delete_file)

    create_job = _blocking(jobs.create_job)
    get_job = _blocking(jobs.get_job)
    whole_job = _blocking(whole_jobs.whole_job)
    list_jobs = _generator(jobs.list_jobs)
    count_jobs = _blocking(jobs.count_jobs)
    list_job_files = _generator(jobs.list_job_files)
    add_files = _blocking(jobs.add_files)
    remove_files = _blocking(jobs.remove_files)
    retry_files = _blocking(job_changes.retry_files)
    start_job = _blocking(job_changes.start_job)
    cancel_job = _blocking(jobs.cancel_job)
    update_job = _blocking(job_changes.update_job)
    delete_job = _blocking(job_changes.delete_job)
    undelete_job = _blocking(job_changes.undelete_job)
    clone_job = _blocking(job_changes.clone_job)
    list_events = _generator(jobs.list_events)

    watch = _generator(watching.watch)
    watch_jobs = _generator(watching.watch_jobs)
    wait = _blocking(watching.wait)
    job_view = _blocking(watching.job_view)
    wait_job = _blocking(waiting.wait_job)

    list_ingestion_jobs = _generator(ingestion.list_ingestion_jobs)
    get_ingestion_job = _blocking(ingestion.get_ingestion_job)
    list_file_records = _generator(ingestion.list_file_records)
    get_file_record = _blocking(ingestion.get_file_record)
    server_info = _blocking(ingestion.server_info)

    create_knowledge_base = _blocking(knowledge_bases.create_knowledge_base)
    get_knowledge_base = _blocking(knowledge_bases.get_knowledge_base)
    list_knowledge_bases = _generator(knowledge_bases.list_knowledge_bases)
    update_knowledge_base = _blocking(knowledge_bases.update_knowledge_base)
    delete_knowledge_base = _blocking(knowledge_bases.delete_knowledge_base)
    undelete_knowledge_base = _blocking(knowledge_bases.undelete_knowledge_base)
    add_knowledge_base_files = _blocking(knowledge_bases.add_knowledge_base_files)
    remove_knowledge_base_files = _blocking(knowledge_bases.remove_knowledge_base_files)
    list_knowledge_base_files = _generator(knowledge_bases.list_knowledge_base_files)
    get_file_status = _blocking(knowledge_bases.get_file_status)
    get_file_status_counts = _blocking(knowledge_bases.get_file_status_counts)
    list_chunks = _generator(knowledge_bases.list_chunks)
    search = _blocking(knowledge_bases.search)
    add_data_source = _blocking(data_sources.add_data_source)
    get_data_source = _blocking(data_sources.get_data_source)
    list_data_sources = _generator(data_sources.list_data_sources)
    update_data_source = _blocking(data_sources.update_data_source)
    remove_data_source = _blocking(data_sources.remove_data_source)
    sync_data_source = _blocking(data_sources.sync_data_source)
    cancel_sync = _blocking(data_sources.cancel_sync)


def _channel(target: str, tls: bool | str | Path | grpc.ChannelCredentials) -> grpc.Channel:
    check_target(target)
    credentials = channel_credentials(tls)
    if credentials is None:
        return grpc.insecure_channel(target, options=CHANNEL_OPTIONS)
    return grpc.secure_channel(target, credentials, options=CHANNEL_OPTIONS)
