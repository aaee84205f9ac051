"""Finds where a text states true or false: an answer beside its label, or a box that is ticked or not.

Only these forms prove a boolean. What a sentence implies cannot be checked by code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from extractor.types import Json, Span

_YES, _NO = "yes|true|ja|oui|sí|✓|✔", "no|false|nein|non|✗|✘"
_ANSWER = re.compile(rf"(?:(?P<yes>{_YES})|(?P<no>{_NO}))(?!\w)(?=[ \t*_]*(?:$|[|\t,;.(]))", re.I | re.M)
"""What may be an answer; its label is read back from there."""
_BETWEEN = " \t*_"
"""What may stand between what ends a label and the answer."""
_LABEL_END = re.compile(r"[\n:=|\t?]")
_LONGEST_LABEL = 120
_BOX = re.compile(r"(?:(?P<yes>\[[xX✓]\]|[☑☒])|(?P<no>\[ ?\]|☐))[ \t]*(?P<label>[^\n\[☐☑☒]{1,120})")
_WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])")
STEM_LENGTH = 4
"""Letters by which two words are taken for forms of one: "imported", "importation"."""


def find_statements(text: str, label: str, value: Json) -> Iterator[Span]:
    """Where the text states the value beside a word of the label, in order."""
    wanted = _word_stems(label)
    group = "yes" if value is True else "no"
    boxes = [m for m in _BOX.finditer(text) if m[group] and wanted & _word_stems(m["label"])]
    answers = [m for m in _ANSWER.finditer(text) if m[group] and wanted & _word_stems(_label_before(text, m.start()))]
    yield from sorted(Span(*m.span(group)) for m in (*answers, *boxes))


def _label_before(text: str, answer: int) -> str:
    """The label of an answer that begins there, back to what ends another one; empty where it has none."""
    end = answer
    while end and text[end - 1] in _BETWEEN:
        end -= 1
    if end and text[end - 1] in ":=|?":
        end -= 1
    else:
        end = text.find("\t", end, answer)
    return _LABEL_END.split(text[max(0, end - _LONGEST_LABEL) : end])[-1] if end > 0 else ""


def _word_stems(text: str) -> set[str]:
    return {word[:STEM_LENGTH].casefold() for word in _WORD.findall(text) if len(word) > 2}
