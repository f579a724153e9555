"""What a file is: content first, then its declared type, then its name."""

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.detect import detect
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.pipeline.parse.types import CONTENT_TYPES, Kind
from tests import compound_files, documents

MAIL = b"From: a@example.com\nTo: b@example.com\nSubject: hello\n\nbody\n"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (documents.pdf(), Kind.PDF),
        (b"\n\njunk before\n%PDF-1.4\n", Kind.PDF),
        (documents.word(), Kind.DOCX),
        (documents.slides(), Kind.PPTX),
        (documents.sheet(), Kind.XLSX),
        (b"{\\rtf1 hello}", Kind.RTF),
        (b"<!DOCTYPE html><p>hello", Kind.HTML),
        (b"  <!-- a comment -->\n<HTML lang='de'>", Kind.HTML),
        (b"<?xml version='1.0'?><!DOCTYPE html><html>", Kind.HTML),
        (b"<?xml version='1.0'?><note/>", Kind.XML),
        ("<?xml version='1.0'?><note/>".encode("utf-16"), Kind.XML),
        (MAIL, Kind.EML),
        (b'{"a": [1, 2]}', Kind.JSON),
        (b"{not json}", Kind.TEXT),
        (b"just words", Kind.TEXT),
    ],
)
def test_detect__content_alone(data: bytes, kind: Kind) -> None:
    assert detect(data, "", "").kind is kind


@pytest.mark.parametrize(
    ("filename", "content_type", "kind"),
    [
        ("notes.md", "", Kind.MARKDOWN),
        ("NOTES.MD", "application/octet-stream", Kind.MARKDOWN),
        ("notes.md", "text/plain", Kind.MARKDOWN),
        ("notes.txt", "text/markdown; charset=utf-8", Kind.MARKDOWN),
        ("data.csv", "", Kind.CSV),
        ("data.tsv", "text/tab-separated-values", Kind.TSV),
        ("rows.jsonl", "", Kind.JSONL),
        ("notes.rst", "", Kind.RST),
        ("paper.tex", "text/x-tex", Kind.LATEX),
        ("book.ipynb", "application/json", Kind.JSON),
        ("book.ipynb", "", Kind.IPYNB),
        ("page.mht", "", Kind.MHTML),
        ("export.xls", "", Kind.TSV),
        ("export.doc", "", Kind.TEXT),
        ("data.json", "", Kind.JSON),
        ("data.xml", "", Kind.XML),
        ("page.html", "", Kind.HTML),
        ("letter.eml", "", Kind.EML),
        ("notes.txt", "", Kind.TEXT),
        ("notes", "", Kind.TEXT),
    ],
)
def test_detect__text_is_what_it_is_said_to_be(filename: str, content_type: str, kind: Kind) -> None:
    assert detect(b"name,count\napples,3\n", filename, content_type).kind is kind


@pytest.mark.parametrize(
    ("data", "filename", "kind"),
    [
        (b"<html><h1>Hi</h1></html>", "report.pdf", Kind.HTML),
        (documents.pdf(), "report.docx", Kind.PDF),
        (documents.word(), "report.txt", Kind.DOCX),
        (b"<!doctype html><p>hi", "page.md", Kind.HTML),
    ],
)
def test_detect__a_wrong_name_is_a_warning(data: bytes, filename: str, kind: Kind) -> None:
    detected = detect(data, filename, "")
    assert detected.kind is kind
    assert "its content is" in detected.warnings[0]


@pytest.mark.parametrize(
    ("data", "filename", "reason"),
    [
        (b"GIF89a" + bytes(100), "scan.gif", Reason.UNSUPPORTED_TYPE),
        (documents.plain_zip(), "report.docx", Reason.FILE_UNREADABLE),
        (documents.plain_zip(("mimetype", "content.xml")), "text.odt", Reason.UNSUPPORTED_TYPE),
        (documents.plain_zip(("META-INF/MANIFEST.MF", "A.class")), "program.jar", Reason.UNSUPPORTED_TYPE),
        (documents.plain_zip(("[Content_Types].xml", "visio/document.xml")), "a.vsdx", Reason.UNSUPPORTED_TYPE),
        (documents.plain_zip(("[Content_Types].xml", "xl/workbook.bin")), "a.xlsb", Reason.UNSUPPORTED_TYPE),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old.doc", Reason.FILE_UNREADABLE),
        (documents.encrypted_office(), "secret.docx", Reason.FILE_ENCRYPTED),
        (b"\x7fELF\x02\x01\x01\x00" + bytes(100), "program", Reason.UNSUPPORTED_TYPE),
        (bytes(100), "zeros.txt", Reason.UNSUPPORTED_TYPE),
        (b"PK\x03\x04 no archive", "report.pdf", Reason.PDF_UNREADABLE),
        (documents.word()[:2000], "report.docx", Reason.FILE_UNREADABLE),
        (b"plain words", "report.xlsx", Reason.FILE_UNREADABLE),
        (b"plain words", "report.pdf", Reason.PDF_UNREADABLE),
    ],
)
def test_detect__refusals(data: bytes, filename: str, reason: Reason) -> None:
    with pytest.raises(ParseFailure) as failure:
        detect(data, filename, "")
    assert failure.value.reason is reason


def test_detect__declared_type_counts_before_the_name() -> None:
    assert detect(b"a,b\n1,2\n", "data.json", CONTENT_TYPES[Kind.CSV]).kind is Kind.CSV


def test_detect__a_long_text_is_not_cut_inside_a_character() -> None:
    assert detect(("ü" * 40_000).encode(), "notes.md", "").kind is Kind.MARKDOWN


@pytest.mark.timeout(20)
def test_detect__comments_without_a_page_after_them_take_no_time() -> None:
    page = b"<?xml version='1.0'?>" + b"<!-- c -->" * 400 + b"<a/>"
    assert detect(page, "a.xml", "").kind is Kind.XML


def test_detect__a_compound_file_of_vast_sectors_is_unreadable() -> None:
    whole = compound_files.workbook()
    torn = whole[:30] + b"\x06\x01" + whole[32:]
    with pytest.raises(ParseFailure) as failure:
        detect(torn, "a.xls", "")
    assert failure.value.reason is Reason.FILE_UNREADABLE
