"""Telephone numbers: the digits that count, with the country's code where it is written.

Why not `phonenumbers`: its search through a text takes 70 ms for 4 kB, and of its 48 MB (the light build has 3) all
that is needed to compare a number in a document with one that was said is where the country's code ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from extractor.schema.kinds.base import Json, ValueMention
from extractor.schema.kinds.characters import plain
from extractor.schema.kinds.reading import Reading
from extractor.types import Span

_NUMBER = re.compile(
    r"(?<![\w.,+-])(?:\+[ \u00a0]?|00(?=[1-9]))?\(?\d{1,5}\)?(?:[ \u00a0./–-]{0,3}\(?\d{1,14}\)?){1,8}+(?![\w]|[.,]\d)"
    r"|(?<![\w.,+-])\+?\d{7,15}(?![\w]|[.,-]\d)"
)
_EXTENSION = re.compile(
    r"[ \u00a0,;]{0,3}(?:ext\.?|x|extension|durchwahl|dw|poste|int\.?|#)[ :.=]{0,2}(\d{1,6})\b", re.I
)
_MONEY = re.compile(r"\d{1,3}(?:[ .,]\d{3})+|\d+\.\d\d")
_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d\d)|\d{4}[./-]\d{1,2}[./-]\d{1,2}")
_TWO_DIGIT_CODES = frozenset(
    "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 "
    "86 90 91 92 93 94 "
    "95 98".split()
)
"""Calling codes of two digits (ITU-T E.164, list of 2016); 1 and 7 stand alone, all others have three."""


def _split(digits: str) -> tuple[str, str] | None:
    """Country code and the rest of an international number, digits only. No code of ITU-T E.164 begins another."""
    length = 1 if digits[0] in "17" else 2 if digits[:2] in _TWO_DIGIT_CODES else 3
    return (digits[:length], digits[length:]) if digits[0] != "0" and len(digits) > length + 3 else None


def _national(digits: str) -> str:
    return digits.lstrip("0")


@dataclass(frozen=True, slots=True)
class PhoneKind:
    """The record's form is the number as said, with single spaces; keys are digits alone."""

    name: str = "phone"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Every number of 7 to 15 digits that has the look of a telephone's, and no look of a date or an amount."""
        simple = plain(text)
        for m in _NUMBER.finditer(simple):
            words = m[0]
            digits = "".join(c for c in words if c.isdecimal())
            if not 6 <= len(digits) <= 15 or _MONEY.fullmatch(words) or _DATE.fullmatch(words.strip("()")):
                continue
            span = Span(m.start(), m.end())
            yield from (ValueMention(span, key, rule) for key, rule in _keys_of_written(words, digits))
            if extension := _EXTENSION.match(simple, m.end()):
                whole = Span(m.start(), extension.end())
                yield from (
                    ValueMention(whole, f"{key}x{extension[1]}", rule) for key, rule in _keys_of_written(words, digits)
                )

    def keys(self, value: Json) -> Iterator[tuple[str, str]]:
        """The whole number; the national one, where one side may have left the country out. Its extension is a part."""
        yield from _keys_of(value, _keys_of_said)

    def parse(self, words: str, reading: Reading) -> str | None:
        """The one number that the words hold, with single spaces."""
        spans = {m.span for m in self.find(words, reading)}
        if len(spans) != 1:
            return None
        span = spans.pop()
        return " ".join(words[span.start : span.end].split())

    def normalise(self, value: Json, reading: Reading) -> str | None:
        """The number that was said, with single spaces; None where it has no number's digits."""
        if next(self.keys(value), None) is None:
            return None
        return " ".join(str(value).split())

    def same(self, a: Json, b: Json) -> bool:
        """Whether both are one number, with and without the country's code."""
        first = {key for key, _ in self.keys(a)}
        return any(key in first for key, _ in _keys_of(b, _keys_of_written))


def _keys_of(value: Json, keys: Callable[[str, str], Iterator[tuple[str, str]]]) -> Iterator[tuple[str, str]]:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return
    words = plain(value).strip()
    extension = _EXTENSION.search(words)
    if extension:
        words = words[: extension.start()]
    digits = "".join(c for c in words if c.isdecimal())
    if 6 <= len(digits) <= 15:
        behind = f"x{extension[1]}" if extension else ""
        yield from ((key + behind, rule) for key, rule in keys(words, digits))


_ABROAD = "i"
"""Before the national digits of a number that a document writes with its country's code, in their key."""


def _keys_of_written(words: str, digits: str) -> Iterator[tuple[str, str]]:
    """The keys of a number in a document: with its country's code where that is written, and what is left without."""
    for key, whole, rule in _readings(words, digits):
        yield (key if whole else f"{_ABROAD}{key}"), rule


def _keys_of_said(words: str, digits: str) -> Iterator[tuple[str, str]]:
    """Those of a number that was said: its country may be left out in the document, but not be another one."""
    for key, whole, rule in _readings(words, digits):
        yield key, rule
        if whole and key[0] != "+":
            yield f"{_ABROAD}{key}", rule


def _readings(words: str, digits: str) -> Iterator[tuple[str, bool, str]]:
    """Digits, whether they are all that is written, and the rule."""
    international = words.lstrip("( ").startswith("+") or digits.startswith("00")
    if international:
        trunk = re.sub(r"\(0\)", "", words)  # +49 (0)30 1234567
        bare = "".join(c for c in trunk if c.isdecimal()).removeprefix("00")
        parts = _split(bare)
        yield "+" + bare, True, ""
        if parts:
            yield _national(parts[1]), False, "country code left out"
        return
    yield _national(digits), True, ""
    if len(digits) == 11 and words.lstrip("( ")[0] == "8" and not words.lstrip("( ").isdecimal():
        yield digits[1:], True, "trunk prefix left out"  # 8 (495) 123-45-67
    if len(digits) in (11, 12, 13) and digits[0] != "0" and (parts := _split(digits)):
        yield "+" + digits, True, "plus left out"
        yield _national(parts[1]), False, "country code left out"
