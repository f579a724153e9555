"""Stored files, and how they come and go."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from ingest_grpc.model.base import Model


class FileKind(StrEnum):
    """Uploads have "file-…" ids, outputs "md-file-…"."""

    UPLOAD = "UPLOAD"
    OUTPUT = "OUTPUT"


class File(Model):
    """Stored bytes. `blob_key` names them in the blob store and never leaves the service.

    `markdown` says that they are valid, non-empty Markdown, which needs no conversion.
    """

    row_id: int = Field(0, exclude=True)
    blob_key: str = Field("", exclude=True)
    markdown: bool = Field(False, exclude=True)
    file_id: str
    kind: FileKind
    filename: str
    path: str = ""
    content_type: str
    size_bytes: int
    sha256: str
    user_id: str
    team_id: str
    created_at: int
    deleted_at: int | None = None


class NewFile(Model):
    """What an upload announces. `size_bytes` and `sha256` are checked against the bytes when given."""

    filename: str
    path: str = ""
    content_type: str
    size_bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class FileDeleted:
    """The result of DeleteFile."""

    file: File
    job_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class FileSlice:
    """A part of a file: for text cut so that no character is split; `text` only where the bytes are UTF-8 text."""

    data: bytes
    text: str | None
    eof: bool


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way out, from byte `offset` on."""

    file: File
    offset: int
    chunks: AsyncIterator[bytes]
