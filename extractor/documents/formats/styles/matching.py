"""Which rules are about an element: steps of selectors held against a tree from the top down.

What matched above and before an element is kept as bits, one for each step that something stands to the right of, so
that no selector is followed back up the tree: the time is that of elements and steps, however deep the tree is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from extractor.documents.formats.styles.holds import Holds
from extractor.documents.formats.styles.selectors import ADDED, AttributeTest, Compound, PseudoTest, SelectorTable, Step

MAX_MATCH_STEPS = 100_000_000
"""How many times a step is held against an element of one page."""
_FORM_FIELDS = frozenset(("input", "select", "textarea", "button", "option", "optgroup", "fieldset"))
_SPACES = re.compile(r"[ \t\r\n\f]+")

Bits = tuple[int, int, int]
"""For each step a bit: whether it matched ever, at first, always."""
_NO_BITS: Bits = (0, 0, 0)


def _join(one: Bits, other: Bits) -> Bits:
    if not other[0]:
        return one
    if not one[0]:
        return other
    return one[0] | other[0], one[1] | other[1], one[2] | other[2]


def _read_bit(bits: Bits, at: int) -> Holds:
    mark = 1 << at
    if not bits[0] & mark:
        return Holds.NEVER
    return Holds.ALWAYS if bits[2] & mark else Holds.NOW if bits[1] & mark else Holds.LATER


@dataclass(slots=True)
class Place:
    """An element among the others, as far as selectors ask."""

    name: str
    attributes: Mapping[str, str | None]
    node: Any
    parent: Place | None
    identity: str = ""
    classes: frozenset[str] = frozenset()
    index: int = 1
    """Its number among the elements of its parent, and below among those of its name."""
    type_index: int = 1
    own: Bits = _NO_BITS
    above: Bits = _NO_BITS
    """What matched it or what is around it."""
    before: Bits = _NO_BITS
    """What matched an element before it in its parent."""
    previous: Bits = _NO_BITS
    """What matched the one directly before it."""
    found: dict[int, Holds] = field(default_factory=dict)
    child_count: int = 0
    type_counts: dict[str, int] = field(default_factory=dict)
    last_child: Bits = _NO_BITS
    all_children: Bits = _NO_BITS
    _totals: dict[str, int] | None = None

    def count_children(self, name: str = "") -> int:
        """How many elements there are in it, of a name or in all."""
        if self._totals is None:
            totals: dict[str, int] = {"": 0}
            for child in self.node.children or ():
                if not child.name.startswith(("#", "!")):
                    totals[""] += 1
                    totals[child.name] = totals.get(child.name, 0) + 1
            self._totals = totals
        return self._totals.get(name, 0)


@dataclass(slots=True)
class _Candidates:
    """Steps that are looked at together, by where they want something to the left of them."""

    marks: int = 0
    """The bits of all that they want; 0 where they want nothing."""
    steps: list[tuple[int, Step]] = field(default_factory=list)
    """Each with the bit that it wants."""


_LEFT = {"": 0, ">": 1, " ": 2, "+": 3, "~": 4}
"""Where it is: nowhere, at the parent, at all around, at the one before, at all before."""
_NO_CANDIDATES: dict[int, _Candidates] = {}


@dataclass(slots=True)
class Matcher:
    """Finds the steps that elements match. Elements are to be entered in the order of the document."""

    table: SelectorTable
    steps_left: int = MAX_MATCH_STEPS
    _buckets: dict[str, dict[int, _Candidates]] = field(default_factory=dict)
    """Steps by what an element must have to be meant: #id, .class, tag, [attribute, or nothing."""
    _bits: dict[int, int] = field(default_factory=dict)
    _wanted: set[int] = field(default_factory=set)
    _prepared: set[tuple[int, bool]] = field(default_factory=set)
    _keys: dict[int, frozenset[str]] = field(default_factory=dict)

    def add_steps(self, last: Sequence[int]) -> None:
        """Makes steps, and all that they rest on, ones that elements are held against."""
        stack = [(number, True) for number in last]
        while stack:
            number, wanted = stack.pop()
            if (number, wanted) in self._prepared:
                continue
            self._prepared.add((number, wanted))
            step = self.table.steps[number]
            if wanted and number not in self._wanted:
                self._wanted.add(number)
                mark = 1 << self._bits.setdefault(step.left, len(self._bits)) if step.left >= 0 else 0
                for key in self._find_keys(number):
                    bucket = self._buckets.setdefault(key, {})
                    candidates = bucket.setdefault(_LEFT[step.combinator if mark else ""], _Candidates())
                    candidates.marks |= mark
                    candidates.steps.append((mark, step))
            if step.left >= 0:
                self._bits.setdefault(step.left, len(self._bits))
                stack.append((step.left, True))
            stack += [(inner, False) for pseudo in step.compound.pseudos for inner in pseudo.steps]

    def _find_keys(self, number: int) -> frozenset[str]:
        """What an element must have one of to match the step. Steps within a step have lower numbers."""
        known = self._keys.get(number)
        if known is None:
            known = self._keys[number] = self._choose_keys(self.table.steps[number].compound)
        return known

    def _choose_keys(self, compound: Compound) -> frozenset[str]:
        if compound.identity:
            return frozenset((f"#{compound.identity}",))
        if compound.classes:
            return frozenset((f".{max(compound.classes, key=len)}",))
        if compound.tag:
            return frozenset((compound.tag,))
        if compound.attributes:
            return frozenset((f"[{compound.attributes[0].name}",))
        for pseudo in compound.pseudos:
            if pseudo.name in ("is", "where") and pseudo.steps:
                return frozenset().union(*map(self._find_keys, pseudo.steps))
            if pseudo.name == "root":
                return frozenset(("html",))
        return frozenset(("",))

    def enter(self, node: Any, parent: Place | None) -> tuple[Place, list[tuple[int, Holds]]]:
        """The element's place, and the steps that it matches."""
        attributes = node.attrs or {}
        place = Place(node.name, attributes, node, parent)
        fold = self.table.any_case
        identity, classes = attributes.get("id") or "", attributes.get("class") or ""
        place.identity = identity.lower() if fold else identity
        place.classes = frozenset(filter(None, _SPACES.split(classes.lower() if fold else classes)))
        if parent is not None:
            parent.child_count += 1
            place.index = parent.child_count
            place.type_index = parent.type_counts[node.name] = parent.type_counts.get(node.name, 0) + 1
            place.previous, place.before = parent.last_child, parent.all_children
        matched = [] if self.steps_left < 0 else list(self._match_steps(place))
        place.above = _join(parent.above, place.own) if parent is not None else place.own
        if parent is not None:
            parent.last_child = place.own
            parent.all_children = _join(parent.all_children, place.own)
        return place, matched

    def match_added(self, name: str, parent: Place) -> list[tuple[int, Holds]]:
        """The steps about what style sheets add to an element, `::before` or `::after`."""
        wanted = self._buckets.get(name, _NO_CANDIDATES).get(_LEFT[">"])
        if wanted is None or not parent.own[0] & wanted.marks or self.steps_left < 0:
            return []
        return list(self._match_steps(Place(name, {}, None, parent)))

    def _match_steps(self, place: Place) -> Iterator[tuple[int, Holds]]:
        ever = now = always = 0
        seen: set[int] = set()
        parent = place.parent
        around = (parent.own[0], parent.above[0]) if parent is not None else (0, 0)
        left = (0, *around, place.previous[0], place.before[0])
        for _, step in self._find_candidates(place, left):
            if step.number in seen:
                continue
            seen.add(step.number)  # a list of alternatives stands in several buckets
            held = self.evaluate(step, place)
            if not held:
                continue
            if step.number in self._bits:
                mark = 1 << self._bits[step.number]
                ever |= mark
                now |= mark if held >= Holds.NOW else 0
                always |= mark if held is Holds.ALWAYS else 0
            yield step.number, held
        place.own = (ever, now, always)

    def _find_candidates(self, place: Place, left: tuple[int, ...]) -> Iterator[tuple[int, Step]]:
        """The steps that the element may match: it has what they ask first, and what they want is to the left of it."""
        for key in self._list_keys(place):
            for side, candidates in self._buckets.get(key, _NO_CANDIDATES).items():
                self.steps_left -= 1
                if not side:
                    self.steps_left -= len(candidates.steps)
                    yield from candidates.steps
                elif left[side] & candidates.marks:
                    self.steps_left -= len(candidates.steps)
                    there = left[side]
                    yield from (candidate for candidate in candidates.steps if candidate[0] & there)

    @staticmethod
    def _list_keys(place: Place) -> Iterator[str]:
        if place.name not in ADDED:  # `*` is of elements alone
            yield ""
        yield place.name.lower()
        if place.identity:
            yield f"#{place.identity}"
        for name in place.classes:
            yield f".{name}"
        for name in place.attributes:
            yield f"[{name}"

    def evaluate(self, step: Step, place: Place) -> Holds:
        """Whether the element matches the step and what is to the left of it."""
        known = place.found.get(step.number)
        if known is not None:
            return known
        held = self._match_compound(step.compound, place)
        if held and step.left >= 0:
            held = min(held, _read_bit(self._look_left(step.combinator, place), self._bits[step.left]))
        place.found[step.number] = held
        return held

    @staticmethod
    def _look_left(combinator: str, place: Place) -> Bits:
        if combinator == "+":
            return place.previous
        if combinator == "~":
            return place.before
        if place.parent is None:
            return _NO_BITS
        return place.parent.own if combinator == ">" else place.parent.above

    def _match_compound(self, compound: Compound, place: Place) -> Holds:
        if (
            compound.impossible
            or (compound.tag and compound.tag != place.name.lower())
            or (compound.identity and compound.identity != place.identity)
            or not place.classes.issuperset(compound.classes)
            or not all(_match_attribute(test, place.attributes) for test in compound.attributes)
        ):
            return Holds.NEVER
        held = Holds.ALWAYS
        for pseudo in compound.pseudos:
            held = min(held, self._match_pseudo(pseudo, place))
            if not held:
                break
        return held

    def _match_pseudo(self, pseudo: PseudoTest, place: Place) -> Holds:
        name = pseudo.name
        if name == "constant":
            return pseudo.constant
        if name in ("is", "where", "not"):
            steps = (self.table.steps[number] for number in pseudo.steps)
            held = max((self.evaluate(step, place) for step in steps), default=Holds.NEVER)
            return held.negate() if name == "not" else held
        if name == "checked":
            return Holds.NOW if "checked" in place.attributes or "selected" in place.attributes else Holds.LATER
        return Holds.ALWAYS if _match_structure(pseudo, place) else Holds.NEVER


def _match_structure(pseudo: PseudoTest, place: Place) -> bool:
    name, parent = pseudo.name, place.parent
    if name == "root":
        return place.name == "html"
    if name == "empty":
        return all(child.name.startswith(("#comment", "!")) for child in place.node.children or ())
    if name == "only-child":
        return parent is None or parent.count_children() == 1
    if name == "only-of-type":
        return parent is None or parent.count_children(place.name) == 1
    if name in ("link", "any-link"):
        return place.name in ("a", "area") and "href" in place.attributes
    if name in ("disabled", "enabled"):
        return place.name in _FORM_FIELDS and ("disabled" in place.attributes) == (name == "disabled")
    if name in ("required", "optional"):
        return place.name in _FORM_FIELDS and ("required" in place.attributes) == (name == "required")
    if name in ("read-only", "read-write"):
        writable = place.name in ("input", "textarea") and not {"readonly", "disabled"} & set(place.attributes)
        return writable == (name == "read-write")
    if name == "open":
        return place.name in ("details", "dialog") and "open" in place.attributes
    number = place.type_index if name.endswith("of-type") else place.index
    if "last" in name:
        kind = place.name if name.endswith("of-type") else ""
        number = (parent.count_children(kind) if parent is not None else 1) + 1 - number
    if not pseudo.a:
        return number == pseudo.b
    turns, rest = divmod(number - pseudo.b, pseudo.a)
    return not rest and turns >= 0


def _match_attribute(test: AttributeTest, attributes: Mapping[str, str | None]) -> bool:
    if test.name not in attributes:
        return False
    have, want = attributes[test.name] or "", test.value
    if test.any_case:
        have, want = have.lower(), want.lower()
    match test.operator:
        case "":
            return True
        case "=":
            return have == want
        case "~=":
            return bool(want) and want in _SPACES.split(have)
        case "|=":
            return have == want or have.startswith(f"{want}-")
        case "^=":
            return bool(want) and have.startswith(want)
        case "$=":
            return bool(want) and have.endswith(want)
        case "*=":
            return bool(want) and want in have
    return False
