"""FileService."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from ingest_grpc.api.interceptors.auth import caller
from ingest_grpc.api.interceptors.chain import Context
from ingest_grpc.api.servicers.replies import page_that_fits, told
from ingest_grpc.service.file_services import FileServices
from ingest_grpc.v1 import file_service_pb2 as pb
from ingest_grpc.wire.files import file, upload
from ingest_grpc.wire.requests import file_changes
from ingest_grpc.wire.requests import files as requests
from ingest_grpc.wire.requests import uploads as upload_requests


class FileServicer:
    """Each method is described in file_service.proto."""

    def __init__(self, services: FileServices) -> None:
        self._files = services.files
        self._uploads = services.uploads
        self._imports = services.imports
        self._updates = services.updates

    async def CreateFile(self, message: pb.CreateFileRequest, context: Context) -> pb.CreateFileResponse:
        asked = requests.create_file(message)
        mutation = await self._files.create(caller(), asked.new, asked.content, asked.request)
        return pb.CreateFileResponse(file=file(told(context, mutation)))

    async def UploadFile(
        self, messages: AsyncIterator[pb.UploadFileRequest], context: Context
    ) -> pb.UploadFileResponse:
        asked = requests.upload_start(await anext(messages, None))
        async with aclosing(_data(messages, context)) as chunks:
            mutation = await self._files.upload(caller(), asked.new, chunks, asked.request)
        return pb.UploadFileResponse(file=file(told(context, mutation)))

    async def CreateUpload(self, message: pb.CreateUploadRequest, context: Context) -> pb.CreateUploadResponse:
        asked = upload_requests.create_upload(message)
        mutation = await self._uploads.create(caller(), asked.new, asked.request)
        return pb.CreateUploadResponse(upload=upload(told(context, mutation)))

    async def WriteUpload(self, message: pb.WriteUploadRequest, _context: Context) -> pb.WriteUploadResponse:
        asked = upload_requests.write_upload(message)
        committed = await self._uploads.write(caller(), asked.upload_id, asked.offset, asked.data)
        return pb.WriteUploadResponse(committed_bytes=committed)

    async def GetUpload(self, message: pb.GetUploadRequest, _context: Context) -> pb.GetUploadResponse:
        upload_id = upload_requests.get_upload(message)
        return pb.GetUploadResponse(upload=upload(await self._uploads.get(caller(), upload_id)))

    async def CompleteUpload(self, message: pb.CompleteUploadRequest, context: Context) -> pb.CompleteUploadResponse:
        asked = upload_requests.complete_upload(message)
        mutation = await self._uploads.complete(caller(), asked.upload_id, asked.sha256, asked.request)
        return pb.CompleteUploadResponse(file=file(told(context, mutation)))

    async def ImportFile(self, message: pb.ImportFileRequest, context: Context) -> pb.ImportFileResponse:
        asked = upload_requests.import_file(message)
        mutation = await self._imports.import_file(caller(), asked.new, asked.request)
        return pb.ImportFileResponse(file=file(told(context, mutation)))

    async def UpdateFile(self, message: pb.UpdateFileRequest, context: Context) -> pb.UpdateFileResponse:
        asked = file_changes.update_file(message)
        mutation = await self._updates.update(caller(), asked.file_id, asked.update, asked.etag, asked.request)
        return pb.UpdateFileResponse(file=file(told(context, mutation)))

    async def GetFile(self, message: pb.GetFileRequest, _context: Context) -> pb.GetFileResponse:
        return pb.GetFileResponse(file=file(await self._files.get(caller(), requests.get_file(message))))

    async def ListFiles(self, message: pb.ListFilesRequest, _context: Context) -> pb.ListFilesResponse:
        asked = requests.list_files(message)
        files, page = await page_that_fits(
            lambda size: self._files.list(
                caller(),
                asked.wanted,
                page_size=size,
                page_token=asked.page_token,
                include_total=asked.include_total,
            ),
            lambda page: page.items,
            file,
            asked.page_size,
        )
        return pb.ListFilesResponse(files=files, next_page_token=page.next_page_token, total=page.total)

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
