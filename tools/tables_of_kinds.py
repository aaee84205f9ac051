"""Makes the tables in extractor/schema/kinds/tables/ from CLDR (by way of Babel) and from num2words.

Run by hand when either has news: `pip install babel num2words && python tools/tables_of_kinds.py`. Neither is a need at
run time: reading 54 of Babel's locales takes 430 ms and 36 MB, these tables take 5 ms.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
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
FURTHER = [
    "am",
    "fil",
    "gu",
    "km",
    "kn",
    "ky",
    "lb",
    "lo",
    "ml",
    "mn",
    "mr",
    "my",
    "ne",
    "pa",
    "ps",
    "sd",
    "si",
    "te",
    "tg",
    "tk",
    "uz",
    "zu",
]
"""More locales whose months, units and scales are read. Names of countries would take another 80 kB for them."""
UNITS = {
    "duration-year": "year",
    "duration-month": "month",
    "duration-week": "week",
    "duration-day": "day",
    "duration-hour": "h",
    "duration-minute": "min",
    "duration-second": "s",
    "mass-tonne": "t",
    "mass-kilogram": "kg",
    "mass-gram": "g",
    "mass-milligram": "mg",
    "mass-microgram": "μg",
    "mass-pound": "lb",
    "mass-ounce": "oz",
    "length-kilometer": "km",
    "length-meter": "m",
    "length-centimeter": "cm",
    "length-millimeter": "mm",
    "length-mile": "mi",
    "length-foot": "ft",
    "length-inch": "in",
    "length-yard": "yd",
    "area-square-kilometer": "km2",
    "area-square-meter": "m2",
    "area-square-centimeter": "cm2",
    "area-square-foot": "ft2",
    "area-hectare": "ha",
    "area-acre": "acre",
    "volume-liter": "l",
    "volume-hectoliter": "hl",
    "volume-deciliter": "dl",
    "volume-centiliter": "cl",
    "volume-milliliter": "ml",
    "volume-cubic-meter": "m3",
    "volume-cubic-centimeter": "cm3",
    "volume-gallon": "gal",
    "speed-kilometer-per-hour": "km/h",
    "speed-meter-per-second": "m/s",
    "speed-mile-per-hour": "mph",
    "temperature-celsius": "°c",
    "temperature-fahrenheit": "°f",
    "digital-gigabyte": "gb",
    "digital-megabyte": "mb",
    "digital-kilobyte": "kb",
    "digital-terabyte": "tb",
    "energy-kilowatt-hour": "kwh",
    "energy-kilocalorie": "kcal",
    "energy-kilojoule": "kj",
    "power-kilowatt": "kw",
    "power-watt": "w",
    "power-horsepower": "hp",
    "frequency-hertz": "hz",
    "pressure-bar": "bar",
    "electric-volt": "v",
    "electric-ampere": "a",
}
"""Units as the kinds spell them."""
TRADED = frozenset(
    [
        "USD",
        "EUR",
        "GBP",
        "JPY",
        "CNY",
        "CHF",
        "INR",
        "CAD",
        "AUD",
        "NZD",
        "SEK",
        "NOK",
        "DKK",
        "ISK",
        "PLN",
        "CZK",
        "HUF",
        "RON",
        "BGN",
        "RSD",
        "TRY",
        "RUB",
        "UAH",
        "ILS",
        "AED",
        "SAR",
        "EGP",
        "MAD",
        "ZAR",
        "NGN",
        "KES",
        "BRL",
        "MXN",
        "ARS",
        "CLP",
        "COP",
        "PEN",
        "KRW",
        "TWD",
        "HKD",
        "SGD",
        "MYR",
        "THB",
        "IDR",
        "PHP",
        "VND",
        "PKR",
        "BDT",
    ]
)
"""Currencies whose plural and declined names are read, too; those of all of them would take 200 kB."""
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


def squeeze(text: str) -> str:
    """As `units.clean` does it: folded further, without spaces, points and quotes."""
    parts = unicodedata.normalize("NFKD", fold(text))
    kept = (c for c in parts if not (c.isspace() or c in ".'\"״׳’`-‐‑–—*_\u200b\u200c\u200d\u200e\u200f\u00ad"))
    bare = "".join(
        c for c in kept if not ("\u0300" <= c <= "\u036f" or "\u0591" <= c <= "\u05c7" or "\u064b" <= c <= "\u0652")
    )
    return bare.translate(str.maketrans("أإآٱىیکەłđø", "ااااييكهldo")).replace("µ", "μ")


def months() -> dict[str, list[int]]:
    found: dict[str, dict[int, int]] = {}
    for name in [*LOCALES, *FURTHER]:
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


def units() -> dict[str, str]:
    """Names of units in the plural forms of all locales: "měsíců", "часа"; those of two units are left out."""
    found: dict[str, set[str]] = {}
    for name in [*LOCALES, *FURTHER]:
        patterns = Locale.parse(name)._data["unit_patterns"]
        for unit, code in UNITS.items():
            for forms in (patterns.get(unit) or {}).values():
                for count, pattern in forms.items():
                    if isinstance(pattern, str) and "{0}" in pattern and count != "per":
                        words = squeeze(pattern.replace("{0}", ""))
                        if len(words) > 1 or (words and words > "\u0370"):
                            found.setdefault(words, set()).add(code)
    return {words: codes.pop() for words, codes in sorted(found.items()) if len(codes) == 1}


def scales() -> dict[str, dict[str, list[str]]]:
    """Words that multiply, each with the powers of ten that it stands for, and the languages in which it does."""
    found: dict[str, dict[str, Counter[int]]] = {}
    for name in [*LOCALES, *FURTHER]:
        locale = Locale.parse(name)
        for forms in locale.compact_decimal_formats.values():
            for patterns in forms.values():
                for magnitude, pattern in patterns.items():
                    figures, words = pattern.pattern.count("0"), pattern.pattern.replace("0", "").replace("'", "")
                    power = len(magnitude) - figures
                    words = fold(words.replace("\u200f", "").replace("¤", "")).strip(" .")
                    long_enough = len(words) > (2 if words.isascii() else 1)
                    if long_enough and power > 2 and " " not in words and ";" not in words:
                        found.setdefault(words, {}).setdefault(locale.language, Counter())[power] += 1
    powers: dict[str, dict[str, list[str]]] = {}
    for words, spoken in sorted(found.items()):
        for language, counted in sorted(spoken.items()):
            powers.setdefault(words, {}).setdefault(str(counted.most_common(1)[0][0]), []).append(language)
    return powers


def currency_forms(known: dict[str, str]) -> dict[str, str]:
    """Plural and declined names of currencies that are no names of their own: "долларов США"."""
    found: dict[str, dict[str, int]] = {}
    wanted = TRADED
    for name in LOCALES:
        for code, forms in Locale.parse(name)._data["currency_names_plural"].items():
            for words in {fold(one) for one in forms.values()} if code in wanted else ():
                if words not in known and len(words) > 3:
                    votes = found.setdefault(words, {})
                    votes[code] = votes.get(code, 0) + 1
    return {words: max(votes, key=lambda c: votes[c]) for words, votes in sorted(found.items())}


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


def quarters() -> list[str]:
    """What a quarter of a year is called, without its number: "quartal", "trimestre", "四半期", "kw."."""
    found: set[str] = set()
    for name in [*LOCALES, *FURTHER]:
        for forms in Locale.parse(name).quarters["format"].values():
            words = [fold(forms[number]) for number in range(1, 5)]
            parts = [re.split(r"[^\w]+|(?<=\d)(?=\D)|(?<=\D)(?=\d)|(?<=第)|[一二三四](?=季)", one) for one in words]
            common = set.intersection(*map(set, parts))
            found |= {word for word in common if len(word) > 2 or (len(word) == 2 and not word.isascii())}
    return sorted(found - {"de", "el"})


def day_periods() -> dict[str, list[int]]:
    """Words beside a time that say which half of the day is meant, with the seconds of the day that they reach over.

    Those that mean times of different halves in two languages are left out, and those of three letters.
    """
    found: dict[str, set[tuple[int, int]]] = {}
    for name in [*LOCALES, *FURTHER]:
        locale = Locale.parse(name)
        rules = {"am": (0, 43200), "pm": (43200, 86400)}
        for period, ranges in (dict(locale.day_period_rules).get(None) or {}).items():
            for one in ranges:
                if "from" in one and "before" in one:
                    rules.setdefault(period, (one["from"], one["before"]))
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for period, words in locale.day_periods.get(context, {}).get(width, {}).items():
                    word = squeeze(words.replace("\u202f", ""))
                    if period in rules and (len(word) > 3 or word > "\u0370"):
                        found.setdefault(word, set()).add(rules[period])
    widest = {word: [min(a for a, _ in ranges), max(b for _, b in ranges)] for word, ranges in sorted(found.items())}
    one_half = {
        word
        for word, ranges in found.items()
        if len(ranges) == 1 or all(a >= 43200 and b > a for a, b in ranges) or all(a < b <= 43200 for a, b in ranges)
    }
    return {word: reach for word, reach in widest.items() if word in one_half}


def main() -> None:
    OUT.mkdir(exist_ok=True)
    currencies = names("currencies", tender())
    tables = {
        "months": months(),
        "territories": names("territories"),
        "currencies": currencies,
        "currency_forms": currency_forms(currencies),
        "units": units(),
        "scales": scales(),
        "languages": names("languages"),
        "numerals": numerals(),
        "quarters": quarters(),
        "day_periods": day_periods(),
    }
    for name, table in tables.items():
        (OUT / f"{name}.json").write_text(json.dumps(table, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


main()
