"""What stands before and behind the digits of a number: signs, currency, brackets, scales, percent, exponents."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from extractor.schema.kinds.characters import cased
from extractor.schema.kinds.currency import codes
from extractor.schema.kinds.folding import simple
from extractor.schema.kinds.scales import (
    MINOR,
    PARTS,
    PERCENT,
    PERCENT_PAIRS,
    PERMILLE,
    PERMILLE_PAIRS,
    count_of,
    scale_of,
)
from extractor.schema.kinds.tokens import MARKS

CURRENCY_SIGNS = "$€£¥₹₨₩₺₽₴₫฿₪₱₦₡₲₵₸₼₾₭₮៛﷼¢৳"
_BEFORE = re.compile(
    r"(?P<bracket>[(\[<])?[ \u00a0]?(?P<sign>[-+–△▲▼](?P<gap>[ \u00a0])?)?"
    rf"(?P<currency>(?:(?<![A-Za-z])[A-Z]{{1,3}})?[{CURRENCY_SIGNS}]|(?<![^\W\d_])(?:[A-Z]{{3}}|Rs|INR|kr|Kr|Kč"
    rf"|zł|Fr|SFr|R|S/|RM|Rp|Ft|lei|din|Lt|Ls|лв|руб|грн|د\.إ|ر\.س|ج\.م)\.?)?"
    r"[ \u00a0]?(?P<inner>[-–])?$"
)
_LETTERS = re.compile(rf"[^\W\d_]+(?:[{MARKS}][^\W\d_]*)*")
_EXPONENT = re.compile(
    r"[eE](?P<e>[-+]?\d{1,5})(?![\w])|[ \u00a0]?[×x·*][ \u00a0]?10(?:\^[({]?(?P<c>[-+–]?\d{1,5})[)}]?|"
    r"(?P<s>[⁻⁺]?[⁰¹²³⁴-⁹]{1,5})|(?P<flat>[-–]\d{1,2})(?![\d.,–-]))"
)
"""A power of ten; "x 10-5" is one whose superscript was flattened."""
_SUPERSCRIPT = str.maketrans("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹", "-+0123456789")
_SQUARES = re.compile(r"(?:[a-zA-Z]{0,2}m|in|ft|yd)[23](?!\w)")
_VULGAR = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5), "⅗": (3, 5), "⅘": (4, 5),
    "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8), "⅑": (1, 9), "⅒": (1, 10),
    "⅐": (1, 7),
}  # fmt: skip
VULGAR = {sign: Fraction(*parts) for sign, parts in _VULGAR.items()}
_DASH_FOR_CENTS = re.compile(r"[,.](?:[-–]{1,2}|=)(?!\w)")
_TRAILING_MINUS = re.compile(r"[ \u00a0]?(?:[€$£]|[A-Z]{3})?[-–](?![\w(€$£]|[ \u00a0]?[\d(€$£])")
_LEDGER = re.compile(r"[ \u00a0]?(?:CR|D[Rr])\b\.?|[ \u00a0][SD](?=$|[\s|;)])", re.M)
"""Debit or credit: Dr, and in columns of amounts S (Soll) and D (débit)."""
_CENTS_END = re.compile(r"[.,]\d\d$")
_HEMISPHERE = re.compile(
    r"(?:(?<=[.,]\d{3})|(?<=[.,]\d{4})|(?<=[.,]\d{5})|(?<=[.,]\d{6})|(?<=\d)[ \u00a0]?[°º])[ \u00a0]?[SW](?![^\W_])"
)
"""South and West behind degrees, or behind three decimals."""
_OF_CURRENCY = re.compile(r"(?P<scale>[kKtTmM]|md|mn|bn|Mrd|Mio|mio|mia)(?P<code>[A-Z]{3}|kr)")
"""A scale glued to a currency: MSEK, tkr, TEUR."""
_BASIS_POINTS = re.compile(r"[ \u00a0]?(?:bps|bp|basis points?|Basispunkte?)\b")
_CODE_REST = re.compile(r"[A-Z]{1,8}(?:-[A-Z]{0,8})?\d")
_CLOSING = re.compile(rf"[ \u00a0]?(?:%|[{CURRENCY_SIGNS}]|[A-Z]{{3}})?[ \u00a0]?[)\]>]")


_MAY_SIGN = frozenset(" \u00a0%-–)]>" + CURRENCY_SIGNS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""What a minus or a bracket behind a number may begin with."""


_SIGN_SET = frozenset(CURRENCY_SIGNS)
_MINUS_IN_WORDS = re.compile(
    r"(?:minus|negativ[eo]?|moins|menos|meno|mínus|минус|мінус|μείον|eksi|miinus|マイナス|负|負|마이너스|\./\.)$", re.I
)
_MINUS_ENDS = frozenset("sSeEoOvVсСνiIス负負스.")
"""The last letters of those words."""
_TIMES = "xX"
"""What stands between the figures of a size: 10x20."""
_FACTORS = re.compile(r"(?<![\w.,-])(?!0[xX])(?:\d[\d.,]*[xX])+$")
_SPACES = frozenset(" \n\t|\u00a0;\"'>=*:")
_SIGNS = frozenset("-–+△▲▼([<")


class Before(NamedTuple):
    """What stands before the digits. `start` is where it begins, `bare` that there is nothing of the kind."""

    start: int
    negative: bool = False
    spaced_sign: bool = False
    plus: bool = False
    bracket: bool = False
    currency: str = ""


def before(plain: str, start: int) -> Before | None:
    """What belongs to the number that begins there; None where the digits are a part of a word or an identifier."""
    if start == 0:
        return Before(0)
    last = plain[start - 1]
    gap = last in (" ", "\u00a0")
    if (last if not gap else plain[max(0, start - 2)]) in _MINUS_ENDS and (gap or (not cased(last) and last != ".")):
        word = _MINUS_IN_WORDS.search(plain, max(0, start - 10), start - gap)
        if word and _says_minus(plain, word.start()):
            return Before(word.start(), negative=True)
    if last in _TIMES and _FACTORS.search(plain, max(0, start - 24), start):
        return Before(start)
    if last in _SPACES and _SIGNS.isdisjoint(plain[max(0, start - 10) : start]):
        return Before(start)  # no sign or bracket is near: the commonest case, found without a pattern
    match = _BEFORE.search(plain, max(0, start - 12), start)
    if match is None:  # never: every part of the pattern may be empty
        return None
    sign = (match["sign"] or match["inner"] or "")[:1]
    begin = match.start() + len(match[0]) - len(match[0].lstrip(" \u00a0"))
    left = plain[begin - 1] if begin else "\n"
    if last in "-–" and _ends_range(plain, start):
        return Before(start)
    if match["currency"] and not _is_currency(match["currency"], plain[start - 1]):
        return None  # ATU12345678
    if match["bracket"]:
        left = "("
    if match["currency"] is None and not sign and not match["bracket"]:
        begin = start
        left = last
    if sign in ("-", "–") and not match["inner"] and (left.isalnum() or left == "_"):
        if (cased(left) or left.isdigit() or left == "_") and match["gap"] is None and not match["currency"]:
            return None if cased(left) or left == "_" else Before(start)
        sign, begin = "", start
    elif not sign and (cased(left) or left in "_@" or (left == "/" and start > 1 and cased(plain[begin - 2]))):
        return None
    spaced = match["gap"] is not None and sign in ("-", "–")
    return Before(
        begin, sign not in ("", "+"), spaced, sign == "+", match["bracket"] is not None, match["currency"] or ""
    )


_WITH_UNIT = re.compile(r"(?<![\w.,])[-–+]?[\d.,]+[ ]?(?P<unit>[°%‰€$£]?[^\W\d_]{0,3}[²³]?)$")
_FIGURES = re.compile(r"[\d.,]*\d[ ]?")


def _ends_range(plain: str, start: int) -> bool:
    """Whether the dash before the figures stands between two with one unit: "10mm-20mm", "-20°C–60°C"."""
    begin, figures = _WITH_UNIT.search(plain, max(0, start - 17), start - 1), _FIGURES.match(plain, start)
    return bool(begin and begin["unit"] and figures and plain.startswith(begin["unit"], figures.end()))


def _is_currency(letters: str, last: str) -> bool:
    """Whether three letters that the digits stick to are a currency; with a space between they may be any word."""
    return not (len(letters) == 3 and letters.isalpha() and letters.isascii() and last.isalpha()) or (
        letters.upper() in codes() or not letters.isupper()
    )


def _says_minus(plain: str, at: int) -> bool:
    """Whether the word that begins there is a sign: no end of a longer word, and no subtraction, "10 minus 5"."""
    left = plain[max(0, at - 24) : at]
    return not left[-1:].isalnum() and left[-1:] not in ("-", "–") and not left.rstrip(" \u00a0")[-1:].isdecimal()


class After(NamedTuple):
    """What stands behind the digits. `end` is where it ends."""

    end: int
    shift: int = 0
    """The power of ten of a scale or an exponent, which is written out and so stands as it is."""
    scaled: bool = False
    times: int = 1
    added: Fraction | None = None
    share: int = 0
    """The power of ten that makes it a share: -2 for percent."""
    minus: bool = False
    turned: str = ""
    """Why the sign may be the other one: a side of a ledger, a hemisphere."""
    minor: bool = False
    """It counts hundredths of a currency's unit, too."""
    word: str = ""
    """The word of the scale."""
    closed: bool = False
    glued: str = ""


def after(plain: str, end: int) -> After | None:
    """What belongs to the number that ends there; None where the digits are a part of an identifier."""
    if end == len(plain):
        return After(end)
    found = After(end)
    next_ = plain[end]
    if (
        next_ in _TIMES
        and plain[end + 1 : end + 2].isdecimal()
        and (plain[end - 1] != "0" or plain[end - 2 : end - 1].isdecimal())
    ):
        return found
    if (next_ in "eE×x·*" or (next_ in " \u00a0" and plain[end + 1 : end + 2] in "×x·*")) and (
        exponent := _EXPONENT.match(plain, end)
    ):
        power = (
            exponent["e"]
            or (exponent["c"] or exponent["flat"] or "").replace("–", "-")
            or exponent["s"].translate(_SUPERSCRIPT)
        )
        found = After(exponent.end(), shift=int(power), scaled=exponent["e"] is None)
    elif next_ in VULGAR or (next_ in " \u00a0" and plain[end + 1 : end + 2] in VULGAR):
        at = end + (next_ in " \u00a0")
        found = After(at + 1, added=VULGAR[plain[at]])
    elif next_ in ",." and (cents := _DASH_FOR_CENTS.match(plain, end)):
        return After(cents.end())
    at = found.end
    gap = 1 if plain[at : at + 1] in (" ", "\u00a0", "-") else 0
    first = plain[at + gap : at + gap + 1]
    ledger = _LEDGER.match(plain, at) if first in ("C", "D", "S") else None
    if ledger and (len(ledger[0].strip()) > 1 or _CENTS_END.search(plain, max(0, end - 3), end)):
        return found._replace(end=ledger.end(), turned="debit or credit")  # before crores: "45.00 CR"
    if first in ("°", "º", "S", "W") and (south := _HEMISPHERE.match(plain, at)):
        return found._replace(end=south.end(), turned="south or west")
    word = _LETTERS.match(plain, at + gap)
    if word is not None:
        worded = _with_word(plain, found, word, gap)
        if worded is None:
            return None
        found = worded
    return _with_signs(plain, found)


def _with_word(plain: str, found: After, word: re.Match[str], gap: int) -> After | None:
    letters, stop = word[0], word.end()
    hyphen = gap == 1 and plain[found.end] == "-"
    if not gap and cased(letters[0]) and (plain[stop : stop + 1].isdigit() or plain[stop : stop + 1] == "_"):
        return None if _SQUARES.match(plain, word.start()) is None else found
    if hyphen and _identifier(plain, word.start()):
        return None
    if not gap and plain[stop : stop + 1] == "-" and plain[stop + 1 : stop + 2].isdigit() and letters.isupper():
        return None
    if gap and letters == "de":  # Romanian: 20 de milioane
        next_ = _LETTERS.match(plain, stop + 1) if plain[stop : stop + 1] == " " else None
        if next_ and scale_of(next_[0], glued=False):
            letters, stop = next_[0], next_.end()
    if joined := _OF_CURRENCY.fullmatch(letters):
        known = joined["code"] == "kr" or joined["code"] in codes()
        if known and (scale := _scale_of_currency(joined["scale"])):
            return found._replace(end=stop, shift=found.shift + scale, scaled=True)
    power = scale_of(letters, glued=not gap or plain[stop : stop + 1] in _SIGN_SET)  # 350 k€
    if not (power or cased(letters[0])):  # scripts without spaces: 1.5 ล้านบาท
        cut = next((i for i in range(len(letters) - 1, 1, -1) if scale_of(letters[:i], glued=True)), 0)
        if cut:
            letters, stop = letters[:cut], word.start() + cut
            power = scale_of(letters, glued=True)
    if letters == "T" and plain[stop : stop + 1] == "€":
        power = 3
    if power and not hyphen:
        stop += plain[stop : stop + 1] == "."
        second = _LETTERS.match(plain, stop + 1) if plain[stop : stop + 1] == " " else None
        more = scale_of(second[0], glued=False) if second and len(second[0]) > 2 else 0
        if second and not more and second[0] == "de" and plain[second.end() : second.end() + 1] == " ":
            pass  # "2 millones de euros"
        return found._replace(
            end=second.end() if second and more else stop,
            shift=found.shift + power + more,
            scaled=True,
            word="" if more else letters,
        )
    if count := count_of(letters):
        return found._replace(end=stop, times=count)
    if letters.casefold() in PERCENT:
        return found._replace(end=stop, share=-2)
    if letters.casefold() in PERMILLE:
        return found._replace(end=stop, share=-3)
    if letters in PARTS:
        return found._replace(end=stop, share=PARTS[letters])
    if simple(letters) in MINOR and (letters != "p" or not gap):
        return found._replace(end=stop, minor=True)
    pair = _LETTERS.match(plain, stop + 1) if plain[stop : stop + 1] in (" ", ".") else None
    if pair and (letters.casefold(), pair[0].casefold()) in PERCENT_PAIRS:
        return found._replace(end=pair.end(), share=-2)
    if pair and (letters.casefold(), pair[0].casefold()) in PERMILLE_PAIRS:
        return found._replace(end=pair.end(), share=-3)
    return found if gap else found._replace(glued=letters)


def _scale_of_currency(letters: str) -> int:
    """T and t before a currency are thousands: TEUR, tkr."""
    return (
        3 if letters in ("T", "t") else 9 if letters == "md" else 6 if letters == "m" else scale_of(letters, glued=True)
    )


def _identifier(plain: str, at: int) -> bool:
    """Whether letters behind a hyphen are of an identifier: 123-AB-7, not 30-day."""
    return _CODE_REST.match(plain, at) is not None


def _with_signs(plain: str, found: After) -> After:
    at = found.end
    near = plain[at : at + 1]
    skip = 1 if near in (" ", "\u00a0") else 0
    sign = plain[at + skip : at + skip + 1]
    if sign == "%":
        found = found._replace(end=at + skip + 1, share=-2)
    elif sign == "‰":
        found = found._replace(end=at + skip + 1, share=-3)
    elif sign == "¢":
        return found._replace(end=at + skip + 1, minor=True)
    elif sign in ("b", "B") and (points := _BASIS_POINTS.match(plain, at)):
        return found._replace(end=points.end(), share=-4)
    at = found.end
    if plain[at : at + 1] not in _MAY_SIGN or (skip and sign not in _MAY_SIGN):
        return found  # the commonest case: a line's end, a comma or a word is next
    if minus := _TRAILING_MINUS.match(plain, at):
        return found._replace(end=minus.end(), minus=True)
    if closing := _CLOSING.match(plain, at):
        return found._replace(end=closing.end(), closed=True)
    return found
