"""Signs of a text that no reader sees, whatever its format: they support nothing, and are not shown to a model.

Some carry words (tags, long runs of variation selectors), some turn the order of others round. Those that a script or
a picture is written with stay: joiners between letters that join, the variant of an emoji, marks beside Hebrew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from extractor.documents.formats.span_lists import join_spans, subtract_spans
from extractor.types import NO_WIDTH_SIGNS, Document, Span

_RUN = re.compile(f"(?:{NO_WIDTH_SIGNS.pattern})+")
_HARMLESS = frozenset("\u00ad\u200e\u200f\u061c")
"""A hyphen that may be shown, and marks of direction that hold nothing and turn no letters."""
_JOINERS = frozenset("\u200c\u200d")
_JOINED = re.compile(
    "[\u0590-\u08ff\u0900-\u0dff\u0e00-\u109f\u1780-\u18af\ua800-\uabff\ufb1d-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff]"
)
"""Letters of scripts whose letters join, or are written in clusters."""
_PICTURE = re.compile("[\u00a9\u00ae\u203c-\u3299\ufe0f\U0001f000-\U0001faff]")
_VARIED = re.compile(
    "[#*0-9\u00a9\u00ae\u2000-\u33ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U0001f000-\U0001faff\U00020000-\U0003ffff]"
)
"""What has variants: signs, pictures, ideographs."""
_MONGOLIAN = re.compile("[\u1800-\u18af]")
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{2,7}\U000e007f")
_TURNED = re.compile("\u202e([^\u202c\n]*)")
_FILLERS = frozenset("\u115f\u1160")
_HANGUL = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")


def mark_unseen_signs(document: Document) -> Document:
    """The document with the signs of its text that no reader sees marked as hidden, and words that stand in the
    wrong order as doubtful."""
    hidden = list(find_unseen_signs(document.text))
    if not hidden:
        return document
    hidden = join_spans([*document.hidden, *hidden])
    doubtful = join_spans([*document.doubtful, *find_turned_words(document.text)])
    return replace(document, hidden=tuple(hidden), doubtful=tuple(subtract_spans(doubtful, hidden)))


def find_unseen_signs(text: str) -> Iterator[Span]:
    """Runs of signs that are not seen, in order."""
    if text.isascii():
        return
    flags = {match.start() + 1 for match in _FLAG.finditer(text)}
    for run in _RUN.finditer(text):
        if run.start() in flags:
            continue
        start = -1
        for at in range(run.start(), run.end()):
            seen = _is_seen(text, at)
            if not seen and start < 0:
                start = at
            elif seen and start >= 0:
                yield Span(start, at)
                start = -1
        if start >= 0:
            yield Span(start, run.end())


def _is_seen(text: str, at: int) -> bool:
    """Whether a sign without width has its use where it stands."""
    sign, before, after = text[at], text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    if sign in _HARMLESS:
        return True
    if sign in _JOINERS:
        if _PICTURE.match(before) and _PICTURE.match(after) and sign == "\u200d":
            return True
        return bool(_JOINED.match(before)) and (bool(_JOINED.match(after)) or not after.strip() or not after.isalnum())
    if "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef":
        return bool(_VARIED.match(before))
    if "\u180b" <= sign <= "\u180f":
        return bool(_MONGOLIAN.match(before))
    if sign in _FILLERS:
        return bool(_HANGUL.match(before)) or bool(_HANGUL.match(after))
    return False


def find_turned_words(text: str) -> Iterator[Span]:
    """Words that a sign shows in the order from right to left, whatever they are."""
    for match in _TURNED.finditer(text):
        if match.end(1) > match.start(1):
            yield Span(*match.span(1))
