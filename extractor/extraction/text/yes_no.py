"""Finds where a text states true or false: an answer beside its label, or a box that is ticked or not.

Only these forms prove a boolean. What a sentence implies cannot be checked by code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from extractor.types import Json, Span

_YES, _NO = "yes|true|ja|oui|sí|✓|✔", "no|false|nein|non|✗|✘"
_ANSWER = re.compile(
    rf"(?P<label>[^\n:=|\t?]{{1,120}})[:=|\t?][ \t*_]*"
    rf"(?:(?P<yes>{_YES})|(?P<no>{_NO}))(?!\w)(?=[ \t*_]*(?:$|[|\t,;.(]))",
    re.I | re.M,
)
_BOX = re.compile(r"(?:(?P<yes>\[[xX✓]\]|[☑☒])|(?P<no>\[ ?\]|☐))[ \t]*(?P<label>[^\n\[☐☑☒]{1,120})")
_WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])")
STEM_LENGTH = 4
"""Letters by which two words are taken for forms of one: "imported", "importation"."""


def find_statements(text: str, label: str, value: Json) -> Iterator[Span]:
    """Where the text states the value beside a word of the label, in order."""
    wanted = _word_stems(label)
    group = "yes" if value is True else "no"
    found = [
        m for form in (_ANSWER, _BOX) for m in form.finditer(text) if m[group] and wanted & _word_stems(m["label"])
    ]
    yield from sorted(Span(*m.span(group)) for m in found)


def _word_stems(text: str) -> set[str]:
    return {word[:STEM_LENGTH].casefold() for word in _WORD.findall(text) if len(word) > 2}
