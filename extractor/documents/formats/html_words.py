"""Words of a web page put into its text, each with the place in the source that it stands at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from extractor.documents.formats.entities import find_attribute, find_source_offsets
from extractor.documents.formats.html_controls import Shown
from extractor.documents.formats.html_lists import ItemCounter
from extractor.documents.formats.html_text import PageText
from extractor.documents.formats.scripts import spell_subscript, spell_superscript
from extractor.documents.formats.sight import Sight
from extractor.documents.formats.styles.look import Look

KEEPING = frozenset(("pre", "pre-wrap", "break-spaces", "preserve"))
_SPACE = " \t\r\n\f"
_RUN = re.compile(r"[^ \t\r\n\f]+(?: [^ \t\r\n\f]+)*")
_FILLING = re.compile(r"\xa0(?![0-9])|(?<![0-9])\xa0")
"""No-break spaces, but for those that group the figures of a number."""
_PRICE = re.compile(r"[$€£¥₹]\s?\d[\d.,]*[.,]\Z")
_LINE = re.compile(r"[^\n]+")


@dataclass(slots=True)
class OpenElement:
    """An element while what is in it is written."""

    node: Any
    look: Look
    role: str
    sight: Sight
    """How text directly in it is seen."""
    words_from: int = 0
    """The number of pieces before it."""
    counter: ItemCounter | None = None
    raised: str = ""
    """Whether its letters stand above or below the line."""


@dataclass(slots=True)
class SourceWords:
    """Writes words of a source into a text."""

    source: str
    text: PageText

    def write_value(self, shown: Shown, around: OpenElement, sight: Sight) -> None:
        """Writes words of a control: from an attribute, from the text of an option, or a sign for a tag."""
        node = shown.node
        if not shown.words:
            for child in node.children or ():
                if child.name == "#text":
                    self.write_text(child.data or "", child.origin_offset, around, sight)
            return
        start = node.origin_offset
        if shown.attribute and start is not None:
            place = find_attribute(self.source, start, shown.attribute)
            self.write_text(shown.words, place[0] if place else None, around, sight)
        else:
            end = start + len(node.name) + 1 if start is not None else 0
            self.text.add_run(shown.words, sight, (start, end) if start is not None else None, None)

    def write_text(self, data: str, origin: int | None, around: OpenElement, sight: Sight) -> None:
        """Writes text that begins at that offset of the source, with white space as a browser shows it."""
        kept = around.look.white_space in KEEPING and not self.text.in_cell
        lines = kept or (around.look.white_space == "pre-line" and not self.text.in_cell)
        if origin is not None and around.node.name in ("pre", "textarea", "listing") and data[:1] != "\n":
            # the line end after <pre> is no text
            origin += next(len(end) for end in ("\r\n", "\n", "") if self.source.startswith(end, origin))
        steps = None
        if origin is not None and not self.source.startswith(data, origin):
            steps = find_source_offsets(data, self.source, origin)
        for run in (_LINE if kept else _RUN).finditer(data):
            if run.start() and data[run.start() - 1] in _SPACE:
                broken = kept or (lines and "\n" in _blanks_before(data, run.start()))
                self.text.request_gap("\n" if broken else " ")
            self._write_run(run, origin, steps, around.raised, sight)
        if data[-1:].isspace():
            self.text.request_gap("\n" if lines and "\n" in _blanks_before(data, len(data)) else " ")

    def _write_run(
        self, run: re.Match[str], origin: int | None, steps: list[int] | None, raised: str, sight: Sight
    ) -> None:
        words = _FILLING.sub(" ", run[0])
        if not words.strip():
            self.text.request_gap(" ")  # no-break spaces that fill an empty place
            return
        # a price has its cents raised, with their point or behind it
        has_point = words[0] in ".," and words[1:].isdigit()
        is_price = len(words) == 2 and words.isdigit() and _PRICE.search(self.text.last_words()) is not None
        if raised and not has_point and not is_price:
            spell = spell_superscript if raised == "super" else spell_subscript
            words = spell(words, self.text.last_letter())
        if origin is None:
            self.text.add_run(words, sight, None, None)
        elif len(words) != len(run[0]):
            ends = (origin + run.start(), origin + run.end()) if steps is None else _find_ends(steps, run)
            self.text.add_run(words, sight, ends, None)
        elif steps is None:
            self.text.add_run(words, sight, (origin + run.start(), origin + run.end()), None)
        else:
            self.text.add_run(words, sight, None, steps[run.start() : run.end() + 1])


def _find_ends(steps: list[int], run: re.Match[str]) -> tuple[int, int]:
    last = len(steps) - 1
    return steps[min(run.start(), last)], steps[min(run.end(), last)]


def _blanks_before(data: str, end: int) -> str:
    start = end
    while start and data[start - 1] in _SPACE:
        start -= 1
    return data[start:end]
