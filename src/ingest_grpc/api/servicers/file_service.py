"""FileService."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from ingest_grpc.api.interceptors.auth import caller
from ingest_grpc.api.interceptors.chain import Context
from ingest_grpc.api.servicers.replies import page_that_fits, told
from ingest_grpc.service.files import FileService
from ingest_grpc.v1 import file_service_pb2 as pb
from ingest_grpc.wire.files import file
from ingest_grpc.wire.requests import files as requests


class FileServicer:
    """Each method is described in file_service.proto."""

    def __init__(self, files: FileService) -> None:
        self._files = files

    async def CreateFile(self, message: pb.CreateFileRequest, context: Context) -> pb.CreateFileResponse:
        asked = requests.create_file(message)
        mutation = await self._files.upload(caller(), asked.new, _only(message.content), asked.request)
        return pb.CreateFileResponse(file=file(told(context, mutation)))

    async def UploadFile(
        self, messages: AsyncIterator[pb.UploadFileRequest], context: Context
    ) -> pb.UploadFileResponse:
        asked = requests.upload_start(await anext(messages, None))
        async with aclosing(_data(messages, context)) as chunks:
            mutation = await self._files.upload(caller(), asked.new, chunks, asked.request)
        return pb.UploadFileResponse(file=file(told(context, mutation)))

    async def GetFile(self, message: pb.GetFileRequest, _context: Context) -> pb.GetFileResponse:
        return pb.GetFileResponse(file=file(await self._files.get(caller(), requests.get_file(message))))

    async def ListFiles(self, message: pb.ListFilesRequest, _context: Context) -> pb.ListFilesResponse:
        asked = requests.list_files(message)
        files, page = await page_that_fits(
            lambda size: self._files.list(caller(), kind=asked.kind, page_size=size, page_token=asked.page_token),
            lambda page: page.items,
            file,
            asked.page_size,
        )
        return pb.ListFilesResponse(files=files, next_page_token=page.next_page_token)

    async def ReadFile(self, message: pb.ReadFileRequest, _context: Context) -> pb.ReadFileResponse:
        asked = requests.read_file(message)
        part = await self._files.read(caller(), asked.file_id, asked.offset, asked.limit)
        return pb.ReadFileResponse(data=part.data, text=part.text, eof=part.eof)

    async def DownloadFile(self, message: pb.DownloadFileRequest, context: Context) -> None:
        asked = requests.download_file(message)
        download = await self._files.download(caller(), asked.file_id, asked.offset, asked.limit)
        start = pb.DownloadStart(file=file(download.file), offset=download.offset)
        await context.write(pb.DownloadFileResponse(start=start))
        async for chunk in download.chunks:
            await context.write(pb.DownloadFileResponse(data=chunk))

    async def DeleteFile(self, message: pb.DeleteFileRequest, context: Context) -> pb.DeleteFileResponse:
        asked = requests.delete_file(message)
        mutation = await self._files.delete(caller(), asked.file_id, force=asked.force, request=asked.request)
        deleted = told(context, mutation)
        return pb.DeleteFileResponse(file=file(deleted.file), job_ids=deleted.job_ids)


async def _only(content: bytes) -> AsyncIterator[bytes]:
    if content:
        yield content


async def _data(messages: AsyncIterator[pb.UploadFileRequest], context: Context) -> AsyncGenerator[bytes]:
    """The bytes of the data messages; ends only if the caller said that it had sent them all.

    grpc.aio reports a broken connection and a cancelled call as the end of the stream, and cancels the task only a
    moment later: by then half a file would be stored. Initial metadata, however, can no longer be sent on such a call:
    trying raises.
    """
    index = 1
    async for message in messages:
        yield requests.upload_data(message, index)
        index += 1
    await context.send_initial_metadata(())
