"""The formats beside the usual ones, from bytes to Markdown, with the real engines."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.parser import parse
from ingest_grpc.pipeline.parse.types import Kind
from tests import compound_files, documents, limits, wild_documents
from tests.wild_documents import book, notebook, open_document, stored

OPTIONS = limits.options(max_output_bytes=2**20)


def converted(data: bytes, filename: str = "", content_type: str = "") -> tuple[Kind, Parsed]:
    return parse(data, filename, content_type, OPTIONS, lambda *_: None)


def reason_of(data: bytes, filename: str = "") -> Reason:
    with pytest.raises(ParseFailure) as failure:
        converted(data, filename)
    return failure.value.reason


@pytest.mark.parametrize(
    ("data", "kind", "wanted"),
    [
        (stored("letter.doc"), Kind.DOC, ["# An old heading", "Some words in an old document."]),
        (stored("fruit.xls"), Kind.XLS, ["| apples | 3 |"]),
        (stored("talk.ppt"), Kind.PPT, ["First slide"]),
        (compound_files.message(), Kind.MSG, ["**Subject**: Hello", "Words of a message."]),
        (open_document(), Kind.ODT, ["# Open heading", "Open words."]),
        (open_document(named=False), Kind.ODT, ["# Open heading"]),
        (open_document(wild_documents.ODS_BODY, "spreadsheet"), Kind.ODS, ["Fruit", "| apples | three |"]),
        (open_document(wild_documents.ODP_BODY, "presentation"), Kind.ODP, ["Open slide"]),
        (book(), Kind.EPUB, ["# First chapter", "Words of chapter 1."]),
    ],
    ids=["doc", "xls", "ppt", "msg", "odt", "odt-by-manifest", "ods", "odp", "epub"],
)
def test_binary_formats__are_known_by_content_and_read(data: bytes, kind: Kind, wanted: list[str]) -> None:
    found, parsed = converted(data)
    assert found is kind
    assert all(words in parsed.markdown for words in wanted), parsed.markdown
    assert parsed.warnings == []


@pytest.mark.parametrize(
    ("data", "filename", "wanted"),
    [
        (wild_documents.RST, "a.rst", ["# Title", "Some *words* here.", "## Part", "- one"]),
        (wild_documents.LATEX, "a.tex", ["Part one", "*words*"]),
        (wild_documents.LATEX, "", ["Part one", "*words*"]),
        ("Titel\n=====\n\nGrüße.\n".encode("latin-1"), "a.rst", ["# Titel", "Grüße."]),
        (wild_documents.MHTML, "page.mht", ["# Saved ä page", "With words."]),
        (b'{"a": 1}\n{"a": 2}\n', "a.jsonl", ['```jsonl\n{"a": 1}\n{"a": 2}\n```']),
        (b'{"a": 1}\n{"a": 2}\n', "", ['```jsonl\n{"a": 1}\n{"a": 2}\n```']),
        (b"a\tb, c\n1\t2, 3\n", "a.tsv", ["| a | b, c |", "| 1 | 2, 3 |"]),
        (b"a;b\n1;2\n", "a.tsv", ["| a | b |", "| 1 | 2 |"]),
    ],
)
def test_text_formats__are_known_by_name_or_beginning_and_read(data: bytes, filename: str, wanted: list[str]) -> None:
    markdown = converted(data, filename)[1].markdown
    assert all(words in markdown for words in wanted), markdown


def test_mhtml__style_sheets_and_pictures_are_no_text() -> None:
    kind, parsed = converted(wild_documents.MHTML)
    assert (kind, parsed.title, parsed.losses) == (Kind.MHTML, "A saved page", [])
    assert "color" not in parsed.markdown


def test_latex__on_which_the_engine_panics_stays_as_it_is() -> None:
    parsed = converted(b"\\end{document}\\begin{document}\n\\section{Part}\nwords\n", "a.tex")[1]
    assert parsed.markdown == "```latex\n\\end{document}\\begin{document}\n\\section{Part}\nwords\n```\n"
    assert parsed.warnings[0].startswith("not readable as LaTeX, kept as text: the engine panicked")


def test_json_lines__broken_ones_are_kept_and_told() -> None:
    parsed = converted(b'{"a": 1}\nnot json\n', "a.jsonl")[1]
    assert "not json" in parsed.markdown
    assert parsed.warnings == ["1 of 2 lines are not valid JSON, the first is line 2"]


def test_notebook__prose_code_and_what_it_printed() -> None:
    cells: list[Mapping[str, Any]] = [
        {"cell_type": "markdown", "source": ["# Plan\n", "\n", "Some *words*."]},
        {
            "cell_type": "code",
            "source": "print('```')",
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["printed\n"]},
                {"output_type": "display_data", "data": {"image/png": "AAAA", "text/plain": "<Figure>"}},
                {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["\u001b[0m"]},
            ],
        },
        {"cell_type": "raw", "source": "as it is"},
    ]
    kind, parsed = converted(notebook(cells), "a.ipynb")
    assert kind is Kind.IPYNB
    assert parsed.markdown == (
        "# Plan\n\nSome *words*.\n\n````python\nprint('```')\n````\n\n```\nprinted\n```\n\n"
        "```\n<Figure>\n```\n\n```\nValueError: no\n```\n\n```\nas it is\n```\n"
    )


@pytest.mark.parametrize(
    ("data", "filename", "reason"),
    [
        (compound_files.word_document(encrypted=True), "a.doc", Reason.FILE_ENCRYPTED),
        (compound_files.workbook(encrypted=True), "a.xls", Reason.FILE_ENCRYPTED),
        (compound_files.presentation(encrypted=True), "a.ppt", Reason.FILE_ENCRYPTED),
        (compound_files.compound_file({"VisioDocument": bytes(5000)}), "a.vsd", Reason.UNSUPPORTED_TYPE),
        (stored("letter.doc")[:3000], "a.doc", Reason.FILE_UNREADABLE),
        (compound_files.word_document(), "a.doc", Reason.FILE_UNREADABLE),
        (open_document(encrypted=True), "a.odt", Reason.FILE_ENCRYPTED),
        (open_document("<office:text/>"), "a.odt", Reason.EMPTY_FILE),
        (open_document(kind="graphics"), "a.odg", Reason.UNSUPPORTED_TYPE),
        (open_document(encoding="UTF-X"), "a.odt", Reason.FILE_UNREADABLE),
        (open_document(encoding="shift-jis"), "a.odt", Reason.FILE_UNREADABLE),
        (open_document()[:300], "a.odt", Reason.FILE_UNREADABLE),
        (book(algorithm="http://www.w3.org/2001/04/xmlenc#aes256-cbc"), "a.epub", Reason.FILE_ENCRYPTED),
        (documents.with_member(book(), "big", bytes(200 * 2**20)), "a.epub", Reason.DECOMPRESSION_BOMB),
        (notebook([]), "a.ipynb", Reason.EMPTY_FILE),
        (b'{"cells": [1]}', "a.ipynb", Reason.FILE_UNREADABLE),
        (b"[1, 2]", "a.ipynb", Reason.FILE_UNREADABLE),
        (b"MIME-Version: 1.0\nContent-Type: text/plain\n\nno page\n", "a.mht", Reason.FILE_UNREADABLE),
        (documents.picture(), "a.png", Reason.NO_TEXT),
        (b" \n", "a.rst", Reason.EMPTY_FILE),
    ],
)
def test_refusals__say_what_is_wrong(data: bytes, filename: str, reason: Reason) -> None:
    assert reason_of(data, filename) is reason


def test_epub__obscured_fonts_do_not_protect_the_text() -> None:
    assert "First chapter" in converted(book(algorithm="http://www.idpf.org/2008/embedding"))[1].markdown


@pytest.mark.parametrize(
    ("data", "filename", "kind", "said"),
    [
        (b"{\\rtf1 Words.}", "letter.doc", Kind.RTF, "DOC"),
        (b"<html><body><p>Words.</p></body></html>", "table.xls", Kind.HTML, "XLS"),
        (b"name\tcount\napples\t3\n", "table.xls", Kind.TSV, "XLS"),
        (open_document(), "letter.docx", Kind.ODT, "DOCX"),
    ],
)
def test_a_name_that_says_something_else__is_a_warning(data: bytes, filename: str, kind: Kind, said: str) -> None:
    found, parsed = converted(data, filename)
    assert found is kind
    assert f"says {said}, its content is {kind}" in parsed.warnings[0]


LETTER = (
    b"From: a@example.com\nSubject: %s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    b"--b\nContent-Type: text/plain\n\nSee below.\n"
    b'--b\nContent-Type: text/csv\nContent-Disposition: attachment; filename="fruit.csv"\n\na,b\n1,2\n'
    b'--b\nContent-Type: application/zip\nContent-Disposition: attachment; filename="more.zip"\n'
    b"Content-Transfer-Encoding: base64\n\n%s\n"
    b"--b\nContent-Type: message/rfc822\n\n%s\n--b--\n"
)


def test_eml__attachments_that_can_be_read_stand_under_headings() -> None:
    archive = base64.b64encode(documents.plain_zip())
    forwarded = b"From: c@example.com\nSubject: Inner\n\nInner words.\n"
    parsed = converted(LETTER % (b"Outer", archive, forwarded), "a.eml")[1]
    assert "See below.\n\n## Attachment: fruit.csv (text/csv)\n\n| a | b |" in parsed.markdown
    assert "## Attachment: Inner (message/rfc822)\n\n**Subject**: Inner" in parsed.markdown
    assert "Inner words." in parsed.markdown
    assert parsed.losses == [
        "the attachment more.zip (application/zip) was not converted: The file type is not supported."
    ]


def test_eml__letters_in_letters_end_at_a_depth() -> None:
    letter = b"From: a@example.com\nSubject: deepest\n\nwords\n"
    for number in range(6):
        outer = LETTER.replace(b"--b", b"--b%d" % number).replace(b"boundary=b", b"boundary=b%d" % number)
        letter = outer % (b"level %d" % number, b"", letter)
    parsed = converted(letter, "a.eml")[1]
    assert "level 5" in parsed.markdown
    assert "**Subject**: level 2" in parsed.markdown
    assert "**Subject**: level 1" not in parsed.markdown
    assert any("level 1 (message/rfc822) was not converted" in loss for loss in parsed.losses)
