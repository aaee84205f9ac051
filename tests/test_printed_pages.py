"""PDF pages as browsers and offices print them: sparse, justified, shaded, with words turned or read from the right."""

from __future__ import annotations

import re

import pytest
import tiny_pdf
from tiny_pdf import Line, Parts

from extractor.documents.discovery import load_bytes
from extractor.types import Document, Span


def read(*contents: bytes, parts: Parts | None = None) -> Document:
    return load_bytes(tiny_pdf.write([b"\n".join(contents)], parts=parts or Parts()), "a.pdf")


def drawn(*words: tuple[float, float, str], size: float = 10, font: str = "F1") -> bytes:
    return tiny_pdf.page([Line(x, y, text, size, font) for x, y, text in words])


def letters(x: float, y: float, words: str) -> bytes:
    """Each letter drawn by itself, 6 points from the one before it (Courier of 10)."""
    return drawn(*((x + 6 * i, y, c) for i, c in enumerate(words) if c != " "), font="F3")


def turned(x: float, y: float, words: str) -> bytes:
    """Words that go up."""
    return b"BT /F1 10 Tf 0 1 -1 0 %g %g Tm (%s) Tj ET" % (x, y, words.encode())


def lines_of(document: Document) -> list[str]:
    return [" ".join(line.split()) for line in document.text.split("\n") if line.strip()]


def headers_over(document: Document, words: str) -> list[str]:
    at = document.text.rindex(words)
    table = document.table_at(at)
    assert table is not None
    cell = table.cell_at(at)
    assert cell is not None
    return [" ".join(document.text[span.start : span.end].split()) for span in table.column_headers(cell)]


def rules(xs: list[float], ys: list[float]) -> bytes:
    level = [b"%g %g m %g %g l S" % (xs[0], y, xs[-1], y) for y in ys]
    return b"\n".join([*level, *(b"%g %g m %g %g l S" % (x, ys[0], x, ys[-1]) for x in xs)])


def test_a_page_with_much_free_width_whose_letters_are_drawn_one_by_one_has_its_words() -> None:
    words = [(50, 700, "Ada Lovelace"), (50, 688, "ada@x.org"), (50, 676, "+44 20 123"), (50, 664, "SQL, Python")]
    words += [(400, 700, "2019"), (400, 688, "2021"), (400, 676, "2023"), (400, 664, "2024")]
    document = read(*(letters(*each) for each in words))
    assert all(text in document.text for _, _, text in words)
    at = document.text.index("Lovelace")
    assert document.locations is not None
    (place,) = document.locations.locate(Span(at, at + 8))
    assert place["box"][0] == pytest.approx(74, abs=1)  # type: ignore[index, call-overload]


def test_figures_that_are_raised_and_drawn_apart_are_no_part_of_the_number_before_them() -> None:
    content = [drawn((50, 700, "The mean is 5.4")), drawn((119.5, 704, "1"), size=8.3)]
    content += [drawn((124.5, 700, ", and the price 19")), drawn((207, 704, "99"), size=8.3)]
    assert lines_of(read(*content)) == ["The mean is 5.4¹, and the price 19⁹⁹"]


def test_names_in_layers_stand_over_their_cells_with_rules_and_without() -> None:
    xs = [60.0, 160, 220, 280, 340, 400]
    rows = [["North", "11", "12", "13", "14"], ["South", "21", "22", "23", "24"], ["West", "31", "32", "33", "37"]]
    words = [(xs[i] + 4, 660.0 - 20 * n, text) for n, row in enumerate(rows) for i, text in enumerate(row)]
    words += [(xs[i] + 4, 680.0, text) for i, text in enumerate(["Region", "Plan", "Real", "Plan", "Real"])]
    words += [(205.0, 700.0, "2023"), (325.0, 700.0, "2024")]
    lines = rules(xs[1::2], [715, 695]) + b"\n" + rules(xs, [695, 675, 655, 635, 615]) + b"\n60 715 m 60 695 l S"
    for document in (read(lines, drawn(*words)), read(drawn(*words))):
        assert headers_over(document, "37") == ["2024", "Real"] and headers_over(document, "21") == ["2023", "Plan"]
        assert len(document.tables) == 1


def test_names_reach_over_the_columns_that_rules_below_them_join() -> None:
    xs = (60, 160, 220, 300, 360)
    words = [(185.0, 694.0, "Sales"), (325.0, 694.0, "Staff")]
    rows = [["North", "11", "12", "3", "4"], ["South", "21", "22", "4", "5"], ["West", "31", "37", "5", "69"]]
    for n, row in enumerate([["Region", "Plan", "Real", "Men", "Women"], *rows]):
        words += [(x, 680.0 - 14 * n, text) for x, text in zip(xs, row, strict=True)]
    document = read(b"155 690.5 m 245 690.5 l S 295 690.5 m 395 690.5 l S", drawn(*words))
    assert headers_over(document, "37") == ["Sales", "Real"] and headers_over(document, "69") == ["Staff", "Women"]


def test_names_in_the_middle_above_words_on_the_left_name_them() -> None:
    words = [(110.0, 700.0, "Item"), (260.0, 700.0, "Qty"), (410.0, 700.0, "Price")]
    for n, row in enumerate([["Bolt", "3", "1,200"], ["Nut", "5", "570"], ["Pin", "8", "310"]]):
        words += [(x, 684.0 - 16 * n, text) for x, text in zip((50, 200, 350), row, strict=True)]
    document = read(drawn(*words))
    assert headers_over(document, "570") == ["Price"] and "Pin | 8 | 310" in lines_of(document)


def test_rows_without_a_shade_are_of_the_table_whose_other_rows_are_shaded() -> None:
    shades = [
        b"%g g %g %g %g 18 re f" % (grey, x, y, 98) for y, grey in ((690, 0.8), (672, 0.9)) for x in (50, 150, 250)
    ]
    words = [[(54.0, 695.0, "Item"), (154.0, 695.0, "Qty"), (254.0, 695.0, "Price")]]
    words += [[(54.0, 677.0, "Bolt"), (154.0, 677.0, "10"), (254.0, 677.0, "1.20")]]
    words += [[(54.0, 659.0, "Nut"), (154.0, 659.0, "5"), (254.0, 659.0, "0.57")]]
    document = read(*shades, b"0 g", *(drawn(*row) for row in words))
    assert headers_over(document, "0.57") == ["Price"]


def test_long_words_in_a_grid_below_names_are_cells() -> None:
    long = [f"line {i} of what the term means" for i in range(7)]
    words = [(54.0, 705.0, "Term"), (154.0, 705.0, "Meaning"), (54.0, 685.0, "Short"), (54.0, 595.0, "Other")]
    words += [(154.0, 685.0 - 12 * i, line) for i, line in enumerate(long)] + [(154.0, 595.0, "another meaning")]
    document = read(rules([50, 150, 330], [718, 698, 608, 588]), drawn(*words))
    assert headers_over(document, "another") == ["Meaning"] and headers_over(document, "line 6") == ["Meaning"]


def test_turned_names_of_narrow_columns_are_in_their_cells_and_turned_letters_are_words() -> None:
    words = [(54.0, 640.0, "Name"), (54.0, 618.0, "Ada"), (104.0, 618.0, "12"), (134.0, 618.0, "13")]
    words += [(54.0, 598.0, "Bo"), (104.0, 598.0, "22"), (134.0, 598.0, "27")]
    names = [turned(118, 640, "Points A"), turned(148, 640, "Points B")]
    document = read(rules([50, 100, 130, 160], [700, 632, 612, 592]), drawn(*words), *names)
    assert "Name | Points A | Points B" in lines_of(document) and headers_over(document, "27") == ["Points B"]
    side = [turned(40, 400 + at, part) for at, part in ((0, "Sid"), (15.6, "e"), (21.1, "bar"), (39, "note"))]
    assert "Sidebar note" in lines_of(read(drawn((100, 700, "Main words")), *side))


SCRIPT = {c: code for code, c in enumerate("אבגדהוזחטיכךלמםנןסעפצקרשת0123456789.,% ", 0x21)}


def turn(words: str) -> str:
    """What is read from the right as it is seen from the left, and the other way round: numbers stay."""
    return re.sub(r"[\d.,%]*\d[\d.,%]*", lambda m: m[0][::-1], words)[::-1]


def backwards(read_as: str) -> Document:
    """A line in Hebrew, each letter 6 points wide; words are drawn from the right, and the file says what they are."""
    mapped = b"".join(b"<%02x> <%04x>\n" % (code, ord(c)) for c, code in SCRIPT.items())
    told = b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange "
    told += b"%d beginbfchar\n%sendbfchar endcmap end" % (len(SCRIPT), mapped)
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Courier/FirstChar 33/LastChar 73/Widths[%s]/ToUnicode 6 0 R>>"
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</Font<</F9 7 0 R>>>>"
    drawn = [
        b"/Span<</ActualText<feff%s>>>BDC BT /F9 10 Tf %g 700 Td <%s> Tj ET EMC"
        % (
            turn(word[0]).encode("utf-16-be").hex().encode(),
            300 + 6 * word.start(),
            bytes(SCRIPT[c] for c in word[0]).hex().encode(),
        )
        for word in reversed(list(re.finditer("[^ ]+", turn(read_as))))
    ]
    objects = [tiny_pdf.stream(b"", told), font % (b"600 " * 41), tiny_pdf.stream(form, b"\n".join(drawn))]
    return read(b"/Fm Do", parts=Parts(objects, b"/XObject<</Fm 8 0 R>>"))


@pytest.mark.parametrize("words", ["שם הלקוח דן כהן", "כהן 1.20 דן 10 סכום"])
def test_lines_that_are_read_from_the_right_are_read_so(words: str) -> None:
    assert lines_of(backwards(words)) == [words]
