"""Text as it may be shown: cut where marks begin and end, with what cannot be seen told apart from what can."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from extractor.types import Span

_UNSEEN = re.compile(
    # Controls but for tab and line feed, soft hyphen, fillers, bidirectional marks, embeddings, overrides and isolates
    # (UAX #9), separators, tags and others without a shape, surrogates; joiners after ASCII, which needs none.
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]|(?<![^\x00-\x7f])[\u200c\u200d]"
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text that the same spans cover. `places` are the indices of those spans, ascending."""

    start: int
    end: int
    places: tuple[int, ...]


def split_segments(length: int, spans: Sequence[Span], cuts: Iterable[int] = ()) -> list[Segment]:
    """A text cut at every border of a span and at `cuts`. Segments cover [0, length) in order, each character once."""
    opening: dict[int, list[int]] = {}
    closing: dict[int, list[int]] = {}
    for number, span in enumerate(spans):
        opening.setdefault(span.start, []).append(number)
        closing.setdefault(span.end, []).append(number)
    borders = sorted({0, length, *cuts, *opening, *closing})
    found, active = [], set[int]()
    for start, end in pairwise(borders):
        active.difference_update(closing.get(start, ()))
        active.update(opening.get(start, ()))
        found.append(Segment(start, end, tuple(sorted(active))))
    return found


def split_unseen(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[str, str]]:
    """text[start:end] as ("text", words), ("return", "") for the CR of a CRLF and ("unseen", number in hexadecimal)."""
    at, end = start, len(text) if end is None else end
    for unseen in _UNSEEN.finditer(text, start, end):
        if at < unseen.start():
            yield "text", text[at : unseen.start()]
        at = unseen.end()
        in_line_end = unseen[0] == "\r" and text[at : at + 1] == "\n"
        yield ("return", "") if in_line_end else ("unseen", f"{ord(unseen[0]):04X}")
    if at < end:
        yield "text", text[at:end]


def spell_unseen(number: str) -> str:
    """What stands on the page for a character without a shape: its control picture (U+2400 and on), or its number."""
    code = int(number, 16)
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else f"‹U+{number}›"


def show_unseen(text: str) -> str:
    return "".join(spell_unseen(what) if kind == "unseen" else what for kind, what in split_unseen(text))
