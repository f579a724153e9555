"""File names, display paths and content types as callers give them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_grpc.filenames import base_name, displayable, guess_content_type, normal_content_type


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a/b\\c/d.txt", "d.txt"),
        ("Bericht \u00dc.pdf", "Bericht Ü.pdf"),
        ("U\u0308.pdf", "Ü.pdf"),
        ("a\r\nb\x1b[31m.txt", "ab[31m.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("  spaced.txt  ", "spaced.txt"),
        ("family \U0001f468\u200d\U0001f469.md", "family \U0001f468\u200d\U0001f469.md"),
    ],
)
def test_base_name__keeps_what_can_be_shown(given: str, kept: str) -> None:
    assert base_name(given) == kept


@pytest.mark.parametrize("given", ["", ".", "..", "/", "a/", "\x00\x01", "  ", "\u202e", "dir/.."])
def test_base_name__nothing_usable(given: str) -> None:
    assert base_name(given) == ""


@given(st.text())
def test_base_name__is_never_a_path_and_stays_as_it_is(given: str) -> None:
    name = base_name(given)

    assert not {"/", "\\", "\0", "\n", "\u202e"} & set(name)
    assert base_name(name) == name


def test_displayable__keeps_folders() -> None:
    assert displayable("/home/\x07me/a.pdf") == "/home/me/a.pdf"


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("application/pdf", "application/pdf"),
        ("Text/Markdown; charset=UTF-8", "text/markdown; charset=UTF-8"),
        (' text/plain;charset="utf-8" ', 'text/plain;charset="utf-8"'),
        ("application/vnd.ms-excel+x", "application/vnd.ms-excel+x"),
        ("text", None),
        ("text/", None),
        ("text/plain;", None),
        ("te xt/plain", None),
        ("text/plain\r\nx: y", None),
        ('text/plain; a="\n"', None),
        ("x/" + "y" * 254, None),
    ],
)
def test_normal_content_type(given: str, normal: str | None) -> None:
    assert normal_content_type(given) == normal


@pytest.mark.parametrize(
    ("filename", "content_type"),
    [
        ("a.PDF", "application/pdf"),
        ("a.md", "text/markdown"),
        ("a.eml", "message/rfc822"),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.png", "image/png"),
        ("pdf", "application/octet-stream"),
        ("a.unknown-extension", "application/octet-stream"),
        ("README", "application/octet-stream"),
    ],
)
def test_guess_content_type(filename: str, content_type: str) -> None:
    assert guess_content_type(filename) == content_type
