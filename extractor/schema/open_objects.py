"""Objects whose names are the document's: skills by their group, figures by their label (`dict[str, X]`).

A model is asked for them as rows of a name and a value, which every way of asking can carry; what it says is an object
again before anything else sees it, and the tree that the steps then walk has a field for each name that was said.

    as_rows(part)                the part as a question has it
    read_rows(part, reply)       a reply to that in the record's form, whichever of the two forms it has
    write_rows(part, value)      a value in the form of a reply
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from extractor.schema.annotations import Kind
from extractor.schema.tree import Field, NamedEntries, Node, Object, ObjectList, Scalar, ValueList
from extractor.types import Json, ValuePath

NAME, VALUE, OTHERS = "name", "value", "others"
"""The fields of such a row, and the list of them in an object that has properties of the schema's, too."""
UNNAMED = ""
"""Under which stands what has no name, where other things of the object have one."""
_AnyNode = TypeVar("_AnyNode", bound=Node)


def has_entries(node: Node) -> bool:
    """Whether an object whose names are the document's is anywhere in the node."""
    match node:
        case Object(fields, entries=entries):
            return entries is not None or any(has_entries(f.node) for f in fields)
        case ObjectList(row):
            return has_entries(row)
    return False


def as_rows(node: _AnyNode) -> _AnyNode:
    """The node as it is asked for; the same object where nothing in it is open.

    A part, which is an object with fields of its own, stays one; an object of names alone becomes the list.
    """
    changed: Node = node
    if has_entries(node):
        match node:
            case Object():
                changed = replace(node, fields=tuple(_rows_fields(node)), entries=None)
            case ObjectList(row):
                changed = replace(node, row=as_rows(row))
    return changed  # type: ignore[return-value]


def _rows_fields(node: Object) -> Iterator[Field]:
    for f in node.fields:
        if listed := _as_list(f.node):
            yield replace(f, node=listed, description=f.description or f.node.description)  # type: ignore[union-attr]
        else:
            yield replace(f, node=as_rows(f.node))
    if node.entries:
        about = node.entries.description or "what else there is, each under the name that it has in the document"
        yield Field(_others_name(node), _list_rows(node.entries), about)


def _others_name(node: Object) -> str:
    """The name of the list of entries: one that the schema has not taken."""
    name, taken = OTHERS, {f.name for f in node.fields}
    while name in taken:
        name += "_"
    return name


def _list_rows(entries: NamedEntries) -> ObjectList:
    named = "the name that it stands under in the document"
    inner, held = entries.node, entries.description or "what stands under the name"
    fields = (
        Field(NAME, entries.name, f"{named}; null where it has none" if entries.unnamed else named, required=True),
        Field(VALUE, _as_list(inner) or as_rows(inner), held),
    )
    return ObjectList(Object(fields), (NAME,))


def _as_list(node: Node) -> ObjectList | None:
    """The list of rows for an object that has no names of the schema's."""
    alone = isinstance(node, Object) and node.entries and not node.fields
    return _list_rows(node.entries) if alone else None  # type: ignore[union-attr, arg-type]


_Besides = list[tuple[ValuePath, Json]]


def read_rows(part: Object, reply: Json) -> tuple[Json, list[tuple[ValuePath, Json]]]:
    """The reply in the record's form, and what it says under a name that has a value already, with the place."""
    if not has_entries(part):
        return reply, []
    besides: _Besides = []
    return _fold(part, reply, (), besides), besides


def _fold(node: Node, value: Json, path: ValuePath, besides: _Besides) -> Json:
    match node, value:
        case ObjectList(row), list():
            return [_fold(row, one, (*path, i), besides) for i, one in enumerate(value)]
        case Object(entries=None), Mapping():
            known = {f.name: f.node for f in node.fields}
            return {
                name: _fold(known[name], one, (*path, name), besides) if name in known else one
                for name, one in value.items()
            }
        case Object(alternatives=forms), list() if forms and not any(isinstance(one, Mapping) for one in value):
            return value if not node.entries or not node.entries.unnamed else _fold_rows(node, value, path, besides)
        case Object(), list() if (other := _find_rows_instead(node)) and not any(map(_is_asked_row, value)):
            return _fold(other, value, path, besides)
        case Object(), list() if not node.fields:
            return _fold_rows(node, value, path, besides)
        case Object(), Mapping():
            others = _others_name(node)
            known = {f.name: f.node for f in node.fields}
            out: dict[str, Json] = {}
            for name, one in value.items():
                if name in known:
                    out[name] = _fold(known[name], one, (*path, name), besides)
            listed = value.get(others)
            rows = listed if isinstance(listed, list) else []
            direct = [
                {NAME: name, VALUE: one}
                for name, one in value.items()
                if name not in known and not (name == others and isinstance(listed, list))
            ]
            said = _fold_rows(node, [*direct, *rows], path, besides)
            for name, one in said.items() if isinstance(said, dict) else ():
                _add(out, name, one, path, besides)
            return out
    return value


def _find_rows_instead(node: Object) -> ObjectList | None:
    """The list of rows that may stand in the object's place."""
    return next((one for one in node.alternatives if isinstance(one, ObjectList)), None)


def _is_asked_row(row: Json) -> bool:
    """Whether it has the form in which the entries of an open object are asked for."""
    return not isinstance(row, Mapping) or NAME in row or VALUE in row


def _fold_rows(node: Object, rows: Sequence[Json], path: ValuePath, besides: _Besides) -> Json:
    """The object, or the list that may stand in its place where no row has a name."""
    assert node.entries is not None  # noqa: S101 -- only open objects are asked so
    inner, out, bare = node.entries.node, dict[str, Json](), list[Json]()
    for row in rows:
        for name, value in _read_row(row):
            if value is None and name is None:
                continue
            folded = _fold(inner, value, (*path, name or UNNAMED), besides)
            if name is None or (name == UNNAMED and node.entries.unnamed):
                bare += folded if isinstance(inner, ValueList) and isinstance(folded, list) else [folded]
            else:
                _add(out, name, folded, path, besides)
    if bare and node.entries.unnamed and not out and not node.fields:
        return bare
    if bare:
        _add(out, UNNAMED, bare if node.entries.unnamed or len(bare) > 1 else bare[0], path, besides)
    return out


def _read_row(row: Json) -> Iterator[tuple[str | None, Json]]:
    """(name, value) of what a row says; an object in which neither field says anything is the entries themselves."""
    if not isinstance(row, Mapping):
        yield None, row
        return
    name, value = row.get(NAME), row.get(VALUE)
    own = {k: v for k, v in row.items() if k not in (NAME, VALUE)}
    if own and value in (None, []):
        yield from own.items()
        if name is not None:
            yield NAME, name
        return
    yield (None if name is None else str(name)), value
    yield from own.items()


def _add(out: dict[str, Json], name: str, value: Json, path: ValuePath, besides: _Besides) -> None:
    had = out.get(name)
    if had is None or had == value:
        out[name] = value
    elif isinstance(had, list) and isinstance(value, list):
        out[name] = [*had, *value]
    elif value is not None:
        besides.append(((*path, name), value))


def write_rows(node: Node, value: Json) -> Json:
    """The value in the form that a question asks for: what `read_rows` undoes."""
    if not has_entries(node):
        return value
    match node, value:
        case ObjectList(row), list():
            return [write_rows(row, one) for one in value]
        case Object(fields, entries=entries), Mapping():
            known = {f.name: f.node for f in fields}
            out = {name: write_rows(known[name], one) for name, one in value.items() if name in known}
            if entries is None:
                return out
            rest = {name: one for name, one in value.items() if name not in known}
            rows: list[Json] = [
                {NAME: name or None, VALUE: write_rows(entries.node, one)} for name, one in rest.items()
            ]
            return {**out, _others_name(node): rows} if fields else rows
        case Object(entries=NamedEntries(node=inner)), list():
            if isinstance(inner, ValueList):
                return [{NAME: None, VALUE: value}]
            return [{NAME: None, VALUE: write_rows(inner, one)} for one in value]
    return value


def list_entry_fields(node: Object, names: Iterable[str]) -> Iterator[Field]:
    """A field for each of the names that the object has none for and its schema allows."""
    known, entries = {f.name for f in node.fields}, node.entries
    if entries is None:
        return
    for name in names:
        if name == UNNAMED and entries.unnamed:
            yield Field(name, entries.unnamed, entries.description, nullable=False)
        elif name not in known and entries.takes(name):
            yield Field(name, entries.node, entries.description, nullable=False)


ANY_NAME = Scalar(Kind.TEXT)
"""A name that the schema says nothing about."""
