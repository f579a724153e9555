"""Small documents of the formats that people still have: OpenDocument, EPUB, the old Office, notebooks …"""

import gzip
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data" / "formats"
_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_NAMESPACES = " ".join(f'xmlns:{name}="{_ODF}:{uri}:1.0"' for name, uri in {
    "office": "office", "text": "text", "table": "table", "draw": "drawing", "presentation": "presentation",
}.items())  # fmt: skip

ODT_BODY = '<office:text><text:h text:outline-level="1">Open heading</text:h><text:p>Open words.</text:p></office:text>'
ODS_BODY = (
    '<office:spreadsheet><table:table table:name="Fruit">'
    "<table:table-row><table:table-cell office:value-type='string'><text:p>Name</text:p></table:table-cell>"
    "<table:table-cell office:value-type='string'><text:p>Count</text:p></table:table-cell></table:table-row>"
    "<table:table-row><table:table-cell office:value-type='string'><text:p>apples</text:p></table:table-cell>"
    "<table:table-cell office:value-type='string'><text:p>three</text:p></table:table-cell></table:table-row>"
    "</table:table></office:spreadsheet>"
)
ODP_BODY = (
    '<office:presentation><draw:page draw:name="page1"><draw:frame presentation:class="title"><draw:text-box>'
    "<text:p>Open slide</text:p></draw:text-box></draw:frame></draw:page></office:presentation>"
)

MHTML = (
    b"From: <Saved by a browser>\r\nSnapshot-Content-Location: https://example.com/\r\nSubject: A saved page\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/related; type="text/html"; boundary="----b"\r\n\r\n'
    b"------b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"<html><body><h1>Saved =C3=A4 page</h1><p>With words.</p></body></html>\r\n"
    b"------b\r\nContent-Type: text/css\r\n\r\nbody { color: red }\r\n"
    b"------b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n------b--\r\n"
)

RST = b"Title\n=====\n\nSome *words* here.\n\nPart\n----\n\n- one\n- two\n"
LATEX = b"\\documentclass{article}\n\\begin{document}\n\\section{Part one}\nSome \\emph{words} here.\n\\end{document}\n"


def stored(name: str) -> bytes:
    """A file of tests/data/formats, made by us with an office program."""
    return gzip.decompress((_DATA / f"{name}.gz").read_bytes())


def zipped(members: Mapping[str, bytes | str]) -> bytes:
    """A ZIP of these members, the first one stored and the others deflated, as packages want it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, (name, content) in enumerate(members.items()):
            archive.writestr(name, content, zipfile.ZIP_STORED if index == 0 else None)
    return out.getvalue()


def open_document(
    body: str = ODT_BODY, kind: str = "text", *, encrypted: bool = False, named: bool = True, encoding: str = "UTF-8"
) -> bytes:
    """An ODT, ODS or ODP; without the member that names its type if not `named`."""
    media_type = f"application/vnd.oasis.opendocument.{kind}"
    mark = "<manifest:encryption-data/>" if encrypted else ""
    members = {"mimetype": media_type} if named else {}
    content = f'<office:document-content {_NAMESPACES} office:version="1.2"><office:body>{body}</office:body>'
    return zipped(
        {
            **members,
            "content.xml": f'<?xml version="1.0" encoding="{encoding}"?>{content}</office:document-content>',
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{_ODF}:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{media_type}">{mark}'
            "</manifest:file-entry></manifest:manifest>",
        }
    )


def book(chapters: Sequence[str] = ("First chapter", "Second chapter"), *, algorithm: str | None = None) -> bytes:
    """An EPUB; with an `algorithm` one of its parts is encrypted by it."""
    items = "".join(
        f'<item id="c{n}" href="c{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(len(chapters))
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    members = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<rootfiles><rootfile full-path="b.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        "b.opf": '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="i">1</dc:identifier>'
        f"<dc:title>A book</dc:title><dc:language>en</dc:language></metadata><manifest>{items}</manifest>"
        f"<spine>{spine}</spine></package>",
    }
    for number, title in enumerate(chapters):
        members[f"c{number}.xhtml"] = (
            f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{title}</title></head>'
            f"<body><h1>{title}</h1><p>Words of chapter {number}.</p></body></html>"
        )
    if algorithm:
        members["META-INF/encryption.xml"] = f'<encryption><EncryptionMethod Algorithm="{algorithm}"/></encryption>'
    return zipped(members)


def notebook(cells: Sequence[Mapping[str, Any]], language: str = "python") -> bytes:
    """A Jupyter notebook."""
    metadata = {"language_info": {"name": language}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}).encode()
