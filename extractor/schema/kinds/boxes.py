"""Boxes to be ticked: the lines that have some, and the words beside one that was left empty."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

from extractor.types import Span

BOX = re.compile(r"\[[ ]?[xX✓✔]?[ ]?\]|\([ ]?[xX✓✔]?[ ]?\)|[☑☒☐✓✔✗✘■□●○🗹⊠]")

_TICKED = frozenset("☑☒✓✔■●🗹⊠xX")
Line = tuple[int, str, list[re.Match[str]]]
"""A line with boxes: where it begins, the line, its boxes."""
_MOST_ANSWERS = 20
"""Lines of boxes, before and behind one, that may be of the same question."""


def is_unticked(text: str, span: Span) -> bool:
    """Whether the words stand beside an empty box where another one of their question is ticked."""
    lines = lines_with_boxes(text)
    i = bisect_right(lines, span.start, key=lambda one: one[0]) - 1
    if i < 0 or span.start >= lines[i][0] + len(lines[i][1]):
        return False
    at, line, boxes = lines[i]
    behind = not line[boxes[-1].end() :].strip() and line[: boxes[0].start()].strip(" \t-*•") != ""
    near = [b for b in boxes if (b.start() + at >= span.end if behind else b.end() + at <= span.start)]
    if not near or is_ticked(near[0] if behind else near[-1]):
        return False
    return any(is_ticked(b) for one in _find_group(lines, i) for b in one[2])


def _find_group(lines: Sequence[Line], i: int) -> Sequence[Line]:
    """The line with those that follow each other before and behind it, a question's answers."""
    first, last = i, i
    while first > max(0, i - _MOST_ANSWERS) and lines[first - 1][0] + len(lines[first - 1][1]) == lines[first][0]:
        first -= 1
    while last < min(len(lines), i + _MOST_ANSWERS) - 1 and lines[last][0] + len(lines[last][1]) == lines[last + 1][0]:
        last += 1
    return lines[first : last + 1]


def is_ticked(box: re.Match[str]) -> bool:
    return bool(set(box[0]) & _TICKED)


@lru_cache(maxsize=2)
def lines_with_boxes(text: str) -> tuple[Line, ...]:
    found, at = [], 0
    for line in text.splitlines(keepends=True) if BOX.search(text) else ():
        boxes = list(BOX.finditer(line)) if len(line) < 2000 else []
        if boxes:
            found.append((at, line, boxes))
        at += len(line)
    return tuple(found)
