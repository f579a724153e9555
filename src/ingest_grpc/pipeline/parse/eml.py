"""E-mail: the standard library takes it apart, HTML bodies go the way of HTML pages.

The legacy policy on purpose: it reads headers lazily and lets malformed ones pass, where the modern one raises.
"""

import email
import email.generator  # what turns a forwarded message into bytes: too late to load once confined
import email.message
import email.policy
import re
from dataclasses import dataclass, field
from email.errors import HeaderParseError, MessageError
from email.header import decode_header

from ingest_grpc.errors import CATALOGUE, Reason
from ingest_grpc.pipeline.parse import html
from ingest_grpc.pipeline.parse.characters import decode
from ingest_grpc.pipeline.parse.engines import STDLIB
from ingest_grpc.pipeline.parse.evidence import has_text
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.source import Source

_HEADERS = ("Subject", "From", "To", "Cc", "Date")
_BODY_TYPES = frozenset({"text/plain", "text/html", "application/xhtml+xml", "text/markdown", "text/enriched"})
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_MAX_ATTACHMENTS = 50
_HEADER_CHARACTERS = 10_000
_LONG_HEADER = re.compile(rb"(?im)^Content-(?:Type|Disposition):(?:[^\r\n]|\r?\n[ \t]){1048576}")
"""The library takes the parameters of such a header apart in the square of its length; honest ones are short."""

Part = email.message.Message


@dataclass(slots=True)
class _Letter:
    """What was found in a message: its bodies in Markdown, its attachments, what was odd."""

    bodies: list[str] = field(default_factory=list)
    attachments: list[Part] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    parts: int = 0


def parse(source: Source) -> Parsed:
    """Headers, body, and the attachments that can be converted, each under a heading; the others are losses.

    ParseFailure FILE_UNREADABLE; ONLY_PICTURES if there are attachments but no words, EMPTY_FILE without either.
    """
    message, letter = _read(source)
    headers = {name: _header(message, name) for name in _HEADERS}
    body = _joined(letter)
    sections, losses = _attached(source, letter)
    if not (body or headers["Subject"] or sections):
        reason = Reason.ONLY_PICTURES if letter.attachments else Reason.EMPTY_FILE
        raise ParseFailure(reason, "neither a subject nor a body", engine=STDLIB)
    lines = [f"**{name}**: {value}" for name, value in headers.items() if value]
    if letter.attachments:
        lines.append(f"**Attachments**: {', '.join(map(_described, letter.attachments))}")
    return Parsed(
        markdown="\n\n".join([*lines, body, *sections]),
        engine=STDLIB,
        title=headers["Subject"] or None,
        warnings=letter.warnings,
        losses=losses,
    )


def parse_page(source: Source) -> Parsed:
    """MHTML, a web page saved in the form of a message: the page and its frames, without the files they need.

    ParseFailure FILE_UNREADABLE if there is no page; EMPTY_FILE if it has no text.
    """
    message, letter = _read(source, _PAGE_TYPES)
    body = _joined(letter)
    if not body:
        found = any(part.get_content_type() in _PAGE_TYPES for part in message.walk())
        reason = Reason.EMPTY_FILE if found else Reason.FILE_UNREADABLE
        raise ParseFailure(reason, "no page with text in the web archive", engine=STDLIB)
    return Parsed(body, STDLIB, title=_header(message, "Subject") or None, warnings=letter.warnings)


def _read(source: Source, body_types: frozenset[str] = _BODY_TYPES) -> tuple[Part, _Letter]:
    letter, data = _Letter(), _as_bytes(source.data)
    if _LONG_HEADER.search(data):
        raise ParseFailure(Reason.FILE_UNREADABLE, "a header of more than 1 MiB", engine=STDLIB)
    try:
        message = email.message_from_bytes(data, policy=email.policy.compat32)
        _collect(message, source, letter, body_types, depth=0)
    except RecursionError:
        raise _too_deep(source) from None
    except MessageError as error:
        raise ParseFailure(Reason.FILE_UNREADABLE, f"not a readable message: {error}", engine=STDLIB) from None
    return message, letter


def _joined(letter: _Letter) -> str:
    return "\n\n".join(text.strip() for text in letter.bodies if has_text(text))


def _attached(source: Source, letter: _Letter) -> tuple[list[str], list[str]]:
    """(the attachments in Markdown, what was lost of them)."""
    sections, losses = [], []
    for part in letter.attachments[:_MAX_ATTACHMENTS]:
        name = _described(part)
        try:
            parsed = source.attached(_content(part), _file_name(part), part.get_content_type())
        except ParseFailure as failure:
            losses.append(f"the attachment {name} was not converted: {CATALOGUE[failure.reason].message}")
            continue
        sections.append(f"## Attachment: {name}\n\n{parsed.markdown.strip()}")
        losses += [f"in the attachment {name}: {loss}" for loss in parsed.losses]
    if (more := len(letter.attachments) - _MAX_ATTACHMENTS) > 0:
        losses.append(f"{more} more attachments were not converted")
    return sections, losses


def _as_bytes(data: bytes) -> bytes:
    """The message as ASCII-compatible bytes: some programs export UTF-16, which shows in its zeros."""
    return decode(data).text.encode("utf-8") if b"\0" in data[:64] else data


def _collect(part: Part, source: Source, letter: _Letter, body_types: frozenset[str], depth: int) -> None:
    """Walk one part. Of alternatives only the best is read: HTML, else the first that has text."""
    if depth > source.options.limits.max_nesting:
        raise _too_deep(source)
    letter.parts += 1
    if letter.parts > source.options.limits.max_entries:
        detail = f"more than {source.options.limits.max_entries} parts"
        raise ParseFailure(Reason.TOO_MANY_ENTRIES, detail, engine=STDLIB)
    if part.get_content_maintype() == "multipart":
        children = [child for child in part.get_payload() if isinstance(child, Part)]
        if part.get_content_type() == "multipart/alternative":
            children = sorted(children, key=_is_plain)[:1]
        for child in children:
            _collect(child, source, letter, body_types, depth + 1)
    elif part.get_content_type() in body_types and part.get_content_disposition() != "attachment":
        letter.bodies.append(_body(part, source, letter))
    elif not _is_inline_picture(part):
        letter.attachments.append(part)


def _too_deep(source: Source) -> ParseFailure:
    detail = f"parts nested deeper than {source.options.limits.max_nesting} levels"
    return ParseFailure(Reason.TOO_DEEPLY_NESTED, detail, engine=STDLIB)


def _is_plain(part: Part) -> bool:
    return part.get_content_type() == "text/plain"


def _is_inline_picture(part: Part) -> bool:
    """A picture shown inside the text, such as a logo: pictures in other formats do not count as losses either."""
    return part.get_content_maintype() == "image" and "Content-ID" in part


def _body(part: Part, source: Source, letter: _Letter) -> str:
    decoded = decode(_content(part), str(part.get_content_charset() or ""))
    letter.warnings += decoded.warnings
    if part.get_content_type() not in _PAGE_TYPES:
        return decoded.text
    try:
        return html.parse_text(decoded.text, source).markdown
    except ParseFailure as failure:
        if failure.reason in (Reason.ONLY_PICTURES, Reason.EMPTY_FILE):
            return ""
        raise


def _content(part: Part) -> bytes:
    """What a part carries: its decoded bytes, or the message that it forwards."""
    if part.get_content_maintype() == "message" and part.is_multipart():
        inner = part.get_payload(0)
        return _written(inner) if isinstance(inner, Part) else b""
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _written(message: Part) -> bytes:
    """A message inside another as bytes. ParseFailure for what the library cannot put together again."""
    try:
        return message.as_bytes()
    except RecursionError:
        raise ParseFailure(Reason.TOO_DEEPLY_NESTED, "messages in messages", engine=STDLIB) from None
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ParseFailure(Reason.FILE_UNREADABLE, f"a forwarded message: {error}", engine=STDLIB) from None


def _file_name(part: Part) -> str:
    return _one_line(_readable(part.get_filename() or ""))


def _described(part: Part) -> str:
    """A forwarded message has no file name, but a subject inside."""
    inner = part.get_payload(0) if part.get_content_maintype() == "message" and part.is_multipart() else part
    name = _file_name(part) or (_header(inner, "Subject") if isinstance(inner, Part) else "") or "without a name"
    return f"{name} ({part.get_content_type()})"


def _header(part: Part, name: str) -> str:
    value = part.get(name)
    return "" if value is None else _one_line(_readable(str(value)))


def _readable(value: str) -> str:
    """A header's value with its encoded words decoded; as it stands where that fails."""
    try:
        pieces = decode_header(value[:_HEADER_CHARACTERS])  # longer ones take the square of their length
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
