"""PDFs that loop, explode, lie about themselves or are torn."""

import zlib
from collections.abc import Iterator

from ingest_grpc.errors import Reason
from tests import documents
from tests.hostile.case import COMPLETED, PDF, Case, case, later

MIB = 2**20
TEXT = b"BT /F1 12 Tf 72 700 Td (some words to be found here) Tj ET"
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def stream(content: bytes, dictionary: bytes = b"") -> bytes:
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (dictionary, len(content), content)


def flate(content: bytes, layers: int = 1, dictionary: bytes = b"") -> bytes:
    for _ in range(layers):
        content = zlib.compress(content, 9)
    return stream(content, b"/Filter[%b]%b" % (b"/FlateDecode" * layers, dictionary))


def written(objects: dict[int, bytes], trailer: bytes = b"/Root 1 0 R", tail: bytes = b"") -> bytes:
    """A PDF of these objects with a proper cross-reference table."""
    out, offsets = bytearray(b"%PDF-1.7\n"), {}
    for number, content in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, offset in offsets.items():
        out += b"%d 1\n%010d 00000 n \n" % (number, offset)
    out += b"trailer<</Size %d %b>>\nstartxref\n%d\n%%%%EOF\n" % (max(objects) + 1, trailer, start)
    return bytes(out) + tail


def page(content: bytes = b"4 0 R", more: bytes = b"", box: bytes = b"0 0 600 800", resources: bytes = b"") -> bytes:
    return b"<</Type/Page/Parent 2 0 R/MediaBox[%b]/Contents %b/Resources<</Font<</F1 5 0 R>>%b>>%b>>" % (
        box,
        content,
        resources,
        more,
    )


def one_page(pages: bytes | None = None, /, **objects: bytes) -> dict[int, bytes]:
    """Objects of a document of one page with words; `o3=...` replaces the object 3."""
    whole = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: pages or b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: page(),
        4: stream(TEXT),
        5: FONT,
    }
    return whole | {int(name[1:]): content for name, content in objects.items()}


def drawn_twice(levels: int) -> bytes:
    """Billion laughs of PDF: each form draws the next one twice."""
    objects = one_page(o4=stream(b"/X6 Do"), o3=page(resources=b"/XObject<</X6 6 0 R>>"))
    for number in range(6, 6 + levels):
        inner = b"/XObject<</X%d %d 0 R>>" % (number + 1, number + 1)
        content = b"/X%d Do /X%d Do" % (number + 1, number + 1)
        form = b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</Font<</F1 5 0 R>>%b>>" % inner
        objects[number] = stream(content, form)
    last = b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</Font<</F1 5 0 R>>>>"
    return written(objects | {6 + levels: stream(TEXT, last)})


def many_pages(count: int) -> bytes:
    objects = one_page(b"<</Type/Pages/Kids[%b]/Count %d>>" % (b"3 0 R " * count, count))
    return written(objects)


def page_tree(depth: int) -> bytes:
    objects = one_page()
    numbers = [2, *range(6, 6 + depth)]
    for number, below in zip(numbers, [*numbers[1:], 3], strict=True):
        objects[number] = b"<</Type/Pages/Kids[%d 0 R]/Count 1/Parent 2 0 R>>" % below
    return written(objects)


def in_object_stream(content: bytes, layers: int = 1) -> bytes:
    """The page's own objects stand in a compressed object stream."""
    inner = {2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>", 3: page(), 5: FONT}
    body = b" ".join(inner.values()) + content
    offsets, at = b"", 0
    for number, each in inner.items():
        offsets += b"%d %d " % (number, at)
        at += len(each) + 1
    head = b"/Type/ObjStm/N %d/First %d" % (len(inner), len(offsets))
    objects = {1: b"<</Type/Catalog/Pages 2 0 R>>", 4: stream(TEXT), 6: flate(offsets + body, layers, head)}
    return (
        b"%PDF-1.7\n"
        + b"".join(b"%d 0 obj\n%b\nendobj\n" % each for each in objects.items())
        + b"trailer<</Root 1 0 R/Size 7>>\n%%EOF"
    )


def explosions() -> Iterator[Case]:
    """Little that becomes much."""
    bomb = Reason.DECOMPRESSION_BOMB
    for layers in (1, 2, 3, 4):
        name = f"bomb-{layers}-layers.pdf"
        yield case(name, later(lambda n: written(one_page(o4=flate(b" " * (200 * MIB), n))), layers), bomb)
    yield case("bomb-of-words.pdf", lambda: written(one_page(o4=flate((TEXT + b"\n") * 2_500_000))), bomb)
    yield case("bomb-6-layers.pdf", lambda: written(one_page(o4=flate(b" " * (200 * MIB), 6))), bomb)
    yield case("bomb-in-object-stream.pdf", lambda: in_object_stream(b" " * (200 * MIB)), bomb, COMPLETED)
    yield case(
        "bomb-of-two-streams.pdf",
        lambda: written(one_page(o3=page(b"[4 0 R 6 0 R]"), o6=flate(b" " * (200 * MIB)))),
        bomb,
        COMPLETED,
    )


def amplifiers() -> Iterator[Case]:
    """Content that is drawn again and again, or claims to be vast."""
    bomb = Reason.DECOMPRESSION_BOMB
    cmap = b"/CIDInit begincmap 1 beginbfchar <41> <42> endbfchar " * 4_000_000
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>"
    yield case("bomb-in-cmap.pdf", lambda: written(one_page(o5=font, o6=flate(cmap))), bomb, COMPLETED)
    yield case(
        "contents-a-hundred-thousand-times.pdf",
        lambda: written(one_page(o3=page(b"[" + b"4 0 R " * 100_000 + b"]"))),
        COMPLETED,
        bomb,
        Reason.OUTPUT_TOO_LARGE,
        Reason.CONVERSION_STALLED,
        slow=True,
    )
    for levels in (10, 24):
        yield case(
            f"forms-drawn-twice-{levels}.pdf",
            later(drawn_twice, levels),
            COMPLETED,
            PDF,
            Reason.CONVERSION_STALLED,
            slow=levels > 20,
        )
    yield case(
        "predictor.pdf",
        lambda: written(
            one_page(
                o4=flate(TEXT, 1, b"/DecodeParms<</Predictor 15/Columns 2147483647/Colors 32/BitsPerComponent 16>>")
            )
        ),
        COMPLETED,
        PDF,
    )
    picture = b"/Type/XObject/Subtype/Image/Width 2000000000/Height 2000000000/ColorSpace/DeviceRGB/BitsPerComponent 8"
    yield case(
        "vast-picture.pdf",
        lambda: written(
            one_page(
                o3=page(resources=b"/XObject<</I 6 0 R>>"),
                o4=stream(b"/I Do " + TEXT),
                o6=flate(bytes(1000), 1, picture),
            )
        ),
        COMPLETED,
        PDF,
    )


def loops() -> Iterator[Case]:
    """References that lead back to where they came from, and depth without end."""
    yield case("page-in-itself.pdf", written(one_page(b"<</Type/Pages/Kids[2 0 R]/Count 1>>")), PDF)
    yield case(
        "page-tree-of-two.pdf",
        written(one_page(b"<</Type/Pages/Kids[6 0 R]/Count 1>>", o6=b"<</Type/Pages/Kids[2 0 R]/Count 1>>")),
        PDF,
    )
    yield case(
        "form-in-itself.pdf",
        written(
            one_page(
                o3=page(resources=b"/XObject<</X 6 0 R>>"),
                o4=stream(b"/X Do " + TEXT),
                o6=stream(b"/X Do", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R>>>>"),
            )
        ),
        COMPLETED,
        PDF,
    )
    yield case("contents-is-the-page.pdf", written(one_page(o3=page(b"3 0 R"))), PDF)
    yield case("contents-in-itself.pdf", written(one_page(o3=page(b"6 0 R"), o6=b"[6 0 R 6 0 R]")), PDF)
    yield case("reference-to-itself.pdf", written(one_page(o4=b"4 0 R")), PDF)
    yield case(
        "length-in-itself.pdf",
        written(one_page(o4=b"<</Length 4 0 R>>stream\n" + TEXT + b"\nendstream")),
        COMPLETED,
        PDF,
    )
    yield case("cross-reference-before-itself.pdf", written(one_page(), b"/Root 1 0 R/Prev 20"), COMPLETED, PDF)
    whole = written(one_page())
    start = int(whole.rsplit(b"startxref\n", 1)[1].split()[0])
    yield case("previous-is-the-same.pdf", written(one_page(), b"/Root 1 0 R/Prev %d" % start), COMPLETED, PDF)


def circles() -> Iterator[Case]:
    """Fonts, outlines and streams that refer to themselves."""
    yield case(
        "type-3-font-in-itself.pdf",
        written(
            one_page(
                o5=b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[1 0 0 1 0 0]/CharProcs<</a 6 0 R>>/Encoding<</Differences[97/a]>>/FirstChar 97/LastChar 97/Widths[9]/Resources<</Font<</F1 5 0 R>>>>>>",
                o4=stream(b"BT /F1 12 Tf (aaa) Tj ET"),
                o6=stream(b"BT /F1 12 Tf (aaa) Tj ET"),
            )
        ),
        COMPLETED,
        PDF,
    )
    yield case(
        "outline-in-itself.pdf",
        written(
            one_page(
                o1=b"<</Type/Catalog/Pages 2 0 R/Outlines 6 0 R>>",
                o6=b"<</First 6 0 R/Last 6 0 R/Next 6 0 R/Title(x)>>",
            )
        ),
        COMPLETED,
        PDF,
    )
    yield case(
        "extended-stream-in-itself.pdf",
        written(one_page(o6=flate(b"", 1, b"/Type/ObjStm/N 1/First 0/Extends 6 0 R"))),
        COMPLETED,
        PDF,
    )


def depths() -> Iterator[Case]:
    """What stands inside one another without end."""
    for depth in (50, 1000, 20_000):
        yield case(f"page-tree-{depth}-deep.pdf", later(page_tree, depth), COMPLETED, PDF)
    for depth in (100, 100_000, 2_000_000):
        yield case(
            f"array-{depth}-deep.pdf", later(lambda n: written(one_page(o6=b"[" * n + b"]" * n)), depth), COMPLETED, PDF
        )
        yield case(
            f"dictionary-{depth}-deep.pdf",
            later(lambda n: written(one_page(o6=b"<</A" * n + b"1" + b">>" * n)), depth),
            COMPLETED,
            PDF,
        )
    for operators, name in (
        (b"q ", "saved-states"),
        (b"/P BMC ", "marked-content"),
        (b"BT ", "text-objects"),
        (b"[", "open-arrays"),
        (b"1 ", "operands"),
        (b"BI ", "inline-pictures"),
    ):
        yield case(
            f"{name}.pdf",
            later(lambda op: written(one_page(o4=flate(op * 3_000_000 + TEXT))), operators),
            COMPLETED,
            PDF,
        )


def lies() -> Iterator[Case]:
    """What the document says of itself is not so."""
    for count in (b"-1", b"0", b"2147483647", b"99999999999999999999", b"(x)", b"null"):
        name = f"count-{count.decode().strip('()')}.pdf"
        yield case(
            name,
            written(one_page(b"<</Type/Pages/Kids[3 0 R]/Count %b>>" % count)),
            COMPLETED,
            PDF,
            Reason.TOO_MANY_PAGES,
        )
    yield case("pages-6000.pdf", lambda: many_pages(6_000), Reason.TOO_MANY_PAGES)
    yield case("pages-1000000.pdf", lambda: many_pages(1_000_000), Reason.TOO_MANY_PAGES)
    for box in (b"0 0 20000 20000", b"0 0 14401 10", b"0 0 1e30 1e30", b"-99999999 0 99999999 9"):
        name = f"box-{box.decode().replace(' ', '_')}.pdf"
        yield case(name, written(one_page(o3=page(box=box))), Reason.PDF_PAGE_TOO_LARGE, PDF if b"1e" in box else ())
    for box in (b"0 0 0 0", b"9 9", b"/a /b /c /d", b"nan nan nan nan", b"600 800 0 0"):
        name = f"box-{box.decode().replace(' ', '_').replace('/', '')}.pdf"
        yield case(name, written(one_page(o3=page(box=box))), COMPLETED, PDF)
    yield case(
        "unit-a-million.pdf",
        written(one_page(o3=page(more=b"/UserUnit 1000000"))),
        Reason.PDF_PAGE_TOO_LARGE,
        COMPLETED,
    )


def disguises() -> Iterator[Case]:
    """Encryption, filters and roots that are not what they should be."""
    yield case("encrypted.pdf", documents.encrypted_pdf, Reason.PDF_UNREADABLE)
    for encryption in (
        b"<<>>",
        b"<</Filter/Standard/V 99/R 99>>",
        b"<</Filter/Nobody/V 1>>",
        b"<</Filter/Standard/V 5/R 6/Length 99999999/O()/U()/P -1>>",
        b"1 0 R",
        b"(no)",
    ):
        yield case(
            f"encryption-{abs(hash_of(encryption))}.pdf",
            written(one_page(), b"/Root 1 0 R/Encrypt %b/ID[()()]" % encryption),
            COMPLETED,
            PDF,
        )
    for root in (b"9 0 R", b"1", b"<<>>", b"4 0 R", b"[1 0 R]"):
        yield case(f"root-{abs(hash_of(root))}.pdf", written(one_page(), b"/Root %b" % root), COMPLETED, PDF)
    for filters in (
        b"/DCTDecode",
        b"/JBIG2Decode",
        b"/JPXDecode",
        b"/CCITTFaxDecode",
        b"/Crypt",
        b"/Nonsense",
        b"/LZWDecode",
        b"/ASCII85Decode",
        b"/RunLengthDecode",
    ):
        name = f"filter-{filters.decode().strip('/')}.pdf"
        yield case(name, written(one_page(o4=stream(TEXT * 100, b"/Filter" + filters))), COMPLETED, PDF)
    yield case("scan.pdf", lambda: documents.pdf([None]), Reason.NO_TEXT, COMPLETED)
    yield case("blank.pdf", lambda: documents.pdf([""]), Reason.NO_TEXT, Reason.EMPTY_FILE)
    active = b"<</Type/Catalog/Pages 2 0 R/OpenAction<</S/Launch/F(/bin/sh)>>/AA<</WC<</S/JavaScript/JS(app.alert\\(1\\))>>>>/URI<</Base(http://127.0.0.1:9/)>>>>"
    yield case("active.pdf", written(one_page(o1=active)), COMPLETED)
    yield case("only-a-header.pdf", b"%PDF-1.7\n", PDF)
    yield case("header-in-the-middle.pdf", b"x" * 500 + written(one_page()), COMPLETED, PDF)
    yield case("header-and-noise.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 4000, PDF)
    yield case("end-only.pdf", b"%PDF-1.7\nstartxref\n99999999999\n%%EOF", PDF)


def hash_of(data: bytes) -> int:
    """A number that is the same in every process."""
    return zlib.crc32(data)


def cases() -> Iterator[Case]:
    """All bad PDFs."""
    yield from explosions()
    yield from amplifiers()
    yield from loops()
    yield from circles()
    yield from depths()
    yield from lies()
    yield from disguises()
