"""Words of a PDF page that are not simply letters from left to right: turned, read from right to left, letter-spaced,
or with raised figures, which are apart from the number that they stand at."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractor.documents.formats.pdf_frame import PageFrame, read_boxes, read_letter_level
from extractor.documents.formats.reading_order import PageLayout, PlacedWords, reads_backwards
from extractor.documents.formats.scripts import spell_superscript

SLANTED = 4
"""The turn of words that stand at no right angle to the page."""
NEAR = 0.6
"""The gap between a word and raised figures that belong to it, in heights of its line."""
RAISED_HEIGHT, RAISED_BY = 0.82, 0.1
"""The most that the height of raised figures is of the letters' before them, and by how much of it they are raised."""
_EAST = r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]"
_SPACED = re.compile(rf"(?<!\S)[^\W\d_](?: [^\W\d_]){{3,}}(?!\S)|(?<!\S){_EAST}(?: {_EAST})+(?!\S)")
_MAYBE_SPACED = re.compile(r" [A-Za-z] [A-Za-z] [A-Za-z](?![A-Za-z])")
MAX_LINE_HEIGHT = 4.0
"""The most that lines are high, in widths of their letters on average, of most fonts that know their own height."""
EVEN_GAP = 1.7
"""How many times the usual gap between spaced letters a gap is that parts two words."""


class WordEdges(NamedTuple):
    """Edges of a run's letters, from the left and from the bottom of the page: of its first and last letter and, in
    between, of each space or of the letters before and after it."""

    left: array[float]
    top: array[float]
    right: array[float]
    bottom: array[float]


def has_odd_words(text: str) -> bool:
    """Whether there are words whose letters have spaces between them."""
    if text.isascii() and _MAYBE_SPACED.search(text) is None:  # begins with one letter, which is found fast
        return False
    return _SPACED.search(text) is not None


def is_turned(boxes: WordEdges, words: str) -> bool:
    """Whether a run's last letter is not to the right of its first, on one level: it may be turned."""
    left, top, _, bottom = boxes
    if not bottom[0] < top[-1] or not bottom[-1] < top[0]:
        return True
    return left[-1] < left[0] - 1 and not reads_backwards(words)


def find_true_level(
    frame: PageFrame, letters: pdfium.PdfTextPage, start: int, width: float, level: tuple[float, float]
) -> tuple[float, float]:
    """How far down words begin and end: as their font says, if it knows its own height; `width` is of one letter."""
    if level[1] - level[0] <= MAX_LINE_HEIGHT * width:
        return level
    top, bottom = read_letter_level(frame, letters, start)
    return (top, bottom) if level[1] - level[0] > 1.6 * (bottom - top) > 0 else level


def find_turn(frame: PageFrame, letters: pdfium.PdfTextPage, index: int) -> int:
    """By how many quarters the letter is turned on the page as it is shown, clockwise."""
    quarters = raw.FPDFText_GetCharAngle(letters.raw, index) / (math.pi / 2)
    if abs(quarters - round(quarters)) > 0.06:
        return SLANTED
    return int(round(quarters) + frame.quarter_turns) % 4


def add_turned_words(
    layout: PageLayout,
    frame: PageFrame,
    letters: pdfium.PdfTextPage,
    run: tuple[int, int, list[int]],
    turn: int,
) -> None:
    """Adds a run of words that don't go from left to right, a piece for each word."""
    at, _, lengths = run
    for length in lengths:
        end = at + length - 1
        left, top, right, bottom = read_boxes(frame, letters, range(at, end))
        level = frame.height - max(top), frame.height - min(bottom)
        layout.add_words(PlacedWords(at, end, [length], [min(left)], [max(right)], *level, turn))
        at = end + 1


class RaisedFigures(NamedTuple):
    """A word that ends in figures which are smaller and stand higher than the letters before them."""

    at: int
    """Where the figures begin."""
    left: float
    top: float
    bottom: float

    def part(self, text: str, words: PlacedWords) -> Iterator[PlacedWords]:
        """The words without their last one's figures, and the figures as signs of their own."""
        end, lengths, rights = words.end, words.lengths, words.rights
        figures = spell_superscript(text[self.at : end], text[words.start : self.at])
        alone = PlacedWords(self.at, end, [end - self.at + 1], [self.left], rights[-1:], self.top, self.bottom)
        length = lengths[-1] - 1 - (end - self.at)
        if length:
            yield words._replace(end=self.at, lengths=[*lengths[:-1], length + 1], rights=[*rights[:-1], self.left])
        elif len(lengths) > 1:
            yield words._replace(end=self.at - 1, lengths=lengths[:-1], lefts=words.lefts[:-1], rights=rights[:-1])
        yield alone._replace(rewritten=figures, is_raised=bool(length) or len(lengths) > 1)


def find_raised_figures(
    frame: PageFrame, letters: pdfium.PdfTextPage, text: str, run: tuple[int, int, list[int]], boxes: WordEdges
) -> dict[int, RaisedFigures]:
    """Words of the run, by their number, that end in raised figures; its boxes are of their first and last letters."""
    found: dict[int, RaisedFigures] = {}
    at, _, lengths = run
    for number, length in enumerate(lengths):
        end = at + length - 1
        # figures of a word of their own are raised if they are so beside the word before them
        base = 2 * number if length > 2 or not number else 2 * number - 1
        if text[end - 1].isdigit() and (length > 2 or number):
            last = 2 * number + 1
            if text[at:end].isdigit() and number:
                base = 2 * number - 1
            height = boxes.top[base] - boxes.bottom[base]
            least = boxes.bottom[base] + RAISED_BY * height
            near = base % 2 == 0 or boxes.left[2 * number] - boxes.right[base] < NEAR * height
            if near and boxes.top[last] - boxes.bottom[last] < RAISED_HEIGHT * height and boxes.bottom[last] > least:
                figures = _find_figures(frame, letters, text, (at, end), height)
                if figures:
                    found[number] = figures
        at = end + 1
    return found


def _find_figures(
    frame: PageFrame, letters: pdfium.PdfTextPage, text: str, word: tuple[int, int], height: float
) -> RaisedFigures | None:
    start, end = word
    left, top, _, bottom = read_boxes(frame, letters, range(start, end))
    at = end - 1
    while at >= start and text[at].isdigit() and top[at - start] - bottom[at - start] < RAISED_HEIGHT * height:
        at -= 1
    at += 1
    if at == end:
        return None
    level = frame.height - max(top[at - start :]), frame.height - min(bottom[at - start :])
    return RaisedFigures(at, left[at - start], *level)


def join_spaced_letters(text: str, words: PlacedWords) -> PlacedWords:
    """The words with letters that have even gaps between them joined: I N V O I C E."""
    written = text[words.start : words.end].split(" ")
    joints: set[int] = set()
    for first, last in _find_spaced(written):
        gaps = [words.lefts[i] - words.rights[i - 1] for i in range(first + 1, last)]
        widest = EVEN_GAP * max(0.01, min(median(gaps), words.bottom - words.top))
        joints |= {i for i, gap in enumerate(gaps, first + 1) if gap <= widest}
    if not joints:
        return words
    joined: list[str] = []
    lefts: list[float] = []
    rights: list[float] = []
    for i, word in enumerate(written):
        if i in joints:
            joined[-1] += word
            rights[-1] = words.rights[i]
        else:
            joined.append(word)
            lefts.append(words.lefts[i])
            rights.append(words.rights[i])
    lengths = [len(word) + 1 for word in joined]
    return words._replace(lengths=lengths, lefts=lefts, rights=rights, rewritten=" ".join(joined))


def _find_spaced(written: list[str]) -> Iterator[tuple[int, int]]:
    """Numbers of the first word that is a spaced letter, and after the last."""
    at = 0
    starts: dict[int, int] = {}
    for number, word in enumerate(written):
        starts[at] = number
        at += len(word) + 1
    for match in _SPACED.finditer(" ".join(written)):
        first = starts[match.start()]
        yield first, first + match[0].count(" ") + 1
