"""Amounts of money: a number with the currency that stands beside it, "EUR 1,234.50", "45.00 €", "US$ 3 million"."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from extractor.schema.kinds.base import OTHER_READING, Json, ValueMention
from extractor.schema.kinds.currency import CurrencyKind
from extractor.schema.kinds.figures import key_of_value, number_of
from extractor.schema.kinds.number import NumberKind, find_numbers
from extractor.schema.kinds.reading import Reading
from extractor.types import Span

_CURRENCY, _NUMBER = CurrencyKind(), NumberKind()
_BESIDE = re.compile(r"[ \u00a0\u202f]?[(.:]?[ \u00a0\u202f]?")


ANY = "any"
"""In a key in place of a currency's code: the amount, whatever stands beside it."""


@dataclass(frozen=True, slots=True)
class MoneyKind:
    """What was said is a number, "12.50 EUR", or an object of an amount and a currency.

    Keys are pairs of an amount's key and a currency's code: None where none touches it, ANY for the amount alone. The
    record's form is a number where a number was said, else the amount and the code: "1234.5 EUR".
    """

    name: str = "money"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Every number alone, and together with each currency that touches it."""
        begins: dict[int, list[ValueMention]] = {}
        ends: dict[int, list[ValueMention]] = {}
        for currency in _CURRENCY.find(text, reading):
            begins.setdefault(currency.span.start, []).append(currency)
            ends.setdefault(currency.span.end, []).append(currency)
        beside: dict[Span, list[ValueMention]] = {}
        for number in find_numbers(text, reading):
            if number.span not in beside:
                beside[number.span] = list(_touching(text, number.span, begins, ends))
            yield ValueMention(number.span, (number.key, ANY), number.rule)
            if not beside[number.span]:
                yield ValueMention(number.span, (number.key, None), number.rule)
            for currency in beside[number.span]:
                start, end = min(number.span.start, currency.span.start), max(number.span.end, currency.span.end)
                rule = number.rule or (OTHER_READING if currency.rule == OTHER_READING else "")
                yield ValueMention(Span(start, end), (number.key, currency.key), rule)

    def keys(self, value: Json) -> Iterator[tuple[Hashable, str]]:
        """Amount with currency; then the amount alone, where the currency stands elsewhere (in a heading)."""
        amount, code = self._parts(value, Reading.of(value) if isinstance(value, str) else Reading())
        if amount is None:
            return
        for key, rule in _NUMBER.keys(amount):
            if code:
                yield (key, code), rule
                yield (key, None), rule or "currency not beside it"
            else:
                yield (key, ANY), rule

    def parse(self, words: str, reading: Reading) -> str | None:
        """The one amount that the words hold, with its currency if they name one."""
        return self.normalise(words, reading)

    def normalise(self, value: Json, reading: Reading) -> Json | None:
        """A number as it is; words as "1234.5 EUR"."""
        amount, code = self._parts(value, reading)
        if amount is None:
            return None
        if not isinstance(value, str):
            return value if isinstance(value, dict) else amount
        written = str(amount)
        return f"{written} {code}" if code else written

    def same(self, a: Json, b: Json) -> bool:
        """Whether amounts are equal, and currencies where both name one."""
        (first, mine), (second, other) = self._parts(a, Reading()), self._parts(b, Reading())
        return (
            first is not None
            and key_of_value(first) == key_of_value(second)
            and (not mine or not other or mine == other)
        )

    def _parts(self, value: Json, reading: Reading) -> tuple[int | float | str | None, str | None]:
        if isinstance(value, dict):
            numbers = [v for v in value.values() if key_of_value(v) is not None]
            codes = [c for v in value.values() if isinstance(v, str) and (c := _CURRENCY.normalise(v, reading))]
            return (_NUMBER.normalise(numbers[0], reading) if len(numbers) == 1 else None), codes[0] if codes else None
        if not isinstance(value, str):
            return _NUMBER.normalise(value, reading), None
        amount = _NUMBER.normalise(value, reading)
        if amount is None and (key := key_of_value(value)):
            amount = number_of(key)
        return amount, _CURRENCY.parse(value, reading)


def _touching(
    text: str, number: Span, begins: dict[int, list[ValueMention]], ends: dict[int, list[ValueMention]]
) -> Iterator[ValueMention]:
    behind = range(number.end, min(number.end + 4, len(text)))
    own = next((at for at in behind if at in begins and _BESIDE.fullmatch(text, number.end, at)), None)
    inside = [at for at in range(number.start, number.end) if at in begins]  # -$45, ($45), (45 USD)
    for at in [own, *inside] if own is not None else inside:
        yield from begins[at]
    bracketed = (own is not None or inside) and "(" in text[
        max(0, number.start - 2) : number.start + 1
    ]  # 40 € (45 USD)
    for at in range(number.start, max(number.start - 4, -1), -1):
        if at in ends and _BESIDE.fullmatch(text, at, number.start):
            yield from () if bracketed else ends[at]
            break
