"""The letters of a PDF page: its text, one code point for each of PDFium's characters, and where its words stand.

PDFium gives characters; a box costs a call, so calls are made for the spaces between words: where a space begins a
word has ended. Its characters and its text disagree on some pages, and are then put together one by one.
"""

from __future__ import annotations

import ctypes
import re
import sys
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate, repeat
from typing import TypeAlias, cast

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractor.documents.formats.reading_order import PageLayout, TextPiece

HYPHEN = "\x02"
"""PDFium's sign for a hyphen that ends a line within a word; so is U+FFFE, when it gives the whole text."""
WIDE_GAP = 1.2
"""The gap between two words, in heights of their line, from which they are not of one sentence."""
_RUN = re.compile(r"[^\s\x00\x02\ufffe]+(?: [^\s\x00\x02\ufffe]+)*[\x02\ufffe]?")
"""Words with single spaces between them. After a hyphen at a line's end no line end follows."""


def read_characters(letters: pdfium.PdfTextPage, count: int) -> str:
    """The page's characters, one code point each, so that an index into the text is one into PDFium's list."""
    if not count:
        return ""
    buffer = (ctypes.c_ushort * (count + 1))()
    written = raw.FPDFText_GetText(letters, 0, count, buffer)
    text = bytes(buffer)[: 2 * count].decode("utf-16-le", "replace")
    if written == count + 1 and len(text) == count and "\x00" not in text:
        return text
    codes = list(map(raw.FPDFText_GetUnicode, repeat(letters.raw, count), range(count)))
    return "".join("\ufffd" if 0xD800 <= c < 0xE000 or c > 0x10FFFF else chr(c) for c in codes)


class BoldDetector:
    """Whether a piece is drawn in bold, by its first and its last letter."""

    def __init__(self, letters: pdfium.PdfTextPage) -> None:
        self._letters = letters

    def __call__(self, piece: TextPiece) -> bool:
        return self._is_bold(piece.start) and self._is_bold(piece.end - 1)

    def _is_bold(self, i: int) -> bool:
        if raw.FPDFText_GetFontWeight(self._letters.raw, i) >= 600:
            return True
        name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
        raw.FPDFText_GetFontInfo(self._letters.raw, i, name, len(name), flags)
        return _HEAVY.search(name.value) is not None


_HEAVY = re.compile(rb"bold|black|heavy", re.I)


_AND_SPACE, _AND_BREAK = (1).__add__, (2).__add__


def lay_out_page(page: pdfium.PdfPage, letters: pdfium.PdfTextPage, text: str) -> PageLayout:
    """Where the page's words stand. A piece is a run of words with single spaces between them."""
    frame = _PageFrame(page)
    objects = raw.FPDFText_CountRects(letters.raw, 0, len(text))
    flat = text.replace("\r\n", " \n")  # a line's first word begins with \n
    odd = "  " in flat or "\n " in flat or flat[:1].isspace() or flat[-1:].isspace()
    if flat and not odd and objects == text.count("\r\n") + 1 and flat.replace("\n", "").isprintable():
        return _lay_out_plain(frame, letters, text, flat.split(" "))
    return _lay_out_any(frame, letters, text, objects)


def _lay_out_plain(frame: _PageFrame, letters: pdfium.PdfTextPage, text: str, words: list[str]) -> PageLayout:
    """Words of a page each line of which is drawn in one go: there is nothing between its words but spaces.

    The character after a word shows where the word ends and, within a line, where the next begins.
    """
    lines = text.split("\r\n")
    lengths = list(map(_AND_SPACE, map(len, words)))
    ends, starts = list(accumulate(lengths, initial=-1)), [0, *accumulate(map(_AND_BREAK, map(len, lines)))]
    ends[0], starts[-1] = 0, len(text) - 1  # the page's first and last letters, where nothing stands around words
    ends[-1] = len(text) - 1
    left, top, right, bottom = _read_boxes(frame, letters, ends + starts)
    count, height = len(words), frame.height
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
    return PageLayout(pieces, lengths, lefts, rights)


def _lay_out_any(frame: _PageFrame, letters: pdfium.PdfTextPage, text: str, objects: int) -> PageLayout:
    """Words of any page.

    A line drawn in one go has nothing between its words but spaces, and their boxes are used. In other lines a space
    may have no width, or be far from the next word; there the boxes of each word's first and last letter are used.
    """
    layout = PageLayout()
    found = [run.span() for run in _RUN.finditer(text)]
    if not found:
        return layout
    patched = objects > len(found)
    runs: list[tuple[int, int, list[int], bool]] = []
    box_indices: list[int] = []
    for start, end in found:
        lengths = list(map(_AND_SPACE, map(len, text[start:end].split(" "))))
        spaces = list(accumulate(lengths[:-1], initial=start - 1))[1:] if len(lengths) > 1 else []
        whole = not patched or (objects < sys.maxsize and raw.FPDFText_CountRects(letters.raw, start, end - start) <= 1)
        box_indices.append(start)
        if whole:
            box_indices += spaces
        else:
            for space in spaces:
                box_indices += (space - 1, space + 1)
        box_indices.append(end - 1)
        runs.append((start, end, lengths, whole))
    left, top, right, bottom = _read_boxes(frame, letters, box_indices)
    height, at, offset = frame.height, 0, 0
    for start, end, lengths, whole in runs:
        words = len(lengths)
        if whole:
            last = at + words
            lefts, rights = [left[at], *right[at + 1 : last]], [*left[at + 1 : last], right[last]]
            edges = min(lefts), height - top[at], max(rights), height - bottom[at]
            layout.pieces.append(TextPiece(start, end, offset, offset + words, *edges))
            at = last + 1
        else:
            last = at + 2 * words
            lefts = list(map(min, left[at:last:2], left[at + 1 : last : 2]))
            rights = list(map(max, right[at:last:2], right[at + 1 : last : 2]))
            level = height - max(top[at:last]), height - min(bottom[at:last])
            layout.pieces += _split_at_wide_gaps(start, lengths, offset, lefts, rights, level)
            at = last
        layout.lengths += lengths
        layout.lefts.extend(lefts)
        layout.rights.extend(rights)
        offset += words
    return layout


def _split_at_wide_gaps(
    start: int, lengths: list[int], offset: int, lefts: list[float], rights: list[float], edges: tuple[float, float]
) -> Iterator[TextPiece]:
    """The pieces of a run of words: those with wide gaps between them are not of one sentence."""
    above, below = edges
    first, at = 0, start
    for k in range(1, len(lengths) + 1):
        if k == len(lengths) or lefts[k] - rights[k - 1] > WIDE_GAP * (below - above):
            end = at + sum(lengths[first:k]) - 1
            yield TextPiece(
                at, end, offset + first, offset + k, min(lefts[first:k]), above, max(rights[first:k]), below
            )
            first, at = k, end + 1


_AT_ONCE = 4096
_BLOCK = (raw.FS_RECTF * _AT_ONCE)()
_ADDRESSES = [ctypes.c_void_p(ctypes.addressof(_BLOCK) + i * ctypes.sizeof(raw.FS_RECTF)) for i in range(_AT_ONCE)]
_BYTES = memoryview(_BLOCK).cast("B")
_box = ctypes.CFUNCTYPE(ctypes.c_int)(cast(int, ctypes.cast(raw.FPDFText_GetLooseCharBox, ctypes.c_void_p).value))
"""PDFium's own function without declared arguments, for numbers and addresses made before: what ctypes makes of
declared ones costs as much as the call itself."""
_Edge: TypeAlias = "array[float]"
_Edges: TypeAlias = "tuple[_Edge, _Edge, _Edge, _Edge]"


class _PageFrame:
    """A page as it is shown: cropped, and turned clockwise by quarters (ISO 32000-1, 7.7.3.3)."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        box = raw.FS_RECTF()
        raw.FPDF_GetPageBoundingBox(page.raw, box)
        self.left, self.bottom, self.right, self.top = box.left, box.bottom, box.right, box.top
        self.quarter_turns = raw.FPDFPage_GetRotation(page.raw)
        self.height = self.right - self.left if self.quarter_turns % 2 else self.top - self.bottom

    def turn_edges(self, edges: _Edges) -> _Edges:
        """Edges from the left and from the bottom of the page as it is shown."""
        left, top, right, bottom = edges
        match self.quarter_turns:
            case 0 if not (self.left or self.bottom):
                return edges
            case 0:
                return (
                    _shift_edge(left, self.left),
                    _shift_edge(top, self.bottom),
                    _shift_edge(right, self.left),
                    _shift_edge(bottom, self.bottom),
                )
            case 1:
                return (
                    _shift_edge(bottom, self.bottom),
                    _mirror_edge(left, self.right),
                    _shift_edge(top, self.bottom),
                    _mirror_edge(right, self.right),
                )
            case 2:
                return (
                    _mirror_edge(right, self.right),
                    _mirror_edge(bottom, self.top),
                    _mirror_edge(left, self.right),
                    _mirror_edge(top, self.top),
                )
        return (
            _mirror_edge(top, self.top),
            _shift_edge(right, self.left),
            _mirror_edge(bottom, self.top),
            _shift_edge(left, self.left),
        )


def _read_boxes(frame: _PageFrame, letters: pdfium.PdfTextPage, indices: Sequence[int]) -> _Edges:
    """Left, top, right and bottom of letters, line high, in points from the lower left corner of the page as shown."""
    numbers = array("f")
    handle = repeat(ctypes.cast(letters.raw, ctypes.c_void_p))
    for at in range(0, len(indices), _AT_ONCE):
        some = indices[at : at + _AT_ONCE]
        deque(map(_box, handle, some, _ADDRESSES), 0)
        numbers.frombytes(_BYTES[: 16 * len(some)])
    return frame.turn_edges((numbers[0::4], numbers[1::4], numbers[2::4], numbers[3::4]))


def _shift_edge(edge: _Edge, by: float) -> _Edge:
    return array("f", [at - by for at in edge])


def _mirror_edge(edge: _Edge, by: float) -> _Edge:
    return array("f", [by - at for at in edge])
