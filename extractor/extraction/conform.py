"""Makes a finished record conform to the schema as declared, as far as that is possible without dropping a value.

Until here null and [] stand for what was not found. Where the schema allows no null, a property that it does not
require is left out; one that it requires is null, which is a problem of the record. A nested object of which nothing
was found is null or left out; constants are filled in; an object that may be one of several becomes the one that has a
place for all that was found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from extractor.extraction.text.patterns import parse_number
from extractor.schema.declaration import UnionBranch
from extractor.schema.kinds.figures import to_json
from extractor.schema.reader import Field, Node, Object, ObjectList, Scalar, ValueList
from extractor.schema.written_form import LONE, WRAPPED
from extractor.types import Json


def conform_record(root: Object, value: Mapping[str, Json]) -> dict[str, Json]:
    """The record in the form that the schema declares; `validation` decides whether it is valid."""
    return _conform_object(root, value)


def _conform_node(node: Node, value: Json) -> Json:
    match node:
        case Object():
            return _write_object(node, _conform_object(node, value or {}))
        case ObjectList(row):
            return [_write_object(row, _conform_object(row, one)) for one in value or ()]
        case ValueList():
            return [_conform_scalar(node.item, one) for one in value or ()]
    return _conform_scalar(node, value)


def _write_object(node: Object, value: dict[str, Json]) -> Json:
    """The object as the record has it: a row that wraps a list is the list, a tuple its values in order, and what was
    one value instead is that."""
    if node.wraps:
        return value.get(WRAPPED, [])
    if node.by_position:
        return [value.get(f.name) for f in node.fields] if _has_content(value) else []
    if node.or_value and value.get(LONE) is not None:
        return value[LONE]
    return value


def _conform_scalar(leaf: Scalar, value: Json) -> Json:
    """A number where the value may be one and is no text that the schema takes."""
    if leaf.text_patterns and isinstance(value, str) and not any(re.search(form, value) for form in leaf.text_patterns):
        number = parse_number(value)
        if number is not None:
            return int(number) if number == number.to_integral_value() else to_json(number)
    return value


def _conform_object(node: Object, value: Mapping[str, Json]) -> dict[str, Json]:
    out: dict[str, Json] = {}
    for f in node.fields:
        if f.name == LONE and node.or_value and value.get(LONE) is None:
            continue
        fitted = _conform_node(f.node, value.get(f.name))
        if _has_content(fitted) or _keeps_empty(f):
            out[f.name] = fitted
        elif f.nullable:
            out[f.name] = None
    if node.branches:
        out = _choose_branch(node.branches, out)
    out |= {name: constant for name, constant in node.constants.items() if name not in out}
    return {name: out[name] for name in (*node.order, *out) if name in out} if node.order else out


def _keeps_empty(field: Field) -> bool:
    """Whether the field is kept though it is empty: a required value that was not found is null, and a problem."""
    match field.node:
        case ValueList(min_items=least) | ObjectList(min_items=least):
            return least == 0 or not field.optional
        case Object():
            return not field.optional and not field.nullable
        case Scalar():
            return not field.optional


def _has_content(value: Json) -> bool:
    if isinstance(value, dict):
        return any(map(_has_content, value.values()))
    return value is not None and value != []


def _choose_branch(branches: tuple[UnionBranch, ...], value: dict[str, Json]) -> dict[str, Json]:
    """The value as the first branch that has a place for all its fields; unchanged but for gaps when none has."""
    filled = {name: v for name, v in value.items() if _has_content(v)}
    for branch in branches:
        if all(name in branch.names for name in filled) and _branch_allows(branch, filled):
            implied = {
                n: branch.choices[n][0] for n in branch.required - set(filled) if len(branch.choices.get(n, ())) == 1
            }
            if branch.required <= filled.keys() | implied.keys() | {n for n, v in value.items() if v == []}:
                kept = (
                    filled
                    | implied
                    | {n: v for n, v in value.items() if n in branch.required and n not in filled | implied}
                )
                return {name: kept[name] for name in branch.names if name in kept}
    return filled


def _branch_allows(branch: UnionBranch, filled: Mapping[str, Json]) -> bool:
    return all(filled[n] in choices for n, choices in branch.choices.items() if n in filled)
