"""Pieces of lines as a page draws them -> lines in the order in which they are read.

Most files draw their words in reading order, so that order is kept but for one case: a page of columns drawn line by
line across them. Such a page differs from a table in what stands on both sides of the gutter: lines of prose that fill
their column, not short cells.
"""

from __future__ import annotations

import math
import re
import sys
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from statistics import median
from typing import NamedTuple

from extractor.documents.formats.sight import Sight

MIN_GUTTER_ROWS = 4
"""Rows with words on both sides that a gutter needs to part columns."""
MIN_PROSE_LENGTH = 18
"""Characters that half of a column's lines have at least."""
LEVEL = 0.2
"""How far apart, in heights of a line, the middles of two lines are that stand on one level."""
BLANK_LINE_GAP = 0.5
"""The gap between two rows, in heights of a line, that is a blank line."""
MIN_FILLED_WIDTH = 0.5
"""How much of the column's width half of its lines take at least."""


_BACKWARDS = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")


def reads_backwards(text: str) -> bool:
    """Whether letters of the text are of a script that is read from right to left."""
    return _BACKWARDS.search(text) is not None


class TextPiece(NamedTuple):
    """Words on one line with no wide gap between them: characters [start, end) of the page and its words [first, last).

    Edges are in points from the upper left corner.
    """

    start: int
    end: int
    first: int
    last: int
    left: float
    top: float
    right: float
    bottom: float
    turn: int = 0
    """Quarters by which it is turned clockwise; 4 where it is slanted."""

    def on_same_line(self, other: TextPiece) -> bool:
        """Whether the two stand on one line."""
        if self.top >= other.bottom or other.top >= self.bottom:
            return False
        shared = min(self.bottom, other.bottom) - max(self.top, other.top)
        return 2 * shared > min(self.bottom - self.top, other.bottom - other.top)


def turn_upright(piece: TextPiece) -> TextPiece:
    """The piece as it stands when the page is turned so that its words go from left to right."""
    left, top, right, bottom = piece.left, piece.top, piece.right, piece.bottom
    edges = {
        1: (top, -right, bottom, -left),
        2: (-right, -bottom, -left, -top),
        3: (-bottom, left, -top, right),
    }[piece.turn]
    return piece._replace(left=edges[0], top=edges[1], right=edges[2], bottom=edges[3], turn=0)


class PlacedWords(NamedTuple):
    """Words [start, end) of a page's text on one line, as a reader of the page finds them: the length of each with the
    space after it, what lies left and right of each, and what lies above and below them all."""

    start: int
    end: int
    lengths: list[int]
    lefts: list[float]
    rights: list[float]
    top: float
    bottom: float
    turn: int = 0
    rewritten: str = ""
    """What they are where that is not their part of the page's text, such as spaced letters."""
    is_raised: bool = False


@dataclass(slots=True)
class PageLayout:
    """A page: its text, its pieces as they are drawn, and its words with what lies left and right of them."""

    text: str = ""
    pieces: list[TextPiece] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    """Of each word, with the space after it."""
    lefts: array[float] = field(default_factory=lambda: array("f"))
    rights: array[float] = field(default_factory=lambda: array("f"))
    rewritten: dict[int, str] = field(default_factory=dict)
    """What a piece says, by where it starts, if it is not that part of the text."""

    raised: set[int] = field(default_factory=set)
    """Where pieces start that are raised figures behind the one before them, with nothing between."""
    attached: set[int] = field(default_factory=set)
    """Where pieces start that belong to the one before them, such as an address behind words."""
    certainties: array[float] = field(default_factory=lambda: array("f"))
    """How surely each word was read, from 0 to 1, where they were read off a picture."""
    shown: dict[int, tuple[float, float, float, float]] = field(default_factory=dict)
    """Left, top, right and bottom of pieces of one word that are shown elsewhere than they are laid out, by start."""
    own_end: int = sys.maxsize
    """Where what was added begins."""
    sights: dict[int, Sight] = field(default_factory=dict)
    """How pieces that were added are seen, by where they start, if they are not."""

    def add_words(self, words: PlacedWords) -> None:
        """Adds a piece."""
        first = len(self.lengths)
        self.lengths += words.lengths
        self.lefts.extend(words.lefts)
        self.rights.extend(words.rights)
        edges = min(words.lefts), words.top, max(words.rights), words.bottom
        self.pieces.append(TextPiece(words.start, words.end, first, len(self.lengths), *edges, words.turn))
        if words.rewritten:
            self.rewritten[words.start] = words.rewritten
        if words.is_raised:
            self.raised.add(words.start)

    def part_piece(self, piece: TextPiece, at: Sequence[float]) -> list[TextPiece]:
        """The piece, parted between words at those places from the left, where they lie between words."""
        if piece.start in self.rewritten:
            return [piece]
        found: list[TextPiece] = []
        first, start, end = piece.first, piece.start, piece.start
        for i in range(piece.first, piece.last):
            end += self.lengths[i]
            is_last = i + 1 == piece.last
            if is_last or any(self.rights[i] - 1 <= x <= self.lefts[i + 1] + 1 for x in at):
                edges = min(self.lefts[first : i + 1]), piece.top, max(self.rights[first : i + 1]), piece.bottom
                close = piece.end if is_last else end - 1
                found.append(TextPiece(start, close, first, i + 1, *edges, piece.turn))
                first, start = i + 1, end
        return found

    def part_piece_after(self, piece: TextPiece, word: int) -> list[TextPiece]:
        """The piece, parted behind a word of it that is not its last."""
        if word + 1 >= piece.last:
            return [piece]
        end = piece.start + sum(self.lengths[piece.first : word + 1]) - 1
        right, left = max(self.rights[piece.first : word + 1]), min(self.lefts[word + 1 : piece.last])
        head = piece._replace(end=end, last=word + 1, right=right)
        return [head, piece._replace(start=end + 1, first=word + 1, left=left)]

    def words_of(self, piece: TextPiece) -> str:
        """What a piece says."""
        return self.rewritten.get(piece.start) or self.text[piece.start : piece.end]


@dataclass(slots=True)
class TextLine:
    pieces: list[TextPiece]
    height: float
    """To half a point, so that lines of one size are equal."""

    @property
    def top(self) -> float:
        return self.pieces[0].top

    @property
    def start(self) -> int:
        return self.pieces[0].start

    @property
    def end(self) -> int:
        return self.pieces[-1].end


def round_height(piece: TextPiece) -> float:
    """To half a point."""
    return round(2 * (piece[7] - piece[5])) / 2


def order_pieces(pieces: Sequence[TextPiece]) -> list[TextPiece]:
    """The pieces in reading order."""
    return _order_pieces(list(pieces), 3)


def order_lines(pieces: Sequence[TextPiece]) -> list[TextLine]:
    """The pieces, which are in reading order, by lines."""
    found: list[TextLine] = []
    last: TextPiece | None = None
    for piece in pieces:
        height = round_height(piece)
        # what goes on to the left is of a script that is read that way, and of one run of words
        goes_on = last and (piece.left >= last.right - height / 2 or piece.start == last.end + 1)
        if last and goes_on and last.on_same_line(piece):
            found[-1].pieces.append(piece)
            found[-1].height = max(found[-1].height, height)
        else:
            found.append(TextLine([piece], height))
        last = piece
    return found


def _order_pieces(pieces: list[TextPiece], depth: int) -> list[TextPiece]:
    gutter = _find_gutter(pieces) if depth and len(pieces) >= 2 * MIN_GUTTER_ROWS else None
    if gutter is None:
        return pieces
    found: list[TextPiece] = []
    band: list[TextPiece] = []
    for piece in [*pieces, None]:
        if piece is None or piece.left < gutter < piece.right:
            found += _order_band(band, gutter, depth)
            band = []
            if piece is not None:
                found.append(piece)
        else:
            band.append(piece)
    return found


def _order_band(band: list[TextPiece], gutter: float, depth: int) -> list[TextPiece]:
    """What is drawn between two lines that cross the gutter: its blocks of columns, if there are any, column by column.

    Blocks are parted by blank lines. Columns go on over a block of a row or two, such as their headings.
    """
    blocks = _split_blocks(band)
    columned = [_is_columned(block, gutter) for block in blocks]
    if not any(columned):
        return band
    for i in range(1, len(blocks) - 1):
        columned[i] = columned[i] or (columned[i - 1] and columned[i + 1] and len(blocks[i]) <= 4)
    found: list[TextPiece] = []
    for together, group in groupby(zip(columned, blocks, strict=True), key=lambda pair: pair[0]):
        pieces = [piece for _, block in group for piece in block]
        if together:
            found += _order_pieces([p for p in pieces if p.right <= gutter], depth - 1)
            found += _order_pieces([p for p in pieces if p.right > gutter], depth - 1)
        else:
            found += pieces
    return found


def _split_blocks(band: Sequence[TextPiece]) -> list[list[TextPiece]]:
    """The pieces from one blank line, over the whole width, to the next; each block in the order it is drawn in."""
    found: list[list[tuple[int, TextPiece]]] = []
    bottom = 0.0
    for i, piece in sorted(enumerate(band), key=lambda pair: pair[1].top):
        if not found or piece.top - bottom > BLANK_LINE_GAP * (piece.bottom - piece.top):
            found.append([])
            bottom = piece.bottom
        found[-1].append((i, piece))
        bottom = max(bottom, piece.bottom)
    return [[piece for _, piece in sorted(block)] for block in found]


def _is_columned(block: Sequence[TextPiece], gutter: float) -> bool:
    """Whether the block is two columns of prose that are drawn line by line across both."""
    left, right = [p for p in block if p.right <= gutter], [p for p in block if p.left >= gutter]
    turns = sum((a.left >= gutter) != (b.left >= gutter) for a, b in pairwise(block))
    return (
        min(len(left), len(right)) >= MIN_GUTTER_ROWS
        and turns >= MIN_GUTTER_ROWS
        and ((_is_prose(left) and _is_prose(right)) or not are_level(left, right))
    )


def are_level(left: Sequence[TextPiece], right: Sequence[TextPiece]) -> bool:
    """Whether lines on the left and on the right stand on one level, as they do in rows: most of the fewer do."""
    few, many = sorted((left, right), key=len)
    return 5 * count_level(few, many) >= 3 * len(few)


def are_in_step(left: Sequence[TextPiece], right: Sequence[TextPiece]) -> bool:
    """Whether lines on one side stand as far below the next one above on the other, nearly all of them: they may be
    the second lines of rows."""
    few, many = sorted((left, right), key=len)
    middles = sorted(p.top + p.bottom for p in many)
    steps = []
    for piece in few:
        i = bisect_left(middles, piece.top + piece.bottom + 1)
        if i:
            steps.append((piece.top + piece.bottom - middles[i - 1]) / 2)
    usual = median(steps) if steps else 0.0
    return 5 * sum(abs(step - usual) < 1 for step in steps) >= 4 * len(few)


def count_level(some: Sequence[TextPiece], others: Sequence[TextPiece]) -> int:
    """How many pieces have one of the others on their level."""
    middles = sorted(p.top + p.bottom for p in others)
    level = 0
    for piece in some:
        at = piece.top + piece.bottom
        i = bisect_left(middles, at)
        off = min((abs(middles[k] - at) for k in (i - 1, i) if 0 <= k < len(middles)), default=math.inf)
        level += off < 2 * LEVEL * (piece.bottom - piece.top)
    return level


def _is_prose(column: Sequence[TextPiece]) -> bool:
    width = max(p.right for p in column) - min(p.left for p in column)
    long = median(p.end - p.start for p in column) >= MIN_PROSE_LENGTH
    return long and median(p.right - p.left for p in column) >= MIN_FILLED_WIDTH * width


def _find_gutter(pieces: Sequence[TextPiece]) -> float | None:
    """Where the most rows have a gap; None where too few agree on one."""
    gaps = [(a.right, b.left) for a, b in pairwise(pieces) if a.on_same_line(b) and b.left > a.right]
    if len(gaps) < MIN_GUTTER_ROWS:
        return None
    middle = median((a + b) / 2 for a, b in gaps)
    candidates = [middle, *(max(a for a, b in gaps if a < at < b) for at in {(a + b) / 2 for a, b in gaps[:40]})]
    best, rows = middle, 0
    for at in candidates:
        count = sum(a <= at <= b for a, b in gaps)
        if count > rows:
            best, rows = at, count
    if rows < MIN_GUTTER_ROWS:
        return None
    shared = [(a, b) for a, b in gaps if a <= best <= b]
    return (max(a for a, _ in shared) + min(b for _, b in shared)) / 2
