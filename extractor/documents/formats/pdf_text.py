"""The letters of a PDF page: its text, one code point for each of PDFium's characters, and where its words stand.

PDFium gives characters; a box costs a call, so calls are made for the spaces between words: where a space begins a
word has ended. Its characters and its text disagree on some pages, and are then put together one by one.
"""

from __future__ import annotations

import ctypes
import re
import sys
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise, repeat
from operator import sub
from statistics import median

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractor.documents.formats.pdf_backwards import read_backward_line
from extractor.documents.formats.pdf_calls import address_of, as_argument, find_function
from extractor.documents.formats.pdf_frame import PageFrame, read_boxes
from extractor.documents.formats.pdf_words import (
    RaisedFigures,
    WordEdges,
    add_turned_words,
    find_raised_figures,
    find_true_level,
    find_turn,
    has_odd_words,
    is_turned,
    join_spaced_letters,
    mark_raised_pieces,
)
from extractor.documents.formats.reading_order import PageLayout, PlacedWords, TextPiece, reads_backwards

HYPHEN = "\x02"
"""PDFium's sign for a hyphen that ends a line within a word; so is U+FFFE, when it gives the whole text."""
WIDE_GAP = 1.2
"""The gap between two words, in heights of their line, from which they are not of one sentence."""
MIN_SPACE = 0.3
"""Points that a space is wide at least that is a letter of the file; one that PDFium adds has no width."""
_RUN = re.compile(r"[^\s\x00\x02\ufffe]+(?: [^\s\x00\x02\ufffe]+)*[\x02\ufffe]?")
"""Words with single spaces between them. After a hyphen at a line's end no line end follows."""


MAX_PAGE_CHARACTERS = 200_000
"""Of one page that are read."""
_CODES = (ctypes.c_ushort * (MAX_PAGE_CHARACTERS + 1))()
_CODE_BYTES = memoryview(_CODES).cast("B")


def read_characters(letters: pdfium.PdfTextPage, count: int) -> str:
    """The page's characters, one code point each, so that an index into the text is one into PDFium's list."""
    if not count:
        return ""
    written = raw.FPDFText_GetText(letters, 0, count, _CODES)
    text = str(_CODE_BYTES[: 2 * count], "utf-16-le", "replace")
    if written == count + 1 and len(text) == count and "\x00" not in text:
        return text
    codes = list(map(raw.FPDFText_GetUnicode, repeat(letters.raw, count), range(count)))
    return "".join("\ufffd" if 0xD800 <= c < 0xE000 or c > 0x10FFFF else chr(c) for c in codes)


FIRST_SAMPLED_LETTERS, SAMPLED_LETTERS = 8, 60
"""Letters of a page that are looked at for whether its fonts say what they are, and if one of them does not."""
MAX_UNKNOWN_SHARE = 0.3
"""The part of a page's letters that may be unknown; with more its text layer is no text, or may say anything."""
_UNKNOWN = re.compile(r"[\x00\ufffd\ue000-\uf8ff]")


def is_poor_layer(letters: pdfium.PdfTextPage, text: str) -> bool:
    """Whether the page's letters may not be what they show: its fonts don't say which letters of Unicode they are."""
    known = len(text) - text.count("\r") - text.count("\n") - text.count(" ")
    if not known:
        return False
    if not text.isascii() and len(_UNKNOWN.findall(text)) > MAX_UNKNOWN_SHARE * known:
        return True
    handle = as_argument(address_of(letters.raw))
    for letters_tried in (FIRST_SAMPLED_LETTERS, SAMPLED_LETTERS):
        sample = range(0, len(text), max(1, len(text) // letters_tried))
        wrong = sum(map(_map_error, repeat(handle), sample))
        if not wrong:
            return False
    return bool(wrong > MAX_UNKNOWN_SHARE * len(sample))


_map_error = find_function(raw.FPDFText_HasUnicodeMapError, ctypes.c_int)


class LetterLook:
    """How the letters of a piece are drawn: in bold, and how high."""

    def __init__(self, page: pdfium.PdfPage, letters: pdfium.PdfTextPage) -> None:
        self._page, self._letters = page, letters

    def measure_height(self, piece: TextPiece) -> float:
        """Of most of its letters; the piece is higher where a bullet or raised figures are."""
        inner = range(piece.start, piece.end)
        _, top, _, bottom = read_boxes(PageFrame(self._page), self._letters, inner[:: max(1, len(inner) // 9)])
        return float(median(map(sub, top, bottom)))

    def is_bold(self, piece: TextPiece) -> bool:
        """By its first and its last letter."""
        return self._is_heavy(piece.start) and self._is_heavy(piece.end - 1)

    def _is_heavy(self, i: int) -> bool:
        if raw.FPDFText_GetFontWeight(self._letters.raw, i) >= 600:
            return True
        name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
        raw.FPDFText_GetFontInfo(self._letters.raw, i, name, len(name), flags)
        return _HEAVY.search(name.value) is not None


_HEAVY = re.compile(rb"bold|black|heavy", re.I)


def lay_out_page(page: pdfium.PdfPage, letters: pdfium.PdfTextPage, text: str) -> PageLayout:
    """Where the page's words stand. A piece is a run of words with single spaces between them."""
    frame = PageFrame(page)
    objects = raw.FPDFText_CountRects(letters.raw, 0, len(text))
    flat = text.replace("\r\n", " \n")  # a line's first word begins with \n
    odd = "  " in flat or "\n " in flat or flat[:1].isspace() or flat[-1:].isspace() or has_odd_words(text)
    if flat and not odd and objects == text.count("\r\n") + 1 and flat.replace("\n", "").isprintable():
        layout = _lay_out_plain(frame, letters, text, flat.split(" "))
    else:
        layout = _lay_out_any(frame, letters, text, objects)
    mark_raised_pieces(layout)
    return layout


def _lay_out_plain(frame: PageFrame, letters: pdfium.PdfTextPage, text: str, words: list[str]) -> PageLayout:
    """Words of a page each line of which is drawn in one go: there is nothing between its words but spaces.

    The character after a word shows where the word ends and, within a line, where the next begins.
    """
    lines = text.split("\r\n")
    lengths = [len(word) + 1 for word in words]
    ends, starts = list(accumulate(lengths, initial=-1)), [0, *accumulate([len(line) + 2 for line in lines])]
    ends[0], starts[-1] = 0, len(text) - 1  # the page's first and last letters, where nothing stands around words
    ends[-1] = len(text) - 1
    left, top, right, bottom = read_boxes(frame, letters, ends + starts)
    count, height = len(words), frame.height
    level = height - top[0], height - bottom[0]
    has_odd_font = find_true_level(frame, letters, 0, right[0] - left[0], level) != level
    widths = sorted(map(sub, right[: count + 1], left[: count + 1]))
    if has_odd_font or bisect_left(widths, MIN_SPACE) > len(lines) + 1:
        return _lay_out_any(frame, letters, text, sys.maxsize)
    lefts, rights = right[:count], left[1 : count + 1]
    rights[-1] = right[count]
    # what stands before a line's first word is of the line before
    wests, aboves, belows = left[count + 1 :], top[count + 1 :], bottom[count + 1 :]
    pieces, first = [], 0
    for line, start, west, above, below in zip(lines, starts, wests, aboves, belows, strict=False):
        after = first + line.count(" ") + 1
        if not below - 1 <= bottom[after] <= above + 1 or west > right[after]:  # its words go up, down or to the left
            return _lay_out_any(frame, letters, text, sys.maxsize)
        lefts[first] = west
        if first:
            lengths[first] -= 1
        end, east = lefts[after - 1], rights[first]
        if end > west:
            end = west
        if (last := rights[after - 1]) > east:
            east = last
        pieces.append(TextPiece(start, start + len(line), first, after, end, height - above, east, height - below))
        first = after
    return PageLayout(text, pieces, lengths, lefts, rights)


def _lay_out_any(frame: PageFrame, letters: pdfium.PdfTextPage, text: str, objects: int) -> PageLayout:
    """Words of any page.

    A line drawn in one go has nothing between its words but spaces, and their boxes are used. In other lines a space
    may have no width, or be far from the next word; there the boxes of each word's first and last letter are used.
    """
    layout = PageLayout(text)
    found = [run.span() for run in _RUN.finditer(text)]
    if not found:
        return layout
    patched = objects > len(found)
    backwards = reads_backwards(text)
    runs: list[tuple[int, int, list[int], bool]] = []
    box_indices: list[int] = []
    for start, end in found:
        lengths = [len(word) + 1 for word in text[start:end].split(" ")]
        spaces = list(accumulate(lengths[:-1], initial=start - 1))[1:] if len(lengths) > 1 else []
        whole = not patched or (objects < sys.maxsize and raw.FPDFText_CountRects(letters.raw, start, end - start) <= 1)
        whole = whole and not (backwards and reads_backwards(text[start:end]))
        box_indices.append(start)
        if whole:
            box_indices += spaces
        else:
            for space in spaces:
                box_indices += (space - 1, space + 1)
        box_indices.append(end - 1)
        runs.append((start, end, lengths, whole))
    edges = read_boxes(frame, letters, box_indices)
    placed: list[tuple[int, int, list[int], bool, WordEdges]] = []
    at = 0
    for start, end, lengths, whole in runs:
        last = at + (len(lengths) if whole else 2 * len(lengths) - 1)
        placed.append((start, end, lengths, whole, WordEdges(*(edge[at : last + 1] for edge in edges))))
        at = last + 1
    odd = [end - start > 1 and is_turned(boxes, text[start:end]) for start, end, _, _, boxes in placed]
    has_turned = any(odd) and any(
        find_turn(frame, letters, run[0]) for run, is_odd in zip(placed, odd, strict=True) if is_odd
    )
    for (start, end, lengths, whole, boxes), is_odd in zip(placed, odd, strict=True):
        if is_odd or (has_turned and end - start == 1):
            upright = add_turned_words(layout, frame, letters, text, (start, end))
            if upright != [(start, end)]:
                for part_start, part_end in upright:
                    inner = [len(word) + 1 for word in text[part_start:part_end].split(" ")]
                    edges_of = _read_letters(frame, letters, part_start, inner)
                    for part in _part_run(frame, letters, text, (part_start, part_end, inner), edges_of, False):
                        layout.add_words(part)
                continue
        if whole and len(lengths) > 1 and min(map(sub, boxes.right[1:-1], boxes.left[1:-1])) < MIN_SPACE:
            whole, boxes = False, _read_letters(frame, letters, start, lengths)
        read = backwards and reads_backwards(text[start:end]) and read_backward_line(frame, letters, text, (start, end))
        for part in read or _part_run(frame, letters, text, (start, end, lengths), boxes, whole):
            layout.add_words(part)
    return layout


def _read_letters(frame: PageFrame, letters: pdfium.PdfTextPage, start: int, lengths: list[int]) -> WordEdges:
    """The edges of each word's first and last letter."""
    starts = list(accumulate(lengths, initial=start))
    return WordEdges(*read_boxes(frame, letters, [i for a, b in pairwise(starts) for i in (a, b - 2)]))


def _part_run(
    frame: PageFrame,
    letters: pdfium.PdfTextPage,
    text: str,
    run: tuple[int, int, list[int]],
    boxes: WordEdges,
    whole: bool,
) -> Iterator[PlacedWords]:
    """A run of words, parted at wide gaps, with superscripts apart and spaced letters as the words that they are."""
    start, end, lengths = run
    height, words = frame.height, len(lengths)
    if whole:
        lefts, rights = [boxes.left[0], *boxes.right[1:words]], [*boxes.left[1:words], boxes.right[words]]
        parts = [PlacedWords(start, end, lengths, lefts, rights, height - max(boxes.top), height - min(boxes.bottom))]
    else:
        lefts = list(map(min, boxes.left[0::2], boxes.left[1::2]))
        rights = list(map(max, boxes.right[0::2], boxes.right[1::2]))
        levels = [height - max(pair) for pair in zip(boxes.top[0::2], boxes.top[1::2], strict=True)]
        bases = [height - min(pair) for pair in zip(boxes.bottom[0::2], boxes.bottom[1::2], strict=True)]
        raised = find_raised_figures(frame, letters, text, run, boxes)
        words_placed = PlacedWords(start, end, lengths, lefts, rights, min(levels), max(bases))
        parts = list(_split_at_wide_gaps(text, words_placed, levels, bases, raised))
    for part in parts:
        width = abs(max(part.rights) - min(part.lefts)) / (part.end - part.start)
        top, bottom = find_true_level(frame, letters, part.start, width, (part.top, part.bottom))
        part = part._replace(top=top, bottom=bottom)
        is_odd = not part.rewritten and has_odd_words(text[part.start : part.end])
        yield join_spaced_letters(text, part) if is_odd else part


def _split_at_wide_gaps(
    text: str, run: PlacedWords, tops: list[float], bottoms: list[float], raised: Mapping[int, RaisedFigures]
) -> Iterator[PlacedWords]:
    """The pieces of a run of words: those with wide gaps between them are not of one sentence."""
    first, at, gap = 0, run.start, 0.0
    lengths, lefts, rights = run.lengths, run.lefts, run.rights
    for k in range(1, len(lengths) + 1):
        figures = raised.get(k - 1)
        if k < len(lengths):
            gap = max(lefts[k] - rights[k - 1], lefts[k - 1] - rights[k])  # to the left, of words read that way
        if k == len(lengths) or figures or gap > WIDE_GAP * (bottoms[k - 1] - tops[k - 1]):
            end = at + sum(lengths[first:k]) - 1
            level = min(tops[first:k]), max(bottoms[first:k])
            part = PlacedWords(at, end, lengths[first:k], lefts[first:k], rights[first:k], *level)
            if figures:
                yield from figures.part(text, part)
            else:
                yield part
            first, at = k, end + 1
