"""The pictures of a document that become files of their own: which ones, and what the Markdown calls them.

Markdown shows the first of them as `![…](image-1.png)`, and so on; the files have the same names. Of pictures that
may not be stored the alt text stays.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ingest_grpc.pipeline.parse.limits import Limits

HEAD_BYTES = 12
"""As much of a picture as says its type."""

_TYPES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "png", "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "jpg", "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "gif", "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "webp", "image/webp"),
)
_EMBEDDED = re.compile(
    r"""(<img\b[^>]{0,2000}?\ssrc\s*=\s*["'])data:image/[\w.+-]{1,30};base64,([A-Za-z0-9+/=\s]+)(?=["'])""",
    re.IGNORECASE,
)


class ImageType(NamedTuple):
    """A type of picture that is stored."""

    extension: str
    content_type: str

    def name(self, number: int) -> str:
        """What the picture of this number, from 1, is called in Markdown and as a file."""
        return f"image-{number}.{self.extension}"


def type_of(head: bytes) -> ImageType | None:
    """By the magic number in the first HEAD_BYTES; None for what is not stored."""
    return next((ImageType(*names) for magic, *names in _TYPES if magic.match(head)), None)


@dataclass(frozen=True, slots=True)
class Linked:
    """Markdown, the pictures that it shows in the order of their numbers, and what was lost of them."""

    markdown: str
    images: tuple[bytes, ...] = ()
    losses: tuple[str, ...] = ()


def link(markdown: str, found: Mapping[str, bytes], limits: Limits) -> Linked:
    """Gives the pictures in Markdown their names. `found` are the document's, by the addresses that stand there now."""
    if not found:
        return Linked(markdown)
    choice = _Choice(limits)
    addresses = "|".join(map(re.escape, sorted(found, key=len, reverse=True)))

    def named(match: re.Match[str]) -> str:
        before, alt, address, title = match.groups()
        name = choice.name(address, found[address])
        return f"{before}]({name}{title})" if name else alt or f"{before}]()"

    title = r'(?: "(?:\\.|[^"\\\n]){0,500}+")?'
    linked = re.sub(rf"((?<!\\)!\[((?:\\.|[^\]\\\n]){{0,2000}}+)|)\]\(({addresses})({title})\)", named, markdown)
    return Linked(linked, tuple(choice.images), choice.losses())


@dataclass(slots=True)
class _Choice:
    """Which pictures are stored, decided as they are met."""

    limits: Limits
    images: list[bytes] = field(default_factory=list)
    _names: dict[str, str | None] = field(default_factory=dict)
    _total: int = 0
    _other: int = 0
    _over: int = 0

    def name(self, address: str, data: bytes) -> str | None:
        """The same for the same address; None if it is not stored."""
        if address not in self._names:
            self._names[address] = self._take(data)
        return self._names[address]

    def _take(self, data: bytes) -> str | None:
        kind, limits = type_of(data[:HEAD_BYTES]), self.limits
        if kind is None:
            self._other += 1
            return None
        total = self._total + len(data)
        over = len(data) > limits.max_stored_image_bytes or total > limits.max_stored_images_bytes
        if over or len(self.images) >= limits.max_stored_images:
            self._over += 1
            return None
        self._total = total
        self.images.append(data)
        return kind.name(len(self.images))

    def losses(self) -> tuple[str, ...]:
        """What the record says of pictures that are not stored."""
        remarks = []
        if self._other:
            remarks.append(f"pictures that are no PNG, JPEG, GIF or WebP, not stored: {self._other}")
        return *remarks, *beyond_limits(self._over)


def beyond_limits(count: int) -> tuple[str, ...]:
    """What the record says of so many pictures that are too large or too many; nothing of none."""
    return (f"pictures beyond the limits on stored pictures, not stored: {count}",) if count else ()


def take_embedded(text: str) -> tuple[str, dict[str, bytes]]:
    """HTML whose `data:` pictures have short addresses instead, and those pictures by address.

    The addresses hold a secret of this call, so that no document can have used them.
    """
    mark, found = secrets.token_hex(16), dict[str, bytes]()

    def shortened(match: re.Match[str]) -> str:
        try:
            data = base64.b64decode(match[2], validate=False)
        except binascii.Error:
            return match[0]
        address = f"{mark}-{len(found)}"
        found[address] = data
        return match[1] + address

    return _EMBEDDED.sub(shortened, text), found
