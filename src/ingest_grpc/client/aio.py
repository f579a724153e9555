"""The asynchronous client: a shell that performs the operations on grpc.aio."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import grpc

from ingest_grpc.client.effects import (
    Call,
    Effect,
    Emit,
    Feed,
    Open,
    Operation,
    Outcome,
    Receive,
    Run,
    Send,
    Sleep,
    Stream,
)
from ingest_grpc.client.errors import ClientClosed, call_error, stalled
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
from ingest_grpc.client.verdict import Verdict

P = ParamSpec("P")
T = TypeVar("T")


class AsyncShell:
    """Performs effects on an asynchronous channel."""

    def __init__(self, channel: grpc.aio.Channel, api_key: str | None) -> None:
        self._channel = channel
        self._metadata = grpc.aio.Metadata(*call_metadata(api_key))
        self._closed = False

    async def run(self, operation: Operation[T]) -> T:
        """Perform effect after effect, to the operation's result."""
        try:
            effect = next(operation)
            while True:
                effect = (await self._outcome(effect)).resume(operation)
        except StopIteration as done:
            result: T = done.value
            return result
        finally:
            operation.close()

    async def iterate(self, feed: Feed[T]) -> AsyncGenerator[T, None]:
        """The items of a feed. Leaving the iteration, by `aclose` too, ends its streams."""
        try:
            step = next(feed)
            while True:
                outcome = Outcome()
                if isinstance(step, Emit):
                    yield step.item
                else:
                    outcome = await self._outcome(step)
                step = outcome.resume(feed)
        except StopIteration:
            return
        finally:
            feed.close()

    async def close(self) -> None:
        """End all calls: those that still run raise ClientClosed."""
        self._closed = True
        await self._channel.close()

    async def _outcome(self, effect: Effect[Any]) -> Outcome:
        try:
            with self._translated():
                return Outcome(answer=await self._perform(effect))
        except Exception as error:  # noqa: BLE001 - the operation decides what an error means
            return Outcome(error=error)

    async def _perform(self, effect: Effect[Any]) -> Any:
        match effect:
            case Receive(stream, timeout):
                return await self._receive(stream, timeout)
            case Call(rpc, request, timeout):
                method = self._channel.unary_unary(rpc.path, rpc.encode, rpc.decode)
                return await method(request, timeout=timeout, metadata=self._metadata)
            case Open(rpc, request):
                return Stream(
                    self._channel.unary_stream(rpc.path, rpc.encode, rpc.decode)(request, metadata=self._metadata)
                )
            case Send():
                return await self._send(effect)
            case Sleep(seconds):
                return await asyncio.sleep(seconds)
            case Run(function):
                return await asyncio.to_thread(function)
            case _:
                raise TypeError(f"not an effect: {effect!r}")

    @staticmethod
    async def _receive(stream: Stream[Any], timeout: float) -> Any:
        try:
            async with asyncio.timeout(timeout):
                message = await stream.call.read()
        except TimeoutError:
            raise stalled(timeout) from None
        return None if message is grpc.aio.EOF else message

    async def _send(self, send: Send[Any, Any]) -> Any:
        call = self._channel.stream_unary(send.rpc.path, send.rpc.encode, send.rpc.decode)(metadata=self._metadata)
        verdict = Verdict(call)
        try:
            # Not an iterator given to gRPC: an error of the disk would reach us as a mere cancellation.
            while (request := await asyncio.to_thread(next, send.requests, None)) is not None:
                await call.write(request)
                send.sent(request)
            await call.done_writing()
        except (grpc.aio.AioRpcError, grpc.aio.InternalError, asyncio.InvalidStateError):
            return await verdict.settled()
        except BaseException:
            call.cancel()
            raise
        return await call

    @contextmanager
    def _translated(self) -> Iterator[None]:
        self._check_open()
        try:
            yield
        except grpc.aio.AioRpcError as error:
            self._check_open()
            raise call_error(error.code(), error.details(), error.trailing_metadata()) from error
        except (asyncio.CancelledError, grpc.aio.UsageError):
            # Closing the channel cancels its calls; that looks as if the caller's task had been cancelled.
            task = asyncio.current_task()
            if not (task and task.cancelling()):
                self._check_open()
            raise

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosed("the client is closed")


def _coroutine(
    operation: Callable[Concatenate[Session, P], Operation[T]],
) -> Callable[Concatenate["AsyncClient", P], Coroutine[Any, Any, T]]:
    async def method(client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await client.shell.run(operation(client.session, *args, **kwargs))

    present(method, operation)
    return method


def _generator(
    feed: Callable[Concatenate[Session, P], Feed[T]],
) -> Callable[Concatenate["AsyncClient", P], AsyncGenerator[T, None]]:
    def method(client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
        return client.shell.iterate(feed(client.session, *args, **kwargs))

    present(method, feed)
    return method


class AsyncClient:
    """A connection to one server, for asyncio.

        async with AsyncClient("127.0.0.1:50061") as client:
            file = await client.upload("report.pdf")
            job = (await client.create_job("Reports", files=[file])).job
            async for message in client.watch(job.job_id):
                print(message.event.title or message.WhichOneof("message"))

    `target` is host:port, or what else gRPC resolves (dns:, unix: …). `api_key` is sent with every call. `tls`:
    False = plaintext, True = the default root certificates, a path = a PEM file of root certificates, or gRPC channel
    credentials. `timeout` is how many seconds a unary call may take, retries included. `channel` is used instead of an
    own one and not closed. A target or a key that cannot be one raises InvalidOption at once.

    Methods return messages of the contract (ingest_grpc.client.messages): the response, or the one thing in
    it. Enum arguments take names ("SETTLED") or numbers. Calls are retried where that is safe and sensible,
    mutations under a request_id that makes them idempotent. Lists and `watch` are async generators; where you
    may leave one early, `async with contextlib.aclosing(client.watch(job_id)) as messages` ends it at once.
    Failures raise IngestCallError. A client belongs to the event loop it was made in.
    """

    def __init__(
        self,
        target: str,
        *,
        api_key: str | None = None,
        tls: bool | str | Path | grpc.ChannelCredentials = False,
        timeout: float = 60.0,
        channel: grpc.aio.Channel | None = None,
    ) -> None:
        self.session = Session(timeout=timeout)
        self.shell = AsyncShell(channel or _channel(target, tls), api_key)

    async def aclose(self) -> None:
        """Close the connection; calls that still run raise ClientClosed."""
        await self.shell.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    create_file = _coroutine(files.create_file)
    upload = _coroutine(files.upload)
    create_upload = _coroutine(uploads.create_upload)
    write_upload = _coroutine(uploads.write_upload)
    get_upload = _coroutine(uploads.get_upload)
    complete_upload = _coroutine(uploads.complete_upload)
    import_file = _coroutine(file_changes.import_file)
    update_file = _coroutine(file_changes.update_file)
    get_file = _coroutine(files.get_file)
    list_files = _generator(files.list_files)
    read_file = _coroutine(files.read_file)
    read_text = _coroutine(files.read_text)
    download = _coroutine(files.download)
    delete_file = _coroutine(files.delete_file)

    create_job = _coroutine(jobs.create_job)
    get_job = _coroutine(jobs.get_job)
    whole_job = _coroutine(whole_jobs.whole_job)
    list_jobs = _generator(jobs.list_jobs)
    count_jobs = _coroutine(jobs.count_jobs)
    list_job_files = _generator(jobs.list_job_files)
    add_files = _coroutine(jobs.add_files)
    remove_files = _coroutine(jobs.remove_files)
    retry_files = _coroutine(job_changes.retry_files)
    start_job = _coroutine(job_changes.start_job)
    cancel_job = _coroutine(jobs.cancel_job)
    update_job = _coroutine(job_changes.update_job)
    delete_job = _coroutine(job_changes.delete_job)
    undelete_job = _coroutine(job_changes.undelete_job)
    clone_job = _coroutine(job_changes.clone_job)
    list_events = _generator(jobs.list_events)

    watch = _generator(watching.watch)
    watch_jobs = _generator(watching.watch_jobs)
    wait = _coroutine(watching.wait)
    job_view = _coroutine(watching.job_view)
    wait_job = _coroutine(waiting.wait_job)

    list_ingestion_jobs = _generator(ingestion.list_ingestion_jobs)
    get_ingestion_job = _coroutine(ingestion.get_ingestion_job)
    list_file_records = _generator(ingestion.list_file_records)
    get_file_record = _coroutine(ingestion.get_file_record)
    server_info = _coroutine(ingestion.server_info)

    create_knowledge_base = _coroutine(knowledge_bases.create_knowledge_base)
    get_knowledge_base = _coroutine(knowledge_bases.get_knowledge_base)
    list_knowledge_bases = _generator(knowledge_bases.list_knowledge_bases)
    update_knowledge_base = _coroutine(knowledge_bases.update_knowledge_base)
    delete_knowledge_base = _coroutine(knowledge_bases.delete_knowledge_base)
    undelete_knowledge_base = _coroutine(knowledge_bases.undelete_knowledge_base)
    add_knowledge_base_files = _coroutine(knowledge_bases.add_knowledge_base_files)
    remove_knowledge_base_files = _coroutine(knowledge_bases.remove_knowledge_base_files)
    list_knowledge_base_files = _generator(knowledge_bases.list_knowledge_base_files)
    get_file_status = _coroutine(knowledge_bases.get_file_status)
    get_file_status_counts = _coroutine(knowledge_bases.get_file_status_counts)
    list_chunks = _generator(knowledge_bases.list_chunks)
    search = _coroutine(knowledge_bases.search)
    add_data_source = _coroutine(data_sources.add_data_source)
    get_data_source = _coroutine(data_sources.get_data_source)
    list_data_sources = _generator(data_sources.list_data_sources)
    update_data_source = _coroutine(data_sources.update_data_source)
    remove_data_source = _coroutine(data_sources.remove_data_source)
    sync_data_source = _coroutine(data_sources.sync_data_source)
    cancel_sync = _coroutine(data_sources.cancel_sync)


def _channel(target: str, tls: bool | str | Path | grpc.ChannelCredentials) -> grpc.aio.Channel:
    check_target(target)
    credentials = channel_credentials(tls)
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS)
    return grpc.aio.secure_channel(target, credentials, options=CHANNEL_OPTIONS)
