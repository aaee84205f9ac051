"""OpenDocument, PowerPoint, rich text and books: what a reader sees is in the text, what he does not see is hidden."""

import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pptx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.oxml import parse_xml
from pptx.util import Inches
from tiny_office import bomb, epub, flat_odf, odf, p, pack, table

from extractor.documents.discovery import load_document
from extractor.documents.formats.sandbox import load_in_sandbox
from extractor.errors import DocumentError
from extractor.types import Document, Span


def load(tmp_path: Path, name: str, data: str | bytes) -> Document:
    (tmp_path / name).write_bytes(data.encode("latin-1") if isinstance(data, str) else data)
    return load_document(tmp_path / name)


Data = bytes | Callable[[], bytes]
"""What takes long to make is made by the test that needs it, and not whenever tests are collected."""


def made(data: Data) -> bytes:
    return data if isinstance(data, bytes) else data()


def hidden(document: Document) -> list[str]:
    return [document.text[h.start : h.end] for h in document.hidden]


def doubtful(document: Document) -> list[str]:
    return [document.text[h.start : h.end] for h in document.doubtful]


def place(document: Document, words: str) -> list[dict[str, object]]:
    assert document.locations is not None
    start = document.text.index(words)
    return document.locations.locate(Span(start, start + len(words)))


def header_of(document: Document, words: str) -> list[str]:
    """What the header cells above a cell say."""
    found = document.tables[0].cell_at(document.text.index(words))
    assert found is not None
    return [document.text[s.start : s.end] for s in document.tables[0].column_headers(found)]


# OpenDocument


def style(name: str, properties: str, family: str = "text") -> str:
    inner = f"<style:text-properties {properties}/>"
    return f'<style:style style:name="{name}" style:family="{family}">{inner}</style:style>'


NUMBERS = (
    '<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="1" '
    'style:num-suffix="."/><text:list-level-style-number text:level="2" style:num-format="a" style:num-suffix=")"/>'
    "</text:list-style>"
)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (p("a <text:s text:c='2'/>b<text:tab/>c<text:line-break/>d"), "a   b\tc\nd"),
        ("<text:h text:outline-level='2'>Parts</text:h>" + p("  two\n   words "), "## Parts\n\ntwo words"),
        (p("see <text:a xlink:href='https://l.example/'>there</text:a>"), "see there (https://l.example/)"),
        (p("at <text:a xlink:href='https://l.example/'>https://l.example/</text:a>"), "at https://l.example/"),
        (f"<text:list><text:list-item>{p('a')}</text:list-item><text:list-item>{p('b')}</text:list-item></text:list>",
         "- a\n- b"),
        (f"<text:list text:style-name='L'><text:list-item>{p('a')}<text:list><text:list-item>{p('b')}</text:list-item>"
         f"</text:list></text:list-item><text:list-item>{p('c')}</text:list-item></text:list>", "1. a\na) b\n2. c"),
        (p("x<text:note text:note-class='footnote'><text:note-citation>1</text:note-citation><text:note-body>"
           + p("below") + "</text:note-body></text:note> y"), "x¹ y\n\nbelow"),
        (p("12 m<text:span text:style-name='S'>2</text:span>"), "12 m²"),
        ("<text:tracked-changes><text:changed-region>" + p("gone") + "</text:changed-region></text:tracked-changes>"
         + p("kept"), "kept"),
        (p("<draw:frame><draw:text-box>" + p("in a box") + "</draw:text-box></draw:frame>around"),
         "around\n\nin a box"),
        (p("<text:page-number>4</text:page-number> of <text:ruby><text:ruby-base>漢</text:ruby-base>"
           "<text:ruby-text>kan</text:ruby-text></text:ruby>"), "4 of 漢(kan)"),
        ("<office:forms><form:form><form:checkbox form:id='c' form:label='Yes' form:current-state='checked'/>"
         "<form:text form:id='t' form:current-value='typed'/></form:form></office:forms>"
         + p("<draw:control draw:control='c'/> <draw:control draw:control='t'/>"), "☒ Yes typed"),
    ],
)  # fmt: skip
def test_a_text_is_read_as_it_is_shown(tmp_path: Path, body: str, text: str) -> None:
    styles = NUMBERS + style("S", 'style:text-position="super 58%"')
    assert load(tmp_path, "a.odt", odf("text", body, styles)).text == text
    if "L" not in body and "'S'" not in body:
        assert load(tmp_path, "a.fodt", flat_odf("text", body)).text == text


def test_what_a_text_hides_is_hidden_and_what_may_be_unseen_is_doubtful(tmp_path: Path) -> None:
    styles = style("V", 'text:display="none"') + style("W", 'fo:color="#ffffff"') + style("P", 'fo:color="#eeeeee"')
    styles += style("B", 'fo:color="#ffffff" fo:background-color="#000000"') + style("T", 'fo:font-size="1pt"')
    styles += '<style:style style:name="C" style:parent-style-name="V" style:family="text"/>'
    words = "".join(p(f"<text:span text:style-name='{n}'>word {n}</text:span>") for n in "VWPBTC")
    words += "<text:section text:display='none'>" + p("section") + "</text:section>"
    words += p("said<office:annotation>" + p("aside") + "</office:annotation>")
    document = load(tmp_path, "a.odt", odf("text", words, styles))
    assert hidden(document) == ["word V", "word W", "word T", "word C", "section"]
    assert doubtful(document) == ["word P", "aside"]


def test_headers_and_footers_are_read_and_tables_keep_their_cells(tmp_path: Path) -> None:
    masters = (
        f"<office:master-styles><style:master-page style:name='M'><style:header>{p('Engines Ltd')}</style:header>"
        f"<style:footer>{p('Page')}</style:footer></style:master-page></office:master-styles>"
    )
    wide = table([p("Item"), p("Price")], [p("Bolt"), p("3.25")], header=True)
    document = load(tmp_path, "a.odt", odf("text", p("Order") + wide, "", masters))
    assert document.text == "Engines Ltd\n\nOrder\n\nItem | Price\nBolt | 3.25\n\nPage"
    assert place(document, "3.25") == [{"table": 1, "row": 2, "column": 2}]
    assert place(document, "Engines") == [{"part": "header"}] and place(document, "Order") == [{"paragraph": 1}]
    assert header_of(document, "3.25") == ["Price"]


def test_a_spreadsheet_is_read_as_shown(tmp_path: Path) -> None:
    def cell(shown: str, more: str = "") -> str:
        return f"<table:table-cell {more}>{p(shown) if shown else ''}</table:table-cell>"

    rows = "<table:table-column/><table:table-column table:number-columns-repeated='2'/>"
    rows += "<table:table-column table:visibility='collapse'/>"
    lines = [
        cell("Item") + cell("Rate") + cell("Note") + cell("Cost"),
        cell("Bolt") + cell("12.5 %", "office:value='0.125'") + cell("00007") + cell("9"),
        cell("wide", "table:number-columns-spanned='2'") + "<table:covered-table-cell/>" + cell("x"),
        cell("", "table:number-columns-repeated='2'")
        + cell("", "office:value='3'")
        + cell("", "table:formula='of:=1'"),
    ]
    rows += "".join(f"<table:table-row>{line}</table:table-row>" for line in lines)
    rows += f"<table:table-row table:visibility='collapse'>{cell('unseen')}</table:table-row>"
    rows += "<table:table-row table:number-rows-repeated='1048000'>"
    rows += "<table:table-cell table:number-columns-repeated='16384'/></table:table-row>"
    body = f"<table:table table:name='Prices'>{rows}</table:table>"
    old = f"<table:table-row>{cell('a')}</table:table-row>"
    body += f"<table:table table:name='Old' table:style-name='H'>{old}</table:table>"
    gone = (
        "<style:style style:name='H' style:family='table'><style:table-properties table:display='false'/></style:style>"
    )
    document = load(tmp_path, "a.ods", odf("spreadsheet", body, gone))
    assert document.text.startswith("# Prices\n\nItem | Rate | Note | Cost\nBolt | 12.5 % | 00007 | 9\nwide |  | x\n")
    assert place(document, "00007") == [{"sheet": "Prices", "cell": "C2"}]
    unseen = " ".join(" ".join(hidden(document)).split())
    assert unseen == "Cost 9 unseen # Old a"
    assert [(u.part, u.reason) for u in document.unread] == [("sheet Prices", "formula")]


def test_slides_are_read_in_order_and_hidden_ones_are_hidden(tmp_path: Path) -> None:
    def frame(words: str, more: str = "") -> str:
        return f"<draw:frame {more}><draw:text-box>{p(words)}</draw:text-box></draw:frame>"

    chart = (
        "<office:chart><chart:chart><chart:title>" + p("Sales") + "</chart:title>"
        f"{table([p(''), p('2025')], [p('North'), p('12')])}</chart:chart></office:chart>"
    )
    title = 'presentation:class="title"'
    body = f"<draw:page>{frame('Plan', title)}{frame('Budget: 300')}"
    body += "<draw:frame><draw:object xlink:href='./Object 1'/></draw:frame>"
    body += f"<presentation:notes>{frame('say so')}</presentation:notes></draw:page>"
    body += f"<draw:page draw:style-name='H'>{frame('unseen')}</draw:page>"
    styles = "<style:style style:name='H' style:family='drawing-page'><style:drawing-page-properties "
    styles += "presentation:visibility='hidden'/></style:style>"
    inner = flat_odf("text", "").decode().replace("<office:text></office:text>", chart)
    document = load(tmp_path, "a.odp", odf("presentation", body, styles, more={"Object 1/content.xml": inner[21:]}))
    assert document.text == "# Plan\n\nBudget: 300\n\nSales\n\n | 2025\nNorth | 12\n\nsay so\n\nunseen"
    assert hidden(document) == ["unseen"]
    assert place(document, "say so") == [{"page": 1, "part": "notes"}]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pack({"mimetype": "application/vnd.oasis.opendocument.text", "hello": "x"}), "broken"),
        (odf("text", p("a"), more={"META-INF/manifest.xml": "<m><encryption-data/></m>"}), "encrypted"),
        (odf("text", "<text:section>" * 3000 + p("a") + "</text:section>" * 3000), "broken"),
        (odf("text", ""), "empty"),
        (odf("text", "<text:p><draw:frame><draw:image/></draw:frame></text:p>"), "needs OCR"),
        (odf("text", p("x"))[:200], "broken"),
        (lambda: odf("text", p("x" * 200_000_000)), "too large"),
    ],
    ids=["other", "password", "deep", "empty", "picture", "cut", "bomb"],
)
def test_an_opendocument_file_that_cannot_be_read_is_refused(tmp_path: Path, data: Data, reason: str) -> None:
    with pytest.raises(DocumentError) as error:
        load(tmp_path, "a.odt", made(data))
    assert error.value.reason == reason


def test_cells_that_are_repeated_without_end_are_refused(tmp_path: Path) -> None:
    row = (
        "<table:table-row table:number-rows-repeated='1048576'><table:table-cell table:number-columns-repeated='16384'>"
    )
    row += p("x") + "</table:table-cell></table:table-row>"
    with pytest.raises(DocumentError, match="cells") as error:
        load(tmp_path, "a.ods", odf("spreadsheet", f"<table:table>{row}</table:table>"))
    assert error.value.reason == "too large"


# PowerPoint


def save(slides: Any) -> bytes:
    buffer = io.BytesIO()
    slides.save(buffer)
    return buffer.getvalue()


def deck() -> tuple[Any, Any]:
    """A presentation, and its first slide, which has a title."""
    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[5])
    slide.shapes.title.text = "Plan"
    return slides, slide


def write(slide: Any, words: str, left: float = 1, colour: str = "") -> Any:
    box = slide.shapes.add_textbox(Inches(left), Inches(3), Inches(2), Inches(1))
    box.text_frame.text = words
    if colour:
        box.text_frame.paragraphs[0].runs[0].font.color.rgb = RGBColor.from_string(colour)
    return box


def test_a_slide_is_its_shapes_its_tables_its_charts_and_its_notes(tmp_path: Path) -> None:
    slides, slide = deck()
    write(slide, "Budget: 300\nof which 20").text_frame.paragraphs[0].runs[0].hyperlink.address = "https://l.example/"
    cells = slide.shapes.add_table(2, 2, 0, Inches(4), Inches(2), Inches(1)).table
    for i, words in enumerate(("Item", "Price", "Bolt", "3.25")):
        cells.cell(i // 2, i % 2).text = words
    figures = CategoryChartData()
    figures.categories = ["North", "South"]
    figures.add_series("2025", (12.5, 7))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, Inches(5), Inches(2), Inches(1), figures).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Sales"
    slide.notes_slide.notes_text_frame.text = "say so"
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(0, Inches(6.5), Inches(1), Inches(1)).text_frame.text = "grouped"
    document = load(tmp_path, "a.pptx", save(slides))
    assert document.text == (
        "# Plan\n\nBudget: 300 (https://l.example/)\nof which 20\n\nItem | Price\nBolt | 3.25\n\nSales\n\n | 2025\n"
        "North | 12.5\nSouth | 7\n\ngrouped\n\nsay so"
    )
    assert place(document, "3.25") == [{"page": 1, "table": 1, "row": 2, "column": 2}]
    assert place(document, "say so") == [{"page": 1, "part": "notes"}]
    assert header_of(document, "3.25") == ["Price"]
    assert not document.hidden and not document.doubtful and not document.unread


def place_boxes(*boxes: tuple[str, float, float]) -> bytes:
    """A slide with a title and boxes of these words, so many inches from the left and from the top."""
    slides, slide = deck()
    for words, left, top in boxes:
        slide.shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(0.8)).text_frame.text = words
    return save(slides)


@pytest.mark.parametrize(
    ("boxes", "order"),
    [
        # two columns under their headings, drawn in whatever order
        ((("b", 5, 3), ("B", 5, 2), ("a", 1, 3), ("A", 1, 2)), "A a B b"),
        ((("A", 1, 2), ("B", 5, 2), ("b", 5, 3), ("a", 1, 3)), "A B a b"),
        # across, if that is how they are drawn
        ((("A", 1, 2), ("1", 5, 2), ("B", 1, 3), ("2", 5, 3)), "A 1 B 2"),
        ((("A", 1, 2), ("B", 1, 3), ("1", 5, 2), ("2", 5, 3)), "A B 1 2"),
        # cards in two rows, each a heading and a text close below it
        (
            (("B", 5, 2), ("b", 5, 3), ("A", 1, 2), ("a", 1, 3), ("C", 1, 5), ("c", 1, 6), ("D", 5, 5), ("d", 5, 6)),
            "A a B b C c D d",
        ),
        # boxes over each other have no order but that in which they are drawn
        ((("A", 1, 3), ("B", 2, 2.5), ("C", 1.5, 2.8)), "A B C"),
    ],
)  # fmt: skip
def test_boxes_of_a_slide_are_read_in_the_order_of_their_places(
    tmp_path: Path, boxes: tuple[tuple[str, float, float], ...], order: str
) -> None:
    document = load(tmp_path, "a.pptx", place_boxes(*boxes))
    assert document.text.split() == ["#", "Plan", *order.split()]


def test_a_slide_of_its_layout_is_read_by_the_places_of_the_layout(tmp_path: Path) -> None:
    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[4])  # two columns, each with a heading
    words = {0: "Costs", 1: "Before", 2: "300", 3: "After", 4: "200"}
    tree = slide.shapes._spTree
    for shape in reversed(list(slide.placeholders)):
        shape.text_frame.text = words[shape.placeholder_format.idx]
        tree.remove(shape._element)
        tree.append(shape._element)
    assert load(tmp_path, "a.pptx", save(slides)).text == "# Costs\n\nBefore\n\n300\n\nAfter\n\n200"


def test_what_nobody_sees_on_slides_is_hidden_and_what_is_off_them_is_doubtful(tmp_path: Path) -> None:
    slides, slide = deck()
    write(slide, "white on white", 1, "FFFFFF")
    write(slide, "pale", 3, "EFEFEF")
    dark = write(slide, "white on black", 5, "FFFFFF")
    dark.fill.solid()
    dark.fill.fore_color.rgb = RGBColor(0, 0, 0)
    write(slide, "off the slide", -9)
    write(slide, "switched off")._element.nvSpPr.cNvPr.set("hidden", "1")
    covered = slide.shapes.add_shape(1, Inches(7), Inches(3), Inches(2), Inches(1))
    covered.text_frame.text = "ground"
    write(slide, "white on a shape", 7, "FFFFFF")
    second = slides.slides.add_slide(slides.slide_layouts[5])
    second.shapes.title.text = "Unseen slide"
    second._element.set("show", "0")
    document = load(tmp_path, "a.pptx", save(slides))
    assert hidden(document) == ["white on white", "switched off", "Unseen slide"]
    assert doubtful(document) == ["off the slide", "pale"]


def test_diagrams_and_numbers_of_slides_are_read_and_comments_are_doubtful(tmp_path: Path) -> None:
    slides, slide = deck()
    main = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    diagram = "http://schemas.openxmlformats.org/drawingml/2006/diagram"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    presentation = "http://schemas.openxmlformats.org/presentationml/2006/main"
    point = "<dgm:pt><dgm:t><a:bodyPr/><a:p><a:r><a:t>{}</a:t></a:r></a:p></dgm:t></dgm:pt>"
    points = "".join(point.format(words) for words in ("Plan", "Build"))
    data = f'<dgm:dataModel xmlns:dgm="{diagram}" {main}><dgm:ptLst>{points}</dgm:ptLst></dgm:dataModel>'
    note = f'<p:cmLst xmlns:p="{presentation}"><p:cm><p:text>aside</p:text></p:cm></p:cmLst>'

    def relate(name: str, kind: str, blob: str) -> str:
        part = Part(PackURI(name), "application/xml", slide.part.package, blob.encode())
        return str(slide.part.relate_to(part, f"{relations}/{kind}"))

    number = relate("/ppt/diagrams/data1.xml", "diagramData", data)
    relate("/ppt/comments/comment1.xml", "comments", note)
    slide.shapes._spTree.append(
        parse_xml(
            f'<p:graphicFrame xmlns:p="{presentation}" xmlns:r="{relations}" {main}>'
            f'<a:graphic><a:graphicData uri="{diagram}">'
            f'<dgm:relIds xmlns:dgm="{diagram}" r:dm="{number}"/></a:graphicData></a:graphic></p:graphicFrame>'
        )
    )
    listed = write(slide, "one\ntwo")
    for paragraph in listed.text_frame.paragraphs:
        numbering = parse_xml(f'<a:buAutoNum {main} type="alphaLcParenR"/>')
        paragraph._p.get_or_add_pPr().append(numbering)
    document = load(tmp_path, "a.pptx", save(slides))
    assert document.text == "# Plan\n\nPlan\n\nBuild\n\na) one\nb) two\n\naside"
    assert doubtful(document) == ["aside"]


def test_a_slide_that_is_a_picture_is_named(tmp_path: Path) -> None:
    slides, _ = deck()
    bare = slides.slides.add_slide(slides.slide_layouts[6])
    picture = bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
    )
    bare.shapes.add_picture(io.BytesIO(picture), 0, 0)
    document = load(tmp_path, "a.pptx", save(slides))
    assert [(u.part, u.reason) for u in document.unread] == [("slide 2", "needs OCR")]
    only = pptx.Presentation()
    only.slides.add_slide(only.slide_layouts[6]).shapes.add_picture(io.BytesIO(picture), 0, 0)
    with pytest.raises(DocumentError, match="OCR"):
        load(tmp_path, "b.pptx", save(only))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pack({"[Content_Types].xml": "<Types/>", "ppt/presentation.xml": "<p/>"}), "broken"),
        (save(pptx.Presentation()), "empty"),
        (b"PK\x03\x04 cut short", "broken"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (lambda: bomb("ppt/slides/slide1.xml", 300), "too large"),
    ],
    ids=["other", "empty", "cut", "password", "bomb"],
)
def test_a_presentation_that_cannot_be_read_is_refused(tmp_path: Path, data: Data, reason: str) -> None:
    with pytest.raises(DocumentError) as error:
        load(tmp_path, "a.pptx", made(data))
    assert error.value.reason == reason


# rich text

HEAD = r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}{\f1\fcharset204 Times;}{\f2\fcharset2 Wingdings;}}"
HEAD += r"{\colortbl;\red255\green255\blue255;\red0\green0\blue0;}{\stylesheet{\s1\outlinelevel0 heading 1;}}"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"one\par two\line three", "one\n\ntwo\nthree"),
        (r"\pard\s1 Parts\par\pard words", "# Parts\n\nwords"),
        (r"caf\'e9 \u8364?12 \u-10179?\u-8704? {\f1\'cf\'f0}", "café €12 😀 Пр"),
        (r"{\upr{old}{\*\ud new \u233?}}", "new é"),
        (r"a\~b\_c\emdash d\bullet\{x\}\\", "a\xa0b-c—d•{x}\\"),
        (r"12 m{\super 2} {\f2\'fe} yes", "12 m² ☑ yes"),
        (r'{\field{\*\fldinst HYPERLINK "https://l.example/"}{\fldrslt there}} on', "there (https://l.example/) on"),
        (r"x{\footnote below} y\par z", "x y\n\nbelow\n\nz"),
        (r"{\*\unknown gone}{\info{\title gone}}{\pict 00ff}kept{\deleted gone}", "kept"),
        (r"{\header Engines Ltd\par}\pard words", "Engines Ltd\n\nwords"),
        (r"\trowd\cellx1\cellx2\intbl Item\cell Price\cell\row"
         r"\trowd\cellx1\cellx2\intbl Bolt\par M8\cell 3.25\cell\row\pard on",
         "Item | Price\nBolt M8 | 3.25\n\non"),
        (r"{\listtext 1.\tab}first\par{\listtext 2.\tab}second", "1.\tfirst\n\n2.\tsecond"),
        (r"{\shp{\*\shpinst{\sp{\sn x}{\sv 1}}{\shptxt in a box\par}}}around", "around\n\nin a box"),
        ("{\\*\\htmltag64 <p>}{\\htmlrtf \\par}words{\\bin3 }}}}", "words"),
    ],
)  # fmt: skip
def test_rich_text_is_read_as_it_is_shown(tmp_path: Path, body: str, text: str) -> None:
    assert load(tmp_path, "a.rtf", f"{HEAD}{body}}}").text == text


def test_what_rich_text_hides_is_hidden(tmp_path: Path) -> None:
    body = r"{\v vanished}\par{\cf1 white}\par{\cf1\highlight2 white on black}\par{\fs2 tiny}\par seen\plain"
    body += r"\par{\*\annotation aside}\par\trowd\clcbpat2\cellx1\intbl\cf1 cell\cell\row\pard\plain end"
    document = load(tmp_path, "a.rtf", f"{HEAD}{body}}}")
    assert hidden(document) == ["vanished", "white", "tiny"]
    assert doubtful(document) == ["aside"]
    assert "white on black" in document.text and "cell" in document.text


@pytest.mark.parametrize(
    ("data", "reason"),
    [("no rich text", "broken"), (HEAD + "}", "empty"), ("{\\rtf1" + "{" * 100_000, "broken")],
)
def test_rich_text_that_is_none_is_refused(tmp_path: Path, data: str, reason: str) -> None:
    (tmp_path / "a.rtf").write_text(data, encoding="latin-1")
    with pytest.raises(DocumentError) as error:
        load_in_sandbox("rtf", tmp_path / "a.rtf", "a.rtf", False)
    assert error.value.reason == reason


def test_rich_text_that_is_cut_is_read_as_far_as_it_goes_and_named(tmp_path: Path) -> None:
    document = load(tmp_path, "a.rtf", HEAD + r"first\par{\b sec")
    assert document.text == "first\n\nsec"
    assert [u.reason for u in document.unread] == ["broken"]


# books


def page(body: str, head: str = "") -> str:
    return (
        f"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><head>{head}</head><body>{body}</body></html>"
    )


def test_a_book_is_its_chapters_in_reading_order(tmp_path: Path) -> None:
    chapters = {"a.xhtml": page("<h1>Last</h1>"), "b.xhtml": page("<h1>First</h1><p>words</p>", "<script src='x'/>")}
    document = load(tmp_path, "a.epub", epub(chapters, order=["b.xhtml", "a.xhtml"]))
    assert document.text == "Title: Of looms\nCreator: Ada King\n\n# First\n\nwords\n\n# Last"
    assert place(document, "words") == [{"part": "book/b.xhtml"}]


def test_what_a_book_hides_is_hidden_and_what_it_lacks_is_named(tmp_path: Path) -> None:
    chapter = page("<p class='x'>unseen</p><p>seen</p>", "<link rel='stylesheet' href='s.css'/>")
    data = epub({"a.xhtml": chapter}, order=["a.xhtml"], more={"book/s.css": ".x { display: none }"})
    document = load(tmp_path, "a.epub", data)
    assert hidden(document) == ["unseen"]
    lacking = epub({"a.xhtml": page("<p>words</p>"), "b.xhtml": ""}).replace(b"book/b.xhtml", b"book/c.xhtml")
    assert [(u.part, u.reason) for u in load(tmp_path, "b.epub", lacking).unread] == [("book/b.xhtml", "missing")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (epub({"a.xhtml": page("<p>x</p>")}, more={"META-INF/encryption.xml": "<e>book/a.xhtml</e>"}), "encrypted"),
        (epub({"a.xhtml": page("")}), "empty"),
        (pack({"mimetype": "application/epub+zip"}), "broken"),
        (epub({"a.xhtml": page("<p>x</p>")})[:300], "broken"),
    ],
    ids=["locked", "empty", "other", "cut"],
)
def test_a_book_that_cannot_be_read_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as error:
        load(tmp_path, "a.epub", data)
    assert error.value.reason == reason


# any bytes

GOOD = {
    "odt": odf("text", p("words") + table([p("a"), p("b")])),
    "fodt": flat_odf("text", p("words")),
    "rtf": (HEAD + r"words\par \trowd\cellx1\intbl a\cell\row}").encode(),
    "epub": epub({"a.xhtml": page("<p>words</p>")}),
    "pptx": save(deck()[0]),
}


@settings(max_examples=60)
@given(st.binary(max_size=40), st.randoms(use_true_random=False), st.sampled_from(sorted(GOOD)))
def test_any_bytes_are_a_document_or_an_error_in_one_sentence(data: bytes, chance: random.Random, kind: str) -> None:
    good = bytearray(GOOD[kind])
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(good))
        good[at : at + chance.randrange(9)] = data
    path = Path(f"/tmp/extractor-test-office.{kind}")
    path.write_bytes(bytes(good[: chance.randrange(len(good))]) if chance.random() < 0.3 else bytes(good))
    try:
        assert load_document(path).text
    except DocumentError as error:
        assert str(error).count("\n") == 0
