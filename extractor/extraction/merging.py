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

from extractor.extraction.text import abbreviations
from extractor.extraction.text import normalize as spelling
from extractor.schema.reader import Leaf as LeafNode
from extractor.schema.reader import Node, Object, Rows, Values, empty
from extractor.types import Conflict, Evidence, Json, Leaf, Match, Path

_STRICTNESS = {m: i for i, m in enumerate((Match.EXACT, Match.NORMALISED, Match.DERIVED, Match.FUZZY, Match.NONE))}


@dataclass(frozen=True, slots=True)
class Found:
    """A value of any depth, every plain value in it beside its evidence. `order` is the chunk's place."""

    order: tuple[int, ...]
    value: Json
    evidence: Mapping[Path, Evidence]

    def under(self, step: str | int) -> Found:
        """What stands under one step, with paths that start there."""
        value = self.value[int(step)] if isinstance(self.value, list) else (self.value or {}).get(step)
        inner = {p[1:]: e for p, e in self.evidence.items() if p and p[0] == step}
        return Found(self.order, value, inner)

    @property
    def leaf(self) -> Leaf:
        return Leaf(self.value, self.evidence[()])


@dataclass(slots=True)
class Combined:
    value: Json
    evidence: dict[Path, Evidence] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)


def combine(node: Object, found: Sequence[Found]) -> Combined:
    """One record's value out of what each question brought."""
    out = Combined(None)
    ordered = sorted(found, key=lambda f: f.order)
    out.value = _merge(node, ordered, (), out)
    return out


def _merge(node: Node, found: Sequence[Found], path: Path, out: Combined) -> Json:
    match node:
        case LeafNode():
            return _leaf([f for f in found if f.value is not None], path, out)
        case Values():
            return _values(found, path, out)
        case Rows():
            return _rows(node, found, path, out)
        case Object(fields):
            return {f.name: _merge(f.node, [x.under(f.name) for x in found], (*path, f.name), out) for f in fields}


def _same(value: Json) -> str:
    return spelling.fold(abbreviations.without(str(value)))


def _leaf(found: Sequence[Found], path: Path, out: Combined) -> Json:
    if not found:
        return None
    votes: dict[str, list[Found]] = {}
    for f in found:
        votes.setdefault(_same(f.value), []).append(f)
    ranked = sorted(votes.values(), key=lambda fs: (-len(fs), min(_STRICTNESS[f.leaf.evidence.match] for f in fs)))
    kept = ranked[0][0].leaf
    out.evidence[path] = kept.evidence
    for others in ranked[1:]:
        out.conflicts.append(Conflict(path, kept, others[0].leaf))
    return kept.value


def _values(found: Sequence[Found], path: Path, out: Combined) -> list[Json]:
    kept: list[Json] = []
    seen: set[str] = set()
    for f in found:
        for i in range(len(f.value or ())):
            one = f.under(i)
            if (spelled := _same(one.value)) in seen:
                continue
            seen.add(spelled)
            out.evidence[(*path, len(kept))] = one.leaf.evidence
            kept.append(one.value)
    return kept


def _rows(node: Rows, found: Sequence[Found], path: Path, out: Combined) -> list[Json]:
    merged: list[list[Found]] = []
    for f in found:
        for i in range(len(f.value or ())):
            row = f.under(i)
            home = next((rows for rows in merged if all(_agree(node, row, r) for r in rows)), None)
            if home is None:
                merged.append([row])
            else:
                home.append(row)
    return [_row(node.row, rows, (*path, i), out) for i, rows in enumerate(merged)]


def _agree(node: Rows, a: Found, b: Found) -> bool:
    shared = 0
    for key in node.key:
        x, y = a.value.get(key), b.value.get(key)
        if x in (None, "", []) or y in (None, "", []):
            continue
        if not _alike(_same(x), _same(y)):
            return False
        shared += 1
    return shared > 0


def _alike(a: str, b: str) -> bool:
    """Whether two names are one: the same, or one of them with what it says after a colon: "Ode: a song of praise"."""
    short, long = sorted((a, b), key=len)
    return short == long or (bool(short) and long.startswith(f"{short}:"))


def _row(node: Object, rows: Sequence[Found], path: Path, out: Combined) -> Json:
    value = empty(node)
    for f in node.fields:
        parts = [r.under(f.name) for r in rows]
        if isinstance(f.node, LeafNode):
            value[f.name] = _first(parts, (*path, f.name), out)
        else:
            value[f.name] = _merge(f.node, parts, (*path, f.name), out)
    return value


def _first(found: Sequence[Found], path: Path, out: Combined) -> Json:
    """The first that says something; a row is told once in full and then mentioned, so votes would not mean much."""
    said = [f for f in found if f.value is not None]
    if not said:
        return None
    kept = said[0].leaf
    out.evidence[path] = kept.evidence
    differing = {_same(f.value): f for f in reversed(said) if _same(f.value) != _same(kept.value)}
    out.conflicts.extend(Conflict(path, kept, f.leaf) for f in reversed(differing.values()))
    return kept.value
