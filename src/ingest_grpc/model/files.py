"""Stored files, and how they come and go."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from ingest_grpc.model.base import Model


class FileKind(StrEnum):
    """Uploads have "file-…" ids, outputs "md-file-…", the pictures among them "file-…"."""

    UPLOAD = "UPLOAD"
    OUTPUT = "OUTPUT"


Scalar = str | float | bool
"""A value of a file's metadata."""


class ImportSource(Model):
    """Where an imported file's bytes come from, and when they were read (None = not yet).

    `etag` names the version of the bytes that was imported: what the store calls it, else made of size and time.
    """

    url: str
    etag: str
    fetched_at: int | None = None


class File(Model):
    """Stored bytes. `blob_key` names them in the blob store and never leaves the service.

    `markdown` says that they are valid, non-empty Markdown, which needs no conversion. An imported file has no
    `sha256`, and under its `blob_key` no bytes, before they are fetched. A stored picture names the output that
    shows it in `image_of`.
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
    external_id: str | None = None
    metadata: Mapping[str, Scalar] = Field(default_factory=dict)
    expires_at: int | None = None
    import_source: ImportSource | None = None
    image_of: str | None = Field(None, exclude=True)

    @property
    def etag(self) -> str:
        """Changes with what a caller may set, and with nothing else."""
        parts = [self.filename, sorted(self.metadata.items()), self.expires_at]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    @property
    def unfetched(self) -> bool:
        """Whether its bytes are still where it is imported from."""
        return self.import_source is not None and self.import_source.fetched_at is None


class NewFile(Model):
    """What an upload announces. `size_bytes` and `sha256` are checked against the bytes when given."""

    filename: str
    path: str = ""
    content_type: str
    size_bytes: int | None = None
    sha256: str | None = None
    external_id: str | None = None


class NewImport(Model):
    """What ImportFile asks for."""

    url: str
    filename: str
    content_type: str
    external_id: str | None = None


class Upload(Model):
    """A file on its way. `committed_bytes` are durable; `file_id` is the file that it became, None until then."""

    row_id: int = Field(0, exclude=True)
    upload_id: str
    new: NewFile
    committed_bytes: int = 0
    file_id: str | None = None
    user_id: str
    team_id: str
    created_at: int
    expires_at: int


class FileUpdate(Model):
    """What UpdateFile changes: only the fields that were set (`model_fields_set`); None clears an expiry."""

    filename: str = ""
    metadata: Mapping[str, Scalar] = Field(default_factory=dict)
    expires_at: int | None = None


class FileFilter(Model):
    """Which files to list: those that pass every filter that is set."""

    kind: FileKind | None = None
    external_id: str | None = None
    filename_contains: str = ""


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
