"""Words in the pictures of a PDF page that has letters too: a bill that was scanned into a brochure, a pasted table."""

from __future__ import annotations

import pypdfium2 as pdfium

from extractor.documents.formats.ocr import DOTS_PER_INCH, MAX_PIXELS, recognise_picture
from extractor.documents.formats.page_rows import part_at_gutters
from extractor.documents.formats.pdf_frame import PageFrame
from extractor.documents.formats.pdf_objects import PageObjects
from extractor.documents.formats.reading_order import PageLayout, TextPiece
from extractor.documents.formats.sight import Sight

MIN_PICTURE_SHARE, MIN_WIDTH, MIN_HEIGHT = 0.04, 90.0, 40.0
"""The part of the page that a picture takes, and points that it is wide and high, from which it may hold words that
matter; smaller ones are logos."""
MAX_WORDS_OVER = 12
"""Words of the page's own that are seen on a picture, from which its words are among them."""
MIN_PART_LINES = 1
"""Lines of a part of a picture that stands beside another, such as a title between two seals."""
MAX_PICTURES = 6
"""Of one page, the largest."""

Box = tuple[float, float, float, float]


def read_pictures(page: pdfium.PdfPage, layout: PageLayout, objects: PageObjects, verdicts: bytearray | None) -> bool:
    """Adds the words of the page's pictures to its layout, behind its own; whether there are any."""
    if not objects.pictures:
        return False
    frame = PageFrame(page)
    boxes = [_cut(frame, frame.place_box(*edges)) for edges in objects.pictures]
    large = [box for box in _join_boxes(boxes) if _may_hold_words(frame, box)]
    large.sort(key=lambda box: (box[0] - box[2]) * (box[3] - box[1]))
    seen = [(p, i) for p in layout.pieces for i in range(p.first, p.last) if not _is_unseen(verdicts, i)]
    over = [(box, [word for word in seen if _is_inside(layout, *word, box)]) for box in large[:MAX_PICTURES]]
    wanted = [(box, words) for box, words in over if len(words) < MAX_WORDS_OVER]
    if not wanted:
        return False
    layout.own_end = min(layout.own_end, len(layout.text))
    scale = min(DOTS_PER_INCH / 72, (MAX_PIXELS / max(1.0, frame.width * frame.height)) ** 0.5)
    bitmap = page.render(scale=scale)
    picture = bitmap.to_pil().convert("RGB")
    bitmap.close()
    found_any = False
    for (left, top, right, bottom), words in wanted:
        part = picture.crop((int(left * scale), int(top * scale), round(right * scale), round(bottom * scale)))
        found = recognise_picture(part, scale)
        if isinstance(found, PageLayout):
            found_any = True
            _add_layout(layout, found, (left, top, right, bottom), words)
    return found_any


def _cut(frame: PageFrame, box: Box) -> Box:
    """What of the box is on the page."""
    return max(0.0, box[0]), max(0.0, box[1]), min(frame.width, box[2]), min(frame.height, box[3])


def _is_unseen(verdicts: bytearray | None, word: int) -> bool:
    return verdicts is not None and word < len(verdicts) and verdicts[word] != Sight.SHOWN


def _may_hold_words(frame: PageFrame, box: Box) -> bool:
    width, height = box[2] - box[0], box[3] - box[1]
    share = width * height / max(1.0, frame.width * frame.height)
    return share >= MIN_PICTURE_SHARE and width >= MIN_WIDTH and height >= MIN_HEIGHT


def _join_boxes(boxes: list[Box]) -> list[Box]:
    """Pictures that touch are one: many writers cut one into strips."""
    joined: list[Box] = []
    for box in sorted(boxes):
        for i, other in enumerate(joined):
            if box[0] <= other[2] + 1 and other[0] <= box[2] + 1 and box[1] <= other[3] + 1 and other[1] <= box[3] + 1:
                joined[i] = (
                    min(box[0], other[0]), min(box[1], other[1]), max(box[2], other[2]), max(box[3], other[3])
                )  # fmt: skip
                break
        else:
            joined.append(box)
    return joined


def _is_inside(layout: PageLayout, piece: TextPiece, word: int, box: Box) -> bool:
    x, y = (layout.lefts[word] + layout.rights[word]) / 2, (piece.top + piece.bottom) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _add_layout(layout: PageLayout, found: PageLayout, box: Box, known: list[tuple[TextPiece, int]]) -> None:
    """Adds what was read on a picture, without words that the page has itself in that place; it stands before the first
    of the page's own lines that lie below the picture."""
    left, top, right, bottom = box
    below = (
        number
        for number, own in enumerate(layout.pieces)
        if own.top >= bottom - 1 and own.left < right and own.right > left and own.turn == 0
    )
    place = next(below, len(layout.pieces))
    read: list[TextPiece] = []
    layout.certainties.extend([1.0] * (len(layout.lengths) - len(layout.certainties)))
    for piece in (piece for part in part_at_gutters(found.pieces, MIN_PART_LINES) for piece in part):
        at = found.shown.get(piece.start, piece[4:8])
        middle = (at[0] + at[2]) / 2 + left, (at[1] + at[3]) / 2 + top
        if any(_holds(layout, *word, middle) for word in known):
            continue
        start, first = len(layout.text) + 1, len(layout.lengths)
        layout.text += "\n" + found.words_of(piece)
        layout.lengths += found.lengths[piece.first : piece.last]
        layout.lefts.extend(x + left for x in found.lefts[piece.first : piece.last])
        layout.rights.extend(x + left for x in found.rights[piece.first : piece.last])
        layout.certainties.extend(found.certainties[piece.first : piece.last])
        edges = piece.left + left, piece.top + top, piece.right + left, piece.bottom + top
        read.append(TextPiece(start, len(layout.text), first, len(layout.lengths), *edges))
        if piece.start in found.sights:
            layout.sights[start] = found.sights[piece.start]
    layout.pieces[place:place] = read


def _holds(layout: PageLayout, piece: TextPiece, word: int, point: tuple[float, float]) -> bool:
    return layout.lefts[word] <= point[0] <= layout.rights[word] and piece.top <= point[1] <= piece.bottom
