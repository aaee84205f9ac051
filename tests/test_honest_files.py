"""Files as offices make them, with all that looks like a trick and is none: nothing of them is hidden or doubted."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import docx
import pytest
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor
from tiny_docx import element, paragraph, run
from tiny_xlsx import write

from extractor.documents.discovery import load_bytes
from extractor.types import Document


def word(make: Callable[[Any], None]) -> bytes:
    file = docx.Document()
    make(file)
    buffer = io.BytesIO()
    file.save(buffer)
    return buffer.getvalue()


def shade(cell: Any, fill: str) -> None:
    cell._element.get_or_add_tcPr().append(element(f'<w:shd w:val="clear" w:color="auto" w:fill="{fill}"/>'))


def invoice(file: Any) -> None:
    """A table whose header is white on a colour by the style of the table, and totals in small grey letters."""
    file.add_heading("Invoice 2024-17", 0)
    for style in ("Medium Shading 1 Accent 1", "Light Grid Accent 1", "Dark List", "Colorful Grid Accent 2"):
        table = file.add_table(3, 3, style)
        for i, line in enumerate((("Item", "Qty", "Price"), ("Bolt", "3", "4.50"), ("Total", "", "13.50"))):
            for cell, text in zip(table.rows[i].cells, line, strict=True):
                cell.text = text
        file.add_paragraph()
    small = file.add_paragraph().add_run("Payable within 30 days.")
    small.font.size, small.font.color.rgb = Pt(6), RGBColor(0x80, 0x80, 0x80)


def letter(file: Any) -> None:
    """A letterhead in the header, a footer with the page, a signature, tabs and an indent to the left of the margin."""
    section = file.sections[0]
    section.header.paragraphs[0].text = "Acme Ltd · 1 High Street · Leeds"
    section.footer.paragraphs[0].text = "Registered in England 0123"
    file.add_paragraph("Leeds, 3 March 2024").alignment = WD_ALIGN_PARAGRAPH.RIGHT
    file.add_paragraph("Dear Ada,")
    body = file.add_paragraph("the wheels are ready.")
    body.paragraph_format.left_indent = Pt(-20)
    body.paragraph_format.line_spacing = Pt(12)
    file.add_paragraph("Yours\tBo").runs[0].font.all_caps = True


def resume(file: Any) -> None:
    """A dark column of a layout table with white words, and a banner in a coloured paragraph."""
    table = file.add_table(1, 2)
    for cell, fill in zip(table.rows[0].cells, ("1F3864", "FFFFFF"), strict=True):
        shade(cell, fill)
    left, right = table.rows[0].cells
    name = left.paragraphs[0].add_run("Mary Major")
    name.font.color.rgb, name.font.size = RGBColor(255, 255, 255), Pt(22)
    right.paragraphs[0].add_run("Engineer, 2012 to 2024")
    banner = file.add_paragraph()
    banner._element.get_or_add_pPr().append(element('<w:shd w:val="clear" w:color="auto" w:fill="C00000"/>'))
    banner.add_run("Skills").font.color.rgb = RGBColor(255, 255, 255)


def form(file: Any) -> None:
    """Boxes of old and new forms, hints in grey, an empty exact row between others."""
    for xml in (
        paragraph(run("Name: "), '<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>'
                  + run("Click to enter", '<w:color w:val="808080"/>') + "</w:sdtContent></w:sdt>"),
        paragraph('<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>', run(" agreed")),
        paragraph(run("M", '<w:position w:val="6"/><w:w w:val="66"/>'), run("arked", '<w:highlight w:val="black"/>'
                      '<w:color w:val="FFFFFF"/>')),
    ):  # fmt: skip
        file.element.body.insert(len(file.element.body) - 1, element(xml))
    table = file.add_table(3, 2, "Table Grid")
    table.rows[0].cells[0].text, table.rows[2].cells[1].text = "Street", "Town"
    table.rows[1].height, table.rows[1].height_rule = Pt(1), 2  # a rule between, as EXACTLY


def report(file: Any) -> None:
    """A table of contents with page numbers that the web leaves out, headings, lists, notes of superscripts."""
    mark = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    contents = paragraph(
        mark.format("begin"),
        '<w:r><w:instrText>TOC \\o "1-3" \\h</w:instrText></w:r>',
        mark.format("separate"),
        f'<w:hyperlink w:anchor="_Toc1">{run("Scope")}{run("3", "<w:webHidden/>")}</w:hyperlink>',
        mark.format("end"),
    )
    file.element.body.insert(len(file.element.body) - 1, element(contents))
    file.add_heading("Scope", 1)
    for text in ("first", "second"):
        file.add_paragraph(text, "List Number")
    area = file.add_paragraph("An area of 120 m")
    area.add_run("2").font.superscript = True
    file.add_page_break()
    file.add_paragraph("Grey on grey").runs[0].font.color.rgb = RGBColor(0x59, 0x59, 0x59)


def minutes(file: Any) -> None:
    """Changes that are followed, and a style that takes its hiding back."""
    for xml in (
        paragraph(run("Fee "), f'<w:ins w:id="1" w:author="a">{run("14")}</w:ins>', run(" a month")),
        paragraph(run("shown", '<w:vanish w:val="false"/><w:webHidden w:val="0"/>')),
        paragraph(run("white on its own ground", '<w:color w:val="FFFFFF"/><w:shd w:val="clear" w:fill="2F5496"/>')),
        paragraph(run("by the theme", '<w:color w:val="FFFFFF" w:themeColor="background1"/>'
                      '<w:shd w:val="clear" w:fill="4472C4" w:themeFill="accent1"/>')),
    ):  # fmt: skip
        file.element.body.insert(len(file.element.body) - 1, element(xml))
    assert file.styles.element.find(qn("w:docDefaults")) is not None


def price_list(book: Any, sheet: Any) -> None:
    """A white header on a dark ground, columns that are narrow, frozen rows, filters, stripes."""
    head = book.add_format({"font_color": "white", "bg_color": "#1F4E78", "bold": True})
    stripe = book.add_format({"bg_color": "#DDEBF7", "num_format": "#,##0.00 €"})
    sheet.merge_range("A1:C1", "Price list 2024", book.add_format({"bold": True, "font_size": 16}))
    sheet.write_row(2, 0, ["Item", "No.", "Price"], head)
    for i in range(30):
        sheet.write_row(3 + i, 0, [f"Bolt {i}", i, i * 1.5], stripe if i % 2 else None)
    sheet.set_column(1, 1, 1.5)
    sheet.freeze_panes(3, 0)
    sheet.autofilter(2, 0, 32, 2)


def tables(book: Any, sheet: Any) -> None:
    """Tables of Excel in every style, with totals."""
    for number, style in enumerate(("Light 9", "Medium 2", "Medium 9", "Dark 3", "Dark 11")):
        top = 6 * number
        sheet.add_table(
            top,
            0,
            top + 3,
            1,
            {
                "data": [["North", 1], ["South", 2]],
                "style": f"Table Style {style}",
                "total_row": True,
                "columns": [{"header": "Region", "total_string": "Total"}, {"header": "Sum", "total_function": "sum"}],
            },
        )
        sheet.write_formula(top + 3, 1, "=SUBTOTAL(109,B1:B2)", None, 3)


def timesheet(book: Any, sheet: Any) -> None:
    """Hours over 24, dates, zeros that a format leaves out, grouped rows that are open, a chart, a picture's frame."""
    clock = book.add_format({"num_format": "[h]:mm"})
    dash = book.add_format({"num_format": '#,##0;-#,##0;"-"'})
    sheet.write_row(0, 0, ["Week", "Hours", "Extra"])
    for i in range(1, 6):
        sheet.write(i, 0, f"W{i}")
        sheet.write(i, 1, 1.5 + i / 24, clock)
        sheet.write(i, 2, 0, dash)
        sheet.set_row(i, 9, None, {"level": 1})
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "=Data!$B$2:$B$6"})
    sheet.insert_chart("E2", chart)


def scorecard(book: Any, sheet: Any) -> None:
    """Rules that paint: colour scales, bars, white letters on red for what is late."""
    sheet.write_row(0, 0, ["Task", "Share"])
    for i in range(1, 9):
        sheet.write_row(i, 0, [f"Task {i}", i / 10])
    late = book.add_format({"font_color": "white", "bg_color": "red"})
    sheet.conditional_format("B2:B9", {"type": "cell", "criteria": "<", "value": 0.4, "format": late})
    sheet.conditional_format("B2:B9", {"type": "3_color_scale"})
    sheet.conditional_format("B2:B9", {"type": "data_bar"})


def statement(book: Any, sheet: Any) -> None:
    """Sections apart by empty rows, remarks at the right and far below, light grey notes."""
    grey = book.add_format({"font_color": "#A6A6A6", "italic": True})
    sheet.write("A1", "Statement")
    sheet.write_row("A4", ["Day", "Text", "Amount"])
    sheet.write_row("A5", ["3 May", "Rent", -500])
    sheet.write_row("A40", ["Sum", "", -500])
    sheet.write("M4", "checked", grey)
    sheet.write("A120", "Printed on 4 May", grey)


WORDS = (invoice, letter, resume, report, minutes)
SHEETS = (price_list, tables, timesheet, scorecard, statement)
VALUES = {
    "bank.csv": "Holder;Ada King\n\nDate;Text;Amount\n01.02.2024;Rent;-500,00\n02.02.2024;Pay;700,00\n",
    "export.tsv": 'id\tname\n1\tO\'Brien\n2\t"D""Arcy"\n',
    "notes.csv": 'when,what\n2024-03-03,"said ""no"", twice"\n',
}


def assert_all_is_seen(document: Document) -> None:
    assert [document.text[h.start : h.end] for h in document.hidden] == []
    assert [document.text[d.start : d.end] for d in document.doubtful] == []
    assert document.unread == ()


@pytest.mark.parametrize("make", WORDS, ids=lambda make: make.__name__)
def test_nothing_of_an_honest_word_file_is_hidden(make: Callable[[Any], None]) -> None:
    assert_all_is_seen(load_bytes(word(make), "a.docx"))


def test_nothing_of_an_honest_form_is_hidden() -> None:
    assert_all_is_seen(load_bytes(word(form), "a.docx"))


@pytest.mark.parametrize("make", SHEETS, ids=lambda make: make.__name__)
def test_nothing_of_an_honest_workbook_is_hidden(make: Callable[[Any, Any], None]) -> None:
    assert_all_is_seen(load_bytes(write(make), "a.xlsx"))


@pytest.mark.parametrize("name", VALUES)
def test_nothing_of_honest_values_is_hidden(name: str) -> None:
    assert_all_is_seen(load_bytes(VALUES[name].encode(), name))


def test_a_banner_with_white_words_over_a_picture_is_doubted_and_not_hidden() -> None:
    """Whether a picture lies behind words is not known, so they are shown."""
    banner = (
        '<w:p><w:r><w:drawing><wp:anchor behindDoc="1"><wp:extent cx="7000000" cy="900000"/><wp:docPr id="1" name="b"/>'
        "</wp:anchor></w:drawing></w:r></w:p>"
    )

    def make(file: Any) -> None:
        file.element.body.insert(0, element(banner))
        file.add_paragraph().add_run("Mary Major").font.color.rgb = RGBColor(255, 255, 255)

    document = load_bytes(word(make), "a.docx")
    assert not document.hidden and [document.text[d.start : d.end] for d in document.doubtful] == ["Mary Major"]
