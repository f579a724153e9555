"""Pages and pictures as pixels."""

import io

import pytest
from PIL import Image

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.ocr.rendering import count_frames, open_picture, render_page
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from tests import documents
from tests.limits import limits


def test_page__is_grey_and_of_300_dots_per_inch() -> None:
    picture = render_page(documents.pdf(size=(144, 72)), 2)
    assert (picture.width, picture.height, picture.dots_per_inch) == (600, 300, 300)
    assert len(picture.pixels) == 600 * 300


def test_page__a_huge_one_gets_fewer_dots() -> None:
    picture = render_page(documents.pdf(["text"], size=(14_000, 14_000)), 1)
    assert picture.width * picture.height <= 26_000_000
    assert picture.dots_per_inch < 30


def test_picture__transparency_is_white_paper() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (2, 1), (0, 0, 0, 0)).save(out, "PNG")
    assert open_picture(out.getvalue(), 1, 100).pixels == b"\xff\xff"


def test_picture__stands_upright_as_its_camera_says() -> None:
    image, out = Image.new("L", (3, 1), 0), io.BytesIO()
    exif = image.getexif()
    exif[0x0112] = 6  # turned by a quarter
    image.save(out, "JPEG", exif=exif)
    picture = open_picture(out.getvalue(), 1, 100)
    assert (picture.width, picture.height) == (1, 3)


def test_frames__of_a_tiff_are_pages() -> None:
    frames = [Image.new("L", (4, 4), shade) for shade in (0, 90, 200)]
    out = io.BytesIO()
    frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:])
    assert count_frames(out.getvalue(), limits()) == 3
    assert open_picture(out.getvalue(), 3, 100).pixels == bytes([200] * 16)
    with pytest.raises(ParseFailure) as failure:
        count_frames(out.getvalue(), limits(max_pages=2))
    assert failure.value.reason is Reason.TOO_MANY_PAGES


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(20), Reason.FILE_UNREADABLE),
        (documents.picture()[:40], Reason.FILE_UNREADABLE),
        (documents.picture(40, 40), Reason.IMAGE_TOO_LARGE),
    ],
)
def test_picture__refusals(data: bytes, reason: Reason) -> None:
    with pytest.raises(ParseFailure) as failure:
        open_picture(data, 1, 1_000)
    assert failure.value.reason is reason
