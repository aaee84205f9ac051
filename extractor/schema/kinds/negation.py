"""Whether a clause denies what it names: "No insurance has been taken out", "no evidence of diabetes"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from extractor.types import Span

_END = re.compile(r"[.!?;](?=\s|$)|\n\s*\n|[。！？；]|\n(?=[-*•\d])|[|\t]|,? (?:but|however|aber|mais|pero|maar|ma) ")
_DENIAL = re.compile(
    r"\b(?:no|not|never|none|neither|nor|without|isn't|aren't|wasn't|weren't|doesn't|don't|didn't|hasn't"
    r"|haven't|cannot|can't|won't|denies|denied|"
    r"negative for|absence of|absent|free of|rule[sd]? out|lacks?|excluded|excluding|"
    r"nicht|kein|keine|keinen|keiner|keinem|keines|nie|ohne|weder|ausgeschlossen|"
    r"ne|pas|aucune?|sans|jamais|ni|nunca|sin|ningún|ninguna|ninguno|non|senza|nessun[ao]?|mai|não|sem|nenhuma?|"
    r"niet|geen|zonder|nooit|inte|ingen|inga|inget|utan|ikke|intet|uden|uten|ei|eivät|ilman|nie|bez|brak|není"
    r"|nejsou|žádn[ýáé]|nemá|"
    r"не|нет|без|никак\w{1,3}|немає|nu|fără|nicio|nem|nincs|değil\w{0,4}|yok\w{0,3}|olmadan|δεν|χωρίς|όχι|"
    r"لا|ليس|لم|بدون|غير|לא|אין|ללא|नहीं|tidak|bukan|tanpa|không)\b|n't\b|ません|ない|なし|無し|没有|沒有|未|无"
    r"|無|不是|不|없|않|아니",
    re.I,
)
_NUMBER = re.compile(r"N[oO]\.?[ \u00a0](?:[A-Z]{1,4}[- \u00a0]?)?\d{2}|no\.?[ \u00a0](?:[A-Z]{1,4}[- ]?)?\d{3}")
"""What is short for "number": "Policy No AB-12345"."""
_COMPARED = re.compile(
    r"\s+(?:less|more|later|earlier|fewer|only|exceed\w*|limited|before|after"
    r"|weniger|mehr|später|nur|moins|plus|menos|más)\b",
    re.I,
)
"""What makes a denial a bound: "not less than six months" is six months."""
_WORDS_BETWEEN = 4
"""Words between a denial and what it denies, at most: "no evidence of diabetes"."""
_BEFORE = 90
"""Characters before a value in which a word may deny it: a clause of some fifteen words."""


_CODE = 8
"""Characters of a value in which a figure shows that it is a number of something."""


@lru_cache(maxsize=1 << 10)
def denies(clause: str) -> bool:
    """Whether a clause has a word of denial in it; two of them ("not without") affirm."""
    found = sum(1 for _ in _find_denials(clause.replace("’", "'")))
    return found == 1 or (
        found > 0
        and re.search(r"\bne\b.{1,40}\b(?:pas|aucune?|jamais)\b|\b(?:no|non)\b.{1,40}\b(?:ningun|nessun)", clause, re.I)
        is not None
    )


def _find_denials(clause: str) -> Iterator[re.Match[str]]:
    return (m for m in _DENIAL.finditer(clause) if not _NUMBER.match(clause, m.start()))


def clauses(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of every clause that is not blank, in order."""
    start = 0
    for m in _END.finditer(text):
        if text[start : m.end()].strip():
            yield _trimmed(text, start, m.end())
        start = m.end()
    if text[start:].strip():
        yield _trimmed(text, start, len(text))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    words = text[start:end]
    return start + len(words) - len(words.lstrip()), end - (len(words) - len(words.rstrip()))


def denied(text: str, span: Span) -> bool:
    """Whether the clause before a value denies it: "diabetes" in "no evidence of diabetes", not in "No. Diabetes: yes".

    A finding for the caller to weigh: "without tax" is a value of its own.
    """
    begin = max(0, span.start - _BEFORE)
    before = text[begin : span.start]
    cut = 0
    for m in re.finditer(r"[.!?;:\n\t|,]|[。！？；：，、]", before):
        cut = m.end()
    clause, length = (before[cut:] + text[span.start : span.start + _CODE]).replace("’", "'"), len(before) - cut
    for m in _find_denials(clause):
        if m.end() > length:
            break
        in_capitals = m[0].isupper() and m[0].isascii() and len(m[0]) > 1  # NE, NEM: abbreviations
        is_far = len(clause[m.end() : length].split()) > _WORDS_BETWEEN
        if not in_capitals and not is_far and not _COMPARED.match(clause, m.end()):
            return True
    return False
