"""A real gRPC server that behaves as a bad network and a restarting service do: what it sends is scripted.

It fakes the network, not the product: the tests of this folder are about the client.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from ingest_grpc.client.messages import (
    DownloadFileRequest,
    DownloadFileResponse,
    GetFileRequest,
    GetFileResponse,
    UploadFileRequest,
    UploadFileResponse,
    WatchJobRequest,
    WatchJobResponse,
)
from ingest_grpc.v1.file_service_pb2_grpc import FileServiceServicer, add_FileServiceServicer_to_server
from ingest_grpc.v1.job_service_pb2_grpc import JobServiceServicer, add_JobServiceServicer_to_server

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
WatchScript: TypeAlias = Callable[[WatchJobRequest, Context], AsyncIterator[WatchJobResponse]]
DownloadScript: TypeAlias = Callable[[DownloadFileRequest, Context], AsyncIterator[DownloadFileResponse]]
UploadScript: TypeAlias = Callable[[AsyncIterator[UploadFileRequest], Context], Awaitable[UploadFileResponse]]
GetFileScript: TypeAlias = Callable[[GetFileRequest, Context], Awaitable[GetFileResponse]]


class Jobs(JobServiceServicer):
    """Answers the n-th watch by the n-th script."""

    def __init__(self, network: "Network") -> None:
        self._network = network

    async def WatchJob(self, request: WatchJobRequest, context: Context) -> AsyncIterator[WatchJobResponse]:  # noqa: N802
        self._network.requests.append(request)
        try:
            async for message in self._network.watches.pop(0)(request, context):
                yield message
        finally:
            self._network.ended.set()


class Files(FileServiceServicer):
    """Answers the n-th call of each kind by the n-th script."""

    def __init__(self, network: "Network") -> None:
        self._network = network

    async def GetFile(self, request: GetFileRequest, context: Context) -> GetFileResponse:  # noqa: N802
        self._network.requests.append(request)
        return await self._network.get_files.pop(0)(request, context)

    async def UploadFile(  # noqa: N802
        self, request_iterator: AsyncIterator[UploadFileRequest], context: Context
    ) -> UploadFileResponse:
        try:
            return await self._network.uploads.pop(0)(request_iterator, context)
        finally:
            self._network.ended.set()

    async def DownloadFile(  # noqa: N802
        self, request: DownloadFileRequest, context: Context
    ) -> AsyncIterator[DownloadFileResponse]:
        self._network.requests.append(request)
        async for message in self._network.downloads.pop(0)(request, context):
            yield message


class Network:
    """The server, its scripts, and what it saw. `ended` is set whenever a streaming handler ended."""

    def __init__(self) -> None:
        self.watches: list[WatchScript] = []
        self.downloads: list[DownloadScript] = []
        self.uploads: list[UploadScript] = []
        self.get_files: list[GetFileScript] = []
        self.requests: list[Any] = []
        self.ended = asyncio.Event()
        self._server: grpc.aio.Server | None = None
        self._port = 0

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen; after a stop, on the same port as before."""
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        add_JobServiceServicer_to_server(Jobs(self), self._server)  # type: ignore[abstract]
        add_FileServiceServicer_to_server(Files(self), self._server)  # type: ignore[abstract]
        self._port = self._server.add_insecure_port(self.target)
        await self._server.start()

    async def stop(self) -> None:
        """Cut every connection."""
        if self._server is not None:
            await self._server.stop(0)

    async def abort(self, context: Context, code: str, reason: str = "", retry_after: float | None = None) -> None:
        """End a call with a status and its details."""
        status = Status(code=grpc.StatusCode[code].value[0], message="scripted")
        if reason:
            status.details.add().Pack(ErrorInfo(reason=reason, domain="ingest-grpc", metadata={"key": "value"}))
        if retry_after is not None:
            status.details.add().Pack(RetryInfo(retry_delay=Duration(nanos=int(retry_after * 1e9))))
        await context.abort_with_status(rpc_status.to_status(status))


def sends(*messages: Any) -> Callable[[Any, Context], AsyncIterator[Any]]:
    """Sends these messages, then ends with OK."""

    async def script(_request: Any, _context: Context) -> AsyncIterator[Any]:
        for message in messages:
            yield message

    return script


def sends_and_hangs(*messages: Any) -> Callable[[Any, Context], AsyncIterator[Any]]:
    """Sends these messages, then nothing for ever."""

    async def script(_request: Any, _context: Context) -> AsyncIterator[Any]:
        for message in messages:
            yield message
        await asyncio.Event().wait()

    return script
