"""Each format from bytes to Markdown, with the real engines."""

import contextlib
import zlib
from collections.abc import Callable

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.parser import parse
from ingest_grpc.pipeline.parse.source import Options
from ingest_grpc.pipeline.parse.types import Kind
from tests import documents
from tests.limits import options

MIB = 2**20
OPTIONS = options(max_output_bytes=MIB)

Units = tuple[int, int, str]


def converted(data: bytes, filename: str = "", content_type: str = "", options: Options = OPTIONS) -> Parsed:
    return parse(data, filename, content_type, options, lambda *_: None)[1]


def refusal(data: bytes, filename: str = "", options: Options = OPTIONS) -> ParseFailure:
    with pytest.raises(ParseFailure) as failure:
        converted(data, filename, options=options)
    return failure.value


# PDF


def test_pdf__text_pages_title_and_progress() -> None:
    units: list[Units] = []
    kind, parsed = parse(documents.pdf(), "a.pdf", "", OPTIONS, lambda *seen: units.append(seen))
    assert kind is Kind.PDF
    assert "quick brown fox" in parsed.markdown
    assert "liquor jugs" in parsed.markdown
    assert (parsed.pages, parsed.title, parsed.losses) == (2, "A small PDF", [])
    assert units == [(0, 2, "pages")]


def test_pdf__a_scanned_page_among_others_is_a_loss_a_blank_one_is_not() -> None:
    parsed = converted(documents.pdf([documents.DEFAULT_PAGES[0], None, "", documents.DEFAULT_PAGES[1]]))
    assert parsed.pages == 4
    assert parsed.losses == ["1 of 4 pages have no extractable text and may be scans: 2"]


def test_pdf__readable_by_everyone_in_spite_of_an_owner_password() -> None:
    assert "quick brown fox" in converted(documents.encrypted_pdf(user="")).markdown


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (documents.encrypted_pdf(), Reason.PDF_UNREADABLE),
        (documents.pdf()[:900], Reason.PDF_UNREADABLE),
        (b"%PDF-1.7\nnothing else", Reason.PDF_UNREADABLE),
        (documents.pdf([None]), Reason.NO_TEXT),
        (documents.pdf(size=(20_000, 20_000)), Reason.PDF_PAGE_TOO_LARGE),
        (documents.bomb_pdf(), Reason.DECOMPRESSION_BOMB),
    ],
    ids=["encrypted", "truncated", "header-only", "scan", "huge-page", "bomb"],
)
def test_pdf__refusals(data: bytes, reason: Reason) -> None:
    assert refusal(data, "a.pdf").reason is reason


def test_pdf__largest_page_is_a_setting() -> None:
    small = options(max_page_points=800.0)
    assert refusal(documents.pdf(), options=small).reason is Reason.PDF_PAGE_TOO_LARGE


# Office


def test_docx__headings_and_text() -> None:
    assert converted(documents.word()).markdown == "# A heading\n\nSome words in a document.\n"


def test_pptx__slides_are_its_pages() -> None:
    parsed = converted(documents.slides())
    assert parsed.pages == 2
    assert "Second slide" in parsed.markdown


def test_pptx__a_damaged_slide_is_a_loss() -> None:
    parsed = converted(documents.damaged(documents.slides(), "ppt/slides/slide1.xml"))
    assert "Second slide" in parsed.markdown
    assert "slide 1" in parsed.losses[0]


def test_xlsx__sheets_are_tables() -> None:
    assert "| apples | 3 |" in converted(documents.sheet()).markdown


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (documents.word("", ""), Reason.EMPTY_FILE),
        (documents.word("", "", with_picture=True), Reason.ONLY_PICTURES),
        (documents.slides([""]), Reason.EMPTY_FILE),
        (documents.sheet([]), Reason.EMPTY_FILE),
        (documents.with_member(documents.word(), "word/bomb.xml", bytes(200 * MIB)), Reason.DECOMPRESSION_BOMB),
        (documents.damaged(documents.word(), "word/document.xml"), Reason.FILE_UNREADABLE),
        (documents.damaged(documents.sheet(), "xl/worksheets/sheet1.xml"), Reason.FILE_UNREADABLE),
        (documents.damaged(documents.slides(["Only"]), "ppt/slides/slide1.xml"), Reason.FILE_UNREADABLE),
    ],
    ids=["no-words", "picture-only", "blank-slide", "empty-sheet", "bomb", "docx", "xlsx", "pptx"],
)
def test_office__refusals(data: bytes, reason: Reason) -> None:
    assert refusal(data).reason is reason


def test_office__an_expanded_size_that_lies_is_not_believed() -> None:
    bomb = documents.with_member(documents.word(), "word/bomb.xml", bytes(200 * MIB))
    lying = bomb.replace((200 * MIB).to_bytes(4, "little"), (200).to_bytes(4, "little"))
    assert lying != bomb
    assert refusal(lying).reason is Reason.DECOMPRESSION_BOMB


# RTF, HTML


def test_rtf__text() -> None:
    assert converted(b"{\\rtf1\\ansi Hello \\b world\\b0 .}").markdown == "Hello **world**.\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"{\\rtf1\\ansi }", Reason.EMPTY_FILE), (b"{\\rtf1{\\pict\\pngblip 00ff}}", Reason.ONLY_PICTURES)],
)
def test_rtf__refusals(data: bytes, reason: Reason) -> None:
    assert refusal(data).reason is reason


HTML = "<html><head><meta charset='{0}'><title>Über uns &amp; euch</title></head><body><h1>Grüße</h1></body></html>"


@pytest.mark.parametrize("charset", ["utf-8", "windows-1252", "utf-16"])
def test_html__in_its_own_charset(charset: str) -> None:
    parsed = converted(HTML.format(charset).encode(charset), "page.html")
    assert parsed.markdown == "# Grüße\n"
    assert (parsed.title, parsed.warnings) == ("Über uns & euch", [])


def test_html__embedded_pictures_leave_their_words_only() -> None:
    page = b"<html><body><p>See</p><img alt='the map' src='data:image/png;base64,AAAA'></body></html>"
    assert converted(page).markdown == "See\n\nthe map\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"<html><body></body></html>", Reason.EMPTY_FILE), (b"<html><img src='a.png'></html>", Reason.ONLY_PICTURES)],
)
def test_html__refusals(data: bytes, reason: Reason) -> None:
    assert refusal(data).reason is reason


# Text


def test_markdown__as_it_is_in_nfc_with_plain_line_ends() -> None:
    data = "\ufeff# Cafe\u0301\r\n\r\nline one\rline two\n\n\n".encode()
    assert converted(data, "a.md").markdown == "# Café\n\nline one\nline two\n"


@pytest.mark.parametrize("data", [b"", b" \r\n\t\n", b"\xef\xbb\xbf", "\ufeff  \n".encode("utf-16")])
@pytest.mark.parametrize("filename", ["a.txt", "a.md", "a.csv", "a.json", "a.xml"])
def test_text__white_space_only_is_empty(data: bytes, filename: str) -> None:
    assert refusal(data, filename).reason is Reason.EMPTY_FILE


def test_empty_file__whatever_its_type() -> None:
    assert refusal(b"", "a.pdf").reason is Reason.EMPTY_FILE


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv__any_delimiter(delimiter: str) -> None:
    text = '{0}\napples{1}"3{1}5"\npears{1}4\n'.format(delimiter.join(("Name", "Count")), delimiter)
    shown = f"3{delimiter}5".replace("|", "\\|").replace("\t", "\t")
    assert converted(text.encode(), "a.csv").markdown == (
        f"| Name | Count |\n| --- | --- |\n| apples | {shown} |\n| pears | 4 |\n"
    )


def test_csv__uneven_rows_and_line_ends_in_cells() -> None:
    assert converted(b'a,b\n1,2,3\n"x\ny"\n', "a.csv").markdown == (
        "| a | b |  |\n| --- | --- | --- |\n| 1 | 2 | 3 |\n| x<br>y |  |  |\n"
    )


def test_csv__padding_cannot_explode() -> None:
    data = b"," * 5_000 + b"\n" + b"x\n" * 5_000
    assert refusal(data, "a.csv").reason is Reason.OUTPUT_TOO_LARGE


def test_json__one_line_is_set_in_lines() -> None:
    assert converted(b'{"a":[1,2.50]}', "a.json").markdown == '```json\n{"a":[1,2.50]}\n```\n'
    assert converted(b'{"a": [1, 2.5]}', "a.json").markdown.splitlines()[1:3] == ["{", '  "a": [']


@pytest.mark.parametrize("data", [b'{"a": 1, "a": 2}', b"[1.10]", b"[\n 1,\n 2]", b"[12345678901234567890.0]"])
def test_json__nothing_is_lost(data: bytes) -> None:
    assert data.decode() in converted(data, "a.json").markdown


@pytest.mark.parametrize("data", [b'{"a": ', b"[" * 200_000, b"9" * 10_000])
def test_json__what_is_none_is_kept_with_a_warning(data: bytes) -> None:
    parsed = converted(data, "a.json")
    assert data.decode().strip() in parsed.markdown
    assert "not valid JSON" in parsed.warnings[0]


def test_xml__as_it_stands_in_a_fence_longer_than_its_own() -> None:
    parsed = converted(b"<?xml version='1.0'?>\n<a>````</a>\n", "a.xml")
    assert parsed.markdown == "`````xml\n<?xml version='1.0'?>\n<a>````</a>\n`````\n"
    assert parsed.warnings == []


def test_xml__entities_are_not_expanded() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    parsed = converted(bomb, "a.xml")
    assert "<a>&c;</a>" in parsed.markdown
    assert parsed.warnings == ["the document declares entities; they are not expanded"]


def test_xml__not_well_formed_is_kept_with_a_warning() -> None:
    parsed = converted(b"<?xml version='1.0'?><a><b></a>", "a.xml")
    assert "<a><b></a>" in parsed.markdown
    assert "not well-formed" in parsed.warnings[0]


def test_xml__in_its_declared_encoding() -> None:
    data = '<?xml version="1.0" encoding="windows-1251"?><a>Привет, мир</a>'.encode("windows-1251")
    parsed = converted(data, "a.xml")
    assert "Привет, мир" in parsed.markdown
    assert parsed.warnings == []


# E-mail

LETTER = b"""From: =?utf-8?q?J=C3=B6rg?= <joerg@example.com>
To: someone@example.com
Subject: =?utf-8?b?R3LDvMOfZQ==?=
Date: Tue, 20 Feb 2024 10:15:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=utf-8

plain words
--inner
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<h1>Gr=FC=DFe</h1><p>rich words</p>
--inner--
--outer
Content-Type: application/pdf; name="report.pdf"
Content-Disposition: attachment; filename="report.pdf"
Content-Transfer-Encoding: base64

AAAA
--outer--
"""


def test_eml__headers_best_body_and_attachments() -> None:
    parsed = converted(LETTER, "letter.eml")
    assert "**Subject**: Grüße" in parsed.markdown
    assert "**From**: Jörg <joerg@example.com>" in parsed.markdown
    assert parsed.markdown.endswith("# Grüße\n\nrich words\n")
    assert "plain words" not in parsed.markdown
    assert parsed.title == "Grüße"
    lost = "the attachment report.pdf (application/pdf) was not converted: The PDF may be corrupted,"
    assert [loss.startswith(lost) for loss in parsed.losses] == [True]


@pytest.mark.parametrize("parameter", [b" a=b;", b"\n a=b;", b"\r\n\ta=b;"], ids=["one line", "folded", "by CRLF"])
def test_eml__with_an_endless_header_is_refused(parameter: bytes) -> None:
    """To take it apart would take the square of its length: four megabytes stalled a converter."""
    letter = b"From: a@example.com\ncontent-type: text/plain;%b\n\nWords.\n"
    assert refusal(letter % (parameter * 250_000), "letter.eml").reason is Reason.FILE_UNREADABLE
    assert "Words." in converted(letter % (parameter * 20), "letter.eml").markdown


def test_eml__exported_as_utf16() -> None:
    assert "rich words" in converted(LETTER.decode().encode("utf-16"), "letter.eml").markdown


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"From: a@example.com\n\n \n", Reason.EMPTY_FILE),
        (b"From: a@example.com\nContent-Type: image/png\n\nAAAA\n", Reason.ONLY_PICTURES),
    ],
)
def test_eml__refusals(data: bytes, reason: Reason) -> None:
    assert refusal(data, "letter.eml").reason is reason


def nested(levels: int) -> bytes:
    parts = [f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(levels)]
    return ("Subject: deep\n" + "".join(parts) + "\nthe core\n").encode()


@pytest.mark.parametrize(
    "data",
    [
        nested(20),
        nested(40),
        b"Subject: x\nContent-Type: text/plain; charset=no-such\n\nwords \xff\n",
        b"Subject: =?utf-8?b?broken\n\nwords\n",
        b"Subject: x\nContent-Transfer-Encoding: base64\n\n!!!! not base64\n",
        b"no headers at all, only words\n",
    ],
)
def test_eml__malformed_messages_are_read_as_far_as_they_go(data: bytes) -> None:
    assert converted(data, "letter.eml").markdown


@pytest.mark.parametrize(
    "make", [documents.pdf, documents.word, documents.slides, documents.sheet], ids=lambda make: make.__name__
)
def test_damage__never_raises_anything_but_a_parse_failure(make: Callable[[], bytes]) -> None:
    """Each document cut at many places and with bytes flipped: an outcome each time."""
    whole = make()
    for step in range(1, 12):
        cut = whole[: len(whole) * step // 12]
        position = zlib.crc32(cut) % len(whole)
        flipped = whole[:position] + bytes((whole[position] ^ 0x55,)) + whole[position + 1 :]
        for data in (cut, flipped):
            with contextlib.suppress(ParseFailure):
                assert converted(data).markdown.strip()
