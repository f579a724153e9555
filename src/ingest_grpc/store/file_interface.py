"""The part of store.interface that is about files and uploads; see there for what all its methods have in common."""

from typing import Protocol

from ingest_grpc.model import File, FileFilter, Upload

ExpiryCursor = tuple[int, int]
"""Where a list of files goes on that is ordered by the end of their time: that time, and the row."""


class FileRows(Protocol):
    """Reads of files and uploads, part of Rows."""

    async def file(self, team: str, file_id: str) -> File | None: ...
    async def file_by_row(self, row_id: int) -> File | None:
        """A file by its integer key, deleted or not; None once it is purged."""
        ...

    async def file_by_external_id(self, team: str, external_id: str) -> File | None: ...
    async def files_where(
        self, team: str, wanted: FileFilter, before: int | None, limit: int
    ) -> tuple[list[File], int | None]:
        """Files that pass the filter, newest first, older than the row `before`.

        The cost is bounded: after so many rows that did not pass the page ends early, perhaps empty. The
        number returned is where to go on, None at the end.
        """
        ...

    async def count_files(self, team: str, wanted: FileFilter, limit: int) -> int:
        """How many files pass the filter, up to `limit`; by name only among as many as a page may look at."""
        ...

    async def expired_files(
        self, now: int, after: ExpiryCursor | None, limit: int
    ) -> tuple[list[File], ExpiryCursor | None]:
        """Those of the next `limit` files whose time is over that no job lists, and where to go on, None at the end."""
        ...

    async def upload(self, team: str, upload_id: str) -> Upload | None: ...
    async def upload_is_open(self, upload_id: str) -> bool:
        """Whether any team's upload of this id waits for more bytes."""
        ...

    async def count_open_uploads(self, team: str, limit: int) -> int:
        """How many of a team's uploads wait for more bytes, up to `limit`."""
        ...

    async def stored_bytes(self, team: str) -> int:
        """Bytes of the team's blobs and of its uploads that wait for more."""
        ...

    async def deleted_blobs(self, limit: int, after: int = 0) -> list[tuple[int, str]]:
        """(row, key) of blobs whose bytes may go."""
        ...

    async def blob_is_kept(self, blob_key: str) -> bool:
        """Whether a row keeps the bytes of this key; False where it only stands for bytes that were not fetched."""
        ...


class FileTx(FileRows, Protocol):
    """Writes of files and uploads, part of Tx."""

    async def insert_file(self, file: File, *, shareable: bool) -> File:
        """Stores a file and its blob; equal bytes of one team share the blob that is there already.

        Returns the file as stored: if its blob_key is another one, the caller's own blob is not needed.
        """
        ...

    async def insert_import(self, file: File) -> None:
        """Stores a file whose bytes are elsewhere; its blob_key stands for them until `file_fetched`."""
        ...

    async def file_fetched(self, file: File, now: int) -> File:
        """The bytes of an imported file are durable under `file.blob_key`, and shared as by `insert_file`."""
        ...

    async def update_file(self, file: File) -> None:
        """Stores what callers may change in a file."""
        ...

    async def insert_upload(self, upload: Upload) -> None: ...
    async def advance_upload(self, upload: Upload) -> bool:
        """Stores how far an upload has come and when it expires; False if it is complete or gone."""
        ...

    async def complete_upload(self, upload: Upload, file_id: str) -> None: ...
    async def expired_uploads(self, now: int, limit: int) -> list[Upload]: ...
    async def delete_upload(self, upload: Upload, now: int) -> bool:
        """Forgets an upload; False if it has not expired after all."""
        ...

    async def delete_file(self, file: File, now: int) -> None:
        """Marks the file deleted, and its blob once no live file refers to it."""
        ...

    async def forget_blob(self, row_id: int) -> None: ...
