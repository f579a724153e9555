"""HTML, XML and RTF that nest, repeat, refer outside or lie about their encoding."""

from collections.abc import Iterator

from ingest_grpc.errors import Reason
from tests.hostile.case import COMPLETED, TEXT, Case, case

MIB = 2**20
DEEP = Reason.TOO_DEEPLY_NESTED
WIDE = frozenset({Reason.OUTPUT_TOO_LARGE, Reason.DECOMPRESSION_BOMB})
HTML = b"<!doctype html><html><body><p>some words</p>"


def laughs(levels: int = 10) -> bytes:
    """Billion laughs: each entity is ten of the one before."""
    return (
        b'<!DOCTYPE l [<!ENTITY a0 "lol">'
        + b"".join(b'<!ENTITY a%d "%b">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, levels))
        + b"]>"
    )


def quadratic() -> bytes:
    """One long entity, to be named very often."""
    return b'<!DOCTYPE l [<!ENTITY a "' + b"x" * 100_000 + b'">]>'


def pages() -> Iterator[Case]:
    for tag in (
        b"div",
        b"b",
        b"span",
        b"table><tr><td",
        b"ul><li",
        b"blockquote",
        b"font",
        b"section",
        b"unknown",
        b"svg",
    ):
        name = tag.decode().replace("><", "-")
        yield case(f"deep-{name}.html", HTML + b"<%b>" % tag * 100_000 + b"the innermost", DEEP)
        yield case(f"deeper-{name}.html", HTML + b"<%b>" % tag * 30 + b"the innermost", COMPLETED)
    yield case("deep-and-closed.html", HTML + b"<div>" * 100_000 + b"x" + b"</div>" * 100_000, DEEP)
    yield case("never-deep.html", HTML + b"<p>one<br>two<li>three<td>four" * 20_000, COMPLETED)
    yield case(
        "spans-that-multiply.html",
        HTML + b"<table>" + b"<tr><td colspan=1000 rowspan=65000>x</td></tr>" * 1000 + b"</table>",
        WIDE,
    )
    yield case(
        "one-vast-span.html",
        HTML + b"<table><tr><td colspan=2000000000 rowspan=2000000000>x</td></tr></table>",
        COMPLETED,
        WIDE,
    )
    yield case(
        "row-of-a-million.html", HTML + b"<table><tr>" + b"<td>1</td>" * 1_000_000 + b"</tr></table>", COMPLETED, WIDE
    )
    yield case(
        "table-of-wide-and-many.html",
        HTML + b"<table><tr>" + b"<td>1" * 20_000 + b"</tr>" + b"<tr><td>1</tr>" * 20_000 + b"</table>",
        COMPLETED,
        WIDE,
    )


def lengths() -> Iterator[Case]:
    """HTML of much of the same."""
    yield case(
        "attributes-300000.html", HTML + b"<p " + b" ".join(b"a%d=1" % n for n in range(300_000)) + b">x", COMPLETED
    )
    yield case("long-attribute.html", HTML + b'<p title="' + b"x" * (20 * MIB) + b'">x', COMPLETED)
    yield case("entities.html", HTML + b"&amp;&lt;&#x1F600;&notanentity;&#99999999999;" * 200_000, COMPLETED)
    yield case("comment-without-end.html", HTML + b"<!--" + b"-" * (10 * MIB), COMPLETED)
    yield case("comments.html", HTML + b"<!-- -->" * 500_000, COMPLETED)
    yield case("scripts-open.html", HTML + b"<script>" * 200_000, COMPLETED, Reason.CONVERSION_STALLED, DEEP, slow=True)
    yield case("brackets.html", HTML + b"<" * (5 * MIB), COMPLETED, Reason.CONVERSION_STALLED)
    yield case("half-tags.html", HTML + b"<a <b <c " * 300_000, COMPLETED, DEEP)
    yield case("end-tags.html", HTML + b"</p></div>" * 300_000, COMPLETED)
    yield case("doctypes.html", b"<!doctype html>" * 100_000 + HTML, COMPLETED)


def contents() -> Iterator[Case]:
    """HTML that refers outside, is empty, or lies about its encoding."""
    yield case(
        "links.html",
        HTML
        + b'<a href="file:///etc/passwd">x</a><img src="http://127.0.0.1:9/x.png"><iframe src="file:///etc/passwd"></iframe><object data="/etc/passwd"></object>',
        COMPLETED,
    )
    yield case("data-address.html", HTML + b'<img src="data:image/png;base64,' + b"A" * (20 * MIB) + b'">', COMPLETED)
    yield case(
        "refresh-and-base.html",
        HTML + b'<meta http-equiv=refresh content="0;url=http://127.0.0.1:9/"><base href="file:///">',
        COMPLETED,
    )
    yield case(
        "frames-only.html",
        b'<html><frameset><frame src="file:///etc/passwd"></frameset></html>',
        COMPLETED,
        TEXT,
        Reason.ONLY_PICTURES,
    )
    yield case("pictures-only.html", b"<html><body><img src=x.png><svg></svg></body></html>", Reason.ONLY_PICTURES)
    yield case("nothing.html", b"<html><body></body></html>", Reason.EMPTY_FILE)
    yield case("nul-bytes.html", HTML.replace(b"some", b"so\0me"), COMPLETED, Reason.UNSUPPORTED_TYPE)
    for charset in ("utf-7", "zlib", "nonsense", "utf-16", "idna", "punycode", "x" * 300):
        yield case(
            f"charset-{charset[:12]}.html",
            f'<html><head><meta charset="{charset}"></head><body>words é</body></html>'.encode("latin-1"),
            COMPLETED,
            TEXT,
        )
    yield case("lines-without-end.html", HTML + b"a" * (30 * MIB), COMPLETED, WIDE)
    yield case("lists-in-a-row.html", HTML + b"<ul>" + b"<li>x" * 500_000, COMPLETED)


def data() -> Iterator[Case]:
    """XML: nothing may be fetched or expanded."""
    head = b'<?xml version="1.0"?>'
    yield case("laughs.xml", head + laughs() + b"<l>&a9;</l>", COMPLETED)
    yield case("quadratic.xml", head + quadratic() + b"<l>" + b"&a;" * 100_000 + b"</l>", COMPLETED)
    yield case("entity-in-itself.xml", head + b'<!DOCTYPE l [<!ENTITY a "&b;"><!ENTITY b "&a;">]><l>&a;</l>', COMPLETED)
    yield case(
        "entity-from-a-file.xml", head + b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>', COMPLETED
    )
    yield case("dtd-from-the-net.xml", head + b'<!DOCTYPE l SYSTEM "http://127.0.0.1:9/l.dtd"><l>words</l>', COMPLETED)
    yield case(
        "parameter-entity.xml",
        head + b'<!DOCTYPE l [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]><l>words</l>',
        COMPLETED,
    )
    yield case(
        "include.xml",
        head
        + b'<l xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></l>',
        COMPLETED,
    )
    yield case(
        "style-sheet.xml",
        head + b'<?xml-stylesheet href="http://127.0.0.1:9/x.xsl" type="text/xsl"?><l>words</l>',
        COMPLETED,
    )
    for depth in (100, 1_000, 1_000_000):
        yield case(f"deep-{depth}.xml", head + b"<a>" * depth + b"words" + b"</a>" * depth, COMPLETED)


def odd_data() -> Iterator[Case]:
    """XML that is not well-formed, or of very much of the same."""
    head = b'<?xml version="1.0"?>'
    yield case(
        "attributes-1000000.xml",
        head + b"<a " + b" ".join(b"a%d='1'" % n for n in range(1_000_000)) + b">words</a>",
        COMPLETED,
    )
    yield case("attribute-twice.xml", head + b"<a b='1' b='2'>words</a>", COMPLETED)
    yield case(
        "declarations.xml", head + b"<!DOCTYPE l [" + b"<!ELEMENT a (b)>" * 200_000 + b"]><l>words</l>", COMPLETED
    )
    yield case("never-ends.xml", head + b"<a>words", COMPLETED)
    yield case("two-roots.xml", head + b"<a>words</a><b/>", COMPLETED)
    yield case(
        "namespaces.xml",
        head + b"<a " + b" ".join(b"xmlns:n%d='u'" % n for n in range(50_000)) + b">words</a>",
        COMPLETED,
    )
    for encoding in ("utf-16", "ebcdic-cp-us", "utf-7", "nonsense", "zlib", "latin-1"):
        yield case(
            f"encoding-{encoding}.xml",
            f'<?xml version="1.0" encoding="{encoding}"?><a>w\xf6rds</a>'.encode("latin-1"),
            COMPLETED,
            TEXT,
        )
    yield case("long-sections.xml", head + b"<a><![CDATA[" + b"]] >" * (2 * MIB) + b"]]></a>", COMPLETED)
    yield case("long-tag.xml", head + b"<" + b"a" * (20 * MIB) + b"/>", COMPLETED, WIDE)


def rich_text() -> Iterator[Case]:
    start = b"{\\rtf1\\ansi some words "
    broken = (Reason.FILE_UNREADABLE, Reason.EMPTY_FILE, Reason.ONLY_PICTURES)
    for depth in (100, 10_000, 3_000_000):
        yield case(
            f"groups-{depth}-deep.rtf",
            start + b"{" * depth + b"x" + b"}" * depth + b"}",
            COMPLETED,
        )
    yield case("groups-never-closed.rtf", start + b"{" * 100_000, COMPLETED)
    yield case("groups-closed-too-often.rtf", start + b"}" * 100_000, COMPLETED, broken)
    yield case("binary-of-2-gb.rtf", start + b"\\bin2147483647 xx}", COMPLETED, broken)
    yield case("binary-negative.rtf", start + b"\\bin-5 xx}", COMPLETED, broken)
    yield case("characters-beyond-all.rtf", start + b"\\u-99999?\\u999999999?\\u55357?\\'zz\\'" + b"}", COMPLETED)
    yield case("words-of-control.rtf", start + b"\\" + b"a" * MIB + b"9" * MIB + b"}", COMPLETED)
    yield case("pictures.rtf", b"{\\rtf1{\\pict\\pngblip " + b"89504e470d0a1a0a" * 1000 + b"}}", Reason.ONLY_PICTURES)
    yield case(
        "picture-of-ff.rtf",
        start + b"{\\pict\\wmetafile8\\picw2147483647\\pich2147483647 " + b"ff" * MIB + b"}}",
        COMPLETED,
    )
    yield case("object.rtf", start + b"{\\object\\objdata 0105000002000000" + b"41" * 10_000 + b"}}", COMPLETED)
    yield case(
        "table.rtf",
        start + b"\\trowd" + b"\\cellx1" * 100_000 + b"x\\cell" * 100_000 + b"\\row}",
        COMPLETED,
        WIDE,
        broken,
    )
    yield case("tables.rtf", start + b"\\trowd\\cellx1 x\\cell\\row" * 200_000 + b"}", COMPLETED, WIDE)
    yield case("fields.rtf", start + b'{\\field{\\*\\fldinst INCLUDETEXT "/etc/passwd"}{\\fldrslt y}}}', COMPLETED)
    yield case("nothing.rtf", b"{\\rtf1}", Reason.EMPTY_FILE)
    yield case("only-the-start.rtf", b"{\\rtf", broken)
    yield case("noise.rtf", b"{\\rtf1" + bytes(range(1, 256)) * 2000, COMPLETED, broken, DEEP)


def cases() -> Iterator[Case]:
    """All bad markup."""
    yield from pages()
    yield from lengths()
    yield from contents()
    yield from data()
    yield from odd_data()
    yield from rich_text()
