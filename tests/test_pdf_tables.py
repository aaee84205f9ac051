"""Tables of PDF pages: rows, cells, spans and headers, with rules and without; and what only looks like a table."""

import itertools
from pathlib import Path

import pytest
import tiny_pdf
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_pdf import Line

from extractor.documents.formats.page_grid import Line as Rule
from extractor.documents.formats.page_grid import find_grids
from extractor.documents.formats.pdf import load
from extractor.types import Document, Span, TextTable

Drawn = tuple[float, float, str]


def read(tmp_path: Path, words: list[Drawn], drawing: bytes = b"", *, size: float = 10) -> Document:
    path = tmp_path / "a.pdf"
    path.write_bytes(tiny_pdf.write([drawing + tiny_pdf.page([Line(x, y, text, size) for x, y, text in words])]))
    return load(path, "a.pdf", False)


def rows(document: Document, table: TextTable) -> list[str]:
    return document.text[table.span.start : table.span.end].split("\n")


def headers(document: Document, words: str) -> list[str]:
    """What stands over the cell with these words."""
    at = document.text.index(words)
    table = next(t for t in document.tables if t.span.start <= at < t.span.end)
    cell = table.cell_at(at)
    assert cell is not None
    return [document.text[span.start : span.end] for span in table.column_headers(cell)]


def grid(xs: list[float], ys: list[float]) -> bytes:
    """Rules along all edges."""
    level = [b"%g %g m %g %g l S" % (xs[0], y, xs[-1], y) for y in ys]
    return b"\n".join([*level, *(b"%g %g m %g %g l S" % (x, ys[0], x, ys[-1]) for x in xs)]) + b"\n"


def test_cells_between_rules_hold_all_their_lines(tmp_path: Path) -> None:
    words = [
        *[(64.0, 705.0, "Qty"), (114.0, 705.0, "Material"), (264.0, 705.0, "Total")],
        *[(64.0, 680.0, "5"), (114.0, 685.0, "Marking of foundation"), (114.0, 674.0, "layout at site")],
        *[(264.0, 680.0, "1,000.00"), (64.0, 650.0, "4"), (114.0, 650.0, "Earth excavation"), (264.0, 650.0, "600.00")],
    ]
    document = read(tmp_path, words, grid([60, 110, 260, 320], [720, 700, 668, 640]))
    (table,) = document.tables
    assert rows(document, table) == [
        "Qty | Material | Total",
        "5 | Marking of foundation layout at site | 1,000.00",
        "4 | Earth excavation | 600.00",
    ]
    assert headers(document, "600.00") == ["Total"]


def test_a_cell_reaches_as_far_as_no_rule_ends_it(tmp_path: Path) -> None:
    rules = (
        b"60 720 m 320 720 l S 60 700 m 320 700 l S 60 680 m 320 680 l S 60 660 m 320 660 l S 60 720 m 60 660 l S "
        b"320 720 m 320 660 l S 140 700 m 140 660 l S 230 700 m 230 660 l S\n"
    )
    words = [
        *[(64.0, 705.0, "Sales of the year"), (64.0, 685.0, "Region"), (144.0, 685.0, "May"), (234.0, 685.0, "June")],
        *[(64.0, 665.0, "North"), (144.0, 665.0, "12"), (234.0, 665.0, "15")],
    ]
    document = read(tmp_path, words, rules)
    (table,) = document.tables
    title = table.cell_at(document.text.index("Sales"))
    assert title is not None and (title.row, title.column, title.column_span) == (0, 0, 3)
    assert rows(document, table)[1:] == ["Region | May | June", "North | 12 | 15"]
    assert headers(document, "15")[-1] == "June"


def test_columns_between_upright_rules_have_rows_without_level_ones(tmp_path: Path) -> None:
    words = [(64.0, 705.0, "Item"), (164.0, 705.0, "Count"), (264.0, 705.0, "Price")]
    for i in range(8):
        words += [
            (64.0, 685 - 12.0 * i, f"Bolt {i}"),
            (164.0, 685 - 12.0 * i, f"{i}0"),
            (264.0, 685 - 12.0 * i, f"{i}.50"),
        ]
    document = read(tmp_path, words, grid([60, 160, 260, 320], [720, 700, 590]))
    (table,) = document.tables
    assert rows(document, table) == ["Item | Count | Price", *(f"Bolt {i} | {i}0 | {i}.50" for i in range(8))]
    assert headers(document, "7.50") == ["Price"]


def test_words_that_run_across_a_rule_are_in_two_cells(tmp_path: Path) -> None:
    words = [
        (64.0, 705.0, "Pieces"),
        (124.0, 705.0, "Kind"),
        (104.0, 685.0, "12 PACKED"),
        (64.0, 665.0, "3"),
        (124.0, 665.0, "L"),
    ]
    document = read(tmp_path, words, grid([60, 117, 320], [720, 700, 680, 660]))
    assert rows(document, document.tables[0]) == ["Pieces | Kind", "12 | PACKED", "3 | L"]


def test_a_row_of_two_lines_is_one_row_where_rows_are_further_apart(tmp_path: Path) -> None:
    words = []
    for i, name in enumerate(["Fusao TAKAHASHI", "Jose PENALOZA", "Itaru YANAGAWA", "Kazuyuki FUKUDA"]):
        y = 700 - 26.0 * i
        words += [
            (60.0, y, str(i + 1)),
            (100.0, y, name),
            (260.0, y, "JPN"),
            (330.0, y - 11, f"4{i}.01"),
            (400.0, y - 11, "(1.02)"),
        ]
    document = read(tmp_path, words)
    assert rows(document, document.tables[0])[1] == "2 | Jose PENALOZA | JPN | 41.01 | (1.02)"


def test_groups_of_rows_that_are_apart_stay_rows(tmp_path: Path) -> None:
    words = []
    for group in range(3):
        for i in range(3):
            y = 700 - 50.0 * group - 11 * i
            words += [(60.0, y, f"0{i + 1}.03."), (130.0, y, f"trip {group}{i}"), (260.0, y, f"{group}{i}.50")]
    document = read(tmp_path, words)
    assert len(rows(document, document.tables[0])) == 9


def test_wrapped_words_go_on_in_their_cell(tmp_path: Path) -> None:
    words = [(60.0, 720.0, "Date"), (130.0, 720.0, "Description"), (400.0, 720.0, "Amount")]
    y = 705.0
    for i in range(5):
        words += [(60.0, y, f"0{i + 1}/15"), (130.0, y, "C&J RETAIL DEBIT SETTLEMENT STORE"), (400.0, y, f"{i}45.80")]
        words += [(130.0, y - 10, "nbr 131")]
        y -= 26
    document = read(tmp_path, words)
    assert rows(document, document.tables[0])[1:3] == [
        "01/15 | C&J RETAIL DEBIT SETTLEMENT STORE nbr 131 | 045.80",
        "02/15 | C&J RETAIL DEBIT SETTLEMENT STORE nbr 131 | 145.80",
    ]


def test_a_table_that_is_drawn_column_by_column_has_rows(tmp_path: Path) -> None:
    words = [(60.0, 700 - 12.0 * i, f"{i} - 12") for i in range(6)]
    words += [(200.0, 700 - 12.0 * i, f"{20 + i}.00") for i in range(6)]
    document = read(tmp_path, words)
    assert rows(document, document.tables[0]) == [f"{i} - 12 | {20 + i}.00" for i in range(6)]


def test_tables_side_by_side_with_the_same_headers_are_two(tmp_path: Path) -> None:
    words = []
    for i, row in enumerate([("Number", "Date", "Amount"), *((f"44{i}", f"0{i}/19", f"{i}0.00") for i in range(1, 6))]):
        for left in (60.0, 330.0):
            words += [(left + 80 * j, 700 - 13.0 * i, text) for j, text in enumerate(row)]
    document = read(tmp_path, words)
    assert len(document.tables) == 2
    assert all(rows(document, table)[3] == "443 | 03/19 | 30.00" for table in document.tables)


GOODS = [("Item", "Qty", "Price"), ("Bolt", "10", "1.20"), ("Nut", "20", "0.40"), ("Pin", "30", "0.10")]
STAFF = [("Name", "Phone", "Town"), ("Ann", "5550101", "Paris"), ("Bob", "5550102", "Rome"), ("Cy", "5550103", "Bonn")]


def place_rows(cells: list[tuple[str, ...]], top: float, lefts: tuple[float, ...] = (60, 180, 280)) -> list[Drawn]:
    return [(x, top - 14.0 * i, text) for i, row in enumerate(cells) for x, text in zip(lefts, row, strict=True)]


@pytest.mark.parametrize(
    ("below", "title"),
    [((60.0, 180.0, 280.0), ""), ((60.0, 220.0, 340.0), ""), ((60.0, 180.0, 280.0), "Staff")],
    ids=["the same columns", "other columns", "a title between"],
)
def test_tables_one_below_the_other_are_two(tmp_path: Path, below: tuple[float, ...], title: str) -> None:
    words = place_rows(GOODS, 700) + ([(60.0, 630.0, title)] if title else [])
    document = read(tmp_path, words + place_rows(STAFF, 616 if title else 630, below))
    assert [rows(document, table)[0] for table in document.tables] == ["Item | Qty | Price", "Name | Phone | Town"]
    assert headers(document, "0.10") == ["Price"] and headers(document, "5550103") == ["Phone"]


def test_the_addresses_of_an_invoice_are_no_rows_of_its_items(tmp_path: Path) -> None:
    address = [("Bolt AG", "INVOICE"), ("1 Main St", "No. INV-7"), ("Berlin", "2 May 2024")]
    words = [(x, 750.0 - 14 * i, word) for i, row in enumerate(address) for x, word in zip((60, 400), row, strict=True)]
    document = read(tmp_path, words + place_rows(GOODS, 690, (60, 300, 440)))
    assert headers(document, "0.40") == ["Price"] and headers(document, "30") == ["Qty"]


@pytest.mark.parametrize(
    "more",
    [
        [("Total", "60", "1.70")],
        [("Cap", "5", "0.20"), ("Lid", "4", "3.00"), ("Rod", "1", "0.90")],
        [("Cap", "none", "free"), ("Lid", "none", "free"), ("Rod", "none", "free")],
    ],
    ids=["a total", "a group of rows", "rows of words"],
)
def test_rows_after_a_gap_that_name_no_columns_are_of_the_table_above(
    tmp_path: Path, more: list[tuple[str, ...]]
) -> None:
    (table,) = read(tmp_path, place_rows(GOODS, 700) + place_rows(more, 630)).tables
    assert table.grid is not None and len(table.cells()) == 12 + 3 * len(more)


def test_parts_of_a_page_that_are_not_level_are_read_one_after_the_other(tmp_path: Path) -> None:
    left = [(60.0, 700 - 14.0 * i, text) for i, text in enumerate(["Item", "Bolt", "Nut", "Pin", "Cap"])]
    left += [(160.0, 700 - 14.0 * i, text) for i, text in enumerate(["Count", "10", "20", "30", "40"])]
    right = [(330.0, 695 - 11.0 * i, f"A line of the letter number {i}") for i in range(7)]
    words = [word for pair in zip(left, [*right, *right[-3:]], strict=False) for word in pair][:17]
    document = read(tmp_path, list(dict.fromkeys(words)) + left[7:])
    (table,) = document.tables
    assert rows(document, table) == ["Item | Count", "Bolt | 10", "Nut | 20", "Pin | 30", "Cap | 40"]


@pytest.mark.parametrize(
    "words",
    [
        # labels and values
        [
            (x, 700 - 14.0 * i, text)
            for i, row in enumerate(
                [("Invoice No:", "INV-1"), ("Date:", "03/04/2024"), ("Total:", "45.00"), ("Due:", "May")]
            )
            for x, text in zip((60.0, 200.0), row, strict=True)
        ],
        # items of a list
        [
            (x, 700 - 14.0 * i, text)
            for i in range(6)
            for x, text in ((60.0, "•"), (90.0, f"Oversee the laboratory number {i} and its staff"))
        ],
        # two columns of prose on one grid of lines
        [
            (x, 700 - 14.0 * i, f"{side} column has its line number {i}, and more")
            for x, side in ((60.0, "The left"), (330.0, "The right"))
            for i in range(8)
        ],
        # one column of prose
        [(60.0, 700 - 14.0 * i, f"This is line number {i} of a text with words.") for i in range(9)],
    ],
)
def test_what_only_looks_like_a_table_is_none(tmp_path: Path, words: list[Drawn]) -> None:
    assert not read(tmp_path, words).tables


def test_a_box_around_a_letter_is_no_table(tmp_path: Path) -> None:
    words = [(70.0, 700 - 14.0 * i, f"This is line number {i} of a letter in a box.") for i in range(9)]
    document = read(tmp_path, words, grid([60, 400], [720, 500]))
    assert not document.tables and "line number 8" in document.text


def test_the_cells_of_a_form_are_read_line_by_line_in_whatever_order_they_are_drawn(tmp_path: Path) -> None:
    """Printed first, with signs between which people write; then what was typed, over all of it."""
    printed = [
        *[(240.0, 705.0, "N"), (64.0, 705.0, "Latitude:"), (64.0, 685.0, "Longitude:"), (240.0, 685.0, "W")],
        *[(152.0, 685.0, "*"), (152.0, 705.0, "*"), (304.0, 705.0, "Location:"), (304.0, 685.0, "Sec.")],
        (360.0, 685.0, "T."),
    ]
    typed = [
        *[(376.0, 685.0, "10N"), (360.0, 705.0, "NE 1/4"), (336.0, 685.0, "20")],
        *[(136.0, 705.0, "40"), (164.0, 705.0, "49"), (136.0, 685.0, "96"), (164.0, 685.0, "46")],
    ]
    drawing = grid([60, 300, 460], [720, 670])
    text = read(tmp_path, printed + typed, drawing).text
    assert [" ".join(line.split()) for line in text.split("\n") if line] == [
        "Latitude: 40 * 49 N",
        "Longitude: 96 * 46 W",
        "Location: NE 1/4",
        "Sec. 20 T. 10N",
    ]


def test_a_sign_between_the_words_of_a_line_stands_between_them(tmp_path: Path) -> None:
    words = [
        *[(140.0, 685.0, "none"), (64.0, 705.0, "Latitude:"), (152.0, 705.0, "o'"), (64.0, 685.0, "Longitude:")],
        *[(240.0, 685.0, "West"), (240.0, 705.0, "North")],
        *[(304.0, 705.0, "Datum:"), (304.0, 685.0, "NAD"), (380.0, 705.0, "Day:"), (380.0, 685.0, "first")],
    ]
    typed = b"BT /F1 10 Tf 136 705 Td [(40) -1400 (49)] TJ ET\n"
    text = read(tmp_path, words, grid([60, 300, 460], [720, 670]) + typed).text
    found = ["".join(line.split()) for line in text.split("\n") if line]
    assert found[:2] == ["Latitude:40o'49North", "Longitude:noneWest"]


def test_every_cell_has_the_box_of_its_own_words(tmp_path: Path) -> None:
    words = [
        (x, 700 - 9.6 * i, f"{text} {i}")
        for i in range(5)
        for x, text in ((60.0, "Bolt"), (200.0, "4.50"), (300.0, "M"))
    ]
    document = read(tmp_path, words, size=9)
    assert document.locations is not None
    at = document.text.index("4.50 2")
    (found,) = document.locations.locate(Span(at, at + 6))
    left, top, right, bottom = found["box"]
    assert left == pytest.approx(200, abs=1) and right < 235
    assert 792 - 700 + 19.2 - 10 < top < bottom < 792 - 700 + 19.2 + 4


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_cells_of_any_grid_cover_it_once(data: st.DataObject) -> None:
    xs = sorted(data.draw(st.sets(st.integers(0, 40), min_size=2, max_size=6)))
    ys = sorted(data.draw(st.sets(st.integers(0, 40), min_size=2, max_size=6)))
    width, height = [20.0 * x for x in xs], [20.0 * y for y in ys]
    level = [Rule(y, width[0], width[-1]) for y in height]
    upright = [Rule(x, height[0], height[-1]) for x in (width[0], width[-1])]
    for x in width[1:-1]:
        upright += [Rule(x, a, b) for a, b in itertools.pairwise(height) if data.draw(st.booleans())]
    grids = find_grids(level, upright)
    for found in grids:
        places = [
            (r, c)
            for region in found.regions
            for r in range(int(region.row), int(region.row_end))
            for c in range(region.column, region.column_end)
        ]
        assert len(places) == len(set(places)) == (len(found.xs) - 1) * (len(found.ys) - 1)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 40), st.text("ab1.:•", min_size=1, max_size=6)), max_size=40)
)
@settings(max_examples=40, deadline=None)
def test_no_word_of_a_page_is_lost_or_doubled(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[int, int, str]]
) -> None:
    words = [(40 + 16.0 * x, 60 + 16.0 * y, text) for x, y, text in drawn]
    unique = {(x, y): (x, y, text) for x, y, text in words}
    apart = [
        w
        for w in unique.values()
        if not any(w is not o and w[1] == o[1] and 0 <= o[0] - w[0] < 48 for o in unique.values())
    ]
    if not apart:
        return
    document = read(tmp_path_factory.mktemp("pages"), apart, grid([40, 200, 360], [60, 300, 500]))
    said = sorted("".join(text for _, _, text in apart).replace("•", "•"))
    marks = document.text.replace(" | ", "").replace("#", "").replace("*", "")
    assert sorted(c for c in marks if not c.isspace()) == said
