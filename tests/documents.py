"""Small documents of every format, made in memory: real ones, and broken ones on purpose."""

import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import docx
import openpyxl
import pikepdf
import pptx
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen import canvas

A4 = (595.0, 842.0)

DEFAULT_PAGES = (
    "The quick brown fox jumps over the lazy dog while the band plays on.",
    "Pack my box with five dozen liquor jugs and send it home by noon.",
)


def picture(width: int = 40, height: int = 40) -> bytes:
    """A PNG of noise-free grey."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (120, 130, 140)).save(out, "PNG")
    return out.getvalue()


def pdf(
    pages: Sequence[str | None] = DEFAULT_PAGES, size: tuple[float, float] = A4, title: str = "A small PDF"
) -> bytes:
    """A PDF with one line of text per page; None makes a page of a picture, "" a blank one."""
    out = io.BytesIO()
    sheet = canvas.Canvas(out, pagesize=size, invariant=True)
    sheet.setTitle(title)
    for text in pages:
        if text is None:
            sheet.drawInlineImage(Image.open(io.BytesIO(picture())), 100, 100, 300, 300)
        elif text:
            sheet.drawString(72, size[1] - 72, text)
        sheet.showPage()
    sheet.save()
    return out.getvalue()


def page_picture(text: str, *, size: tuple[int, int] = (1_240, 400), kind: str = "PNG") -> bytes:
    """A picture of lines of text, black on white, as a scanner at 150 dots per inch would make it."""
    image = Image.new("L", size, 255)
    ImageDraw.Draw(image).multiline_text((60, 60), text, fill=0, font=ImageFont.load_default(36), spacing=16)
    out = io.BytesIO()
    image.save(out, kind, dpi=(150, 150))
    return out.getvalue()


def scan(texts: Sequence[str]) -> bytes:
    """A PDF without a text layer: each page is the picture of a text; "" is a page of text that needs no OCR."""
    out = io.BytesIO()
    sheet = canvas.Canvas(out, pagesize=A4, invariant=True)
    for text in texts:
        if text:
            sheet.drawInlineImage(Image.open(io.BytesIO(page_picture(text))), 0, 600, 595, 192)
        else:
            sheet.drawString(72, A4[1] - 72, DEFAULT_PAGES[0])
        sheet.showPage()
    sheet.save()
    return out.getvalue()


def encrypted_pdf(user: str = "secret", owner: str = "owner") -> bytes:
    """A PDF that needs a password; with an empty user password anybody may read it."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as document:
        document.save(out, encryption=pikepdf.Encryption(user=user, owner=owner))
    return out.getvalue()


def bomb_pdf(expanded_bytes: int = 160 * 2**20) -> bytes:
    """A PDF of some hundred bytes whose page content expands a hundred thousand times, by two stacked filters."""
    stream = zlib.compress(zlib.compress(b" " * expanded_bytes, 9), 9)
    return b"\n".join(
        (
            b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj",
            b"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj",
            b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R>>\nendobj",
            b"4 0 obj\n<</Filter[/FlateDecode/FlateDecode]/Length %d>>stream\n%b\nendstream\nendobj"
            % (len(stream), stream),
            b"trailer<</Size 5/Root 1 0 R>>\n%%EOF",
        )
    )


def word(text: str = "Some words in a document.", heading: str = "A heading", with_picture: bool = False) -> bytes:
    """A DOCX; empty strings leave the parts out."""
    document = docx.Document()
    if heading:
        document.add_heading(heading, 1)
    if text:
        document.add_paragraph(text)
    if with_picture:
        document.add_picture(io.BytesIO(picture()))
    return _saved(document.save)


def slides(titles: Sequence[str] = ("First slide", "Second slide")) -> bytes:
    """A PPTX with one slide per title; "" makes a blank slide."""
    presentation = pptx.Presentation()
    for title in titles:
        slide = presentation.slides.add_slide(presentation.slide_layouts[5 if title else 6])
        if title:
            slide.shapes.title.text = title
    return _saved(presentation.save)


def sheet(rows: Sequence[Sequence[Any]] = (("Name", "Count"), ("apples", 3), ("pears", 4))) -> bytes:
    """An XLSX of one sheet."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    return _saved(book.save)


def with_member(archive: bytes, name: str, content: bytes) -> bytes:
    """The same ZIP with one more member, deflated."""
    out = io.BytesIO(archive)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as target:
        target.writestr(name, content)
    return out.getvalue()


def damaged(archive: bytes, member: str) -> bytes:
    """The same ZIP with one member's content destroyed."""
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        info = source.getinfo(member)
    start = info.header_offset + 30 + len(info.filename)
    return archive[:start] + b"\xff" * 50 + archive[start + 50 :]


def plain_zip(names: Sequence[str] = ("readme.txt",)) -> bytes:
    """A ZIP that is no Office document."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name in names:
            target.writestr(name, "content")
    return out.getvalue()


def encrypted_office() -> bytes:
    """The beginning of an OLE file that holds an encrypted package, as Office writes it for a password."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000) + "EncryptedPackage".encode("utf-16-le") + bytes(500)


def _saved(save: Callable[[Any], object]) -> bytes:
    out = io.BytesIO()
    save(out)
    return out.getvalue()
