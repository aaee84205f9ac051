"""A choice of a closed class that a text says in other words: `female` by "weiblich", `monthly` by "per month".

Three classes that forms of all countries share: sex (ISO 5218), civil status (the fields of civil registers, ICCS) and
how often. Their words are tables/choice_words.json, kept by hand. A list of choices is of a class if two of its choices
are of different words of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from extractor.schema.kinds.base import Json
from extractor.schema.kinds.cldr import table
from extractor.schema.kinds.folding import simple, simple_in_place
from extractor.schema.kinds.negation import denied
from extractor.schema.kinds.units import unit_behind
from extractor.types import Span

_NAMES = {
    "female": "f w", "male": "m h",
    "single": "never_married", "widowed": "widow widower",
    "h": "hour per_hour", "day": "day per_day", "week": "week per_week", "month": "month per_month",
    "quarter": "quarter per_quarter", "half-year": "semi-annual semi-annually half_yearly",
    "year": "year per_year per_annum",
}  # fmt: skip
"""How schemas spell choices, beside the words themselves."""
_LETTERS = {"female": frozenset("fwжk"), "male": frozenset("mм")}
_LABEL_OF_SEX = re.compile(
    r"(?:\bsex|gender|geschlecht|\bsexe|\bsexo|\bsesso|genere|g[ée]nero|genre|geslacht|\bk[öøj]+nn?|p[łl]e[ćc]|pohlav"
    r"|\bпол|стать|φύλο|cinsiyet|性別|性别|성별|gi[ớo]i t[íi]nh|kelamin)[^\n:：|\t=]{0,12}$",
    re.I,
)
_SALUTATION = re.compile(
    r"(?<!\w)(?:(?P<female>Ms|Mrs|Miss|Frau|Mme|Mlle|Madame|Sra|Srta|Señora|Signora|Sig\.ra|Mevrouw|Mevr|Fru|Rouva|Pani|Paní"
    r"|Г-жа|Госпожа)|(?P<male>Mr|Herrn?|M\.(?= [A-Z][a-z]{2})|Monsieur|Señor|Signor|Dhr|Herra|Pan|Г-н|Господин))\.?"
    r"[ \u00a0](?=(?:(?:Dr|Prof)\.[ ])*[^\W\d_a-zа-я])"
)
_ANSWER = re.compile(
    r"[:=|\t：][ \t*_\"']{0,4}(?P<answer>[^\W\d_]{1,14})\.?(?=[ \t*_\"']{0,8}(?:$|[\n|\t,;()/<}]))", re.M
)
_PER = re.compile(r"(?:(?<![^\W\d_])(?:per|pro|par|por|al|ao|each|every|je|im|na|в|за|setiap|mỗi)[ \u00a0]|[ ]?/[ ]?)")
_SHORT_UNITS = re.compile(
    r"(?<![\w.])(?:p\.[ ]?(?P<m>[mM])\.|p\.[ ]?(?P<a>[aAJj])\.|/(?P<mo>mo|mth|mtl)\b|/(?P<yr>yr|Jahr|an)\b"
    r"|/(?P<wk>wk)\b|per (?P<annum>annum))"
)
_SHORT_IS = {"m": "month", "mo": "month", "a": "year", "yr": "year", "annum": "year", "wk": "week"}
_SHORTEST = 5
"""Letters from which on a word is believed anywhere, not behind a label alone."""
_SHORTENED = frozenset("mtl jhrl vtlj tagl".split())
_EVERYWHERE_NOT = frozenset("single divorce lunar woman trimestre horaire annual".split())
_EAST = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")


class _Class(NamedTuple):
    words: Mapping[str, str]
    """What each word means."""
    names: Mapping[str, str]
    """What each choice means."""
    pattern: re.Pattern[str]
    """Words that are believed anywhere."""


def _class_of(listed: Mapping[str, Sequence[str]]) -> _Class:
    words = {simple(word): meaning for meaning, all_words in listed.items() for word in all_words}
    names = {**words, **{n: meaning for meaning in listed for n in _NAMES.get(meaning, "").split()}}
    anywhere = [
        w
        for w in words
        if (len(w) >= _SHORTEST or w in _SHORTENED or (len(w) > 1 and _EAST.match(w))) and w not in _EVERYWHERE_NOT
    ]
    joined = "|".join(re.escape(w) for w in sorted(anywhere, key=len, reverse=True))
    return _Class(words, names, re.compile(rf"(?<![a-zа-я])(?:{joined})(?![a-zа-я])"))


@cache
def _classes() -> tuple[_Class, ...]:
    return tuple(_class_of(listed) for listed in table("choice_words").values())


def find_choice_words(text: str, choices: Sequence[Json], said: Json) -> Iterator[Span]:
    """Where a text says a choice in another word of its class."""
    if not isinstance(said, str):
        return
    for one in _classes():
        meanings = {one.names.get(simple(str(choice))) for choice in choices} - {None}
        meaning = one.names.get(simple(said))
        if meaning is None or len(meanings) < 2:
            continue
        found = [(span, m) for span, m in _meant(text, one) if not denied(text, span)]
        if any(span for span, m in found if m == meaning):
            yield from sorted({span for span, m in found if m == meaning})
        elif one.words is _classes()[0].words and not found:
            yield from _by_salutation(text, meaning)


def _meant(text: str, one: _Class) -> Iterator[tuple[Span, str]]:
    lowered = simple_in_place(text)
    for m in one.pattern.finditer(lowered):
        yield Span(*m.span()), one.words[m[0]]
    sexes = "female" in one.words
    for m in _ANSWER.finditer(text):
        word = simple(m["answer"])
        if len(word) == 1 and word.isascii() | ("а" <= word <= "я"):
            label = text[max(0, m.start() - 40) : m.start()]
            meaning = next((s for s, letters in _LETTERS.items() if word in letters), None)
            if sexes and meaning and _LABEL_OF_SEX.search(label):
                yield Span(*m.span("answer")), meaning
        elif word in one.words:
            yield Span(*m.span("answer")), one.words[word]
    if "weekly" in one.words:
        yield from _per_unit(text)


def _per_unit(text: str) -> Iterator[tuple[Span, str]]:
    """How often by a unit of time: "per month", "pro Jahr", "$900/month", "p.a."."""
    for m in _PER.finditer(text):
        unit = unit_behind(text, m.end())
        if unit is not None and unit[0] == m.end() and unit[2] in ("h", "day", "week", "month", "year"):
            yield Span(m.start(), unit[1]), unit[2]
    for m in _SHORT_UNITS.finditer(text):
        yield Span(*m.span()), _SHORT_IS[str(m.lastgroup)]


def _by_salutation(text: str, meaning: str) -> Iterator[Span]:
    """Where a person is addressed so, if none of the other sex is."""
    found = list(_SALUTATION.finditer(text))
    if found and all(m[meaning] for m in found):
        yield from (Span(*m.span(meaning)) for m in found)
