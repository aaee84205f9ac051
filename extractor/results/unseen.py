"""Characters of a text that cannot be seen: found, spelled out and named, so that nobody reads what is not there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from extractor.types import Json

UNSEEN_CHARACTERS = (
    # Controls but for tab and line feed, soft hyphen, fillers, bidirectional marks, embeddings, overrides and isolates
    # (UAX #9), separators, tags and others without a shape, surrogates
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""Those that are never seen, as a part of a class of a regular expression."""
JOINERS_AND_VARIANTS = "\u200c\u200d\ufe00-\ufe0f"
"""Those that change the signs beside them where these are of some scripts or pictures, and else are not seen."""
_UNSEEN = re.compile(
    f"[{UNSEEN_CHARACTERS}]"
    # joiners and variants after ASCII, which has none but for keycaps, and after each other
    "|(?<![^\x00-\x7f])(?:[\u200c\u200d]|[\ufe00-\ufe0f](?!\u20e3))"
    "|(?<=[\u200c\u200d])[\u200c\u200d\ufe00-\ufe0f]|(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]"
)
_MOST_NAMED = 5


def split_unseen(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[str, str]]:
    """text[start:end] as ("text", words), ("return", "") for the CR of a CRLF and ("unseen", number in hexadecimal)."""
    at, end = start, len(text) if end is None else end
    for unseen in _UNSEEN.finditer(text, start, end):
        if at < unseen.start():
            yield "text", text[at : unseen.start()]
        at = unseen.end()
        in_line_end = unseen[0] == "\r" and text[at : at + 1] == "\n"
        yield ("return", "") if in_line_end else ("unseen", f"{ord(unseen[0]):04X}")
    if at < end:
        yield "text", text[at:end]


def spell_unseen(number: str) -> str:
    """What stands on the page for a character without a shape: its control picture (U+2400 and on), or its number."""
    code = int(number, 16)
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else f"‹U+{number}›"


def show_unseen(text: str) -> str:
    return "".join(spell_unseen(what) if kind == "unseen" else what for kind, what in split_unseen(text))


def describe_unseen(value: Json) -> str:
    """What of a value cannot be seen, as a note for people; empty where all can."""
    if not isinstance(value, str):
        return ""
    found = Counter(what for kind, what in split_unseen(value) if kind == "unseen")
    if not found:
        return ""
    named = [f"U+{number}" + (f" ({n} times)" if n > 1 else "") for number, n in found.most_common(_MOST_NAMED)]
    more = f" and {len(found) - _MOST_NAMED} more kinds" if len(found) > _MOST_NAMED else ""
    return f"holds characters that cannot be seen: {', '.join(named)}{more}"
