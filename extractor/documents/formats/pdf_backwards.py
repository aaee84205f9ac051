"""Lines of scripts that are read from right to left, put in the order in which they are read by where letters stand.

Programs draw such letters in any order: as they are read, or from left to right, or one way in some words and the other
in others; brackets are often the ones that are seen. So the line is read anew: from the right, numbers and words of
other scripts in it from the left (what the Unicode bidirectional algorithm, UAX 9, does, backwards).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

import pypdfium2 as pdfium

from extractor.documents.formats.pdf_frame import PageFrame, read_boxes
from extractor.documents.formats.reading_order import PlacedWords

MIN_BLANK, MIN_TOLD_BLANK = 0.2, 0.08
"""The gap between two letters, in heights of their line, from which a blank stands between them; and where PDFium says
that they are of two words."""
PART_GAP = 0.5
"""The gap between two words, in heights of their line, that may part two columns."""
_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")
_OPENING, _CLOSING = "([{<«", ")]}>»"
_OF_NUMBERS = frozenset("%$€£₪#°+-−±‰")
_IN_NUMBERS = frozenset(".,:/-'’\u00a0\u202f")


@dataclass(slots=True)
class _Letter:
    """A letter with the marks on it, and where it stands."""

    text: str
    left: float
    right: float
    index: int
    word: int
    """The number of its word, as PDFium has them."""
    side: str = ""
    """R: read from the right; L: from the left; N: a digit; empty: as what is around it."""


def read_backward_line(
    frame: PageFrame, letters: pdfium.PdfTextPage, text: str, run: tuple[int, int]
) -> list[PlacedWords]:
    """The words of a run as they are read, in parts with wide gaps between them; none where the text has them so
    already, or where most of them are read from the left."""
    start, end = run
    left, top, right, bottom = read_boxes(frame, letters, range(start, end))
    numbers = accumulate(c.isspace() for c in text[start:end])
    found = _join_marks(
        [
            _Letter(text[i], min(a, b), max(a, b), i, number)
            for i, a, b, number in zip(range(start, end), left, right, numbers, strict=True)
            if not text[i].isspace()
        ]
    )
    for letter in found:
        letter.side = _find_side(letter.text[0])
    if sum(letter.side == "R" for letter in found) <= sum(letter.side == "L" for letter in found):
        return []
    height = max(top) - min(bottom)
    found.sort(key=lambda letter: -(letter.left + letter.right))
    parts = [_turn_inner(part, height) for part in _part(found, PART_GAP * height)]
    _mirror_brackets([letter for part in parts for word in part for letter in word])
    if " ".join("".join(letter.text for letter in word) for part in parts for word in part) == text[start:end]:
        return []
    level = frame.height - max(top), frame.height - min(bottom)
    return [_place(part, level) for part in parts]


def _join_marks(found: list[_Letter]) -> list[_Letter]:
    """The letters, signs that stand on others together with those."""
    bases = [letter for letter in found if not unicodedata.combining(letter.text[0])]
    for i, letter in enumerate(found):
        if not unicodedata.combining(letter.text[0]):
            continue
        middle = (letter.left + letter.right) / 2
        around = (*found[max(0, i - 3) : i][::-1], *found[i + 1 : i + 4])
        near = [other for other in around if not unicodedata.combining(other.text[0])]
        base = next((other for other in near if other.left <= middle <= other.right), near[0] if near else None)
        if base is None:
            bases.append(letter)
        else:
            base.text += letter.text
    return bases


def _find_side(letter: str) -> str:
    kind = unicodedata.bidirectional(letter)
    if kind in ("R", "AL"):
        return "R"
    return "L" if kind == "L" else "N" if kind in ("EN", "AN") else ""


def _part(found: Sequence[_Letter], widest: float) -> Iterator[list[_Letter]]:
    part: list[_Letter] = []
    for letter in found:
        if part and part[-1].left - letter.right > widest:
            yield part
            part = []
        part.append(letter)
    yield part


def _turn_inner(part: list[_Letter], height: float) -> list[list[_Letter]]:
    """Words of a part, whose letters are given from the right: words and numbers that are read from the left turned."""
    words: list[list[_Letter]] = [[]]
    for before, letter in zip([None, *part], part, strict=False):
        if before is not None:
            least = MIN_BLANK if before.word == letter.word else MIN_TOLD_BLANK
            if before.left - letter.right > least * height:
                words.append([])
        words[-1].append(letter)
    parted = [run for word in words for run in _part_by_side(word)]
    turned: list[list[_Letter]] = [[]]
    for has_words, group in groupby(parted, key=lambda run: run.is_latin):
        runs = list(group)
        if has_words:  # Latin words go on from the left, over blanks too
            runs = [
                _Run(run.letters, run.is_forwards, begins, True)
                for run, begins in zip(
                    reversed(runs), [runs[0].begins, *(run.begins for run in reversed(runs[1:]))], strict=True
                )
            ]
        for run in runs:
            if run.begins and turned[-1]:
                turned.append([])
            turned[-1] += reversed(run.letters) if run.is_forwards else run.letters
    return turned


@dataclass(slots=True)
class _Run:
    """Letters of a word that are read in one direction."""

    letters: list[_Letter]
    is_forwards: bool
    begins: bool
    """Whether a blank stands before it."""
    is_latin: bool


def _part_by_side(word: list[_Letter]) -> Iterator[_Run]:
    """The word in runs: numbers with the signs in and at them, Latin letters, and the others."""
    forwards = [letter.side in ("L", "N") for letter in word]
    for i, letter in enumerate(word):
        between = 0 < i < len(word) - 1 and forwards[i - 1] and word[i + 1].side in ("L", "N")
        if not letter.side and between and (letter.text in _IN_NUMBERS or letter.text in "@_&"):
            forwards[i] = True
    for i, letter in enumerate(word):
        beside = (i > 0 and word[i - 1].side == "N") or (i + 1 < len(word) and word[i + 1].side == "N")
        forwards[i] = forwards[i] or (letter.text in _OF_NUMBERS and beside)
    at = 0
    for is_forwards, group in groupby(forwards):
        count = len(list(group))
        letters = word[at : at + count]
        yield _Run(letters, is_forwards, at == 0, any(letter.side == "L" for letter in letters))
        at += count


def _mirror_brackets(found: Sequence[_Letter]) -> None:
    """Turns brackets round where they are drawn as they are seen: the first of them closes."""
    brackets = [letter for letter in found if letter.text in _OPENING or letter.text in _CLOSING]
    if brackets and brackets[0].text in _CLOSING and any(letter.text in _OPENING for letter in brackets):
        for letter in brackets:
            letter.text = letter.text.translate(_MIRRORED)


def _place(part: list[list[_Letter]], level: tuple[float, float]) -> PlacedWords:
    words = ["".join(letter.text for letter in word) for word in part]
    indices = [letter.index for word in part for letter in word]
    return PlacedWords(
        min(indices),
        max(indices) + 1,
        [len(word) + 1 for word in words],
        [min(letter.left for letter in word) for word in part],
        [max(letter.right for letter in word) for word in part],
        *level,
        rewritten=" ".join(words),
    )
