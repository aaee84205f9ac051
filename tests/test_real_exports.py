"""Files as programs export them: odd markup, headers in layers, quotes with backslashes, pictures in letters."""

from __future__ import annotations

import base64
import io
import time
from email.message import EmailMessage
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from tiny_docx import paragraph, run
from tiny_docx import write as write_word
from tiny_office import epub, pack
from tiny_pdf import Line
from tiny_pdf import page as page_of_lines
from tiny_pdf import write as write_pdf
from tiny_xlsx import write as write_workbook

from extractor.documents.discovery import find_sources, load_bytes, read_source
from extractor.documents.formats import ocr_rapid
from extractor.documents.formats.html_source import blank_odd_markup
from extractor.errors import DocumentError
from extractor.types import Document, Json, Span

needs_ocr = pytest.mark.skipif(not ocr_rapid.is_installed(), reason="the extra 'ocr' is not installed")


def text(name: str, data: str | bytes) -> str:
    return load_bytes(data.encode() if isinstance(data, str) else data, name).text


def hidden(document: Document) -> list[str]:
    return [document.text[span.start : span.end] for span in document.hidden]


def header(name: str, data: str | bytes) -> str | None:
    document = load_bytes(data.encode() if isinstance(data, str) else data, name)
    spans = [table.header for table in document.tables]
    return document.text[spans[0].start : spans[0].end] if spans[0] else None


def headers_over(document: Document, words: str) -> list[str]:
    at = document.text.rindex(words)
    table = document.table_at(at)
    assert table is not None
    cell = table.cell_at(at)
    assert cell is not None
    return [document.text[span.start : span.end] for span in table.column_headers(cell)]


def place_of(document: Document, words: str) -> dict[str, Json]:
    """The one place where the words stand."""
    start = document.text.rindex(words)
    assert document.locations is not None
    (place,) = document.locations.locate(Span(start, start + len(words)))
    return place


# web pages


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("a.html", '<?xml version="1.0"?><!DOCTYPE html><html><body>words</body></html>', "words"),
        ("a.html", "<p><![if !supportLists]>1. <![endif]>First</p>", "1. First"),
        ("a.html", "<p>one</p><!DOCTYPE html PUBLIC '-//W3C//DTD HTML 4.01//EN'><p>two</p>", "one\n\ntwo"),
        ("a.html", "<p>a<?php echo 1 ?>b</p ></ x>", "ab"),
        ("a.html", "<!--[if !mso]><!--><p>kept</p><!--<![endif]-->", "kept"),
        ("a.html", "<textarea><?not odd?></textarea>", "<?not odd?>"),
        ("a.html", "<p>a<![CDATA[gone]]>b</p>", "ab"),
        ("a.xhtml", '<html><head><title/><script src="x"/></head><body><p>after<br/>it</p></body></html>', "after\nit"),
        ("a.html", "<output>42</output><input type=date value=2023-05-01>", "42 2023-05-01"),
        ("a.html", "<input type=radio checked>One<input type=radio>Two", "● One ○ Two"),
        ("a.html", '<div style="display:flex"><span>Total</span><span>9.50</span></div>', "Total 9.50"),
        (
            "a.html",
            '<div style="display:flex"><i style="order:2">B</i><i style="order:1">A</i></div>',
            "A B",
        ),
        (
            "a.html",
            '<div style="display:flex;flex-direction:row-reverse"><i>9.50</i><i>Total</i></div>',
            "Total 9.50",
        ),
        (
            "a.html",
            '<div style="display:flex;flex-direction:column-reverse"><p>last</p><p>first</p></div>',
            "first\n\nlast",
        ),
        ("a.html", "<p>$ 9.<sup>99</sup> in 2019.<sup>12</sup></p>", "$ 9.99 in 2019.¹²"),
        ("a.html", "<math><msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup></math>", "x₁²"),
    ],
)
def test_a_page_is_read_as_a_browser_shows_it(name: str, source: str, expected: str) -> None:
    assert text(name, source) == expected


def test_a_grid_that_says_what_it_is_is_a_table() -> None:
    def row(kind: str, *cells: str) -> str:
        return f"<div role=row>{''.join(f'<span role={kind}>{cell}</span>' for cell in cells)}</div>"

    rows = row("columnheader", "Item", "Count") + row("gridcell", "Bolt", "10") + row("gridcell", "Nut", "5")
    document = load_bytes(f"<div role=grid><div role=rowgroup>{rows}</div></div>".encode(), "a.html")
    assert document.text == "Item | Count\nBolt | 10\nNut | 5" and headers_over(document, "5") == ["Count"]
    inner = "<table><tr><th>Mon<th>Tue</tr><tr><td>1<td>2</tr></table>"
    assert text("a.html", f"<div role=grid>{inner}</div>") == "Mon | Tue\n1 | 2"


def test_odd_markup_is_blanked_letter_for_letter() -> None:
    for source in ("<?x?><!y><!>a<!doctype html><svg><![CDATA[k]]></svg></ z>", "<title/><sup/>a<br/><div/>"):
        for is_xml in (False, True):
            blanked = blank_odd_markup(source, is_xml=is_xml)
            assert len(blanked) == len(source) and "a" in blanked
    assert "<![CDATA[k]]>" in blank_odd_markup("<?x?><svg><![CDATA[k]]></svg>")


@pytest.mark.parametrize("unit", ["<a ", "<!--", "<?", "<![CDATA[", "<script>", "<!doctype", "<title ", "</ "])
def test_odd_markup_takes_time_in_its_length_alone(unit: str) -> None:
    start = time.process_time()
    blank_odd_markup("<?x>" + unit * 40_000, is_xml=True)
    assert time.process_time() - start < 2


def test_words_of_a_page_with_a_prolog_keep_their_place_in_its_source() -> None:
    source = '<?xml version="1.0"?><!DOCTYPE html><p>Ada</p>'
    at = source.index("Ada")
    assert place_of(load_bytes(source.encode(), "a.html"), "Ada") == {"source": {"start": at, "end": at + 3}}


# tables


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("a.csv", "Region,2022,2023\nNorth,5,6\nSouth,7,8\n", "Region | 2022 | 2023"),
        ("a.csv", "Region,Q1,Q2,Q3\nNorth,5,6,7\n", "Region | Q1 | Q2 | Q3"),
        ("a.csv", "Name,FY23,FY24\nAda,3,4\n", "Name | FY23 | FY24"),
        ("a.csv", "id,name,name\n1,a,b\n2,c,d\n", "id | name | name"),
        ("a.csv", "Ada,12,15\nBo,33,44\n", None),
        ("a.csv", "Bo,x,x\nAda,y,y\n", None),
        (
            "a.html",
            "<table><tr><td>Region<td colspan=2>Sales</tr><tr><td><td>2022<td>2023</tr>"
            "<tr><td>North<td>5<td>6</tr></table>",
            "Region | Sales\n | 2022 | 2023",
        ),
        (
            "a.html",
            "<table><tr><td rowspan=2>Monday<td>Maths</tr><tr><td>Art</tr><tr><td>Tuesday<td>Music</tr></table>",
            "Monday | Maths",
        ),
    ],
)
def test_rows_that_name_columns_are_known_as_such(name: str, source: str, expected: str | None) -> None:
    assert header(name, source) == expected


def test_a_sheet_with_merged_headers_tells_both_over_a_cell() -> None:
    def fill(book: object, sheet: object) -> None:
        sheet.merge_range("A1:A2", "Region")  # type: ignore[attr-defined]
        sheet.merge_range("B1:C1", "Q1")  # type: ignore[attr-defined]
        sheet.merge_range("D1:E1", "Q2")  # type: ignore[attr-defined]
        sheet.write_row(1, 1, ["Plan", "Actual", "Plan", "Actual"])  # type: ignore[attr-defined]
        sheet.write_row(2, 0, ["North", 1, 2, 3, 47])  # type: ignore[attr-defined]

    document = load_bytes(write_workbook(fill), "a.xlsx")
    assert headers_over(document, "47") == ["Q2", "Actual"]


def test_a_cell_over_several_names_is_a_header_with_them() -> None:
    rows = "<tr><td><td colspan=3>2023</tr><tr><td>Region<td>Jan<td>Feb<td>Mar</tr><tr><td>North<td>1<td>2<td>3</tr>"
    assert header("a.html", f"<table>{rows}</table>") == " | 2023\nRegion | Jan | Feb | Mar"


def test_a_workbook_of_xml_has_its_values_in_their_own_columns_as_they_are_shown() -> None:
    source = (
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Styles>'
        '<Style ss:ID="p"><NumberFormat ss:Format="Percent"/></Style></Styles>'
        '<Worksheet ss:Name="Data"><Table><Column ss:Index="4" ss:Hidden="1"/>'
        '<Row><Cell><Data ss:Type="String">Item</Data></Cell><Cell><Data ss:Type="String">Qty</Data></Cell>'
        '<Cell><Data ss:Type="String">Day</Data></Cell><Cell><Data ss:Type="String">Note</Data></Cell></Row>'
        '<Row><Cell><Data ss:Type="String">Bolt</Data></Cell>'
        '<Cell ss:Index="3"><Data ss:Type="DateTime">2023-05-01T00:00:00.000</Data></Cell></Row>'
        '<Row><Cell><Data ss:Type="String">Nut</Data></Cell>'
        '<Cell ss:StyleID="p"><Data ss:Type="Number">0.125</Data></Cell></Row></Table></Worksheet></Workbook>'
    )
    for name in ("report.xml", "report.xls"):
        document = load_bytes(source.encode(), name)
        assert document.text == "Item | Qty | Day | Note\nBolt |  | 2023-05-01\nNut | 12.50%"
        assert headers_over(document, "2023-05-01") == ["Day"] and hidden(document) == ["Note"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('id,name\n1,"He said \\"hi\\", then left"\n2,b\n', 'id | name\n1 | He said "hi", then left\n2 | b'),
        ('id,path\n1,"C:\\dir\\"\n2,"D:\\x\\"\n', "id | path\n1 | C:\\dir\\\n2 | D:\\x\\"),
        ('a,b\n"C:\\\\x","a \\"q\\""\n"D:\\\\y","c"\n', 'a | b\nC:\\x | a "q"\nD:\\y | c'),
        ('code,qty\n="00123",5\n="00456",7\n', "code | qty\n00123 | 5\n00456 | 7"),
    ],
)
def test_values_of_databases_and_of_spreadsheets_are_read_as_they_mean_them(source: str, expected: str) -> None:
    assert text("a.csv", source) == expected


def test_names_of_columns_below_many_narrow_rows_are_known() -> None:
    above = (
        "Statement;made on 01.02.2024\n\nOwner;Ada\nBank;ACME\nPeriod;January\nBalance;9,50;EUR\n\nSorted;by day\n\n"
    )
    rows = "Day;Text;Balance;Currency;Amount;Currency\n"
    rows += "30.01.2024;Shop;9,50;EUR;-3,45;EUR\n29.01.2024;Rent;12,95;EUR;-8;EUR\n"
    document = load_bytes((above + rows).encode(), "a.csv")
    assert headers_over(document, "-3,45") == ["Amount"] and headers_over(document, "Rent") == ["Text"]


# lines, mails and letters


def test_a_page_saved_with_its_style_sheets_hides_what_they_hide() -> None:
    page = '<link rel="stylesheet" href="cid:a&amp;b"><link rel=stylesheet href=https://x.org/c.css media=print>'
    page += "<p class=a>unseen</p><p class=b>seen</p>"
    parts = [("text/html", "https://x.org/", "", page), ("text/css", "", "<a&b>", ".a { display: none }")]
    parts += [("text/css", "https://x.org/c.css", "", ".b { display: none }")]
    body = "".join(
        f"--B\nContent-Type: {kind}\nContent-Location: {place}\nContent-ID: {key}\n\n{words}\n"
        for kind, place, key, words in parts
    )
    mail = (
        "From: <Saved by a browser>\nSubject: Page\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=B\n\n"
    )
    document = load_bytes(f"{mail}{body}--B--\n".encode(), "a.mht")
    assert hidden(document) == ["unseen"] and document.text.endswith("seen")
    assert not document.notes and not document.unread


def test_a_line_of_json_without_a_text_is_a_document_by_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": 7, "who": {"name": "Ada"}, "lines": [{"sku": "X", "qty": 2}]}\n{"id": 8}\n[1]\n')
    first, *others = find_sources([path])
    read = read_source(first)
    assert "id: 7\nwho / name: Ada" in read.text and place_of(read, "Ada") == {"line": 1}
    for other in others:
        with pytest.raises(DocumentError, match="has no text"):
            read_source(other)


def test_a_form_of_a_mail_for_other_programs_is_no_loss_beside_its_page() -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "a@example.org", "News"
    mail.set_content("<p>words</p>", subtype="html")
    mail.add_alternative("<html amp4email></html>", subtype="x-amp-html")
    document = load_bytes(mail.as_bytes(), "a.eml")
    assert document.text.endswith("words") and not document.unread


def test_a_watermark_is_text_of_the_page() -> None:
    mark = '<w:r><w:pict><v:shape><v:textpath string="CONFIDENTIAL"/></v:shape></w:pict></w:r>'
    assert text("a.docx", write_word(paragraph(mark, run("body")))) == "body\n\nCONFIDENTIAL"


# pictures in documents of words


def picture(words: str = "Total due 45.00 EUR") -> bytes:
    drawn = Image.new("RGB", (460, 120), "white")
    if words:
        ImageDraw.Draw(drawn).text((30, 40), words, fill="black", font=ImageFont.load_default(32))
    file = io.BytesIO()
    drawn.save(file, "PNG")
    return file.getvalue()


def letter(image: bytes) -> bytes:
    import docx

    file = docx.Document()
    file.add_paragraph("Before")
    file.add_picture(io.BytesIO(image))
    buffer = io.BytesIO()
    file.save(buffer)
    return buffer.getvalue()


def slides(image: bytes) -> bytes:
    from pptx import Presentation

    file = Presentation()
    for seen in (True, False):
        slide = file.slides.add_slide(file.slide_layouts[6])
        slide.shapes.add_picture(io.BytesIO(image if seen else picture("secret words")), 0, 0)
        slide._element.set("show", str(int(seen)))
    file.slides[0].shapes.add_textbox(0, 0, 9, 9).text_frame.text = "Before"
    buffer = io.BytesIO()
    file.save(buffer)
    return buffer.getvalue()


def mail(image: bytes) -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "a@example.org", "Before"
    message.set_content('<p>see</p><img src="cid:one">', subtype="html")
    message.add_related(image, "image", "png", cid="<one>", filename="scan.png")
    return message.as_bytes()


def page(image: bytes) -> bytes:
    address = f"data:image/png;base64,{base64.b64encode(image).decode()}"
    return f'<p>Before</p><img src="{address}"><img src="{address}" hidden>'.encode()


def sheet(image: bytes) -> bytes:
    def fill(book: object, sheet: object) -> None:
        sheet.write("A1", "Before")  # type: ignore[attr-defined]
        sheet.insert_image("B2", "a.png", {"image_data": io.BytesIO(image)})  # type: ignore[attr-defined]

    return write_workbook(fill)


def book(image: bytes) -> bytes:
    chapter = '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>Before</p><img src="p.png"/></body></html>'
    return epub({"a.xhtml": chapter}, more={"book/p.png": image})  # type: ignore[dict-item]


def rich_text(image: bytes) -> bytes:
    shown = f"{{\\pict{{\\*\\picprop{{\\sp{{\\sn a}}{{\\sv 1}}}}}}\\pngblip\\picw9\n{image.hex()}}}"
    old = "{\\nonshppict{\\pict\\wmetafile8 00}}"
    floating = f"{{\\shp{{\\*\\shpinst{{\\sp{{\\sn pib}}{{\\sv {shown}}}}}}}{{\\shprslt again}}}}"
    unseen = f"{{\\v{{\\pict\\pngblip {picture('secret words').hex()}}}}}"
    return f"{{\\rtf1 Before{{\\*\\shppict{shown}}}{old}{floating}{unseen}}}".encode()


MADE = {
    "a.docx": letter,
    "a.pptx": slides,
    "a.eml": mail,
    "a.html": page,
    "a.xlsx": sheet,
    "a.epub": book,
    "a.rtf": rich_text,
}


@pytest.mark.parametrize("name", MADE)
def test_a_picture_in_a_document_of_words_is_named_and_no_loss(name: str) -> None:
    document = load_bytes(MADE[name](picture()), name)
    assert "Before" in document.text and not document.unread
    assert any("--ocr" in note for note in document.notes)


@needs_ocr
@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.eml", "a.rtf"])
def test_words_of_a_picture_in_a_document_are_read_by_ocr_with_their_place(name: str) -> None:
    document = load_bytes(MADE[name](picture()), name, ocr=True)
    assert "45.00" in document.text and "secret" not in document.text and not document.unread
    place = place_of(document, "45.00")
    assert place["attachment"] and place["box"]


def test_a_logo_is_passed_over_and_a_drawing_of_lines_is_named() -> None:
    logo = io.BytesIO()
    Image.new("RGB", (80, 40), "white").save(logo, "PNG")
    assert not load_bytes(letter(logo.getvalue()), "a.docx").notes
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
        'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" xmlns:xlink="http://www.w3.org/1999/xlink">'
        "<office:body><office:text><text:p>words</text:p>"
        '<draw:frame><draw:image xlink:href="Pictures/a.emf"/></draw:frame>'
        "</office:text></office:body></office:document-content>"
    )
    packed = pack(
        {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content, "Pictures/a.emf": "x"}
    )
    (note,) = load_bytes(packed, "a.odt").notes
    assert "1 drawing is in it" in note
    (note,) = load_bytes(b"{\\rtf1 words{\\pict\\emfblip 00ff}{\\pict\\wmetafile8\\bin3 }}}}", "a.rtf").notes
    assert "2 drawings are in it" in note


def test_a_bitmap_of_rich_text_is_a_picture_and_one_without_words_needs_ocr() -> None:
    buffer = io.BytesIO()
    Image.new("L", (300, 200), "white").save(buffer, "BMP")
    source = f"{{\\rtf1{{\\pict\\dibitmap0 {buffer.getvalue()[14:].hex()}}}}}"
    with pytest.raises(DocumentError, match="--ocr"):
        load_bytes(source.encode(), "a.rtf")
    assert any(
        "1 picture" in note for note in load_bytes(source.replace("{\\pict", "words{\\pict").encode(), "a.rtf").notes
    )


def test_a_letter_that_is_nothing_but_a_picture_says_what_to_do() -> None:
    import docx

    file, buffer = docx.Document(), io.BytesIO()
    file.add_picture(io.BytesIO(picture()))
    file.save(buffer)
    with pytest.raises(DocumentError, match="--ocr"):
        load_bytes(buffer.getvalue(), "a.docx")


def test_a_line_with_a_large_bullet_or_a_raised_figure_is_no_heading() -> None:
    lines = [Line(50, 700 - 14 * i, "words of the text that go on and on") for i in range(6)]
    odd = [
        Line(50, 600, "\u2022", 14),
        Line(60, 600, "first term"),
        Line(50, 580, "Price is 10"),
        Line(103, 584, "3", 7),
    ]
    odd += [Line(50, 550, "Heading", 16)]
    read = load_bytes(write_pdf([page_of_lines([*lines, *odd])]), "a.pdf").text
    assert [line for line in read.split("\n") if line.startswith("#")] == ["# Heading"]


def test_a_heading_by_its_size_parts_the_address_of_an_invoice_from_its_items() -> None:
    head = [("Bo Li", "Invoice no.:", "4711"), ("3 Low Road", "Customer no.:", "K-99"), ("York", "Date:", "1.5.2023")]
    items = [
        ("Consulting", "12,5", "80,00", "1.000,00"),
        ("Travel", "2", "60,00", "120,00"),
        ("Hotel", "1", "9,00", "9,00"),
    ]
    lines = [
        Line(x, 740 - 12 * i, words, 9)
        for i, row in enumerate(head)
        for x, words in zip((50, 350, 450), row, strict=True)
    ]
    lines.append(Line(50, 680, "Invoice", 14))
    lines += [
        Line(x - 4.6 * len(words) * (x > 50), 650 - 14 * i, words, 9)
        for i, row in enumerate([("Description", "Hours", "Rate", "Amount"), *items])
        for x, words in zip((50, 350, 430, 520), row, strict=True)
    ]
    document = load_bytes(write_pdf([page_of_lines(lines)]), "a.pdf")
    assert "Description | Hours | Rate | Amount\nConsulting | 12,5 | 80,00 | 1.000,00" in document.text
    assert headers_over(document, "60,00") == ["Rate"]
