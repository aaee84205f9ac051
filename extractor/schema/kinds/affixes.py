"""What stands before and behind the digits of a number: signs, currency, brackets, scales, percent, exponents."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from extractor.schema.kinds.characters import cased
from extractor.schema.kinds.scales import PERCENT, PERCENT_PAIRS, count_of, scale_of

CURRENCY_SIGNS = "$€£¥₹₨₩₺₽₴₫฿₪₱₦₡₲₵₸₼₾₭₮៛﷼¢৳"
_BEFORE = re.compile(
    r"(?P<bracket>\()?[ \u00a0]?(?P<sign>[-+–△▲▼](?P<gap>[ \u00a0])?)?"
    rf"(?P<currency>(?:(?<![A-Za-z])[A-Z]{{1,3}})?[{CURRENCY_SIGNS}]|(?<![^\W\d_])(?:[A-Z]{{3}}|Rs|INR|kr|Kr|Kč"
    rf"|zł|Fr|SFr|R|S/|RM|Rp|Ft|lei|din|Lt|Ls|лв|руб|грн|د\.إ|ر\.س|ج\.م)\.?)?"
    r"[ \u00a0]?(?P<inner>[-–])?$"
)
_LETTERS = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0e31\u0e34-\u0e4e][^\W\d_]*)*")
_EXPONENT = re.compile(
    r"[eE](?P<e>[-+]?\d{1,5})(?![\w])|[ \u00a0]?[×x·*][ \u00a0]?10(?:\^[({]?(?P<c>[-+–]?\d{1,5})[)}]?|"
    r"(?P<s>[⁻⁺]?[⁰¹²³⁴-⁹]{1,5}))"
)
_SUPERSCRIPT = str.maketrans("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹", "-+0123456789")
_SQUARES = re.compile(r"(?:[a-zA-Z]{0,2}m|in|ft|yd)[23](?!\w)")
_VULGAR = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5), "⅗": (3, 5), "⅘": (4, 5),
    "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8), "⅑": (1, 9), "⅒": (1, 10),
    "⅐": (1, 7),
}  # fmt: skip
VULGAR = {sign: Fraction(*parts) for sign, parts in _VULGAR.items()}
_DASH_FOR_CENTS = re.compile(r"[,.](?:[-–]{1,2}|=)(?!\w)")
_TRAILING_MINUS = re.compile(r"[ \u00a0]?(?:[€$£]|[A-Z]{3})?[-–](?![\w(]|[ \u00a0]?[\d(])")
_LEDGER = re.compile(r"[ \u00a0]?(?:CR|DR)\b\.?")
_BASIS_POINTS = re.compile(r"[ \u00a0]?(?:bps|bp|basis points?|Basispunkte?)\b")
_CODE_REST = re.compile(r"[A-Z]{1,8}(?:-[A-Z]{0,8})?\d")
_CLOSING = re.compile(rf"[ \u00a0]?(?:%|[{CURRENCY_SIGNS}]|[A-Z]{{3}})?[ \u00a0]?\)")


_MAY_SIGN = frozenset(" \u00a0%-–)" + CURRENCY_SIGNS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""What a minus or a bracket behind a number may begin with."""


_SIGN_SET = frozenset(CURRENCY_SIGNS)
_MINUS_IN_WORDS = re.compile(r"(?:minus|negative)$", re.I)
_TIMES = "xX"
"""What stands between the figures of a size: 10x20."""
_FACTORS = re.compile(r"(?<![\w.,-])(?!0[xX])(?:\d[\d.,]*[xX])+$")
_SPACES = frozenset(" \n\t|\u00a0;\"'>=*:")
_SIGNS = frozenset("-–+△▲▼(")


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
    if last in " \u00a0" and plain[max(0, start - 2)] in "sSeE":  # the last letter of minus, and of negative
        word = _MINUS_IN_WORDS.search(plain, max(0, start - 9), start - 1)
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
    ledger: bool = False
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
        power = exponent["e"] or (exponent["c"] or "").replace("–", "-") or exponent["s"].translate(_SUPERSCRIPT)
        found = After(exponent.end(), shift=int(power), scaled=exponent["e"] is None)
    elif next_ in VULGAR or (next_ in " \u00a0" and plain[end + 1 : end + 2] in VULGAR):
        at = end + (next_ in " \u00a0")
        found = After(at + 1, added=VULGAR[plain[at]])
    elif next_ in ",." and (cents := _DASH_FOR_CENTS.match(plain, end)):
        return After(cents.end())
    at = found.end
    gap = 1 if plain[at : at + 1] in (" ", "\u00a0", "-") else 0
    if plain[at + gap : at + gap + 1] in ("C", "D") and (ledger := _LEDGER.match(plain, at)):
        return found._replace(end=ledger.end(), ledger=True)  # before crores: "45.00 CR"
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
    power = scale_of(letters, glued=not gap or plain[stop : stop + 1] in _SIGN_SET)  # 350 k€
    if power and not hyphen:
        stop += plain[stop : stop + 1] == "."
        second = _LETTERS.match(plain, stop + 1) if plain[stop : stop + 1] == " " else None
        more = scale_of(second[0], glued=False) if second and len(second[0]) > 2 else 0
        if second and not more and second[0] == "de" and plain[second.end() : second.end() + 1] == " ":
            pass  # "2 millones de euros"
        return found._replace(
            end=second.end() if second and more else stop, shift=found.shift + power + more, scaled=True
        )
    if count := count_of(letters):
        return found._replace(end=stop, times=count)
    if letters.casefold() in PERCENT:
        return found._replace(end=stop, share=-2)
    pair = _LETTERS.match(plain, stop + 1) if plain[stop : stop + 1] in (" ", ".") else None
    if pair and (letters.casefold(), pair[0].casefold()) in PERCENT_PAIRS:
        return found._replace(end=pair.end(), share=-2)
    return found if gap else found._replace(glued=letters)


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
