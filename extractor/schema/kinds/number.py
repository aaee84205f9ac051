"""Numbers, as documents of the world write them.

Digits of any script; thousands by point, comma, space, apostrophe and as in India; signs before, behind and by
brackets; percent, scales (k, Mio., crore, 万), exponents, vulgar fractions; words. Exact: see `figures`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from extractor.schema.kinds.affixes import VULGAR, After, Before, after, before
from extractor.schema.kinds.base import OTHER_READING, Json, ValueMention
from extractor.schema.kinds.chains import Run, Tie, runs_of
from extractor.schema.kinds.characters import plain
from extractor.schema.kinds.cjk import cjk_numbers, cjk_shares
from extractor.schema.kinds.composed import composed_numbers
from extractor.schema.kinds.figures import (
    fraction_of,
    key_of,
    key_of_fraction,
    key_of_value,
    negated,
    number_of,
    rounded,
    shifted,
)
from extractor.schema.kinds.numerals import number_words
from extractor.schema.kinds.ordinals import ordinal_words
from extractor.schema.kinds.reading import Reading
from extractor.schema.kinds.roman import roman_numbers
from extractor.schema.kinds.scales import CJK_LARGE, CJK_SMALL, powers_of
from extractor.schema.kinds.separators import Figure, figures_of
from extractor.schema.kinds.tokens import words_of
from extractor.types import Span

_CJK_UNITS = frozenset(CJK_SMALL) | frozenset(CJK_LARGE)
_VULGAR_SIGN = re.compile(f"[{''.join(VULGAR)}]")
_MIXED = re.compile(r"(?<![\w.,/-])(\d{1,4})-(\d{1,2})/(2|3|4|5|6|8|16|32|64)(?![\w/-]|[.,]\d)")
"""Units and a fraction behind a dash, as inches are written: 3-1/2."""
_BASIS_POINTS = -4
_SHARES = {
    -2: "percent as share",
    -3: "per mille as share",
    -4: "basis points as share",
    -6: "parts per million as share",
    -9: "parts per billion as share",
}
LARGEST_EXACT = 2**53
"""Beyond it a float stands for several integers."""
UNIT_LEFT_OUT = "scale left out"


@dataclass(frozen=True, slots=True)
class NumberKind:
    """Numbers with or without decimals; what a model said may be a number or a string that holds one."""

    name: str = "number"
    whole: bool = False
    """Whether only integers are values of the kind."""

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Every number of the text under each value that its words may have."""
        yield from find_numbers(text, reading)

    def keys(self, value: Json) -> Iterator[tuple[str, str]]:
        """The exact value; then to fifteen digits, and with its sign turned where one may have been dropped."""
        key = key_of_value(value)
        if key is None and isinstance(value, str):
            key = _only_key(value, Reading.of(value))
        if key is None:
            return
        yield key, ""
        if isinstance(value, float) and (short := rounded(key, 15)) != key:
            yield short, "rounded"
        if key != "0" and key[0] != "-":
            yield negated(key), "sign dropped"

    def parse(self, words: str, reading: Reading) -> int | float | str | None:
        """The number that the words are, or the one that they hold."""
        key = _only_key(words, reading)
        return None if key is None else self._value(key)

    def normalise(self, value: Json, reading: Reading) -> int | float | str | None:
        """The number that was said, from "1.024,50 €" too; None for NaN, infinities, booleans and what holds none.

        It is exact: one of more digits than a float holds is a text of digits.
        """
        if isinstance(value, float) and LARGEST_EXACT < abs(value) < math.inf and not self.whole:
            return value  # 6.022e23 is no integer of 24 digits
        key = key_of_value(value)
        if key is not None:
            return self._value(key)
        return self.parse(value, reading) if isinstance(value, str) else None

    def same(self, a: Json, b: Json) -> bool:
        """Whether both are the same number; 3 and 3.0 and "3.00" are."""
        first = key_of_value(a) or (_only_key(a, Reading.of(a)) if isinstance(a, str) else None)
        second = key_of_value(b) or (_only_key(b, Reading.of(b)) if isinstance(b, str) else None)
        return first is not None and first == second

    def _value(self, key: str) -> int | float | str | None:
        number = number_of(key)
        return None if self.whole and not isinstance(number, int) else number


def _only_key(words: str, reading: Reading) -> str | None:
    """The one key that stands in the words as it is; where none does, the one derived."""
    direct: dict[str, None] = {}
    derived: dict[str, None] = {}
    for mention in find_numbers(words, reading):
        if isinstance(mention.key, str):
            (direct if mention.rule in ("", "scaled unit") else derived)[mention.key] = None
    found = list(direct) or list(derived)
    return found[0] if len(found) == 1 else None


@lru_cache(maxsize=4)
def find_numbers(text: str, reading: Reading) -> tuple[ValueMention, ...]:
    """Every number of the text, in figures and in words; kept for the other kinds that are built on numbers."""
    return tuple(_found(text, reading))


def _found(text: str, reading: Reading) -> Iterator[ValueMention]:
    simple = plain(text)
    begin: list[ValueMention] = []
    for run in runs_of(simple):
        mentions = list(_in_run(simple, run, reading))
        yield from mentions
        if run.tie is Tie.RANGE:
            yield from _begin_of_scaled(begin, mentions, simple)
            begin = mentions
    for start, end, key, alone in cjk_numbers(simple):
        yield ValueMention(Span(start, end), key, "number in words" if alone else "scaled unit")
    for start, end, key in cjk_shares(simple):
        yield ValueMention(Span(start, end), key, "percent as share")
    spelled = list(number_words(text, reading))
    composed = list(composed_numbers(text, simple, words_of(text), spelled))
    ordinals = list(ordinal_words(text))
    whole = {start: end for start, end, _ in (*composed, *ordinals)}
    for start, end, number in ordinals:
        yield ValueMention(Span(start, end), key_of(str(number)), "ordinal in words")
    for start, end, key in spelled:
        if end >= whole.get(start, 0):  # "thousand and 56/100" is no thousand
            yield ValueMention(Span(start, end), key, "number in words")
            if (right := after(simple, end)) is not None and right.share:
                yield ValueMention(Span(start, right.end), shifted(key, right.share), _SHARES[right.share])
    for start, end, key in composed:
        yield ValueMention(Span(start, end), key, "number in parts")
    for start, end, number in roman_numbers(text):
        yield ValueMention(Span(start, end), key_of(str(number)), "Roman numeral")
    yield from _vulgar(simple)
    yield from _mixed(simple)


def _in_run(simple: str, run: Run, reading: Reading) -> Iterator[ValueMention]:
    start, end = run.start, run.end
    if start and simple[start - 1] in ".," and _begins_with_point(simple, start, reading):
        figures = [Figure(start - 1, end, key_of("", simple[start:end]))] if simple[start:end].isdecimal() else []
        start -= 1
    else:
        figures = figures_of(simple[start:end], start, reading)
    left = before(simple, start)
    right = after(simple, end)
    if left is None or right is None or not figures:
        return
    in_kanji = (start and simple[start - 1] in _CJK_UNITS) or simple[end : end + 1] in _CJK_UNITS
    if in_kanji and not _metric(simple, end):
        figures = [figure._replace(rule=figure.rule or UNIT_LEFT_OUT) for figure in figures]
    if start and simple[start - 1] == "%" and not right.share and not simple[max(0, start - 2) : start - 1].isdecimal():
        right = right._replace(share=-2)  # Turkish and Basque: %12
    whole = figures[0].start == start and any(f.end == end for f in figures)
    for figure in figures:
        mine = left if figure.start == start else Before(figure.start)
        its = right if figure.end == end else After(figure.end)
        yield from _mentions(figure, mine, its, run, reading, money_like=whole and end - start > 3)
    if run.divisor and whole:
        yield from _fraction(simple, figures, run.divisor, left)


def _begin_of_scaled(begin: list[ValueMention], end: list[ValueMention], simple: str) -> Iterator[ValueMention]:
    """The begin of a range in the scale of its end: a million in "1-2 million"."""
    if not begin or not end or end[0].span.start - begin[0].span.end > 3 or len(begin) > 4:
        return
    scale = after(simple, end[-1].span.end) if len(end) > 1 else None
    if scale is not None and scale.scaled:
        for mention in begin:
            yield mention._replace(key=shifted(str(mention.key), scale.shift), rule="scale of the range's end")


def _begins_with_point(simple: str, start: int, reading: Reading) -> bool:
    """Whether the sign before the digits is their decimal point: ".75", not "No.75" or "1..75"."""
    if simple[start - 1] == "," and not reading.decimal_comma:
        return False
    return start == 1 or not (simple[start - 2].isalnum() or simple[start - 2] in ".,)_")


def _metric(simple: str, end: int) -> bool:
    """Whether 千 is the prefix of a unit: 3千克 is three kilograms."""
    return simple[end : end + 2] in ("千克", "千米", "千瓦", "千卡", "千帕", "千赫")


def _mentions(
    figure: Figure, left: Before, right: After, run: Run, reading: Reading, *, money_like: bool
) -> Iterator[ValueMention]:
    span = Span(left.start if left.negative or left.bracket else figure.start, right.end)
    key, rule = figure.key, figure.rule or (run.tie.value if run.tie is not Tie.ALONE else "")
    if right.added is not None and (value := fraction_of(key)) is not None:
        key = key_of_fraction(value + right.added)
    for other in powers_of(right.word, reading.languages) if right.word else ():
        if other != right.shift:  # "mil" is a thousand or a million
            yield from _signed(span, shifted(key, other), rule or OTHER_READING, left, right, money_like)
    if right.shift:
        yield from _signed(
            span, shifted(key, right.shift), rule or ("scaled unit" if right.scaled else ""), left, right, money_like
        )
        if not right.scaled:
            return
        # what was taken for a scale may be a unit ("5 mm"), so the bare number ends before it
        rule, right, span = rule or UNIT_LEFT_OUT, After(figure.end), Span(span.start, figure.end)
    elif right.times > 1 and (value := fraction_of(key)) is not None:
        yield from _signed(span, key_of_fraction(value * right.times), rule or "scaled unit", left, right, money_like)
        rule = rule or UNIT_LEFT_OUT
    yield from _signed(span, key, rule, left, right, money_like)
    if right.share:
        yield from _signed(span, shifted(key, right.share), rule or _SHARES[right.share], left, right, money_like)
        if right.share == _BASIS_POINTS:
            yield from _signed(span, shifted(key, -2), rule or "basis points as percent", left, right, money_like)
    elif right.minor:
        yield from _signed(span, shifted(key, -2), rule or "hundredths", left, right, money_like)
    elif reading.scale and not right.shift:
        yield from _signed(span, shifted(key, reading.scale), rule or "scaled by the heading", left, right, money_like)


def _signed(span: Span, key: str, rule: str, left: Before, right: After, money_like: bool) -> Iterator[ValueMention]:
    """The number with the signs that it has, and without those that may be none."""
    turned = negated(key)
    if left.negative and not left.spaced_sign:
        yield ValueMention(span, turned, rule)
    elif left.spaced_sign:  # a bullet, or the minus of a statement
        yield ValueMention(span, key, rule)
        yield ValueMention(span, turned, rule or OTHER_READING)
    elif right.minus:
        yield ValueMention(span, turned, rule)
    elif left.bracket and right.closed:
        yield ValueMention(span, turned, rule or ("" if money_like or left.currency else "brackets as minus"))
        yield ValueMention(span, key, rule or ("brackets without meaning" if money_like else ""))
    else:
        yield ValueMention(span, key, rule)
        if right.turned:
            yield ValueMention(span, turned, rule or right.turned)


def _fraction(simple: str, figures: list[Figure], divisor: tuple[int, int], left: Before) -> Iterator[ValueMention]:
    """3/4 as 0.75, 2 1/2 as 2.5."""
    top = next((f for f in reversed(figures) if f.end <= divisor[0]), None)
    bottom = fraction_of(key_of(simple[slice(*divisor)]))
    value = fraction_of(top.key) if top else None
    if top is None or value is None or not bottom:
        return
    share = value / bottom
    yield ValueMention(Span(top.start, divisor[1]), key_of_fraction(share), "fraction")
    for digits in range(2, 7):  # 0.33 and 0.3333 are said for 1/3
        if (short := round(share, digits)) != share:
            yield ValueMention(Span(top.start, divisor[1]), key_of_fraction(short), "fraction, rounded")
    first = figures[0]
    if share < 1 and first.end == top.start - 1 and (units := fraction_of(first.key)) is not None:
        yield ValueMention(Span(first.start, divisor[1]), key_of_fraction(units + share), "fraction")


def _vulgar(simple: str) -> Iterator[ValueMention]:
    """½ by itself."""
    for match in _VULGAR_SIGN.finditer(simple):
        at, sign = match.start(), match[0]
        if not simple[max(0, at - 2) : at].rstrip(" \u00a0")[-1:].isdecimal():
            yield ValueMention(Span(at, at + 1), key_of_fraction(VULGAR[sign]))


def _mixed(simple: str) -> Iterator[ValueMention]:
    """3-1/2 as 3.5."""
    for match in _MIXED.finditer(simple):
        units, top, bottom = (int(part) for part in match.groups())
        if 0 < top < bottom:
            yield ValueMention(Span(*match.span()), key_of_fraction(units + Fraction(top, bottom)), "fraction")
