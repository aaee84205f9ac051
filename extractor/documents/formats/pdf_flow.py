"""Which way the words of a PDF page go, where PDFium guesses wrong.

PDFium takes a page for one that is written from top to bottom when its words leave much of its width free, as those of
a short form or of a table with few columns do. Then every letter that is drawn by itself ends a line. With words across
the whole width it takes the page for what it is: so some are put at its lower edge while its letters are read.
"""

from __future__ import annotations

import ctypes
import re

import pypdfium2 as pdfium
import pypdfium2.raw as raw

MIN_SHORT_LINES, SHORT_LINE = 4, 2
"""Lines of so few letters that a page has at least, and a quarter of its lines, to be looked at."""
SAMPLED_BREAKS = 60
"""Line ends that are looked at for whether what follows stands on their line."""
_LINE_END = re.compile(r"\S\r\n\S")
_GUARD = "M"
_GUARD_WIDTH, _GUARD_HEIGHT = 0.833, 0.718
"""Of that letter in Helvetica, in parts of its size."""


def is_scattered(letters: pdfium.PdfTextPage, text: str) -> bool:
    """Whether the page's lines are parted between letters that stand on one line, side by side."""
    lines = text.split("\r\n")
    short = sum(len(line) <= SHORT_LINE for line in lines)
    if short < MIN_SHORT_LINES or 4 * short < len(lines):
        return False
    ends = [match.start() for match in _LINE_END.finditer(text)]
    sample = ends[:: max(1, len(ends) // SAMPLED_BREAKS)]
    return 2 * sum(_go_on(letters, at, at + 3) for at in sample) > len(sample) > 0


def _go_on(letters: pdfium.PdfTextPage, before: int, after: int) -> bool:
    left, low, right, high = letters.get_charbox(before, loose=True)
    next_left, next_low, _, next_high = letters.get_charbox(after, loose=True)
    shared = min(high, next_high) - max(low, next_low)
    height = high - low
    return bool(2 * shared > height and -0.3 * height < next_left - right < height and next_left > left)


def read_across(page: pdfium.PdfPage) -> pdfium.PdfTextPage | None:
    """The page's letters read as words that go from left to right; the last one of them is none of the page."""
    left, bottom, right, _ = page.get_mediabox()
    guard = raw.FPDFPageObj_NewTextObj(page.pdf.raw, b"Helvetica", ctypes.c_float(1.0))
    if not guard:
        return None
    written = ctypes.create_string_buffer(f"{_GUARD}\0".encode("utf-16-le"))
    raw.FPDFText_SetText(guard, ctypes.cast(written, ctypes.POINTER(ctypes.c_ushort)))
    raw.FPDFPageObj_Transform(guard, (right - left) / _GUARD_WIDTH, 0, 0, 2 / _GUARD_HEIGHT, left, bottom)
    raw.FPDFPage_InsertObject(page.raw, guard)
    letters = page.get_textpage()
    raw.FPDFPage_RemoveObject(page.raw, guard)  # what draws or lists the page finds it as it was
    return letters


def drop_guard(text: str) -> str | None:
    """The text of `read_across` without what was put there; None where it does not stand at its end."""
    return text[: -len(_GUARD)].rstrip("\r\n") if text.endswith(_GUARD) else None
