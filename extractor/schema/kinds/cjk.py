"""Numbers with Chinese, Japanese or Korean units: 1万2千, 3億5000万, 二〇二四, 三百二十一."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from extractor.schema.kinds.figures import key_of_fraction, negated
from extractor.schema.kinds.scales import CJK_DIGITS, CJK_LARGE, CJK_SMALL

_UNITS = "".join(CJK_SMALL) + "".join(CJK_LARGE)
_DIGITS = "".join(CJK_DIGITS)
_HAS = re.compile(f"[{_UNITS}{_DIGITS}]")
_RUN = re.compile(rf"(?:\d[\d,]{{0,30}}(?:\.\d{{1,30}})?|[{_DIGITS}]|[{_UNITS}]|(?<=[{_UNITS}]) (?=\d))++")
_MINUS = re.compile(r"(?:[-–△▲▼负負]|マイナス|마이너스)$")
_SHARE = re.compile(
    rf"百分之(?P<hundredths>[\d.]{{1,8}}|[{_DIGITS}十百]{{1,5}})"
    rf"|(?P<tenths>\d{{1,2}}(?:\.\d)?|[{_DIGITS}])(?:折|成(?![{_DIGITS}為为])|割(?:(?P<rest>\d|[{_DIGITS}])分)?)"
)
"""百分之十五, 八折, 三割五分."""
_HANGUL = frozenset("일이삼사오육칠팔구영")
_TOKEN = re.compile(rf"\d[\d,]*(?:\.\d+)?|[{_DIGITS}]|[{_UNITS}]")


def cjk_numbers(plain: str) -> Iterator[tuple[int, int, str, bool]]:
    """Each run of digits and units with a unit or a written digit in it: start, end, key, and whether it is one sign.

    One character alone is more often a word (一般, 第一) than a number; the caller marks it.
    """
    if plain.isascii() or _HAS.search(plain) is None:
        return
    for match in _RUN.finditer(plain):
        words = match[0]
        if words.isascii() or len(words) > 60:
            continue
        value = _value(words)
        if value is None or (not _HANGUL.isdisjoint(words) and (len(words) < 3 or _HANGUL.issuperset(words))):
            continue  # 이 is "this" more often than two
        key = key_of_fraction(value)
        yield match.start(), match.end(), key, len(words) == 1
        if minus := _MINUS.search(plain, max(0, match.start() - 4), match.start()):
            yield minus.start(), match.end(), negated(key), False


def cjk_shares(plain: str) -> Iterator[tuple[int, int, str]]:
    """Parts of a hundred and of ten: start, end and key of each as a share of one."""
    if plain.isascii():
        return
    for match in _SHARE.finditer(plain):
        part = _part(match["hundredths"] or match["tenths"])
        if part is not None:
            share = part / 100 if match["hundredths"] else part / 10
            yield *match.span(), key_of_fraction(share + (_part(match["rest"] or "0") or Fraction(0)) / 100)


def _part(words: str) -> Fraction | None:
    if words.replace(".", "", 1).isdecimal():
        return Fraction(words)
    return _value(words)


def _value(words: str) -> Fraction | None:
    if all(c in CJK_DIGITS for c in words):
        if len(words) > 1 and not set(words) & set("〇零") and len(words) != 4:
            return None  # "一二" is a list; 二〇二四 is a number by position
        return Fraction("".join(str(CJK_DIGITS[c]) for c in words))
    total, section, pending = Fraction(0), Fraction(0), None
    for token in _TOKEN.findall(words):
        if token in CJK_SMALL:
            section += (Fraction(1) if pending is None else pending) * 10 ** CJK_SMALL[token]
            pending = None
        elif token in CJK_LARGE:
            section += pending or 0
            if section == 0:
                return None
            total += section * 10 ** CJK_LARGE[token]
            section, pending = Fraction(0), None
        elif token in CJK_DIGITS:
            if pending:
                return None
            pending = Fraction(CJK_DIGITS[token])
        else:
            if pending:
                return None
            pending = Fraction(token.replace(",", ""))
    return total + section + (pending or 0)
