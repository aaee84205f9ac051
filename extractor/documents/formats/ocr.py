"""Pictures of pages -> words with boxes, by whichever reader of pictures is installed: RapidOCR, else tesseract.

A page that was scanned upside down or on its side is turned first, by how surely its words are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from extractor.documents.formats import ocr_rapid, ocr_tesseract
from extractor.documents.formats.ocr_words import PictureError, PictureWord, WordLine, lay_out_words
from extractor.documents.formats.reading_order import PageLayout

if TYPE_CHECKING:
    import pypdfium2 as pdfium
    from PIL.Image import Image

DOTS_PER_INCH, TESSERACT_DOTS_PER_INCH = 200, 300
"""Dots per inch of a page's picture; tesseract is trained on more."""
MAX_PIXELS = 40_000_000
"""The most of one picture; a larger page is pictured more coarsely."""
SURE = 0.85
"""The certainty of a page's words, on average, under which it may lie on its head, or want another reader."""
UPRIGHT = 1.5
"""How much higher than wide a line is that lies on its side."""


def advise_on_ocr(wanted: bool) -> str:
    """What to do about pages without a text layer."""
    if not is_ocr_installed():
        return "install a reader of pictures (pip install 'recordproof[ocr]', or tesseract) and run again with --ocr"
    return "nothing could be read on it either" if wanted else "run again with --ocr"


def is_ocr_installed() -> bool:
    """Whether there is anything that reads pictures."""
    return ocr_rapid.is_installed() or ocr_tesseract.is_installed()


def find_ocr_version() -> str:
    """What reads pictures here."""
    if ocr_rapid.is_installed():
        return ocr_rapid.find_version()
    return ocr_tesseract.find_version() if ocr_tesseract.is_installed() else ""


def recognise_page(page: pdfium.PdfPage) -> PageLayout | str:
    """The page's words and where they stand, or why there are none."""
    if not is_ocr_installed():
        return advise_on_ocr(True)
    width, height = page.get_size()
    dots = DOTS_PER_INCH if ocr_rapid.is_installed() else TESSERACT_DOTS_PER_INCH
    scale = min(dots / 72, (MAX_PIXELS / max(1.0, width * height)) ** 0.5)
    bitmap = page.render(scale=scale)
    try:
        picture = bitmap.to_pil().convert("RGB")
    finally:
        bitmap.close()
    return recognise_picture(picture, scale)


def recognise_picture(picture: Image, scale: float) -> PageLayout | str:
    """The words of a picture of so many pixels to a point, and where they stand in points, or why there are none."""
    if not is_ocr_installed():
        return advise_on_ocr(True)
    try:
        best = _read_any_way_up(picture, 72 * scale)
    except PictureError as error:
        return str(error)
    turn, size = best.turn, picture.size
    layout = lay_out_words(best.lines, scale, (lambda word: place_word(word, turn, size)) if turn else None)
    return layout if layout.pieces else "nothing can be read on it"


class _Reading(NamedTuple):
    """Lines that were read, and how surely: the certainty of its words, and how many letters they have."""

    lines: list[WordLine]
    certainty: float
    letters: int
    turn: int = 0
    """By how many quarters the picture was turned against the clock."""

    @classmethod
    def of(cls, lines: list[WordLine], turn: int = 0) -> _Reading:
        words = [word for line in lines for word in line]
        letters = sum(len(word.text) for word in words)
        sure = sum(word.certainty * len(word.text) for word in words)
        return cls(lines, sure / letters if letters else 0.0, letters, turn)

    @property
    def worth(self) -> float:
        return self.certainty * min(self.letters, 200)


def _read_any_way_up(picture: Image, dots_per_inch: float) -> _Reading:
    read = ocr_rapid.read_words if ocr_rapid.is_installed() else ocr_tesseract.read_words
    best = _Reading.of(read(picture, dots_per_inch))
    turns = _find_likely_turns(best)
    if turns and turns[0] != 2:
        best = _Reading([], 0.0, 0)  # lines on their side may be read well, but stand in no order
    for turn in turns:
        turned = _Reading.of(read(picture.rotate(90 * turn, expand=True), dots_per_inch), turn)
        best = turned if turned.worth > best.worth else best
        if best.certainty >= SURE:
            break
    if best.certainty < SURE and ocr_rapid.is_installed() and ocr_tesseract.is_installed():
        try:
            other = _Reading.of(ocr_tesseract.read_words(picture, dots_per_inch))
        except PictureError:
            return best
        best = other if other.worth > best.worth and other.certainty > best.certainty else best
    return best


def _find_likely_turns(reading: _Reading) -> Sequence[int]:
    """By how many quarters the page may have to be turned against the clock to stand upright, beside none."""
    words = [word for line in reading.lines for word in line if len(word.text) > 2]
    if not words:
        return (1, 3, 2) if reading.lines else ()
    if median((word.bottom - word.top) / max(1.0, word.right - word.left) for word in words) > UPRIGHT:
        return 1, 3
    return (2, 1, 3) if reading.certainty < SURE else ()


def place_word(word: PictureWord, turn: int, size: tuple[int, int]) -> PictureWord:
    """A word of a picture that was turned so many quarters against the clock, where it is in the one that was not,
    whose width and height are `size`."""
    width, height = size
    text, left, top, right, bottom, certainty = word
    match turn:
        case 1:
            left, top, right, bottom = width - bottom, left, width - top, right
        case 2:
            left, top, right, bottom = width - right, height - bottom, width - left, height - top
        case 3:
            left, top, right, bottom = top, height - right, bottom, height - left
    return PictureWord(text, left, top, right, bottom, certainty)
