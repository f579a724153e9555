"""Text, tables, data and mail: undecodable, unbalanced, endless, nested, or naming what they should not."""

import base64
from collections.abc import Iterator

from ingest_grpc.errors import Reason
from tests.hostile.case import COMPLETED, TEXT, Case, case

MIB = 2**20
WIDE = Reason.OUTPUT_TOO_LARGE
HEAD = b"From: a@example.invalid\r\nSubject: some words\r\nMIME-Version: 1.0\r\n"
UNDECODABLE = (Reason.TEXT_UNDECODABLE, Reason.UNSUPPORTED_TYPE)


def plain() -> Iterator[Case]:
    for name, data in {
        "white-space": b" \r\n\t\f\v" * 1000,
        "bom-only": b"\xef\xbb\xbf",
        "bom-16-only": b"\xff\xfe",
        "zeros": bytes(1000),
        "one-zero": b"\0",
    }.items():
        yield case(f"{name}.txt", data, TEXT)
    yield case("lone-surrogates.txt", b"\xff\xfe" + b"\x00\xd8" * 1000, *UNDECODABLE)
    yield case("cesu.txt", b"words \xed\xa0\xbd\xed\xb8\x80" * 100, COMPLETED, *UNDECODABLE)
    yield case("overlong.txt", b"words \xc0\xaf\xe0\x80\xaf" * 100, COMPLETED, *UNDECODABLE)
    yield case("odd-utf16.txt", "some words".encode("utf-16") + b"x", COMPLETED)
    yield case("utf32.txt", ("some words " * 100).encode("utf-32"), COMPLETED)
    yield case("noise.txt", bytes(range(256)) * 4000, *UNDECODABLE)
    yield case("controls.txt", b"\x1b[31m\x07\x08words\x1b]0;title\x07" * 1000, COMPLETED, *UNDECODABLE)
    yield case("right-to-left.txt", "words \u202e sdrow \u2066".encode() * 100, COMPLETED)
    yield case("marks-without-end.txt", ("x" + "\u0301\u0316" * 500_000).encode(), COMPLETED)
    yield case("backticks.txt", b"`" * (5 * MIB), COMPLETED)
    yield case("blanks-before-a-word.txt", b" " * (20 * MIB) + b"x", COMPLETED)
    yield case("lines.txt", b"\n" * (20 * MIB) + b"x", COMPLETED)
    yield case("longer-than-output.txt", lambda: b"words " * (12 * MIB), WIDE)
    yield case("hidden.md", b"# words\n<script>alert(1)</script>\n![x](file:///etc/passwd)\n", COMPLETED)
    yield case("quotes-deep.md", b">" * (2 * MIB) + b" words", COMPLETED)
    yield case("brackets.md", b"[" * MIB + b"words" + b"]" * MIB, COMPLETED)
    yield case(
        "titles-deep.rst",
        b"".join(b"T%d\n%s\n\n" % (n, bytes([33 + n % 14]) * 4) for n in range(5_000)),
        COMPLETED,
        Reason.EMPTY_FILE,
    )
    yield case("include.rst", b".. include:: /etc/passwd\n\n.. raw:: html\n   :file: /etc/passwd\n\nwords\n", COMPLETED)
    yield case(
        "input.tex",
        b"\\documentclass{article}\\begin{document}words \\input{/etc/passwd}\\write18{id}\\end{document}",
        COMPLETED,
        Reason.EMPTY_FILE,
    )
    loop = b"\\documentclass{article}\\begin{document}\\def\\a{\\a\\a}\\a words\\end{document}"
    yield case("macro-in-itself.tex", loop, COMPLETED, Reason.EMPTY_FILE)
    yield case(
        "groups-deep.tex",
        b"\\documentclass{article}\\begin{document}" + b"{" * 200_000 + b"words",
        COMPLETED,
        Reason.EMPTY_FILE,
        Reason.FILE_UNREADABLE,
        Reason.TOO_DEEPLY_NESTED,
    )


def tables() -> Iterator[Case]:
    yield case("columns-1000000.csv", lambda: b",".join([b"a"] * 1_000_000) + b"\n1\n", COMPLETED, WIDE)
    yield case("columns-and-rows.csv", lambda: b",".join([b"a"] * 10_000) + b"\n" + b"1\n" * 20_000, WIDE)
    yield case("quote-never-closed.csv", b'"' + b"a,b\n" * 1_000_000, COMPLETED)
    yield case("quotes.csv", b'"""' * 1_000_000, COMPLETED, Reason.FILE_UNREADABLE)
    yield case("delimiters.csv", b",;|\t" * 500_000, COMPLETED, WIDE, TEXT)
    yield case("cell-of-20-mb.csv", b"a," + b"x" * (20 * MIB), COMPLETED)
    yield case("zeros.csv", b"a,b\n1,\0\n", COMPLETED, *UNDECODABLE, Reason.FILE_UNREADABLE)
    yield case("rows-3000000.csv", lambda: b"a,b\n" * 3_000_000, COMPLETED, WIDE, slow=True)
    yield case("formulas.csv", b"=cmd|' /C calc'!A0,@SUM(1)\n+1,-1\n", COMPLETED)
    yield case("nothing.tsv", b"\t\t\n\t\t\n", COMPLETED, Reason.EMPTY_FILE)


def json_data() -> Iterator[Case]:
    yield case("deep.json", b"[" * 100_000 + b"]" * 100_000, COMPLETED)
    yield case("deeper-objects.json", b'{"a":' * 1_000_000, COMPLETED)
    yield case("deep-but-readable.json", b'{"a":' * 900 + b"1" + b"}" * 900, COMPLETED)
    yield case("number-of-5-mb.json", b"1" * (5 * MIB), COMPLETED)
    yield case("exponent.json", b"[1e999999999, -1e-999999999, NaN, Infinity]", COMPLETED)
    yield case("same-keys.json", b"{" + b'"a":1,' * 500_000 + b'"a":1}', COMPLETED)
    yield case("lone-surrogate.json", b'{"a": "\\ud800", "b": "\\udc00\\ud800"}', COMPLETED)
    yield case("trailing.json", b'{"a": 1} {"b": 2}', COMPLETED)
    yield case("lines.jsonl", b'{"a": 1}\n' * 300_000, COMPLETED)
    yield case("broken-lines.jsonl", b'{"a": 1}\n{"b":\n[[[[\n' * 1000, COMPLETED)
    yield case("no-cells.ipynb", b'{"nbformat": 4, "cells": []}', Reason.EMPTY_FILE)
    yield case(
        "cells-of-odd-kinds.ipynb",
        b'{"nbformat": 4, "cells": [1, null, "x", {"cell_type": 5, "source": {"a": 1}}]}',
        Reason.FILE_UNREADABLE,
        Reason.EMPTY_FILE,
    )
    yield case("deep.ipynb", b'{"nbformat": 4, "cells": ' + b"[" * 100_000, Reason.FILE_UNREADABLE)


def nested_parts(depth: int) -> bytes:
    opening = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth))
    closing = b"".join(b"\r\n--b%d--" % n for n in reversed(range(depth)))
    return HEAD + opening + b"Content-Type: text/plain\r\n\r\nthe innermost words" + closing


def nested_messages(depth: int) -> bytes:
    return HEAD + b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n" * depth + b"\r\nthe innermost words"


def mail() -> Iterator[Case]:
    deep = (COMPLETED, Reason.TOO_DEEPLY_NESTED, Reason.TOO_MANY_ENTRIES, Reason.ONLY_PICTURES)
    for depth in (20, 500, 10_000):
        yield case(f"parts-{depth}-deep.eml", nested_parts(depth), deep)
        yield case(f"messages-{depth}-deep.eml", nested_messages(depth), deep)
    yield case(
        "one-boundary-for-all.eml",
        HEAD
        + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        + b'--b\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n' * 20_000,
        deep,
    )
    yield case(
        "parts-100000.eml",
        HEAD
        + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        + b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" * 100_000,
        COMPLETED,
        Reason.TOO_MANY_ENTRIES,
        slow=True,
    )
    yield case(
        "attachments-20000.eml",
        HEAD
        + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        + b"--b\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nx\r\n" * 20_000,
        COMPLETED,
        Reason.TOO_MANY_ENTRIES,
    )


def odd_mail() -> Iterator[Case]:
    """Mail whose headers, encodings or attachments are not what they should be."""
    yield case("headers-300000.eml", HEAD + b"X-A: b\r\n" * 300_000 + b"\r\nwords", COMPLETED)
    yield case("header-of-10-mb.eml", b"Subject: " + b"x" * (10 * MIB) + b"\r\n\r\nwords", COMPLETED)
    yield case("encoded-words.eml", b"Subject: " + b"=?a?q?" * 500_000 + b"\r\n\r\nwords", COMPLETED)
    yield case("folded-header.eml", b"Subject: x\r\n" + b" y\r\n" * 500_000 + b"\r\nwords", COMPLETED)
    yield case("no-boundary.eml", HEAD + b"Content-Type: multipart/mixed\r\n\r\nwords", COMPLETED, Reason.ONLY_PICTURES)
    pieces = b"".join(b"; boundary*%d=x" % n for n in range(20_000))
    yield case(
        "boundary-in-pieces.eml",
        HEAD + b"Content-Type: multipart/mixed" + pieces + b"\r\n\r\n--x\r\n\r\nwords",
        COMPLETED,
        Reason.ONLY_PICTURES,
    )
    for charset in (b"zlib", b"idna", b"nonsense", b"utf-7", b"x" * 5000, b"unicode_escape", b"hex"):
        name = charset[:10].decode()
        yield case(
            f"charset-{name}.eml",
            HEAD + b"Content-Type: text/plain; charset=" + charset + b"\r\n\r\nwords \\x41 +AGEAYg- \xe4",
            COMPLETED,
            TEXT,
        )
    yield case(
        "base64-of-noise.eml", HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=A=B!!" * 100_000, COMPLETED
    )
    yield case(
        "uuencoded.eml",
        HEAD + b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 ../../etc/passwd\n" + b"M" * 100_000 + b"\nend",
        COMPLETED,
    )
    yield case(
        "attachment-that-names-a-path.eml",
        HEAD + b'Content-Disposition: attachment; filename="../../../etc/passwd"\r\n\r\nx',
        COMPLETED,
    )
    bomb = base64.encodebytes(__import__("zlib").compress(bytes(MIB)))
    yield case(
        "attached-noise.eml",
        HEAD
        + b"Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + bomb,
        COMPLETED,
    )
    yield case("only-headers.eml", b"From: a\r\nTo: b\r\nDate: c\r\n\r\n", Reason.EMPTY_FILE)
    yield case(
        "no-page.mhtml",
        b"Snapshot-Content-Location: x\r\nContent-Type: text/plain\r\n\r\nwords",
        Reason.FILE_UNREADABLE,
    )


def cases() -> Iterator[Case]:
    """All bad text, tables, data and mail."""
    for family in (plain, tables, json_data, mail, odd_mail):
        yield from family()
