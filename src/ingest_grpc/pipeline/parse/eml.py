"""E-mail: the standard library takes it apart, HTML bodies go the way of HTML pages.

The legacy policy on purpose: it reads headers lazily and lets malformed ones pass, where the modern one raises.
"""

import email
import email.message
import email.policy
from dataclasses import dataclass, field
from email.errors import HeaderParseError, MessageError
from email.header import decode_header

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import html
from ingest_grpc.pipeline.parse.characters import decode
from ingest_grpc.pipeline.parse.engines import STDLIB
from ingest_grpc.pipeline.parse.evidence import has_text
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Source

_HEADERS = ("Subject", "From", "To", "Cc", "Date")
_MAX_DEPTH = 30

Part = email.message.Message


@dataclass(slots=True)
class _Letter:
    """What was found in a message: its bodies in Markdown, the names of its attachments, what was odd."""

    bodies: list[str] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def parse(source: Source) -> Parsed:
    """Headers, body, and a list of attachments, which are not converted: each is a loss.

    ParseFailure FILE_UNREADABLE; NO_TEXT if there are attachments but no words, EMPTY_FILE without either.
    """
    letter = _Letter()
    try:
        message = email.message_from_bytes(_as_bytes(source.data), policy=email.policy.compat32)
        _collect(message, source, letter, depth=0)
    except (RecursionError, MessageError) as error:
        raise ParseFailure(Reason.FILE_UNREADABLE, f"not a readable message: {error}", engine=STDLIB) from None
    headers = {name: _header(message, name) for name in _HEADERS}
    body = "\n\n".join(text.strip() for text in letter.bodies if has_text(text))
    if not body and not headers["Subject"]:
        reason = Reason.NO_TEXT if letter.attachments else Reason.EMPTY_FILE
        raise ParseFailure(reason, "neither a subject nor a body", engine=STDLIB)
    lines = [f"**{name}**: {value}" for name, value in headers.items() if value]
    if letter.attachments:
        lines.append(f"**Attachments**: {', '.join(letter.attachments)}")
    return Parsed(
        markdown="\n\n".join([*lines, body]),
        engine=STDLIB,
        title=headers["Subject"] or None,
        warnings=letter.warnings,
        losses=[f"the attachment {name} was not converted" for name in letter.attachments],
    )


def _as_bytes(data: bytes) -> bytes:
    """The message as ASCII-compatible bytes: some programs export UTF-16, which shows in its zeros."""
    return decode(data).text.encode("utf-8") if b"\0" in data[:64] else data


def _collect(part: Part, source: Source, letter: _Letter, depth: int) -> None:
    """Walk one part. Of alternatives only the best is read: HTML, else the first that has text."""
    if depth > _MAX_DEPTH:
        letter.warnings.append(f"parts nested deeper than {_MAX_DEPTH} levels were not read")
    elif part.get_content_maintype() == "multipart":
        children = [child for child in part.get_payload() if isinstance(child, Part)]
        if part.get_content_type() == "multipart/alternative":
            children = sorted(children, key=_is_plain)[:1]
        for child in children:
            _collect(child, source, letter, depth + 1)
    elif _is_body(part):
        letter.bodies.append(_body(part, source, letter))
    elif not _is_inline_picture(part):
        letter.attachments.append(_attachment_name(part))


def _is_plain(part: Part) -> bool:
    return part.get_content_type() == "text/plain"


def _is_body(part: Part) -> bool:
    return part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment"


def _is_inline_picture(part: Part) -> bool:
    """A picture shown inside the text, such as a logo: pictures in other formats do not count as losses either."""
    return part.get_content_maintype() == "image" and "Content-ID" in part


def _body(part: Part, source: Source, letter: _Letter) -> str:
    payload = part.get_payload(decode=True)
    decoded = decode(payload if isinstance(payload, bytes) else b"", str(part.get_content_charset() or ""))
    letter.warnings += decoded.warnings
    if part.get_content_type() != "text/html":
        return decoded.text
    try:
        return html.parse_text(decoded.text, source).markdown
    except ParseFailure as failure:
        if failure.reason in (Reason.NO_TEXT, Reason.EMPTY_FILE):
            return ""
        raise


def _attachment_name(part: Part) -> str:
    name = part.get_filename() or _header(part, "Subject") or "without a name"
    return f"{_one_line(_readable(name))} ({part.get_content_type()})"


def _header(part: Part, name: str) -> str:
    value = part.get(name)
    return "" if value is None else _one_line(_readable(str(value)))


def _readable(value: str) -> str:
    """A header's value with its encoded words decoded; as it stands where that fails."""
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    return "".join(_piece(text, charset) for text, charset in pieces)


def _piece(text: str | bytes, charset: str | None) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode(charset or "utf-8", "replace")
    except LookupError:
        return text.decode("latin-1")


def _one_line(value: str) -> str:
    return " ".join(value.split())[:1000]
