"""Which rows of several replies are one: by what identifies them, their words, and the lines that they stand on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from extractor.extraction.grounding.row_keys import index_keys, keys_agree, names_agree
from extractor.extraction.grounding.tree import iterate_leaves
from extractor.extraction.row_runs import LinePlace
from extractor.schema.reader import ObjectList
from extractor.types import GroundedNode, GroundedObject, Span, ValuePath

MAX_CANDIDATES = 64
"""Rows of one identifying value that a row is compared with, the latest: what more share tells none of them apart."""
EQUAL_LINE = 2
"""Plain values from which on two rows without a declared key that say all the same are two lines of a document."""
Words = frozenset[tuple[ValuePath, Span]]
"""The words that a row's leaves rest on."""


@dataclass(frozen=True, slots=True)
class ReplyPart:
    """A node of one reply's tree."""

    reply: int
    node: GroundedNode


@dataclass(slots=True)
class RowGroup:
    """Rows that are one. Those that say the same are told apart by their words alone."""

    parts: list[ReplyPart] = field(default_factory=list)
    said: dict[frozenset[tuple[str, str]], tuple[Mapping[str, str], dict[Words, None]]] = field(default_factory=dict)
    last_words: Words = frozenset()
    """Those of the last of them."""
    places: list[LinePlace] = field(default_factory=list)

    def add(self, part: ReplyPart, forms: Mapping[str, str], words: Words, place: LinePlace | None) -> None:
        self.parts.append(part)
        self.places += [place] if place else []
        self.said.setdefault(frozenset(forms.items()), (forms, {}))[1][words] = None
        self.last_words = words

    def go_on(self, part: ReplyPart, forms: Mapping[str, str], words: Words, place: LinePlace | None) -> None:
        """Add the rest of the row: what is said of it before and after a cut is one."""
        self.parts.append(part)
        self.places = [place] if place else []  # it stands on several lines
        joined = [
            ({**theirs, **forms}, {their | words: None for their in known}) for theirs, known in self.said.values()
        ]
        self.said = {frozenset(both.items()): (both, known) for both, known in joined}
        self.last_words = words


class RowIndex:
    """Which groups of rows a row may belong to, by what identifies it."""

    def __init__(self, node: ObjectList) -> None:
        self.node = node
        self._whole: dict[tuple[str, ...], list[int]] = {}
        """Groups whose rows have every identifying field, by the heads of all of them."""
        self._gappy: dict[tuple[str, str], list[int]] = {}
        self._any: dict[tuple[str, str], list[int]] = {}
        """By each field: groups whose rows lack one, and all groups."""
        self._words: dict[Words, list[int]] = {}

    def find(self, forms: Mapping[str, str], words: Words) -> list[int]:
        """The numbers of groups, in order; of very many that one field tells, the latest."""
        by_field = self._gappy
        found: set[int] = set()
        if heads := self._heads(forms):
            found.update(self._whole.get(heads, ())[-MAX_CANDIDATES:])
        else:
            by_field = self._any
        if by_field:
            for key in index_keys(self.node, forms):
                found.update(by_field.get(key, ())[-MAX_CANDIDATES:])
        found.update(self._words.get(words, ())[-MAX_CANDIDATES:])
        return sorted(found)

    def add_words(self, number: int, words: Words) -> None:
        if words:
            self._words.setdefault(words, []).append(number)

    def add(self, number: int, forms: Mapping[str, str]) -> None:
        heads = self._heads(forms)
        if heads:
            self._whole.setdefault(heads, []).append(number)
        for key in index_keys(self.node, forms):
            self._any.setdefault(key, []).append(number)
            if not heads:
                self._gappy.setdefault(key, []).append(number)

    def _heads(self, forms: Mapping[str, str]) -> tuple[str, ...]:
        """What stands before the first colon of each identifying field, which agreeing names share; () with gaps."""
        said = [forms.get(name, "") for name in self.node.key]
        return tuple(form.partition(":")[0] or form for form in said) if said and all(said) else ()


def find_row_words(row: GroundedObject) -> Words:
    """The words of every leaf of a row, each with the leaf's path."""
    return frozenset((at, span) for at, leaf in iterate_leaves(row) for span in leaf.evidence.spans)


def is_same_row(
    node: ObjectList, group: RowGroup, part: ReplyPart, forms: Mapping[str, str], words: Words, place: LinePlace | None
) -> bool:
    """Whether a row is one with those of the group."""
    if place is not None and any(place.is_beside(other) for other in group.places):
        return False
    if group.parts[-1].reply == part.reply and not (words and words == group.last_words):
        return False
    for theirs, their_words in group.said.values():
        if not keys_agree(node, forms, theirs):
            return False
        all_the_same = bool(words) and len(their_words) == 1 and words in their_words
        if not node.key_declared and not all_the_same and not _may_be_one(forms, theirs, words, their_words):
            return False
    return True


def _may_be_one(a: Mapping[str, str], b: Mapping[str, str], words: Words, their_words: Iterable[Words]) -> bool:
    """Whether two rows without a declared key may be one: nothing differs, and they are not two equal lines."""
    shared = a.keys() & b.keys()
    if any(not names_agree(a[name], b[name]) for name in shared):
        return False
    equal_lines = a.keys() == b.keys() and len(shared) >= EQUAL_LINE
    both_add = bool(a.keys() - shared) and bool(b.keys() - shared)
    return not (equal_lines or both_add) or all(words & theirs for theirs in their_words)
