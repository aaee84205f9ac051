"""The short form that a text gives in brackets right behind the words: "Marine Biology (MB)".

Models leave it out of what they copy, and people who copy the same words take it along: it names the same thing, as
other brackets ("(part time)") do not. So a value has it where the text does, and is compared without it.
"""

from __future__ import annotations

import re

from extractor.types import Span

_BEHIND = re.compile(r"[*_ ]{0,4}\(([A-Z]{2,8})\)")
_AT_THE_END = re.compile(r"\(([A-Z]{2,8})\)$")
_WORD = re.compile(r"\w+")


def extend_over_abbreviation(text: str, span: Span) -> Span:
    """The span together with the abbreviation of its last words, where that follows."""
    short = _BEHIND.match(text, span.end)
    return Span(span.start, short.end()) if short and _stands_for(short[1], text[span.start : span.end]) else span


def strip_abbreviation(words: str) -> str:
    """The words without the abbreviation of the last of them."""
    short = _AT_THE_END.search(words)
    before = words[: short.start()].rstrip() if short else ""
    return before if short and _stands_for(short[1], before) else words


def _stands_for(short: str, words: str) -> bool:
    """Whether the letters are the initials of the last words; small words ("of", "and") may count or not."""
    initials = [word[0] for word in _WORD.findall(words)]
    large = [letter for letter in initials if letter.isupper()]
    return "".join(large).endswith(short) or "".join(initials).upper().endswith(short)
