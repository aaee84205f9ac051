"""Web pages as text: tables with their columns, forms as filled in, lists as numbered, links with their addresses."""

import html as entities
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from web_text import texts

from extractor.documents.discovery import load_document
from extractor.documents.formats.html import parse_html
from extractor.documents.formats.html_lists import spell_number
from extractor.types import Document, Span

CASES = Path(__file__).parent / "data" / "documents"


def read(case: str) -> Document:
    return load_document(CASES / case)


def text(source: str) -> str:
    return parse_html(source, "a").text


def cells(document: Document) -> list[list[tuple[str, int, int]]]:
    return [[(document.text[c.span.start : c.span.end], c.row, c.column) for c in t.cells()] for t in document.tables]


def headers(document: Document, words: str) -> tuple[list[str], list[str]]:
    """The header cells over the cell that holds the words, and beside it."""
    at = document.text.rindex(words)
    table = document.table_at(at)
    assert table is not None
    cell = table.cell_at(at)
    assert cell is not None
    return texts(document, tuple(table.column_headers(cell))), texts(document, tuple(table.row_headers(cell)))


# the given cases


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("html/H11_utf16.html", "Größe 45"),
        ("html/H5_cp1252_meta.html", "Größe: 45,00 €"),
        ("html/H6_cp1252_nometa.html", "Größe: 45,00 €"),
        ("html/H7_sjis.html", "金額：１２３円"),
        ("html/H1_nested.html", "# Order\n\nOuter A\n\nItem | Price\nBolt | 1.50\nNut | 0.40"),
        ("html/H4_malformed.html", "Total | 45.00\nTax | 5.00\n\nUnclosed bold both end\n\ntail"),
        ("html/H8_span.html", "Region | Sales\n | 2023 | 2024\nNorth | 1 | 2\n | 3 | 4"),
        ("html2/K1_list_in_cell.html", "Name | Skills\nAnn | - SQL - Go\nBob | C R"),
        ("html2/K2_table_in_cell.html", "Item | Detail | Price\nBolt | M6 steel | 1.50\nNut | x | 0.40"),
        ("html2/K3_sup.html", "Price: 40¹ EUR, area 120 m², total $45⁹⁹\n\nRevenue | 1,250⁽²⁾ | 980ᵃ"),
        ("html2/K4_cmail.html", "Order | A-1001\nTotal | 45.00\n\nFooter"),
        ("html2/K5_th_rows.html", "Invoice | INV-1\nDate | 2024-03-03"),
        (
            "link/L3.html",
            "Mary Major - LinkedIn (https://profiles.example.org/in/mary-major) Mail (mary@example.org)",
        ),
    ],
)
def test_a_page_reads_as_it_is_shown(case: str, expected: str) -> None:
    assert read(case).text == expected


def test_what_the_case_of_hidden_text_hides_is_hidden_and_no_more() -> None:
    document = read("html/H10_hidden.html")
    shown = " ".join(document.shown_text(Span(0, len(document.text))).split())
    assert shown == "aria Total 45.00"


def test_breaks_entities_and_no_break_spaces_are_read() -> None:
    assert "Line one\nLine two three & €45,00 ½ café" in read("html/H2_br.html").text
    document = read("html/H9_dl.html")
    assert document.text.startswith(
        "Invoice: INV-1\nDate: 2024-03-03\n\n- a\n- b\n\n3. third\n\nx   y\n  z\n\n1\u00a0234,56 €"
    )
    assert "write us (x@example.org) link (https://example.org/p)" in document.text


def test_blocks_without_a_style_are_lines() -> None:
    assert read("html/H12_divtable.html").text == "Invoice\nINV-7\nTotal45.00\n\nA\n\nB\n\nC"


# tables


def test_a_cell_knows_the_headers_over_it_and_beside_it() -> None:
    document = read("html/H8_span.html")
    assert headers(document, "4") == (["Sales", "2024"], ["North"])
    assert headers(document, "1") == (["Sales", "2023"], ["North"])
    assert headers(read("html2/K5_th_rows.html"), "2024-03-03") == ([], ["Date"])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # a cell over two columns, a cell over two rows, both
        ("<tr><td colspan=2>A<td>B<tr><td>1<td>2<td>3", "A |  | B\n1 | 2 | 3"),
        ("<tr><td rowspan=2>A<td>1<tr><td>2<tr><td>B<td>3", "A | 1\n | 2\nB | 3"),
        ("<tr><td rowspan=2 colspan=2>A<td>1<tr><td>2<tr><td>x<td>y<td>z", "A |  | 1\n |  | 2\nx | y | z"),
        ("<tr><td>a<td rowspan=2>b<td>c<tr><td>d<td>e", "a | b | c\nd |  | e"),
        # to the end of its group, and no further
        ("<tbody><tr><td rowspan=0>A<td>1<tr><td>2</tbody><tbody><tr><td>B<td>3", "A | 1\n | 2\nB | 3"),
        ("<tbody><tr><td rowspan=9>A<td>1</tbody><tbody><tr><td>B<td>3", "A | 1\nB | 3"),
        ("<tr><td colspan=0>A<td>B", "A | B"),
        ("<tr><td colspan=junk>A<td rowspan=-2>B", "A | B"),
        # empty cells keep the columns of others
        ("<tr><th>A<th>B<tr><td><td>2", "A | B\n | 2"),
        ("<tr><td>&nbsp;<td>2<td></tr>", " | 2"),
        ("<tr><td hidden>x<td>2", "x | 2"),
        ("<caption>Prices</caption><tr><td>A<td>B", "Prices\n\nA | B"),
        ("<thead><tr><td>A<td>B<tbody><tr><td>1<td>2<tfoot><tr><td>S<td>3", "A | B\n1 | 2\nS | 3"),
        ("<tr><td>a<br>b<td><p>c<p>d", "a b | c d"),
        ("<tr><th>A<th>B<tr><td><ol><li>x<li>y</ol><td>2", "A | B\n1. x 2. y | 2"),
        ("<tr><th>A<th>B<tr><td><h3>x</h3><td>2", "A | B\nx | 2"),
        ("<tr><td><pre>x  y</pre><td>2", "x y | 2"),
        ("<tr style='display:none'><td>x<td>y<tr><td>1<td>2", "x | y\n1 | 2"),
    ],
)
def test_every_cell_stands_in_its_column(source: str, expected: str) -> None:
    assert text(f"<table>{source}</table>") == expected


def test_a_table_made_of_boxes_is_a_table_and_one_of_blocks_is_none() -> None:
    boxes = "<style>.t{display:table}.r{display:table-row}.r>div{display:table-cell}</style><div class=t>"
    boxes += "<div class=r><div>Item</div><div>Price</div></div><div class=r><div>Bolt</div><div>1.50</div></div></div>"
    assert cells(parse_html(boxes, "a")) == [[("Item", 0, 0), ("Price", 0, 1), ("Bolt", 1, 0), ("1.50", 1, 1)]]
    blocks = "<style>tr,td{display:block}</style><table><tr><td>Bolt<td>1.50</table>"
    assert text(blocks) == "Bolt\n\n1.50" and not parse_html(blocks, "a").tables


@pytest.mark.parametrize(
    "source",
    [
        "<table><tr><td><h2>Side</h2><td><p>Main</table>",
        "<table role=presentation><tr><td>Side<td>Main</table>",
        "<table><tr><td>Side<td><table><tr><td>Main</table></table>",
        "<table><tr><td><form>Side</form><td>Main</table>",
    ],
)
def test_a_table_that_lays_out_a_page_is_no_table(source: str) -> None:
    document = parse_html(source, "a")
    assert "Side |" not in document.text and "Side" in document.text and "Main" in document.text


def test_columns_that_are_not_there_are_bounded() -> None:
    document = parse_html("<table>" + "<tr>" + "<td colspan=1000>x" * 3000 + "</table>", "a")
    assert len(document.text) < 1_000_000


SPANS = st.integers(1, 3)


@settings(max_examples=40)
@given(st.lists(st.lists(st.tuples(SPANS, SPANS), min_size=1, max_size=4), min_size=1, max_size=5))
def test_no_two_cells_of_any_table_stand_in_one_place(rows: list[list[tuple[int, int]]]) -> None:
    names = iter(f"n{i}x" for i in range(99))
    source = "".join("<tr>" + "".join(f"<td rowspan={r} colspan={c}>{next(names)}" for r, c in row) for row in rows)
    (table,) = parse_html(f"<table>{source}</table>", "a").tables
    places = [(cell.row, cell.column) for cell in table.cells()]
    assert len(set(places)) == len(places) == sum(map(len, rows))
    document = parse_html(f"<table>{source}</table>", "a")
    for cell in table.cells():
        line = document.text[: cell.span.start].rsplit("\n", 1)[-1]
        assert line.count(" | ") == cell.column


# raised and lowered letters


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("40<sup>1</sup>", "40¹"),
        ("40 <sup>1</sup>", "40 ¹"),
        ("1,250<sup>(2)</sup>", "1,250⁽²⁾"),
        ("10<sup>-3</sup>", "10⁻³"),
        ("m<sup>2</sup>", "m²"),
        ("3<sup>rd</sup> of May", "3rd of May"),
        ("980<sup>a</sup>", "980ᵃ"),
        ("$45<sup>.99</sup>", "$45.99"),
        ("x<sup>*</sup>", "x*"),
        ("H<sub>2</sub>O", "H₂O"),
        ("7<span style='vertical-align:super;font-size:.7em'>2</span>", "7²"),
        ("<math><mn>5</mn><msup><mi>x</mi><mn>3</mn></msup></math>", "5x³"),
        ("<math><mfrac><mn>1</mn><mn>4</mn></mfrac></math>", "1/4"),
    ],
)
def test_raised_figures_are_no_digits_of_the_number_before(source: str, expected: str) -> None:
    assert text(f"<p>{source}") == expected


# forms


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<select><option>a<option selected>b<option>c</select>", "b"),
        ("<select><option>a<option>b</select>", "a"),
        ("<select><option disabled>choose<option>b</select>", "b"),
        ("<select><optgroup label=G><option>a<option selected>b</optgroup></select>", "b"),
        ("<select><option selected label='Label B'>b</select>", "Label B"),
        ("<select multiple><option>a<option selected>b</select>", "☐ a ☑ b"),
        ("<select size=3><option>a<option selected>b</select>", "☐ a ☑ b"),
        ("<input type=checkbox checked>yes<input type=checkbox>no", "☑ yes ☐ no"),
        ("<input type=radio name=a>one <input type=radio name=a checked>two", "○ one ● two"),
        ("<label>Name <input value='Ann Lee'></label>", "Name Ann Lee"),
        ("<input type=date value=2024-03-03>", "2024-03-03"),
        ("<input type=submit value='Send it'>", "Send it"),
        ("<textarea>\nline 1\nline 2</textarea>", "line 1\nline 2"),
        ("<button>Go</button><button>Stop</button>", "Go Stop"),
        ("a <input type=hidden value=x><input type=password value=y><input type=file value=z>", "a"),
        ("<output>12</output>", "12"),
    ],
)
def test_a_form_shows_what_is_filled_in(source: str, expected: str) -> None:
    assert text(f"<form>{source}</form>") == expected


# lists and terms


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<ul><li>a<li>b</ul>c", "- a\n- b\n\nc"),
        ("<ol><li>a<li>b</ol>", "1. a\n2. b"),
        ("<ol start=3><li>c</ol>", "3. c"),
        ("<ol reversed><li>b<li>a</ol>", "2. b\n1. a"),
        ("<ol><li>a<li value=7>b<li>c</ol>", "1. a\n7. b\n8. c"),
        ("<ol type=a><li>x<li>y</ol>", "a. x\nb. y"),
        ("<ol type=I start=4><li>x</ol>", "IV. x"),
        ("<ol style='list-style:lower-roman'><li>x<li>y</ol>", "i. x\nii. y"),
        ("<ol style='list-style-type:none'><li>x</ol>", "- x"),
        ("<ul><li>a<ol><li>b</ol></ul>", "- a\n1. b"),
        ("<dl><dt>Date<dd>3 May<dt>Total:<dd>45</dl>", "Date: 3 May\nTotal: 45"),
        ("<dl><dt>A<dt>B<dd>1<dd>2</dl>", "A\nB: 1\n2"),
        ("<dl><div><dt>A</dt><dd>1</dd></div></dl>", "A: 1"),
        ("<dl><dt>A</dt><dd><p>1<p>2</dd></dl>", "A: 1\n\n2"),
    ],
)
def test_lists_are_numbered_as_they_are_shown(source: str, expected: str) -> None:
    assert text(source) == expected


@given(st.integers(1, 3999))
def test_a_number_of_a_list_is_another_than_the_next(number: int) -> None:
    for style in ("decimal", "lower-alpha", "upper-roman", "decimal-leading-zero"):
        assert spell_number(number, style) != spell_number(number + 1, style)


# links


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<a href='https://a.example/x'>Site</a>", "Site (https://a.example/x)"),
        ("<a href='https://a.example/x'>https://a.example/x</a>", "https://a.example/x"),
        ("<a href='https://www.a.example/'>a.example</a>", "a.example"),
        ("<a href='mailto:a@b.example?subject=x'>Mail</a>", "Mail (a@b.example)"),
        ("<a href='mailto:a@b.example'>a@b.example</a>", "a@b.example"),
        ("<a href='tel:+4930123456'>030 / 12 34 56</a>", "030 / 12 34 56"),
        ("<a href='tel:+4930123456'>Call</a>", "Call (+4930123456)"),
        ("<a href='#top'>Top</a> <a href='/about'>About</a>", "Top About"),
        ("<a href='javascript:alert(1)'>x</a>", "x"),
        ("<a href='https://a.example'>A</a> <a href='https://a.example'>B</a>", "A (https://a.example) B"),
        ("<nav><a href='https://a.example'>A</a></nav>", "A"),
        ("<a href='https://a.example'><i class=icon></i></a>", "(https://a.example)"),
        (f"<a href='https://a.example/{'x' * 400}'>A</a>", "A"),
        ("<a href='https://a.example/'>A</a>, B", "A (https://a.example/), B"),
    ],
)
def test_the_address_behind_words_follows_them(source: str, expected: str) -> None:
    assert text(f"<p>{source}") == expected


# white space and blocks by style


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>a<br>b <b>c</b>d", "a\nb cd"),
        ("<pre>\n  a\n   b</pre>", "  a\n   b"),
        ("<div style='white-space:pre-line'>1 High St\nLeeds</div>", "1 High St\nLeeds"),
        ("<div style='white-space:pre-wrap'>a  b\nc</div>", "a  b\nc"),
        ("<span style='display:block'>a</span><span style='display:block'>b</span>", "a\nb"),
        ("<ul style='display:flex'><li>a<li>b</ul>", "- a - b"),
        ("<div style='display:flex'><div>Subtotal</div><div>45.00</div></div>", "Subtotal 45.00"),
        ("<div style='display:flex;flex-direction:column'><div>a</div><div>b</div></div>", "a\nb"),
        ("<ul><li style='display:inline'>a</li><li style='display:inline'>b</li></ul>", "a b"),
        ("<svg><text x=1 y=9>Net</text><text x=1 y=20>Gross</text></svg>", "Net\nGross"),
        ("<title>T</title><h2>a  b</h2>c", "# T\n\n## a b\n\nc"),
        ("Split<wbr>word", "Splitword"),
    ],
)
def test_a_web_page_is_laid_out_as_a_browser_would(source: str, expected: str) -> None:
    assert text(source) == expected


@given(st.lists(st.sampled_from([*"ab <&;>é😀\r\n", "&amp;", "&eacute;", "<b>", "</b>", "<p>"]), max_size=40))
def test_any_source_is_found_where_its_words_say(pieces: list[str]) -> None:
    source = "".join(pieces)
    document = parse_html(source, "a")
    for run in re.finditer(r"[^\W\d_]+", document.text):
        assert document.locations is not None
        (found,) = document.locations.locate(Span(*run.span()))
        there = source[found["source"]["start"] : found["source"]["end"]]
        assert run[0] in entities.unescape(re.sub(r"</?[bp]>", "", there))


def test_a_page_nested_very_deep_is_read() -> None:
    assert text("<div>" * 10_000 + "deep") == "deep"


# what style sheets add, frames, and tables as they are drawn

COUNTED = """<style>
body { counter-reset: part } h2 { counter-increment: part; counter-reset: clause }
h2::before { content: counter(part, upper-roman) ". " }
p::before { counter-increment: clause; content: counter(part) "." counter(clause) " " }
</style><h2>Scope</h2><p>All goods.</p><p>All parts.</p><h2>Term</h2><p>A year.</p>"""


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("<style>b::after { content: ' (overdue)' }</style><p>Sum <b>45.00</b> EUR</p>", "Sum 45.00 (overdue) EUR"),
        ("<style>.due:before { content: 'Due: ' }</style><p class=due>2 May</p>", "Due: 2 May"),
        ("<style>dt::after { content: ':' }</style><dl><dt>Name<dd>Ann<dt>Age<dd>31</dl>", "Name: Ann\nAge: 31"),
        (
            "<style>[data-unit]::after { content: ' ' attr(data-unit) }</style>"
            "<table><tr><th>Part<th>Mass<tr><td>M6<td data-unit=kg>5</table>",
            "Part | Mass\nM6 | 5 kg",
        ),
        (COUNTED, "## I. Scope\n\n1.1 All goods.\n\n1.2 All parts.\n\n## II. Term\n\n2.1 A year."),
        (
            "<style>ol { counter-reset: i; list-style: none } li { counter-increment: i }"
            " li::before { content: counters(i, '.') ') ' }</style><ol><li>a<ol><li>b<li>c</ol><li>d</ol>",
            "1) a\n1.1) b\n1.2) c\n2) d",
        ),
        ("<p>He said <q>yes</q>.", "He said “yes”."),
        ("<style>.new::after { content: 'new'; display: block }</style><p class=new>Bolt</p>", "Bolt\nnew"),
        ("<style>.ok::before { content: 'Yes' / 'agreed' }</style><p class=ok></p>", "Yes"),
        ("<style>p { --mark: 'Draft ' } p::before { content: var(--mark) }</style><p>Offer", "Draft Offer"),
    ],
)  # fmt: skip
def test_what_style_sheets_add_is_read_where_it_is_seen(source: str, shown: str) -> None:
    assert text(f"<!doctype html>{source}") == shown


@pytest.mark.parametrize(
    "rule",
    [
        ".a::before { content: 'UNSEEN'; display: none }",
        ".a::before { content: 'UNSEEN'; visibility: hidden }",
        ".a::before { content: 'UNSEEN'; color: white }",
        ".a::before { content: 'UNSEEN'; font-size: 0 }",
        ".a::before { content: none } .a::before, .b { color: red }",
        ".a:hover::before { content: 'UNSEEN' }",
        "@media print { .a::after { content: 'UNSEEN' } }",
        ".a::before { content: '\\f101' }",
        ".b::before { content: 'UNSEEN' }",
        ".a::marker { content: 'UNSEEN' }",
        ".a::before { content: url(unseen.png) }",
        "* { content: 'UNSEEN' }",
    ],
)
def test_what_style_sheets_add_out_of_sight_is_not_there(rule: str) -> None:
    assert text(f"<!doctype html><style>{rule}</style><p class=a>Offer</p>") == "Offer"


def test_what_style_sheets_add_is_bounded_and_told() -> None:
    document = parse_html(f"<style>b::before {{ content: '{'x' * 1000}' }}</style>{'<b>a</b> ' * 1000}", "a")
    assert len(document.text) < 400_000
    assert [part.reason for part in document.unread] == ["too large"]


FRAME = (
    '<p>Above</p><iframe srcdoc="<p>Fee: 5&amp;nbsp;EUR</p><table><tr><th>A<th>B<tr><td>1<td>2</table>"></iframe>below'
)


def test_a_page_in_a_frame_is_read_where_it_is_shown() -> None:
    document = parse_html(FRAME, "a")
    assert document.text == "Above\n\nFee: 5 EUR\n\nA | B\n1 | 2\n\nbelow"
    assert document.locations is not None
    (place,) = document.locations.locate(Span(document.text.index("Fee"), document.text.index("Fee") + 3))
    source = place["source"]
    assert isinstance(source, dict)
    assert FRAME[source["start"] : source["end"]] == "Fee"  # type: ignore[misc]
    assert headers(document, "2")[0] == ["B"]


def test_a_frame_that_nobody_sees_hides_its_page_and_frames_without_end_are_told() -> None:
    hidden = parse_html('a<iframe style="display:none" srcdoc="<p>UNSEEN</p>"></iframe>', "a")
    assert texts(hidden, hidden.hidden) == ["UNSEEN"]
    source = "x"
    for _ in range(6):
        source = f'<iframe srcdoc="{entities.escape(source)}"></iframe>a'
    deep = parse_html(source, "a")
    assert [part.part for part in deep.unread] == ["frames"]


def test_the_foot_of_a_table_is_read_below_its_rows() -> None:
    rows = "<tfoot><tr><td>Total<td>3</tfoot><thead><tr><th>Item<th>Qty</thead><tbody><tr><td>Bolt<td>3</tbody>"
    assert text(f"<table><caption>Order</caption>{rows}</table>") == "Order\n\nItem | Qty\nBolt | 3\nTotal | 3"
    plain = "<style>tfoot { display: table-row-group }</style>"
    assert text(f"{plain}<table><tfoot><tr><td>a<td>b</tfoot><tr><td>c<td>d</table>") == "a | b\nc | d"


def test_names_of_columns_below_a_title_stand_over_their_cells() -> None:
    rows = "<tr><td colspan=3>Order 45<tr><td>Vendor<td colspan=2>Bolt AG"
    rows += "<tr><th>Item<th>Qty<th>Net<tr><td>M6<td>100<td>12.00"
    document = parse_html(f"<table>{rows}<tr><td>M8<td>7<td>3.50</table>", "a")
    assert headers(document, "3.50")[0] == ["Net"] and headers(document, "100")[0] == ["Qty"]


RECEIPT = "<tr><td>Order<td>#1001<tr><td>Bolt x 3<td>$4.50<tr><td><b>Total</b><td><b>$4.50</b>"


def test_a_receipt_of_short_entries_keeps_its_rows_whatever_its_tables_say() -> None:
    inner = f"<table role=presentation>{RECEIPT}</table>"
    assert text(f"<table role=presentation><tr><td>{inner}</table>") == "Order | #1001\nBolt x 3 | $4.50\nTotal | $4.50"


@pytest.mark.parametrize(
    "rows",
    [
        "<tr><td>Home<td>Shop<td>Help<tr><td>News<td>Team<td>Jobs",
        "<tr><td><p>Order 1</p><td>a<tr><td>Order 2<td>b",
        f"<tr><td>{'a long text ' * 6}<td>1<tr><td>{'a long text ' * 6}<td>2",
        "<tr><td>Order<td>#1001",
    ],
)
def test_a_table_of_anything_else_that_lays_out_a_page_is_none(rows: str) -> None:
    assert not parse_html(f"<table role=presentation>{rows}</table>", "a").tables
