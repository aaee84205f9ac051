"""Kinds whose values are words: text, a class of a list, a person's name, a language.

They are matched by a folded index of the document that the caller keeps (`folding.Folded`), so `find` yields nothing;
`keys` are the folded forms to look for in it, best first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from extractor.schema.kinds.base import Json, ValueMention
from extractor.schema.kinds.cldr import table
from extractor.schema.kinds.folding import fold
from extractor.schema.kinds.legal_forms import other_spellings
from extractor.schema.kinds.lexicon import Lexicon
from extractor.schema.kinds.reading import Reading
from extractor.types import Span

_PLACEHOLDERS = frozenset(
    fold(word)
    for word in "n/a na n.a. none null nil - -- --- — unknown unspecified notspecified notavailable "
    "notapplicable notprovided notstated k.a. keineangabe entfällt "
    "s/o sansobjet noaplica n/d nd b/d brak tbd tba ? 无 無 なし 없음 нет н/д neant nonrenseigne nonprecise "
    "nonapplicable "
    "неуказано отсутствует неприменимо неизвестно nonindicato nessuna nessuno nondisponibile "
    "nonapplicabile brakdanych niedotyczy niepodano nodisponible nodisponivel naodisponivel naoaplicavel naoinformado "
    "noconsta sindatos unbekannt nichtbekannt nichtzutreffend keine keiner keines nietvantoepassing nvt onbekend geen "
    "okant saknas ejaktuellt ukendt ukjent ikkerelevant tuntematon eiole neuvedeno neznamo neni nincsadat ismeretlen "
    "necunoscut nespecificat nuseaplica bilinmiyor yok belirtilmemis αγνωστο δενυπαρχει 不适用 不適用 未知 未提供 不明 "
    "該当なし 記載なし 해당없음 미상 غيرمتوفر لايوجد غيرمعروف לאידוע לאישים איןנתונים tidakada "
    "khongco khongapdung ไม่มี ไม่ระบุ".split()
)


SURNAME_FIRST = "surname first"


def is_placeholder(value: Json) -> bool:
    """Whether the words say that there is no value: "N/A", "-", "unknown"."""
    return isinstance(value, str) and (fold(value) in _PLACEHOLDERS or value.strip("-–—_. /") == "")


@dataclass(frozen=True, slots=True)
class TextKind:
    """Words as the document has them. The record's form has single spaces."""

    name: str = "text"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Nothing: text has no form of its own."""
        yield from ()

    def keys(self, value: Json) -> Iterator[tuple[str, str]]:
        """The folded words."""
        words = self.normalise(value, Reading())
        if words is not None and (folded := fold(words)):
            yield folded, ""
            if (spelled := _umlauts(words)) != words and len(words) <= 200:
                yield fold(spelled), "umlauts spelled out"
            yield from ((fold(other), "other spelling of a firm") for other in other_spellings(words))

    def parse(self, words: str, reading: Reading) -> str | None:
        """The words with single spaces; None where they say that there is no value."""
        return self.normalise(words, reading)

    def normalise(self, value: Json, reading: Reading) -> str | None:
        """What was said, with single spaces; None for placeholders such as "N/A"."""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        words = " ".join(str(value).split())
        return None if not words or is_placeholder(words) else words

    def same(self, a: Json, b: Json) -> bool:
        """Whether both are the same words but for what folding forgets."""
        first = next(self.keys(a), None)
        return first is not None and first == next(self.keys(b), None)


@dataclass(frozen=True, slots=True)
class EnumKind(TextKind):
    """One of the values of a list. A class may be right though none of its words stand in the document."""

    name: str = "enum"

    def keys(self, value: Json) -> Iterator[tuple[str, str]]:
        """The folded words; then the same with the underscores and capitals of programs as spaces."""
        if not isinstance(value, str) or not value.strip():
            yield from TextKind.keys(self, value)
            return
        direct = fold(value)
        yield direct, ""
        parted = fold(re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[^\W_])[_-]+(?=[^\W_])", " ", value))
        if parted != direct:
            yield parted, "words of an identifier"

    def normalise(self, value: Json, reading: Reading) -> str | None:
        """What was said, trimmed; "N/A" may be one of the list."""
        return (
            " ".join(str(value).split())
            if isinstance(value, str | int | float) and not isinstance(value, bool)
            else None
        )


_TITLES = re.compile(
    r"^(?:(?:(?:asst|assoc|assistant|associate|adjunct|emeritus)\.?\s+)?"
    r"(?:prof(?:essor)?|dr|doctor|mrs?|ms|mx|miss|sir|dame|herrn?|frau|mme|mlle|m|dott(?:\.?ssa)?|sig(?:\.ra"
    r"|nora?)?|sra?|srta|don|doña|dra?|"
    r"dhr|mevr|mevrouw|pan[ií]?|dipl\.?-ing|ing|mgr|bc|rev|hon|lic|eng|arq|avv)(?:\.\s*|\s+))+(?=\S)",
    re.I,
)
_AFTER_NAME = re.compile(
    r"(?<=\S)(?:,?\s+(?:ph\.?\s?d|m\.?d|m\.?sc|b\.?sc|mba|esq|llm|cpa|jr|sr|ii|iii|et\.?\s*al|and others)\b\.?"
    r"|\s?(?:様|さん|先生|氏|殿|님|씨|女士|小姐))+\s*$",
    re.I,
)


def untitled(name: str) -> str:
    """The name without titles and degrees: "Prof. Ada King, PhD" is "Ada King". A title alone stays."""
    return _AFTER_NAME.sub("", _TITLES.sub("", name.strip()[:400]))


@dataclass(frozen=True, slots=True)
class NameKind(TextKind):
    """Persons' names. The record's form has no titles."""

    name: str = "name"

    def keys(self, value: Json) -> Iterator[tuple[str, str]]:
        """The name as said, without titles, and turned about its comma or its last word."""
        words = TextKind.normalise(self, value, Reading())
        if words is None:
            return
        yield fold(words), ""
        bare = untitled(words)
        if fold(bare) != fold(words):
            yield fold(bare), "title left out"
        for name in dict.fromkeys((bare, words)):  # M. is a title, or an initial
            for turned in _turned(name):
                yield fold(turned), SURNAME_FIRST
        if (spelled := _umlauts(words)) != words:
            yield fold(spelled), "umlauts spelled out"

    def normalise(self, value: Json, reading: Reading) -> str | None:
        """The name without titles, with single spaces."""
        words = TextKind.normalise(self, value, reading)
        return None if words is None else untitled(words)

    def same(self, a: Json, b: Json) -> bool:
        """Whether both name one person: titles, case, marks and the order about a comma do not matter."""
        first = {str(key) for key, _ in self.keys(a)}
        return any(str(key) in first for key, _ in self.keys(b))


_SPELLED_OUT = {
    "ä": "ae",
    "ö": "oe",
    "ü": "ue",
    "Ä": "Ae",
    "Ö": "Oe",
    "Ü": "Ue",
    "å": "aa",
    "Å": "Aa",
    "ø": "oe",
    "Ø": "Oe",
}


def _umlauts(words: str) -> str:
    """The words as passports and old systems spell them: Mueller for Müller, Aarhus for Århus."""
    return "".join(_SPELLED_OUT.get(c, c) for c in unicodedata.normalize("NFC", words))


_INITIAL = re.compile(r"[^\W\d_]\.?")


def _turned(name: str) -> Iterator[str]:
    """The name in the other order: "King, Ada" and "Ada King", "KING Ada"."""
    family, comma, given = (part.strip() for part in name.partition(","))
    if comma and family and given and "," not in given:
        yield f"{given} {family}"
        return
    words = name.split(" ")
    if comma or not 2 <= len(words) <= 6:
        return
    if all(_INITIAL.fullmatch(word) for word in words[:-1]):  # Lovelace AB, as lists of papers have it
        yield f"{words[-1]} {''.join(word[0] for word in words[:-1])}"
    for cut in range(len(words) - 1, 0, -1):
        yield f"{' '.join(words[cut:])}, {' '.join(words[:cut])}"
        yield f"{' '.join(words[cut:])} {' '.join(words[:cut])}"


@cache
def _languages() -> Lexicon:
    return Lexicon({name: code for name, code in table("languages").items() if len(name) > 2})


_THREE_LETTERS = dict(
    pair.split(":")
    for pair in (
        "eng:en deu:de ger:de fra:fr fre:fr spa:es ita:it por:pt nld:nl dut:nl swe:sv dan:da nor:no fin:fi pol:pl "
        "ces:cs cze:cs slk:sk slo:sk slv:sl hrv:hr srp:sr bul:bg ron:ro rum:ro hun:hu ell:el gre:el tur:tr rus:ru "
        "ukr:uk lit:lt lav:lv est:et cat:ca isl:is ice:is ara:ar heb:he fas:fa per:fa urd:ur hin:hi ben:bn tam:ta "
        "tha:th vie:vi ind:id msa:ms may:ms jpn:ja kor:ko zho:zh chi:zh swa:sw afr:af kat:ka geo:ka hye:hy arm:hy"
    ).split()
)
"""Codes of ISO 639-2 of the languages that most papers are written in."""


@dataclass(frozen=True, slots=True)
class LanguageKind:
    """Languages: codes of ISO 639-1 and names in 54 locales. The record's form is as said."""

    name: str = "language"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Names of languages in any language of the table."""
        for start, end, code in _languages().find(text):
            yield ValueMention(Span(start, end), code)

    def keys(self, value: Json) -> Iterator[tuple[str, str]]:
        """The code of the language that was said."""
        if (code := self._code(value)) is not None:
            yield code, ""

    def parse(self, words: str, reading: Reading) -> str | None:
        """The code of the one language that the words name."""
        found = {str(m.key) for m in self.find(words, reading)}
        return self._code(words) or (found.pop() if len(found) == 1 else None)

    def normalise(self, value: Json, reading: Reading) -> str | None:
        """What was said, trimmed; None where it names no language."""
        return value.strip() if isinstance(value, str) and self._code(value) else None

    def same(self, a: Json, b: Json) -> bool:
        """Whether both name one language."""
        first = self._code(a)
        return first is not None and first == self._code(b)

    def _code(self, value: Json) -> str | None:
        if not isinstance(value, str):
            return None
        word = value.strip()
        code = word[:2].lower()
        if re.fullmatch(r"[A-Za-z]{2}(?:[-_][A-Za-z]{2,4})?", word) and code in set(table("languages").values()):
            return code
        return _THREE_LETTERS.get(word.lower()) or _languages().code(word)
