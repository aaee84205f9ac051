"""Words that were read off a picture, and their way into a page."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

from extractor.documents.formats.reading_order import PageLayout, PlacedWords
from extractor.documents.formats.sight import Sight

MIN_CERTAINTY, MIN_CLEAR_CERTAINTY = 0.3, 0.6
"""Of a word, by its reader's own account: less is noise of the picture rather than a word, or a word to doubt."""
MAX_SKEW = 0.26
"""The most, in radians, that lines are slanted for a page that lies askew."""
MIN_SKEW = 0.006
"""From which words on one line are not level any more: a point in 170."""


class PictureError(Exception):
    """Why a picture is not read: the rest of a sentence that begins with what it is of."""


class PictureWord(NamedTuple):
    """A word and where it is in its picture, in pixels from the upper left corner."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    certainty: float


WordLine = list[PictureWord]


def lay_out_words(
    lines: Sequence[WordLine], scale: float, place: Callable[[PictureWord], PictureWord] | None = None
) -> PageLayout:
    """A page of these words; `scale` is pixels to a point. Words that are surely noise are left out.

    A page that lies askew is laid out as if it lay straight, and one that was turned as if it stood upright; `place`
    says where a word of that one is in the picture. Words keep their own places.
    """
    layout = PageLayout()
    kept = [[word for word in line if word.certainty >= MIN_CERTAINTY and word.text.strip()] for line in lines]
    skew = find_skew([line for line in kept if line])
    texts: list[str] = []
    length = 0
    for line in filter(None, kept):
        for words in [[word] for word in line] if skew or place else [line]:
            text = " ".join(word.text for word in words)
            edges = [_straighten(word, skew) for word in words]
            placed = PlacedWords(
                length,
                length + len(text),
                [len(word.text) + 1 for word in words],
                [edge[0] / scale for edge in edges],
                [edge[2] / scale for edge in edges],
                min(edge[1] for edge in edges) / scale,
                max(edge[3] for edge in edges) / scale,
            )
            layout.add_words(placed)
            layout.certainties.extend(word.certainty for word in words)
            if skew or place:
                _, left, top, right, bottom, _ = place(words[0]) if place else words[0]
                layout.shown[length] = left / scale, top / scale, right / scale, bottom / scale
            if sum(word.certainty * len(word.text) for word in words) < MIN_CLEAR_CERTAINTY * len(text):
                layout.sights[length] = Sight.DOUBTFUL
            texts.append(text)
            length += len(text) + 1
    layout.text = "\n".join(texts)
    return layout


def find_skew(lines: Sequence[WordLine]) -> float:
    """By how much most lines go down to the right, in radians; 0 where it does not matter."""
    slants = [_find_slant(line) for line in lines if len(line) > 2]
    if len(slants) < 3:
        return 0.0
    usual = median(slants)
    agreeing = sum(abs(slant - usual) < 0.01 for slant in slants)
    return usual if MIN_SKEW < abs(usual) < MAX_SKEW and 2 * agreeing > len(slants) else 0.0


def _find_slant(line: WordLine) -> float:
    first, last = line[0], line[-1]
    across = (last.left + last.right - first.left - first.right) / 2
    down = (last.top + last.bottom - first.top - first.bottom) / 2
    return math.atan2(down, across) if across > 0 else 0.0


def _straighten(word: PictureWord, skew: float) -> tuple[float, float, float, float]:
    if not skew:
        return word.left, word.top, word.right, word.bottom
    x, y = (word.left + word.right) / 2, (word.top + word.bottom) / 2
    width, height = word.right - word.left, word.bottom - word.top
    height -= width * abs(math.sin(skew)) if height > width * abs(math.sin(skew)) * 1.5 else 0.0
    x, y = x * math.cos(skew) + y * math.sin(skew), y * math.cos(skew) - x * math.sin(skew)
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2
