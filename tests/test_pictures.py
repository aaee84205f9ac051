"""Photos, scans and pages without a text layer: their words, where they stand, and how surely they were read."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tiny_pdf
from PIL import Image, ImageDraw, ImageFont
from tiny_pdf import Parts, image

from extractor.documents.discovery import load_document
from extractor.documents.formats import ocr, ocr_rapid, ocr_tesseract
from extractor.documents.formats import pdf as pdf_format
from extractor.documents.formats.image import MAX_IMAGE_PIXELS, load, open_pages
from extractor.documents.formats.ocr_rapid import join_parts
from extractor.documents.formats.ocr_words import PictureWord, WordLine, find_skew, lay_out_words
from extractor.errors import DocumentError
from extractor.types import Document, Span

needs_ocr = pytest.mark.skipif(not ocr_rapid.is_installed(), reason="the extra 'ocr' is not installed")
LINES = ["Invoice number 9001", "Total due: 45.00 EUR"]


def draw(lines: list[str] = LINES, size: tuple[int, int] = (460, 160)) -> Image.Image:
    picture = Image.new("RGB", size, "white")
    for i, line in enumerate(lines):
        ImageDraw.Draw(picture).text((30, 30 + 50 * i), line, fill="black", font=ImageFont.load_default(28))
    return picture


def places(document: Document, words: str) -> list[dict[str, object]]:
    assert document.locations is not None
    start = document.text.index(words)
    return document.locations.locate(Span(start, start + len(words)))


def read(path: Path) -> Document:
    return load(path, path.name, False)  # in this process, where the engine is loaded once


@needs_ocr
def test_words_of_a_picture_have_their_place_and_how_surely_they_were_read(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    path = tmp_path / "photo.heic"
    draw().save(path)
    document = read(path)
    assert document.text.split("\n") == LINES
    (found,) = places(document, "45.00")
    left, top, right, bottom = found["box"]  # type: ignore[misc]
    assert 150 < left < right < 260 and 75 < top < bottom < 125
    assert found["page"] == 1 and 0.9 < found.get("certainty", 1.0) <= 1  # type: ignore[operator]
    assert document.loader.startswith("pillow ")


@needs_ocr
def test_a_picture_that_lies_on_its_side_is_read_and_its_words_keep_their_own_place(tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    draw().rotate(270, expand=True).save(path)
    document = read(path)
    assert document.text.split("\n") == LINES
    left, top, right, bottom = places(document, "45.00")[0]["box"]  # type: ignore[misc]
    assert bottom - top > right - left


@needs_ocr
def test_a_page_of_a_pdf_without_a_text_layer_is_read_where_that_is_wanted(tmp_path: Path) -> None:
    picture = draw().convert("L")
    parts = Parts([image(*picture.size, picture.tobytes())], b"/XObject<</I 6 0 R>>")
    path = tmp_path / "scan.pdf"
    text = tiny_pdf.page([tiny_pdf.Line(72, 700, "A page of letters")])
    path.write_bytes(tiny_pdf.write([text, b"q 460 0 0 160 72 600 cm /I Do Q"], parts=parts))
    assert [part.part for part in pdf_format.load(path, "scan.pdf", False).unread] == ["page 2"]
    document = pdf_format.load(path, "scan.pdf", True)
    assert document.text == "A page of letters\n\n" + "\n".join(LINES) and not document.unread
    (found,) = places(document, "45.00")
    assert found["page"] == 2 and 72 + 150 < found["box"][0] < 72 + 260  # type: ignore[index]
    assert "certainty" not in places(document, "letters")[0]


@needs_ocr
def test_a_picture_is_read_by_a_process_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    draw().save(path)
    assert load_document(path).text.split("\n") == LINES


# with words that are said to be read


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[Image.Image], list[WordLine]]], None]]:
    """Sets what the reader of pictures says."""

    def say(answer: Callable[[Image.Image], list[WordLine]]) -> None:
        monkeypatch.setattr(ocr_rapid, "is_installed", lambda: True)
        monkeypatch.setattr(ocr_rapid, "find_version", lambda: "a double")
        monkeypatch.setattr(ocr_rapid, "read_words", lambda picture, dots: answer(picture))
        monkeypatch.setattr(ocr_tesseract, "is_installed", lambda: False)

    yield say


def word(text: str, left: float, top: float, certainty: float = 1.0, size: float = 20) -> PictureWord:
    return PictureWord(text, left, top, left + size / 2 * len(text), top + size, certainty)


def test_words_that_were_read_unsurely_are_doubtful_and_noise_is_left_out(
    tmp_path: Path, said: Callable[..., None]
) -> None:
    said(lambda picture: [[word("Total", 10, 10)], [word("4S,OO", 10, 60, 0.5)], [word("~~", 10, 90, 0.1)]])
    path = tmp_path / "a.png"
    draw().save(path)
    document = read(path)
    assert document.text.split() == ["Total", "4S,OO"]
    assert [document.text[s.start : s.end] for s in document.doubtful] == ["4S,OO"]
    assert places(document, "4S,OO")[0]["certainty"] == 0.5


def test_a_page_is_turned_until_it_is_read_surely(tmp_path: Path, said: Callable[..., None]) -> None:
    def answer(picture: Image.Image) -> list[WordLine]:
        is_upright = picture.getpixel((0, 0)) == (255, 0, 0)
        return [[word("upright" if is_upright else "7I6!jdn", 10, 30, 1.0 if is_upright else 0.4)]]

    said(answer)
    picture = draw()
    picture.putpixel((0, 0), (255, 0, 0))
    path = tmp_path / "a.png"
    picture.rotate(180).save(path)
    document = read(path)
    assert document.text == "upright"
    assert places(document, "upright")[0]["box"] == [460 - 80, 160 - 50, 460 - 10, 160 - 30]


def test_pages_of_a_scan_are_pages_and_one_without_words_is_named(tmp_path: Path, said: Callable[..., None]) -> None:
    said(lambda picture: [[word(f"{picture.width} wide", 10, 10)]] if picture.width > 100 else [])
    path = tmp_path / "scan.tif"
    draw().save(path, save_all=True, append_images=[Image.new("RGB", (99, 99), "white"), draw(size=(300, 200))])
    document = read(path)
    assert document.text == "460 wide\n\n300 wide"
    assert places(document, "300")[0]["page"] == 3
    assert [part.part for part in document.unread] == ["page 2"]


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_words_of_a_turned_picture_keep_their_own_place(tmp_path: Path, said: Callable[..., None], turn: int) -> None:
    """What is said of the upright one is where it is in the turned one."""
    upright = draw()
    upright.putpixel((0, 0), (255, 0, 0))
    told = [[word("Total", 100, 40), word("45.00", 200, 40)], [word("Name", 100, 100), word("Ada", 200, 100)]]

    def answer(picture: Image.Image) -> list[WordLine]:
        if picture.size == upright.size and picture.getpixel((0, 0)) == (255, 0, 0):
            return told
        if picture.size == upright.size:
            return [[word("=!lj|", 10, 10, 0.4)]]
        return [[PictureWord("l|||", 10, 10, 20, 200, 0.5), PictureWord("=!==", 30, 10, 40, 200, 0.5)]]

    said(answer)
    path = tmp_path / "scan.png"
    upright.rotate(turn, expand=True).save(path)
    document = read(path)
    assert document.text.split() == ["Total", "45.00", "Name", "Ada"]
    marked = Image.new("L", upright.size, 0)
    marked.paste(255, (200, 40, 250, 60))
    assert places(document, "45.00")[0]["box"] == list(marked.rotate(turn, expand=True).getbbox() or ())


def test_a_camera_says_how_its_picture_is_turned(tmp_path: Path, said: Callable[..., None]) -> None:
    said(lambda picture: [[word(f"{picture.width} wide", 10, 10)]])
    path = tmp_path / "photo.jpg"
    turned = Image.Exif()
    turned[0x112] = 6
    draw().rotate(90, expand=True).save(path, exif=turned)
    assert read(path).text == "460 wide"


def test_nothing_on_a_picture_is_one_sentence(tmp_path: Path, said: Callable[..., None]) -> None:
    said(lambda picture: [])
    path = tmp_path / "blank.png"
    draw([]).save(path)
    with pytest.raises(DocumentError, match=r"^blank\.png shows no words that can be read; take .*\.$") as error:
        read(path)
    assert error.value.reason == "empty"


def test_without_a_reader_of_pictures_there_is_one_sentence_on_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ocr, "is_ocr_installed", lambda: False)
    monkeypatch.setattr("extractor.documents.formats.image.is_ocr_installed", lambda: False)
    path = tmp_path / "a.png"
    draw().save(path)
    with pytest.raises(DocumentError, match=r"is a picture; install a reader of pictures \(pip install .*ocr") as error:
        read(path)
    assert error.value.reason == "needs OCR"


def test_a_picture_of_very_many_pixels_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "huge.tif"
    Image.new("1", (20_000, MAX_IMAGE_PIXELS // 20_000 + 1)).save(path, compression="group4")
    assert path.stat().st_size < 100_000
    with pytest.raises(DocumentError, match=r"huge\.tif has 100 megapixels; make it smaller") as error:
        list(open_pages(path, "huge.tif"))
    assert error.value.reason == "too large"


@pytest.mark.parametrize("kept", [0, 10, 2000])
def test_half_a_picture_is_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "half.jpg"
    draw().save(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DocumentError, match="is no picture that can be read, or only a part of one") as error:
        list(open_pages(path, "half.jpg"))
    assert error.value.reason == "broken"


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "CMYK", "I;16", "F"])
def test_pictures_of_any_colours_are_shown_on_white(tmp_path: Path, mode: str) -> None:
    suffix = "tif" if mode in ("CMYK", "I;16", "F") else "png"
    drawn = draw().convert("L")
    picture = drawn.convert(mode)
    if mode in ("RGBA", "LA"):
        picture.putalpha(drawn.point(lambda v: 255 - v))
    picture.save(tmp_path / f"a.{suffix}")
    (page,) = open_pages(tmp_path / f"a.{suffix}", "a")
    assert page.mode == "RGB" and page.getpixel((0, 0)) == (255, 255, 255)
    assert page.convert("L").getextrema()[0] < 60  # type: ignore[operator]


def test_parts_of_a_line_with_no_space_between_them_are_one_word() -> None:
    parts = [word("株式", 0, 0), word("会社", 20, 0, 0.5), word("ABC", 60, 0)]
    assert [(part.text, part.certainty) for part in join_parts("株式会社 ABC", parts)] == [
        ("株式会社", 0.75),
        ("ABC", 1.0),
    ]


def test_a_page_that_lies_askew_is_laid_out_straight_and_its_words_keep_their_places() -> None:
    slope = 0.05
    lines = [
        [word(text, 100 + 200 * i, 100 + 30 * n + slope * 200 * i) for i, text in enumerate(row)]
        for n, row in enumerate([("Item", "Count", "Price"), ("Bolt", "10", "1.50"), ("Nut", "20", "0.40")])
    ]
    assert find_skew(lines) == pytest.approx(slope, abs=0.01)
    layout = lay_out_words(lines, 1.0)
    tops = [piece.top for piece in layout.pieces]
    assert max(tops[:3]) - min(tops[:3]) < 3
    assert layout.shown[layout.pieces[2].start][1] == pytest.approx(120)


def poor(codes: bytes) -> bytes:
    """A page whose font does not say which letters it shows."""
    fonts = [
        b"<</Type/Font/Subtype/Type0/BaseFont/AAAAAA+Odd/Encoding/Identity-H/DescendantFonts[7 0 R]>>",
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/AAAAAA+Odd/DW 600/FontDescriptor 8 0 R"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>",
        b"<</Type/FontDescriptor/FontName/AAAAAA+Odd/Flags 4/FontBBox[0 -200 1000 900]/ItalicAngle 0/Ascent 900"
        b"/Descent -200/CapHeight 700/StemV 80>>",
    ]
    parts = Parts(fonts, b"/Font<</F1 3 0 R/F9 6 0 R>>")
    return tiny_pdf.write([b"BT /F9 12 Tf 72 700 Td <%s> Tj ET" % codes.hex().encode()], parts=parts)


@pytest.mark.parametrize("codes", [b"\0\1\0\2\0\3\0\4\0\5", bytes(range(40))])
def test_a_text_layer_that_does_not_say_what_it_shows_is_read_off_the_picture(
    tmp_path: Path, said: Callable[..., None], codes: bytes
) -> None:
    said(lambda picture: [[word("Total", 100, 100)]])
    path = tmp_path / "poor.pdf"
    path.write_bytes(poor(codes))
    assert pdf_format.load(path, "poor.pdf", True).text == "Total"


def test_a_text_layer_that_does_not_say_what_it_shows_is_told_where_ocr_is_not_wanted(tmp_path: Path) -> None:
    path = tmp_path / "poor.pdf"
    path.write_bytes(poor(b"\0\1\0\2\0\3\0\4\0\5"))
    with pytest.raises(DocumentError, match="needs OCR") as error:
        pdf_format.load(path, "poor.pdf", False)
    assert error.value.reason == "needs OCR"


def test_words_of_a_picture_on_a_page_of_letters_are_read_where_that_is_wanted(
    tmp_path: Path, said: Callable[..., None]
) -> None:
    said(lambda picture: [[word("Total", 100, 60), word("45.00", 200, 60)]])
    picture = draw().convert("L")
    parts = Parts([image(*picture.size, picture.tobytes())], b"/XObject<</I 6 0 R>>")
    path = tmp_path / "brochure.pdf"
    text = tiny_pdf.page([tiny_pdf.Line(72, 700, "Our bill explained")])
    path.write_bytes(tiny_pdf.write([text + b" q 460 0 0 160 72 500 cm /I Do Q"], parts=parts))
    assert pdf_format.load(path, "brochure.pdf", False).text == "Our bill explained"
    document = pdf_format.load(path, "brochure.pdf", True)
    assert document.text.split() == ["Our", "bill", "explained", "Total", "45.00"]
    scale = 200 / 72
    left, top, _, _ = places(document, "45.00")[0]["box"]  # type: ignore[misc]
    assert (left, top) == (pytest.approx(72 + 200 / scale, abs=1), pytest.approx(132 + 60 / scale, abs=1))


def test_a_logo_and_a_picture_whose_words_are_letters_of_the_page_are_not_read(
    tmp_path: Path, said: Callable[..., None]
) -> None:
    said(lambda picture: [[word("LOGO", 10, 10)]])
    picture = draw().convert("L")
    parts = Parts([image(*picture.size, picture.tobytes())], b"/XObject<</I 6 0 R>>")
    lines = [tiny_pdf.Line(80, 640 - 14 * i, "words of the page itself here") for i in range(6)]
    path = tmp_path / "letter.pdf"
    drawn = b"q 46 0 0 16 72 740 cm /I Do Q q 460 0 0 160 72 500 cm /I Do Q " + tiny_pdf.page(lines)
    path.write_bytes(tiny_pdf.write([drawn], parts=parts))
    assert "LOGO" not in pdf_format.load(path, "letter.pdf", True).text


def layered(tmp_path: Path, *layers: str) -> Path:
    """A scan of pages with these text layers, which are placed and not painted."""
    picture, pages = Image.new("L", (612, 792), "white"), []
    for layer in layers:
        words = layer.split()
        lines = [tiny_pdf.Line(72, 700 - 20 * i, " ".join(words[i : i + 4])) for i in range(0, len(words), 4)]
        for line in lines:
            ink = ImageDraw.Draw(picture)
            ink.text((line.x, 792 - line.y - 9), line.text, fill="black", font=ImageFont.load_default(10))
        pages.append(b"q 612 0 0 792 0 0 cm /I Do Q 3 Tr " + tiny_pdf.page(lines))
    parts = Parts([image(*picture.size, picture.tobytes())], b"/XObject<</I 6 0 R>>")
    path = tmp_path / "layered.pdf"
    path.write_bytes(tiny_pdf.write(pages, parts=parts))
    return path


SHOWN = "Agreement between buyer Müller and seller about seven hundred wooden chairs delivered before winter"
WRONG = "Agrccm3nt bctwccn buyor Mu11cr amd scllcr ahout scvcn humdrcd woodcn chaira dclivcrcd hcforc wintcr"


def test_a_scan_whose_text_layer_is_wrong_is_read_by_ocr_and_told(tmp_path: Path, said: Callable[..., None]) -> None:
    said(lambda picture: [[word(one, 100 + 100 * i, 100, size=10) for i, one in enumerate(SHOWN.split())]])
    document = pdf_format.load(layered(tmp_path, WRONG), "a.pdf", True)
    assert document.text.split() == SHOWN.split()
    assert len(document.notes) == 1 and document.pictured == (1,)
    without = pdf_format.load(layered(tmp_path, WRONG), "a.pdf", False)
    assert "buyor" in without.text and not without.notes


@pytest.mark.parametrize(
    ("layer", "certainty"),
    [(SHOWN.replace("chairs", "cha1rs"), 1.0), (WRONG, 0.6)],
    ids=["it is right but for a letter", "what was read is not sure"],
)
def test_the_text_layer_of_a_scan_stays_where_nothing_says_that_it_is_wrong(
    tmp_path: Path, said: Callable[..., None], layer: str, certainty: float
) -> None:
    said(lambda picture: [[word(one, 100 + 100 * i, 100, certainty, 10) for i, one in enumerate(SHOWN.split())]])
    document = pdf_format.load(layered(tmp_path, layer, layer), "a.pdf", True)
    assert document.text.split()[: len(layer.split())] == layer.split()
    assert not any("text layer" in note for note in document.notes)


def test_pages_of_a_scan_are_looked_at_until_one_has_a_right_text_layer(
    tmp_path: Path, said: Callable[..., None]
) -> None:
    looked: list[Image.Image] = []

    def read_all(picture: Image.Image) -> list[WordLine]:
        looked.append(picture)
        return [[word(one, 100 + 100 * i, 100, size=10) for i, one in enumerate(SHOWN.split())]]

    said(read_all)
    pdf_format.load(layered(tmp_path, WRONG, SHOWN, SHOWN, SHOWN), "a.pdf", True)
    assert len({id(picture) for picture in looked}) <= 6


def test_parts_of_a_picture_that_stand_side_by_side_are_read_one_by_one(
    tmp_path: Path, said: Callable[..., None]
) -> None:
    seal = [[word("WORLD", 20, 40)], [word("SWIMMING", 20, 72)]]
    title = [[word("WORLD CHAMPIONSHIPS", 300, 20)], [word("OF MASTERS", 350, 54)], [word("KYUSHU", 370, 88)]]
    badge = [[word("KYUSHU", 700, 62)], [word("WORLD", 700, 96)], [word("MASTERS", 700, 122)]]
    mixed = [line for lines in zip(seal, title, badge, strict=False) for line in lines] + [title[2], badge[2]]
    said(lambda picture: mixed)
    picture = draw(size=(900, 180)).convert("L")
    parts = Parts([image(*picture.size, picture.tobytes())], b"/XObject<</I 6 0 R>>")
    path = tmp_path / "banner.pdf"
    text = tiny_pdf.page([tiny_pdf.Line(72, 500, "Results of the day")])
    path.write_bytes(tiny_pdf.write([text + b" q 330 0 0 66 72 600 cm /I Do Q"], parts=parts))
    words = " ".join(pdf_format.load(path, "banner.pdf", True).text.split())
    assert "WORLD SWIMMING WORLD CHAMPIONSHIPS OF MASTERS KYUSHU KYUSHU WORLD MASTERS # Results" in words
