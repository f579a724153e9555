"""The pictures on the pages of a PDF, as files: JPEG as it lies in the document, everything else as PNG."""

import hashlib
import io
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image

from ingest_grpc.pipeline.parse.extraction import Extraction, PageText, join_pages
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.stored_images import Linked, beyond_limits, link

_SMALLEST_PIXELS = 16
"""Smaller ones are bullets and lines."""
_MAX_FORMS_DEEP = 4
_TIMES_THE_LARGEST = 10
"""As many pixels as that number of the largest pictures have are decoded of one document."""
_SHOWN_AS_THEY_ARE = ("L", "RGB")
"""What every browser shows of JPEG; others are for presses."""


def placed(data: bytes, extraction: Extraction, pages: Iterable[int], limits: Limits) -> Linked:
    """The Markdown with the pictures of these pages (from 1) below the text of each, from top to bottom: where in the
    text they stand no engine says."""
    if not extraction.pages:
        return Linked(extraction.markdown)
    found = _Found(limits)
    with pypdfium2.PdfDocument(data) as document:
        shown = {number: list(found.on_page(document, number)) for number in sorted(pages)}
    texts = [
        PageText(page.number, "\n\n".join([page.markdown.strip(), *map("![]({})".format, shown.get(page.number, ()))]))
        for page in extraction.pages
    ]
    linked = link(join_pages(texts), found.pictures, limits)
    return Linked(linked.markdown, linked.images, (*linked.losses, *beyond_limits(found.left_out)))


@dataclass(slots=True)
class _Found:
    """Pictures by an address that no document can hold. Equal ones, such as a logo on each page, are one."""

    limits: Limits
    pictures: dict[str, bytes] = field(default_factory=dict)
    left_out: int = 0
    _mark: str = field(default_factory=lambda: secrets.token_hex(16))
    _bytes: int = 0
    _pixels: int = 0

    def on_page(self, document: pypdfium2.PdfDocument, number: int) -> Iterator[str]:
        """The addresses of a page's pictures, from top to bottom."""
        try:
            page = document[number - 1]
            images = sorted(page.get_objects([pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=_MAX_FORMS_DEEP), key=_place)
        except pypdfium2.PdfiumError:
            return  # its text could be read, its pictures cannot
        for image in images:
            if (address := self._address(image)) is not None:
                yield address
        page.close()

    def _address(self, image: pypdfium2.PdfImage) -> str | None:
        try:
            width, height = image.get_px_size()
            if min(width, height) < _SMALLEST_PIXELS:
                return None
            picture = self._encoded(image, width * height)
        except (pypdfium2.PdfiumError, OSError, ValueError):
            picture = None
        if picture is None:
            self.left_out += 1
            return None
        address = f"{self._mark}-{hashlib.sha256(picture).hexdigest()}"
        if address not in self.pictures:
            if not self._has_room(len(picture)):
                self.left_out += 1
                return None
            self.pictures[address] = picture
            self._bytes += len(picture)
        return address

    def _has_room(self, count: int) -> bool:
        limits = self.limits
        within = count <= limits.max_stored_image_bytes and self._bytes + count <= limits.max_stored_images_bytes
        return within and len(self.pictures) < limits.max_stored_images

    def _encoded(self, image: pypdfium2.PdfImage, pixels: int) -> bytes | None:
        """None for one that is not to be decoded."""
        most = self.limits.max_stored_image_pixels
        self._pixels += pixels
        if (
            pixels > most
            or self._pixels > _TIMES_THE_LARGEST * most
            or self._bytes > self.limits.max_stored_images_bytes
        ):
            return None
        if image.get_filters(skip_simple=True) == ["DCTDecode"]:
            jpeg = bytes(image.get_data(decode_simple=True))
            with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as opened:
                if opened.mode in _SHOWN_AS_THEY_ARE:
                    return jpeg
        out = io.BytesIO()
        image.get_bitmap().to_pil().save(out, "PNG")
        return out.getvalue()


def _place(image: pypdfium2.PdfObject) -> tuple[float, float]:
    left, _, _, top = image.get_bounds()
    return -top, left
