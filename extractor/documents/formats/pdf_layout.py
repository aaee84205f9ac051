"""Pages of words with boxes -> the text: lines, blank lines between paragraphs, marks before headings."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise

from extractor.documents.formats.builder import DocumentBuilder
from extractor.documents.formats.pdf_text import HYPHEN
from extractor.documents.formats.reading_order import PageLayout, TextLine, TextPiece, order_lines
from extractor.documents.locations import WordBoxes

_LEVELS = ((1.6, 1), (1.3, 2), (1.15, 3))
"""How much larger than the text around it a line is to be a heading, and of which level."""
_LONGEST_HEADING = 100


class PageWriter:
    """Pages written one after the other: lines, blank lines between paragraphs, marks before headings."""

    def __init__(self) -> None:
        self.draft = DocumentBuilder()
        self.boxes = WordBoxes()
        self.recognised = False
        self._height_counts: Counter[float] = Counter()

    def begin_page(self) -> None:
        """Begins a page."""
        self.boxes.pages.append(len(self.boxes.starts))

    def write_page(self, text: str, layout: PageLayout, bold: Callable[[TextPiece], bool] | None) -> None:
        """Writes a page. Without `bold` its heights come from OCR and are too uncertain to recognise headings by."""
        found = order_lines(layout.pieces)
        if not found:
            return
        body = math.inf
        if bold:
            for line in found:
                self._height_counts[line.height] += line.pieces[-1].end - line.pieces[0].start
            body = max(self._height_counts, key=lambda height: (self._height_counts[height], -height))
        pitch = _find_line_pitch(found)
        above, level_above = None, 0
        starts: list[int] = []
        written: list[str] = []
        lengths, length, put = layout.lengths, self.draft.length, written.append
        for line in found:
            level = _find_heading_level(line, body) if line.height > body else 0
            new_paragraph = above is None or level or level_above or _ends_paragraph(text, above, line, pitch)
            mark = "#" * level + " " if level else ""
            if bold and new_paragraph and not level and _looks_like_heading(text, line) and bold(line.pieces[0]):
                mark = "**"
            bold_end = mark
            if length and (above is None or text[above.pieces[-1].end - 1] != HYPHEN):
                mark = ("\n\n" if new_paragraph else "\n") + mark
            for piece in line.pieces:
                start, end, first, last, *_ = piece
                words = text[start:end] if text[end - 1] != HYPHEN else _join_hyphenated(text, piece)
                length += len(mark)
                starts += accumulate(lengths[first : last - 1], initial=length)
                length += len(words)
                self.boxes.ends.append(length)
                put(mark)
                put(words)
                mark = "\t"
            if bold_end == "**":
                put(bold_end)
                length += 2
            above, level_above = line, level
        self.draft.add_text("".join(written))
        self.boxes.starts.fromlist(starts)
        self._add_edges(layout, [piece for line in found for piece in line.pieces])

    def _add_edges(self, layout: PageLayout, pieces: Sequence[TextPiece]) -> None:
        boxes = self.boxes
        boxes.tops.extend([piece.top for piece in pieces])
        boxes.bottoms.extend([piece.bottom for piece in pieces])
        counts = accumulate((piece.last - piece.first for piece in pieces), initial=len(boxes.lefts))
        boxes.lines.extend(list(counts)[:-1])
        if all(a.last == b.first for a, b in pairwise(pieces)):
            boxes.lefts.extend(layout.lefts)
            boxes.rights.extend(layout.rights)
            return
        for piece in pieces:
            boxes.lefts.extend(layout.lefts[piece.first : piece.last])
            boxes.rights.extend(layout.rights[piece.first : piece.last])


def _find_line_pitch(found: Sequence[TextLine]) -> float:
    """From one line to the next, as most of the page has it."""
    tops = [line.pieces[0].top for line in found]
    steps = Counter([round(2 * (b - a)) / 2 for a, b in pairwise(tops) if b > a])
    return max(steps, key=lambda step: (steps[step], -step)) if steps else 0.0


def _ends_paragraph(text: str, above: TextLine, line: TextLine, pitch: float) -> bool:
    """Whether a paragraph ends between the lines; a sentence may go on in the next column, or on the next page."""
    if abs(line.height - above.height) > 0.1 * above.height:
        return True
    step = line.pieces[0].top - above.pieces[0].top
    if step <= 0 or step > 10 * pitch:
        return text[above.end - 1] in ".!?:;" or not text[line.start].islower()
    return step > 1.25 * pitch


def _find_heading_level(line: TextLine, body: float) -> int:
    """Which heading the line is by its size; 0 for none."""
    if line.end - line.start > _LONGEST_HEADING:
        return 0
    return next((level for times, level in _LEVELS if line.height >= times * body), 0)


def _join_hyphenated(text: str, piece: TextPiece) -> str:
    """The words of a piece that ends within a word, with its hyphen if the word has one anywhere: well-known."""
    words = text[piece.start : piece.end - 1]
    left, right = (
        re.search(r"[^\W\d_]+(?:-[^\W\d_]+)*$", words),
        re.match(r"[^\W\d_]+", text[piece.end : piece.end + 60]),
    )
    if not left or not right or "-" in left[0] or not (left[0][-1].islower() and right[0].islower()):
        return f"{words}-"
    return f"{words}-" if f"{left[0]}-{right[0]}" in text else words


def _looks_like_heading(text: str, line: TextLine) -> bool:
    """Whether the line is short and by itself, as a heading of the text's own size would be."""
    words = text[line.start : line.end]
    return len(line.pieces) == 1 and 3 <= len(words) <= 60 and not re.search(r"[*_]|[.,;]$", words)
