"""What can be found of a leaf that a model said, without knowing whether it is right: each finding a number.

No finding names a field, a document or a model, and none takes a label: all of them can be had of any document. Three
kinds: of the leaf and its schema, of the document's text (where there is one), and of what another model said.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import board
from board import Json, Where
from gold_replies import Folded, _apart, _dates

NUMBER = re.compile(r"(?<![\w.,:/])\d(?:[\d.,'’\u00a0\u202f]*\d)?(?![\d:/])")
ZERO = re.compile(r"(?<![\w.,:/-])(?:0+(?:[.,]0+)?|nil)(?![\w:/]|[.,]\d)|(?<=[\s|>(])[-–—](?=[\s|<)*])", re.I)
"""What a document writes for nothing: a dash in a cell is a zero too."""
NEAR = 160
"""Characters around a mention that are looked at for the words of its label."""
Span = tuple[int, int]


@dataclass
class Leaf:
    at: Where
    value: Json
    shape: Mapping[str, Json]
    listed: bool

    @property
    def name(self) -> Where:
        """The field, without the numbers of rows."""
        return tuple(step for step in self.at if isinstance(step, str))

    @property
    def row(self) -> Where:
        """The row that it stands in; the record itself for a leaf outside of lists."""
        numbers = [i for i, step in enumerate(self.at) if isinstance(step, int)]
        return self.at[: numbers[-1] + 1] if numbers and self.listed else ()


def leaves(schema: Mapping[str, Json], record: Json) -> list[Leaf]:
    """Every leaf of the record that says something, beside its part of the schema."""
    return [Leaf(at, value, _shape(schema, at), any(isinstance(s, int) for s in at)) for at, value in board.raw(record)]


def _shape(schema: Mapping[str, Json], at: Where) -> Mapping[str, Json]:
    for step in at:
        schema = schema.get("items", {}) if isinstance(step, int) else schema.get("properties", {}).get(step, {})
    return schema


# -- of the leaf and its schema ---------------------------------------------------------------------------------------


def foreign(record: Json) -> float:
    """The share of the record's letters that are not Latin: reading and labelling both are less sure there."""
    letters = [c for _, value in board.raw(record) for c in str(value) if c.isalpha()]
    return sum(not unicodedata.name(c, "").startswith("LATIN") for c in letters) / max(1, len(letters))


def own(leaf: Leaf, script: float) -> dict[str, float]:
    text = leaf.value if isinstance(leaf.value, str) else ""
    about = str(leaf.shape.get("description", ""))
    dated = leaf.shape.get("format") in ("date", "date-time") or "YYYY-MM-DD" in about
    return {
        "bracketed": float(bool(re.search(r"[(（\[][^)）\]]*[)）\]]\s*$", text))),
        "line break": float("\n" in text),
        "date not as asked": float(bool(dated and text and not re.match(r"\d{4}-\d\d-\d\d", text))),
        "many words": float(len(text.split()) > 4),
        "foreign": script,
    }


# -- of the document's text -------------------------------------------------------------------------------------------


@dataclass
class Page:
    """A document's text, made ready to look values up in."""

    text: str
    found: dict[Any, list[Span]] = field(default_factory=dict)

    @cached_property
    def folded(self) -> Folded:
        return Folded(self.text)

    @cached_property
    def numbers(self) -> dict[float, list[Span]]:
        index: dict[float, list[Span]] = defaultdict(list)
        for m in NUMBER.finditer(self.text):
            for value in readings(m[0]):
                index[value].append(m.span())
        return index

    @cached_property
    def zeros(self) -> list[Span]:
        return [m.span() for m in ZERO.finditer(self.text)]

    def mentions(self, value: Json) -> list[Span]:
        key = (type(value).__name__, value)
        if key not in self.found:
            self.found[key] = self._mentions(value)
        return self.found[key]

    def _mentions(self, value: Json) -> list[Span]:
        if isinstance(value, bool):
            return []
        if isinstance(value, int | float):
            return self.numbers.get(abs(round(float(value), 6)), []) if value else self.zeros
        found = [s for s in self.folded.find(Folded(value).text) if _apart(self.text, s)]
        dated = re.match(r"(\d{4})-(\d\d)-(\d\d)", value)
        return found or (_dates(self.text, *dated.groups()) if dated else [])


def readings(token: str) -> set[float]:
    """What a number may be, with the comma or the dot for its decimals."""
    digits = re.sub(r"[^\d.,]", "", token)
    out = set()
    for groups, point in ((",", "."), (".", ",")):
        plain = digits.replace(groups, "").replace(point, ".")
        if plain.count(".") <= 1:
            try:
                out.add(abs(round(float(plain), 6)))
            except ValueError:
                continue
    return out


def words(leaf: Leaf) -> set[str]:
    """The words that may announce it: of its name and of its description."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(leaf.name[-1]))
    return {w.lower() for w in re.findall(r"\w{3,}", f"{split} {leaf.shape.get('description', '')}")}


def of_text(leaf: Leaf, page: Page, home: Span | None) -> dict[str, float]:
    """`home`: where its row stands, if more of the row than this leaf stands anywhere."""
    spans = page.mentions(leaf.value)
    label = words(leaf)
    best = 0.0
    for a, b in spans[:20]:
        near = set(re.findall(r"\w{3,}", page.text[max(0, a - NEAR) : b + NEAR // 4].lower()))
        best = max(best, len(label & near) / max(1, len(label)))
    here = home is not None and any(home[0] - 40 <= a and b <= home[1] + 40 for a, b in spans)
    zero = isinstance(leaf.value, int | float) and not isinstance(leaf.value, bool) and leaf.value == 0
    return {
        "no words": float(not spans),
        "out of its row": float(home is not None and leaf.listed and not here),
        "zero unsaid": float(zero and not (here if leaf.listed else spans)),
        "label near": best,
    }


UNREAD = {"no words": 0.0, "out of its row": 0.0, "zero unsaid": 0.0, "label near": 0.5}
"""Where there is no text: what tells nothing."""


def homes(every: Sequence[Leaf], page: Page) -> dict[tuple[Where, Where], Span]:
    """Where each leaf's row stands, told by the row's other leaves: round the rarest of them that is a text."""
    rows: dict[Where, list[Leaf]] = defaultdict(list)
    for leaf in every:
        rows[leaf.row].append(leaf)
    out: dict[tuple[Where, Where], Span] = {}
    for row, inside in rows.items():
        if not row:
            continue
        placed = sorted((len(page.mentions(x.value)), -len(str(x.value)), i) for i, x in enumerate(inside))
        placed = [p for p in placed if p[0]]
        for leaf in inside:
            others = [inside[i] for _, _, i in placed if inside[i] is not leaf][:3]
            if others:
                out[row, leaf.at] = _round(others, page)
    return out


def _round(others: Sequence[Leaf], page: Page) -> Span:
    """The lines that hold one mention of each, as close together as can be."""
    anchors = page.mentions(others[0].value)[:50]
    best: tuple[int, int] | None = None
    for a, b in anchors:
        low, high = a, b
        for one in others[1:]:
            near = min(page.mentions(one.value), key=lambda s: abs(s[0] - a))
            if abs(near[0] - a) < 400:
                low, high = min(low, near[0]), max(high, near[1])
        start, end = page.text.rfind("\n", 0, low) + 1, page.text.find("\n", high)
        span = (start, end if end >= 0 else len(page.text))
        if best is None or span[1] - span[0] < best[1] - best[0]:
            best = span
    assert best is not None
    return best


# -- of what another model said ---------------------------------------------------------------------------------------


def beside(schema: Mapping[str, Json], other: Json, ours: Json, way: str) -> dict[Where, board.Pair]:
    """Ours by place, each with what the other record has there: `rows` paired by the rules, or `position` alone."""
    pairs = board.align(schema, other, ours) if way == "rows" else board.placed(other, ours)
    return {p.said_at: p for p in pairs if p.said_at is not None and board.said(p.said)}


@dataclass
class Beside:
    """Two records of one document, the other's leaves at the places that they have in ours."""

    pairs: dict[Where, board.Pair]
    agree: Counter[Any] = field(default_factory=Counter)
    count: Counter[Any] = field(default_factory=Counter)
    uneven: set[Where] = field(default_factory=set)
    """Lists that have another number of rows there."""

    @classmethod
    def of(cls, schema: Mapping[str, Json], ours: Json, other: Json, way: str) -> Beside:
        made = cls(beside(schema, other, ours, way))
        a, b = _lengths(ours), _lengths(other)
        made.uneven = {name for name in a | b if a[name] != b[name]}
        for leaf in leaves(schema, ours):
            for key in (("row", leaf.row), ("column", leaf.name), ("all",)):
                made.count[key] += 1
                made.agree[key] += leaf.at in made.pairs and made.pairs[leaf.at].right
        return made

    def share(self, key: tuple[Any, ...], right: bool) -> float:
        """The share of the others under the key that agree; drawn to the document's where they are few."""
        whole = (self.agree["all",] + 1) / (self.count["all",] + 1.2)
        return (self.agree[key] - right + whole) / (self.count[key] - 1 + 1)


def of_other(leaf: Leaf, beside: Beside) -> dict[str, float]:
    pair = beside.pairs.get(leaf.at)
    right = float(pair is not None and pair.right)
    return {
        "agreed": right,
        "agreed, row": right * beside.share(("row", leaf.row), bool(right)),
        "agreed, column": right * beside.share(("column", leaf.name), bool(right)),
        "agreed, document": right * beside.share(("all",), bool(right)),
        "agreed, as many rows": right * float(leaf.name[: len(_list(leaf))] not in beside.uneven),
    }


def _list(leaf: Leaf) -> Where:
    """The list that it stands in, without the numbers of rows."""
    return tuple(step for step in leaf.row if isinstance(step, str))


def _lengths(record: Json) -> Counter[Where]:
    """Rows of every list, those of one list in different rows together."""
    rows = {at[: i + 1] for at, _ in board.raw(record) for i, step in enumerate(at) if isinstance(step, int)}
    return Counter(tuple(step for step in row if isinstance(step, str)) for row in rows)
