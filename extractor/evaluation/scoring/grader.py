"""One document against its gold: a cell for every leaf that either of them holds.

    optional   gold may be left out: then it is not scored; where it is there, it counts like any other
    accept     other readings that are as right; for a gold null, a value that may be there; on a list of scalars, items
               that may be there; a null among them makes a gold value optional; a list or object stands for the whole

A predicted value of another shape than the schema's (a text where a list belongs) is one invented leaf, and what gold
has there is omitted; where gold itself has another shape, the values decide what is compared with what. What is nested
deeper than `fields.DEEPEST` is compared as one value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

from extractor.evaluation.gold import Gold
from extractor.evaluation.scoring import multisets
from extractor.evaluation.scoring.alignment import Sketch, Token, align
from extractor.evaluation.scoring.comparators import form, same, spell
from extractor.evaluation.scoring.grounding import NO_CLAIM, Grounds
from extractor.evaluation.scoring.outcomes import Cell, Outcome, Support
from extractor.evaluation.scoring.schema import (
    DEEPEST,
    Field,
    Group,
    Leaf,
    Rows,
    Unknown,
    Values,
    blank,
    infer,
    infer_leaf,
)
from extractor.evaluation.scoring.walk import WHOLE, children, leaves, step
from extractor.schema.annotations import Kind
from extractor.types import Json

_COSTS = (Outcome.WRONG, Outcome.OMITTED, Outcome.INVENTED)
_PREDICTED = (Outcome.CORRECT, Outcome.WRONG, Outcome.INVENTED)


@dataclass(frozen=True, slots=True)
class Grading:
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    """What a reader of the figures must know, such as lists too long to be aligned optimally."""


def grade(gold: Gold, result: Mapping[str, Json] | None, schema: Group, run: str) -> list[Cell]:
    """The cells of one document; see `grading`."""
    return list(grading(gold, result, schema, run).cells)


def grading(gold: Gold, result: Mapping[str, Json] | None, schema: Group, run: str) -> Grading:
    """Compares a result (None: the run has none) with gold by the schema's tree, in the order of the schema's fields.

    A result without a record costs all of gold's leaves, marked `failed`. Never raises for what a result holds.
    """
    record = result.get("record") if result is not None else None
    walk = _Walk(gold, Grounds(result), run, not isinstance(record, dict))
    walk.group(schema, gold.record, record if isinstance(record, dict) else {}, _At())
    return Grading(tuple(walk.cells), tuple(walk.notes))


@dataclass(frozen=True, slots=True)
class _At:
    """Where the walk stands: pointers into both records, and the schema's name of the place."""

    gold: str = ""
    predicted: str = ""
    field: str = ""
    optional: bool = False
    depth: int = 0


class _Walk:
    def __init__(self, gold: Gold, grounds: Grounds, run: str, failed: bool) -> None:
        self.gold, self.grounds, self.run, self.failed = gold, grounds, run, failed
        self.optional, self.accept = gold.optional, gold.accept
        self.cells: list[Cell] = []
        self.notes: list[str] = []

    def group(self, node: Group, gold: Mapping[str, Json], predicted: Mapping[str, Json], at: _At) -> None:
        for name, one in children(node, gold, predicted):
            self.field(one, gold.get(name), predicted.get(name), self._into(at, name))

    def field(self, node: Field, gold: Json, predicted: Json, at: _At) -> None:
        if isinstance(node, Leaf):
            self.leaf(node, gold, predicted, at)
            return
        others = [one for one in self.accept.get(at.gold, ()) if isinstance(one, dict | list)] if self.accept else []
        if others:
            self._best(node, gold, others, predicted, at)
            return
        if blank(gold) and blank(predicted):
            if isinstance(node, Values):
                self._add(Outcome.ABSENT, node.item or WHOLE, None, None, self._item(at, None, None))
            return
        if isinstance(node, Unknown) or not (blank(gold) or isinstance(gold, _shape(node))):
            node = infer(gold, predicted)
        if isinstance(node, Leaf) or at.depth >= DEEPEST:
            self.leaf(node if isinstance(node, Leaf) else WHOLE, gold, predicted, at)
            return
        shape = _shape(node)
        if not isinstance(gold, shape):
            self.omit(WHOLE, gold, at)
            gold = shape()
        if not isinstance(predicted, shape):
            self.invent(WHOLE, predicted, at)
            predicted = shape()
        if isinstance(node, Group):
            self.group(node, gold, predicted, at)
        elif isinstance(node, Rows):
            self.rows(node, gold, predicted, at)
        elif isinstance(node, Values):
            self.values(node, gold, predicted, at)

    def _best(self, node: Field, gold: Json, others: list[Json], predicted: Json, at: _At) -> None:
        """The reading of a list or object under which the prediction is most right; of equals the first."""
        accept = {path: given for path, given in self.accept.items() if path != at.gold}
        tried: list[_Walk] = []
        for reading, given in [(gold, accept), *((other, {}) for other in others)]:
            walk = _Walk(replace(self.gold, accept=given), self.grounds, self.run, self.failed)
            walk.field(node, reading, predicted, at)
            tried.append(walk)
        best = max(tried, key=_merit)
        self.cells += best.cells
        self.notes += best.notes

    def leaf(self, leaf: Leaf, gold: Json, predicted: Json, at: _At) -> None:
        accepted = self.accept.get(at.gold, ()) if self.accept else ()
        absent = blank(gold)
        if blank(predicted):
            if absent:
                outcome = Outcome.ABSENT
            elif at.optional or any(blank(one) for one in accepted):
                outcome = Outcome.UNSCORED
            else:
                outcome = Outcome.OMITTED
        elif (not absent and same(leaf, gold, predicted)) or any(same(leaf, one, predicted) for one in accepted):
            outcome = Outcome.CORRECT
        else:
            outcome = Outcome.INVENTED if absent else Outcome.WRONG
        self._add(outcome, leaf, gold, predicted, at)

    def values(self, node: Values, gold: list[Json], predicted: list[Json], at: _At) -> None:
        leaf = node.item or infer_leaf([*gold, *predicted])
        places = [self._item(at, i, None) for i in range(len(gold))]
        order = sorted((i for i, value in enumerate(gold) if not blank(value)), key=lambda i: places[i].optional)
        right = [j for j, value in enumerate(predicted) if not blank(value)]
        readings = [[gold[i], *(one for one in self.accept.get(places[i].gold, ()) if not blank(one))] for i in order]
        extra = [one for one in self.accept.get(at.gold, ()) if not blank(one)]
        found, complete = multisets.match(leaf, [*readings, *([one] for one in extra)], [predicted[j] for j in right])
        if not complete:
            self._note(at, len(order), len(right), "compared with tolerance")
        whose = {order[a]: right[b] for a, b in found.items() if a < len(order)}
        welcome = {right[b] for a, b in found.items() if a >= len(order)}
        taken = set(whose.values())
        for i, value in enumerate(gold):
            if i in whose:
                self._add(Outcome.CORRECT, leaf, value, predicted[whose[i]], self._item(at, i, whose[i]))
            else:
                self.omit(leaf, value, places[i])
        for j in right:
            if j in welcome:
                self._add(Outcome.CORRECT, leaf, None, predicted[j], self._item(at, None, j))
            elif j not in taken:
                self.invent(leaf, predicted[j], self._item(at, None, j))

    def rows(self, node: Rows, gold: list[Json], predicted: list[Json], at: _At) -> None:
        left = [i for i, row in enumerate(gold) if not blank(row)]
        right = [j for j, row in enumerate(predicted) if not blank(row)]
        places = {i: self._item(at, i, None) for i in left}
        pairs = _identical({i: gold[i] for i in left}, {j: predicted[j] for j in right}, places)
        taken = set(pairs.values())
        rest = [i for i in left if i not in pairs], [j for j in right if j not in taken]
        if all(rest):
            ours = [self._sketch(node, gold[i], places[i], self.accept) for i in rest[0]]
            found = align(ours, [self._sketch(node, predicted[j], at, {}) for j in rest[1]])
            if not found.optimal:
                self._note(at, len(left), len(right), "aligned optimally")
            pairs |= {rest[0][a]: rest[1][b] for a, b in found.pairs}
        for i in left:
            if i in pairs:
                self.field(node.row, gold[i], predicted[pairs[i]], self._item(at, i, pairs[i]))
            else:
                self.omit(node.row, gold[i], places[i])
        taken = set(pairs.values())
        for j in right:
            if j not in taken:
                self.invent(node.row, predicted[j], self._item(at, None, j))

    def _sketch(self, node: Rows, row: Json, at: _At, accept: Mapping[str, tuple[Json, ...]]) -> Sketch:
        """What alignment sees of the row."""
        seen: dict[Hashable, int] = defaultdict(int)
        found: list[tuple[Token, ...]] = []
        for field, leaf, value, path in leaves(node.row, row, at.gold, "", at.depth + 1):
            token = (field, *form(leaf.kind, value))
            seen[token] += 1
            forms: list[Token] = [(*token, seen[token])]
            if path in accept:
                forms += [(field, *form(leaf.kind, one), 1) for one in accept[path] if not blank(one)]
            found.append(tuple(dict.fromkeys(forms)) if len(forms) > 1 else (forms[0],))
        keys: list[tuple[Token, ...]] = []
        texts: list[tuple[str, ...]] = []
        for name in node.key if isinstance(row, dict) else ():
            child = node.row.fields.get(name)
            kind = child.kind if isinstance(child, Leaf) else WHOLE.kind
            readings = [one for one in (row.get(name), *accept.get(at.gold + step(name), ())) if not blank(one)]
            keys.append(tuple(dict.fromkeys(form(kind, one) for one in readings)))
            wordy = kind in (Kind.TEXT, Kind.NAME)
            texts.append(tuple(one for one in readings if isinstance(one, str)) if wordy else ())
        return Sketch(tuple(found), tuple(keys), tuple(texts), at.optional)

    def omit(self, node: Field, gold: Json, at: _At) -> None:
        for field, leaf, value, path in leaves(node, gold, at.gold, at.field, at.depth):
            outcome = Outcome.UNSCORED if at.optional or self._spared(path, at.gold) else Outcome.OMITTED
            self._add(outcome, leaf, value, None, _At(path, "", field))

    def invent(self, node: Field, predicted: Json, at: _At) -> None:
        for field, leaf, value, path in leaves(node, predicted, at.predicted, at.field, at.depth):
            self._add(Outcome.INVENTED, leaf, None, value, _At("", path, field))

    def _spared(self, path: str, above: str) -> bool:
        """Whether gold marks the leaf, or what holds it below `above`, optional, or accepts that it is left out."""
        if any(blank(one) for one in self.accept.get(path, ())):
            return True
        while len(path) > len(above):
            if path in self.optional:
                return True
            path = path.rpartition("/")[0]
        return False

    def _into(self, at: _At, name: str) -> _At:
        gold = at.gold + step(name)
        field = f"{at.field}.{name}" if at.field else name
        return _At(gold, at.predicted + step(name), field, at.optional or gold in self.optional, at.depth + 1)

    def _item(self, at: _At, i: int | None, j: int | None) -> _At:
        gold = "" if i is None else f"{at.gold}/{i}"
        predicted = "" if j is None else f"{at.predicted}/{j}"
        return _At(gold, predicted, at.field + "[]", at.optional or gold in self.optional, at.depth + 1)

    def _note(self, at: _At, ours: int, theirs: int, what: str) -> None:
        self.notes.append(f"{at.field}: {ours} gold and {theirs} predicted items are too many to be {what} in full.")

    def _add(self, outcome: Outcome, leaf: Leaf, gold: Json, predicted: Json, at: _At) -> None:
        claim, support = NO_CLAIM, Support.UNKNOWN
        there = outcome in _PREDICTED
        if there and self.grounds.text is not None:
            claim = self.grounds.claim(at.predicted)
            support = self.grounds.support(leaf, predicted, at.predicted, self.gold.spans.get(at.gold, ()))
        self.cells.append(
            Cell(
                self.run,
                self.gold.document,
                at.field,
                outcome,
                gold,
                predicted,
                None if gold is None else at.gold or None,
                at.predicted if there else None,
                leaf.comparator,
                support,
                claim.match,
                claim.spans,
                claim.confidence,
                self.failed,
            )
        )


def _shape(node: Field) -> type[dict[str, Json]] | type[list[Json]]:
    return dict if isinstance(node, Group) else list


def _identical(gold: Mapping[int, Json], predicted: Mapping[int, Json], places: Mapping[int, _At]) -> dict[int, int]:
    """Rows that are the same to the letter: what alignment would pair first anyway, at a fraction of the cost."""
    waiting: dict[str, list[int]] = defaultdict(list)
    for j, row in predicted.items():
        waiting[_letters(row)].append(j)
    pairs: dict[int, int] = {}
    for i in sorted(gold, key=lambda i: places[i].optional):
        same_rows = waiting.get(_letters(gold[i]))
        if same_rows:
            pairs[i] = same_rows.pop(0)
    return pairs


def _letters(row: Json) -> str:
    try:
        return repr(row)
    except RecursionError:
        return spell(row)


def _merit(walk: _Walk) -> tuple[int, int]:
    right = sum(cell.outcome is Outcome.CORRECT for cell in walk.cells)
    return right - sum(cell.outcome in _COSTS for cell in walk.cells), right
