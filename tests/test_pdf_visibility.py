"""What nobody sees of a PDF supports nothing, whatever the trick; what people see of an honest one is never hidden."""

from pathlib import Path

import pytest
import tiny_pdf
from PIL import Image, ImageDraw, ImageFont
from tiny_pdf import Parts, image, stream

from extractor.documents.formats.pdf import load
from extractor.documents.formats.pdf_visibility import VisibilityJudge
from extractor.types import Document

SEEN = b"BT /F1 12 Tf 72 700 Td (Invoice total 45.00 EUR) Tj ET\n"
BOX = b"70 590 250 30 re f "
STATES = b"/ExtGState<</None<</ca 0>>/Trace<</ca 0.02>>/Half<</ca 0.4>>/Multiply<</BM/Multiply>>>>"
FORM = b"/Type/XObject/Subtype/Form/BBox%s/Resources<</Font<</F1 3 0 R>>>>%s"
LAYER = b"/OCProperties<</OCGs[6 0 R]/D<</OFF[6 0 R]/Order[]>>>>"
NO_PARTS = Parts()
SECRET = "SECRET pay to Mallory"


def draw(before: bytes = b"", inner: bytes = b"", after: bytes = b"", *, size: float = 12, at: str = "72 600") -> bytes:
    words = b"BT /F1 %g Tf %s %s Td (%s) Tj ET" % (size, inner, at.encode(), SECRET.encode())
    return SEEN + b"q " + before + b" " + words + b" " + after + b" Q"


def form(content: bytes, box: bytes = b"[0 0 612 792]", more: bytes = b"") -> bytes:
    return stream(FORM % (box, more), content)


def read(tmp_path: Path, content: bytes, parts: Parts = NO_PARTS, **settings: object) -> Document:
    path = tmp_path / "a.pdf"
    path.write_bytes(tiny_pdf.write([content], parts=parts, **settings))  # type: ignore[arg-type]
    return load(path, "a.pdf", False)


def spans(document: Document, which: str) -> str:
    return " ".join(" ".join(document.text[s.start : s.end].split()) for s in getattr(document, which))


IN_FORM = b"BT /F1 12 Tf 72 600 Td (SECRET pay to Mallory) Tj ET"
TRICKS: dict[str, tuple[bytes, Parts]] = {
    "render mode 3": (draw(inner=b"3 Tr"), Parts()),
    "render mode 7, which clips": (draw(inner=b"7 Tr"), Parts()),
    "white": (draw(b"1 g"), Parts()),
    "nearly white": (draw(b"0.99 g"), Parts()),
    "white, outlined in white": (draw(b"1 g 1 G", b"2 Tr"), Parts()),
    "a tenth of a point": (draw(size=0.1), Parts()),
    "one point": (draw(size=1), Parts()),
    "scaled down": (draw(b"0.01 0 0 0.01 72 600 cm"), Parts()),
    "left of the page": (draw(at="-400 600"), Parts()),
    "above the page": (draw(at="72 900"), Parts()),
    "below the page, turned": (SEEN + b"BT /F1 12 Tf 0 1 -1 0 -50 300 Tm (SECRET pay to Mallory) Tj ET", Parts()),
    "under a white area": (draw(after=b"1 g " + BOX), Parts()),
    "under a black area": (draw(after=b"0 g " + BOX), Parts()),
    "under many thin areas": (
        draw(after=b"1 g " + b"".join(b"70 %g 300 1.5 re f " % (596 + 1.5 * i) for i in range(12))),
        Parts(),
    ),
    "black on black": (draw(b"0 g " + BOX), Parts()),
    "grey on nearly the same grey": (draw(b"0.5 g " + BOX + b"0.51 g"), Parts()),
    "transparent": (draw(b"/None gs"), Parts(resources=STATES)),
    "nearly transparent": (draw(b"/Trace gs"), Parts(resources=STATES)),
    "clipped away": (draw(b"0 0 10 10 re W n"), Parts()),
    "clipped but for a slit": (draw(b"70 600 300 1 re W n"), Parts()),
    "no width": (draw(inner=b"0.1 Tz"), Parts()),
    "a layer that is off": (
        draw(b"/OC /L BDC", after=b"EMC"),
        Parts([b"<</Type/OCG/Name(L)>>"], b"/Properties<</L 6 0 R>>", LAYER),
    ),
    "a form in a layer that is off": (
        SEEN + b"/X Do",
        Parts([b"<</Type/OCG/Name(L)>>", form(IN_FORM, more=b"/OC 6 0 R")], b"/XObject<</X 7 0 R>>", LAYER),
    ),
    "white in a form": (SEEN + b"/X Do", Parts([form(b"1 g " + IN_FORM)], b"/XObject<</X 6 0 R>>")),
    "outside its form": (SEEN + b"/X Do", Parts([form(IN_FORM, b"[0 0 10 10]")], b"/XObject<</X 6 0 R>>")),
    "more than its letter has room for": (
        SEEN + b"/Span<</ActualText(SECRET pay to Mallory)>> BDC BT /F1 12 Tf 72 600 Td (.) Tj ET EMC",
        Parts(),
    ),
    "not painted, over words that are": (draw(inner=b"3 Tr", at="72 700"), Parts()),
    "white over black words": (draw(b"1 g", at="72 700"), Parts()),
    "under an annotation": (
        draw(),
        Parts(
            [
                b"<</Type/Annot/Subtype/Square/Rect[60 590 400 620]/F 4/AP<</N 7 0 R>>>>",
                form(b"1 g 60 590 340 30 re f", b"[60 590 400 620]"),
            ],
            page=b"/Annots[6 0 R]",
        ),
    ),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_what_nobody_sees_is_hidden(tmp_path: Path, trick: str) -> None:
    document = read(tmp_path, *TRICKS[trick])
    assert spans(document, "hidden") == SECRET
    assert document.text.startswith("Invoice total 45.00 EUR")
    assert not document.doubtful


def test_words_outside_the_crop_box_are_hidden(tmp_path: Path) -> None:
    document = read(tmp_path, draw(at="72 30"), crop=(0, 100, 612, 792))
    assert spans(document, "hidden") == SECRET


def test_words_that_are_not_those_of_their_letters_are_doubtful(tmp_path: Path) -> None:
    said = b"/Span<</ActualText(SECRET pay to Mallory)>> BDC BT /F1 12 Tf 72 600 Td (Thanks for your order) Tj ET EMC"
    document = read(tmp_path, SEEN + said)
    assert "SECRET" in spans(document, "doubtful") and not document.hidden


def test_words_under_a_photograph_are_doubtful_as_they_may_be_those_of_a_scan(tmp_path: Path) -> None:
    noise = bytes((i * 37 + (i // 16) * 91) % 256 for i in range(256))
    parts = Parts([image(16, 16, noise)], b"/XObject<</I 6 0 R>>")
    document = read(tmp_path, draw(after=b"q 300 0 0 40 60 590 cm /I Do Q"), parts)
    assert spans(document, "doubtful") == SECRET and not document.hidden


WORDS = [(72, 700, "Invoice total 45.00"), (72, 650, "Pay until May"), (72, 600, "Thank you")]
LAID = b" ".join(b"BT 3 Tr /F1 12 Tf %g %g Td (%s) Tj ET" % (x, y, w.encode()) for x, y, w in WORDS)


def scan() -> Parts:
    """A page of paper with words on it."""
    paper = Image.new("L", (1224, 1584), 245)
    for x, y, words in WORDS:
        ImageDraw.Draw(paper).text((2 * x, 1584 - 2 * y - 22), words, fill=20, font=ImageFont.load_default(24))
    return Parts([image(1224, 1584, paper.tobytes())], b"/XObject<</I 6 0 R>>")


SCAN = b"q 612 0 0 792 0 0 cm /I Do Q "
GLAZE = b"1 1 0 rg 70 696 200 16 re f "
HONEST: dict[str, tuple[bytes, Parts]] = {
    "a dark header with white words": (
        b"0.1 0.2 0.3 rg 60 690 400 30 re f 1 g BT /F1 12 Tf 72 700 Td (Item Count Price) Tj ET 0 g "
        b"BT /F1 10 Tf 72 670 Td (Bolt) Tj ET",
        Parts(),
    ),
    "coloured bands": (
        b"".join(
            b"%s rg 60 %g 400 14 re f 0 g BT /F1 10 Tf 72 %g Td (row %d of it) Tj ET "
            % (b"0.9 0.95 1" if i % 2 else b"1 1 1", 700 - 14 * i, 704 - 14 * i, i)
            for i in range(8)
        ),
        Parts(),
    ),
    "a watermark": (b"0.88 g BT /F2 60 Tf 0.7 0.7 -0.7 0.7 150 200 Tm (DRAFT) Tj ET 0 g " + SEEN, Parts()),
    "the layer of a scan": (SCAN + LAID, scan()),
    "words painted under their scan": (LAID.replace(b"3 Tr", b"0 Tr") + SCAN, scan()),
    "a highlight that multiplies": (SEEN + b"/Multiply gs " + GLAZE, Parts(resources=STATES)),
    "a highlight of half opacity": (SEEN + b"/Half gs " + GLAZE, Parts(resources=STATES)),
    "words on a pale picture": (
        b"q 612 0 0 100 0 670 cm /I Do Q " + SEEN,
        Parts([image(2, 2, b"\xf0\xe0\xf0\xe8")], b"/XObject<</I 6 0 R>>"),
    ),
    "struck out": (SEEN + b"0.5 w 70 704 m 300 704 l S", Parts()),
    "light grey": (b"0.75 g " + SEEN, Parts()),
    "yellow": (b"1 1 0 rg " + SEEN, Parts()),
    "white on black": (b"0 g 0 0 612 792 re f 1 g " + SEEN, Parts()),
    "small print of five points": (SEEN + b"BT /F1 5 Tf 72 500 Td (small print i l . , - _) Tj ET", Parts()),
    "outlines only": (b"BT 1 Tr /F1 20 Tf 72 500 Td (Outline) Tj ET " + SEEN, Parts()),
    "lines to fill in": (SEEN + b"0.2 g BT /F1 10 Tf 72 500 Td (Name: ______ * ... ---) Tj ET", Parts()),
}


@pytest.mark.parametrize("turn", [0, 90])
@pytest.mark.parametrize("page", HONEST)
def test_nothing_that_people_see_is_hidden_or_doubtful(tmp_path: Path, page: str, turn: int) -> None:
    document = read(tmp_path, *HONEST[page], rotate=turn)
    assert not document.hidden and not document.doubtful and document.text


def test_words_added_to_the_layer_of_a_scan_where_it_shows_blank_paper_are_hidden(tmp_path: Path) -> None:
    document = read(tmp_path, SCAN + LAID + b" BT 3 Tr /F1 12 Tf 72 300 Td (SECRET pay to Mallory) Tj ET", scan())
    assert spans(document, "hidden") == SECRET
    assert "Pay until May" in document.text and not document.doubtful


def test_one_word_that_is_hidden_leaves_its_line_as_it_is(tmp_path: Path) -> None:
    line = b"BT /F1 12 Tf 72 700 Td (Total ) Tj 1 g (not ) Tj 0 g (45.00 EUR) Tj ET"
    document = read(tmp_path, line)
    assert spans(document, "hidden") == "not"
    assert document.text.split("\n")[0] == "Total\t45.00 EUR"


def test_pictures_have_a_bound_in_time_after_which_faint_words_are_doubted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extractor.documents.formats.pdf_visibility.PICTURE_SECONDS", 0.0)
    document = read(tmp_path, draw(b"1 g"))
    assert spans(document, "doubtful") == SECRET and not document.hidden
    assert VisibilityJudge()


def test_a_page_of_ten_metres_is_read(tmp_path: Path) -> None:
    document = read(tmp_path, draw(b"1 g"), Parts(size=(28346, 28346)))
    assert document.text.startswith("Invoice total") and spans(document, "doubtful") == SECRET
