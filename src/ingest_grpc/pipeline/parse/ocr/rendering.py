"""Pages of PDFs, and pictures, as pixels that an OCR engine reads."""

import io
import math

import PIL.TiffImagePlugin
import PIL.WebPImagePlugin  # noqa: F401 - registers its format, as the line above does
import pypdfium2
from PIL import Image, ImageOps, UnidentifiedImageError

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.engines import PDFIUM, STDLIB
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.ocr.interface import Picture
from ingest_grpc.pipeline.parse.outcome import ParseFailure

Image.preinit()  # else at the first picture: too late in a confined process

_DOTS_PER_INCH = 300
_POINTS_PER_INCH = 72
_MAX_RENDERED_PIXELS = 25_000_000
"""A page larger than A3 at 300 dots per inch is rendered with fewer."""
_UNREADABLE = (UnidentifiedImageError, OSError, SyntaxError, EOFError, ValueError)
"""What Pillow raises for files that are no pictures, or not whole."""
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP")


def render_page(data: bytes, page: int) -> Picture:
    """Page `page` (from 1) of a PDF. ParseFailure PDF_UNREADABLE."""
    try:
        with pypdfium2.PdfDocument(data) as document:
            width, height = document.get_page_size(page - 1)
            most = math.sqrt(_MAX_RENDERED_PIXELS / max(width * height, 1.0))
            scale = min(_DOTS_PER_INCH / _POINTS_PER_INCH, most)
            bitmap = document[page - 1].render(scale=scale, grayscale=True)
            rows = memoryview(bitmap.buffer).cast("B")
            pixels = b"".join(
                rows[start : start + bitmap.width] for start in range(0, bitmap.stride * bitmap.height, bitmap.stride)
            )
            return Picture(pixels, bitmap.width, bitmap.height, round(scale * _POINTS_PER_INCH))
    except pypdfium2.PdfiumError as error:
        raise ParseFailure(Reason.PDF_UNREADABLE, f"page {page}: {error}", engine=PDFIUM) from None


def open_picture(data: bytes, frame: int, max_pixels: int) -> Picture:
    """Frame `frame` (from 1) of a PNG, JPEG, TIFF or WebP file. ParseFailure FILE_UNREADABLE, IMAGE_TOO_LARGE."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            image.seek(frame - 1)
            check_pixels(image.size, max_pixels)
            upright = ImageOps.exif_transpose(_on_white(image)).convert("L")
            resolution = image.info.get("dpi", (0, 0))[0]
    except _UNREADABLE as error:
        raise _unreadable(error) from None
    dots_per_inch = int(resolution) if 70 <= resolution <= 1_200 else _DOTS_PER_INCH
    return Picture(upright.tobytes(), upright.width, upright.height, dots_per_inch)


def count_frames(data: bytes, limits: Limits) -> int:
    """How many pictures a file holds, more than one only in TIFF. ParseFailure FILE_UNREADABLE, IMAGE_TOO_LARGE,
    TOO_MANY_PAGES."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            check_pixels(image.size, limits.max_image_pixels)
            frames = int(getattr(image, "n_frames", 1)) if image.format == "TIFF" else 1
    except _UNREADABLE as error:
        raise _unreadable(error) from None
    if frames > limits.max_pages:
        raise ParseFailure(Reason.TOO_MANY_PAGES, f"{frames} pictures, at most {limits.max_pages}", engine=STDLIB)
    return frames


def _unreadable(error: Exception) -> ParseFailure:
    return ParseFailure(Reason.FILE_UNREADABLE, f"not a readable picture: {error}", engine=STDLIB)


def check_pixels(size: tuple[int, int], max_pixels: int) -> None:
    """ParseFailure IMAGE_TOO_LARGE for more than `max_pixels`, told by the header, before anything is decoded."""
    width, height = size
    if width * height > max_pixels:
        detail = f"{width} x {height} pixels, at most {max_pixels} in all are read"
        raise ParseFailure(Reason.IMAGE_TOO_LARGE, detail, engine=STDLIB)


def _on_white(image: Image.Image) -> Image.Image:
    """Transparent parts count as white paper."""
    if not image.has_transparency_data:
        return image.convert("L") if image.mode in ("1", "I;16", "I", "F") else image.convert("RGB")
    solid = image.convert("RGBA")
    paper = Image.new("RGBA", solid.size, "white")
    return Image.alpha_composite(paper, solid).convert("RGB")
