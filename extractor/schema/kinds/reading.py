"""How a document writes numbers and dates, decided once from the whole text."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from extractor.schema.kinds.characters import plain
from extractor.schema.kinds.languages import languages_of

_COMMA_DECIMAL = re.compile(r"(?<![\d,.])\d{1,12}(?:[.' \u00a0]\d{3}){0,6},(?:\d{1,2}|\d{4,6})(?![\d,.])")
_POINT_DECIMAL = re.compile(r"(?<![\d,.])\d{1,12}(?:[,' \u00a0]\d{3}){0,6}\.(?:\d{1,2}|\d{4,6})(?![\d.])")
_POINT_GROUPS, _COMMA_GROUPS = (
    re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{3}){2,}"),
    re.compile(r"(?<![\d,])\d{1,3}(?:,\d{3}){2,}"),
)
_DAY_MONTH = re.compile(r"(?<![\d./-])(\d{1,2})([-./])(\d{1,2})\2(?:\d{4}|\d\d)(?!\d)")
_CODE = re.compile(
    r"\b(USD|CAD|AUD|NZD|SGD|HKD|MXN|TWD|JPY|CNY|SEK|NOK|DKK|ISK|GBP|EGP)\b|\b(US|CA|C|AU|A|NZ|S|HK|NT)\$"
)
_PREFIXES = {
    "US": "USD",
    "CA": "CAD",
    "C": "CAD",
    "AU": "AUD",
    "A": "AUD",
    "NZ": "NZD",
    "S": "SGD",
    "HK": "HKD",
    "NT": "TWD",
}
_SCALED = re.compile(
    r"\b(?:in|en|em|w|v|i)\s(?:(?:US|[A-Z]{3}|[$€£¥])\s?)?"
    r"(?:(?P<k>thousands?|tausend|tsd|t(?=[€$])|milliers|miles|milhares|migliaia|duizenden|tys|tusen(?:tal)?)"
    r"|(?P<m>millions?|mio|millionen|millones|milh[õo]es|milioni|miljoenen|mln|miljoner))\b"
    r"|[(\s](?P<k2>[$€£]?000s?|T(?:EUR|€)|k€|€k|千円|单位[:：]?千元)(?=[)\s])|(?P<m2>百万円|単位[:：]?百万円)"
    r"|[(\[](?:(?-i:[A-Z]{3}|[$€£¥])\s)?(?:(?P<k3>thousands?|tausend|tsd\.?)|(?P<m3>millions?|mio\.?|mln\.?))"
    r"(?:\s(?:of\s)?(?-i:[A-Z]{3}|[$€£¥]))?[)\]]"
    r"|(?<![\w.,])(?:(?-i:US\$|[A-Z]{3})|[$€£])\s?(?:(?P<k4>['’]000s?(?!\d)|thousands\b)|(?P<m4>millions\b))"
    r"|(?<![\w.,])(?<!\d[ ])(?:(?-i:US\$|EUR|USD|GBP|CHF)[ ]|US\$|[$€£][ ]?)(?P<m8>(?-i:m|mn|M))\b(?![ ]?\d)"
    r"|(?:^|[(,]|\bв\b)[ ]?(?:(?P<k5>тыс\.?)|(?P<m5>млн\.?))[ ](?:руб|грн|₽|тенге|долл|евро)"
    r"|[单單単]位\s?[:：]\s?(?:人民[币幣])?(?:(?P<k6>千[元円])|(?P<w>[万萬万][元円])|(?P<m6>百[万萬][元円])|(?P<o>[亿億][元円]))"
    r"|단위\s?[:：]\s?(?:(?P<k7>천\s?원)|(?P<w2>만\s?원)|(?P<m7>백만\s?원)|(?P<o2>억\s?원))",
    re.I | re.M,
)
_POWERS = {"k": 3, "w": 4, "m": 6, "o": 8}
"""By the first letter of the groups above."""
_MONTH_FIRST = frozenset({"en"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document's own words decide about its ambiguous ones."""

    decimal_comma: bool = False
    """Decimals stand behind a comma: "1.234" is more likely 1234."""
    day_first: bool = True
    """03/04/2024 is the 3rd of April."""
    day_first_known: bool = False
    """Dates of the document, its language or the caller say so; otherwise it is a guess."""
    one_order: bool = False
    """All dates of the document that can be read in one way only have this order, and there are some."""
    languages: tuple[str, ...] = ()
    """The likeliest first, by words and scripts; empty where nothing told."""
    comma_columns: bool = False
    """Lines are comma-separated values: "3,20" is more likely 3 and 20."""
    scale: int = 0
    """A heading says that amounts are "in thousands" (3) or "in millions" (6): the power of ten, else 0."""
    dollar: str = "USD"
    """What "$" stands for, by codes and prefixes elsewhere in the document."""

    @classmethod
    def of(cls, text: str, *, day_first: bool | None = None) -> Reading:
        """The reading of a text. `day_first` settles the order of all-number dates where the caller knows it."""
        simple = plain(text)
        languages = languages_of(text)
        days = sum(int(m[1]) > 12 >= int(m[3]) for m in _DAY_MONTH.finditer(simple))
        months = sum(int(m[3]) > 12 >= int(m[1]) for m in _DAY_MONTH.finditer(simple))
        known = day_first is not None or days != months
        one_order = day_first is not None or (days > 0) != (months > 0)
        if day_first is None:
            if days != months:
                day_first = days > months
            else:  # English is written both ways; others, but for a few that begin with the year, day first
                american = re.search(r"(?<![A-Z])\$\d|\bUSD\b|\b[A-Z]{2} \d{5}\b", simple) is not None
                day_first = not (american and (not languages or languages[0] == "en"))
                known = bool(languages) and languages[0] not in _MONTH_FIRST
        comma = len(_COMMA_DECIMAL.findall(simple)) + len(_POINT_GROUPS.findall(simple))
        point = len(_POINT_DECIMAL.findall(simple)) + len(_COMMA_GROUPS.findall(simple))
        columns = _comma_columns(text)
        scale = _SCALED.search(simple)
        return cls(
            decimal_comma=comma > point if comma != point else bool(languages) and languages[0] in _COMMA_LANGUAGES,
            day_first=day_first,
            day_first_known=known,
            one_order=one_order,
            languages=languages,
            comma_columns=columns,
            scale=_POWERS[(scale.lastgroup or "m")[0]] if scale else 0,
            dollar=_dollar(simple),
        )


_COMMA_LANGUAGES = frozenset(
    "de fr es it pt nl sv da nb fi pl cs sk sl hr sr bg ro hu el tr ru uk lt lv et ca eu is id vi".split()
)


def _dollar(text: str) -> str:
    votes = Counter(code for m in _CODE.finditer(text) if (code := m[1] or _PREFIXES[m[2]]).endswith("D"))
    return votes.most_common(1)[0][0] if votes else "USD"


def _comma_columns(text: str) -> bool:
    """Whether most lines hold the same number of commas, two or more, with no space behind them."""
    lines = [line for line in text.splitlines()[:200] if line.strip()]
    counts = Counter(line.count(",") for line in lines if ", " not in line)
    if len(lines) < 2 or not counts:
        return False
    commas, often = counts.most_common(1)[0]
    return commas >= 2 and 2 * often > len(lines)
