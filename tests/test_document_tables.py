"""Tables of documents: which cell words stand in, under which header, and that labels and results know it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import extractor
from extractor.documents.formats.builder import DocumentBuilder, TableCell
from extractor.documents.formats.headers import find_header_rows
from extractor.types import Document


def build(*rows: list[TableCell]) -> Document:
    draft = DocumentBuilder()
    draft.add_table(rows)
    return draft.build_document("a", "")


def cell(text: str, **more: object) -> TableCell:
    return TableCell(text, (), **more)  # type: ignore[arg-type]


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["", "a", "b c"]), st.integers(1, 3), st.integers(1, 3)), max_size=5),
        max_size=6,
    )
)
def test_every_cell_is_found_in_its_own_column_whatever_the_cells_reach_over(
    rows: list[list[tuple[str, int, int]]],
) -> None:
    document = build(*[[cell(t, row_span=r, column_span=c) for t, r, c in row] for row in rows])
    for table in document.tables:
        lines = document.text[table.span.start : table.span.end].split("\n")
        for found in table.cells():
            words = document.text[found.span.start : found.span.end]
            assert lines[found.row].split(" | ")[found.column] == words
            assert table.cell_at(found.span.start) == found


def test_headers_of_several_rows_are_read_from_the_top() -> None:
    document = build(
        [cell("", header=True), cell("2023", column_span=2, header=True), cell("2024", column_span=2, header=True)],
        [cell(t, header=True) for t in ("Region", "Qty", "Price", "Qty", "Price")],
        [cell("North"), cell("1"), cell("2.5"), cell("3"), cell("4.5")],
    )
    assert document.text.split("\n")[0] == " | 2023 |  | 2024"
    (table,) = document.tables
    found = table.cell_at(document.text.index("4.5"))
    assert found is not None
    assert [document.text[h.start : h.end] for h in table.column_headers(found)] == ["2024", "Price"]
    assert table.header is not None and document.text[table.header.start : table.header.end].endswith("Qty | Price")


@pytest.mark.parametrize(
    ("rows", "first"),
    [
        ([["Item", "Qty"], ["Bolt", "3"]], 0),
        ([["Prices"], ["Item", "Qty"], ["Bolt", "3"]], 1),
        ([["Holder", "Ada"], ["Day", "Text", "Sum"], ["3 May", "Rent", "500"], ["4 May", "Pay", "700"]], 1),
        ([["1", "2"], ["3", "4"]], None),
        ([["a", "a"], ["3", "4"]], None),
        ([["Item", "Qty"]], None),
        ([["Name", "Town"], ["Ada", "Leeds"], ["Bo", "York"]], 0),
    ],
)
def test_the_header_is_found_where_a_reader_sees_it(rows: list[list[str]], first: int | None) -> None:
    found = find_header_rows([list(enumerate(row)) for row in rows])
    assert (found.first if found.count else None) == first


def test_a_value_is_proved_by_the_cell_under_its_header(tmp_path: Path) -> None:
    data = "Region;Planned;Sold\nNorth;120;100\nSouth;100;120\n"
    schema = {
        "type": "object",
        "properties": {
            "rows": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "region": {"type": "string"},
                        "sold": {"type": "number"},
                        "planned": {"type": "number"},
                    },
                },
            }
        },
    }
    said = [{"region": "North", "sold": 100, "planned": 120}, {"region": "South", "sold": 120, "planned": 100}]
    path = tmp_path / "sales.csv"
    path.write_text(data)
    result = extractor.ground(path, {"rows": said}, schema)
    assert result.file.record == {"rows": said}
    (sold,) = result.file.evidence["/rows/1/sold"].spans
    assert (sold.quote, list(sold.column_headers), list(sold.row_headers)) == ("120", ["Sold"], ["South"])
    assert [place.row for place in sold.places] == [3]


@given(st.lists(st.sampled_from(["a", " ", "\n", "\t", "\xa0", "b c", ""]), max_size=8))
def test_a_cell_is_one_line_and_keeps_no_break_spaces(pieces: list[str]) -> None:
    text = "".join(pieces)
    document = build([cell("x"), cell(text), cell("y")])
    assert "\n" not in document.text and document.text.count("\xa0") == (text.count("\xa0") if text.strip() else 0)
    assert document.text.startswith("x | ") and document.text.endswith(" | y")
