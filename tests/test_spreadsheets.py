"""Spreadsheets as they are shown: formats, tables and titles, what is hidden, and what the file does not tell."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_xlsx import write

from extractor.documents.discovery import load_bytes, load_document
from extractor.documents.formats.number_format import show_value
from extractor.errors import DocumentError
from extractor.types import Document, Span

CASES = Path(__file__).parent / "data" / "documents"
Filling = Callable[[Any, Any], None]
SHEET = "xl/worksheets/sheet1.xml"


def read(fill: Filling, changes: dict[str, tuple[str, str]] | None = None, **more: object) -> Document:
    return load_bytes(write(fill, changes, **more), "a.xlsx")


def hidden(document: Document) -> list[str]:
    return [document.text[h.start : h.end] for h in document.hidden]


def doubtful(document: Document) -> list[str]:
    return [document.text[d.start : d.end] for d in document.doubtful]


def headers(document: Document) -> list[str | None]:
    return [document.text[t.header.start : t.header.end] if t.header else None for t in document.tables]


def test_values_are_shown_by_their_formats() -> None:
    document = load_document(CASES / "xlsx/X1_formats.xlsx")
    assert document.text.split("\n")[1:] == [
        "A-1 | 04/03/2024 | 12.5% | 1,234.50 € | line one line two | 49301234567 | 01067 | 2024-03-04 14:30:00 | "
        "(1,234.50) | 1/2 | 1.5E-07 | PO-0045 | TRUE | 30:15",
        "A-2 | 2024-12-31 | 100% | 1.0M | x |  | 00007 | 9:05:00 | 0 | 0.3 | 1.23457E+16 | 3 | FALSE",
    ]


def test_formulas_without_a_result_are_named() -> None:
    document = load_document(CASES / "xlsx/X2_formulas.xlsx")
    assert [(u.part, u.reason) for u in document.unread] == [("cells Sheet!D2:D4", "formula")]
    assert document.text == "Item | Qty | Price | Total\nBolt | 10 | 1.5\nNut | 2 | 3\nSum"


def test_merged_cells_keep_every_column() -> None:
    document = load_document(CASES / "xlsx/X3_merged.xlsx")
    assert document.text.split("\n")[1:] == [
        "Region | Team | Person | Sales",
        "North | Red | Ann | 10",
        " |  | Bob | 20",
        " | Blue | Cy | 30",
    ]
    assert headers(document) == ["Region | Team | Person | Sales"]
    (table,) = document.tables
    sold = table.cell_at(document.text.index("| 20") + 2)
    assert sold is not None and [document.text[h.start : h.end] for h in table.column_headers(sold)] == ["Sales"]
    assert [document.text[h.start : h.end] for h in table.row_headers(sold)] == ["North"]
    title = table.cell_at(0)
    assert title is not None and title.column_span == 4 and not table.column_headers(title)


def test_a_sheet_may_hold_several_tables_below_titles() -> None:
    document = load_document(CASES / "xlsx/X5_two_tables.xlsx")
    assert document.text == "Acme Ltd\nReport\n\nItem | Qty\nBolt | 1\n\nItem | Price\nBolt | 2"
    assert headers(document) == ["Item | Qty", "Item | Price"]


def test_texts_are_as_they_were_typed() -> None:
    document = load_document(CASES / "xlsx/X6_text.xlsx")
    assert document.text.split("\n")[1] == "0012 | DE89 3704 0044 0532 0130 00"


def test_nine_hundred_rows_have_the_header_below_the_title() -> None:
    document = load_document(CASES / "merge/M1_title.xlsx")
    assert headers(document) == ["Item no | Description | Unit price"]
    assert document.text.count("\n") == 902
    assert document.locations is not None
    start = document.text.index("SKU-0899")
    assert document.locations.locate(Span(start, start + 8)) == [{"sheet": "Sheet", "cell": "A903"}]


def rows(sheet: Any, *lines: tuple[object, ...], top: int = 0, left: int = 0) -> None:
    for i, line in enumerate(lines):
        for j, value in enumerate(line):
            if value is not None:
                sheet.write(top + i, left + j, value)


def test_tables_side_by_side_are_two_and_a_form_with_gaps_is_one() -> None:
    def beside(book: Any, sheet: Any) -> None:
        rows(sheet, ("Item", "Qty"), ("Bolt", 1), ("Nut", 2))
        rows(sheet, ("Item", "Price"), ("Pin", 3.5), left=4)

    document = read(beside)
    assert document.text == "Item | Qty\nBolt | 1\nNut | 2\n\nItem | Price\nPin | 3.5"

    def form(book: Any, sheet: Any) -> None:
        rows(sheet, ("Order", None, "B-7", None, "Date", "3 May"), ("Buyer", None, "Ada", None, "Phone", "123"))

    assert read(form).text == "Order |  | B-7 |  | Date | 3 May\nBuyer |  | Ada |  | Phone | 123"


def test_a_gap_in_a_table_ends_it_only_where_another_begins() -> None:
    def fill(book: Any, sheet: Any) -> None:
        rows(sheet, ("Item", "Qty"), ("Bolt", 1), ("Nut", 2))
        rows(sheet, ("Pin", 3), ("Cog", 4), top=4)
        rows(sheet, ("Name", "Age"), ("Ada", 36), top=8)

    document = read(fill)
    assert document.text == "Item | Qty\nBolt | 1\nNut | 2\nPin | 3\nCog | 4\n\nName | Age\nAda | 36"
    assert headers(document) == ["Item | Qty", "Name | Age"]


def test_a_table_that_the_file_declares_has_its_header() -> None:
    def fill(book: Any, sheet: Any) -> None:
        columns = [{"header": "2023"}, {"header": "2024"}]
        sheet.add_table("B2:C3", {"data": [[1, 2]], "columns": columns})

    document = read(fill)
    assert document.text == "2023 | 2024\n1 | 2" and headers(document) == ["2023 | 2024"]
    assert not document.hidden and not document.doubtful


def plain(book: Any, sheet: Any) -> None:
    rows(sheet, ("Item", "Qty", "Note"), ("Bolt", 1, "seen"), ("x9", "x9", "x9"), ("Nut", 2, "seen"))


def with_look(**look: object) -> Filling:
    def fill(book: Any, sheet: Any) -> None:
        rows(sheet, ("Item", "Qty"), ("Bolt", 1))
        sheet.write(2, 0, "x9", book.add_format(look))
        sheet.write(3, 0, "Nut")

    return fill


def hide_row(book: Any, sheet: Any) -> None:
    plain(book, sheet)
    sheet.set_row(2, None, None, {"hidden": True})


def flatten_row(book: Any, sheet: Any) -> None:
    plain(book, sheet)
    sheet.set_row(2, 0.4)


def group_row(book: Any, sheet: Any) -> None:
    plain(book, sheet)
    sheet.set_row(2, None, None, {"level": 1, "hidden": True})
    sheet.set_row(3, None, None, {"collapsed": True})


def hide_column(book: Any, sheet: Any) -> None:
    rows(sheet, ("Item", "Qty", "x9"), ("Bolt", 1, "x9"))
    sheet.set_column(2, 2, None, None, {"hidden": True})


def narrow_column(book: Any, sheet: Any) -> None:
    rows(sheet, ("Item", "Qty", "x9"), ("Bolt", 1, "x9"))
    sheet.set_column(2, 2, 0)


def hide_sheet(book: Any, sheet: Any) -> None:
    plain_rows = (("Item", "Qty"), ("Bolt", 1))
    rows(sheet, *plain_rows)
    other = book.add_worksheet("x9")
    other.write(0, 0, "x9")
    other.hide()


def hide_sheet_well(book: Any, sheet: Any) -> None:
    hide_sheet(book, sheet)
    book.worksheets()[1].very_hidden()


def write_far_away(book: Any, sheet: Any) -> None:
    rows(sheet, ("Item", "Qty"), ("Bolt", 1))
    sheet.write("XFD1000", "x9")


def write_far_below(book: Any, sheet: Any) -> None:
    rows(sheet, ("Item", "Qty"), ("Bolt", 1))
    sheet.write("A9000", "x9")


def write_in_parts(book: Any, sheet: Any) -> None:
    rows(sheet, ("Item", "Qty"), ("Bolt", 1))
    pale = book.add_format({"font_color": "white"})
    sheet.write_rich_string(2, 0, "seen ", pale, "x9", " seen")


def hide_by_filter(book: Any, sheet: Any) -> None:
    plain(book, sheet)
    sheet.autofilter("A1:C4")
    sheet.filter_column("A", "x != x9")
    sheet.set_row(2, None, None, {"hidden": True})


TRICKS: dict[str, Filling] = {
    "hidden row": hide_row,
    "flat row": flatten_row,
    "collapsed group": group_row,
    "filtered row": hide_by_filter,
    "hidden column": hide_column,
    "column without a width": narrow_column,
    "hidden sheet": hide_sheet,
    "very hidden sheet": hide_sheet_well,
    "far away": write_far_away,
    "far below": write_far_below,
    "part of a cell": write_in_parts,
    "white": with_look(font_color="white"),
    "near white": with_look(font_color="#FEFEFE"),
    "white on white": with_look(font_color="white", bg_color="white"),
    "black on black": with_look(font_color="black", bg_color="black"),
    "tiny": with_look(font_size=1),
    "format that shows nothing": with_look(num_format=";;;"),
    "format that paints white": with_look(num_format="General;General;General;[White]@"),
    "theme white": with_look(font_color="#FFFFFF"),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_what_nobody_can_see_is_hidden(trick: str) -> None:
    document = read(TRICKS[trick])
    assert "x9" in "".join(hidden(document))
    assert "x9" not in document.visible_text(Span(0, len(document.text)))
    assert "seen" not in "".join(hidden(document)) and "Bolt" not in "".join(hidden(document))
    assert not document.doubtful


def test_numbers_that_a_format_keeps_from_sight_are_hidden() -> None:
    def fill(book: Any, sheet: Any) -> None:
        rows(sheet, ("Item", "Qty"), ("Bolt", 1))
        sheet.write(2, 0, 9999, book.add_format({"num_format": ";;;"}))
        sheet.write(2, 1, 0, book.add_format({"num_format": "0;-0;;@"}))

    document = read(fill)
    assert hidden(document) == ["9999"] and document.text.endswith("Bolt | 1\n9999")


def faint(book: Any, sheet: Any) -> None:
    sheet.write(0, 0, "x9", book.add_format({"font_color": "#EFEFEF"}))


def remark(book: Any, sheet: Any) -> None:
    sheet.write(0, 0, "Fee")
    sheet.write_comment(0, 0, "x9")


def rule(book: Any, sheet: Any) -> None:
    sheet.write(0, 0, "x9", book.add_format({"font_color": "white"}))
    sheet.conditional_format("A1", {"type": "no_blanks", "format": book.add_format({"bg_color": "red"})})


def white_in_table(book: Any, sheet: Any) -> None:
    sheet.add_table("A1:A2", {"columns": [{"header": "x9", "header_format": book.add_format({"font_color": "white"})}]})


@pytest.mark.parametrize("fill", [faint, remark, rule, white_in_table])
def test_what_perhaps_nobody_sees_is_shown_and_doubtful(fill: Filling) -> None:
    document = read(fill)
    assert not document.hidden and doubtful(document) == ["x9"]


def test_comments_and_text_boxes_stand_below_the_table_with_their_place() -> None:
    def fill(book: Any, sheet: Any) -> None:
        rows(sheet, ("Item", "Qty"), ("Bolt", 1))
        sheet.write_comment("B2", "counted twice")
        sheet.insert_textbox("D5", "Prices without tax")

    document = read(fill)
    assert document.text == "Item | Qty\nBolt | 1\n\ncounted twice\n\nPrices without tax"
    assert document.locations is not None
    start = document.text.index("counted")
    assert document.locations.locate(Span(start, start + 7)) == [{"sheet": "Data", "cell": "B2", "part": "comment"}]


def test_dates_from_1904_and_addresses_behind_words() -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_datetime(0, 0, datetime.datetime(2024, 3, 4), book.add_format({"num_format": "d mmmm yyyy"}))
        sheet.write_url(1, 0, "https://shop.example/a", string="Shop")
        sheet.write_formula(2, 0, '=HYPERLINK("mailto:a@b.example","Mail")', None, "Mail")
        sheet.write_url(3, 0, "https://c.example")

    document = read(fill, date_1904=True)
    assert document.text.split("\n") == [
        "4 March 2024",
        "Shop (https://shop.example/a)",
        "Mail (a@b.example)",
        "https://c.example",
    ]


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (0.125, "0.0 %", "12.5 %"),
        (7, "00000", "00007"),
        (1234.5, "#,##0.00 [$€-407]", "1,234.50 €"),
        (-1234.5, "$#,##0.00_);($#,##0.00)", "($1,234.50)"),
        (3.75, "# ?/?", "3 3/4"),
        (0.3, "# ?/8", "2/8"),
        (1.26, "[h]:mm", "30:14"),
        (45355, "dd.mm.yyyy", "04.03.2024"),
        (45355, "[$-407]d. mmmm yyyy", "4. März 2024"),
        (45355.75, "yyyy-mm-dd h:mm AM/PM", "2024-03-04 6:00 PM"),
        (60, "d/m/yyyy", "29/2/1900"),
        (45355, "DD/MM/YYYY", "04/03/2024"),
        (0.5, "mm:ss.0", "00:00.0"),
        (5551234567, "(000) 000-0000", "(555) 123-4567"),
        (12345.678, "##0.0E+0", "12.3E+3"),
        (1_000_000, '#,##0.0,,"M"', "1.0M"),
        (1.5, '[>=1]"big" 0.0;[<1]"small"', "big 1.5"),
        (0, '#,##0;-#,##0;"-"', "-"),
        (2.5, "0", "3"),
        (1.005, "0.00", "1.01"),
        (0.1 + 0.2, "General", "0.3"),
        (49301234567, "General", "49301234567"),
        ("x", '"No. "@', "No. x"),
        ("x", "0.00", "x"),
        (True, "0.00", "TRUE"),
    ],
)
def test_a_format_shows_a_value_as_excel_does(value: float | str, code: str, shown: str) -> None:
    assert show_value(value, code).text == shown


@given(st.floats(-1e15, 1e15), st.text(st.sampled_from(list('0#?.,%E+-/"\\_*[]@;ymdhsAP hHRed$€>=<:() ')), max_size=20))
def test_no_format_breaks_the_reader(value: float, code: str) -> None:
    assert isinstance(show_value(value, code).text, str)


@given(st.integers(-(10**12), 10**12))
def test_whole_numbers_are_shown_whole(value: int) -> None:
    assert show_value(float(value), "#,##0").text.replace(",", "") == str(value)
    assert show_value(float(value), "General").text == str(value)


def test_a_workbook_that_is_empty_or_broken_is_named() -> None:
    with pytest.raises(DocumentError) as error:
        read(lambda book, sheet: None)
    assert error.value.reason == "empty"
    with pytest.raises(DocumentError):
        read(plain, {SHEET: ("</sheetData>", "")})


def test_old_files_are_shown_by_their_formats_and_looks_too() -> None:
    document = load_document(CASES / "xls/formats.xls")
    assert document.text.split("\n")[:7] == [
        "# Prices",
        "",
        "Price list",
        "",
        "Item | Day | Share | Code | secret",
        "Bolt | 04/03/2024 | 12.5% | 00007 | x9",
        "Nut | x9 | 9999 | TRUE",
    ]
    seen = document.visible_text(Span(0, len(document.text)))
    assert "x9" not in seen and "9999" not in seen and "secret" not in seen


def test_signs_that_xml_forbids_are_read_and_halves_of_letters_are_not() -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write(0, 0, "one_x000D_two")
        sheet.write(1, 0, "_xD83D_")

    changes = {"xl/sharedStrings.xml": ("_x005F_x", "_x")}
    assert read(fill, changes).text == "one two\n_xD83D_"


def test_the_first_cell_of_a_sheet_may_stand_anywhere() -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write("BB300", "Fee")
        sheet.write("BB301", 5)

    document = read(fill)
    assert document.text == "Fee\n5" and not document.hidden and not document.doubtful


def test_the_title_and_axes_of_a_chart_are_read_and_its_figures_stay_in_their_cells() -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["Region", "Sales"])
        sheet.write_row(1, 0, ["North", 12])
        chart = book.add_chart({"type": "column"})
        chart.add_series({"categories": "=Data!$A$2:$A$2", "values": "=Data!$B$2:$B$2"})
        chart.set_title({"name": "Sales by region"})
        chart.set_y_axis({"name": "in thousands of EUR"})
        sheet.insert_chart("D2", chart)

    document = read(fill)
    assert document.text == "Region | Sales\nNorth | 12\n\nSales by region: in thousands of EUR"
    start = document.text.index("thousands")
    assert document.locations is not None
    assert document.locations.locate(Span(start, start + 3)) == [{"sheet": "Data", "cell": "D2", "part": "chart"}]
