"""PDF: the text layer in reading order, with a page and a box for every word.

PDFium gives characters; a box costs a call, so calls are made for the spaces between words: where a space begins a
word has ended. Its characters and its text disagree on some pages, and are then put together one by one.
PDFium is not safe in several threads: this module runs in the one thread of a process (see `apart`).
"""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from itertools import accumulate, pairwise, repeat
from pathlib import Path
from typing import cast

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractor import loaders
from extractor.domain import Document, Unread
from extractor.errors import DocumentError
from extractor.loaders import files, ocr, order
from extractor.loaders.draft import Draft
from extractor.loaders.order import Laid, Line, Piece
from extractor.places import Boxes

PAGES = 5_000
LETTERS = 200_000
"""Characters of one page that are read, and pages of one file."""
SPARSE = 0.3
"""The part of a page's characters without a known letter from which its text layer is no text."""
WIDE = 1.2
"""The gap between two words, in heights of their line, from which they are not of one sentence."""
_RUN = re.compile(r"[^\s\x00\x02\ufffe]+(?: [^\s\x00\x02\ufffe]+)*[\x02\ufffe]?")
"""Words with single spaces between them. After a hyphen at a line's end no line end follows."""
_HYPHEN = "\x02"
"""PDFium's sign for a hyphen that ends a line within a word; so is U+FFFE, when it gives the whole text."""
_SIGNS = str.maketrans({"\ufffe": _HYPHEN, "\ufeff": " ", "\xa0": " ", "\x00": "\ufffd"})
_LEVELS = ((1.6, 1), (1.3, 2), (1.15, 3))
"""How much larger than the text around it a line is to be a heading, and of which level."""
_LONGEST_HEADING = 100


def load(path: Path, name: str, with_ocr: bool) -> Document:
    files.open_regular(path, loaders.PDF.largest).close()
    try:
        pdf = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise DocumentError(
                f"{name} is encrypted; save a copy without its password and give that.", reason="encrypted"
            ) from error
        raise DocumentError(
            f"{name} is no PDF that can be opened; save it anew and try again.", reason="broken"
        ) from error
    try:
        return _document(pdf, name, with_ocr)
    finally:
        pdf.close()


def _document(pdf: pdfium.PdfDocument, name: str, with_ocr: bool) -> Document:
    if len(pdf) > PAGES:
        raise DocumentError(
            f"{name} has {len(pdf)} pages; split it into files of at most {PAGES} pages.", reason="too large"
        )
    writer = _Writer()
    for number in range(1, len(pdf) + 1):
        writer.begin()
        try:
            page = pdf[number - 1]
        except pdfium.PdfiumError:
            writer.draft.unread.append(Unread(f"page {number}", "broken", f"Page {number} cannot be opened."))
            continue
        try:
            reason = _read(page, number, name, writer, with_ocr)
        finally:
            page.close()
        if reason:
            writer.draft.unread.append(Unread(f"page {number}", "needs OCR", reason))
    if not writer.draft.length:
        advice = ocr.advice(with_ocr)
        raise DocumentError(f"{name} needs OCR: no page has a text layer; {advice}.", reason="needs OCR")
    library = f"pypdfium2 {version('pypdfium2')}"
    return writer.draft.document(name, f"{library}, {ocr.version()}" if writer.recognised else library, writer.boxes)


def _read(page: pdfium.PdfPage, number: int, name: str, writer: _Writer, with_ocr: bool) -> str:
    """Writes one page; why it could not be, or nothing."""
    letters = page.get_textpage()
    try:
        count = letters.count_chars()
        if count > LETTERS:
            raise DocumentError(
                f"Page {number} of {name} has {count} characters; no page that people read has: split it.",
                reason="too large",
            )
        text = _characters(letters, count)
        unknown = sum(map(text.count, "\x00\ufffd")) if "\x00" in text or "\ufffd" in text else 0
        readable = len(text) - unknown
        if readable * SPARSE >= unknown and not text.isspace() and text:
            writer.page(text.translate(_SIGNS), _laid(page, letters, text), _Bold(letters))
            return ""
    finally:
        letters.close()
    if not text.strip("\x00\ufffd \r\n") and not unknown and not _pictured(page):
        return ""  # an empty page
    if not with_ocr:
        return f"Page {number} has no text layer; {ocr.advice(with_ocr)}."
    found = ocr.recognise(page)
    if isinstance(found, str):
        return f"Page {number} has no text layer, and {found}."
    writer.recognised = True
    writer.page(*found, lambda piece: False)
    return ""


def _pictured(page: pdfium.PdfPage) -> bool:
    """Whether anything is drawn on the page."""
    return bool(raw.FPDFPage_CountObjects(page) > 0)


def _characters(letters: pdfium.PdfTextPage, count: int) -> str:
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


class _Bold:
    """Whether a piece is drawn in bold, by its first and its last letter."""

    def __init__(self, letters: pdfium.PdfTextPage) -> None:
        self._letters = letters

    def __call__(self, piece: Piece) -> bool:
        return self._letter(piece.start) and self._letter(piece.end - 1)

    def _letter(self, i: int) -> bool:
        if raw.FPDFText_GetFontWeight(self._letters.raw, i) >= 600:
            return True
        name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
        raw.FPDFText_GetFontInfo(self._letters.raw, i, name, len(name), flags)
        return _HEAVY.search(name.value) is not None


_HEAVY = re.compile(rb"bold|black|heavy", re.I)


_AND_SPACE = (1).__add__


def _laid(page: pdfium.PdfPage, letters: pdfium.PdfTextPage, text: str) -> Laid:
    """Where the page's words stand. A piece is a run of words with single spaces between them."""
    laid = Laid()
    runs: list[tuple[int, int, int, int]] = []
    asked: list[int] = []
    for run in _RUN.finditer(text):
        start, end = run.span()
        lengths = list(map(_AND_SPACE, map(len, run[0].split(" "))))
        laid.lengths += lengths
        runs.append((start, end, len(asked), len(lengths)))
        asked.append(start)
        asked += accumulate(lengths[1:-1], initial=start + lengths[0] - 1) if len(lengths) > 1 else ()
        asked.append(end - 1)
    if not runs:
        return laid
    frame = _Frame(page)
    left, top, right, bottom = _boxes(frame, letters, asked)
    height = frame.height
    # A line drawn in one go has nothing between its words but spaces. In others a space may be of no width, or far from
    # the next word, and the words themselves are asked.
    patched = raw.FPDFText_CountRects(letters.raw, 0, len(text)) > len(runs)
    for start, end, at, words in runs:
        last, offset = at + words, len(laid.lefts)
        lefts, rights = [left[at], *right[at + 1 : last]], [*left[at + 1 : last], right[last]]
        if not patched or raw.FPDFText_CountRects(letters.raw, start, end - start) <= 1:
            laid.pieces.append(
                Piece(
                    start, end, offset, offset + words, min(lefts), height - top[at], max(rights), height - bottom[at]
                )
            )
        else:
            if words > 1:
                exact = _boxes(frame, letters, [i for space in asked[at + 1 : last] for i in (space - 1, space + 1)])
                lefts[1:], rights[:-1] = exact[0][1::2], exact[2][0::2]
            edges = height - max(top[at : last + 1]), height - min(bottom[at : last + 1])
            laid.pieces += _apart(start, laid.lengths[offset : offset + words], offset, lefts, rights, edges)
        laid.lefts += lefts
        laid.rights += rights
    return laid


def _apart(
    start: int, lengths: list[int], offset: int, lefts: list[float], rights: list[float], edges: tuple[float, float]
) -> Iterator[Piece]:
    """The pieces of a run of words: those with wide gaps between them are not of one sentence."""
    above, below = edges
    first, at = 0, start
    for k in range(1, len(lengths) + 1):
        if k == len(lengths) or lefts[k] - rights[k - 1] > WIDE * (below - above):
            end = at + sum(lengths[first:k]) - 1
            yield Piece(at, end, offset + first, offset + k, min(lefts[first:k]), above, max(rights[first:k]), below)
            first, at = k, end + 1


_AT_ONCE = 4096
_BLOCK = (raw.FS_RECTF * _AT_ONCE)()
_ADDRESSES = [ctypes.addressof(_BLOCK) + i * ctypes.sizeof(raw.FS_RECTF) for i in range(_AT_ONCE)]
_box = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(
    cast(int, ctypes.cast(raw.FPDFText_GetLooseCharBox, ctypes.c_void_p).value)
)
"""PDFium's own function, called with numbers: what ctypes makes of typed pointers costs as much as the call itself."""
_Edges = tuple[list[float], list[float], list[float], list[float]]


class _Frame:
    """A page as it is shown: cropped, and turned clockwise by quarters (ISO 32000-1, 7.7.3.3)."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        box = raw.FS_RECTF()
        raw.FPDF_GetPageBoundingBox(page.raw, box)
        self.left, self.bottom, self.right, self.top = box.left, box.bottom, box.right, box.top
        self.turns = raw.FPDFPage_GetRotation(page.raw)
        self.height = self.right - self.left if self.turns % 2 else self.top - self.bottom

    def shown(self, edges: _Edges) -> _Edges:
        """Edges from the left and from the bottom of the page as it is shown."""
        left, top, right, bottom = edges
        match self.turns:
            case 0 if not (self.left or self.bottom):
                return edges
            case 0:
                return (
                    _less(left, self.left),
                    _less(top, self.bottom),
                    _less(right, self.left),
                    _less(bottom, self.bottom),
                )
            case 1:
                return (
                    _less(bottom, self.bottom),
                    _more(left, self.right),
                    _less(top, self.bottom),
                    _more(right, self.right),
                )
            case 2:
                return _more(right, self.right), _more(bottom, self.top), _more(left, self.right), _more(top, self.top)
        return _more(top, self.top), _less(right, self.left), _more(bottom, self.top), _less(left, self.left)


def _boxes(frame: _Frame, letters: pdfium.PdfTextPage, indices: Sequence[int]) -> _Edges:
    """Left, top, right and bottom of letters, line high, in points from the lower left corner of the page as shown."""
    edges: _Edges = [], [], [], []
    handle = ctypes.cast(letters.raw, ctypes.c_void_p).value
    for at in range(0, len(indices), _AT_ONCE):
        some = indices[at : at + _AT_ONCE]
        list(map(_box, repeat(handle), some, _ADDRESSES))
        numbers = memoryview(bytes(_BLOCK)[: 16 * len(some)]).cast("f")
        for i, edge in enumerate(edges):
            edge += numbers[i::4].tolist()
    return frame.shown(edges)


def _less(edge: list[float], by: float) -> list[float]:
    return [at - by for at in edge]


def _more(edge: list[float], by: float) -> list[float]:
    return [by - at for at in edge]


class _Writer:
    """Pages written one after the other: lines, blank lines between paragraphs, marks before headings."""

    def __init__(self) -> None:
        self.draft = Draft()
        self.boxes = Boxes()
        self.recognised = False
        self._heights: Counter[float] = Counter()

    def begin(self) -> None:
        """Begins a page."""
        self.boxes.pages.append(len(self.boxes.starts))

    def page(self, text: str, laid: Laid, bold: Callable[[Piece], bool]) -> None:
        found = order.lines(laid.pieces)
        if not found:
            return
        for line in found:
            self._heights[line.height] += line.end - line.start
        body = max(self._heights, key=lambda height: (self._heights[height], -height))
        pitch = _pitch(found)
        above, level_above = None, 0
        for line in found:
            level = _level(line, body) if line.height > body else 0
            apart = above is None or bool(level or level_above) or _parted(text, above, line, pitch)
            before = ("\n\n" if apart else "\n") if self.draft.length else ""
            if above is not None and text[above.end - 1] == _HYPHEN:
                before = ""
            if level:
                self._line(text, laid, line, f"{before}{'#' * level} ", "")
            elif apart and _heads(text, line) and bold(line.pieces[0]):
                self._line(text, laid, line, f"{before}**", "**")
            else:
                self._line(text, laid, line, before, "")
            above, level_above = line, level

    def _line(self, text: str, laid: Laid, line: Line, before: str, after: str) -> None:
        boxes = self.boxes
        for i, piece in enumerate(line.pieces):
            before = "\t" if i else before
            at = self.draft.length + len(before)
            words = slice(piece.first, piece.last)
            boxes.lines.append(len(boxes.starts))
            boxes.tops.append(piece.top)
            boxes.bottoms.append(piece.bottom)
            boxes.starts.extend(accumulate(laid.lengths[piece.first : piece.last - 1], initial=at))
            boxes.lefts.extend(laid.lefts[words])
            boxes.rights.extend(laid.rights[words])
            said = text[piece.start : piece.end] if text[piece.end - 1] != _HYPHEN else _joined(text, piece)
            boxes.ends.append(at + len(said))
            self.draft.put(before + said)
        if after:
            self.draft.put(after)


def _pitch(found: Sequence[Line]) -> float:
    """From one line to the next, as most of the page has it."""
    steps = Counter(round(2 * (b.top - a.top)) / 2 for a, b in pairwise(found) if b.top > a.top)
    return max(steps, key=lambda step: (steps[step], -step)) if steps else 0.0


def _parted(text: str, above: Line, line: Line, pitch: float) -> bool:
    """Whether a paragraph ends between the lines; a sentence may go on in the next column, or on the next page."""
    if abs(line.height - above.height) > 0.1 * above.height:
        return True
    step = line.top - above.top
    if step <= 0 or step > 10 * pitch:
        return text[above.end - 1] in ".!?:;" or not text[line.start].islower()
    return step > 1.25 * pitch


def _level(line: Line, body: float) -> int:
    """Which heading the line is by its size; 0 for none."""
    if line.end - line.start > _LONGEST_HEADING:
        return 0
    return next((level for times, level in _LEVELS if line.height >= times * body), 0)


def _joined(text: str, piece: Piece) -> str:
    """The words of a piece that ends within a word, with its hyphen if the word has one anywhere: well-known."""
    said = text[piece.start : piece.end - 1]
    left, right = (
        re.search(r"[^\W\d_]+(?:-[^\W\d_]+)*$", said),
        re.match(r"[^\W\d_]+", text[piece.end : piece.end + 60]),
    )
    if not left or not right or "-" in left[0] or not (left[0][-1].islower() and right[0].islower()):
        return f"{said}-"
    return f"{said}-" if f"{left[0]}-{right[0]}" in text else said


def _heads(text: str, line: Line) -> bool:
    """Whether the line is short and by itself, as a heading of the text's own size would be."""
    words = text[line.start : line.end]
    return len(line.pieces) == 1 and 3 <= len(words) <= 60 and not re.search(r"[*_]|[.,;]$", words)
