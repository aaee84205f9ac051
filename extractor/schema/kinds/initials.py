"""A choice of a list behind its label by its first letter: "Sex: M" of male and female, or male of M and F."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from extractor.schema.kinds.base import Json
from extractor.schema.kinds.boolean import label_before, stems
from extractor.types import Span

_ANSWER = re.compile(
    r"[:=|\t：][ \t*_\"']{0,4}(?P<answer>[^\W\d_]{1,24})(?=[ \t*_\"']{0,8}\.?(?:$|[\n|\t,;()/<}]))", re.M
)


def find_initials(text: str, label: str, choices: Sequence[Json], said: Json) -> Iterator[Span]:
    """Where what stands behind the label begins as the choice does, one of both being a letter alone."""
    words = [c for c in choices if isinstance(c, str) and c]
    initials = [c[0].casefold() for c in words]
    if not isinstance(said, str) or said not in words or len(set(initials)) < len(choices):
        return
    wanted = stems(label)
    for m in _ANSWER.finditer(text):
        answer = m["answer"]
        one_is_short = (len(answer) == 1) != (len(said) == 1)
        if (
            one_is_short
            and answer[0].casefold() == said[0].casefold()
            and wanted & stems(label_before(text, m.start()))
        ):
            yield Span(*m.span("answer"))
