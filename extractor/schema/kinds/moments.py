"""Dates with a time of day and its zone: "3 March 2024, 14:05 Uhr", "2024-03-03T10:15:00Z", "14:05 on 3/3/2024"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from extractor.schema.kinds.base import OTHER_READING, Json, ValueMention
from extractor.schema.kinds.characters import plain
from extractor.schema.kinds.date import DateKind, find_days
from extractor.schema.kinds.days import iso
from extractor.schema.kinds.reading import Reading
from extractor.schema.kinds.times import CLOCK, read_clock
from extractor.types import Span

_AFTER = re.compile(
    r"(?:T|:(?=\d\d:)|(?:[ \u00a0](?:г|р|r|m|d)\.|\.)?[ \u00a0\n\t]{0,2}[,;"
    r"|/–-]?[ \u00a0\n\t]{1,2}(?:(?!오[전후])\(?\w{2,12}\.?\)?,? )?\(?|,"
    r"|[ ]?(?:[（(].[)）])[ ]?|(?<=[日号일]))(?:(?:at|um|à|a las|alle|alle ore|às|kl\.?|klo|om|o|o godz(?:\.|inie)"
    r"|ve?|в|ob|u|saat|ora|ore"
    r"|pukul|lúc|at approximately|de las)[ \u00a0])?" + CLOCK,
    re.I,
)
_BEFORE = re.compile(
    r"(?<![\d:])" + CLOCK + r"(?:[ \u00a0]?[,;|–-]?[ \u00a0](?:on|am|le|el|il|den|,)?[ \u00a0]?(?:the )?)$", re.I
)
_RUN_TOGETHER = re.compile(
    r"(?<![\w.,-])(?P<day>(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))T?(?P<h>[01]\d|2[0-3])(?P<m>[0-5]\d)"
    r"(?P<s>[0-5]\d)?(?P<zone>Z|[-+]\d{4})?(?!\w|[.,]\d)"
)
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:\.\d+)?[ ]?(Z|[-+]\d\d:?\d\d)?", re.I | re.A)

ANY_ZONE = "?"
"""Ends the key of a moment that is written with a zone, for who said none."""
OTHER_ZONE = "other zone"
TIME_ELSEWHERE = "time stands elsewhere"
"""The rule of a date whose time is not written beside it."""


@dataclass(frozen=True, slots=True)
class DateTimeKind:
    """The record's form is ISO 8601: date, "T", time to the second, and the zone if one is written."""

    name: str = "datetime"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Every date with the time beside it, with and without its zone; and the date alone.

        One that no time stands beside is found with an open time ("2024-03-03T"), too.
        """
        simple = plain(text)
        for day in find_days(text, reading):
            if len(day.iso) != 10 or day.iso[0] == "-":
                continue
            yield ValueMention(Span(day.start, day.end), day.iso, day.rule or "time not written")
            after = _AFTER.match(simple, day.end)
            before = None if after else _BEFORE.search(simple, max(0, day.start - 40), day.start)
            m = after or before
            if m is None:
                yield ValueMention(Span(day.start, day.end), f"{day.iso}T", day.rule or "time not beside it")
            else:
                time, zone = read_clock(m)
                span = Span(min(day.start, m.start() if before else day.start), max(day.end, m.end()))
                yield ValueMention(span, f"{day.iso}T{time}{zone}", day.rule)
                yield from _in_other_zones(span, f"{day.iso}T{time}", zone, day.rule)

        for m in _RUN_TOGETHER.finditer(simple):
            written = m["day"]
            if iso(int(written[:4]), int(written[4:6]), int(written[6:])):
                zone = m["zone"] or ""
                zone = f"{zone[:3]}:{zone[3:]}" if len(zone) == 5 else zone
                moment = f"{written[:4]}-{written[4:6]}-{written[6:]}T{m['h']}:{m['m']}:{m['s'] or '00'}"
                yield ValueMention(Span(*m.span()), moment + zone)
                yield from _in_other_zones(Span(*m.span()), moment, zone, "")

    def keys(self, value: Json) -> Iterator[tuple[str, str]]:
        """Date, time and zone; then without the zone; of midnight the date; then the date, its time left open."""
        found = self.normalise(value, Reading.of(value)) if isinstance(value, str) else None
        if found is None:
            return
        yield found, ""
        if "T" in found:
            if len(found) > 19:
                yield found[:19], "zone not written"
                if (moment := _in_utc(found)) != found:
                    yield moment, OTHER_ZONE
            else:
                yield found + ANY_ZONE, ""
            if found[11:19].startswith("00:00:00"):
                yield found[:10], "midnight left out"
            yield f"{found[:10]}T", TIME_ELSEWHERE

    def parse(self, words: str, reading: Reading) -> str | None:
        """The one moment that the words hold, to the second; a date where no time stands beside it."""
        found = [m for m in self.find(words, reading) if m.rule not in (OTHER_READING, OTHER_ZONE)]
        keys = [str(m.key) for m in found if str(m.key)[-1] not in ("T", ANY_ZONE)]
        timed = [k for k in keys if "T" in k] or keys
        return timed[0] if len(set(timed)) == 1 else None

    def normalise(self, value: Json, reading: Reading) -> str | None:
        """ISO 8601 of what was said."""
        if not isinstance(value, str):
            return None
        if m := _ISO.fullmatch(value.strip()):
            zone = (m[4] or "").upper()
            zone = f"{zone[:3]}:{zone[3:]}" if len(zone) == 5 else zone
            day = DateKind().normalise(m[1], reading)
            return f"{day}T{m[2]}{m[3] or ':00'}{'Z' if zone == '+00:00' else zone}" if day else None
        return self.parse(value, reading)

    def same(self, a: Json, b: Json) -> bool:
        """Whether both are one moment as written; a zone that only one names does not part them."""
        first, second = self.normalise(a, Reading()), self.normalise(b, Reading())
        if first is None or second is None:
            return False
        both = len(first) > 19 and len(second) > 19
        return first == second if both or len(first) == 10 or len(second) == 10 else first[:19] == second[:19]


def _in_other_zones(span: Span, moment: str, zone: str, rule: str) -> Iterator[ValueMention]:
    """A moment that is written with a zone, without it and as UTC has it."""
    if zone:
        yield ValueMention(span, moment + ANY_ZONE, rule or "zone left out")
        if (utc := _in_utc(moment + zone)) != moment + zone:
            yield ValueMention(span, utc, rule or OTHER_ZONE)


def _in_utc(moment: str) -> str:
    """The same moment of UTC; itself where its zone is none."""
    try:
        utc = datetime.fromisoformat(moment).astimezone(UTC)
    except (ValueError, OverflowError):
        return moment
    return f"{utc:%Y-%m-%dT%H:%M:%S}Z"
