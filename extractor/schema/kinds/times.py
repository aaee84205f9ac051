"""Times of day ("10:15", "2:05 pm", "14 h 05", "17 Uhr", "下午2点05分", noon), and their zones beside a date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from extractor.schema.kinds.affixes import CURRENCY_SIGNS
from extractor.schema.kinds.base import Json, ValueMention
from extractor.schema.kinds.characters import plain
from extractor.schema.kinds.day_periods import hour_of_day
from extractor.schema.kinds.months import figures_of_kanji
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
    "早上": 0,
    "ص": 0,
    "صباحا": 0,
    "صباحًا": 0,
    "مساء": 12,
    "مساءً": 12,
    "晚上": 12,
    "pm": 12,
    "p.m.": 12,
    "p.m": 12,
    "午後": 12,
    "下午": 12,
    "오후": 12,
    "م": 12,
}
CLOCK = (
    r"(?:(?P<early>午前|上午|오전|午後|下午|晚上|早上|오후|[AP]M)[ ]?)?"
    r"(?P<h>[01]?\d|2[0-4])(?:(?:[:.]|[ ]?h[ ]?|[ ]?(?:时|時|点|點|시)[ ]?|[ \u00a0](?:Uhr|giờ|óra|часов|часа|час|ч\.?"
    r"|hod\.?|godz\.?)[ \u00a0])(?P<m>[0-5]\d)(?:[ ]?(?:分|분|분|min(?:\.|utes?)?|мин\.?|минут|perc"
    r"|phút)(?![^\W\d_\u3040-\u9fff]))?(?:[:.]"
    r"(?P<s>[0-5]\d)(?:[.,]\d{1,9})?)?|(?P<halfpast>[ ]?(?:时|時|点|點|시)[ ]?(?:半|반))"
    r"|(?P<full>[ ]?(?:时|時|点|點|시|h|uhr)(?![\w])|(?=[ \u00a0]?[ap]\.?[ ]?m\b)))"
    r"(?:[ \u00a0]?(?P<half>[ap]\.?[ \u00a0]?m\b\.?|صباحا|صباحًا|مساء|مساءً|ص|م))?(?:[ \u00a0]?(?:Uhr|uur|hrs?"
    r"|hours|h|óra|hod|น)\b\.?)?"
    r"(?:[ \u00a0]?\(?(?P<zone>Z|UTC|GMT|CES?T|MES?Z|BST|EET|[ECMP][SD]T|JST|MSK)?"
    r"(?P<offset>[-+][01]\d:?[0-5]\d|[-+]\d{1,2}(?!\d))?\b\)?)?"
)
"""A time of day and its zone, if one is written."""
_ALONE = re.compile(rf"(?<!\w)(?<!\d:)(?<!\d[.,/-]){CLOCK}(?![\w:]|[.,]\d)", re.I)
_NAMED = re.compile(
    r"\b(?:(?P<noon>noon|midday|(?:12 Uhr )?mittags?|midi|mediod[ií]a|mezzogiorno|meio-dia|po[łl]udnie)"
    r"|midnight|mitternacht|minuit|medianoche|mezzanotte|meia-noite|p[óo][łl]noc)\b",
    re.I,
)
_MILITARY = re.compile(r"(?<![\w.,:/+-])(?P<h>[01]\d|2[0-3])(?P<m>[0-5]\d)(?:[ \u00a0]?(?:hrs?|hours|Uhr)\b|Z\b|L\b)")
_RANGE = re.compile(
    r"(?<![\w.,:/+-])(?P<h>[01]?\d|2[0-4])(?:[:.](?P<m>[0-5]\d))?[ ]?(?:-|–|bis|to|à|a|tot|til)[ ]?"
    r"(?P<last>[01]?\d|2[0-4])(?:[:.](?P<past>[0-5]\d))?[ \u00a0]?(?:(?:Uhr|uur|h|hrs)\b|(?P<half>[ap])\.?m\b)",
    re.I,
)
"""Hours whose unit stands at their end: 9–17 Uhr, 2-5 pm."""
_OF_MONEY = re.compile(rf"[ \u00a0]?(?:[{CURRENCY_SIGNS}%]|[A-Z]{{3}}\b|(?:kg|g|mg|km|m|cm|mm|l|ml)\b)")
"""What stands behind an amount, so that 14.30 is no time."""
_EAST_IN_WORDS = re.compile(
    r"(?P<early>午前|上午|午後|下午|晚上|早上)?(?P<h>[一二两兩三四五六七八九十]{1,3})[时時点點](?P<m>半|[一二三四五六七八九十]{1,3}(?=分))?"
)
_DECIMAL = re.compile(r"[\d.]*")
"""What is a number rather than a time: 1.20."""
_ISO = re.compile(r"T?(\d\d:\d\d)(?::(\d\d)(?:\.\d+)?)?[ ]?(?:Z|[-+]\d\d:?\d\d)?", re.A)


def read_clock(m: re.Match[str]) -> tuple[str, str]:
    """The time of day of a match of `CLOCK` as HH:MM:SS, and its zone ("" where none is written)."""
    hour, half = int(m["h"]), _HALF.get(re.sub(r"\s", "", m["half"] or m["early"] or "").lower())
    if half is not None and hour <= 12:
        hour = hour % 12 + half
    zone = _ZONES.get((m["zone"] or "").lower(), "")
    if m["offset"]:
        sign, digits = m["offset"][0], m["offset"][1:].replace(":", "")
        zone = f"{sign}{digits[:2].zfill(2)}:{digits[2:] or '00'}"
    return f"{hour % 24:02}:{m['m'] or ('30' if m['halfpast'] else '00')}:{m['s'] or '00'}", "Z" if zone in (
        "+00:00",
        "-00:00",
    ) else zone


@dataclass(frozen=True, slots=True)
class TimeKind:
    """The record's form is HH:MM:SS, without a zone."""

    name: str = "time"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Every time of day. One whose minutes stand behind a point is as likely a number, and derived."""
        simple = plain(text)
        for m in _ALONE.finditer(simple):
            says_so = m["half"] or m["early"] or ":" in m[0] or m["full"] or not m["m"] or "." not in m[0]
            shown, time = m.start() + len(m[0].rstrip()), read_clock(m)[0]
            if not (m["half"] or m["early"]):
                told = hour_of_day(text, m.start(), shown, int(m["h"]))
                if told is not None:
                    says_so, time = True, f"{told:02}{time[2:]}"
                elif "." in m[0] and not m["full"] and _OF_MONEY.match(text, shown):
                    continue
            yield ValueMention(Span(m.start(), shown), time, "" if says_so else "hours")
        yield from _hours_of_range(simple)
        for m in _MILITARY.finditer(simple):
            yield ValueMention(Span(*m.span()), f"{m['h']}:{m['m']}:00", "hours")
        for m in _EAST_IN_WORDS.finditer(simple) if not text.isascii() else ():
            hour, minute = figures_of_kanji(m["h"].replace("两", "二").replace("兩", "二")), m["m"] or "零"
            past = 30 if minute == "半" else figures_of_kanji(minute)
            if hour is not None and past is not None and hour < 25 and past < 60:
                half = _HALF.get(m["early"] or "")
                hour = hour % 12 + half if half is not None and hour <= 12 else hour
                yield ValueMention(Span(*m.span()), f"{hour % 24:02}:{past:02}:00", "time in words")
        for m in _NAMED.finditer(text):
            yield ValueMention(Span(*m.span()), "12:00:00" if m["noon"] else "00:00:00", "named hour")

    def keys(self, value: Json) -> Iterator[tuple[str, str]]:
        """The time of day to the second."""
        found = self.normalise(value, Reading())
        if found is not None:
            yield found, ""

    def parse(self, words: str, reading: Reading) -> str | None:
        """The one time that the words hold."""
        found = {str(m.key) for m in self.find(words, reading)}
        return found.pop() if len(found) == 1 else None

    def normalise(self, value: Json, reading: Reading) -> str | None:
        """HH:MM:SS of what is a time and no more."""
        if not isinstance(value, str):
            return None
        said = value.strip()
        if m := _ISO.fullmatch(said):
            return f"{m[1]}:{m[2] or '00'}" if m[1] < "24" else None
        clock = None if _DECIMAL.fullmatch(said) else re.fullmatch(CLOCK, said, re.I)
        return read_clock(clock)[0] if clock else None

    def same(self, a: Json, b: Json) -> bool:
        """Whether both are one time of day."""
        first = self.normalise(a, Reading())
        return first is not None and first == self.normalise(b, Reading())


def _hours_of_range(plain: str) -> Iterator[ValueMention]:
    """Both hours of 9–17 Uhr and 2-5 pm, whose unit stands once."""
    for m in _RANGE.finditer(plain):
        half = (m["half"] or "").lower()
        for h, minute, end in (("h", "m", m.end("h")), ("last", "past", m.end())):
            if h == "last" or half != "p" or int(m["h"]) <= int(m["last"]):
                hour = int(m[h]) % 12 + 12 * (half == "p") if half else int(m[h])
                span = Span(m.start(h), max(end, m.end(minute)))
                yield ValueMention(span, f"{hour % 24:02}:{m[minute] or '00'}:00", "unit of the range's end")
