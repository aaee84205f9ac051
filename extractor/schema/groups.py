"""Which fields are asked for together: as the schema declares it, else in parts that one request can carry.

Declared groups are kept. Without them, plain values are asked for together, each list of objects and nested object
separately, and what has more than MAX_SCALARS leaves is split: an object by its fields, wide rows by their columns,
each part with the key, by which merging puts the parts of a row together again.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

from extractor.schema.tree import Field, Object, ObjectList, count_scalars

MAX_SCALARS = 30
"""Leaves in one request. More of them get shallow answers from small models; providers allow far more."""


def split_into_groups(root: Object) -> dict[str, Object]:
    """Group name to the part of the record that is asked for together, in the schema's order."""
    declared: dict[str, list[Field]] = {}
    for f in root.fields:
        name = f.group or (f.name if isinstance(f.node, ObjectList | Object) else "values")
        declared.setdefault(name, []).append(f)
    out: dict[str, Object] = {}
    for name, fields in declared.items():
        pieces = [fields] if any(f.group for f in fields) else list(_pack_fields(fields, MAX_SCALARS))
        for i, piece in enumerate(pieces):
            group = name if i == 0 else _free_name(f"{name}-{i + 1}", {*out, *declared})
            out[group] = replace(root, fields=tuple(piece))
    return out


def _free_name(name: str, taken: Container[str]) -> str:
    while name in taken:
        name += "+"
    return name


def _pack_fields(fields: Sequence[Field], most: int) -> Iterator[list[Field]]:
    """The fields in runs of at most `most` leaves, larger ones split."""
    run: list[Field] = []
    used = 0
    for f in (part for field in fields for part in _split_field(field, most)):
        size = count_scalars(f.node)
        if run and used + size > most:
            yield run
            run, used = [], 0
        run.append(f)
        used += size
    if run:
        yield run


def _split_field(field: Field, most: int) -> list[Field]:
    node = field.node
    if count_scalars(node) <= most:
        return [field]
    match node:
        case Object(fields):
            own = [replace(node, fields=tuple(run), entries=None) for run in _pack_fields(fields, most)]
            named = [replace(node, fields=())] if node.entries else []
            return [replace(field, node=part) for part in (*own, *named)]
        case ObjectList(row, key):
            keys = [f for f in row.fields if f.name in (*key, node.enumerate_by)]
            rest = [f for f in row.fields if f not in keys]
            runs = _pack_fields(rest, max(1, most - len(keys)))
            order = [f.name for f in row.fields]
            return [
                replace(field, node=replace(node, row=replace(row, fields=_order_fields([*keys, *run], order))))
                for run in runs
            ] or [field]
    return [field]


def _order_fields(fields: Sequence[Field], order: Sequence[str]) -> tuple[Field, ...]:
    return tuple(sorted(fields, key=lambda f: order.index(f.name)))
