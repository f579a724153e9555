"""File names, display paths and content types as callers and archives give them."""

import mimetypes
import re

from ingest_grpc.formats import CONTENT_TYPES, named_kind
from ingest_grpc.normal_form import composed

MAX_FILENAME_BYTES = 255
MAX_EXTENSION_BYTES = 20
MAX_PATH_CHARACTERS = 1024
MAX_CONTENT_TYPE_CHARACTERS = 255
UNKNOWN_TYPE = "application/octet-stream"

_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF)
_INVISIBLE = dict.fromkeys((*_CONTROLS, *map(ord, _BIDI)))

_DRIVE = re.compile(r"[A-Za-z]:")

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_CONTENT_TYPE = re.compile(rf'({_TOKEN}/{_TOKEN})((?:[ \t]*;[ \t]*{_TOKEN}=(?:{_TOKEN}|"[^"\\\x00-\x1f\x7f]*"))*)')

_OTHER_TYPES = mimetypes.MimeTypes(filenames=())


def displayable(text: str) -> str:
    """Composed (NFC) and without characters that would control a terminal or turn the direction of writing."""
    return composed(text.translate(_INVISIBLE)).strip()


def base_name(filename: str) -> str:
    """The displayable last part of a name that may hold folders of either system; empty if nothing usable is left."""
    name = displayable(filename.replace("\\", "/").rpartition("/")[2])
    return "" if name in {".", ".."} else name


def fitting_name(filename: str, fallback: str) -> str:
    """The base name cut to MAX_FILENAME_BYTES, its extension kept where that is short; `fallback` for an empty one."""
    name = base_name(filename) or fallback
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > MAX_EXTENSION_BYTES:
        stem, dot, extension = name, "", ""
    room = MAX_FILENAME_BYTES - len((dot + extension).encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + dot + extension


def display_path(path: str) -> str:
    """A path as people may read it: displayable, without a root, a drive or steps upwards. Never used as a path."""
    parts = [base_name(part) for part in path.replace("\\", "/").split("/")]
    return "/".join(part for part in parts if part and not _DRIVE.fullmatch(part))[:MAX_PATH_CHARACTERS]


def normal_content_type(content_type: str) -> str | None:
    """`type/subtype` in lower case, parameters as given (RFC 9110, section 8.3.1); None if it is not a content type."""
    if len(content_type) > MAX_CONTENT_TYPE_CHARACTERS:
        return None
    match = _CONTENT_TYPE.fullmatch(content_type.strip())
    if match is None:
        return None
    return match[1].lower() + match[2]


def guess_content_type(filename: str) -> str:
    """The content type that the name's extension suggests: for what can be converted from the table of formats,
    for the rest from Python's own and not from the machine's, which differ."""
    kind = named_kind(filename)
    return CONTENT_TYPES[kind] if kind else _OTHER_TYPES.guess_type(filename, strict=True)[0] or UNKNOWN_TYPE
