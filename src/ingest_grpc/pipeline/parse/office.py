"""DOCX, PPTX and XLSX: look into the ZIP, convert with xberg, then ask for evidence."""

import io
import re
import struct
import zipfile
from collections.abc import Iterator

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import xberg_engine
from ingest_grpc.pipeline.parse.engines import STDLIB, XBERG
from ingest_grpc.pipeline.parse.evidence import has_text, has_text_below_headings
from ingest_grpc.pipeline.parse.inflate import RAW, Allowance, Bomb, inflated, slices
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Source
from ingest_grpc.pipeline.parse.types import Kind

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_SLIDE = re.compile(r"ppt/slides/slide\d+\.xml")
_ENCRYPTED_FLAG = 0x1


def parse(source: Source) -> Parsed:
    """ParseFailure FILE_UNREADABLE, FILE_ENCRYPTED, DECOMPRESSION_BOMB, NO_TEXT, or EMPTY_FILE for a file that
    has neither text nor pictures."""
    members = _inspect(source.data, source.options.limits)
    extraction = xberg_engine.extract(source, unreadable=Reason.FILE_UNREADABLE)
    enough = has_text_below_headings if source.kind is Kind.XLSX else has_text
    if not enough(extraction.markdown):
        raise _why_empty(members, extraction.losses)
    return Parsed(
        markdown=extraction.markdown,
        engine=XBERG,
        pages=_slides(members) if source.kind is Kind.PPTX else None,
        title=extraction.title,
        warnings=list(extraction.warnings),
        losses=list(extraction.losses),
    )


def _slides(members: list[str]) -> int:
    return sum(_SLIDE.fullmatch(name) is not None for name in members)


def _why_empty(members: list[str], losses: tuple[str, ...]) -> ParseFailure:
    if losses:
        return ParseFailure(Reason.FILE_UNREADABLE, "; ".join(losses), engine=XBERG)
    reason = Reason.NO_TEXT if any("/media/" in name for name in members) else Reason.EMPTY_FILE
    return ParseFailure(reason, f"no text in any of {len(members)} parts", engine=XBERG)


def _inspect(data: bytes, limits: Limits) -> list[str]:
    """The names of the members, once all are known to be readable and to expand to something reasonable."""
    allowance = Allowance(len(data), limits)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise ParseFailure(Reason.FILE_UNREADABLE, f"not a readable ZIP: {error}", engine=STDLIB) from None
    for member in members:
        if member.flag_bits & _ENCRYPTED_FLAG:
            raise ParseFailure(Reason.FILE_ENCRYPTED, f"the part {member.filename!r:.100} is encrypted", engine=STDLIB)
        try:
            allowance.count(_content(memoryview(data), member))
        except Bomb as bomb:
            raise ParseFailure(Reason.DECOMPRESSION_BOMB, str(bomb), engine=STDLIB) from None
    return [member.filename for member in members]


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
