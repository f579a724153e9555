"""ZIP archives: recognised by a look at the file, unpacked member by member into a pipe. Never all in memory."""

import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import BinaryIO

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import zip_kinds
from ingest_grpc.pipeline.parse.detect import hinted, mismatch
from ingest_grpc.pipeline.parse.engines import STDLIB
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.members import MAX_FRAME_BYTES, MemberWriter
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.pipeline.parse.source import ReportUnits
from ingest_grpc.pipeline.parse.types import Kind
from ingest_grpc.pipeline.parse.zip_probe import ENCRYPTED_FLAG

_UNREADABLE = (*zip_kinds.UNREADABLE, zlib.error, lzma.LZMAError, RuntimeError)
"""What reading a member may raise: a password is a RuntimeError."""

_NAME_IS_UTF8 = 0x800
_CLUTTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_CLUTTER_FOLDER = "__MACOSX"
_REPORT_BYTES = 32 * 1024 * 1024


@dataclass(slots=True)
class Unpacked:
    """What became of an archive's entries: how many files came out of it, and what was lost."""

    files: int = 0
    content_bytes: int = 0
    encrypted: int = 0
    losses: list[str] = field(default_factory=list)


def warnings_if_archive(descriptor: int, filename: str, content_type: str) -> tuple[str, ...] | None:
    """What is odd about the name of a plain archive; None if the file is anything else, or nothing that can be read."""
    with _opened(descriptor) as file:
        if not file.read(4).startswith(zip_kinds.MAGICS):
            return None
        hint = hinted(filename, content_type)
        try:
            kind = zip_kinds.identify(file)
        except ParseFailure:
            return None  # whoever reads it whole will say the same
        return mismatch(hint, kind) if kind is Kind.ZIP and hint not in zip_kinds.ZIPPED_DOCUMENTS else None


def unpack(descriptor: int, writer: MemberWriter, limits: Limits, report: ReportUnits) -> Unpacked:
    """Sends every file of an archive. What cannot be read of it is a loss; folders and clutter are passed over.

    ParseFailure EMPTY_FILE, FILE_ENCRYPTED or FILE_UNREADABLE if no file came out of it, TOO_MANY_ENTRIES, and
    DECOMPRESSION_BOMB by the bytes that really come out, whatever the headers claim.
    """
    unpacked = Unpacked()
    with _opened(descriptor) as file:
        allowed = limits.unpacked_bytes_of(os.fstat(descriptor).st_size)
        try:
            with zipfile.ZipFile(file) as archive:
                wanted = [entry for entry in archive.infolist() if not _is_clutter(entry)]
                _check_claims(wanted, limits.max_archive_files, allowed)
                sending = _Sending(archive, writer, allowed, unpacked, report, len(wanted))
                for entry in wanted:
                    sending.send(entry)
        except zip_kinds.UNREADABLE as error:
            raise ParseFailure(Reason.FILE_UNREADABLE, f"not a readable ZIP: {error}", engine=STDLIB) from None
    if not unpacked.files:
        raise _why_nothing(len(wanted), unpacked)
    return unpacked


def _check_claims(wanted: list[zipfile.ZipInfo], max_files: int, max_bytes: int) -> None:
    """What the directory admits need not be tried; what it hides is counted later."""
    if len(wanted) > max_files:
        detail = f"{len(wanted)} files, at most {max_files} are unpacked"
        raise ParseFailure(Reason.TOO_MANY_ENTRIES, detail, engine=STDLIB)
    if (claimed := sum(entry.file_size for entry in wanted)) > max_bytes:
        detail = f"{claimed} bytes, at most {max_bytes} may come out of it"
        raise ParseFailure(Reason.DECOMPRESSION_BOMB, detail, engine=STDLIB)


@contextmanager
def _opened(descriptor: int) -> Iterator[BinaryIO]:
    """The file behind a descriptor from its start, and at its start again afterwards."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        with open(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)


def _is_clutter(entry: zipfile.ZipInfo) -> bool:
    """Folders, and what operating systems leave in archives beside the files that people put there."""
    path = PurePosixPath(entry.filename)
    return entry.filename.endswith("/") or path.name in _CLUTTER or _CLUTTER_FOLDER in path.parts[:1]


def _why_nothing(wanted: int, unpacked: Unpacked) -> ParseFailure:
    if not wanted:
        return ParseFailure(Reason.EMPTY_FILE, "no file in the archive", engine=STDLIB)
    if unpacked.encrypted == wanted:
        return ParseFailure(Reason.FILE_ENCRYPTED, f"all {wanted} files are encrypted", engine=STDLIB)
    return ParseFailure(Reason.FILE_UNREADABLE, f"none of {wanted} files can be read", engine=STDLIB)


@dataclass(slots=True)
class _Sending:
    archive: zipfile.ZipFile
    writer: MemberWriter
    allowed_bytes: int
    unpacked: Unpacked
    report: ReportUnits
    total: int
    _looked_at: int = 0
    _reported_bytes: int = 0

    def send(self, entry: zipfile.ZipInfo) -> None:
        """One member to the reader, or a loss."""
        name = _name(entry)
        if entry.flag_bits & ENCRYPTED_FLAG:
            self.unpacked.encrypted += 1
            self._lose(name, "is encrypted")
        elif stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            self._lose(name, "is a link or a device")
        else:
            self._copy(entry, name)
        self._looked_at += 1
        self.report(self._looked_at, self.total, "files")

    def _copy(self, entry: zipfile.ZipInfo, name: str) -> None:
        self.writer.begin(name)
        try:
            with self.archive.open(entry) as content:
                while data := content.read(MAX_FRAME_BYTES):
                    self._count(len(data))
                    self.writer.content(data)
        except _UNREADABLE as error:
            self.writer.abort()
            self._lose(name, f"cannot be read: {error}")
            return
        self.writer.end()
        self.unpacked.files += 1

    def _count(self, size: int) -> None:
        self.unpacked.content_bytes += size
        if self.unpacked.content_bytes > self.allowed_bytes:
            detail = f"more than {self.allowed_bytes} bytes come out of it"
            raise ParseFailure(Reason.DECOMPRESSION_BOMB, detail, engine=STDLIB)
        if self.unpacked.content_bytes - self._reported_bytes > _REPORT_BYTES:
            self._reported_bytes = self.unpacked.content_bytes
            self.report(self._looked_at, self.total, "files")

    def _lose(self, name: str, why: str) -> None:
        self.unpacked.losses.append(f"{name!r:.200} {why}"[:400])


def _name(entry: zipfile.ZipInfo) -> str:
    """The name as its writer meant it: many write UTF-8 without saying so, and are then read as code page 437."""
    if entry.flag_bits & _NAME_IS_UTF8:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename
