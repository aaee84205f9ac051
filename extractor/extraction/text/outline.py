"""How a text is laid out: headings, the sections under them, paragraphs.

A heading is a Markdown heading, a short line in capitals or all in bold that ends no sentence and says no value. What
begins with a bullet is an item of a list, whatever marks a converter gave it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from extractor.types import Span

_HEADING = re.compile(
    r"^(?:(?P<marks>#{1,6})[ \t]+(?![•·▪●■])\S[^\n]*"
    r"|(?P<capitals>(?!.*[.;,:]$)(?=[^\n]*[^\W\d_]{3})[^a-z\n]{3,60})"
    r"|(?P<bold>(?:\*\*|__)(?![^*_\n]*(?:[.;,!?](?:\*\*|__)|:[ \t]*[^*_\s]))[^*_\n]{3,60}(?:\*\*|__):?))"
    r"[ \t\r]*$",
    re.M,
)
_BLANK = re.compile(r"\n(?:[ \t\r]*\n)+")
_LOUD = re.compile(r"(?=[^\n]*[^\W\d_]{3})[^a-z\n]{3,66}")
_CAPITALS, _BOLD = 1, 7
"""Levels of headings that have no marks to count."""
MOST_OPENING = 64
"""Headings that follow each other with nothing between them which a position stands under, at most."""
_SEEN = re.compile(r"\S")


@dataclass(frozen=True, slots=True)
class Heading:
    span: Span
    level: int
    """1 for the highest."""


def find_headings(text: str) -> list[Heading]:
    """Every heading of the text, in order."""
    return [Heading(Span(*m.span()), _heading_level(m)) for m in _HEADING.finditer(text)]


def _heading_level(match: re.Match[str]) -> int:
    """The level of a heading. Capitals count more than marks, which converters derive from the size of letters."""
    if match["capitals"] or (match["marks"] and _LOUD.fullmatch(match[0])):
        return _CAPITALS
    return len(match["marks"]) if match["marks"] else _BOLD


class Outline:
    """A text's headings and paragraphs, by position."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.headings = find_headings(text)
        self._starts = [h.span.start for h in self.headings]
        self._opens = self._find_openings()
        self._above: dict[int, list[Span]] = {}
        self._paragraphs = [0, *(m.end() for m in _BLANK.finditer(text))]

    def section_at(self, at: int) -> tuple[int, int]:
        """From the heading above (or the text's begin) to the next one (or the text's end).

        Headings that follow each other with nothing between them open one section together.
        """
        i = bisect_right(self._starts, at) - 1
        after = bisect_right(self._opens, i)
        start = 0 if i < 0 else self._starts[self._opens[after - 1] if after else 0]
        return start, self._starts[self._opens[after]] if after < len(self._opens) else len(self.text)

    def _find_openings(self) -> list[int]:
        """The numbers of the headings that open a section: those with text before them."""
        ends = [0, *(h.span.end for h in self.headings)]
        return [i for i, start in enumerate(self._starts) if _SEEN.search(self.text, ends[i], start)]

    def headings_above(self, at: int) -> list[Span]:
        """The headings that the position stands under, nearest first; of those that open a section the last few."""
        i = bisect_right(self._starts, at) - 1
        if i not in self._above:
            self._above[i] = self._collect_above(i)
        return self._above[i]

    def _collect_above(self, i: int) -> list[Span]:
        """Every heading from the i-th back to its section's first, and then each of a higher level than all below."""
        start, _ = self.section_at(self._starts[i]) if i >= 0 else (0, 0)
        found: list[Span] = []
        level = _BOLD + 1
        while i >= 0:
            heading = self.headings[i]
            inside = heading.span.start >= start
            if inside and len(found) == MOST_OPENING:
                i = bisect_left(self._starts, start) - 1
                continue
            if heading.level < level or inside:
                found.append(heading.span)
                level = min(level, heading.level)
            i = i - 1 if inside else self._higher[i]
        return found

    @cached_property
    def _higher(self) -> list[int]:
        """For each heading the number of the nearest one above it that is of a higher level; -1 for none."""
        higher: list[int] = []
        for i, heading in enumerate(self.headings):
            above = i - 1
            while above >= 0 and self.headings[above].level >= heading.level:
                above = higher[above]
            higher.append(above)
        return higher

    def is_in_heading(self, at: int) -> bool:
        i = bisect_right(self._starts, at) - 1
        return i >= 0 and at < self.headings[i].span.end

    def heading_text(self, heading: Span) -> str:
        """The heading's text, joined with the heading that it is hyphenated with: "## INTRO-" above "## DUCTION"."""
        i = bisect_right(self._starts, heading.start) - 1
        first, last = max(0, i - 1), min(len(self.headings), i + 2)
        lines = [h.span for h in self.headings[first:last]]
        title = self.text[heading.start : heading.end]
        for above, below in pairwise(lines):
            upper, lower = self.text[above.start : above.end].rstrip(), self.text[below.start : below.end]
            together = not self.text[above.end : below.start].strip()
            if together and upper.endswith("-") and heading in (above, below):
                title = upper[:-1] + lower.lstrip("# \t")
        return title

    def paragraph_at(self, at: int) -> tuple[int, int]:
        """The lines around the position up to blank ones."""
        i = bisect_right(self._paragraphs, at) - 1
        return self._paragraphs[i], self._paragraphs[i + 1] if i + 1 < len(self._paragraphs) else len(self.text)


_BEFORE = re.compile(r"(?:^|[,;:|/(•·▪●■\n\t]|\band|&|[-*+]\s)[\s*_`]*$", re.I)
_AFTER = re.compile(r"[\s*_`]*(?:$|[,;.|/)•·▪●■\n\t(]|and\b|&)", re.I)


def is_list_item(text: str, span: Span) -> bool:
    """Whether the words are an item of a list, with nothing but marks between items on either side."""
    before, after = text[max(0, span.start - 12) : span.start], text[span.end : span.end + 12]
    return (span.start == 0 or _BEFORE.search(before) is not None) and _AFTER.match(after) is not None


class Keywords:
    """Words that announce a kind of content: matched without case, where no letter stands before."""

    def __init__(self, words: Sequence[str]) -> None:
        self._pattern = re.compile("|".join(rf"(?<![^\W\d_]){re.escape(w)}" for w in words), re.I) if words else None

    def __bool__(self) -> bool:
        return self._pattern is not None

    def occur_in(self, text: str) -> bool:
        return self._pattern is None or self._pattern.search(text) is not None

    def announce_position(self, outline: Outline, at: int) -> bool:
        """Whether the paragraph of the position, or a heading above it, holds one of the words."""
        start, end = outline.paragraph_at(at)
        above, below = outline.section_at(at)
        return self.occur_in(outline.text[max(start, above) : min(end, below)]) or self.occur_in_headings(outline, at)

    def occur_in_headings(self, outline: Outline, at: int) -> bool:
        """Whether a heading above the position holds one of the words."""
        return any(self.occur_in(outline.heading_text(heading)) for heading in outline.headings_above(at))

    def announced_sections(self, outline: Outline) -> list[tuple[int, int]]:
        """The parts of the text that the words announce: the sections whose headings hold one, else paragraphs."""
        if self._pattern is None:
            return [(0, len(outline.text))] if outline.text else []
        found = [m.start() for m in self._pattern.finditer(outline.text)]
        in_headings = [at for at in found if outline.is_in_heading(at)]
        parts = [outline.section_at(at) for at in in_headings] or [outline.paragraph_at(at) for at in found]
        joined: list[tuple[int, int]] = []
        for start, end in sorted(parts):
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((start, end))
        return joined
