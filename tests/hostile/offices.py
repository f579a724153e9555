"""DOCX, XLSX and PPTX whose XML nests, references or claims too much, or is not what it should be."""

from collections.abc import Iterator, Mapping

from ingest_grpc.errors import Reason
from tests import documents
from tests.hostile.archives import Member, members_of, raw_zip
from tests.hostile.case import COMPLETED, OFFICE, Case, case, later
from tests.hostile.markup import laughs, quadratic

MIB = 2**20
W = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
S = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
HEAD = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
WORDS = b"<w:p><w:r><w:t>some words</w:t></w:r></w:p>"
DEEP = (Reason.TOO_DEEPLY_NESTED,)
WIDE = (Reason.OUTPUT_TOO_LARGE, Reason.DECOMPRESSION_BOMB)


def changed(archive: bytes, parts: Mapping[str, bytes]) -> bytes:
    """The same container with some parts replaced or added."""
    kept = [each for each in members_of(archive) if each.name.decode() not in parts]
    return raw_zip([*kept, *[Member(name.encode(), content) for name, content in parts.items()]])


def document(body: bytes, before: bytes = b"") -> bytes:
    """A DOCX with this body."""
    xml = HEAD + before + b"<w:document %b><w:body>%b</w:body></w:document>" % (W, body)
    return changed(documents.word(), {"word/document.xml": xml})


def sheet(rows: bytes, before: bytes = b"", strings: bytes | None = None) -> bytes:
    """An XLSX with this sheet data, and shared strings."""
    xml = HEAD + b"<worksheet %b>%b<sheetData>%b</sheetData></worksheet>" % (S, before, rows)
    parts = {"xl/worksheets/sheet1.xml": xml}
    if strings is not None:
        parts["xl/sharedStrings.xml"] = HEAD + b"<sst %b>%b</sst>" % (S, strings)
    return changed(documents.sheet((("a", "b"), ("text", "more"))), parts)


def tables(depth: int) -> bytes:
    start, end = b"<w:tbl><w:tr><w:tc>", WORDS + b"</w:tc></w:tr></w:tbl>"
    return document(start * depth + end * depth)


def word_documents() -> Iterator[Case]:
    for depth in (30, 1000, 10_000, 100_000):
        yield case(
            f"tables-{depth}-deep.docx",
            later(tables, depth),
            DEEP if depth > 500 else COMPLETED,
            OFFICE if depth > 500 else (),
        )
    for tag in (b"w:p", b"w:r", b"w:sdt", b"w:hyperlink", b"w:ins", b"w:unknown"):
        name = tag.decode().replace(":", "-")
        yield case(
            f"{name}-deep.docx",
            later(lambda t: document(WORDS + b"<%b>" % t * 50_000 + b"</%b>" % t * 50_000), tag),
            DEEP,
        )


def entities_and_lengths() -> Iterator[Case]:
    """DOCX that expand by entities, or are very long."""
    yield case(
        "laughs.docx", lambda: document(b"<w:p><w:r><w:t>&a9;</w:t></w:r></w:p>", laughs()), COMPLETED, OFFICE, WIDE
    )
    yield case(
        "quadratic.docx",
        lambda: document(b"<w:p><w:r><w:t>" + b"&a;" * 100_000 + b"</w:t></w:r></w:p>", quadratic()),
        COMPLETED,
        OFFICE,
        WIDE,
    )
    outside = b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY % p SYSTEM "http://127.0.0.1:9/p">%p;]>'
    yield case(
        "entity-from-a-file.docx",
        lambda: document(WORDS + b"<w:p><w:r><w:t>&a;</w:t></w:r></w:p>", outside),
        COMPLETED,
        OFFICE,
    )
    yield case(
        "words-without-end.docx",
        lambda: document(WORDS * 2_000_000),
        Reason.DECOMPRESSION_BOMB,
        Reason.OUTPUT_TOO_LARGE,
        COMPLETED,
        slow=True,
    )
    yield case(
        "one-long-word.docx", lambda: document(b"<w:p><w:r><w:t>" + b"x" * (100 * MIB) + b"</w:t></w:r></w:p>"), WIDE
    )
    yield case(
        "row-of-100000-cells.docx",
        lambda: document(b"<w:tbl><w:tr>" + (b"<w:tc>" + WORDS + b"</w:tc>") * 100_000 + b"</w:tr></w:tbl>"),
        COMPLETED,
        WIDE,
        slow=True,
    )
    span = b'<w:tc><w:tcPr><w:gridSpan w:val="2000000000"/></w:tcPr>' + WORDS + b"</w:tc>"
    yield case(
        "cell-spans-all.docx",
        lambda: document(b"<w:tbl><w:tr>" + span * 10 + b"</w:tr></w:tbl>"),
        COMPLETED,
        OFFICE,
        WIDE,
    )


def odd_documents() -> Iterator[Case]:
    """DOCX whose parts are not what they should be."""
    yield case("no-document.docx", changed(documents.word(), {"word/document.xml": b""}), OFFICE)
    yield case(
        "document-is-html.docx",
        changed(documents.word(), {"word/document.xml": b"<html><body>x</body></html>"}),
        OFFICE,
        COMPLETED,
    )
    yield case("document-is-cut.docx", document(WORDS)[:-900], OFFICE)
    yield case(
        "document-in-utf16.docx",
        changed(
            documents.word(),
            {
                "word/document.xml": (
                    f'<?xml version="1.0" encoding="UTF-16"?><w:document {W.decode()}><w:body/></w:document>'
                ).encode("utf-16")
            },
        ),
        OFFICE,
        COMPLETED,
    )


def odd_references() -> Iterator[Case]:
    """DOCX whose attributes, links or styles are too many or go in circles."""
    yield case(
        "attributes-100000.docx",
        lambda: document(
            b"<w:p "
            + b" ".join(b'w:a%d="1"' % n for n in range(100_000))
            + b">"
            + b"<w:r><w:t>some words</w:t></w:r></w:p>"
        ),
        COMPLETED,
        OFFICE,
    )
    links = b"".join(
        b'<Relationship Id="r%d" Type="http://x/hyperlink" Target="file:///etc/passwd" TargetMode="External"/>' % n
        for n in range(10_000)
    )
    yield case(
        "links-outside.docx",
        lambda: changed(
            documents.word(),
            {
                "word/_rels/document.xml.rels": HEAD
                + b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                + links
                + b"</Relationships>"
            },
        ),
        COMPLETED,
        OFFICE,
    )
    yield case(
        "styles-in-a-circle.docx",
        changed(
            documents.word(),
            {
                "word/styles.xml": HEAD
                + b'<w:styles %b><w:style w:styleId="A"><w:basedOn w:val="B"/></w:style><w:style w:styleId="B"><w:basedOn w:val="A"/></w:style></w:styles>'
                % W
            },
        ),
        COMPLETED,
    )


def workbooks() -> Iterator[Case]:
    whole = b'<dimension ref="A1:XFD1048576"/>'
    one = b'<row r="1"><c r="A1" t="inlineStr"><is><t>words</t></is></c></row>'
    last = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>corner</t></is></c></row>'
    yield case("dimension-of-all.xlsx", lambda: sheet(one, whole), COMPLETED)
    yield case("two-corners.xlsx", lambda: sheet(one + last, whole), COMPLETED, WIDE)
    yield case(
        "corner-beyond-all.xlsx",
        lambda: sheet(b'<row r="4294967295"><c r="ZZZZZ4294967295" t="inlineStr"><is><t>x</t></is></c></row>'),
        COMPLETED,
        OFFICE,
        WIDE,
    )
    diagonal = b"".join(
        b'<row r="%d"><c r="%b%d"><v>1</v></c></row>' % (n * 50, column(n * 4), n * 50) for n in range(1, 4000)
    )
    yield case("diagonal.xlsx", lambda: sheet(diagonal), COMPLETED, WIDE)


def strings() -> Iterator[Case]:
    """XLSX whose shared strings are shared too often, or too many."""
    one = b'<row r="1"><c r="A1" t="inlineStr"><is><t>words</t></is></c></row>'
    long = b"<si><t>" + b"long words " * 100_000 + b"</t></si>"
    cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(1, 20_000))
    yield case("one-long-string-20000-times.xlsx", lambda: sheet(cells, strings=long), Reason.OUTPUT_TOO_LARGE)
    yield case("strings-1000000.xlsx", lambda: sheet(one, strings=b"<si><t>a</t></si>" * 1_000_000), COMPLETED, WIDE)
    yield case(
        "string-beyond-all.xlsx",
        sheet(b'<row r="1"><c r="A1" t="s"><v>4294967295</v></c></row>', strings=b"<si><t>a</t></si>"),
        COMPLETED,
        OFFICE,
    )
    yield case(
        "rich-string-deep.xlsx",
        lambda: sheet(one, strings=b"<si>" + b"<r>" * 50_000 + b"<t>a</t>" + b"</r>" * 50_000 + b"</si>"),
        DEEP,
    )


def sizes() -> Iterator[Case]:
    """XLSX of very many rows, columns or sheets."""
    one = b'<row r="1"><c r="A1" t="inlineStr"><is><t>words</t></is></c></row>'
    yield case(
        "rows-800000.xlsx",
        lambda: sheet(b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(1, 800_001))),
        COMPLETED,
        WIDE,
        slow=True,
    )
    yield case(
        "columns-16384.xlsx",
        lambda: sheet(
            b"".join(
                b'<row r="%d">' % r
                + b"".join(b'<c r="%b%d"><v>1</v></c>' % (column(n), r) for n in range(1, 16_385))
                + b"</row>"
                for r in range(1, 20)
            )
        ),
        COMPLETED,
        WIDE,
    )
    yield case(
        "columns-16384-on-500-rows.xlsx",
        lambda: sheet(b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (r, r) for r in range(1, 500))),
        COMPLETED,
        WIDE,
    )
    yield case("merged-100000.xlsx", lambda: sheet(one).replace(b"</sheetData>", b"</sheetData>"), COMPLETED)
    yield case(
        "laughs.xlsx",
        lambda: changed(
            documents.sheet(), {"xl/sharedStrings.xml": HEAD + laughs() + b"<sst %b><si><t>&a9;</t></si></sst>" % S}
        ),
        COMPLETED,
        OFFICE,
        WIDE,
    )


def odd_cells() -> Iterator[Case]:
    """XLSX whose cells or sheets are not what they should be."""
    yield case(
        "formula.xlsx",
        sheet(
            b'<row r="1"><c r="A1"><f>WEBSERVICE("http://127.0.0.1:9/")</f><v>7</v></c><c r="B1" t="str"><f>cmd|\' /C calc\'!A0</f><v>x</v></c></row>'
        ),
        COMPLETED,
    )
    yield case(
        "numbers-of-odd-kinds.xlsx",
        sheet(
            b'<row r="1"><c r="A1"><v>1e999</v></c><c r="B1"><v>NaN</v></c><c r="C1" t="b"><v>7</v></c><c r="D1" t="d"><v>x</v></c><c r="E1" t="zz"><v>9</v></c></row>'
        ),
        COMPLETED,
        OFFICE,
    )
    names = b"".join(b'<sheet name="s%d" sheetId="%d" r:id="rId1"/>' % (n, n) for n in range(1, 60_000))
    yield case(
        "sheets-60000.xlsx",
        lambda: changed(
            documents.sheet(),
            {
                "xl/workbook.xml": HEAD
                + b'<workbook %b xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>%b</sheets></workbook>'
                % (S, names)
            },
        ),
        COMPLETED,
        OFFICE,
        WIDE,
        Reason.TOO_MANY_PAGES,
        slow=True,
    )
    yield case("no-sheet.xlsx", changed(documents.sheet(), {"xl/worksheets/sheet1.xml": b""}), OFFICE)


def presentations() -> Iterator[Case]:
    make = documents.slides
    slide = next(each.content for each in members_of(make()) if each.name == b"ppt/slides/slide1.xml")
    group, tail = slide.split(b"<p:sp>", 1)
    deep = (
        group
        + b"<p:grpSp>" * 20_000
        + b"<p:sp>"
        + tail.replace(b"</p:spTree>", b"</p:grpSp>" * 20_000 + b"</p:spTree>")
    )
    yield case("groups-deep.pptx", lambda: changed(make(), {"ppt/slides/slide1.xml": deep}), DEEP)
    yield case(
        "laughs.pptx",
        lambda: changed(
            make(),
            {
                "ppt/slides/slide1.xml": slide.replace(b"<p:sld ", laughs() + b"<p:sld ", 1).replace(
                    b"First slide", b"&a9;"
                )
            },
        ),
        COMPLETED,
        OFFICE,
        WIDE,
    )
    yield case(
        "slides-6000.pptx",
        lambda: changed(make(), {f"ppt/slides/slide{n}.xml": slide for n in range(3, 6_000)}),
        Reason.TOO_MANY_PAGES,
        COMPLETED,
    )
    yield case(
        "slide-of-words-without-end.pptx",
        lambda: changed(make(), {"ppt/slides/slide1.xml": slide.replace(b"First slide", b"words " * (20 * MIB))}),
        WIDE,
        COMPLETED,
    )
    yield case("no-presentation.pptx", changed(make(), {"ppt/presentation.xml": b"<a/>"}), COMPLETED, OFFICE)
    rels = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/slide" Target="../../../../etc/passwd"/><Relationship Id="rId2" Type="http://x/slide" Target="slides/slide1.xml"/></Relationships>'
    yield case(
        "slides-elsewhere.pptx", changed(make(), {"ppt/_rels/presentation.xml.rels": HEAD + rels}), COMPLETED, OFFICE
    )
    circle = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/slideLayout" Target="../slides/slide1.xml"/></Relationships>'
    yield case(
        "slide-is-its-own-layout.pptx",
        changed(make(), {"ppt/slides/_rels/slide1.xml.rels": HEAD + circle}),
        COMPLETED,
        OFFICE,
    )


def column(number: int) -> bytes:
    """A column's letters: 1 is A, 27 is AA."""
    letters = b""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = bytes([65 + rest]) + letters
    return letters


def cases() -> Iterator[Case]:
    """All bad Office documents."""
    yield from word_documents()
    yield from entities_and_lengths()
    yield from odd_documents()
    yield from odd_references()
    yield from workbooks()
    yield from strings()
    yield from sizes()
    yield from odd_cells()
    yield from presentations()
