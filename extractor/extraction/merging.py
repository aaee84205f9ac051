"""What the replies gave, merged into one record: the rule for every disagreement is written here.

    one value       the one most replies agree on; then the stricter match; then the first. The rest are conflicts
    a list          every distinct value once, in the document's order; every number, which is one of a series, and
                    equal values on lines of their own
    rows            rows of one reply are rows: two of them are one only where all their words are the very same.
                    Rows of two replies are one when their keys agree: no identifying field differs, and at least one
                    is shared. Without a declared key no plain field may differ, and two rows that say all the same
                    in other places (two equal lines of a statement), or that stand on two lines of one list, stay
                    two. Their fields fill each other's gaps; where both say something else, the first stays, with a
                    conflict. Without a declared key two that each say something which the other does not are
                    one only on the same words. Rows that a cut has parted are put together by row_fragments

Values are compared folded (case, white space, markup), and without an abbreviation in brackets at their end; a key may
have a subtitle in one of two rows. The order in which replies arrive plays no part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from extractor.extraction.grounding.row_keys import comparison_form, key_forms
from extractor.extraction.grounding.tree import iterate_leaves
from extractor.extraction.row_fragments import Cuts, mark_rest
from extractor.extraction.row_layout import Breaks
from extractor.extraction.row_matching import ReplyPart, RowGroup, RowIndex, find_row_words, is_same_row
from extractor.extraction.row_runs import LinePlace, LineRuns
from extractor.schema.open_objects import UNNAMED
from extractor.schema.reader import Node, Object, ObjectList, Scalar, ValueList
from extractor.schema.written_form import LONE
from extractor.types import (
    Conflict,
    Document,
    GroundedList,
    GroundedNode,
    GroundedObject,
    GroundedValue,
    Match,
    Span,
    ValuePath,
)

_STRICTNESS = {m: i for i, m in enumerate((Match.EXACT, Match.NORMALISED, Match.DERIVED, Match.FUZZY, Match.NONE))}


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
    fragments: tuple[ValuePath, ...] = ()
    """Lists with a row that may be the rest of another one."""


@dataclass(slots=True)
class _Merge:
    lines: LineRuns | None
    pieces: Mapping[int, int]
    """Of each reply the number of the piece of text that it is about."""
    breaks: Callable[[], Breaks | None]
    conflicts: list[Conflict] = field(default_factory=list)
    fragments: list[ValuePath] = field(default_factory=list)


@dataclass(slots=True)
class _Mentions:
    """Where a value of a plain list was said: by which reply first, on which words, on lines of which runs."""

    reply: int
    words: set[tuple[Span, ...]] = field(default_factory=set)
    lines: set[int] = field(default_factory=set)
    runs: set[int] = field(default_factory=set)

    def add(self, words: tuple[Span, ...], place: LinePlace | None) -> None:
        self.words.add(words)
        if place is not None:
            self.lines.add(place.line)
            self.runs.add(place.run)


def merge_records(node: Object, records: Sequence[PartialRecord], document: Document | None = None) -> MergedRecord:
    """One record out of what each reply brought about the document; without it no lines are told apart."""
    lines = LineRuns(document) if document is not None and len(records) > 1 else None
    pieces = {order: number for number, order in enumerate(sorted({r.order for r in records}))}
    breaks = cache(lambda: Breaks(document) if document is not None else None)
    merge = _Merge(lines, {r.reply: pieces[r.order] for r in records}, breaks)
    ordered = [ReplyPart(r.reply, r.tree) for r in sorted(records, key=lambda r: (r.order, r.reply))]
    tree = _merge_node(node, ordered, (), merge)
    tree = tree if isinstance(tree, GroundedObject) else GroundedObject()
    return MergedRecord(tree, tuple(merge.conflicts), tuple(merge.fragments))


def _merge_node(
    node: Node, parts: Sequence[ReplyPart], path: ValuePath, merge: _Merge, *, vote: bool = True
) -> GroundedNode | None:
    if isinstance(node, Object) and node.or_value:
        parts = [ReplyPart(p.reply, _as_object(p.node)) for p in parts]
        own = [p for p in parts if not _is_lone(p.node)] or parts
    else:
        own = [p for p in parts if _has_form(node, p.node)]
    if len(own) == len(parts):
        return _merge_form(node, parts, path, merge, vote=vote)
    merged = _merge_form(node, own, path, merge, vote=vote)
    kept = next((leaf for _, leaf in iterate_leaves(merged)), None) if merged else None
    others = [leaf for p in parts if p not in own for _, leaf in iterate_leaves(p.node)]
    merge.conflicts.extend(Conflict(path, kept or leaf, leaf) for leaf in others)
    return merged


def _has_form(node: Node, part: GroundedNode) -> bool:
    """Whether what a reply said has the form that the place has; a schema may take several, and replies differ."""
    match node:
        case Scalar():
            return isinstance(part, GroundedValue)
        case ValueList():
            return all(isinstance(one, GroundedValue) for one in _list_items(part))
        case ObjectList(row):
            of_rows = (GroundedObject, GroundedValue) if row.or_value else GroundedObject
            return all(isinstance(one, of_rows) for one in _list_items(part))
        case Object(fields):
            listed = next((f.node for f in fields if f.name == UNNAMED), None)
            return isinstance(part, GroundedObject) or (
                isinstance(part, GroundedList) and listed is not None and _has_form(listed, part)
            )


def _as_object(part: GroundedNode) -> GroundedNode:
    """One value that stands in place of an object, as the object that holds it."""
    return GroundedObject({LONE: part}) if isinstance(part, GroundedValue) else part


def _is_lone(part: GroundedNode) -> bool:
    return isinstance(part, GroundedObject) and LONE in part.fields


def _merge_form(
    node: Node, parts: Sequence[ReplyPart], path: ValuePath, merge: _Merge, *, vote: bool
) -> GroundedNode | None:
    match node:
        case Scalar():
            leaves = [p.node for p in parts if isinstance(p.node, GroundedValue)]
            return _choose_value(leaves, path, merge, vote)
        case ValueList(item):
            return _merge_values(item, parts, merge)
        case ObjectList():
            return _merge_rows(node, parts, path, merge)
        case Object():
            return _merge_object(node, parts, path, merge, vote=vote)


def _merge_object(
    node: Object, parts: Sequence[ReplyPart], path: ValuePath, merge: _Merge, *, vote: bool
) -> GroundedObject | None:
    fields: dict[str, GroundedNode] = {}
    for f in node.fields:
        inner = list(_select_field(parts, f.name))
        merged = _merge_node(f.node, inner, (*path, f.name), merge, vote=vote) if inner else None
        if merged is not None:
            fields[f.name] = merged
    return GroundedObject(fields) if fields or not path else None


def _select_field(parts: Sequence[ReplyPart], name: str) -> Iterator[ReplyPart]:
    for p in parts:
        if isinstance(p.node, GroundedObject) and name in p.node.fields:
            yield ReplyPart(p.reply, p.node.fields[name])
        elif name == UNNAMED and isinstance(p.node, GroundedList):  # where other replies have an object, it is a list
            yield p


def _choose_value(leaves: Sequence[GroundedValue], path: ValuePath, merge: _Merge, vote: bool) -> GroundedValue | None:
    """The value that most say; in a row the first, which is told once in full and then mentioned."""
    if len(leaves) < 2:  # nothing to compare, as of most leaves of a table
        return leaves[0] if leaves else None
    votes: dict[str, list[GroundedValue]] = {}
    for leaf in leaves:
        votes.setdefault(comparison_form(leaf.value), []).append(leaf)
    ranked = list(votes.values())
    if vote:
        ranked.sort(key=lambda same: (-len(same), min(_STRICTNESS[leaf.evidence.match] for leaf in same)))
    kept = ranked[0][0]
    merge.conflicts.extend(Conflict(path, kept, others[0]) for others in ranked[1:])
    return kept


def _list_items(node: GroundedNode) -> Sequence[GroundedNode]:
    """The entries of a list; what another reply said by itself, where the schema takes both, is one entry."""
    return node.items if isinstance(node, GroundedList) else (node,)


def _merge_values(item: Scalar, parts: Sequence[ReplyPart], merge: _Merge) -> GroundedList | None:
    """Every value once, but what one reply says twice of two places, such as two equal scores, is there twice, and so
    are equal numbers, and what stands on two lines of one list."""
    is_series = item.type in ("number", "integer") and not item.enum
    said = [(p.reply, leaf) for p in parts for leaf in _list_items(p.node) if isinstance(leaf, GroundedValue)]
    words = [leaf.evidence.spans[:1] for _, leaf in said]
    places = merge.lines.place_rows(words, alone=True) if merge.lines and len(parts) > 1 else [None] * len(said)
    kept: list[GroundedNode] = []
    seen: dict[str, _Mentions] = {}
    for (reply, leaf), place, own in zip(said, places, words, strict=True):
        known = seen.setdefault(comparison_form(leaf.value), _Mentions(reply))
        if known.reply == reply:
            is_one_more = leaf not in kept[-1:]
        elif is_series:
            is_one_more = bool(own) and own not in known.words
        else:
            is_one_more = place is not None and place.line not in known.lines and place.run in known.runs
        if is_one_more:
            kept.append(leaf)
        known.add(own, place)
    return GroundedList(tuple(kept)) if kept else None


def _merge_rows(node: ObjectList, parts: Sequence[ReplyPart], path: ValuePath, merge: _Merge) -> GroundedList | None:
    groups: list[RowGroup] = []
    by_key, by_value = RowIndex(node), RowIndex(replace(node, key=(LONE,), key_declared=True))
    places = _place_rows(node, parts, merge)
    cuts = Cuts(node, merge.pieces, lambda: [(merge.pieces[p.reply], _list_items(p.node)) for p in parts], merge.breaks)
    gone: set[int] = set()
    for p in parts:
        fresh: list[tuple[int, RowIndex, Mapping[str, str]]] = []
        last = len(_list_items(p.node)) - 1
        at: int | None = None
        for number, row in enumerate(map(_as_object, _list_items(p.node))):
            assert isinstance(row, GroundedObject)  # noqa: S101 -- the schema says so
            index = by_value if _is_lone(row) else by_key
            part, forms, words, place = (
                ReplyPart(p.reply, row),
                key_forms(index.node, row),
                find_row_words(row),
                next(places),
            )
            above = None if number else cuts.find_row_above(part)
            goes_on = above is not None and cuts.is_rest(groups[above], part)
            known = [] if goes_on and not cuts.has_whole_key(part) else index.find(forms, words)
            if len(known) > 1:  # rows of one name are told apart by where it stands
                known.sort(key=lambda i: words.isdisjoint(groups[i].last_words))
            at = next((i for i in known if is_same_row(index.node, groups[i], part, forms, words, place)), None)
            if at is not None and number == last and not goes_on and cuts.is_cut_off(groups[at], part):
                at = None
            if goes_on and above is not None and at in (None, above):
                at = above
                groups[at].go_on(cuts.join(groups[at], part), forms, words, place)
                fresh.append((at, index, forms))
            else:
                if at is None:
                    at = len(groups)
                    groups.append(RowGroup())
                    index.add_words(at, words)
                    fresh.append((at, index, forms))
                if goes_on and above is not None:
                    groups[at].parts.extend(map(mark_rest, groups[above].parts))
                    gone.add(above)
                groups[at].add(part, forms, words, place)
        if at is not None and len(parts) > 1:
            cuts.end_reply(ReplyPart(p.reply, _list_items(p.node)[-1]), at)
        for number, index, said in fresh:  # rows of one reply are one by their words alone
            index.add(number, said)
    kept = [group for i, group in enumerate(groups) if i not in gone]
    merge.fragments += [path] if cuts.is_in_doubt or cuts.has_nameless(kept) else []
    rows = [_merge_object(node.row, g.parts, (*path, i), merge, vote=False) for i, g in enumerate(kept)]
    return GroundedList(tuple(row for row in rows if row is not None)) if rows else None


def _place_rows(node: ObjectList, parts: Sequence[ReplyPart], merge: _Merge) -> Iterator[LinePlace | None]:
    """The place of each row, where it may tell that it is none of another reply."""
    rows = [(merge.pieces[p.reply], row) for p in parts for row in _list_items(p.node)]
    if merge.lines is None or node.key_declared or len(parts) < 2:
        return iter([None] * len(rows))
    placed = zip(rows, merge.lines.place_nodes(row for _, row in rows), strict=True)
    return (place and replace(place, piece=piece) for (piece, _), place in placed)
