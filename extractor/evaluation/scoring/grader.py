"""One document against its gold: a cell for every leaf that either of them holds.

    optional   gold may be left out: then it is not scored; where it is there, it counts like any other
    accept     other readings that are as right; for a gold null, a value that may be there; on a list of scalars, items
               that may be there; a null among them makes a gold value optional; a list or object stands for the whole

A predicted value of another shape than the schema's (a text where a list belongs) is one invented leaf, and what gold
has there is omitted; where gold itself has another shape, the values decide what is compared with what. What is nested
deeper than `schema.MAX_DEPTH` is compared as one value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

from extractor.evaluation.gold import Gold
from extractor.evaluation.scoring.grounding import NO_CLAIM, ResultEvidence
from extractor.evaluation.scoring.multisets import match_multisets
from extractor.evaluation.scoring.outcomes import LeafOutcome, ScoreCell, ValueSupport
from extractor.evaluation.scoring.schema import (
    MAX_DEPTH,
    LeafNode,
    ObjectListNode,
    ObjectNode,
    SchemaNode,
    UnknownNode,
    ValueListNode,
    infer_leaf_node,
    infer_node,
    is_blank,
)
from extractor.evaluation.scoring.walk import WHOLE_VALUE, format_pointer_step, iterate_child_nodes, iterate_leaf_values
from extractor.extraction.comparison.alignment import LeafToken, RowSketch, align_rows
from extractor.extraction.comparison.comparators import canonicalise_value, serialise_value, values_match
from extractor.schema.annotations import Kind
from extractor.types import Json

_ERROR_OUTCOMES = (LeafOutcome.WRONG, LeafOutcome.OMITTED, LeafOutcome.INVENTED)
_PREDICTED_OUTCOMES = (LeafOutcome.CORRECT, LeafOutcome.WRONG, LeafOutcome.INVENTED)


@dataclass(frozen=True, slots=True)
class GradingResult:
    cells: tuple[ScoreCell, ...]
    notes: tuple[str, ...] = ()
    """What a reader of the figures must know, such as lists too long to be aligned optimally."""


def grade_document_cells(
    gold: Gold, result: Mapping[str, Json] | None, schema: ObjectNode, run: str
) -> list[ScoreCell]:
    """The cells of one document; see the module's docstring."""
    return list(grade_document(gold, result, schema, run).cells)


def grade_document(gold: Gold, result: Mapping[str, Json] | None, schema: ObjectNode, run: str) -> GradingResult:
    """Compares a result (None: the run has none) with gold by the schema's tree, in the order of the schema's fields.

    A result without a record costs all of gold's leaves, marked `failed`. Never raises for what a result holds.
    """
    record = result.get("record") if result is not None else None
    walk = _DocumentGrader(gold, ResultEvidence(result), run, not isinstance(record, dict))
    walk.grade_object(schema, gold.record, record if isinstance(record, dict) else {}, _Position())
    return GradingResult(tuple(walk.cells), tuple(walk.notes))


@dataclass(frozen=True, slots=True)
class _Position:
    """Where the walk stands: pointers into both records, and the schema's name of the place."""

    gold: str = ""
    predicted: str = ""
    field: str = ""
    optional: bool = False
    depth: int = 0


class _DocumentGrader:
    def __init__(self, gold: Gold, grounds: ResultEvidence, run: str, failed: bool) -> None:
        self.gold, self.grounds, self.run, self.failed = gold, grounds, run, failed
        self.optional, self.accept = gold.optional, gold.accept
        self.cells: list[ScoreCell] = []
        self.notes: list[str] = []

    def grade_object(
        self, node: ObjectNode, gold: Mapping[str, Json], predicted: Mapping[str, Json], at: _Position
    ) -> None:
        for name, one in iterate_child_nodes(node, gold, predicted):
            self.grade_field(one, gold.get(name), predicted.get(name), self._enter_field(at, name))

    def grade_field(self, node: SchemaNode, gold: Json, predicted: Json, at: _Position) -> None:
        if isinstance(node, LeafNode):
            self.grade_leaf(node, gold, predicted, at)
            return
        others = [one for one in self.accept.get(at.gold, ()) if isinstance(one, dict | list)] if self.accept else []
        if others:
            self._grade_best_reading(node, gold, others, predicted, at)
            return
        if is_blank(gold) and is_blank(predicted):
            if isinstance(node, ValueListNode):
                self._add_cell(
                    LeafOutcome.ABSENT, node.item or WHOLE_VALUE, None, None, self._enter_item(at, None, None)
                )
            return
        if isinstance(node, UnknownNode) or not (is_blank(gold) or isinstance(gold, _expected_type(node))):
            node = infer_node(gold, predicted)
        if isinstance(node, LeafNode) or at.depth >= MAX_DEPTH:
            self.grade_leaf(node if isinstance(node, LeafNode) else WHOLE_VALUE, gold, predicted, at)
            return
        shape = _expected_type(node)
        if not isinstance(gold, shape):
            self.add_omitted(WHOLE_VALUE, gold, at)
            gold = shape()
        if not isinstance(predicted, shape):
            self.add_invented(WHOLE_VALUE, predicted, at)
            predicted = shape()
        if isinstance(node, ObjectNode):
            self.grade_object(node, gold, predicted, at)
        elif isinstance(node, ObjectListNode):
            self.grade_rows(node, gold, predicted, at)
        elif isinstance(node, ValueListNode):
            self.grade_values(node, gold, predicted, at)

    def _grade_best_reading(
        self, node: SchemaNode, gold: Json, others: list[Json], predicted: Json, at: _Position
    ) -> None:
        """The reading of a list or object under which the prediction is most right; of equals the first."""
        accept = {path: given for path, given in self.accept.items() if path != at.gold}
        tried: list[_DocumentGrader] = []
        for reading, given in [(gold, accept), *((other, {}) for other in others)]:
            walk = _DocumentGrader(replace(self.gold, accept=given), self.grounds, self.run, self.failed)
            walk.grade_field(node, reading, predicted, at)
            tried.append(walk)
        best = max(tried, key=_rate_grading)
        self.cells += best.cells
        self.notes += best.notes

    def grade_leaf(self, leaf: LeafNode, gold: Json, predicted: Json, at: _Position) -> None:
        accepted = self.accept.get(at.gold, ()) if self.accept else ()
        absent = is_blank(gold)
        if is_blank(predicted):
            if absent:
                outcome = LeafOutcome.ABSENT
            elif at.optional or any(is_blank(one) for one in accepted):
                outcome = LeafOutcome.UNSCORED
            else:
                outcome = LeafOutcome.OMITTED
        elif (not absent and values_match(leaf, gold, predicted)) or any(
            values_match(leaf, one, predicted) for one in accepted
        ):
            outcome = LeafOutcome.CORRECT
        else:
            outcome = LeafOutcome.INVENTED if absent else LeafOutcome.WRONG
        self._add_cell(outcome, leaf, gold, predicted, at)

    def grade_values(self, node: ValueListNode, gold: list[Json], predicted: list[Json], at: _Position) -> None:
        leaf = node.item or infer_leaf_node([*gold, *predicted])
        places = [self._enter_item(at, i, None) for i in range(len(gold))]
        order = sorted((i for i, value in enumerate(gold) if not is_blank(value)), key=lambda i: places[i].optional)
        right = [j for j, value in enumerate(predicted) if not is_blank(value)]
        readings = [
            [gold[i], *(one for one in self.accept.get(places[i].gold, ()) if not is_blank(one))] for i in order
        ]
        extra = [one for one in self.accept.get(at.gold, ()) if not is_blank(one)]
        found, complete = match_multisets(leaf, [*readings, *([one] for one in extra)], [predicted[j] for j in right])
        if not complete:
            self._note_incomplete(at, len(order), len(right), "compared with tolerance")
        whose = {order[a]: right[b] for a, b in found.items() if a < len(order)}
        welcome = {right[b] for a, b in found.items() if a >= len(order)}
        taken = set(whose.values())
        for i, value in enumerate(gold):
            if i in whose:
                self._add_cell(LeafOutcome.CORRECT, leaf, value, predicted[whose[i]], self._enter_item(at, i, whose[i]))
            else:
                self.add_omitted(leaf, value, places[i])
        for j in right:
            if j in welcome:
                self._add_cell(LeafOutcome.CORRECT, leaf, None, predicted[j], self._enter_item(at, None, j))
            elif j not in taken:
                self.add_invented(leaf, predicted[j], self._enter_item(at, None, j))

    def grade_rows(self, node: ObjectListNode, gold: list[Json], predicted: list[Json], at: _Position) -> None:
        left = [i for i, row in enumerate(gold) if not is_blank(row)]
        right = [j for j, row in enumerate(predicted) if not is_blank(row)]
        places = {i: self._enter_item(at, i, None) for i in left}
        pairs = _pair_identical_rows({i: gold[i] for i in left}, {j: predicted[j] for j in right}, places)
        taken = set(pairs.values())
        rest = [i for i in left if i not in pairs], [j for j in right if j not in taken]
        if all(rest):
            gold_rows = [self._sketch_row(node, gold[i], places[i], self.accept) for i in rest[0]]
            found = align_rows(gold_rows, [self._sketch_row(node, predicted[j], at, {}) for j in rest[1]])
            if not found.optimal:
                self._note_incomplete(at, len(left), len(right), "aligned optimally")
            pairs |= {rest[0][a]: rest[1][b] for a, b in found.pairs}
        for i in left:
            if i in pairs:
                self.grade_field(node.row, gold[i], predicted[pairs[i]], self._enter_item(at, i, pairs[i]))
            else:
                self.add_omitted(node.row, gold[i], places[i])
        taken = set(pairs.values())
        for j in right:
            if j not in taken:
                self.add_invented(node.row, predicted[j], self._enter_item(at, None, j))

    def _sketch_row(
        self, node: ObjectListNode, row: Json, at: _Position, accept: Mapping[str, tuple[Json, ...]]
    ) -> RowSketch:
        """What alignment sees of the row."""
        seen: dict[Hashable, int] = defaultdict(int)
        found: list[tuple[LeafToken, ...]] = []
        for field, leaf, value, path in iterate_leaf_values(node.row, row, at.gold, "", at.depth + 1):
            token = (field, *canonicalise_value(leaf.kind, value))
            seen[token] += 1
            forms: list[LeafToken] = [(*token, seen[token])]
            if path in accept:
                forms += [(field, *canonicalise_value(leaf.kind, one), 1) for one in accept[path] if not is_blank(one)]
            found.append(tuple(dict.fromkeys(forms)) if len(forms) > 1 else (forms[0],))
        keys: list[tuple[LeafToken, ...]] = []
        texts: list[tuple[str, ...]] = []
        for name in node.key_fields if isinstance(row, dict) else ():
            child = node.row.fields.get(name)
            kind = child.kind if isinstance(child, LeafNode) else WHOLE_VALUE.kind
            readings = [
                one
                for one in (row.get(name), *accept.get(at.gold + format_pointer_step(name), ()))
                if not is_blank(one)
            ]
            keys.append(tuple(dict.fromkeys(canonicalise_value(kind, one) for one in readings)))
            wordy = kind in (Kind.TEXT, Kind.NAME)
            texts.append(tuple(one for one in readings if isinstance(one, str)) if wordy else ())
        return RowSketch(tuple(found), tuple(keys), tuple(texts), at.optional)

    def add_omitted(self, node: SchemaNode, gold: Json, at: _Position) -> None:
        for field, leaf, value, path in iterate_leaf_values(node, gold, at.gold, at.field, at.depth):
            outcome = (
                LeafOutcome.UNSCORED if at.optional or self._may_be_omitted(path, at.gold) else LeafOutcome.OMITTED
            )
            self._add_cell(outcome, leaf, value, None, _Position(path, "", field))

    def add_invented(self, node: SchemaNode, predicted: Json, at: _Position) -> None:
        for field, leaf, value, path in iterate_leaf_values(node, predicted, at.predicted, at.field, at.depth):
            self._add_cell(LeafOutcome.INVENTED, leaf, None, value, _Position("", path, field))

    def _may_be_omitted(self, path: str, above: str) -> bool:
        """Whether gold marks the leaf, or what holds it below `above`, optional, or accepts that it is left out."""
        if any(is_blank(one) for one in self.accept.get(path, ())):
            return True
        while len(path) > len(above):
            if path in self.optional:
                return True
            path = path.rpartition("/")[0]
        return False

    def _enter_field(self, at: _Position, name: str) -> _Position:
        gold = at.gold + format_pointer_step(name)
        field = f"{at.field}.{name}" if at.field else name
        return _Position(
            gold, at.predicted + format_pointer_step(name), field, at.optional or gold in self.optional, at.depth + 1
        )

    def _enter_item(self, at: _Position, i: int | None, j: int | None) -> _Position:
        gold = "" if i is None else f"{at.gold}/{i}"
        predicted = "" if j is None else f"{at.predicted}/{j}"
        return _Position(gold, predicted, at.field + "[]", at.optional or gold in self.optional, at.depth + 1)

    def _note_incomplete(self, at: _Position, gold_rows: int, theirs: int, what: str) -> None:
        self.notes.append(
            f"{at.field}: {gold_rows} gold and {theirs} predicted items are too many to be {what} in full."
        )

    def _add_cell(self, outcome: LeafOutcome, leaf: LeafNode, gold: Json, predicted: Json, at: _Position) -> None:
        claim, support = NO_CLAIM, ValueSupport.UNKNOWN
        there = outcome in _PREDICTED_OUTCOMES
        if there and self.grounds.text is not None:
            claim = self.grounds.find_claim(at.predicted)
            support = self.grounds.judge_support(leaf, predicted, at.predicted, self.gold.spans.get(at.gold, ()))
        self.cells.append(
            ScoreCell(
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


def _expected_type(node: SchemaNode) -> type[dict[str, Json]] | type[list[Json]]:
    return dict if isinstance(node, ObjectNode) else list


def _pair_identical_rows(
    gold: Mapping[int, Json], predicted: Mapping[int, Json], places: Mapping[int, _Position]
) -> dict[int, int]:
    """Rows that are the same to the letter: what alignment would pair first anyway, at a fraction of the cost."""
    waiting: dict[str, list[int]] = defaultdict(list)
    for j, row in predicted.items():
        waiting[_spell_row(row)].append(j)
    pairs: dict[int, int] = {}
    for i in sorted(gold, key=lambda i: places[i].optional):
        same_rows = waiting.get(_spell_row(gold[i]))
        if same_rows:
            pairs[i] = same_rows.pop(0)
    return pairs


def _spell_row(row: Json) -> str:
    try:
        return repr(row)
    except RecursionError:
        return serialise_value(row)


def _rate_grading(walk: _DocumentGrader) -> tuple[int, int]:
    right = sum(cell.outcome is LeafOutcome.CORRECT for cell in walk.cells)
    return right - sum(cell.outcome in _ERROR_OUTCOMES for cell in walk.cells), right
