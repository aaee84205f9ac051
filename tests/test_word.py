"""Word files: what a reader sees is in the text, what he does not see is marked, and cells know their columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from tiny_docx import element, paragraph, run, write

from extractor.documents.discovery import load_bytes, load_document
from extractor.types import Document, Span

CASES = Path(__file__).parent / "data" / "documents"


def read(*blocks: str, **more: object) -> Document:
    return load_bytes(write(*blocks, **more), "a.docx")  # type: ignore[arg-type]


def hidden(document: Document) -> list[str]:
    return [document.text[h.start : h.end] for h in document.hidden]


def doubtful(document: Document) -> list[str]:
    return [document.text[d.start : d.end] for d in document.doubtful]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("docx/W1_tracked.docx", "Fee: EUR 14,000 per month\n\nSupplier: Moved Here Ltd"),
        (
            "docx/W2_chars.docx",
            "Montant: 1 234,56 €\n\nKunde: Donaudampfschiff GmbH\n\nRef: INV-2024-07\n\nApproved: ☑ yes ☐ no",
        ),
        ("docx/W3_autonum.docx", "1. Definitions\n2. Term\n1. Payment is due under this clause"),
        ("docx/W5_vanish.docx", "Visible total 45.00 Hidden total 99.00"),
        ("docx/W7_math.docx", "The limit is x=42.5 mg."),
        ("docx/W8_header.docx", "Contract No. C-77\n\nBetween A and B\n\nVersion 3"),
        ("docx/W9_rtl.docx", "المبلغ: ١٢٣٤ ريال\n\nرقم الفاتورة: INV-55"),
        ("docx2/sup.docx", "Price: 40¹ EUR, area 120 m²"),
        ("link/L1.docx", "Mary Major - LinkedIn (https://profiles.example.org/in/mary-major)"),
    ],
)
def test_a_file_says_what_its_pages_show(name: str, text: str) -> None:
    document = load_document(CASES / name)
    assert document.text.replace("\xa0", " ").replace("\u202f", " ") == text
    assert hidden(document) == (["Hidden total 99.00"] if "vanish" in name else [])


WHITE, SHADE = '<w:color w:val="FFFFFF"/>', '<w:shd w:val="clear" w:fill="{}"/>'
STYLES = (
    '<w:style w:type="character" w:styleId="Gone"><w:name w:val="Gone"/><w:rPr><w:vanish/></w:rPr></w:style>',
    '<w:style w:type="paragraph" w:styleId="GoneP"><w:name w:val="GoneP"/><w:rPr><w:vanish/></w:rPr></w:style>',
    '<w:style w:type="paragraph" w:styleId="GoneQ"><w:name w:val="GoneQ"/><w:basedOn w:val="GoneP"/></w:style>',
    f'<w:style w:type="character" w:styleId="Pale"><w:name w:val="Pale"/><w:rPr>{WHITE}</w:rPr></w:style>',
    '<w:style w:type="paragraph" w:styleId="Dark"><w:name w:val="Dark"/><w:pPr><w:shd w:val="clear" w:fill="102030"/>'
    "</w:pPr></w:style>",
    '<w:style w:type="table" w:styleId="Grid9"><w:name w:val="Grid9"/><w:tblStylePr w:type="firstRow"><w:rPr>'
    '<w:color w:val="FFFFFF"/></w:rPr><w:tcPr><w:shd w:val="clear" w:fill="1F3864"/></w:tcPr></w:tblStylePr>'
    '<w:tblStylePr w:type="lastRow"><w:rPr><w:color w:val="FFFFFF"/></w:rPr></w:tblStylePr></w:style>',
)


def table(*rows: str, properties: str = "") -> str:
    return f"<w:tbl><w:tblPr>{properties}</w:tblPr>{''.join(rows)}</w:tbl>"


def row(*cells: str, properties: str = "") -> str:
    inner = "".join(c if c.startswith("<w:tc>") else f"<w:tc>{paragraph(run(c))}</w:tc>" for c in cells)
    return f"<w:tr><w:trPr>{properties}</w:trPr>{inner}</w:tr>"


def box(words: str, place: str = "", fill: str = "", about: str = "", extent: str = 'cx="900000" cy="400000"') -> str:
    return paragraph(
        f'<w:r><w:drawing><wp:anchor>{place}<wp:extent {extent}/><wp:docPr id="1" name="b" {about}/><a:graphic>'
        f"<a:graphicData><wps:wsp><wps:spPr>{fill}</wps:spPr><wps:txbx><w:txbxContent>{words}</w:txbxContent></wps:txbx>"
        "</wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing></w:r>"
    )


def far(axis: str, emu: int) -> str:
    return f'<wp:position{axis} relativeFrom="page"><wp:posOffset>{emu}</wp:posOffset></wp:position{axis}>'


def gradient(inner: str) -> str:
    colour = f'<w14:srgbClr w14:val="000000">{inner}</w14:srgbClr>'
    return f"<w14:textFill><w14:solidFill>{colour}</w14:solidFill></w14:textFill>"


TRICKS = {
    "vanish": paragraph(run("x9", "<w:vanish/>")),
    "white": paragraph(run("x9", WHITE)),
    "near white": paragraph(run("x9", '<w:color w:val="FEFEFE"/>')),
    "theme white": paragraph(run("x9", '<w:color w:val="000000" w:themeColor="background1"/>')),
    "theme white, a little darker": paragraph(
        run("x9", '<w:color w:val="000000" w:themeColor="background1" w:themeShade="FC"/>')
    ),
    "half a point": paragraph(run("x9", '<w:sz w:val="1"/>')),
    "one point": paragraph(run("x9", '<w:sz w:val="2"/>')),
    "one percent wide": paragraph(run("x9", '<w:w w:val="1"/>')),
    "by a character style": paragraph(run("x9", '<w:rStyle w:val="Gone"/>')),
    "by a paragraph style": paragraph(run("x9"), properties='<w:pStyle w:val="GoneP"/>'),
    "by a style that is based on one": paragraph(run("x9"), properties='<w:pStyle w:val="GoneQ"/>'),
    "white by a style": paragraph(run("x9", '<w:rStyle w:val="Pale"/>')),
    "black on black": paragraph(run("x9", '<w:color w:val="000000"/>' + SHADE.format("000000"))),
    "dark on a dark paragraph": paragraph(
        run("x9", '<w:color w:val="102031"/>'), properties='<w:pStyle w:val="Dark"/>'
    ),
    "white on automatic": paragraph(run("x9", WHITE + SHADE.format("auto"))),
    "white on white": paragraph(run("x9", WHITE + SHADE.format("FFFFFF"))),
    "white highlighted white": paragraph(run("x9", WHITE + '<w:highlight w:val="white"/>')),
    "flat row": table(row("x9", properties='<w:trHeight w:val="1" w:hRule="exact"/>')),
    "hidden row": table(row("seen"), row("x9", properties="<w:hidden/>")),
    "frame left of the page": paragraph(
        run("x9"), properties='<w:framePr w:w="500" w:x="-20000" w:y="1" w:hAnchor="page" w:vAnchor="page"/>'
    ),
    "frame below the page": paragraph(run("x9"), properties='<w:framePr w:x="1" w:y="31680" w:vAnchor="page"/>'),
    "flat lines": paragraph(run("x9"), properties='<w:spacing w:line="2" w:lineRule="exact"/>'),
    "clear letters": paragraph(run("x9", "<w14:textFill><w14:noFill/></w14:textFill>")),
    "transparent letters": paragraph(run("x9", gradient('<w14:alpha w14:val="100000"/>'))),
    "indented off the page": paragraph(run("x9"), properties='<w:ind w:left="-30000"/>'),
    "text box off the page": box(paragraph(run("x9")), far("H", -9_000_000)),
    "hidden text box": box(paragraph(run("x9")), about='hidden="1"'),
    "text box without a size": box(paragraph(run("x9")), extent='cx="0" cy="0"'),
    "white in a white box": box(
        paragraph(run("x9", WHITE)), fill='<a:solidFill><a:srgbClr val="FFFFFF"/></a:solidFill>'
    ),
    "table off the page": table(row("x9"), properties='<w:tblpPr w:tblpX="30000" w:tblpY="1" w:horzAnchor="page"/>'),
    "white in a row of a style that has no ground": table(
        row("seen"), row("x9"), properties='<w:tblStyle w:val="Grid9"/><w:tblLook w:lastRow="1"/>'
    ),
    "behind the code of a field": paragraph(
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>', run("x9"), '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    ),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_what_nobody_can_see_is_hidden(trick: str) -> None:
    document = read(paragraph(run("seen")), TRICKS[trick], paragraph(run("seen too")), styles=STYLES)
    assert "".join(hidden(document)).strip() == "x9"
    assert not document.doubtful


@pytest.mark.parametrize(
    "xml",
    [
        paragraph("<w:del><w:r><w:delText>x9</w:delText></w:r></w:del>", run("y")),
        paragraph("<w:moveFrom><w:r><w:t>x9</w:t></w:r></w:moveFrom>", run("y")),
        paragraph(
            '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>x9</w:instrText></w:r>'
            '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
        ),
        table(row("y"), row("x9", properties='<w:del w:id="1" w:author="a"/>')),
    ],
    ids=["deleted", "moved away", "code", "deleted row"],
)
def test_what_is_not_on_the_page_is_not_in_the_text(xml: str) -> None:
    assert "x9" not in read(paragraph(run("seen")), xml).text


@pytest.mark.parametrize(
    "xml",
    [
        paragraph(run("x9", "<w:webHidden/>")),  # printed all the same
        paragraph(run("x9", "<w:specVanish/>")),
        paragraph(run("x9", '<w:color w:val="F0F0F0"/>')),
        paragraph(run("x9", '<w:sz w:val="6"/>')),
        box(paragraph(run("x9", WHITE))),
        table(row("x9", properties='<w:trHeight w:val="90" w:hRule="exact"/>')),
    ],
    ids=["web", "spec", "faint", "small", "box on a picture", "low row"],
)
def test_what_perhaps_nobody_sees_is_shown_and_doubtful(xml: str) -> None:
    document = read(paragraph(run("seen")), xml)
    assert not document.hidden and [d.strip() for d in doubtful(document)] == ["x9"]


@pytest.mark.parametrize(
    "xml",
    [
        paragraph(run("y", WHITE + SHADE.format("000000"))),
        paragraph(run("y", WHITE), properties='<w:pStyle w:val="Dark"/>'),
        paragraph(run("y", WHITE + '<w:highlight w:val="blue"/>')),
        paragraph(run("y", '<w:color w:val="auto"/>' + SHADE.format("000000"))),
        paragraph(run("y", '<w:vanish w:val="0"/>'), properties='<w:pStyle w:val="GoneP"/>'),
        paragraph(run("y", '<w:rStyle w:val="Gone"/>'), properties='<w:pStyle w:val="GoneP"/>'),  # turned over twice
        table(row("y", "z"), row("1", "2"), properties='<w:tblStyle w:val="Grid9"/><w:tblLook w:firstRow="1"/>'),
        box(paragraph(run("y", WHITE)), fill='<a:solidFill><a:schemeClr val="accent1"/></a:solidFill>'),
        paragraph(run("y", '<w:color w:val="A6A6A6"/>')),
        paragraph(run("y"), properties='<w:framePr w:x="900" w:y="900" w:hAnchor="page" w:vAnchor="page"/>'),
        paragraph(run("y"), properties='<w:ind w:left="-720"/>'),
        paragraph(run("y"), properties='<w:spacing w:line="240" w:lineRule="exact"/>'),
        paragraph('<w:r><w:fldChar w:fldCharType="begin"/></w:r>', run("y")),  # a field that never ends hides nothing
    ],
)
def test_what_is_seen_is_not_hidden(xml: str) -> None:
    document = read(paragraph(run("before")), xml, paragraph(run("after")), styles=STYLES)
    assert not document.hidden and not document.doubtful and "y" in document.text


def test_page_numbers_of_a_table_of_contents_are_seen() -> None:
    mark = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    document = read(
        paragraph(
            mark.format("begin"),
            '<w:r><w:instrText>TOC \\o "1-3"</w:instrText></w:r>',
            mark.format("separate"),
            run("Terms"),
            run("<w:tab/>3", "<w:webHidden/>").replace('<w:t xml:space="preserve"><w:tab/>', "<w:tab/><w:t>"),
            mark.format("end"),
        )
    )
    assert document.text == "Terms\t3" and not document.doubtful


FORM = (
    '<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{}</w:ffData></w:fldChar></w:r><w:r><w:instrText>FORM'
    '</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
)


def field(*code: str, result: str | None = None) -> str:
    """A field whose code is made of texts and of fields within it."""
    mark = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'.format
    said = "".join(
        one if one.startswith("<") else f'<w:r><w:instrText xml:space="preserve">{one}</w:instrText></w:r>'
        for one in code
    )
    shown = "" if result is None else mark("separate") + run(result)
    return f"{mark('begin')}{said}{shown}{mark('end')}"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (r"EQ \f(1,2)", "1/2"),
        (r"EQ \f(a+1;2,5)", "(a+1)/2,5"),
        (r"EQ \r(3,x)", "³√(x)"),
        (r"eq \r(2)", "√(2)"),
        (r"EQ x\s\up8(2)", "x²"),
        (r"EQ H\s\do4(2)O", "H₂O"),
        (r"EQ \b\bc\[(\f(a,b))", "[a/b]"),
        (r"EQ \b\lc\{\rc\}(\f(1\,5,x))", "{1,5/x}"),
        (r"EQ \i\su(1,n,k)", "∑_(1)^(n) k"),
        (r"EQ \a\co2(1,0,0,1)", "1, 0; 0, 1"),
        (r"EQ \o\ac(○,7)", "⑦"),
        (r'EQ \* jc2 \* "Font:MS Mincho" \* hps10 \o\ad(\s\up 9(やまだ),山田)', "山田(やまだ)"),
        (r"EQ \x(frame) \l(1,2)", "frame 1, 2"),
        (r"EQ \f(1,", "1/"),
        (r'SYMBOL 252 \f "Wingdings" \s 12', "✓"),
        (r"SYMBOL 128", "€"),
    ],
)
def test_fields_without_a_result_show_what_their_code_makes(code: str, text: str) -> None:
    document = read(paragraph(run("Is "), field(code), run(" so")))
    assert document.text == f"Is {text} so" and not document.hidden
    simple = f"""<w:fldSimple w:instr='{code}'/>"""
    assert read(paragraph(run("Is "), simple)).text == f"Is {text}"


def test_fields_in_the_code_of_others_are_part_of_it() -> None:
    inner = field("=A1", result="5")
    halved = read(paragraph(run("Half: "), field(r"EQ \f(", inner, ",2)")))
    assert halved.text == "Half: 55/2" and hidden(halved) == ["5"]  # the code's own number, then what it makes
    address = field("REF site", result="https://l.example/a")
    linked = read(paragraph(field('HYPERLINK "', address, '"', result="our page")))
    assert "our page (https://l.example/a)" in linked.visible_text(Span(0, len(linked.text)))


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        (FORM.format('<w:checkBox><w:default w:val="0"/><w:checked/></w:checkBox>'), "☒"),
        (FORM.format('<w:checkBox><w:default w:val="1"/><w:checked w:val="0"/></w:checkBox>'), "☐"),
        (FORM.format('<w:checkBox><w:default w:val="1"/></w:checkBox>'), "☒"),
        (
            FORM.format(
                '<w:ddList><w:result w:val="1"/><w:listEntry w:val="red"/><w:listEntry w:val="blue"/></w:ddList>'
            ),
            "blue",
        ),
        ('<w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>', "✓"),
        ('<w:r><w:sym w:font="Wingdings 2" w:char="F052"/></w:r>', "☑"),
        ('<w:r><w:sym w:font="Symbol" w:char="F062"/></w:r>', "β"),
        (run("þ", '<w:rFonts w:ascii="Wingdings" w:hAnsi="Wingdings"/>'), "☑"),
        (
            '<w:sdt><w:sdtPr><w14:checkbox><w14:checked w14:val="1"/></w14:checkbox></w:sdtPr><w:sdtContent>'
            f"{run('☒')}</w:sdtContent></w:sdt>",
            "☒",
        ),
        (run("10") + run("3", '<w:vertAlign w:val="superscript"/>'), "10³"),
        (run("H") + run("2", '<w:vertAlign w:val="subscript"/>') + run("O"), "H₂O"),
        (run("5") + run("th", '<w:vertAlign w:val="superscript"/>'), "5th"),
        (run("40") + run("1,2", '<w:vertAlign w:val="superscript"/>'), "40^(1,2)"),
        (
            "<m:oMath><m:sSup><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup></m:oMath>",
            "x²",
        ),
        (
            "<m:oMath><m:f><m:num><m:r><m:t>a+1</m:t></m:r></m:num><m:den><m:r><m:t>4</m:t></m:r></m:den></m:f></m:oMath>",
            "(a+1)/4",
        ),
        ("<m:oMath><m:rad><m:deg/><m:e><m:r><m:t>2</m:t></m:r></m:e></m:rad></m:oMath>", "√(2)"),
        ("<m:oMath><m:d><m:e><m:r><m:t>y</m:t></m:r></m:e></m:d></m:oMath>", "(y)"),
        (
            "<w:r><w:ruby><w:rt><w:r><w:t>やまだ</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>山田</w:t></w:r></w:rubyBase></w:ruby></w:r>",
            "山田(やまだ)",
        ),
        (f'<w:hyperlink r:id="link1">{run("our site")}</w:hyperlink>', "our site (https://shop.example/a)"),
        (f'<w:hyperlink r:id="link1">{run("shop.example/a")}</w:hyperlink>', "shop.example/a"),
        (f'<w:hyperlink w:anchor="t">{run("see below")}</w:hyperlink>', "see below"),
        (
            f'<w:fldSimple w:instr="HYPERLINK &quot;mailto:a@b.example&quot;">{run("Mail")}</w:fldSimple>',
            "Mail (a@b.example)",
        ),
        (
            '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>HYPERLINK "https://c.example"</w:instrText>'
            f'</w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>{run("C")}'
            '<w:r><w:fldChar w:fldCharType="end"/></w:r>',
            "C (https://c.example)",
        ),
        (f'<w:bdo w:val="rtl">{run("turned")}</w:bdo>', "turned"),
    ],
)
def test_signs_are_read_as_they_are_seen(xml: str, text: str) -> None:
    document = read(paragraph(run("Is "), xml, run(" so")), links=("https://shop.example/a",))
    assert document.text == f"Is {text} so" and not document.hidden


def level(number: int, kind: str, text: str) -> str:
    return f'<w:lvl w:ilvl="{number}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'


def item(text: str, number: int, depth: int = 0) -> str:
    return paragraph(run(text), properties=f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{number}"/></w:numPr>')


def test_numbers_that_word_counts_are_words_of_the_text() -> None:
    numbering = (
        '<w:numbering><w:abstractNum w:abstractNumId="1">'
        + level(0, "decimal", "%1.")
        + level(1, "decimal", "%1.%2")
        + level(2, "lowerLetter", "(%3)")
        + '</w:abstractNum><w:abstractNum w:abstractNumId="2">'
        + level(0, "upperRoman", "Article %1")
        + level(1, "bullet", "·")
        + '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num>'
        '<w:num w:numId="2"><w:abstractNumId w:val="2"/></w:num><w:num w:numId="3"><w:abstractNumId w:val="1"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num></w:numbering>'
    )
    document = read(
        *(item("Scope", 1), item("Goods", 1, 1), item("new", 1, 2), item("used", 1, 2), item("Price", 1, 1)),
        *(
            item("Term", 1),
            item("Start", 1, 1),
            item("Law", 2),
            item("courts", 2, 1),
            item("Annex", 3),
            item("plain", 0),
        ),
        parts={"numbering": numbering},
    )
    assert document.text.replace("\n\n", "\n").split("\n") == [
        *("1. Scope", "1.1 Goods", "(a) new", "(b) used", "1.2 Price", "2. Term", "2.1 Start"),
        *("Article I Law", "- courts", "7. Annex", "plain"),
    ]


def test_notes_have_their_marks_and_those_that_nothing_refers_to_are_hidden() -> None:
    note = '<w:footnote w:id="{}"><w:p><w:r><w:footnoteRef/></w:r>{}</w:p></w:footnote>'
    document = read(
        paragraph(run("Price: 40"), '<w:r><w:footnoteReference w:id="2"/></w:r>', run(" EUR")),
        parts={
            "footnotes": '<w:footnotes><w:footnote w:type="separator" w:id="0"><w:p/></w:footnote>'
            + note.format(2, run(" net of tax"))
            + note.format(3, run("x9"))
            + "</w:footnotes>"
        },
    )
    assert document.text == "Price: 40¹ EUR\n\n¹ net of tax\n\nx9"
    assert hidden(document) == ["x9"]
    assert document.locations is not None
    assert document.locations.locate(Span(20, 23)) == [{"part": "footnotes"}]


def test_comments_are_doubtful_since_readers_see_them_when_they_ask() -> None:
    document = read(
        paragraph(run("Fee 5")),
        parts={"comments": f'<w:comments><w:comment w:id="1">{paragraph(run("should be 6"))}</w:comment></w:comments>'},
    )
    assert doubtful(document) == ["should be 6"]


def cell(text: str, properties: str) -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(run(text))}</w:tc>"


def test_cells_that_reach_over_others_leave_each_column_its_own() -> None:
    document = read(
        table(
            row(cell("Region", '<w:vMerge w:val="restart"/>'), cell("2024", '<w:gridSpan w:val="2"/>'), "Note"),
            row(cell("", "<w:vMerge/>"), "Qty", "Price", ""),
            row("North", "3", "4.50", "late"),
            row("South", "5", "6.50", ""),
            properties="",
        ).replace("<w:trPr></w:trPr>", "<w:trPr><w:tblHeader/></w:trPr>", 2)
    )
    assert document.text.split("\n") == [
        "Region | 2024 |  | Note",
        " | Qty | Price",
        "North | 3 | 4.50 | late",
        "South | 5 | 6.50",
    ]
    (found,) = document.tables
    price = found.cell_at(document.text.index("6.50"))
    assert price is not None and (price.row, price.column) == (3, 2)
    assert [document.text[h.start : h.end] for h in found.column_headers(price)] == ["2024", "Price"]
    assert [document.text[h.start : h.end] for h in found.row_headers(price)] == ["South"]
    region = found.cell_at(0)
    assert region is not None and region.row_span == 2 and region.header


def test_words_of_a_cell_are_hidden_one_by_one() -> None:
    inner = f"<w:tc>{paragraph(run('seen '), run('x9', '<w:vanish/>'))}</w:tc>"
    document = read(table(row(inner, "b")))
    assert document.text == "seen x9 | b" and [h.strip() for h in hidden(document)] == ["x9"]


def test_a_file_within_a_file_is_named() -> None:
    document = read(paragraph(run("Letter")), '<w:altChunk r:id="r9"/>')
    assert [u.part for u in document.unread] == ["enclosed file 1"]


def test_numbers_are_read_beside_raised_figures() -> None:
    import extractor

    document = load_document(CASES / "docx2/sup.docx")
    schema = {"type": "object", "properties": {"price": {"type": "number"}}}
    result = extractor.ground(document.text, {"price": 40}, schema)
    (span,) = result.file.evidence["/price"].spans
    assert document.text[span.start : span.end] == "40"


def test_a_chart_is_its_title_and_a_table_of_its_figures() -> None:
    space = "http://schemas.openxmlformats.org/drawingml/2006"

    def points(name: str, *values: str) -> str:
        inner = "".join(f"<c:pt idx='{i}'><c:v>{value}</c:v></c:pt>" for i, value in enumerate(values))
        return f"<c:{name}><c:strRef><c:strCache>{inner}</c:strCache></c:strRef></c:{name}>"

    title = "<c:title><c:tx><c:rich><a:p><a:r><a:t>Sales by region</a:t></a:r></a:p></c:rich></c:tx></c:title>"
    series = f"<c:ser>{points('tx', '2025')}{points('cat', 'North', 'South')}{points('val', '12', '7')}</c:ser>"
    chart = (
        f"<c:chartSpace xmlns:c='{space}/chart' xmlns:a='{space}/main'><c:chart>{title}<c:plotArea><c:barChart>"
        f"{series}</c:barChart></c:plotArea></c:chart></c:chartSpace>"
    )

    def add_chart(file: Any) -> None:
        part = Part(PackURI("/word/charts/chart1.xml"), "application/xml", chart.encode(), file.part.package)
        key = file.part.relate_to(part, f"{RELATIONSHIP_TYPE.CHART}")
        drawn = (
            f"<w:r><w:drawing><wp:inline><a:graphic><a:graphicData><c:chart xmlns:c='{space}/chart' r:id='{key}'/>"
            "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
        )
        file.element.body.insert(1, element(paragraph(run("See below."), drawn)))

    text = load_bytes(write(paragraph(run("First.")), change=add_chart), "a.docx").text
    assert text == "First.\n\nSee below.\n\nSales by region\n\n | 2025\nNorth | 12\nSouth | 7"


def test_paragraphs_whose_end_was_deleted_are_one() -> None:
    gone = '<w:rPr><w:del w:id="1" w:author="a"/></w:rPr>'
    document = read(paragraph(run("The fee is "), properties=gone), paragraph(run("5 EUR.")), paragraph(run("Paid.")))
    assert document.text == "The fee is 5 EUR.\n\nPaid."
