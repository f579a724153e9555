"""Writes the binary documents of examples/: what a small tea company, Larkfield Tea & Spice, keeps in one folder.

usage: .venv/bin/python scripts/make_examples.py [FOLDER]

Everything in them is invented. The same run gives the same bytes: dates and ids are fixed, archives carry no time.

    operations-handbook.pdf    four pages with headings, lists and a ruled table
    supplier-agreement.docx    headings, numbered clauses and a table
    quarterly-review.pptx      five slides, one with a table
    price-list.xlsx            two sheets
    payroll-summary.pdf        needs a password: its conversion has to fail with PDF_UNREADABLE

The others are texts, written by hand: visitor-guide.html, onboarding-checklist.md, orders-march.csv,
delayed-delivery.eml, and stock-count-draft.txt, which has no byte at all: its conversion fails with EMPTY_FILE.
"""

import io
import re
import sys
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import docx
import openpyxl
import pptx
from openpyxl.styles import Font
from pptx.util import Inches, Pt
from reportlab.lib import colors, pagesizes, pdfencrypt
from reportlab.lib.styles import ParagraphStyle, StyleSheet1, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    ListFlowable,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Table,
    TableStyle,
)

COMPANY = "Larkfield Tea & Spice"
WRITTEN = datetime(2026, 4, 7, 9, 30, tzinfo=UTC)

RULED = TableStyle(
    [
        ("GRID", (0, 0), (-1, -1), 0.6, colors.black),
        ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
        ("FONTSIZE", (0, 0), (-1, -1), 9),
    ]
)

Rows = Sequence[Sequence[str]]

# Blocks divided by empty lines: `# ` is a heading, `#! ` one that starts a page, `- ` a list, `| ` a table.
HANDBOOK = """
This handbook says how goods come in, how they are kept, and what happens when something goes wrong. Everybody who
works in the warehouse reads it in the first week and signs the last page of the onboarding checklist. Changes are
announced at the Monday meeting.

#! 1. Receiving goods

Every delivery is received at the east door between 07:30 and 14:00. The driver waits until the goods have been counted
and the delivery note has been signed by two people.

- Compare the delivery note with the purchase order before anything is unloaded.
- Weigh three cases of each lot; refuse a lot that is more than 2 % short.
- Take a 50 g sample of each lot, label it with the lot number and put it on the tasting shelf.
- Enter the lot in the stock book within one hour.

A refused lot stays in the yellow area and is collected by the supplier at its own cost within five working days.

#! 2. Storage

Tea takes on smells within hours, so spices and tea are never kept in the same store, not even sealed. The limits below
hold for all lots; a value outside of them is reported to the shift lead at once.

| Store | Goods | Temperature | Humidity | Checked
| A1 | Black and oolong tea | 16 to 20 °C | 45 to 55 % | daily, 08:00
| A2 | Green and white tea | 4 to 8 °C | 40 to 50 % | daily, 08:00
| B1 | Whole spices | 15 to 20 °C | 40 to 60 % | Monday, Thursday
| B2 | Ground spices | 12 to 16 °C | below 45 % | Monday, Thursday
| C1 | Packaging | not regulated | below 70 % | monthly

A store that was out of its limits for more than four hours is closed, and the lots in it are tasted before they are
sold.

#! 3. Blending and packing

A blend is made from its recipe card and nothing else. The card names the lots, the weights in grams and the order in
which they are added. Two people sign the card: one who weighed and one who watched.

- Clean the drum and the scales before each blend that contains other allergens than the last one.
- Keep 100 g of each blend for 24 months.
- Print best-before dates as day, month and year: 24 months for tea, 18 months for ground spices.

# 4. Complaints and recalls

Each complaint is answered within two working days, and its lot number is written in the complaint book. Three
complaints about one lot stop its sale until the kept sample has been tasted.

For a recall, call the operations manager first, then the food authority. The stock book must show within two hours to
whom each package of the lot was sold; this is rehearsed every March and September.
"""

PRICES: Rows = [
    ["Article", "Name", "Origin", "Pack (g)", "Price (EUR)", "Wholesale (EUR)"],
    ["T-101", "Assam Second Flush", "India", "100", "7.90", "5.20"],
    ["T-114", "Darjeeling First Flush", "India", "100", "14.50", "9.80"],
    ["T-203", "Sencha Kirishima", "Japan", "100", "11.20", "7.40"],
    ["T-307", "Tie Guan Yin", "China", "50", "9.60", "6.30"],
    ["T-410", "Larkfield House Blend", "blend", "250", "12.00", "7.90"],
]

SPICES: Rows = [
    ["Article", "Name", "Origin", "Pack (g)", "Price (EUR)", "Wholesale (EUR)"],
    ["S-011", "Tellicherry Pepper", "India", "80", "5.40", "3.50"],
    ["S-027", "Ceylon Cinnamon", "Sri Lanka", "60", "6.10", "4.00"],
    ["S-031", "Green Cardamom", "Guatemala", "50", "8.30", "5.60"],
    ["S-058", "Smoked Paprika", "Spain", "75", "4.20", "2.70"],
]


def handbook() -> bytes:
    """Returns the operations handbook: an introduction and four chapters, with page numbers."""
    styles = getSampleStyleSheet()
    story: list[Flowable] = [
        Paragraph("Operations Handbook", styles["Title"]),
        Paragraph(f"{COMPANY.replace('&', '&amp;')}. Version 7, valid from 7 April 2026.", styles["BodyText"]),
        Paragraph("How to use this handbook", styles["Heading1"]),
    ]
    for block in HANDBOOK.strip().split("\n\n"):
        story += _pdf_block(block, styles)
    return _pdf(story, "Operations Handbook")


def _pdf_block(block: str, styles: StyleSheet1) -> list[Flowable]:
    body = ParagraphStyle("body", parent=styles["BodyText"], fontSize=10.5, leading=15, spaceAfter=8)
    marker, _, text = block.partition(" ")
    match marker:
        case "#!":
            return [PageBreak(), Paragraph(text, styles["Heading1"])]
        case "#":
            return [Paragraph(text, styles["Heading1"])]
        case "-":
            items = [Paragraph(line.removeprefix("- "), body) for line in block.splitlines()]
            return [ListFlowable(items, bulletType="bullet", start="·", bulletFontSize=14)]
        case "|":
            rows = [[cell.strip() for cell in line.split("|")[1:]] for line in block.splitlines()]
            return [Table(rows, style=RULED, spaceBefore=6, spaceAfter=12)]
    return [Paragraph(block.replace("\n", " "), body)]


def payroll() -> bytes:
    """Returns a one-page PDF that opens only with a password."""
    styles = getSampleStyleSheet()
    story: list[Flowable] = [
        Paragraph("Payroll summary, first quarter 2026", styles["Title"]),
        Paragraph("Twelve employees, EUR 118,400 in total. For the management only.", styles["BodyText"]),
    ]
    # RC4 rather than AES: its keys follow from the password and the document id, so the bytes are reproducible.
    lock = pdfencrypt.StandardEncryption("only-for-the-management", ownerPassword="owner-of-the-example", strength=128)
    return _pdf(story, "Payroll summary", lock)


def _pdf(story: list[Flowable], title: str, lock: pdfencrypt.StandardEncryption | None = None) -> bytes:
    def decorate(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(25 * mm, 12 * mm, f"{COMPANY}: {title}")
        canvas.drawRightString(185 * mm, 12 * mm, f"Page {document.page}")

    target = io.BytesIO()
    document = SimpleDocTemplate(
        target, pagesize=pagesizes.A4, title=title, author=COMPANY, encrypt=lock, invariant=1,
        leftMargin=25 * mm, rightMargin=25 * mm, topMargin=25 * mm, bottomMargin=25 * mm,
    )  # fmt: skip
    document.build(story, onFirstPage=decorate, onLaterPages=decorate)
    return target.getvalue()


def agreement() -> bytes:
    """Returns the supplier agreement as DOCX."""
    document = docx.Document()
    properties = document.core_properties
    properties.author, properties.title = COMPANY, "Supplier agreement"
    properties.created = properties.modified = WRITTEN.replace(tzinfo=None)
    document.add_heading("Supplier agreement", 0)
    document.add_paragraph(f"Between {COMPANY}, Hafenstraße 12, and Kandy Hills Growers, from 1 May 2026.")
    document.add_heading("Goods and quality", 1)
    document.add_paragraph("The supplier delivers whole leaf tea of the grades below, picked by hand.")
    for clause in ("Moisture at delivery is below 7 %.", "Each lot carries its number, garden and picking date."):
        document.add_paragraph(clause, style="List Number")
    document.add_heading("Quantities and prices", 1)
    rows = [["Grade", "Kilograms a year", "EUR per kg"], ["OP1", "600", "18.40"], ["FBOP", "900", "13.10"]]
    table = document.add_table(rows=0, cols=3, style="Table Grid")
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    document.add_heading("Term", 1)
    document.add_paragraph("The agreement runs for two years; each side may end it with three months' notice.")
    target = io.BytesIO()
    document.save(target)
    return _without_times(target.getvalue())


def review() -> bytes:
    """Returns the quarterly review as PPTX: a title slide, three slides with points and one with a table."""
    deck = pptx.Presentation()
    properties = deck.core_properties
    properties.author, properties.title = COMPANY, "Quarterly review"
    properties.created = properties.modified = WRITTEN.replace(tzinfo=None)
    title = deck.slides.add_slide(deck.slide_layouts[0])
    title.shapes.title.text = "Quarterly review"
    title.placeholders[1].text = f"{COMPANY}, January to March 2026"
    _points(
        deck, "In short", ["Revenue up 8 % on last year", "Two new wholesale customers", "One lot recalled in time"]
    )
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Revenue by channel"
    rows = [["Channel", "2025 Q1", "2026 Q1"], ["Shop", "41,200", "43,900"], ["Online", "28,600", "33,100"]]
    frame = slide.shapes.add_table(len(rows), 3, Inches(1), Inches(2), Inches(8), Inches(1.5))
    for y, row in enumerate(rows):
        for x, text in enumerate(row):
            frame.table.cell(y, x).text = text
            frame.table.cell(y, x).text_frame.paragraphs[0].font.size = Pt(16)
    _points(deck, "What went wrong", ["Store A2 was too warm on 14 February", "Paper for tins came three weeks late"])
    _points(deck, "Next quarter", ["Second supplier for tins", "Scales with a printed record", "Recall rehearsal"])
    target = io.BytesIO()
    deck.save(target)
    return _without_times(target.getvalue())


def _points(deck: pptx.presentation.Presentation, title: str, points: Sequence[str]) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = title
    slide.placeholders[1].text = "\n".join(points)


def price_list() -> bytes:
    """Returns the price list as XLSX: one sheet for tea, one for spices, numbers as numbers."""
    workbook = openpyxl.Workbook()
    workbook.properties.creator, workbook.properties.created = COMPANY, WRITTEN.replace(tzinfo=None)
    workbook.remove(workbook.active)
    for name, rows in (("Tea", PRICES), ("Spices", SPICES)):
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append([float(text) if re.fullmatch(r"[\d.]+", text) else text for text in row])
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        sheet.column_dimensions["B"].width = 26
    target = io.BytesIO()
    workbook.save(target)
    return _without_times(target.getvalue())


def _without_times(archive: bytes) -> bytes:
    """Returns the same Office file with the times of its entries, and of its last change, fixed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(target, "w") as fixed:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                stamp = WRITTEN.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, content)
            fixed.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


DOCUMENTS = {
    "operations-handbook.pdf": handbook,
    "supplier-agreement.docx": agreement,
    "quarterly-review.pptx": review,
    "price-list.xlsx": price_list,
    "payroll-summary.pdf": payroll,
}


def main() -> None:
    """Writes every document into the named folder, or into examples/."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "examples"
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in DOCUMENTS.items():
        content = make()
        (folder / name).write_bytes(content)
        print(f"{folder / name}: {len(content)} bytes")


if __name__ == "__main__":
    main()
