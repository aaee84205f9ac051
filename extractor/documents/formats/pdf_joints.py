"""What stands between pieces of words on a page, and between its lines: a blank, a line end, or nothing in a word."""

from __future__ import annotations

import re

from extractor.documents.formats.page_rows import JOINED_GAP
from extractor.documents.formats.pdf_text import HYPHEN, WIDE_GAP
from extractor.documents.formats.pdf_words import SLANTED
from extractor.documents.formats.reading_order import PageLayout, TextLine, TextPiece, turn_upright

MIN_TURNED_GAP = 0.1
"""The gap between turned letters, in heights of their line, from which they are of two words."""

FIRST_EAST = "\u2e80"
"""The first letter of scripts that have no blanks between words."""
_EAST = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_BROKEN = re.compile(rf"(?:\d-|(?:https?://|www\.)\S*[/\-_=?&.#%]|[{_EAST}])\Z", re.I)
_GROUPED, _GROUP = re.compile(r"(?<![\d.,])\d{1,3}(?:[ \u00a0\u202f]\d{3})*\Z"), re.compile(r"\d{3}(?!\d)")
_EASTERN = re.compile(rf"[{_EAST}]")


def join_pieces(layout: PageLayout, before: TextPiece, piece: TextPiece) -> str:
    """What stands between pieces on one line."""
    if piece.start in layout.raised:
        return ""
    if piece.turn and piece.turn == before.turn < SLANTED:
        last, first = turn_upright(before), turn_upright(piece)
        return "" if abs(first.left - last.right) < MIN_TURNED_GAP * (last.bottom - last.top) else " "
    if piece.turn or piece.start in layout.attached:
        return " "
    gap, height = piece.left - before.right, piece.bottom - piece.top
    of_one_run = before.end + 1 == piece.start or before.start in layout.attached
    if gap > (WIDE_GAP if of_one_run else JOINED_GAP) * height:
        return "\t"
    if layout.certainties or abs(gap) > 0.05 * height:
        return " "
    follows = layout.text[piece.start].isalnum() or layout.text[piece.start] in ".,;:)"
    return "" if layout.text[before.end - 1].isalnum() and follows else " "


def join_lines(layout: PageLayout, above: TextLine, line: TextLine) -> str:
    """What stands between two lines of a paragraph: nothing within a word, an address or a number."""
    last = layout.text[above.end - 1]
    if last.isalpha() and last < FIRST_EAST:
        return "\n"
    before, after = layout.words_of(above.pieces[-1]), layout.words_of(line.pieces[0])
    is_ended = before[-1] in "。！？：；" and above.pieces[-1].right < line.pieces[-1].right - 2 * line.height
    if before[-1] == HYPHEN or (not is_ended and _is_broken(before, after)):
        return ""
    if _GROUPED.search(before) and _GROUP.match(after) and len(before) > 20:
        return " "
    return "\n"


def join_cell_lines(layout: PageLayout, before: TextPiece, piece: TextPiece) -> str:
    """What stands between two pieces of one cell."""
    words, after = layout.words_of(before), layout.words_of(piece)
    if piece.start in layout.raised:
        return ""
    if piece.top < before.bottom - 1:
        return " "  # on one line
    within_word = words[-1] == "-" and words[-2:-1].isalpha() and after[0].islower()
    return "" if words[-1] == HYPHEN or within_word or _is_broken(words, after) else " "


def _is_broken(before: str, after: str) -> bool:
    """Whether what ends a line goes on in the next: a number with a hyphen, an address, a text without spaces."""
    if not _BROKEN.search(before[-300:]):
        return False
    if before[-1] == "-" and before[-2:-1].isdigit():
        return after[0].isdigit()
    if _EASTERN.match(before[-1]):
        return len(before) >= 12 and _EASTERN.match(after) is not None
    return after[0].isalnum() or after[0] in "/?#&%_-=.~"


def drop_hyphen(text: str, piece: TextPiece) -> str:
    """The words of a piece that ends within a word, with its hyphen if the word has one anywhere: well-known."""
    words = text[piece.start : piece.end - 1]
    left, right = (
        re.search(r"[^\W\d_]+(?:-[^\W\d_]+)*$", words),
        re.match(r"\s*([^\W\d_]+)", text[piece.end : piece.end + 60]),
    )
    if not left or not right or "-" in left[0] or not (left[0][-1].islower() and right[1][0].islower()):
        return f"{words}-"
    return f"{words}-" if f"{left[0]}-{right[1]}" in text else words
