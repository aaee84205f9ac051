"""The numbers that Word puts before paragraphs by itself, such as 2.1 or (b) (ECMA-376 part 1, 17.9)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from docx.oxml.ns import qn

from extractor.documents.formats.roman import spell_letters, spell_roman

BULLET = "-"
_VAL, _ILVL, _NUM_ID = qn("w:val"), qn("w:ilvl"), qn("w:numId")
_LEVELS = 9


@dataclass(slots=True)
class _Level:
    kind: str = "decimal"
    text: str = ""
    start: int = 1
    restart: int = -1
    """The level (from 1) whose step begins this one anew; -1 for any above it, 0 for none."""
    legal: bool = False
    suffix: str = " "


@dataclass(slots=True)
class _List:
    """One list of a document, with where its counters stand. Several numberings may go on with one list."""

    levels: dict[int, _Level]
    counters: list[int | None] = field(default_factory=lambda: [None] * _LEVELS)


class Numbering:
    """Counts the numbered paragraphs of a document in their order."""

    def __init__(self, root: Any, find_style_numbering: Callable[[str], str]) -> None:
        self._lists: dict[str, _List] = {}
        self._abstract: dict[str, str] = {}
        self._overrides: dict[str, dict[int, int]] = {}
        self._levels: dict[str, dict[int, _Level]] = {}
        linked: dict[str, str] = {}
        for element in root.iter(qn("w:abstractNum")) if root is not None else ():
            key = element.get(qn("w:abstractNumId"), "")
            self._lists[key] = _List({int(e.get(_ILVL, 0)): _read_level(e) for e in element.iter(qn("w:lvl"))})
            link = element.find(qn("w:numStyleLink"))
            if link is not None:
                linked[key] = link.get(_VAL, "")
        for element in root.iter(qn("w:num")) if root is not None else ():
            self._read_number(element)
        for key, style in linked.items():
            target = self._abstract.get(find_style_numbering(style), "")
            if target in self._lists and not self._lists[key].levels:
                self._lists[key] = self._lists[target]

    def _read_number(self, element: Any) -> None:
        key = element.get(_NUM_ID, "")
        abstract = element.find(qn("w:abstractNumId"))
        self._abstract[key] = abstract.get(_VAL, "") if abstract is not None else ""
        for override in element.iter(qn("w:lvlOverride")):
            level = int(override.get(_ILVL, 0))
            start, own = override.find(qn("w:startOverride")), override.find(qn("w:lvl"))
            if start is not None:
                self._overrides.setdefault(key, {})[level] = int(start.get(_VAL, 1))
            if own is not None:
                self._levels.setdefault(key, {})[level] = _read_level(own)

    def is_known(self, number: str) -> bool:
        """Whether paragraphs of that numbering get anything before them."""
        return self._abstract.get(number, "") in self._lists

    def count(self, number: str, level: int) -> str:
        """What stands before the next paragraph of a numbering: "2.1 ", "- " for a bullet; empty for nothing."""
        found = self._lists.get(self._abstract.get(number, ""))
        if found is None or not 0 <= level < _LEVELS:
            return ""
        for at, start in self._overrides.pop(number, {}).items():  # once: the numbering begins there anew
            found.counters[at] = start - 1
        levels = {**found.levels, **self._levels.get(number, {})}
        here, counters = levels.get(level, _Level()), found.counters
        before = counters[level]
        counters[level] = here.start if before is None else before + 1
        for deeper in range(level + 1, _LEVELS):
            restart = levels.get(deeper, _Level()).restart
            if restart < 0 or restart > level:
                counters[deeper] = None
        if here.kind == "bullet":
            return f"{BULLET} "
        if here.kind == "none" and "%" not in here.text.replace(f"%{level + 1}", ""):
            return ""

        def spell(found_level: re.Match[str]) -> str:
            at = int(found_level[1]) - 1
            one = levels.get(at, _Level())
            value = counters[at] if counters[at] is not None else one.start
            return spell_count(value or 0, "decimal" if here.legal else one.kind)

        text = re.sub(r"%([1-9])", spell, here.text).strip()
        return f"{text}{here.suffix}" if text else ""


def _read_level(element: Any) -> _Level:
    def value(name: str, otherwise: str) -> str:
        inner = element.find(qn(f"w:{name}"))
        return otherwise if inner is None else str(inner.get(_VAL, otherwise))

    hidden = element.find(f"{qn('w:rPr')}/{qn('w:vanish')}") is not None
    return _Level(
        "none" if hidden else value("numFmt", "decimal"),
        "" if hidden else value("lvlText", ""),
        _integer(value("start", "1"), 1),
        _integer(value("lvlRestart", "-1"), -1),
        element.find(qn("w:isLgl")) is not None,
        "" if value("suff", "tab") == "nothing" else " ",
    )


def _integer(text: str, otherwise: int) -> int:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else otherwise


def spell_count(value: int, kind: str) -> str:
    """A number in a format of Word's; formats of other scripts in figures."""
    match kind:
        case "upperRoman":
            return spell_roman(value)
        case "lowerRoman":
            return spell_roman(value).lower()
        case "upperLetter":
            return spell_letters(value)
        case "lowerLetter":
            return spell_letters(value).lower()
        case "decimalZero":
            return f"{value:02d}"
        case "ordinal":
            ending = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
            return f"{value}{ending}"
        case "none":
            return ""
    return str(value)
