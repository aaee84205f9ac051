"""What a second model is asked of what a first one said: the leaves and rows that are doubted, and nothing else.

Plain values are asked for by their fields. Of rows those are asked for that hold a doubted value, by the fields that
are doubted in any of them and by those that tell rows apart; which rows is said by these, as the first model read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from extractor.extraction.combining.opinion import AskedScope, FieldPath, Opinion, name_fields
from extractor.extraction.grounding.tree import iterate_leaves
from extractor.extraction.prompt import Prompt
from extractor.models.traits import ModelClass
from extractor.schema.groups import split_into_groups
from extractor.schema.open_objects import list_entry_fields
from extractor.schema.reader import Field, Node, Object, ObjectList, Scalar, Schema, ValueList
from extractor.schema.tree import NamedEntries
from extractor.types import GroundedList, GroundedNode, GroundedObject, GroundedValue

ASK_AGAIN_BELOW = {ModelClass.STRONG: 0.8, ModelClass.SMALL: 0.5}
"""By the class of the first model the confidence below which a second one is asked, unless said otherwise: of strong
models measured by bench/ensemble.py; of small ones, hardly any of whose values reach 0.8, that below which they are
not believed."""
MOST_NAMED_ROWS = 60
"""Rows of one list that a question names; of more of them, the whole list is asked for."""


@dataclass(frozen=True, slots=True)
class SecondQuestion:
    """What a second model is asked."""

    scope: AskedScope
    root: Object
    """The record, narrowed to it."""
    rows: tuple[str, ...]
    """Which rows are meant, a line for each list, in words that the first model said; none where all are."""
    asked: int
    """Leaves of the first opinion that are asked about, and how many it has."""
    leaves: int

    def narrow_prompt(self, prompt: Prompt, group: str) -> Prompt:
        """The prompt that asks for it, everything at once."""
        meant = "Of a list that the lines above name give only the entries that they name." if self.rows else None
        notes = "\n".join(filter(None, [prompt.notes.get(group), meant]))
        declared = {**prompt.declared, "ask": "whole"}
        strategy = replace(prompt.strategy, ask="whole")
        cited = {**prompt.cited, group: self.rows}
        return replace(prompt, notes={**prompt.notes, group: notes}, cited=cited, strategy=strategy, declared=declared)


def find_second_question(root: Object, first: Opinion, below: float) -> SecondQuestion | None:
    """What is asked of a second model; None where nothing that the first said is doubted."""
    doubted: set[FieldPath] = set()
    rows: dict[FieldPath, set[int]] = {}
    leaves = list(iterate_leaves(first.tree))
    for path, leaf in leaves:
        if (leaf.evidence.confidence or 0) >= below:
            continue
        doubted.add(name_fields(path))
        at = next((i for i, step in enumerate(path) if isinstance(step, int)), None)
        if at is not None:
            rows.setdefault(name_fields(path[:at]), set()).add(int(path[at]))
    if not doubted:
        return None
    narrowed = _narrow(root, doubted, ())
    assert isinstance(narrowed, Object)  # noqa: S101 -- something in it is doubted
    fields = frozenset(path for path in _list_fields(narrowed, ()))
    named: dict[FieldPath, frozenset[int]] = {}
    lines: list[str] = []
    for path, numbers in rows.items():
        names = _name_rows(root, first.tree, path, sorted(numbers))
        if names:
            named[path] = frozenset(numbers)
            lines.append(f"- {'.'.join(path)}: {'; '.join(names)}")
    scope = AskedScope(fields, named)
    asked = sum(_is_asked(scope, path) for path, _ in leaves)
    return SecondQuestion(scope, narrowed, tuple(lines), asked, len(leaves))


def narrow_schema(schema: Schema, root: Object) -> Schema:
    """The schema that asks for a part of its record alone."""
    return replace(schema, root=root, parts=split_into_groups(root))


def narrow_root(root: Object, fields: frozenset[FieldPath]) -> Object:
    """The record narrowed to some fields."""
    narrowed = _narrow(root, set(fields), ())
    return narrowed if isinstance(narrowed, Object) else replace(root, fields=())


def _is_asked(scope: AskedScope, path: tuple[str | int, ...]) -> bool:
    at = next((i for i, step in enumerate(path) if isinstance(step, int)), None)
    rows = None if at is None else scope.rows.get(name_fields(path[:at]))
    return name_fields(path) in scope.fields and (rows is None or at is None or path[at] in rows)


def _narrow(node: Node, wanted: set[FieldPath], path: FieldPath) -> Node | None:
    match node:
        case Scalar() | ValueList():
            return node if path in wanted else None
        case ObjectList(row, key):
            inner = _narrow(row, wanted, path)
            if not isinstance(inner, Object):
                return None
            kept = {f.name for f in inner.fields}
            left = [inner[f.name] if f.name in kept else f for f in row.fields if f.name in kept or f.name in key]
            return replace(node, row=replace(row, fields=tuple(left)))
        case Object(entries=NamedEntries(unnamed=ValueList() | ObjectList() as unnamed)) if path in wanted:
            return unnamed
        case Object(fields):
            names = sorted({at[len(path)] for at in wanted if at[: len(path)] == path and len(at) > len(path)})
            fields = (*fields, *list_entry_fields(node, names))
            parts = [(f, _narrow(f.node, wanted, (*path, f.name))) for f in fields]
            left = [replace(f, node=one) for f, one in parts if one is not None]
            return replace(node, fields=tuple(left)) if left else None


def _list_fields(node: Node, path: FieldPath) -> Iterator[FieldPath]:
    match node:
        case Scalar() | ValueList():
            yield path
        case ObjectList(row):
            yield from _list_fields(row, path)
        case Object(fields):
            for f in fields:
                yield from _list_fields(f.node, (*path, f.name))


def _name_rows(root: Object, tree: GroundedObject, path: FieldPath, numbers: Sequence[int]) -> list[str]:
    """What tells each of the rows apart, as it was read; nothing where one cannot be told, or all are meant."""
    field: Field | None = None
    node: Node = root
    said: GroundedNode | None = tree
    for step in path:
        if not isinstance(node, Object) or not isinstance(said, GroundedObject):
            return []
        field = node[step]
        node, said = field.node, said.fields.get(step)
    if not isinstance(node, ObjectList) or not isinstance(said, GroundedList):
        return []
    if len(numbers) > MOST_NAMED_ROWS or len(numbers) == len(said.items):
        return []
    names: list[str] = []
    for number in numbers:
        row = said.items[number]
        told = [row.fields.get(k) for k in node.key] if isinstance(row, GroundedObject) else []
        words = [" ".join(str(one.value).split()) for one in told if isinstance(one, GroundedValue)]
        if not words:
            return []
        names.append(", ".join(words))
    return names
