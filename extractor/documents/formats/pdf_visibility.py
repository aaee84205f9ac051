"""Which words of a PDF page a person sees, by what PDFium paints.

A page of nothing but dark, opaque, unclipped letters shows them all; there only their size and place count. Of any
other page two pictures are made, one with and one without its letters: a word is seen where the two differ. What is
covered, clipped, in a layer that is off, of the ground's own colour or nowhere is told in one way, whatever the trick.

What is placed and not painted is read all the same where a picture shows the words: the text layer of a scan.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

import pypdfium2 as pdfium

from extractor.documents.formats.pdf_calls import address_of, as_argument
from extractor.documents.formats.pdf_objects import PageObjects, set_active, text_object_at
from extractor.documents.formats.reading_order import PageLayout, TextPiece
from extractor.documents.formats.sight import Sight

if TYPE_CHECKING:
    from PIL.Image import Image

SEEN, DOUBTFUL, HIDDEN = Sight
MIN_LETTER_AREA, MIN_CLEAR_AREA = 1.2, 2.5
"""Square points that a letter takes on average, its line's height included, under which nobody reads it, and under
which it is doubtful that somebody does: letters of 1.4 and 2 points."""
MIN_NARROWNESS = 0.04
"""Width of a letter on average, in heights of its line: narrow letters of a narrow face have 0.1."""
ODD_NARROWNESS = 0.12
"""From which a line is looked at word by word."""
FAINT, CLEAR = 8, 24
"""By how much, of 255, a channel of the ground must change for ink to be seen, and to be seen for certain. Paper white
and #F5F5F5 are 10 apart."""
INK_CONTRAST = 60
"""Between the darkest and the lightest spot under a word of a scan."""
MIN_LAYER_SHARE, MIN_INKED_SHARE = 0.7, 0.5
"""The part of a page's words that is not painted, and of those the part that has ink under it, for a scan's layer."""
PICTURE_SCALE, MAX_PICTURE_PIXELS = 2.0, 8_000_000
"""Pixels to a point, and of one picture; a larger page is pictured more coarsely."""
MIN_CERTAIN_SCALE = 0.9
"""Pixels to a point from which letters of the smallest size that is read leave a mark."""
PICTURE_SECONDS = 20.0
"""Of CPU time for the pictures of one file. On pages after that, only what is painted faintly is doubted."""


class PageFrame(NamedTuple):
    """The size of a page as it is shown, in points."""

    width: float
    height: float


class VisibilityJudge:
    """Judges pages of one file; its pictures have a bound in time."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def judge_words(
        self, page: pdfium.PdfPage, letters: pdfium.PdfTextPage, text: str, layout: PageLayout, objects: PageObjects
    ) -> bytearray | None:
        """A verdict for each word of the page's text; None where all are seen."""
        frame = PageFrame(*page.get_size())
        verdicts = _judge_by_place(frame, layout)
        if not objects.is_plain and layout.pieces:
            verdicts = verdicts or bytearray(len(layout.lengths))
            if self._seconds < PICTURE_SECONDS:
                start = time.process_time()
                _PageJudge(page, letters, text, layout, objects, verdicts).judge()
                self._seconds += time.process_time() - start
            else:
                _doubt_faint_words(letters, layout, objects, verdicts)
        return verdicts if verdicts and any(verdicts) else None


def _judge_by_place(frame: PageFrame, layout: PageLayout) -> bytearray | None:
    """Words that are too small or too narrow for anybody, or beside the page."""
    width, height = frame
    odd = [
        piece
        for piece in layout.pieces
        for start, end, _, _, left, top, right, bottom, _ in (piece,)
        if not (bottom - top >= 3 and left >= 0 and right <= width and top >= 0 and bottom <= height)
        or right - left < (end - start) * max(ODD_NARROWNESS * (bottom - top), 2 * MIN_CLEAR_AREA / (bottom - top))
    ]
    if not odd:
        return None
    verdicts = bytearray(len(layout.lengths))
    for piece in odd:
        height = piece.bottom - piece.top
        level = height > 1 and piece.turn == 0
        for i in range(piece.first, piece.last):
            left, right, length = layout.lefts[i], layout.rights[i], max(1, layout.lengths[i] - 1)
            area = max(0.0, right - left) * max(0.0, height) / length
            narrowness = (right - left) / length / height if level and length > 3 else 1.0
            across = min(right, frame.width) - max(left, 0.0)
            down = min(piece.bottom, frame.height) - max(piece.top, 0.0)
            shown = max(0.0, across) * max(0.0, down) / length
            if area < MIN_LETTER_AREA or shown < 0.1 * area or narrowness < MIN_NARROWNESS:
                verdicts[i] = HIDDEN
            elif (area < MIN_CLEAR_AREA and length > 2) or shown < 0.5 * area or narrowness < 2 * MIN_NARROWNESS:
                verdicts[i] = DOUBTFUL
    return verdicts


def part_by_sight(layout: PageLayout, verdicts: bytearray | None) -> tuple[list[TextPiece], set[int], list[TextPiece]]:
    """The pieces that are seen, which of them are doubtful (by where they start), and those that are hidden."""
    if not verdicts and not layout.sights:
        return layout.pieces, set(), []
    seen: list[TextPiece] = []
    hidden: list[TextPiece] = []
    doubtful: set[int] = set()
    for whole in layout.pieces:
        added = layout.sights.get(whole.start)
        parts = [(whole, added)] if added is not None or not verdicts else _part_piece(layout, whole, verdicts)
        for piece, verdict in parts:
            (hidden if verdict == HIDDEN else seen).append(piece)
            if verdict == DOUBTFUL:
                doubtful.add(piece.start)
    return seen, doubtful, hidden


def _part_piece(layout: PageLayout, piece: TextPiece, verdicts: bytearray) -> Iterator[tuple[TextPiece, int]]:
    """The piece in parts that are seen alike."""
    is_whole = piece.start in layout.rewritten or piece.last > len(verdicts)  # its words are not where its letters are
    first, at = piece.first, piece.start
    while first < piece.last:
        last, end = first, at
        verdict = verdicts[first] if first < len(verdicts) else SEEN
        while last < piece.last and (is_whole or verdicts[last] == verdict):
            end += layout.lengths[last]
            last += 1
        if last - first == piece.last - piece.first:
            yield piece, verdict
        else:
            lefts, rights = layout.lefts[first:last], layout.rights[first:last]
            close = piece.end if last == piece.last else end - 1
            edges = min(lefts), piece.top, max(rights), piece.bottom
            yield TextPiece(at, close, first, last, *edges, piece.turn), verdict
        first, at = last, end


def find_text_objects(letters: pdfium.PdfTextPage, layout: PageLayout) -> list[int]:
    """For each word the object that draws its first letter; 0 where there is none."""
    handle = as_argument(address_of(letters.raw))
    found = [0] * len(layout.lengths)
    for piece in layout.pieces:
        at = piece.start
        for i in range(piece.first, piece.last):
            found[i] = text_object_at(handle, at) or 0
            at += layout.lengths[i]
    return found


def _find_tall_words(text: str, layout: PageLayout) -> list[bool]:
    """Which words have letters or digits that are about as high as their line."""
    found = [False] * len(layout.lengths)
    for piece in layout.pieces:
        at = piece.start
        for i in range(piece.first, piece.last):
            length = layout.lengths[i]
            found[i] = sum(c.isalnum() and c.isascii() for c in text[at : at + length]) > 1
            at += length
    return found


def _doubt_faint_words(
    letters: pdfium.PdfTextPage, layout: PageLayout, objects: PageObjects, verdicts: bytearray
) -> None:
    doubted = objects.faint | objects.unpainted | objects.replaced
    for i, thing in enumerate(find_text_objects(letters, layout)):
        if thing in doubted and not verdicts[i]:
            verdicts[i] = DOUBTFUL


class _PageJudge:
    def __init__(
        self,
        page: pdfium.PdfPage,
        letters: pdfium.PdfTextPage,
        text: str,
        layout: PageLayout,
        objects: PageObjects,
        verdicts: bytearray,
    ) -> None:
        self._page, self._layout, self._objects, self._verdicts = page, layout, objects, verdicts
        width, height = page.get_size()
        self._scale = min(PICTURE_SCALE, (MAX_PICTURE_PIXELS / max(1.0, width * height)) ** 0.5)
        self._drawn_by = find_text_objects(letters, layout)
        self._tall = _find_tall_words(text, layout)

    def judge(self) -> None:
        from PIL import ImageChops  # slow to import, and many files have only plain pages

        objects = self._objects
        shown = self._picture()
        without_faint = self._picture_without(objects.faint) if objects.faint else shown
        bare = self._picture_without(set(objects.texts) - objects.faint)
        difference = _strongest_channel(ImageChops.difference(shown, bare))
        faint_difference = difference
        if objects.faint:  # they must show beside the other letters, and by themselves: not as what blots out others
            for thing in objects.faint:
                set_active(as_argument(thing), True)
            alone = _strongest_channel(ImageChops.difference(self._picture(), bare))
            beside = _strongest_channel(ImageChops.difference(shown, without_faint))
            faint_difference = ImageChops.darker(alone, beside)
        ground = bare.convert("L")
        unpainted: list[tuple[int, bool]] = []
        for piece in self._layout.pieces:
            for i in range(piece.first, piece.last):
                if self._verdicts[i] == HIDDEN:
                    continue
                box, drawn_by = self._pixel_box(i, piece, shown.size), self._drawn_by[i]
                if drawn_by in objects.unpainted:
                    covered = _judge_ink(difference, box, False) != HIDDEN
                    unpainted.append((i, not covered and _has_contrast(ground, box)))
                    continue
                tall = self._tall[i] and not piece.turn
                verdict = _judge_ink(faint_difference if drawn_by in objects.faint else difference, box, tall)
                if verdict == HIDDEN and _has_contrast(ground, box):
                    unpainted.append((i, True))
                else:
                    self._lower(i, verdict)
                if drawn_by in objects.replaced and self._layout.lengths[i] > 4:
                    self._lower(i, DOUBTFUL)
        self._judge_layer(unpainted)

    def _judge_layer(self, unpainted: Sequence[tuple[int, bool]]) -> None:
        """Words that are not painted: the layer of a scan where most of the page is, and where a picture shows ink."""
        inked = sum(has_ink for _, has_ink in unpainted)
        is_layer = len(unpainted) >= MIN_LAYER_SHARE * len(self._verdicts) and inked >= MIN_INKED_SHARE * len(unpainted)
        for i, has_ink in unpainted:
            self._lower(i, HIDDEN if not has_ink else SEEN if is_layer else DOUBTFUL)

    def _lower(self, word: int, verdict: int) -> None:
        if verdict == HIDDEN and self._scale < MIN_CERTAIN_SCALE:
            verdict = DOUBTFUL  # the picture is too coarse to tell
        self._verdicts[word] = max(self._verdicts[word], verdict)

    def _picture(self) -> Image:
        bitmap = self._page.render(scale=self._scale)
        try:
            image: Image = bitmap.to_pil().convert("RGB")
        finally:
            bitmap.close()
        return image

    def _picture_without(self, things: Iterable[int]) -> Image:
        for thing in things:
            set_active(as_argument(thing), False)
        return self._picture()

    def _pixel_box(self, word: int, piece: TextPiece, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """The middle of a word's place in the picture, so that its neighbours' ink is not taken for its own."""
        scale, (width, height) = self._scale, size
        left, right = self._layout.lefts[word] * scale + 0.5, self._layout.rights[word] * scale - 0.5
        # letters and digits reach into the middle of their line; lines and stars may be below or above it
        margin = 0.15 * (piece.bottom - piece.top) if self._tall[word] and not piece.turn else 0.0
        top, bottom = (piece.top + margin) * scale, (piece.bottom - margin) * scale
        x, y = max(0, min(int(left), width - 1)), max(0, min(int(top), height - 1))
        return x, y, max(x + 1, min(round(right), width)), max(y + 1, min(round(bottom), height))


def _strongest_channel(difference: Image) -> Image:
    """The most by which any channel of a pixel differs."""
    from PIL import ImageChops

    red, green, blue = difference.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def _judge_ink(difference: Image, box: tuple[int, int, int, int], tall: bool) -> int:
    """Whether ink shows in the box: enough of it, over enough of its width and, for a word of letters, height."""
    part = difference.crop(box)
    strongest = cast(tuple[int, int], part.getextrema())[1]
    if strongest < FAINT:
        return HIDDEN
    threshold = min(CLEAR, strongest // 2)
    extent = part.point(_above(threshold)).getbbox()
    if extent is None:
        return HIDDEN
    width, height = box[2] - box[0], box[3] - box[1]
    across, down = (extent[2] - extent[0]) / width, (extent[3] - extent[1]) / height
    if width > height and across < 0.25:  # all of a word is covered but an edge
        return HIDDEN if across < 0.1 else DOUBTFUL
    if tall and height > 5 and down < 0.35:  # a slit of it
        return HIDDEN if down < 0.2 else DOUBTFUL
    return SEEN if strongest >= CLEAR else DOUBTFUL


def _above(threshold: int) -> list[int]:
    return [255 * (value >= threshold) for value in range(256)]


def _has_contrast(ground: Image, box: tuple[int, int, int, int]) -> bool:
    """Whether there are marks in the box that may be the word: light and dark, over most of its width."""
    part = ground.crop(box)
    low, high = cast(tuple[int, int], part.getextrema())
    if high - low < INK_CONTRAST:
        return False
    middle = (low + high) // 2
    dark = part.point([255 * (value < middle) for value in range(256)])
    share = dark.histogram()[255] / max(1, part.width * part.height)
    extent = dark.getbbox() if share < 0.5 else part.point(_above(middle)).getbbox()
    return extent is not None and 0.02 < share < 0.98 and (extent[2] - extent[0]) >= 0.4 * part.width
