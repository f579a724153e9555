"""What can be uploaded, and where a download can go: paths, bytes and open binary files."""

import hashlib
import io
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from ingest_grpc.units import MIB

CHUNK_BYTES = 1 * MIB

OnProgress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all); the synchronous client may call it from another thread."""

Source = Path | str | bytes | BinaryIO
"""A file to upload: its path, its bytes, or an open binary file (read from its current position)."""

Target = Path | str | BinaryIO
"""Where a download goes: a path, or an open binary file."""


class Content:
    """A source made ready to send: measured, and readable from its beginning for every attempt.

    `filename` overrides the name that a path or an open file has. `size_bytes` and `sha256` are known after
    `measure`. Raises OSError, and ValueError where there is no name to send.
    """

    def __init__(self, source: Source, filename: str | None) -> None:
        self.filename = filename or _name(source)
        self.size_bytes = 0
        self.sha256 = ""
        self._owned = isinstance(source, (str, Path))
        self._file = _opened(source)
        self._start = self._file.tell() if self._file.seekable() else 0

    def measure(self) -> None:
        """Read the whole source once; may take a while."""
        if not self._file.seekable():
            self._keep_copy()
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
            self.size_bytes += len(chunk)
        self.sha256 = digest.hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """The bytes from the beginning, in pieces of at most 1 MiB."""
        self._file.seek(self._start)
        while chunk := self._file.read(CHUNK_BYTES):
            yield chunk

    def part(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`. Raises OSError if the source ends before it."""
        self._file.seek(self._start + offset)
        data = self._file.read(size)
        if not data:
            raise OSError(f"{self.filename} became shorter while it was uploaded")
        return data

    def close(self) -> None:
        """Close what was opened here; a file of the caller's stays open."""
        if self._owned:
            self._file.close()

    def _keep_copy(self) -> None:
        """A pipe can be read only once: a copy on disk makes a second attempt possible."""
        pipe, self._owned = self._file, True
        self._file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - closed by `close`
        shutil.copyfileobj(pipe, self._file, CHUNK_BYTES)


def _opened(source: Source) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if isinstance(source, (str, Path)):
        return Path(source).open("rb")
    return source


def _name(source: Source) -> str:
    named = source if isinstance(source, (str, Path)) else getattr(source, "name", "")
    if not isinstance(named, (str, Path)) or not Path(named).name:
        raise ValueError("a source without a name needs filename=")
    return Path(named).name


class Sink:
    """Where a download goes. A file given by path appears only once it is complete and correct."""

    def __init__(self, target: Target) -> None:
        self._path = Path(target) if isinstance(target, (str, Path)) else None
        self._partial = self._path and self._path.with_name(f".{uuid.uuid4()}.part")
        self._file = self._partial.open("xb") if self._partial else cast("BinaryIO", target)
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """Digest of the bytes written so far."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> None:
        """Append. Raises OSError."""
        self._file.write(data)
        self._digest.update(data)
        self.size_bytes += len(data)

    def commit(self) -> None:
        """The bytes are right: give a file of ours its name."""
        if self._path is None or self._partial is None:
            return
        self._file.close()
        self._partial.replace(self._path)
        self._partial = None

    def discard(self) -> None:
        """Remove what is left of a file of ours; nothing after `commit`."""
        if self._partial is not None:
            self._file.close()
            self._partial.unlink(missing_ok=True)
