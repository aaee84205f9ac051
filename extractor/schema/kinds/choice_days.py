"""Terms of payment as codes of a list: `net_30` by "payable within 30 days", unless others of the list stand too."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from fractions import Fraction

from extractor.schema.kinds.base import Json, ValueMention
from extractor.types import Span

DAYS = "days of the choice"
_CODE = re.compile(r"(?:net|n)[ _-]?(?P<a>\d{1,3})(?:[ _-]?d(?:ays?)?)?|(?P<b>\d{1,3})[ _-]?days?(?:[ _-]net)?", re.I)
_NET = re.compile(r"\bnett?o?\b", re.I)
_WRITTEN = r"(?<!\w)n(?:et)?[ -]?{}(?![.,]?\w)"
_REACH = 10


def _days(choice: Json) -> int | None:
    m = _CODE.fullmatch(choice.strip()) if isinstance(choice, str) else None
    return int(m["a"] or m["b"]) if m else None


def find_days_of_choice(
    text: str,
    choices: Sequence[Json],
    said: Json,
    durations: Callable[[], Mapping[Hashable, Sequence[ValueMention]]],
) -> Iterator[ValueMention]:
    """Where as many days stand as the code says; of several that codes of the list say, those beside "net"."""
    wanted = _days(said)
    if wanted is None:
        return
    found = durations()
    listed = {days for choice in choices if (days := _days(choice)) is not None}
    stand = {days: found.get((Fraction(0), Fraction(days), Fraction(0)), ()) for days in listed | {wanted}}
    written = {days for days in listed if re.search(_WRITTEN.format(days), text, re.I)}
    alone = {days for days, mentions in stand.items() if mentions} | written == {wanted}
    for mention in stand[wanted]:
        near = text[max(0, mention.span.start - _REACH) : mention.span.end + _REACH]
        if alone or _NET.search(near):
            yield mention._replace(rule=DAYS)
    for m in re.finditer(_WRITTEN.format(wanted), text, re.I):
        yield ValueMention(Span(*m.span()), str(said), DAYS)
