"""OLE compound files: which of the formats in that container a file is, and whether a password protects it."""

import io
import struct

import olefile

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.pipeline.parse.types import Kind

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_ENCRYPTED_PACKAGE = "EncryptedPackage"
_ENCRYPTED_PACKAGE_NAME = _ENCRYPTED_PACKAGE.encode("utf-16-le")
_MAIN_STREAMS = {
    "__properties_version1.0": Kind.MSG,
    "WordDocument": Kind.DOC,
    "PowerPoint Document": Kind.PPT,
    "Workbook": Kind.XLS,
    "Book": Kind.XLS,
}

_FIB_FLAGS = struct.Struct("<10xH")
_FIB_ENCRYPTED = 0x0100
_BIFF_RECORD = struct.Struct("<HH")
_BIFF_FILEPASS = 0x002F
_CURRENT_USER = struct.Struct("<12xI")
_PPT_ENCRYPTED = 0xF3D1C4DF
_BEGINNING_BYTES = 4096

UNREADABLE = (
    OSError, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, struct.error, RecursionError,
)  # fmt: skip
"""What olefile raises for damaged files: its own errors are OSErrors, the others slip through."""


def identify(data: bytes) -> Kind | None:
    """The format of a compound file; None if it is too damaged to tell.

    ParseFailure FILE_ENCRYPTED for a protected document, UNSUPPORTED_TYPE for one of a format that is not ours.
    """
    if _ENCRYPTED_PACKAGE_NAME in data[: 1024 * 1024]:  # also where the directory is damaged
        raise ParseFailure(Reason.FILE_ENCRYPTED, "an encrypted Office package")
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            names = {entry[0] for entry in file.listdir() if len(entry) == 1}
            main = next((name for name in _MAIN_STREAMS if name in names), None)
            encrypted = _ENCRYPTED_PACKAGE in names or (main is not None and _is_encrypted(file, main))
    except UNREADABLE:
        return None
    if encrypted:
        raise ParseFailure(Reason.FILE_ENCRYPTED, f"an encrypted {_MAIN_STREAMS.get(main or '', 'Office package')}")
    if main is None:
        raise ParseFailure(Reason.UNSUPPORTED_TYPE, "an OLE compound file that is no DOC, PPT, XLS or MSG")
    return _MAIN_STREAMS[main]


def _is_encrypted(file: olefile.OleFileIO, main: str) -> bool:
    """By the flag, record or mark that each format has for it ([MS-DOC] 2.5.2, [MS-XLS] 2.4.117, [MS-PPT] 2.3.2)."""
    match _MAIN_STREAMS[main]:
        case Kind.DOC:
            beginning = _beginning(file, main)
            return len(beginning) >= _FIB_FLAGS.size and bool(_FIB_FLAGS.unpack_from(beginning)[0] & _FIB_ENCRYPTED)
        case Kind.XLS:
            return _has_filepass(_beginning(file, main))
        case Kind.PPT if file.exists("Current User"):
            user = _beginning(file, "Current User")
            return len(user) >= _CURRENT_USER.size and _CURRENT_USER.unpack_from(user)[0] == _PPT_ENCRYPTED
    return False


def _has_filepass(workbook: bytes) -> bool:
    """FILEPASS stands among the first records, before anything that it encrypts."""
    at = 0
    while at + _BIFF_RECORD.size <= len(workbook):
        record, length = _BIFF_RECORD.unpack_from(workbook, at)
        if record == _BIFF_FILEPASS:
            return True
        at += _BIFF_RECORD.size + length
    return False


def _beginning(file: olefile.OleFileIO, name: str) -> bytes:
    with file.openstream(name) as stream:
        return bytes(stream.read(_BEGINNING_BYTES))
