"""What is laid over a PDF page: values of its form, typed annotations, and addresses behind its words.

None of them is among the page's letters. Each is put where it stands: a value behind its label, an address behind the
words that lead to it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extractor.documents.formats.link_text import add_address, is_told
from extractor.documents.formats.pdf_frame import PageFrame
from extractor.documents.formats.reading_order import PageLayout, PlacedWords, TextPiece
from extractor.documents.formats.sight import Sight

MAX_NOTES = 5_000
"""Annotations of one page that are read."""
MAX_NOTE_CHARACTERS = 100_000
"""Of one of them."""
TICKED, OPEN = "☒", "☐"
_UNSEEN_FLAGS = 1 | 2 | 32
"""Invisible, hidden, and not to be viewed (ISO 32000-1, 12.5.3)."""
_PASSWORD_FLAG = 1 << 13
"""Of a text field: its value is not shown (ISO 32000-1, 12.7.4.3)."""
_CHOICES = (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX)
_BOXES = (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON)
_SILENT = frozenset((raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_FILEATTACHMENT, raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_WIDGET))


class NoteKind(Enum):
    VALUE = "of a form"
    DRAWN = "typed on the page"
    NOTE = "shown when it is asked for"
    ADDRESS = "behind words"


@dataclass(frozen=True, slots=True)
class PageNote:
    """Words that are laid over a page. Edges are in points from the upper left corner of the page as it is shown."""

    kind: NoteKind
    text: str
    left: float
    top: float
    right: float
    bottom: float
    sight: Sight = Sight.SHOWN


def read_notes(page: pdfium.PdfPage) -> list[PageNote]:
    """What is laid over the page, in the order of the file."""
    count = min(raw.FPDFPage_GetAnnotCount(page.raw), MAX_NOTES)
    if count <= 0:
        return []
    form = page.pdf.formenv.raw if page.pdf.formenv else None
    frame, found = PageFrame(page), list[PageNote]()
    for i in range(count):
        handle = raw.FPDFPage_GetAnnot(page.raw, i)
        if not handle:
            continue
        try:
            found += _read_note(page, form, handle, frame)
        finally:
            raw.FPDFPage_CloseAnnot(handle)
    return found


def _read_note(page: pdfium.PdfPage, form: Any, handle: Any, frame: PageFrame) -> Iterator[PageNote]:
    kind = raw.FPDFAnnot_GetSubtype(handle)
    rect = raw.FS_RECTF()
    raw.FPDFAnnot_GetRect(handle, rect)
    edges = frame.place_box(
        min(rect.left, rect.right), min(rect.bottom, rect.top), max(rect.left, rect.right), max(rect.bottom, rect.top)
    )
    unseen = bool(raw.FPDFAnnot_GetFlags(handle) & _UNSEEN_FLAGS) or not _is_on_page(frame, edges)
    sight = Sight.HIDDEN if unseen else Sight.SHOWN
    if kind == raw.FPDF_ANNOT_LINK:
        address = _read_address(page, handle)
        if is_told(address):
            yield PageNote(NoteKind.ADDRESS, address, *edges, sight)
    elif kind == raw.FPDF_ANNOT_WIDGET:
        for text in _read_value(form, handle) if form else ():
            yield PageNote(NoteKind.VALUE, text, *edges, sight)
    elif kind not in _SILENT:
        text = _read_string(lambda *to: raw.FPDFAnnot_GetStringValue(handle, b"Contents", *to)).strip()
        if text:
            drawn = kind == raw.FPDF_ANNOT_FREETEXT
            yield PageNote(NoteKind.DRAWN if drawn else NoteKind.NOTE, text, *edges, sight)


def _is_on_page(frame: PageFrame, edges: tuple[float, float, float, float]) -> bool:
    left, top, right, bottom = edges
    return right > 0 and bottom > 0 and left < frame.width and top < frame.height and right > left and bottom > top


def _read_value(form: Any, handle: Any) -> Iterator[str]:
    """The value of a field as it is shown: a tick, what is chosen, or what was typed."""
    kind = raw.FPDFAnnot_GetFormFieldType(form, handle)
    if kind in _BOXES:
        yield TICKED if raw.FPDFAnnot_IsChecked(form, handle) else OPEN
        return
    if kind in _CHOICES:
        count = min(raw.FPDFAnnot_GetOptionCount(form, handle), MAX_NOTES)
        chosen = [i for i in range(count) if raw.FPDFAnnot_IsOptionSelected(form, handle, i)]
        labels = [_read_string(lambda *to, i=i: raw.FPDFAnnot_GetOptionLabel(form, handle, i, *to)) for i in chosen]
        if any(labels):
            yield ", ".join(filter(None, labels))
            return
    if kind in (*_CHOICES, raw.FPDF_FORMFIELD_TEXTFIELD):
        flags = raw.FPDFAnnot_GetFormFieldFlags(form, handle)
        text = _read_string(lambda *to: raw.FPDFAnnot_GetFormFieldValue(form, handle, *to)).strip()
        if text and not (kind == raw.FPDF_FORMFIELD_TEXTFIELD and flags & _PASSWORD_FLAG):
            yield text


def _read_address(page: pdfium.PdfPage, handle: Any) -> str:
    action = raw.FPDFLink_GetAction(raw.FPDFAnnot_GetLink(handle))
    if not action or raw.FPDFAction_GetType(action) != raw.PDFACTION_URI:
        return ""
    length = raw.FPDFAction_GetURIPath(page.pdf.raw, action, None, 0)
    buffer = ctypes.create_string_buffer(min(length, MAX_NOTE_CHARACTERS))
    raw.FPDFAction_GetURIPath(page.pdf.raw, action, buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace").strip()


def _read_string(call: Callable[..., int]) -> str:
    """A string that PDFium writes as UTF-16 with a zero behind it, after it said how many bytes that takes."""
    length = min(call(None, 0), 2 * MAX_NOTE_CHARACTERS)
    if length <= 2:
        return ""
    buffer = ctypes.create_string_buffer(length)
    call(ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), length)
    return buffer.raw[: length - 2].decode("utf-16-le", "replace").replace("\r\n", "\n").replace("\r", "\n")


def place_notes(layout: PageLayout, notes: list[PageNote]) -> None:
    """Puts notes among the pieces of a page, each where it stands."""
    layout.own_end = min(layout.own_end, len(layout.text))
    for note in notes:
        if note.kind is NoteKind.ADDRESS:
            _place_address(layout, note)
        else:
            _place_lines(layout, note)


def _place_lines(layout: PageLayout, note: PageNote) -> None:
    """A piece for each line of a note."""
    lines = [" ".join(line.split()) for line in note.text.split("\n")]
    lines = [line for line in lines if line]
    if note.kind is NoteKind.NOTE and lines:
        lines[0] = f"Note: {lines[0]}"
    height = (note.bottom - note.top) / max(1, len(lines))
    at = 0
    for i, line in enumerate(lines):
        top = note.top + i * height
        piece = _add_piece(layout, line, (note.left, top, note.right, top + height))
        at = at + 1 if i else _find_place(layout.pieces, piece)
        layout.pieces.insert(at, piece)
        if note.sight is not Sight.SHOWN:
            layout.sights[piece.start] = note.sight


def _add_piece(layout: PageLayout, text: str, edges: tuple[float, float, float, float]) -> TextPiece:
    """A piece of text of its own; its words share the room of the note by their length."""
    left, top, right, bottom = edges
    start = len(layout.text) + 1
    layout.text += "\n" + text
    lengths = [len(word) + 1 for word in text.split(" ")]
    width, at = (right - left) / max(1, len(text)), 0
    lefts, rights = [], []
    for length in lengths:
        lefts.append(left + at * width)
        rights.append(left + (at + length - 1) * width)
        at += length
    layout.add_words(PlacedWords(start, len(layout.text), lengths, lefts, rights, top, bottom))
    return layout.pieces.pop()


def _find_place(pieces: list[TextPiece], note: TextPiece) -> int:
    """Where in the order a note comes: behind what stands to its left, or before its line, or below what is above."""
    level = [(i, p) for i, p in enumerate(pieces) if not p.turn and _is_level(p, note)]
    before = [(p.right, i) for i, p in level if p.left < note.left and p.right <= note.right]
    if before:
        return max(before)[1] + 1
    if level:
        return min(i for i, _ in level)
    above = [(p.bottom, i) for i, p in enumerate(pieces) if p.bottom <= note.top + 2 and p.right > note.left - 20]
    return max(above)[1] + 1 if above else 0


def _is_level(piece: TextPiece, note: TextPiece) -> bool:
    shared = min(piece.bottom, note.bottom) - max(piece.top, note.top)
    return 2 * shared > min(piece.bottom - piece.top, note.bottom - note.top)


def _place_address(layout: PageLayout, note: PageNote) -> None:
    """The address behind the last of the words that lead to it, if they do not say it themselves."""
    linked: list[tuple[int, int]] = []
    for number, piece in enumerate(layout.pieces):
        if piece.top < note.bottom and note.top < piece.bottom and piece.start not in layout.rewritten:
            middle = (piece.top + piece.bottom) / 2
            if note.top - 1 <= middle <= note.bottom + 1:
                linked += [
                    (number, i)
                    for i in range(piece.first, piece.last)
                    if note.left - 1 <= (layout.lefts[i] + layout.rights[i]) / 2 <= note.right + 1
                ]
    if not linked:
        return
    number, last = linked[-1]
    piece = layout.pieces[number]
    words = " ".join(_word(layout, layout.pieces[n], i) for n, i in linked)
    added = add_address(words, note.text)
    if added == words:
        return
    parts = layout.part_piece_after(piece, last)
    right, height = layout.rights[last], piece.bottom - piece.top
    edges = max(layout.lefts[last], right - 0.3 * height), piece.top, right, piece.bottom
    address = _add_piece(layout, added[len(words) + 1 :], edges)
    layout.pieces[number : number + 1] = [parts[0], address, *parts[1:]]
    layout.attached.add(address.start)


def _word(layout: PageLayout, piece: TextPiece, number: int) -> str:
    at = piece.start + sum(layout.lengths[piece.first : number])
    return layout.text[at : at + layout.lengths[number] - 1]
