"""Words beside a time that say which half of the day it is in, in 79 locales (CLDR): "2:30 de la tarde"."""

from __future__ import annotations

import re
from functools import cache

from extractor.schema.kinds.cldr import table
from extractor.schema.kinds.units import clean

_BEHIND = re.compile(r"[ \u00a0\u202f]?((?:[^\s,;:|()\d]{1,14}[ \u00a0\u202f]?){1,3})")
_BEFORE = re.compile(r"(?:(?<=\s)|(?<=[:：,、])|^)([^\s,;:|()\d]{1,14})[ \u00a0]?$")
_SPACES = re.compile(r"[ \u00a0\u202f]+")
_HOUR, _DAY = 3600, 86400


@cache
def _periods() -> dict[str, tuple[int, int]]:
    return {word: (begin, end) for word, (begin, end) in table("day_periods").items()}


def hour_of_day(text: str, start: int, end: int, hour: int) -> int | None:
    """The hour from 0 to 23 of a time from 1 to 12 that stands there, by the words beside it; None where none tell."""
    if not 1 <= hour <= 12:
        return None
    if m := _BEHIND.match(text, end, min(len(text), end + 44)):
        words = _SPACES.split(m[1].strip())
        for many in range(len(words), 0, -1):
            if (told := _told(" ".join(words[:many]), hour)) is not None:
                return told
    if m := _BEFORE.search(text, max(0, start - 16), start):
        return _told(m[1], hour)
    return None


def _told(words: str, hour: int) -> int | None:
    reach = _periods().get(clean(words))
    if reach is None:
        return None
    begin, end = reach
    inside = [h for h in (hour % 12, hour % 12 + 12) if _is_inside(h * _HOUR, begin, end)]
    return inside[0] if len(inside) == 1 else None


def _is_inside(second: int, begin: int, end: int) -> bool:
    return begin <= second < end if begin < end else second >= begin or second < end % _DAY
