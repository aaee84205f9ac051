"""Words of a PDF page that are not simply letters from left to right: turned, read from right to left, letter-spaced,
or with raised figures, which are apart from the number that they stand at."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterator
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractor.documents.formats.pdf_frame import Edges, PageFrame, read_boxes, read_letter_level
from extractor.documents.formats.reading_order import PageLayout, PlacedWords, reads_backwards
from extractor.documents.formats.scripts import spell_superscript

SLANTED = 4
"""The turn of words that stand at no right angle to the page."""
NEAR = 0.6
"""The gap between a word and raised figures that belong to it, in heights of its line."""
RAISED_HEIGHT, RAISED_BY = 0.86, 0.1
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
    """Whether letters of a run may be turned: not on one level, or the last not to the right of the first."""
    left, top, _, bottom = boxes
    if max(bottom) >= min(top):
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
    layout: PageLayout, frame: PageFrame, letters: pdfium.PdfTextPage, text: str, run: tuple[int, int]
) -> list[tuple[int, int]]:
    """Adds those words of a run that don't go from left to right, a piece for each word. Returns the parts of the run
    that do, and that are yet to be added."""
    upright: list[tuple[int, int]] = []
    turns = [(find_turn(frame, letters, i) if not text[i].isspace() else -1) for i in range(*run)]
    if not _is_slanted(read_boxes(frame, letters, (run[0], run[1] - 1)), turns):
        turns = [0 if turn == SLANTED else turn for turn in turns]
    for start, end, turn in _part_by_turn(turns, run[0]):
        edges = read_boxes(frame, letters, range(start, end))
        if not turn and not _goes_down(edges):
            upright.append((start, end))
            continue
        at = start
        for word in text[start:end].split(" "):
            if word:
                left, top, right, bottom = (edge[at - start : at - start + len(word)] for edge in edges)
                level = frame.height - max(top), frame.height - min(bottom)
                # letters below each other are read as those that are turned by a quarter
                placed = PlacedWords(at, at + len(word), [len(word) + 1], [min(left)], [max(right)], *level, turn or 1)
                layout.add_words(placed)
            at += len(word) + 1
    return upright


def _is_slanted(ends: Edges, turns: list[int]) -> bool:
    """Whether all letters of a run are slanted, and it goes up or down: letters of a slanted face do not."""
    _, top, _, bottom = ends
    return all(turn in (SLANTED, -1) for turn in turns) and (bottom[0] >= top[1] or bottom[1] >= top[0])


def _part_by_turn(turns: list[int], start: int) -> Iterator[tuple[int, int, int]]:
    """Parts that are turned alike, without the blanks at their ends; blanks have a turn of -1."""
    at = 0
    while at < len(turns):
        if turns[at] < 0:
            at += 1
            continue
        end = last = at + 1
        while end < len(turns) and turns[end] in (turns[at], -1):
            end += 1
            if turns[end - 1] >= 0:
                last = end
        yield start + at, start + last, turns[at]
        at = end


def _goes_down(edges: Edges) -> bool:
    """Whether letters stand below each other."""
    left, top, right, bottom = edges
    below = [
        (bottom[i] + top[i]) / 2 > (bottom[i + 1] + top[i + 1]) / 2 + 0.4 * (top[i] - bottom[i])
        and min(right[i], right[i + 1]) > max(left[i], left[i + 1])
        for i in range(len(left) - 1)
    ]
    return len(below) > 1 and 3 * sum(below) > 2 * len(below)


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


def mark_raised_pieces(layout: PageLayout) -> None:
    """Spells figures that are raised behind the piece before them, and drawn apart from it."""
    for before, piece in pairwise(layout.pieces):
        figures = layout.text[piece.start : piece.end]
        if len(figures) > 3 or not figures.isdigit() or piece.start in layout.rewritten or piece.turn or before.turn:
            continue
        height = before.bottom - before.top
        if (
            abs(piece.left - before.right) < 0.2 * height
            and piece.bottom - piece.top < RAISED_HEIGHT * height
            and before.top - 0.5 * height < piece.top < before.bottom
            and piece.bottom < before.bottom - RAISED_BY * height
            and before.end < piece.start <= before.end + 2
        ):
            layout.rewritten[piece.start] = spell_superscript(figures, layout.words_of(before))
            layout.raised.add(piece.start)


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
