"""Pictures of documents in the real sandbox and through the whole server."""

import base64
import io
import os
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import docx
import pptx
import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from ingest_grpc.config import Settings
from ingest_grpc.errors import Reason
from ingest_grpc.v1.error_reason_pb2 import ErrorReason
from ingest_grpc.v1.file_service_pb2 import DownloadFileRequest, GetFileRequest, ReadFileRequest
from ingest_grpc.v1.ingestion_pb2 import FileRecord
from ingest_grpc.worker.executors.interface import ConversionFailed, ConversionRequest, Converted
from ingest_grpc.worker.executors.local import LocalExecutor
from tests import documents
from tests.integration.serving import Server
from tests.integration.test_record_errors import outcome
from tests.integration.test_unpacking import Sink, executor
from tests.wild_documents import open_document

LIAR = (sys.executable, "-I", str(Path(__file__).with_name("picturing_child.py")))

PAGE = b"""<html><p>words<p><img src="data:image/png;base64,%s"><img src="image_0.png" alt="elsewhere"></html>"""


def picture(kind: str, width: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, 30), (120, width, 140)).save(out, kind)
    return out.getvalue()


FIRST, SECOND, THIRD = picture("PNG", 40), picture("JPEG", 50), picture("BMP", 60)


def illustrated() -> bytes:
    """A DOCX with a PNG, a JPEG and a BMP between its words."""
    document = docx.Document()
    for number, data in enumerate((FIRST, SECOND, THIRD), 1):
        document.add_paragraph(f"Words {number}.")
        document.add_picture(io.BytesIO(data))._inline.docPr.set("descr", f"picture {number}")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def slide() -> bytes:
    presentation = pptx.Presentation()
    shapes = presentation.slides.add_slide(presentation.slide_layouts[5]).shapes
    shapes.title.text = "A title"
    shapes.add_picture(io.BytesIO(FIRST), 0, 0)
    out = io.BytesIO()
    presentation.save(out)
    return out.getvalue()


def open_picture(body: str, kind: str) -> bytes:
    """An ODT or ODP with one picture."""
    image = '<draw:image xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="Pictures/a.png"/>'
    out = io.BytesIO(open_document(body % f"<draw:frame>{image}</draw:frame>", kind))
    with zipfile.ZipFile(out, "a") as package:
        package.writestr("Pictures/a.png", FIRST)
    return out.getvalue()


def book() -> bytes:
    """An EPUB whose two chapters show three pictures, one of them twice; `one.png` is another in each chapter."""
    chapter = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>%s</body></html>'
    shown = (
        '<h1>First</h1><p>Words <img src="../images/a%20b.png" alt="a"/> <img src="one.png" alt="which"/></p>',
        (
            """<h1>Second</h1><p><img alt="b" src='../../images/b.jpg' title="its title"/>"""
            """<img src="../../images/a%20b.png" alt="again"/><img src="one.png" alt="which"/>"""
            """<img src="http://127.0.0.1:9/x.png" alt="far"/><img src="../../../../etc/passwd" alt="up"/></p>"""
        ),
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>A book</dc:title>'
        '<dc:identifier id="i">x</dc:identifier><dc:language>en</dc:language></metadata>'
        '<manifest><item id="a" href="text/a.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="b" href="text/b/b.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
    )
    container = (
        '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="O/p.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package_file:
        package_file.writestr("mimetype", "application/epub+zip")
        package_file.writestr("META-INF/container.xml", container)
        package_file.writestr("O/p.opf", package)
        package_file.writestr("O/text/a.xhtml", chapter % shown[0])
        package_file.writestr("O/text/b/b.xhtml", chapter % shown[1])
        for name, data in (("images/a b.png", FIRST), ("images/b.jpg", SECOND), ("text/one.png", FIRST)):
            package_file.writestr(f"O/{name}", data)
        package_file.writestr("O/text/b/one.png", SECOND)
    return out.getvalue()


def illustrated_pdf() -> bytes:
    """Two pages: a JPEG above a PNG and a tiny one, then the PNG again and a picture alone on its page."""
    out = io.BytesIO()
    sheet = canvas.Canvas(out, invariant=True)
    png, jpeg, tiny = (ImageReader(io.BytesIO(data)) for data in (FIRST, SECOND, picture("PNG", 4)))
    sheet.drawString(72, 700, "Words of the first page.")
    sheet.drawImage(png, 72, 100, 80, 60)
    sheet.drawImage(jpeg, 72, 400, 80, 60)
    sheet.drawImage(tiny, 72, 300, 8, 8)
    sheet.showPage()
    sheet.drawString(72, 700, "Words of the second page.")
    sheet.drawImage(png, 72, 100, 80, 60)
    sheet.showPage()
    sheet.drawImage(ImageReader(io.BytesIO(picture("PNG", 70))), 0, 0, 500, 500)
    sheet.save()
    return out.getvalue()


ODT = "<office:text><text:p>Words.</text:p><text:p>%s</text:p></office:text>"
ODP = (
    "<office:presentation><draw:page>"
    "<draw:frame><draw:text-box><text:p>Words.</text:p></draw:text-box></draw:frame>%s</draw:page>"
    "</office:presentation>"
)


async def convert(
    folder: Path,
    name: str,
    data: bytes,
    command: tuple[str, ...] | None = None,
    method: str = "SPEED_OPTIMIZED",
    **settings: object,
) -> tuple[Converted | ConversionFailed, str, Mapping[str, bytes]]:
    """The outcome, the Markdown and the pictures."""
    (folder / "source").write_bytes(data)
    source, output = os.open(folder / "source", os.O_RDONLY), os.open(folder / "output", os.O_RDWR | os.O_CREAT)
    sink = Sink()
    try:
        async with executor(command, **settings) as running:
            request = ConversionRequest(name, "", method, sink)
            done = await running.convert(source, output, request, lambda _: None)
            assert isinstance(done, Converted | ConversionFailed)
            return done, os.pread(output, 100_000, 0).decode(), sink.members
    finally:
        os.close(source)
        os.close(output)


async def test_images__of_a_document_through_the_whole_server(tmp_path: Path) -> None:
    async with Server(tmp_path / "data", converts=True, real_time=True, workers=1, store_images=True) as server:
        file = await server.upload("a.docx", illustrated())
        _, [record] = await outcome(server, file.file_id)
        text = (await server.files.ReadFile(ReadFileRequest(file_id=record.output_file_id))).text
        assert "![picture 1](image-1.png)" in text
        assert "![picture 2](image-2.jpg)" in text
        assert "picture 3" in text
        assert text.count("](") == 2
        assert list(record.losses) == ["pictures that are no PNG, JPEG, GIF or WebP, not stored: 1"]
        assert await downloaded(server, record) == {"image-1.png": FIRST, "image-2.jpg": SECOND}


async def downloaded(server: Server, record: FileRecord) -> dict[str, bytes]:
    """What a client makes of the record's pictures: bytes by the name that the Markdown has for them."""
    found = {}
    for file_id in record.image_file_ids:
        described = (await server.files.GetFile(GetFileRequest(file_id=file_id))).file
        parts = [part async for part in server.files.DownloadFile(DownloadFileRequest(file_id=file_id))]
        found[described.filename] = b"".join(part.data for part in parts)
    return found


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pptx", slide()),
        ("a.odt", open_picture(ODT, "text")),
        ("a.odp", open_picture(ODP, "presentation")),
        ("a.html", PAGE % base64.b64encode(FIRST)),
    ],
)
async def test_images__of_other_formats(tmp_path: Path, name: str, data: bytes) -> None:
    done, markdown, images = await convert(tmp_path, name, data)
    assert isinstance(done, Converted)
    assert "](image-1.png)" in markdown
    assert images == {"image-1.png": FIRST}
    assert ("![elsewhere](image_0.png)" in markdown) is (name == "a.html"), "not of the document"


async def test_images__of_a_book_by_the_addresses_of_its_chapters(tmp_path: Path) -> None:
    done, markdown, images = await convert(tmp_path, "a.epub", book())
    assert isinstance(done, Converted)
    assert "Words ![a](image-1.png) ![which](one.png)" in markdown
    assert '![b](image-2.jpg "its title")![again](image-3.png)![which](one.png)' in markdown
    assert "![far](http://127.0.0.1:9/x.png)![up](../../../../etc/passwd)" in markdown
    assert images == {"image-1.png": FIRST, "image-2.jpg": SECOND, "image-3.png": FIRST}


async def test_images__of_a_book_beyond_the_limits(tmp_path: Path) -> None:
    assert len(SECOND) > len(FIRST)
    done, markdown, images = await convert(tmp_path, "a.epub", book(), max_stored_image_bytes=len(FIRST))
    assert isinstance(done, Converted)
    assert done.losses == ("pictures beyond the limits on stored pictures, not stored: 1",)
    assert set(images.values()) == {FIRST}
    assert "image-2.png" in markdown


@pytest.mark.parametrize("method", ["SPEED_OPTIMIZED", "ACCURACY_OPTIMIZED"])
async def test_images__of_a_pdf_stand_below_the_text_of_their_page(tmp_path: Path, method: str) -> None:
    done, markdown, images = await convert(tmp_path, "a.pdf", illustrated_pdf(), method=method, ocr_engine="none")
    assert isinstance(done, Converted), done
    pages = [" ".join(page.split()) for page in markdown.split("<!-- page ")[1:]]
    assert pages[0] == "1 --> Words of the first page. ![](image-1.jpg) ![](image-2.png)"
    assert pages[1].startswith("2 --> Words of the second page. ![](image-2.png)")
    assert "image-3" not in markdown, "a page without text is a picture itself"
    assert set(images) == {"image-1.jpg", "image-2.png"}
    assert images["image-1.jpg"] == SECOND, "JPEG stays as it is"
    with Image.open(io.BytesIO(images["image-2.png"])) as shown, Image.open(io.BytesIO(FIRST)) as original:
        assert (shown.size, shown.getpixel((9, 9))) == (original.size, original.getpixel((9, 9)))


@pytest.mark.parametrize(
    "limit",
    [
        {"max_stored_images": 1},
        {"max_stored_image_pixels": 40 * 30},
        {"max_stored_images_bytes": len(SECOND) + 1, "max_stored_image_bytes": len(SECOND)},
    ],
    ids=str,
)
async def test_images__of_a_pdf_beyond_the_limits_are_losses(tmp_path: Path, limit: dict[str, Any]) -> None:
    done, markdown, images = await convert(tmp_path, "a.pdf", illustrated_pdf(), **limit)
    assert isinstance(done, Converted)
    assert len(images) == 1
    left_out = 1 if "max_stored_image_pixels" in limit else 2
    assert f"pictures beyond the limits on stored pictures, not stored: {left_out}" in done.losses
    assert markdown.count("![](image-1.") == (2 if "max_stored_image_pixels" in limit else 1)


async def test_images__beyond_the_limits_are_losses(tmp_path: Path) -> None:
    done, markdown, images = await convert(tmp_path, "a.docx", illustrated(), max_stored_images=1)
    assert isinstance(done, Converted)
    assert images == {"image-1.png": FIRST}
    assert "pictures beyond the limits on stored pictures, not stored: 1" in done.losses
    assert "picture 2" in markdown
    assert "image-2" not in markdown


async def test_images__of_a_format_without_any(tmp_path: Path) -> None:
    done, _, images = await convert(tmp_path, "a.pdf", documents.pdf())
    assert isinstance(done, Converted)
    assert images == {}


@pytest.mark.parametrize("lie", ["half a picture", "endless frame", "dies", "fails in the middle"])
async def test_images__of_a_child_that_lies(tmp_path: Path, lie: str) -> None:
    done, _, _ = await convert(tmp_path, "a.docx", lie.encode(), LIAR)
    assert isinstance(done, ConversionFailed)
    assert done.reason is (Reason.NO_TEXT if lie == "fails in the middle" else Reason.CONVERTER_CRASHED)


async def test_images__that_are_none_fail_their_record_alone(tmp_path: Path) -> None:
    settings = Settings(workers=1, store_images=True)
    limits = {"max_failures": 1, "workers": 1, "store_images": True}
    liar = LocalExecutor(settings, LIAR)
    async with Server(tmp_path / "data", executor=liar, converts=True, real_time=True, **limits) as server:
        file = await server.upload("a.docx", b"no picture")
        _, [record] = await outcome(server, file.file_id)
        assert ErrorReason.Name(record.error.reason) == "ERROR_REASON_CONVERTER_CRASHED"
        assert list(record.image_file_ids) == []
