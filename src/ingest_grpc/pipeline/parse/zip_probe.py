"""A look into a document's ZIP before anything converts it: can it be read, is it protected, how far does it expand."""

import io
import struct
import zipfile
from collections import deque
from collections.abc import Iterator

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.engines import STDLIB
from ingest_grpc.pipeline.parse.inflate import RAW, Allowance, Bomb, inflated, slices
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.nesting import check_depth, check_well_formed
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.pipeline.parse.zip_kinds import UNREADABLE

ENCRYPTED_FLAG = 0x1
"""Of a member's flags (APPNOTE 4.4.4): a password protects it."""

_STRICT_PARTS = frozenset({"content.xml", "META-INF/manifest.xml"})
"""Of OpenDocument: its engine never comes back from some that are torn."""

_XML_PARTS = (".xml", ".rels")
_LOCAL_HEADER = struct.Struct("<4s22xHH")


def members(data: bytes, limits: Limits) -> list[str]:
    """The names of the members, once all are known to be readable and to expand to something reasonable.

    ParseFailure FILE_UNREADABLE, FILE_ENCRYPTED, DECOMPRESSION_BOMB, TOO_MANY_ENTRIES, TOO_DEEPLY_NESTED.
    """
    allowance = Allowance(len(data), limits)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = archive.infolist()
    except UNREADABLE as error:
        raise ParseFailure(Reason.FILE_UNREADABLE, f"not a readable ZIP: {error}", engine=STDLIB) from None
    if len(found) > limits.max_entries:
        raise ParseFailure(Reason.TOO_MANY_ENTRIES, f"{len(found)} parts, at most {limits.max_entries}", engine=STDLIB)
    for member in found:
        if member.flag_bits & ENCRYPTED_FLAG:
            raise ParseFailure(Reason.FILE_ENCRYPTED, f"the part {member.filename!r:.100} is encrypted", engine=STDLIB)
        try:
            expanded = allowance.counted(_content(memoryview(data), member))
            if member.filename in _STRICT_PARTS:
                check_well_formed(expanded, limits)
            elif member.filename.endswith(_XML_PARTS):
                check_depth(expanded, limits)
            else:
                deque(expanded, maxlen=0)
        except Bomb as bomb:
            raise ParseFailure(Reason.DECOMPRESSION_BOMB, str(bomb), engine=STDLIB) from None
    return [member.filename for member in found]


def part(data: bytes, name: str, max_bytes: int) -> bytes:
    """The first bytes of one member; none if it is not there or cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(name) as member:
            return member.read(max_bytes)
    except (*UNREADABLE, KeyError):
        return b""


def _content(data: memoryview, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """What a member really expands to: the sizes in its headers are the sender's word."""
    header = data[member.header_offset : member.header_offset + _LOCAL_HEADER.size]
    if len(header) < _LOCAL_HEADER.size:
        return iter(())
    _, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    content = data[member.header_offset + _LOCAL_HEADER.size + name_length + extra_length :]
    if member.compress_type == zipfile.ZIP_DEFLATED:
        return inflated(slices(content), RAW)
    return slices(content[: member.compress_size])
