"""Kinds of values as objects with one interface: find, keys, parse, normalise, same.

    reading = Reading.of(text)
    found = index(KINDS["date"].find(text, reading))             # once a document and kind
    for mention in support(KINDS["date"], "2024-03-03", found):  # once a leaf
        print(text[mention.span.start : mention.span.end], mention.rule)

Text, enum and name have no form of their own: their keys are looked for in `folding.Folded(text)`.
A boolean is found about a label: `BooleanKind.find_about`. A new kind is a file here and a line in `KINDS`.
"""

from __future__ import annotations

from extractor.schema.kinds.base import (
    OTHER_READING,
    ValueKind,
    ValueMention,
    index,
    select_within,
    support,
    support_within,
)
from extractor.schema.kinds.boolean import BooleanKind
from extractor.schema.kinds.country import CountryKind
from extractor.schema.kinds.currency import CurrencyKind
from extractor.schema.kinds.date import PRESENT, DateKind
from extractor.schema.kinds.duration import DurationKind
from extractor.schema.kinds.email import EmailKind
from extractor.schema.kinds.folding import Folded, fold, fold_with_offsets
from extractor.schema.kinds.iban import IbanKind
from extractor.schema.kinds.moments import DateTimeKind
from extractor.schema.kinds.money import MoneyKind
from extractor.schema.kinds.negation import denied
from extractor.schema.kinds.number import NumberKind
from extractor.schema.kinds.periods import PeriodKind
from extractor.schema.kinds.phone import PhoneKind
from extractor.schema.kinds.quantity import QuantityKind
from extractor.schema.kinds.reading import Reading
from extractor.schema.kinds.times import TimeKind
from extractor.schema.kinds.url import UrlKind
from extractor.schema.kinds.words import EnumKind, LanguageKind, NameKind, TextKind, is_placeholder

KINDS: dict[str, ValueKind] = {
    kind.name: kind
    for kind in (
        NumberKind(),
        NumberKind(name="integer", whole=True),
        MoneyKind(),
        DateKind(),
        DateTimeKind(),
        TimeKind(),
        DurationKind(),
        PeriodKind(),
        QuantityKind(),
        PhoneKind(),
        EmailKind(),
        UrlKind(),
        IbanKind(),
        CountryKind(),
        CurrencyKind(),
        LanguageKind(),
        BooleanKind(),
        NameKind(),
        TextKind(),
        EnumKind(),
    )
}
"""Every kind by its name."""

__all__ = [
    "KINDS",
    "OTHER_READING",
    "PRESENT",
    "BooleanKind",
    "Folded",
    "Reading",
    "ValueKind",
    "ValueMention",
    "denied",
    "fold",
    "fold_with_offsets",
    "index",
    "is_placeholder",
    "select_within",
    "support",
    "support_within",
]
