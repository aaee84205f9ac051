"""What the replies gave, merged into one record: the rule for every disagreement is written here.

    one value       the one most replies agree on; then the stricter match; then the first. The rest are conflicts
    a list          every distinct value once, in the document's order
    rows            rows of one reply are rows: two of them are one only where all their words are the very same.
                    Rows of two replies are one when their keys agree: no identifying field differs, and at least one
                    is shared. Without a declared key no plain field may differ, and two rows that say all the same
                    in other places (two equal lines of a statement) stay two. Their fields fill each other's gaps;
                    where both say something else, the first stays, with a conflict

Values are compared folded (case, white space, markup), and without an abbreviation in brackets at their end; a key may
have a subtitle in one of two rows. The order in which replies arrive plays no part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from extractor.extraction.grounding.row_keys import (
    comparison_form,
    index_keys,
    key_forms,
    keys_agree,
    names_agree,
)
from extractor.extraction.grounding.tree import iterate_leaves
from extractor.schema.reader import Node, Object, ObjectList, Scalar, ValueList
from extractor.types import (
    Conflict,
    GroundedList,
    GroundedNode,
    GroundedObject,
    GroundedValue,
    Match,
    Span,
    ValuePath,
)

_STRICTNESS = {m: i for i, m in enumerate((Match.EXACT, Match.NORMALISED, Match.DERIVED, Match.FUZZY, Match.NONE))}
MAX_CANDIDATES = 64
"""Rows of one identifying value that a row is compared with, the latest: what more share tells none of them apart."""
EQUAL_LINE = 2
"""Plain values from which on two rows without a declared key that say all the same are two lines of a document."""


@dataclass(frozen=True, slots=True)
class PartialRecord:
    """What one reply gave. `order` is the place of what it was asked about; no two replies have the same `reply`."""

    order: tuple[int, ...]
    tree: GroundedObject
    reply: int = 0


@dataclass(frozen=True, slots=True)
class MergedRecord:
    tree: GroundedObject
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """A node of one reply's tree."""

    reply: int
    node: GroundedNode


@dataclass(slots=True)
class _RowGroup:
    """Rows that are one. `forms` are the compared forms of the first of them by field."""

    parts: list[_Part] = field(default_factory=list)
    forms: list[Mapping[str, str]] = field(default_factory=list)
    words: list[frozenset[tuple[ValuePath, Span]]] = field(default_factory=list)


def merge_records(node: Object, records: Sequence[PartialRecord]) -> MergedRecord:
    """One record out of what each reply brought."""
    conflicts: list[Conflict] = []
    ordered = [_Part(r.reply, r.tree) for r in sorted(records, key=lambda r: (r.order, r.reply))]
    tree = _merge_node(node, ordered, (), conflicts)
    return MergedRecord(tree if isinstance(tree, GroundedObject) else GroundedObject(), tuple(conflicts))


def _merge_node(
    node: Node, parts: Sequence[_Part], path: ValuePath, conflicts: list[Conflict], *, vote: bool = True
) -> GroundedNode | None:
    match node:
        case Scalar():
            leaves = [p.node for p in parts if isinstance(p.node, GroundedValue)]
            return _choose_value(leaves, path, conflicts, vote)
        case ValueList():
            return _merge_values(parts)
        case ObjectList():
            return _merge_rows(node, parts, path, conflicts)
        case Object():
            return _merge_object(node, parts, path, conflicts, vote=vote)


def _merge_object(
    node: Object, parts: Sequence[_Part], path: ValuePath, conflicts: list[Conflict], *, vote: bool
) -> GroundedObject | None:
    fields: dict[str, GroundedNode] = {}
    for f in node.fields:
        inner = list(_select_field(parts, f.name))
        merged = _merge_node(f.node, inner, (*path, f.name), conflicts, vote=vote) if inner else None
        if merged is not None:
            fields[f.name] = merged
    return GroundedObject(fields) if fields or not path else None


def _select_field(parts: Sequence[_Part], name: str) -> Iterator[_Part]:
    for p in parts:
        if isinstance(p.node, GroundedObject) and name in p.node.fields:
            yield _Part(p.reply, p.node.fields[name])


def _choose_value(
    leaves: Sequence[GroundedValue], path: ValuePath, conflicts: list[Conflict], vote: bool
) -> GroundedValue | None:
    """The value that most say; in a row the first, which is told once in full and then mentioned."""
    if not leaves:
        return None
    votes: dict[str, list[GroundedValue]] = {}
    for leaf in leaves:
        votes.setdefault(comparison_form(leaf.value), []).append(leaf)
    ranked = list(votes.values())
    if vote:
        ranked.sort(key=lambda same: (-len(same), min(_STRICTNESS[leaf.evidence.match] for leaf in same)))
    kept = ranked[0][0]
    conflicts.extend(Conflict(path, kept, others[0]) for others in ranked[1:])
    return kept


def _merge_values(parts: Sequence[_Part]) -> GroundedList | None:
    """Every value once, but what one reply says twice of two places, such as two equal scores, is there twice."""
    kept: list[GroundedNode] = []
    seen: dict[str, int] = {}
    for p in parts:
        for leaf in p.node.items if isinstance(p.node, GroundedList) else ():
            assert isinstance(leaf, GroundedValue)  # noqa: S101 -- the schema says so
            form = comparison_form(leaf.value)
            if seen.setdefault(form, p.reply) == p.reply and leaf not in kept[-1:]:
                kept.append(leaf)
    return GroundedList(tuple(kept)) if kept else None


def _merge_rows(
    node: ObjectList, parts: Sequence[_Part], path: ValuePath, conflicts: list[Conflict]
) -> GroundedList | None:
    groups: list[_RowGroup] = []
    by_form: dict[tuple[str, str], list[int]] = {}
    by_words: dict[frozenset[tuple[ValuePath, Span]], int] = {}
    for p in parts:
        for row in p.node.items if isinstance(p.node, GroundedList) else ():
            assert isinstance(row, GroundedObject)  # noqa: S101 -- the schema says so
            part, forms, words = _Part(p.reply, row), key_forms(node, row), _row_words(row)
            known = {i for k in index_keys(node, forms) for i in by_form.get(k, ())[-MAX_CANDIDATES:]}
            known |= {by_words[words]} if words in by_words else set()
            at = next((i for i in sorted(known) if _is_same_row(node, groups[i], part, forms, words)), None)
            if at is None:
                at = len(groups)
                groups.append(_RowGroup())
                by_words.setdefault(words, at)
                for k in index_keys(node, forms):
                    by_form.setdefault(k, []).append(at)
            groups[at].parts.append(part)
            groups[at].forms.append(forms)
            groups[at].words.append(words)
    rows = [_merge_object(node.row, g.parts, (*path, i), conflicts, vote=False) for i, g in enumerate(groups)]
    return GroundedList(tuple(row for row in rows if row is not None)) if rows else None


def _row_words(row: GroundedObject) -> frozenset[tuple[ValuePath, Span]]:
    return frozenset((at, span) for at, leaf in iterate_leaves(row) for span in leaf.evidence.spans)


def _is_same_row(
    node: ObjectList,
    group: _RowGroup,
    part: _Part,
    forms: Mapping[str, str],
    words: frozenset[tuple[ValuePath, Span]],
) -> bool:
    for other, theirs, their_words in zip(group.parts, group.forms, group.words, strict=True):
        if not keys_agree(node, forms, theirs):
            return False
        same_words = bool(words) and words == their_words
        if other.reply == part.reply and not same_words:
            return False
        if not node.key_declared and not same_words and not _may_be_one(forms, theirs, words, their_words):
            return False
    return True


def _may_be_one(
    a: Mapping[str, str],
    b: Mapping[str, str],
    words: frozenset[tuple[ValuePath, Span]],
    their_words: frozenset[tuple[ValuePath, Span]],
) -> bool:
    """Whether two rows without a declared key may be one: nothing differs, and they are not two equal lines."""
    shared = a.keys() & b.keys()
    if any(not names_agree(a[name], b[name]) for name in shared):
        return False
    equal_lines = a.keys() == b.keys() and len(shared) >= EQUAL_LINE
    return not equal_lines or bool(words & their_words)
