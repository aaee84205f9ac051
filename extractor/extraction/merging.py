"""What the chunks gave, merged into one record: the rule for every disagreement is written here.

    one value       the one most chunks agree on; then the stricter match; then the first. The rest are conflicts
    a list          every distinct value once, in the document's order
    rows            rows are one when their keys agree: no identifying field differs, and at least one is shared.
                    Their fields fill each other's gaps; where both say something else, the first stays, with a conflict

Values are compared folded (case, white space, markup), and without an abbreviation in brackets at their end; a key may
have a subtitle in one of two rows. The order in which replies arrive plays no part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from extractor.extraction.text.abbreviations import strip_abbreviation
from extractor.extraction.text.normalize import fold_text
from extractor.schema.reader import Node, Object, ObjectList, ValueList, empty_value
from extractor.schema.reader import Scalar as LeafNode
from extractor.types import Conflict, Evidence, GroundedValue, Json, Match, ValuePath

_STRICTNESS = {m: i for i, m in enumerate((Match.EXACT, Match.NORMALISED, Match.DERIVED, Match.FUZZY, Match.NONE))}


@dataclass(frozen=True, slots=True)
class PartialRecord:
    """A value of any depth, every plain value in it beside its evidence. `order` is the chunk's place."""

    order: tuple[int, ...]
    value: Json
    evidence: Mapping[ValuePath, Evidence]

    def at_step(self, step: str | int) -> PartialRecord:
        """What stands under one step, with paths that start there."""
        value = self.value[int(step)] if isinstance(self.value, list) else (self.value or {}).get(step)
        inner = {p[1:]: e for p, e in self.evidence.items() if p and p[0] == step}
        return PartialRecord(self.order, value, inner)

    @property
    def grounded_value(self) -> GroundedValue:
        return GroundedValue(self.value, self.evidence[()])


@dataclass(slots=True)
class MergedRecord:
    value: Json
    evidence: dict[ValuePath, Evidence] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)


def merge_records(node: Object, found: Sequence[PartialRecord]) -> MergedRecord:
    """One record's value out of what each question brought."""
    out = MergedRecord(None)
    ordered = sorted(found, key=lambda f: f.order)
    out.value = _merge_node(node, ordered, (), out)
    return out


def _merge_node(node: Node, found: Sequence[PartialRecord], path: ValuePath, out: MergedRecord) -> Json:
    match node:
        case LeafNode():
            return _vote_on_value([f for f in found if f.value is not None], path, out)
        case ValueList():
            return _merge_values(found, path, out)
        case ObjectList():
            return _merge_rows(node, found, path, out)
        case Object(fields):
            return {
                f.name: _merge_node(f.node, [x.at_step(f.name) for x in found], (*path, f.name), out) for f in fields
            }


def _comparison_form(value: Json) -> str:
    return fold_text(strip_abbreviation(str(value)))


def _vote_on_value(found: Sequence[PartialRecord], path: ValuePath, out: MergedRecord) -> Json:
    if not found:
        return None
    votes: dict[str, list[PartialRecord]] = {}
    for f in found:
        votes.setdefault(_comparison_form(f.value), []).append(f)
    ranked = sorted(
        votes.values(), key=lambda fs: (-len(fs), min(_STRICTNESS[f.grounded_value.evidence.match] for f in fs))
    )
    kept = ranked[0][0].grounded_value
    out.evidence[path] = kept.evidence
    for others in ranked[1:]:
        out.conflicts.append(Conflict(path, kept, others[0].grounded_value))
    return kept.value


def _merge_values(found: Sequence[PartialRecord], path: ValuePath, out: MergedRecord) -> list[Json]:
    kept: list[Json] = []
    seen: set[str] = set()
    for f in found:
        for i in range(len(f.value or ())):
            one = f.at_step(i)
            if (spelled := _comparison_form(one.value)) in seen:
                continue
            seen.add(spelled)
            out.evidence[(*path, len(kept))] = one.grounded_value.evidence
            kept.append(one.value)
    return kept


def _merge_rows(node: ObjectList, found: Sequence[PartialRecord], path: ValuePath, out: MergedRecord) -> list[Json]:
    merged: list[list[PartialRecord]] = []
    for f in found:
        for i in range(len(f.value or ())):
            row = f.at_step(i)
            home = next((rows for rows in merged if all(_keys_agree(node, row, r) for r in rows)), None)
            if home is None:
                merged.append([row])
            else:
                home.append(row)
    return [_merge_row(node.row, rows, (*path, i), out) for i, rows in enumerate(merged)]


def _keys_agree(node: ObjectList, a: PartialRecord, b: PartialRecord) -> bool:
    shared = 0
    for key in node.key:
        x, y = a.value.get(key), b.value.get(key)
        if x in (None, "", []) or y in (None, "", []):
            continue
        if not _names_agree(_comparison_form(x), _comparison_form(y)):
            return False
        shared += 1
    return shared > 0


def _names_agree(a: str, b: str) -> bool:
    """Whether two names are one: the same, or one of them with what it says after a colon: "Ode: a song of praise"."""
    short, long = sorted((a, b), key=len)
    return short == long or (bool(short) and long.startswith(f"{short}:"))


def _merge_row(node: Object, rows: Sequence[PartialRecord], path: ValuePath, out: MergedRecord) -> Json:
    value = empty_value(node)
    for f in node.fields:
        parts = [r.at_step(f.name) for r in rows]
        if isinstance(f.node, LeafNode):
            value[f.name] = _first_value(parts, (*path, f.name), out)
        else:
            value[f.name] = _merge_node(f.node, parts, (*path, f.name), out)
    return value


def _first_value(found: Sequence[PartialRecord], path: ValuePath, out: MergedRecord) -> Json:
    """The first that says something; a row is told once in full and then mentioned, so votes would not mean much."""
    said = [f for f in found if f.value is not None]
    if not said:
        return None
    kept = said[0].grounded_value
    out.evidence[path] = kept.evidence
    differing = {
        _comparison_form(f.value): f
        for f in reversed(said)
        if _comparison_form(f.value) != _comparison_form(kept.value)
    }
    out.conflicts.extend(Conflict(path, kept, f.grounded_value) for f in reversed(differing.values()))
    return kept.value
