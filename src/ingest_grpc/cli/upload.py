"""The first step of `ingest`: files to the server, several at once, with what became of each."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ingest_grpc.cli.failures import Failure, explain
from ingest_grpc.cli.parallel import in_parallel
from ingest_grpc.cli.sources import Source

if TYPE_CHECKING:
    from ingest_grpc.client.aio import AsyncClient
    from ingest_grpc.client.messages import File

_MAX_PATH = 1_024
"""Characters of a file's path that the server keeps."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What became of one source: the stored file, or why there is none."""

    source: Source
    file: "File | None" = None
    failure: Failure | None = None


class UploadObserver(Protocol):
    """Who wants to see uploads move."""

    def upload_moved(self, source: Source, sent: int, total: int) -> None:
        """`sent` of `total` bytes are on their way."""

    def upload_ended(self, upload: Upload) -> None:
        """It is stored, or it failed."""


async def upload_all(
    client: "AsyncClient", sources: Sequence[Source], observer: UploadObserver, target: str
) -> list[Upload]:
    """Uploads all sources; one that cannot be read or is refused for what it is does not stop the others.

    Raises what would stop every other one, too: no server, no permission, a full disk.
    """

    async def upload(source: Source) -> Upload:
        ended = await _upload(client, source, observer, target)
        observer.upload_ended(ended)
        return ended

    return await in_parallel(upload, sources)


async def _upload(client: "AsyncClient", source: Source, observer: UploadObserver, target: str) -> Upload:
    from grpc import StatusCode  # noqa: PLC0415 - see Session.connect

    from ingest_grpc.client.errors import IngestCallError  # noqa: PLC0415 - see Session.connect

    try:
        file = await client.upload(
            source.path,
            filename=name_of(source),
            path=path_of(source),
            on_progress=lambda sent, total: observer.upload_moved(source, sent, total),
        )
    except IngestCallError as error:
        if error.code is not StatusCode.INVALID_ARGUMENT:
            raise
        return Upload(source, failure=explain(error, target))
    except OSError as error:
        return Upload(source, failure=explain(error, target))
    return Upload(source, file)


def name_of(source: Source) -> str:
    """The name under which the server keeps it."""
    return _utf8(source.name.name)


def path_of(source: Source) -> str:
    """The path that the server keeps with it."""
    return _utf8(source.name.as_posix())[-_MAX_PATH:]


def _utf8(name: str) -> str:
    # A name on disk may hold bytes that are no UTF-8; messages may not.
    return os.fsencode(name).decode("utf-8", "replace")
