"""Dates with a time of day and its zone: "3 March 2024, 14:05 Uhr", "2024-03-03T10:15:00Z", "14:05 on 3/3/2024"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from extractor.schema.kinds.base import OTHER_READING, Json, ValueMention
from extractor.schema.kinds.characters import plain
from extractor.schema.kinds.date import DateKind, find_days
from extractor.schema.kinds.reading import Reading
from extractor.types import Span

_ZONES = {
    "z": "Z",
    "utc": "Z",
    "gmt": "Z",
    "cet": "+01:00",
    "cest": "+02:00",
    "mez": "+01:00",
    "mesz": "+02:00",
    "bst": "+01:00",
    "eet": "+02:00",
    "est": "-05:00",
    "edt": "-04:00",
    "cst": "-06:00",
    "cdt": "-05:00",
    "mst": "-07:00",
    "mdt": "-06:00",
    "pst": "-08:00",
    "pdt": "-07:00",
    "jst": "+09:00",
    "msk": "+03:00",
}
_HALF = {
    "am": 0,
    "a.m.": 0,
    "a.m": 0,
    "午前": 0,
    "上午": 0,
    "오전": 0,
    "ص": 0,
    "pm": 12,
    "p.m.": 12,
    "p.m": 12,
    "午後": 12,
    "下午": 12,
    "오후": 12,
    "م": 12,
}
_CLOCK = (
    r"(?:(?P<early>午前|上午|오전|午後|下午|오후|[AP]M)[ ]?)?"
    r"(?P<h>[01]?\d|2[0-4])(?:(?:[:.]|[ ]?h[ ]?|[ ]?(?:时|時|点|시)[ ]?)(?P<m>[0-5]\d)(?:[ ]?(?:分|분))?(?:[:.]"
    r"(?P<s>[0-5]\d)(?:[.,]\d{1,9})?)?|(?P<full>[ ]?(?:时|時|点|시|h|uhr)(?![\w])|(?=[ ]?[ap]\.?m\b)))"
    r"(?:[ \u00a0]?(?P<half>[ap]\.?m\b\.?|ص|م))?(?:[ \u00a0]?(?:Uhr|hrs?|hours|h|óra)\b)?"
    r"(?:[ \u00a0]?\(?(?P<zone>Z|UTC|GMT|CES?T|MES?Z|BST|EET|[ECMP][SD]T|JST|MSK)?"
    r"(?P<offset>[-+][01]\d:?[0-5]\d|[-+]\d{1,2}(?!\d))?\b\)?)?"
)
_AFTER = re.compile(
    r"(?:T|[ \u00a0\n\t]{0,2}[,;|/–-]?[ \u00a0\n\t]{1,2}(?:\(?\w{2,12}\.?\)?,? )?\(?|,|[ ]?(?:[（(].[)）])[ ]?|"
    r"(?<=[日号일]))(?:(?:at|um|à|a las|alle|às|kl\.?|om|o|в|ob|at approximately|de las)[ \u00a0])?" + _CLOCK,
    re.I,
)
_BEFORE = re.compile(
    r"(?<![\d:])" + _CLOCK + r"(?:[ \u00a0]?[,;|–-]?[ \u00a0](?:on|am|le|el|il|den|,)?[ \u00a0]?(?:the )?)$", re.I
)
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:\.\d+)?[ ]?(Z|[-+]\d\d:?\d\d)?", re.I | re.A)


def _time(m: re.Match[str]) -> tuple[str, str]:
    """The time of day as HH:MM:SS, and its zone ("" where none is written)."""
    hour, half = int(m["h"]), _HALF.get((m["half"] or m["early"] or "").lower())
    if half is not None and hour <= 12:
        hour = hour % 12 + half
    zone = _ZONES.get((m["zone"] or "").lower(), "")
    if m["offset"]:
        sign, digits = m["offset"][0], m["offset"][1:].replace(":", "")
        zone = f"{sign}{digits[:2].zfill(2)}:{digits[2:] or '00'}"
    return f"{hour % 24:02}:{m['m'] or '00'}:{m['s'] or '00'}", "Z" if zone in ("+00:00", "-00:00") else zone


@dataclass(frozen=True, slots=True)
class DateTimeKind:
    """The record's form is ISO 8601: date, "T", time to the second, and the zone if one is written."""

    name: str = "datetime"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Every date with the time beside it, with and without its zone; and the date alone."""
        simple = plain(text)
        for day in find_days(text, reading):
            if len(day.iso) != 10 or day.iso[0] == "-":
                continue
            yield ValueMention(Span(day.start, day.end), day.iso, day.rule or "time not written")
            after = _AFTER.match(simple, day.end)
            before = None if after else _BEFORE.search(simple, max(0, day.start - 40), day.start)
            if m := after or before:
                time, zone = _time(m)
                span = Span(min(day.start, m.start() if before else day.start), max(day.end, m.end()))
                yield ValueMention(span, f"{day.iso}T{time}{zone}", day.rule)
                if zone:
                    yield ValueMention(span, f"{day.iso}T{time}", day.rule or "zone left out")

    def keys(self, value: Json) -> Iterator[tuple[str, str]]:
        """Date, time and zone; then without the zone; then the date alone."""
        found = self.normalise(value, Reading.of(value)) if isinstance(value, str) else None
        if found is None:
            return
        yield found, ""
        if "T" in found:
            if len(found) > 19:
                yield found[:19], "zone left out"
            if found[11:19].startswith("00:00:00"):
                yield found[:10], "midnight left out"

    def parse(self, words: str, reading: Reading) -> str | None:
        """The one moment that the words hold, to the second; a date where no time stands beside it."""
        keys = [str(m.key) for m in self.find(words, reading) if m.rule not in (OTHER_READING, "zone left out")]
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
