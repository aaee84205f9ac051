"""Tables of separated values in every dialect, and texts that only look like one."""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.documents.discovery import load_bytes, load_document
from extractor.documents.formats.csv_dialect import Dialect, detect_dialect, iterate_rows
from extractor.types import Document

CASES = Path(__file__).parent / "data" / "documents"


def header(document: Document) -> str | None:
    spans = [t.header for t in document.tables if t.header]
    return document.text[spans[0].start : spans[0].end] if spans else None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("csv/V1_cp1252.csv", "Name | Stadt | Betrag\nJürgen Groß | Köln | 1.234,56\nZoë | Málaga | 12,5"),
        ("csv/V2_utf16_bom.csv", "Name | Stadt | Betrag\nJürgen Groß | Köln | 1.234,56\nZoë | Málaga | 12,5"),
        ("csv/V3_utf16le_nobom.csv", "Name | Stadt | Betrag\nJürgen Groß | Köln | 1.234,56\nZoë | Málaga | 12,5"),
        ("csv/V4_bom.csv", "Name | Stadt | Betrag\nJürgen Groß | Köln | 1.234,56\nZoë | Málaga | 12,5"),
        ("csv/V6_quotednl.csv", 'id | address | total\n1 | Acme Ltd 1 High St Leeds | 45.00\n2 | O"Hara, Inc | 7.00'),
        ("csv/V7_commadec.csv", "Item | Price\nBolt | 1,5\nNut | 0,25\nPin | 3,75"),
        ("csv/V9_pipe_in_cell.csv", "a | b\nx | y | 2\nz | 3"),
        ("csv2/a1.csv", 'id | name | total\n1 | Acme, Ltd | 45.00\n2 | O"Hara, Inc | 7.00\n3 | Plain | 1.00'),
        ("csv2/a2.csv", 'id | name | total\n1 | Acme | 45.00\n2 | The "Best", Inc | 7.00'),
        ("csv2/a3.csv", 'id | name | total\n1 | Screen 24" wide, black | 45.00\n2 | Desk | 7.00'),
        ("csv2/a4.csv", "id | name | total\n1 | Acme, Ltd | 45.00"),
        ("csv2/a5.csv", 'id | name | note | total\n1 | Acme | said "yes";ok | 45,00\n2 | Beta | x | 7,00'),
        ("csv2/a7.csv", 'name | total\nAcme, Ltd | 45.00\nBeta, "B" Co | 7.00'),
        ("csv3/a_text_commas.csv", "comment\nGreat, would buy again\nBad; slow, late"),
        ("csv3/b_semicolon_in_text.csv", "id | comment\n1 | a; b; c\n2 | d; e; f\n3 | g; h; i"),
        ("csv3/c_pipe_list.csv", "id | tags | total\n1 | red|blue|green | 5.00\n2 | red|blue|pink | 6.00"),
        ("csv3/d_time.csv", "date | time | value\n2024-03-03 | 10:15:00 | 1,5\n2024-03-04 | 11:15:00 | 2,5"),
        ("csv3/f_singlecol.csv", "name\nAcme Ltd\nBolt Co"),
        ("csv3/h_apos.csv", "id | name | note\n1 | O'Brien | it's\n2 | D'Arcy | can't"),
        ("nbsp/n.csv", "a | b\nMontant | 1\u202f234,56"),
    ],
)
def test_a_file_is_read_as_its_writer_meant_it(name: str, text: str) -> None:
    document = load_document(CASES / name)
    assert document.text.replace("\xa0", "\u202f") == text
    if " | " in text:
        assert header(document) == text.split("\n")[0]


def test_every_row_of_a_long_file_is_whole() -> None:
    document = load_document(CASES / "csv2/a6.csv")
    lines = document.text.split("\n")
    assert lines[1:] == [f'{i} | Item "{i}" large, blue | {i}.50' for i in range(1, len(lines))]


def test_the_header_stands_below_a_title_and_a_form() -> None:
    assert header(load_document(CASES / "csv/V8_title.csv")) == "Region | Qty | Price"
    form = "Holder;Ada King\nAccount;12345\n\nDate;Text;Amount;Balance\n01.02.2024;Rent;-500,00;100,00\n"
    form += "02.02.2024;Pay;700,00;800,00\n"
    assert header(load_bytes(form.encode(), "a.csv")) == "Date | Text | Amount | Balance"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sep=;\r\nA;B\r\n1,5;2\r\n", "A | B\n1,5 | 2"),
        ('"sep=,"\na,b\n1,2', "a | b\n1 | 2"),
        ("a|b|c\n1|2|3\n", "a | b | c\n1 | 2 | 3"),
        ("a\tb\n1,5\t2\n", "a | b\n1,5 | 2"),
        ("a,b\r1,2\r3,4\r", "a | b\n1 | 2\n3 | 4"),
        ('a;b\r\n"l1\r\nl2";3\r\n', "a | b\nl1 l2 | 3"),
        ('a,b\n"Pipe 5,3\nx,4\n"y",5\n', 'a | b\n"Pipe 5 | 3\nx | 4\ny | 5'),  # a quote that nobody closes
        ('id,what,n\n1,5" pipe,3\n2,"6"" pipe, long",4\n', 'id | what | n\n1 | 5" pipe | 3\n2 | 6" pipe, long | 4'),
        ('a,b\n"x" y,3\nz,4\n', 'a | b\n"x" y | 3\nz | 4'),
        ('id,data\n1,"{""a"": 1, ""b"": [1,2]}"\n', 'id | data\n1 | {"a": 1, "b": [1,2]}'),
        ("a,b,c\n1,2\n3,4,5,6\n7,8,9\n", "a | b | c\n1 | 2\n3 | 4 | 5 | 6\n7 | 8 | 9"),
        ("a,,c\n1,,3\n,,5\n", "a |  | c\n1 |  | 3\n |  | 5"),
        ('N,B\nx,"1.234,56"\n', "N | B\nx | 1.234,56"),
        ("name,url\nx,http://a.b/c?d=1;e=2\n", "name | url\nx | http://a.b/c?d=1;e=2"),
        ("Smith, John\nDoe, Jane\nRoe, Richard\n", "Smith | John\nDoe | Jane\nRoe | Richard"),
        # texts that no sign divides
        ("n\n1,50\n2,25\n3,75\n", "n\n1,50\n2,25\n3,75"),
        ("Acme Ltd\n1 High Street, Leeds\nLS1 4AB\n", "Acme Ltd\n1 High Street, Leeds\nLS1 4AB"),
        ("Dear Mr Smith, thank you for your order, we ship it soon.", None),
        (
            "The house, which is old, stands by the lake.\nIt was built, by a baker, and sold twice.\n\nNow, no.",
            None,
        ),
    ],
)
def test_any_dialect_is_read_and_prose_is_not_torn(text: str, shown: str | None) -> None:
    assert load_bytes(text.encode(), "a.csv").text == (text if shown is None else shown)


def test_a_file_named_tsv_has_tabs() -> None:
    assert load_bytes(b"a, b\tc\n1, 2\t3\n", "a.tsv").text == "a, b | c\n1, 2 | 3"


@given(
    st.lists(st.lists(st.text(st.sampled_from(list('ab1 ,;"\n')), max_size=8), min_size=2, max_size=4), min_size=1),
    st.sampled_from(",;\t|"),
)
def test_what_the_csv_module_writes_is_read_back(rows: list[list[str]], separator: str) -> None:
    file = io.StringIO()
    csv.writer(file, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(rows)
    assert list(iterate_rows(file.getvalue(), Dialect(separator))) == rows


@given(st.text(st.sampled_from(list("ab\",;\n\r \t|'")), max_size=60))
def test_no_text_loses_a_letter(text: str) -> None:
    shown = load_bytes(("x" + text).encode(), "a.csv").text
    assert [c for c in shown if c in "abx"] == [c for c in "x" + text if c in "abx"]


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "a,b\n" + "," * n,
        lambda n: "a,b\n" + '"' * n,
        lambda n: "a,b\n" + '"a,' * n,
        lambda n: "a,b\n" + '"a" b,' * n,
        lambda n: "a,b\n" + '"a\n' * n,
        lambda n: 'a,b\n"' + "x\n" * n + '",2',
        lambda n: "a,b\n" + " " * n + "x," + " " * n,
        lambda n: 'a,b\n"' + "x" * n + '",2',
    ],
    ids=["empty cells", "quotes", "open", "bad quotes", "open lines", "long cell", "blanks", "huge cell"],
)
@pytest.mark.skipif("EXTRACTOR_TIMED" not in os.environ, reason="measures time: make soak")
def test_four_times_as_long_takes_about_four_times_as_long(make: Callable[[int], str]) -> None:
    def measure(n: int) -> float:
        text, start = make(n), time.process_time()
        list(iterate_rows(text, detect_dialect(text)))
        return time.process_time() - start

    assert measure(80_000) < 16 * measure(20_000) + 0.5


def test_a_hundred_thousand_empty_cells_are_one_row() -> None:
    document = load_bytes(b"a,b\n" + b"," * 100_000 + b"z\n", "a.csv")
    assert document.text.endswith(" | z")
    (table,) = document.tables
    last = table.cell_at(len(document.text) - 1)
    assert last is not None and last.column == 100_000
