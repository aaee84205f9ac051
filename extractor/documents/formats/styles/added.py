"""What style sheets put before and after the content of an element: words, quotes, values of attributes, numbers that
are counted (CSS Content 3, CSS Lists 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from extractor.documents.formats.html_lists import spell_number
from extractor.documents.formats.styles.style import Style
from extractor.documents.formats.styles.values import Tokens, drop_blanks, split_at_top

MAX_ADDED_CHARACTERS = 300_000
"""Of one page that its style sheets may add."""
_MAX_COUNTERS = 20
"""Counters that one declaration may name."""
_LARGEST = 1_000_000
_COUNTING = ("counter-reset", "counter-increment", "counter-set")
_QUOTES = {"open-quote": "“", "close-quote": "”"}
_ICONS = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
"""Letters of fonts of icons, which are no words."""


@dataclass(frozen=True, slots=True, eq=False)
class AddedText:
    """Words of a style sheet, as a text of the page that stands nowhere in its source."""

    data: str
    name: str = "#text"
    origin_offset: None = None


@dataclass(frozen=True, slots=True, eq=False)
class AddedElement:
    """What a style sheet puts into an element, as an element of the page with a text."""

    name: str
    children: tuple[AddedText, ...]
    attrs: None = None


@dataclass(slots=True)
class Counters:
    """The counters of a page while its elements are gone through in order. A counter is known to the element that
    begins it, to those after it in its parent, and to all within them."""

    _values: dict[str, list[int]] = field(default_factory=dict)
    """Of each name the counters that are known, the innermost last."""
    _begun: list[set[str]] = field(default_factory=lambda: [set()])
    """Which were begun in each of the elements that are open."""

    def count(self, style: Style) -> None:
        """Does what an element says of counters."""
        if not any(map(style.says, _COUNTING)) or style.word("display") == "none":
            return
        for name, value in _read_counters(style.tokens("counter-reset"), 0):
            self._begin(name, value)
        for name, value in _read_counters(style.tokens("counter-increment"), 1):
            self._change(name, self._find(name) + value)
        for name, value in _read_counters(style.tokens("counter-set"), 0):
            self._change(name, value)

    def _find(self, name: str) -> int:
        return (self._values.get(name) or [0])[-1]

    def _change(self, name: str, value: int) -> None:
        if not self._values.get(name):
            self._begin(name, 0)
        self._values[name][-1] = max(-_LARGEST, min(_LARGEST, value))

    def _begin(self, name: str, value: int) -> None:
        known = self._values.setdefault(name, [])
        if name in self._begun[-1]:
            known.pop()
        self._begun[-1].add(name)
        known.append(value)

    def open(self) -> None:
        """Goes into an element."""
        self._begun.append(set())

    def close(self) -> None:
        """Leaves it."""
        for name in self._begun.pop():
            self._values[name].pop()

    def spell(self, name: str, style: str, joint: str | None) -> str:
        """The number of a counter, or with a joint the numbers of all that have its name."""
        known = self._values.get(name) or [0]
        spelled = [spell_number(number, style) for number in (known if joint is not None else known[-1:])]
        return (joint or "").join(spelled)


def _read_counters(tokens: Tokens, otherwise: int) -> Iterator[tuple[str, int]]:
    """Names and the numbers behind them."""
    words = [token for token in drop_blanks(tokens) if token.type in ("ident", "number")]
    for word, after in zip(words[:_MAX_COUNTERS], [*words[1:], None], strict=False):
        if word.type == "ident" and word.lower_value != "none":
            given = after.int_value if after is not None and after.type == "number" else None
            yield str(word.value), otherwise if given is None else max(-_LARGEST, min(_LARGEST, given))


def spell_content(tokens: Tokens, attributes: Mapping[str, str | None], counters: Counters) -> str:
    """The words of a value of `content`; pictures and icons are none."""
    words: list[str] = []
    for token in tokens:
        if token.type == "string":
            words.append(token.value)
        elif token.type == "ident":
            words.append(_QUOTES.get(token.lower_value, ""))
        elif token.type == "function":
            words.append(_spell_function(token, attributes, counters))
        elif token.type == "literal" and token.value == "/":
            break  # what comes now is read aloud
    return _ICONS.sub("", "".join(words))


def _spell_function(token: Any, attributes: Mapping[str, str | None], counters: Counters) -> str:
    name, parts = token.lower_name, [drop_blanks(part) for part in split_at_top(token.arguments)]
    first = parts[0][0] if parts[0] else None
    if first is None or first.type != "ident":
        return ""
    if name == "attr":
        found = attributes.get(first.lower_value)
        return found if found is not None else "".join(t.value for p in parts[1:] for t in p if t.type == "string")
    if name not in ("counter", "counters"):
        return ""
    joints = [t.value for part in parts[1:] for t in part if t.type == "string"]
    styles = [str(t.lower_value) for part in parts[1:] for t in part if t.type == "ident"]
    joint = (joints or [""])[0] if name == "counters" else None
    return counters.spell(str(first.value), (styles or ["decimal"])[0], joint)
