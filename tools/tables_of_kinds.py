"""Makes the tables in extractor/schema/kinds/tables/ from CLDR (by way of Babel) and from num2words.

Run by hand when either has news: `pip install babel num2words && python tools/tables_of_kinds.py`. Neither is a need at
run time: reading 54 of Babel's locales takes 430 ms and 36 MB, these tables take 5 ms.
"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

from babel import Locale
from babel.core import get_global
from num2words import num2words

LOCALES = [
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "sv",
    "da",
    "nb",
    "fi",
    "pl",
    "cs",
    "sk",
    "sl",
    "hr",
    "sr",
    "sr_Latn",
    "bg",
    "ro",
    "hu",
    "el",
    "tr",
    "ru",
    "uk",
    "be",
    "lt",
    "lv",
    "et",
    "ca",
    "eu",
    "gl",
    "ga",
    "cy",
    "is",
    "sq",
    "mk",
    "he",
    "ar",
    "fa",
    "ur",
    "hi",
    "bn",
    "ta",
    "th",
    "vi",
    "id",
    "ms",
    "ja",
    "ko",
    "zh",
    "zh_Hant",
    "sw",
    "af",
    "ka",
    "hy",
    "az",
    "kk",
]
NUMERALS = [
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "sv",
    "da",
    "no",
    "fi",
    "pl",
    "cs",
    "sk",
    "sl",
    "sr",
    "ro",
    "hu",
    "tr",
    "ru",
    "uk",
    "lt",
    "lv",
    "ca",
    "id",
]
OUT = Path(__file__).parents[1] / "extractor/schema/kinds/tables"


def fold(text: str) -> str:
    """As `folding.simple` does it: case and marks forgotten."""
    parts = unicodedata.normalize("NFKD", text.replace("ı", "i")).casefold()
    bare = "".join(c for c in parts if not "\u0300" <= c <= "\u036f")
    return " ".join(unicodedata.normalize("NFC", bare).split())


def months() -> dict[str, list[int]]:
    found: dict[str, dict[int, int]] = {}
    for name in LOCALES:
        locale = Locale.parse(name)
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, month in locale.months[context][width].items():
                    word = fold(month).strip(" .").split(" ")[-1]
                    if len(word) > 1 and not any(c.isdigit() for c in word):
                        votes = found.setdefault(word, {})
                        votes[number] = votes.get(number, 0) + 1
    # one spelling of two months ("lis" is October in Croatian, November in Polish) goes to both, in order of votes
    return {word: sorted(votes, key=lambda n: -votes[n]) for word, votes in sorted(found.items())}


def tender() -> set[str]:
    """Currencies that are legal tender somewhere today."""
    used = get_global("territory_currencies").values()
    return {code for rows in used for code, _, end, is_tender in rows if end is None and is_tender}


def names(attribute: str, wanted: set[str] | None = None) -> dict[str, str]:
    found: dict[str, dict[str, int]] = {}
    for name in LOCALES:
        for code, words in getattr(Locale.parse(name), attribute).items():
            if (
                len(code) == (3 if attribute == "currencies" else 2)
                and code.isalpha()
                and (not wanted or code in wanted)
            ):
                votes = found.setdefault(fold(words), {})
                votes[code] = votes.get(code, 0) + 1
    return {words: max(votes, key=lambda c: votes[c]) for words, votes in sorted(found.items()) if len(words) > 1}


def numerals() -> dict[str, dict[str, int]]:
    tables: dict[str, dict[str, int]] = {}
    for language in NUMERALS:
        table: dict[str, int] = {}
        for n in (*range(21), *range(30, 100, 10), *range(100, 1000, 100), 1000):
            words = fold(num2words(n, lang=language)).replace("-", " ")
            if " " not in words and words:
                table.setdefault(words, n)
        tables[{"no": "nb", "sr": "hr"}.get(language, language)] = table
    return tables


def main() -> None:
    OUT.mkdir(exist_ok=True)
    tables = {
        "months": months(),
        "territories": names("territories"),
        "currencies": names("currencies", tender()),
        "languages": names("languages"),
        "numerals": numerals(),
    }
    for name, table in tables.items():
        (OUT / f"{name}.json").write_text(json.dumps(table, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


main()
