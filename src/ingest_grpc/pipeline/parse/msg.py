"""Outlook messages (MSG, [MS-OXMSG]): their properties become a mail, which then goes the way of mails.

So headers look alike and attachments are converted, whichever program a message comes from.
"""

import io
import struct
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import olefile

from ingest_grpc.pipeline.parse import eml, foreign
from ingest_grpc.pipeline.parse.characters import decode
from ingest_grpc.pipeline.parse.compound import UNREADABLE
from ingest_grpc.pipeline.parse.outcome import Parsed
from ingest_grpc.pipeline.parse.source import Source

_SUBJECT, _SUBMITTED, _DELIVERED = 0x0037, 0x0039, 0x0E06
_SENDERS = ((0x0C1A, 0x5D01), (0x0C1A, 0x0C1F), (0x0042, 0x5D02), (0x0042, 0x0065))
"""Name and address of who sent it, or in whose name it was sent; addresses of a directory are no addresses here."""

_RECIPIENT_NAME, _RECIPIENT_ADDRESSES, _RECIPIENT_KIND = 0x3001, (0x39FE, 0x3003), 0x0C15
_RECIPIENTS = {"To": (1, 0x0E04), "Cc": (2, 0x0E03)}
"""What a recipient's kind is called, and the property that shows all of a kind in a line."""

_BODY, _BODY_HTML = 0x1000, 0x1013
_NAME, _SHORT_NAME, _MIME_TYPE, _CONTENT_ID, _DATA = 0x3707, 0x3704, 0x370E, 0x3712, 0x3701
_TEXT_TYPES = ("001F", "001E")
_BINARY, _OBJECT = "0102", "000D"
_PROPERTIES = "__properties_version1.0"
_CODE_PAGE, _USUAL_CODE_PAGE = 0x3FFD, 1252
_NUMBER, _TIME = 0x0003, 0x0040
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_PROPERTY_HEADERS = {"": 32, "__subst": 24, "__recip": 8, "__attac": 8}
"""Bytes before the first fixed property, by how the name of its storage begins: "" is the message itself."""

_MAX_DEPTH = 4

Path = tuple[str, ...]


def parse(source: Source) -> Parsed:
    """As a mail; by the engine where the body is there in no form but compressed RTF, or the file is damaged.

    ParseFailure FILE_UNREADABLE, ONLY_PICTURES, EMPTY_FILE.
    """
    try:
        with olefile.OleFileIO(io.BytesIO(source.data)) as file:
            message = _message(_Properties(file), (), depth=0)
            letter = message.as_bytes(policy=SMTP) if message is not None else None
    except UNREADABLE:
        letter = None
    return foreign.parse_binary(source) if letter is None else eml.parse(replace(source, data=letter))


class _Properties:
    """The properties of the messages and attachments in a file, by the storage they belong to."""

    def __init__(self, file: olefile.OleFileIO) -> None:
        self._file = file
        self._streams = {tuple(entry) for entry in file.listdir(streams=True, storages=False)}
        self._storages = {tuple(entry) for entry in file.listdir(streams=False, storages=True)}
        self._charset = f"cp{self.fixed((), _CODE_PAGE, _NUMBER) or _USUAL_CODE_PAGE}"

    def text(self, at: Path, tag: int) -> str:
        """A text property in one line's characters; "" without it."""
        for kind in _TEXT_TYPES:
            if (data := self._stream(at, tag, kind)) is not None:
                return (
                    data.decode("utf-16-le", "replace")
                    if kind == "001F"
                    else decode(data, self._charset).text
                    if data
                    else ""
                )
        return ""

    def binary(self, at: Path, tag: int) -> bytes | None:
        return self._stream(at, tag, _BINARY)

    def time(self, at: Path, tag: int) -> datetime | None:
        ticks = self.fixed(at, tag, _TIME)
        return _EPOCH + timedelta(microseconds=min(ticks // 10, 2**55)) if ticks else None

    def fixed(self, at: Path, tag: int, kind: int) -> int:
        """The value of a property of fixed length; 0 without it."""
        path = (*at, _PROPERTIES)
        data = self._file.openstream(path).read() if path in self._streams else b""
        for start in range(_PROPERTY_HEADERS[at[-1][:7] if at else ""], len(data) - 15, 16):
            found_kind, found, _, value = struct.unpack_from("<HHIQ", data, start)
            if (found_kind, found) == (kind, tag):
                return int(value if kind == _TIME else value & 0xFFFFFFFF)
        return 0

    def storages(self, at: Path, prefix: str) -> list[Path]:
        """The attachments or the recipients of a message, in their order."""
        return sorted(path for path in self._storages if path[:-1] == at and path[-1].startswith(prefix))

    def message_in(self, at: Path) -> Path | None:
        """Where the message is that an attachment holds, if it holds one."""
        path = (*at, f"__substg1.0_{_DATA:04X}{_OBJECT}")
        return path if (*path, _PROPERTIES) in self._streams else None

    def _stream(self, at: Path, tag: int, kind: str) -> bytes | None:
        path = (*at, f"__substg1.0_{tag:04X}{kind}")
        return bytes(self._file.openstream(path).read()) if path in self._streams else None


def _message(properties: _Properties, at: Path, depth: int) -> EmailMessage | None:
    """A message with all it holds; None if its body is in no form that can be read here."""
    message = EmailMessage()
    for name, value in _headers(properties, at).items():
        if value:
            message[name] = " ".join(value.replace("\0", "").split())
    page, text = properties.binary(at, _BODY_HTML), properties.text(at, _BODY)
    if page is None and (written := properties.text(at, _BODY_HTML)):
        page = written.encode()
    if page:
        message.set_content(decode(page).text, subtype="html", cte="base64")
    elif text.strip("\0 \r\n"):
        message.set_content(text.rstrip("\0"), cte="base64")
    elif at == () and properties.binary(at, 0x1009):
        return None
    for where in properties.storages(at, "__attach_version1.0"):
        _attach(message, properties, where, depth)
    return message


def _headers(properties: _Properties, at: Path) -> Mapping[str, str]:
    senders = (_person(properties.text(at, name), properties.text(at, address)) for name, address in _SENDERS)
    time = properties.time(at, _SUBMITTED) or properties.time(at, _DELIVERED)
    return {
        "Subject": properties.text(at, _SUBJECT),
        "From": max(senders, key=lambda sender: ("@" in sender, bool(sender))),
        **_recipients(properties, at),
        "Date": "" if time is None else format_datetime(time),
    }


def _recipients(properties: _Properties, at: Path) -> Mapping[str, str]:
    people: dict[int, list[str]] = {}
    for where in properties.storages(at, "__recip_version1.0"):
        addresses = [properties.text(where, tag) for tag in _RECIPIENT_ADDRESSES]
        address = next((address for address in addresses if "@" in address), "")
        person = _person(properties.text(where, _RECIPIENT_NAME), address)
        people.setdefault(properties.fixed(where, _RECIPIENT_KIND, _NUMBER), []).append(person)
    return {
        name: ", ".join(filter(None, people.get(kind, ()))) or properties.text(at, shown)
        for name, (kind, shown) in _RECIPIENTS.items()
    }


def _person(name: str, address: str) -> str:
    name, address = name.strip("\0 '\""), address.strip("\0 ")
    if "@" not in address:
        return name
    return f"{name} <{address}>" if name and name != address else address


def _attach(message: EmailMessage, properties: _Properties, at: Path, depth: int) -> None:
    name = (properties.text(at, _NAME) or properties.text(at, _SHORT_NAME)).rstrip("\0")
    inner = properties.message_in(at)
    if inner is not None and depth < _MAX_DEPTH and (held := _message(properties, inner, depth + 1)) is not None:
        message.add_attachment(held)
        return
    main, _, sub = properties.text(at, _MIME_TYPE).rstrip("\0").partition("/")
    usable = main.isalnum() and bool(sub) and main not in ("message", "multipart") and sub.isprintable()
    maintype, subtype = (main, sub) if usable else ("application", "octet-stream")
    content = properties.binary(at, _DATA) or b""
    message.add_attachment(content, maintype=maintype, subtype=subtype, filename=name or None)
    if maintype == "image" and properties.text(at, _CONTENT_ID):
        next(reversed(list(message.iter_attachments())))["Content-ID"] = "<shown-inside>"
