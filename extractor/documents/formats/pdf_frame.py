"""Boxes of a PDF page's letters, many at a time, on the page as it is shown: cropped, and turned by quarters."""

from __future__ import annotations

import ctypes
from array import array
from collections import deque
from collections.abc import Sequence
from itertools import repeat
from typing import TypeAlias, cast

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractor.documents.formats.pdf_calls import address_of, as_argument, find_function

ASCENT, DESCENT = 0.9, 0.25
"""What a line takes above and below its base, in sizes of its font, as most fonts have it."""
_AT_ONCE = 4096
_BLOCK = (raw.FS_RECTF * _AT_ONCE)()
_ADDRESSES = [as_argument(ctypes.addressof(_BLOCK) + i * ctypes.sizeof(raw.FS_RECTF)) for i in range(_AT_ONCE)]
_BYTES = memoryview(_BLOCK).cast("B")
_box = find_function(raw.FPDFText_GetLooseCharBox, None)
_Edge: TypeAlias = "array[float]"
Edges: TypeAlias = "tuple[_Edge, _Edge, _Edge, _Edge]"


class PageFrame:
    """A page as it is shown: cropped, and turned clockwise by quarters (ISO 32000-1, 7.7.3.3)."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        box = raw.FS_RECTF()
        raw.FPDF_GetPageBoundingBox(page.raw, box)
        self.left, self.bottom, self.right, self.top = box.left, box.bottom, box.right, box.top
        self.quarter_turns = raw.FPDFPage_GetRotation(page.raw)
        sizes = self.right - self.left, self.top - self.bottom
        self.width, self.height = reversed(sizes) if self.quarter_turns % 2 else sizes

    def place_box(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        """A box in the page's own coordinates as left, top, right and bottom from the upper left corner as shown."""
        edges = tuple(array("f", [edge]) for edge in (left, top, right, bottom))
        west, above, east, below = (edge[0] for edge in self.turn_edges(cast(Edges, edges)))
        return west, self.height - above, east, self.height - below

    def turn_edges(self, edges: Edges) -> Edges:
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


def read_boxes(frame: PageFrame, letters: pdfium.PdfTextPage, indices: Sequence[int]) -> Edges:
    """Left, top, right and bottom of letters, line high, in points from the lower left corner of the page as shown."""
    numbers = array("f")
    handle = repeat(as_argument(address_of(letters.raw)))
    for at in range(0, len(indices), _AT_ONCE):
        some = indices[at : at + _AT_ONCE]
        deque(map(_box, handle, some, _ADDRESSES), 0)
        numbers.frombytes(_BYTES[: 16 * len(some)])
    return frame.turn_edges((numbers[0::4], numbers[1::4], numbers[2::4], numbers[3::4]))


def read_letter_level(frame: PageFrame, letters: pdfium.PdfTextPage, index: int) -> tuple[float, float]:
    """How far down a letter's line begins and ends on the page as shown, by its origin and the size of its font."""
    x, y, matrix = ctypes.c_double(), ctypes.c_double(), raw.FS_MATRIX()
    raw.FPDFText_GetCharOrigin(letters.raw, index, x, y)
    raw.FPDFText_GetMatrix(letters.raw, index, matrix)
    size = raw.FPDFText_GetFontSize(letters.raw, index) * (matrix.c**2 + matrix.d**2) ** 0.5
    _, base, _, _ = frame.place_box(x.value, y.value, x.value, y.value)
    return base - ASCENT * size, base + DESCENT * size


def _shift_edge(edge: _Edge, by: float) -> _Edge:
    return array("f", [at - by for at in edge])


def _mirror_edge(edge: _Edge, by: float) -> _Edge:
    return array("f", [by - at for at in edge])
