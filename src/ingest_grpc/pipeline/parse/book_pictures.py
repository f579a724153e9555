"""The pictures of an EPUB by the addresses that its chapters have for them, which stand in the Markdown unchanged."""

import html
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote, urlsplit

from ingest_grpc.pipeline.parse import zip_probe
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.stored_images import HEAD_BYTES

_CHAPTER = re.compile(r"\.x?html?$", re.IGNORECASE)
_SHOWN = re.compile(
    rb"""<(?:\w+:)?img\b[^>]{0,2000}?\ssrc\s*=\s*(?:"([^"<>]{1,1000})"|'([^'<>]{1,1000})')""", re.IGNORECASE
)
_CHAPTER_BYTES = 32 * 1024 * 1024


def found(data: bytes, members: Sequence[str], limits: Limits) -> Mapping[str, bytes]:
    """The pictures by their addresses as Markdown writes them. One that means another picture in another chapter is
    left out: nobody could say which one stands where. Those beyond `limits` are cut, so that they are too large still.
    """
    meant = defaultdict[str, set[str]](set)
    known = frozenset(members)
    for chapter in filter(_CHAPTER.search, members):
        for address in _addresses(zip_probe.part(data, chapter, _CHAPTER_BYTES)):
            if (picture := _resolved(chapter, address)) in known:
                meant[address].add(picture)
    left, pictures = limits.max_stored_images_bytes, dict[str, bytes]()
    content = dict[str, bytes]()
    for address, [picture, *others] in ((address, sorted(names)) for address, names in meant.items()):
        if not others:
            if picture not in content:
                most = max(HEAD_BYTES, min(limits.max_stored_image_bytes, left)) + 1
                content[picture] = zip_probe.part(data, picture, most)
                left = max(0, left - len(content[picture]))
            pictures[f"<{address}>" if " " in address else address] = content[picture]
    return pictures


def _addresses(chapter: bytes) -> Iterator[str]:
    for match in _SHOWN.finditer(chapter):
        yield html.unescape((match[1] or match[2]).decode("utf-8", "replace"))


def _resolved(chapter: str, address: str) -> str:
    """The member that an address in a chapter names; "" for what is not in the book."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme or parts.netloc:
        return ""
    return posixpath.normpath(posixpath.join(posixpath.dirname(chapter), unquote(parts.path)))
