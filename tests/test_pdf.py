"""PDF files written by hand: order, headings, boxes, and what can't be read."""

import os
import stat
import sys
import zlib
from pathlib import Path

import pypdfium2
import pytest
import tiny_pdf
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_pdf import Line

from extractor.documents.discovery import find_sources, load_document, read_source
from extractor.documents.formats import ocr_rapid
from extractor.documents.formats.io import read_file_bytes
from extractor.documents.formats.ocr import is_ocr_installed
from extractor.documents.formats.pdf import MAX_PAGES
from extractor.documents.formats.pdf import load as load_pdf
from extractor.documents.formats.reading_order import TextPiece, order_lines
from extractor.documents.formats.sandbox import _idle_readers, close_readers, load_in_sandbox
from extractor.errors import DocumentError
from extractor.extraction.text.normalize import fold_text
from extractor.types import Document, Span

LEFT = [
    "The left column tells a long story about",
    "engines that were built of brass and iron",
    "and it goes on for some lines until it",
    "comes to an end, which it does right here",
    "and not a single line before that place.",
]
RIGHT = [
    "Whereas the right column is about looms",
    "and the cards that made them weave what",
    "people had in mind, again for a number of",
    "lines that are about as long as the others",
    "so that nobody takes it for any table.",
]


def load(tmp_path: Path, *pages: list[Line], **settings: object) -> Document:
    path = tmp_path / "a.pdf"
    path.write_bytes(tiny_pdf.write([tiny_pdf.page(lines) for lines in pages], **settings))  # type: ignore[arg-type]
    return load_document(path)


def place(document: Document, words: str) -> list[dict[str, object]]:
    assert document.locations is not None
    start = document.text.index(words)
    return document.locations.locate(Span(start, start + len(words)))


def test_columns_drawn_line_by_line_are_read_one_after_the_other(tmp_path: Path) -> None:
    lines = [Line(60, 740, "A title that goes over both columns of the page, as they do in papers", 14)]
    for i, (a, b) in enumerate(zip(LEFT, RIGHT, strict=True)):
        lines += [Line(60, 700 - 13 * i, a), Line(320, 700 - 13 * i, b)]
    text = load(tmp_path, lines).text
    assert text.split("\n\n")[1:] == ["\n".join(LEFT), "\n".join(RIGHT)]


def test_columns_drawn_one_by_one_stay_as_they_are(tmp_path: Path) -> None:
    lines = [Line(320, 700 - 13 * i, b) for i, b in enumerate(RIGHT)]
    lines += [Line(60, 700 - 13 * i, a) for i, a in enumerate(LEFT)]
    text = load(tmp_path, lines).text
    assert text.split("\n\n") == ["\n".join(RIGHT), "\n".join(LEFT)]


def test_rows_of_aligned_words_are_a_table_with_its_cells(tmp_path: Path) -> None:
    rows = [("Item", "Count", "Price"), *((f"Bolt of size {i}", str(i), f"{i}.50") for i in range(9))]
    lines = [Line(x, 700 - 13 * i, row[j]) for i, row in enumerate(rows) for j, x in enumerate((60, 250, 400))]
    document = load(tmp_path, lines)
    assert document.text.split("\n") == [" | ".join(row) for row in rows]
    (table,) = document.tables
    assert document.text[table.header.start : table.header.end] == "Item | Count | Price"  # type: ignore[union-attr]
    cell = table.cell_at(document.text.index("4.50"))
    assert cell and (cell.row, cell.column) == (5, 2)
    assert [document.text[h.start : h.end] for h in table.column_headers(cell)] == ["Price"]
    assert [document.text[h.start : h.end] for h in table.row_headers(cell)] == ["Bolt of size 4"]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30), st.integers(1, 20)), max_size=60))
@settings(max_examples=60)
def test_no_piece_is_lost_or_doubled_whatever_the_page_looks_like(boxes: list[tuple[int, int, int]]) -> None:
    pieces = [
        TextPiece(i, i + w, i, i + 1, 10.0 * x, 12.0 * y, 10.0 * (x + w), 12.0 * y + 10)
        for i, (x, y, w) in enumerate(boxes)
    ]
    assert sorted(piece for line in order_lines(pieces) for piece in line.pieces) == sorted(pieces)


def test_headings_are_told_by_size_and_by_weight(tmp_path: Path) -> None:
    body = [Line(60, 640 - 13 * i, line) for i, line in enumerate(LEFT)]
    text = load(tmp_path, [Line(60, 740, "A Name", 20), Line(60, 660, "Work", 10, "F2"), *body]).text
    assert text.startswith("# A Name\n\n**Work**\n")


def test_a_word_parted_at_a_lines_end_is_one_word_and_has_two_boxes(tmp_path: Path) -> None:
    document = load(
        tmp_path,
        [
            Line(60, 700, "This is an exper-"),
            Line(60, 688, "iment of a well-"),
            Line(60, 676, "known kind, well-known."),
        ],
    )
    assert document.text == "This is an experiment of a well-known kind, well-known."
    first, second = place(document, "experiment")
    assert first["box"][1] < second["box"][1]  # type: ignore[index]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, (40, 30, 560, 760)])
def test_a_box_is_where_the_words_are_on_the_page_as_it_is_shown(
    tmp_path: Path, rotate: int, crop: tuple[int, ...] | None
) -> None:
    document = load(tmp_path, [Line(200, 400, "needle")], rotate=rotate, crop=crop)
    ((found),) = place(document, "needle")
    page = pypdfium2.PdfDocument(tmp_path / "a.pdf")[0]
    picture = page.render(scale=2, grayscale=True)
    data, stride = bytes(picture.buffer), picture.stride
    ink = [(x, y) for y in range(picture.height) for x in range(picture.width) if data[y * stride + x] < 128]
    left, top, right, bottom = (2 * edge for edge in found["box"])  # type: ignore[union-attr]
    assert ink and all(left - 1 <= x <= right + 1 and top - 1 <= y <= bottom + 1 for x, y in ink)
    assert (right - left) * (bottom - top) < 4 * 60 * 20


def test_words_far_apart_have_boxes_of_their_own_width(tmp_path: Path) -> None:
    """A space that is a letter of the file ends long before the next word begins."""
    document = load(tmp_path, [Line(60, 700, "Name: "), Line(300, 700, "Ada King")])
    assert document.text == "Name:\tAda King"
    ((found),) = place(document, "Ada")
    assert found["box"][0] == pytest.approx(300, abs=1)  # type: ignore[index]


def test_an_encrypted_file_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"a\.pdf is encrypted; save a copy") as error:
        load(tmp_path, [Line(60, 700, "secret")], password="no")
    assert error.value.reason == "encrypted"


def test_a_password_that_is_empty_opens_the_file(tmp_path: Path) -> None:
    assert load(tmp_path, [Line(60, 700, "open to all")], password="").text == "open to all"


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.4\n" + b"1 0 obj\n<<" * 9000, b"%PDF-1.4\n\0\1\2"])
def test_a_broken_file_is_named_so(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.pdf").write_bytes(data)
    with pytest.raises(DocumentError, match=r"a\.pdf") as error:
        load_document(tmp_path / "a.pdf")
    assert error.value.reason == "broken"


def test_too_many_pages_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="has 5001 pages; split it"):
        load(tmp_path, *[[]] * (MAX_PAGES + 1))


def bomb(levels: int) -> bytes:
    """A page that draws a form that draws two forms that draw two forms each, and so on: 2 ** levels words."""
    whole = tiny_pdf.write([tiny_pdf.page([Line(9, 9, "x")])])
    objects = []
    for level in range(levels):
        number = 20 + level
        inner = (
            b"/X%d Do 1 0 0 1 1 0 cm /X%d Do " % (number + 1, number + 1)
            if level < levels - 1
            else b"BT /F1 9 Tf (boom) Tj ET"
        )
        resources = b"/Font<</F1 3 0 R>>" + (b"/XObject<</X%d %d 0 R>>" % (number + 1, number + 1))
        objects.append(
            b"%d 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 9999 99]/Resources<<%s>>"
            b"/Length %d>>stream\n%s\nendstream\nendobj\n" % (number, resources, len(inner), inner)
        )
    content = b"/X20 Do"
    body = whole[: whole.rindex(b"xref\n0")].replace(b"/Resources<<", b"/Resources<</XObject<</X20 20 0 R>>", 1)
    start = body.index(b"6 0 obj")
    end = body.index(b"endobj", start)
    body = body[:start] + b"6 0 obj\n<</Length %d>>stream\n%s\nendstream\n" % (len(content), content) + body[end:]
    return body + b"".join(objects) + b"trailer\n<</Root 1 0 R/Size 99>>\n"


def test_a_small_file_that_draws_for_ever_costs_bounded_time_and_only_itself(tmp_path: Path) -> None:
    (tmp_path / "bomb.pdf").write_bytes(bomb(60))
    (tmp_path / "good.pdf").write_bytes(tiny_pdf.write([tiny_pdf.page([Line(60, 700, "still here")])]))
    with pytest.raises(DocumentError, match=r"bomb\.pdf") as error:
        load_in_sandbox("pdf", tmp_path / "bomb.pdf", "bomb.pdf", False, seconds=3)
    assert error.value.reason in ("too costly", "broken", "too large", "needs OCR")
    assert load_document(tmp_path / "good.pdf").text == "still here"


def test_a_page_that_unpacks_to_very_much_is_read_within_bounds(tmp_path: Path) -> None:
    packed = zlib.compress(b"q Q " * 10_000_000, 9)
    whole = tiny_pdf.write([tiny_pdf.page([Line(60, 700, "x")])])
    start, end = whole.index(b"6 0 obj"), whole.index(b"endobj", whole.index(b"6 0 obj"))
    stream = b"6 0 obj\n<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream\n" % (len(packed), packed)
    (tmp_path / "a.pdf").write_bytes(whole[:start] + stream + whole[end:])
    with pytest.raises(DocumentError) as error:
        load_in_sandbox("pdf", tmp_path / "a.pdf", "a.pdf", False, seconds=3)
    assert error.value.reason in ("too costly", "broken", "needs OCR")


def scan() -> bytes:
    """A page with a picture and no letters, between two with letters."""
    picture = b"q 100 0 0 100 60 600 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x00 EI Q"
    return tiny_pdf.write([tiny_pdf.page([Line(60, 700, "first")]), picture, tiny_pdf.page([Line(60, 700, "third")])])


def test_a_page_without_a_text_layer_is_named_and_an_empty_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(scan())
    document = load_document(tmp_path / "a.pdf")
    assert [(u.part, u.reason) for u in document.unread] == [("page 2", "needs OCR")]
    assert place(document, "third")[0]["page"] == 3
    assert not load(tmp_path, [Line(60, 700, "words")], []).unread


def test_a_file_of_pictures_alone_needs_ocr(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(
        tiny_pdf.write([b"q 100 0 0 100 60 600 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x00 EI Q"])
    )
    with pytest.raises(DocumentError, match="needs OCR: no page has a text layer") as error:
        load_document(tmp_path / "a.pdf")
    assert error.value.reason == "needs OCR"


def outlines(folder: Path) -> Path:
    """A page whose words are a picture: rendered, and put into a file again as an image."""
    source = tiny_pdf.write(
        [tiny_pdf.page([Line(60, 700, "Harbour dues were paid", 18), Line(60, 660, "in silver.", 18)])]
    )
    picture = pypdfium2.PdfDocument(source)[0].render(scale=2, grayscale=True)
    data = b"".join(bytes(picture.buffer)[y * picture.stride :][: picture.width] for y in range(picture.height))
    shape = picture.width, picture.height
    image = b"q 612 0 0 792 0 0 cm BI /W %d /H %d /CS /G /BPC 8 /F /AHx ID %s> EI Q" % (*shape, data.hex().encode())
    (folder / "scan.pdf").write_bytes(tiny_pdf.write([image], crop=(0, 640, 300, 792)))
    return folder / "scan.pdf"


@pytest.mark.skipif(not is_ocr_installed(), reason="no reader of pictures; pip install 'recordproof[ocr]'")
def test_letters_are_read_off_a_picture_where_that_is_wanted(tmp_path: Path) -> None:
    path = outlines(tmp_path)
    (source,) = find_sources([path], ocr=True)
    document = read_source(source)
    assert fold_text("Harbour dues were paid in silver.") == fold_text(document.text)
    assert "rapidocr" in document.loader or "tesseract" in document.loader
    ((found),) = place(document, "Harbour")
    left, top, right, bottom = found["box"]  # type: ignore[misc]
    assert left == pytest.approx(60, abs=3) and 70 < top < bottom < 100 and 110 < right < 145


def test_what_tesseract_says_is_understood_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the program, not for our code: it says what tesseract 5.3 said of a page."""
    rows = [
        "level page_num block_num par_num line_num word_num left top width height conf text",
        "4 1 1 1 1 0 0 0 9 9 -1 ",
    ]
    rows += [
        "5 1 1 1 1 1 125 200 100 40 96.1 Harbour",
        "5 1 1 1 1 2 240 200 60 40 93 dues",
        "5 1 1 1 2 1 125 260 50 40 12 ~|",
    ]
    program = tmp_path / "tesseract"
    table = "\n".join(row.replace(" ", "\t") for row in rows)
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.stdin.buffer.read()\nprint({table!r})\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(ocr_rapid, "is_installed", lambda: False)
    (tmp_path / "a.pdf").write_bytes(scan())
    document = load_pdf(tmp_path / "a.pdf", "a.pdf", True)
    assert document.text == "first\n\nHarbour dues\n\nthird"
    assert document.unread == ()
    assert place(document, "dues")[0] == {"page": 2, "box": [57.6, 48.0, 72.0, 57.6], "certainty": 0.93}


def test_a_reader_that_is_killed_between_files_is_replaced(tmp_path: Path) -> None:
    assert load(tmp_path, [Line(60, 700, "one")]).text == "one"
    assert _idle_readers
    _idle_readers[-1]._process.kill()
    assert load(tmp_path, [Line(60, 700, "two")]).text == "two"


def test_a_reader_gets_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-readers")
    close_readers()
    load(tmp_path, [Line(60, 700, "one")])
    environment = (
        read_file_bytes(Path(f"/proc/{_idle_readers[-1]._process.pid}/environ"), 1 << 20)
        if sys.platform == "linux"
        else b""
    )
    assert b"sk-not-for-readers" not in environment
