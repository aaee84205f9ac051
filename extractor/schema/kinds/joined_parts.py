"""Texts joined of parts that stand one behind the other, in cells or under labels: "12 High Street, London"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from extractor.schema.kinds.wholes import is_part
from extractor.types import Span

_BETWEEN = re.compile(r"[,;|\n]\s*|\s[-–|/]\s")
_GAP = r"[ \t]{0,3}[,;|]?[ \t|]{0,40}\n?[ \t|]{0,40}(?:[^\W\d_][^\n:|]{0,30}:[ \t]{0,20})?"
_FEWEST, _MOST, _LONGEST = 2, 6, 200


def find_joined(text: str, said: str, within: Span) -> Iterator[Span]:
    """Where all parts stand in their order, with nothing between them but what ends a cell or names the next."""
    parts = [part.strip() for part in _BETWEEN.split(said) if part.strip()]
    if not (_FEWEST <= len(parts) <= _MOST and len(said) <= _LONGEST and all(len(part) > 1 for part in parts)):
        return
    written = _GAP.join(r"[ \t\u00a0]+".join(map(re.escape, part.split())) for part in parts)
    for m in re.finditer(rf"(?<!\w){written}(?!\w)", text[within.start : within.end], re.I):
        span = Span(*m.span()).shift(within.start)
        if not is_part(text, span.start, span.end):
            yield span
