"""Finds values of a kind that can be recognised by their form alone.

They prove what a model answered, and are what code places by itself where a schema declares so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from extractor.extraction.text.dates import find_dates
from extractor.schema.annotations import Kind
from extractor.types import Span

_OF_NAMES = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-")
_LETTER_OR_DIGIT = re.compile(r"[A-Za-z0-9]")
_HOST = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'`\[\]{}|\\^]+", re.I)
_NUMBER = re.compile(r"(?<![\d.,])[-+−]?(?:\d{1,3}(?:\.\d{3})+,\d+|\d+(?:[,'\u202f ]\d{3})*(?:[.,]\d+)?)(?!\d)")
_COMMA, _POINT = re.compile(r"\d,\d{1,2}(?![.,]*\d)"), re.compile(r"\d\.\d{1,2}(?![.,]*\d)")
_FIGURE = re.compile(
    r"(?<![\w.,$])\$?(?:\d+(?:[.,]\d+)*|\.\d+)(?:\s?[-\u2013]\s?\d+(?:[.,]\d+)*)?"
    r"(?:\s?(?:\\?%|‰|×|\$?\\times\b\$?)|\s?[xX](?![\w-])|-?fold\b)\$?"
)
"""A number with a sign that makes it a share or a multiple, or a range of them: "10-15%", "2.5x", "$2.5\times$"."""
MAX_DIGITS = 4_000
"""Characters beyond which nothing is a number; Python reads no more digits either."""


def find_candidates(kind: Kind, text: str) -> Iterator[Span]:
    """Where values of the kind stand, in order; nothing for kinds that have no form of their own."""
    match kind:
        case Kind.EMAIL:
            yield from _find_emails(text)
        case Kind.URL:
            for m in _URL.finditer(text):
                yield Span(m.start(), m.start() + len(_strip_punctuation(m[0])))
        case Kind.DATE:
            yield from (date.span for date in find_dates(text))
        case Kind.QUANTITY:
            yield from (Span(*m.span()) for m in _FIGURE.finditer(text))
        case Kind.INTEGER | Kind.NUMBER:
            yield from (Span(*m.span()) for m in _NUMBER.finditer(text))
        case _:
            return


def _find_emails(text: str) -> Iterator[Span]:
    """Every address. What stands before an @ is read back from there, so that letters without one cost their length."""
    at, after = text.find("@"), 0
    while at >= 0:
        start = at
        while start > after and text[start - 1] in _OF_NAMES:
            start -= 1
        first = _LETTER_OR_DIGIT.search(text, start, at)
        host = _HOST.match(text, at + 1) if first else None
        if first and host:
            after = host.end()
            yield Span(first.start(), after)
        at = text.find("@", max(at + 1, after))


def find_formed_candidates(kind: Kind, pattern: str | None, text: str) -> Iterator[Span]:
    """Where values of a declared form stand, in order; of the kind's own form where none is declared."""
    if pattern is None:
        yield from find_candidates(kind, text)
    else:
        yield from (Span(*m.span()) for m in re.finditer(pattern, text) if m.end() > m.start())


def list_candidate_spellings(kind: Kind, text: str, pattern: str | None = None) -> tuple[str, ...]:
    """The distinct values of the kind or form as the text writes them, in order of first mention."""
    return tuple(
        dict.fromkeys(" ".join(text[s.start : s.end].split()) for s in find_formed_candidates(kind, pattern, text))
    )


def _strip_punctuation(url: str) -> str:
    """The address without punctuation that belongs to the sentence; a bracket stays if its partner is inside."""
    opened, closed, end = url.count("("), url.count(")"), len(url)
    while end and (url[end - 1] in ".,;:!?*_~" or (url[end - 1] == ")" and opened < closed)):
        closed -= url[end - 1] == ")"
        end -= 1
    return url[:end]


def uses_decimal_comma(text: str) -> bool:
    """Whether the text writes decimals behind a comma more often than behind a point."""
    return len(_COMMA.findall(text)) > len(_POINT.findall(text))


def parse_only_number(text: str, *, comma: bool = False) -> Decimal | None:
    """The number that the text is, or the one that it holds: "EUR 1,150.00 a month"; None where it holds several."""
    if (whole := parse_number(text, comma=comma)) is not None:
        return whole
    held = {parse_number(text[s.start : s.end], comma=comma) for s in find_candidates(Kind.NUMBER, text)}
    return held.pop() if len(held) == 1 else None


def parse_number(text: str, *, comma: bool = False) -> Decimal | None:
    """The number that the text is, exactly, group separators understood: "1,024.50" is 1024.5, "1.024,50" too.

    "1.024" is a bit more than one, unless `comma` says that decimals stand behind a comma here.
    """
    if len(text) > MAX_DIGITS:
        return None
    text = text.strip().replace("−", "-").lstrip("$€£¥ ").replace("\u202f", "").replace(" ", "").replace("'", "")
    if not re.fullmatch(r"[-+]?\d[\d.,]*", text) or re.fullmatch("00+", text):  # part of an account, not nothing
        return None
    if comma and re.fullmatch(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+", text):
        return Decimal(text.replace(".", ""))
    decimal, point = text.rfind(","), text.rfind(".")
    if decimal > point and (comma or point >= 0 or not re.fullmatch(r"[-+]?\d{1,3}(?:,\d{3})+", text)):
        text = text.replace(".", "").replace(",", ".")
    text = text.replace(",", "")
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
