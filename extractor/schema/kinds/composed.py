"""Numbers that are put together of two parts: 12€50, "four hundred and 50/100", "half a million", "a dozen", 10^6."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from extractor.schema.kinds.affixes import CURRENCY_SIGNS
from extractor.schema.kinds.figures import fraction_of, key_of, key_of_fraction
from extractor.schema.kinds.folding import simple
from extractor.schema.kinds.scales import MINOR, count_of, scale_words

Found = tuple[int, int, str]
"""Start, end and key."""

_POWER = re.compile(
    r"(?<![\w.,^])(?<![×x·*][ \u00a0])(?<![×x·*])10(?:\^[({]?(?P<plain>[-–]?\d{1,3})[)}]?"
    r"|(?P<high>[⁻⁺]?[⁰¹²³⁴-⁹]{1,3}))(?!\w)"
)
_HIGH = str.maketrans("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹", "-+0123456789")
_INSIDE = re.compile(
    rf"(?<![\w.,/-])(?P<whole>\d{{1,3}}(?:[. ']\d{{3}}){{1,4}}|\d{{1,7}})"
    rf"(?:[ \u00a0]?(?:[{CURRENCY_SIGNS}]|euros?|eur|zł|руб|грн)\.?[ \u00a0]?|[ \u00a0]?m|[ \u00a0]?h[ \u00a0]?)"
    r"(?P<part>\d\d)(?![\w%]|[.,/:-]\d|[ \u00a0]?(?:[hm]\b|min))",
    re.I,
)
"""Two figures behind a currency, metres or hours: 12€50, 1m85, 7h30."""
_CENTS = re.compile(
    r"(?:[ \u00a0,]{1,2}(?!\d)[^\W\d_]{1,12}\.?){0,2}[ \u00a0]?[/,]?[ \u00a0]?(?P<cents>\d\d)"
    r"(?:/100(?!\d)|[ \u00a0](?P<minor>[^\W\d_]{2,9})|(?<=/\d\d)(?![\d/]))"
)
_MAJOR = (
    r"(?:euros?|dollars?|pounds?|livres?|francs?|franken|franchi|pesos?|rea(?:l|is)|kron(?:a|or|er|e|en)|zł|złot[ey\w]{1,2}"
    r"|руб\w{0,4}|грн|гривен\w?|rupees?|lir[ae]s?|lei|leu|forint|kč|korun\w?|dirhams?|rand|yuan|shekels?|soles?)"
)
"""Units of which the hundredths have a name of their own."""
_AND_WORD = r"(?:and|und|et|y|e|ed|i|en|och|og|con|и|,)?"
_AND_MINOR = re.compile(
    r"(?<![\w.,/-])(?P<whole>\d{1,3}(?:[., ']\d{3})*|\d{1,7})[ \u00a0]" + _MAJOR + r"[ \u00a0]?"
    rf"{_AND_WORD}[ \u00a0](?P<part>\d{{1,2}})[ \u00a0](?P<minor>[^\W\d_]{{3,9}})(?!\w)",
    re.I,
)
_CURRENCY_AND = re.compile(rf"[ \u00a0](?:[^\W\d_]{{2,12}}[ \u00a0])??{_MAJOR}[ \u00a0]?{_AND_WORD}[ \u00a0]", re.I)
_WORD = re.compile(r"[ \u00a0]([^\W\d_]{3,9})(?!\w)")
_HALVES = frozenset(
    "half halbe halber halbes halben halve demi demie medio media mezzo mezza meio meia mig mitja pol polovina "
    "pul половина пол yarim puoli fel halv halvt halva halvan fele jumate pusantra".split()
)
_BETWEEN_HALF = frozenset("a an de una un".split())
_AND_HALF = re.compile(
    r"[ \u00a0-](?:[^\W\d_]{2,12}[ \u00a0])??(?:(?:and|&) a half|et demie?|y medi[ao]|e mezz[ao]|e mei[ao]|i mitja"
    r"|i pół"
    r"|a půl|с половиной|з половиною|и половина|buçuk|och en halv|og en halv|és fél|en (?:een )?half(?:ve)?"
    r"|½)(?![^\W\d_])"
    r"(?:[ \u00a0](?P<scale>[^\W\d_]{3,14}))?",
    re.I,
)
_ONE = frozenset("a an one ein eine einem einen un una une uno um uma een en et ett egy bir o jeden jedna".split())


def composed_numbers(
    text: str, plain: str, words: Sequence[tuple[int, int, str]], spelled: Iterable[Found]
) -> Iterator[Found]:
    """Those of the text; `words` are its words, folded, and `spelled` its numbers in words."""
    yield from _powers(plain)
    yield from _with_part_inside(plain)
    yield from _with_minor_unit(plain)
    spelled = sorted(spelled)
    for first, second in pairwise(one for one in spelled if one[1] - one[0] > 2):  # "et" is and, or one
        yield from _with_cents_in_words(plain, first, second)
    for start, end, key in spelled:
        yield from _with_cents(plain, start, end, key)
        yield from _and_a_half(text, start, end, key)
    yield from _halves_and_dozens(text, words)


def _powers(plain: str) -> Iterator[Found]:
    for m in _POWER.finditer(plain) if "10" in plain else ():
        power = int((m["plain"] or m["high"].translate(_HIGH)).replace("–", "-"))
        yield m.start(), m.end(), key_of("1", shift=power)


def _with_part_inside(plain: str) -> Iterator[Found]:
    for m in _INSIDE.finditer(plain):
        whole = re.sub(r"\D", "", m["whole"])
        between = plain[m.end("whole") : m.start("part")].strip(" \u00a0").lower()
        if between != "h":
            yield m.start(), m.end(), key_of(whole, m["part"])
        elif int(m["part"]) < 60:
            yield m.start(), m.end(), key_of_fraction(int(whole) + Fraction(int(m["part"]), 60))


def _with_minor_unit(plain: str) -> Iterator[Found]:
    """12 euros et 50 centimes."""
    for m in _AND_MINOR.finditer(plain):
        if simple(m["minor"]) in MINOR:
            yield m.start(), m.end(), key_of(re.sub(r"\D", "", m["whole"]), m["part"].zfill(2))


def _with_cents_in_words(plain: str, first: Found, second: Found) -> Iterator[Found]:
    """Twelve euros and fifty cents."""
    whole, cents = fraction_of(first[2]), fraction_of(second[2])
    minor = _WORD.match(plain, second[1])
    if minor is None or simple(minor[1]) not in MINOR or whole is None or cents is None or not 0 < cents < 100:
        return
    if second[0] - first[1] <= 24 and _CURRENCY_AND.fullmatch(plain, first[1], second[0]):
        yield first[0], minor.end(), key_of_fraction(whole + cents / 100)


def _with_cents(plain: str, start: int, end: int, key: str) -> Iterator[Found]:
    m = _CENTS.match(plain, end)
    value = fraction_of(key)
    if m is None or value is None or (m["minor"] and simple(m["minor"]) not in MINOR):
        return
    yield start, m.end(), key_of_fraction(value + Fraction(int(m["cents"]), 100))


def _and_a_half(text: str, start: int, end: int, key: str) -> Iterator[Found]:
    m = _AND_HALF.match(text, end)
    value = fraction_of(key)
    if m is None or value is None:
        return
    power = scale_words().get(simple(m["scale"]), 0) if m["scale"] else 0
    stop = m.end() if power or not m["scale"] else m.start("scale") - 1
    yield start, stop, key_of_fraction((value + Fraction(1, 2)) * 10**power)


def _halves_and_dozens(text: str, words: Sequence[tuple[int, int, str]]) -> Iterator[Found]:
    for i, (start, _, word) in enumerate(words):
        if word in _HALVES:
            last = i + 1
            if last < len(words) and words[last][2] in _BETWEEN_HALF:
                last += 1
            if last >= len(words) or words[last][0] - start > 16:
                continue
            _, end, name = words[last]
            many = count_of(name) or (10 ** scale_words().get(name, 0) if name in scale_words() else 1)
            if many > 1:
                yield start, end, key_of_fraction(Fraction(many, 2))
        elif word.startswith("anderthalb"):
            yield start, words[i][1], key_of("1", "5")
        elif (
            word in _ONE and i + 1 < len(words) and words[i + 1][0] - start <= 8 and (many := count_of(words[i + 1][2]))
        ):
            yield start, words[i + 1][1], key_of(str(many))
