"""Good documents of every family, small and with some structure: what truncations and mutations start from."""

import io
import json
from collections.abc import Mapping
from typing import Any

from PIL import Image

from tests import compound_files, documents, wild_documents

HTML = (
    b"<!doctype html><html><head><meta charset=utf-8><title>T</title></head><body><h1>A heading</h1><p>Some <b>words</b>"
    b' and a <a href="http://example.invalid/">link</a>.</p><ul><li>one<li>two</ul><table><tr><th>a<th>b</tr>'
    b'<tr><td colspan=2 rowspan=1>1</tr></table><pre>code</pre><img src="x.png" alt="picture"></body></html>'
)
MAIL = (
    b"From: =?utf-8?b?w4Ruw6Q=?= <a@example.invalid>\r\nTo: b@example.invalid\r\nSubject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n"
    b'Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b1"\r\n\r\n'
    b'--b1\r\nContent-Type: multipart/alternative; boundary="b2"\r\n\r\n--b2\r\nContent-Type: text/plain; charset=utf-8\r\n'
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nSome words =C3=A4\r\n--b2\r\nContent-Type: text/html\r\n\r\n"
    b"<p>Some <i>words</i></p>\r\n--b2--\r\n--b1\r\nContent-Type: text/csv; name=a.csv\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-Disposition: attachment; filename=a.csv\r\n\r\nYSxiCjEsMgo=\r\n--b1--\r\n"
)
RTF = (
    b"{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Times;}}{\\info{\\title T}}\\pard\\b Bold\\b0  words \\'e4\\u228?\\par"
    b"\\trowd\\cellx1000\\cellx2000 a\\cell b\\cell\\row{\\pict\\pngblip 89504e47}{\\field{\\*\\fldinst HYPERLINK x}{\\fldrslt y}}}"
)
XML = b'<?xml version="1.0" encoding="utf-8"?><!-- c --><a b="c"><d>words</d><![CDATA[more <words>]]>&amp;<e/></a>'
CSV = b'name,count,"with, comma"\nap\xc3\xa4les,3,"a ""quote"""\npears,4,\n' * 5
JSON = json.dumps({"words": ["some", 1, 2.5, None, True, {"deep": [[["ä"]]]}], "x": "y" * 50}).encode()


def _notebook() -> bytes:
    cells: list[Mapping[str, Any]] = [
        {"cell_type": "markdown", "source": ["# A heading\n", "some words"]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"output_type": "stream", "text": ["1\n"]}]},
    ]
    return wild_documents.notebook(cells)


def _image(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 120, 40)).save(out, kind)
    return out.getvalue()


def seeds() -> Mapping[str, bytes]:
    """File name → content. The name's extension is the family."""
    found = {
        "a.pdf": documents.pdf(),
        "scan.pdf": documents.pdf([documents.DEFAULT_PAGES[0], None]),
        "locked.pdf": documents.encrypted_pdf(user=""),
        "a.docx": documents.word(with_picture=True),
        "a.pptx": documents.slides(),
        "a.xlsx": documents.sheet(),
        "a.odt": wild_documents.open_document(),
        "a.ods": wild_documents.open_document(wild_documents.ODS_BODY, "spreadsheet"),
        "a.odp": wild_documents.open_document(wild_documents.ODP_BODY, "presentation"),
        "a.epub": wild_documents.book(),
        "a.html": HTML,
        "a.mhtml": wild_documents.MHTML,
        "a.eml": MAIL,
        "a.rtf": RTF,
        "a.xml": XML,
        "a.csv": CSV,
        "a.tsv": CSV.replace(b",", b"\t"),
        "a.json": JSON,
        "a.jsonl": JSON + b"\n" + JSON + b"\n",
        "a.ipynb": _notebook(),
        "a.rst": wild_documents.RST,
        "a.tex": wild_documents.LATEX,
        "a.md": b"# A heading\n\nSome *words* and `code`.\n\n- one\n- two\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n",
        "a.txt": "Some words, Grüße, 日本語.\n".encode("utf-16") * 5,
        "a.zip": documents.plain_zip(("readme.txt", "folder/more.txt")),
    }
    found |= {f"a.{kind.lower()}": _image(kind) for kind in ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP")}
    found |= {name: wild_documents.stored(name) for name in ("letter.doc", "talk.ppt", "fruit.xls")}
    return found | {"a.msg": compound_files.message()}
