"""Whether words of a text are a part of something longer that is another value: "10" of "0.10", "CO" of "CO₂"."""

from __future__ import annotations

import re

_LONGEST_NUMBER = 24
_FIGURES_BEFORE, _FIGURES_BEHIND = re.compile(r"[\d.,]+$"), re.compile(r"[\d.,]*\d(?:,(?!\s|$))?")
_NUMBER = re.compile(r"\d{1,3}(?:[.,]\d{3})*(?:,\d{1,2})?|\d+,\d{1,2}")
_LOWERED = frozenset("₀₁₂₃₄₅₆₇₈₉")
_LENGTH = re.compile(r"(?<![^\W\d_])(?:[kcdm]?m|ft|in|yd|mi)$", re.I)
_HOUSE_LETTER = re.compile(r"[a-z](?!\w)", re.I)
_GROUPS = re.compile(r"[A-Z\d]{4}(?P<sign>[ \u00a0-])[A-Z\d]{4}(?:(?P=sign)[A-Z\d]{4}){0,7}")
_FIRST_OF_IBAN = re.compile(r"[A-Z]{2}\d\d")
_FEW_FIGURES = re.compile(r"\d{1,3}(?:-\d{1,3}){1,3}")
_LEGAL_FORM = re.compile(r"\b(?:GmbH|AG|SE|UG|S\.?A\.?|Ltd\.?|B\.?V\.?)$", re.I)
_AND_COMPANY = re.compile(r"[ \u00a0\n]?(?:&(?:amp;)?|\+|und|and|et)[ \u00a0\n]?(?:Co|Cie|Comp)\b", re.I)
_BEFORE_COMPANY = frozenset(" \u00a0\n&+")
MOST = 48
"""Characters of a mention beyond which it is no code and no number."""


def is_part(text: str, start: int, end: int) -> bool:
    """Whether what stands there goes on into another value: a number, a formula, a code in groups, a house number
    with its letter, a firm whose form goes on ("GmbH" of "GmbH & Co. KG")."""
    if parts_number(text, start, end):
        return True
    last, after = text[end - 1], text[end : end + 1]
    if after in _LOWERED:
        return last.isalnum()
    if after in ("²", "³"):
        return _LENGTH.search(text, max(start, end - 3), end) is not None
    if last.isdecimal():
        if after.isalpha():
            return _ends_with_house(text, start, end)
        return _parts_groups(text, start, end)
    return (last.isalpha() or last == ".") and after in _BEFORE_COMPANY and _parts_firm(text, start, end)


def is_running_word(text: str, start: int, end: int, said: str) -> bool:
    """Whether a code of two capitals was said and a small word of a sentence stands there: DE and "Rue de la Paix"."""
    if end - start != 2 or not (said.isupper() and said.isalpha() and text[start:end].islower()):
        return False
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return before[:1].isalpha() and before[1:] == " " and after[:1] == " " and after[1:].isalpha()


def parts_number(text: str, start: int, end: int) -> bool:
    """Whether a number goes on over the begin or the end behind its decimal mark: "10 mg" is not found in "0.10 mg"."""
    return _has_mark(text, start - 1) or _has_mark(text, end) or (text[end - 1] in ".," and _has_mark(text, end - 1))


def _has_mark(text: str, at: int) -> bool:
    """Whether figures stand on both sides of a point, or of a comma that a number has, not a row of values."""
    if not (0 < at < len(text) - 1 and text[at] in ".," and text[at - 1].isdecimal() and text[at + 1].isdecimal()):
        return False
    if text[at] == ".":
        return True
    begin, end = max(0, at - _LONGEST_NUMBER), at + _LONGEST_NUMBER
    before, after = _FIGURES_BEFORE.search(text, begin, at), _FIGURES_BEHIND.match(text, at, end)
    return before is not None and after is not None and _NUMBER.fullmatch(before[0] + after[0]) is not None


def _ends_with_house(text: str, start: int, end: int) -> bool:
    """Whether a word and a number end the mention, and a letter goes on: "High Street 5" of "High Street 5a"."""
    if _HOUSE_LETTER.match(text, end) is None:
        return False
    words = text[max(start, end - MOST) : end].rstrip("0123456789")
    return words[-1:] in (" ", "\u00a0", "\n") and words.rstrip()[-1:].isalpha()


def _parts_groups(text: str, start: int, end: int) -> bool:
    """Whether a code in groups goes on: the first twelve figures of a card's sixteen, an IBAN without its last."""
    if not 3 <= end - start <= MOST:
        return False
    words = text[start:end]
    if _FEW_FIGURES.fullmatch(words):
        before, after = text[max(0, start - 2) : start], text[end : end + 2]
        return (before[1:] == "-" and before[:1].isdecimal()) or (after[:1] == "-" and after[1:].isdecimal())
    groups = _GROUPS.fullmatch(words)
    if groups is None:
        return False
    sign, few = re.escape(groups["sign"]), "1," if _FIRST_OF_IBAN.match(words) else ""
    behind = re.compile(rf"{sign}(?=[A-Z]{{0,3}}\d)[A-Z\d]{{{few}4}}(?!\w)").match(text, end)
    ahead = re.compile(rf"(?<!\w)[A-Z]{{0,3}}\d[A-Z\d]{{0,3}}{sign}$").search(text, max(0, start - 5), start)
    return behind is not None or (ahead is not None and len(ahead[0]) == 5)


def _parts_firm(text: str, start: int, end: int) -> bool:
    goes_on = _AND_COMPANY.match(text, end)
    return goes_on is not None and _LEGAL_FORM.search(text, max(start, end - 8), end) is not None
