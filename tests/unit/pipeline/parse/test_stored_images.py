"""Which pictures of a document are stored, and what the Markdown calls them."""

import base64

import pytest

from ingest_grpc.pipeline.parse.stored_images import link, take_embedded, type_of
from tests.limits import limits

PNG, JPEG = b"\x89PNG\r\n\x1a\n....", b"\xff\xd8\xff\xe0...."
GIF, WEBP = b"GIF89a......", b"RIFF1234WEBP"


@pytest.mark.parametrize(("data", "name"), [(PNG, "png"), (JPEG, "jpg"), (GIF, "gif"), (WEBP, "webp")])
def test_type_of__goes_by_the_magic_number(data: bytes, name: str) -> None:
    kind = type_of(data)
    assert kind is not None
    assert kind.name(3) == f"image-3.{name}"


@pytest.mark.parametrize("data", [b"", b"<svg/>", b"II*\0", b"\x89PNG", b" " + PNG, b"RIFF1234WAVE", b"MZ"])
def test_type_of__is_none_for_what_is_not_stored(data: bytes) -> None:
    assert type_of(data) is None


def test_link__numbers_pictures_as_the_markdown_shows_them() -> None:
    markdown = "![b](two)\n\n| ![a [x]](one) |\n\n[![b](two)](http://x)\n\n![c](three)"
    linked = link(markdown, {"one": PNG, "two": JPEG, "unseen": GIF}, limits())
    expected = "![b](image-1.jpg)\n\n| ![a [x]](image-2.png) |\n\n[![b](image-1.jpg)](http://x)\n\n![c](three)"
    assert (linked.markdown, linked.images, linked.losses) == (expected, (JPEG, PNG), ())


def test_link__leaves_the_alt_text_of_what_is_not_stored_and_says_so() -> None:
    found = {"a": PNG, "b": PNG + bytes(10), "c": b"BM", "d": JPEG, "e": GIF, "f": WEBP}
    markdown = " ".join(f"![{name}]({name})" for name in found)
    few = limits(max_stored_images=2, max_stored_image_bytes=len(PNG))
    linked = link(markdown, found, few)
    assert linked.markdown == "![a](image-1.png) b c ![d](image-2.jpg) e f"
    assert linked.images == (PNG, JPEG)
    assert linked.losses == (
        "pictures that are no PNG, JPEG, GIF or WebP, not stored: 1",
        "pictures beyond the limits on stored pictures, not stored: 3",
    )
    tight = limits(max_stored_images_bytes=len(PNG) + len(GIF))
    assert link(markdown, found, tight).images == (PNG, JPEG)


def test_link__of_hostile_markdown_takes_no_time_and_keeps_escaped_text() -> None:
    assert link(r"\![x](a)", {"a": b"BM"}, limits()).markdown == r"\![x]()"
    hostile = "![" * 50_000
    assert link(hostile, {"a": PNG}, limits()).markdown == hostile


def test_take_embedded__shortens_pictures_and_nothing_else() -> None:
    uri = "data:image/png;base64," + base64.b64encode(PNG).decode()
    page = f'<p>{uri}</p><img alt="x" src="{uri}"><img src="data:image/png;base64,A"><img src="http://x/a.png">'
    text, found = take_embedded(page)
    [(address, data)] = found.items()
    assert data == PNG
    assert text == page.replace(f'src="{uri}"', f'src="{address}"')
    assert take_embedded(page)[1].keys() != found.keys(), "an address cannot be guessed"
