"""Words that a text shortens or spells out: "12 High St." is "12 High Street", "Hauptstr. 5" is "Hauptstraße 5"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from extractor.schema.kinds.folding import simple
from extractor.types import Span

_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*\.?")
MOST_WORDS, FEWEST_WORDS = 16, 2
_LONGEST_SHORT = 4
"""Letters of an abbreviation without a full stop: St, Rd, Ave, Blvd."""
_FEWEST_LEFT_OUT = 2
"""Letters that such a one leaves out: Brun is not short for Bruno."""
_GAP = r"[\s,;]{1,4}"


def find_abbreviated(text: str, said: str, within: Span) -> Iterator[Span]:
    """Where the words stand with some of them abbreviated, or with some spelled out that were said abbreviated.

    Every word is there in its order and every figure as it was said; at least half of the words are the very same.
    """
    words = _WORD.findall(said)
    letters = [w for w in words if not w[0].isdecimal()]
    if not FEWEST_WORDS <= len(words) <= MOST_WORDS or not letters:
        return
    pattern = rf"(?<![^\W_]){_GAP.join(f'({_form_of(w)})' for w in words)}(?![^\W_])"
    for m in re.finditer(pattern, text[within.start : within.end], re.I):
        found = [simple(one) for one in m.groups()]
        wanted = [simple(w) for w in words]
        same = sum(a.rstrip(".") == b.rstrip(".") for a, b in zip(found, wanted, strict=True))
        if same < len(words) and 2 * same >= len(words) and all(map(_agree, found, wanted)):
            yield Span(*m.span()).shift(within.start)


def _form_of(word: str) -> str:
    exact = re.escape(word.rstrip("."))
    if word[0].isdecimal():
        return exact
    short = rf"{re.escape(word[0])}[^\W\d_]{{0,{max(len(word), _LONGEST_SHORT)}}}\."
    length = len(word.rstrip("."))
    if length >= _LONGEST_SHORT:
        short += rf"?|{re.escape(word[0])}[^\W\d_]{{1,{_LONGEST_SHORT - 1}}}"
    if length <= _LONGEST_SHORT:
        short += rf"|{exact}[^\W\d_]{{1,12}}|{re.escape(word[0])}[^\W\d_]{{3,12}}"
    if word.endswith("."):
        short += rf"|{exact}[^\W\d_]{{1,12}}"
    return rf"{exact}\.?|{short}"


def _agree(a: str, b: str) -> bool:
    """Whether both are one word, or one is short for the other."""
    first, second = sorted((a.rstrip("."), b.rstrip(".")), key=len)
    if first == second:
        return True
    shortened = a if a.rstrip(".") == first else b
    if not shortened.endswith(".") and (len(first) > _LONGEST_SHORT or len(second) - len(first) < _FEWEST_LEFT_OUT):
        return False
    letters = iter(second)
    told = second.startswith(first) or second[-1] == first[-1]  # Str. of Straße, Rd of Road
    return second[:1] == first[:1] and len(first) > 1 and told and all(c in letters for c in first)
