"""What tells rows apart: the forms of what a row says, and whether two rows have the same key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from extractor.extraction.grounding.tree import iterate_leaves
from extractor.extraction.text.abbreviations import strip_abbreviation
from extractor.extraction.text.normalize import fold_text
from extractor.schema.reader import ObjectList, Scalar
from extractor.types import GroundedList, GroundedObject, GroundedValue, Json


def comparison_form(value: Json) -> str:
    return fold_text(strip_abbreviation(str(value)))


def key_forms(node: ObjectList, row: GroundedObject) -> dict[str, str]:
    """What the row says, folded, by field; of a nested field that is part of the key the first value in it."""
    forms: dict[str, str] = {}
    for name, inner in row.fields.items():
        if isinstance(inner, GroundedValue):
            forms[name] = comparison_form(inner.value)
        elif name in node.key:
            said = [str(leaf.value) for _, leaf in iterate_leaves(inner)]
            if said:
                forms[name] = comparison_form(said)
    return forms


def index_keys(node: ObjectList, forms: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What a row is looked up by: the form of each identifying field, and what stands in it before a colon."""
    for name in node.key:
        if form := forms.get(name):
            yield name, form
            head, colon, _ = form.partition(":")
            if colon and head:
                yield name, head


def keys_agree(node: ObjectList, a: Mapping[str, str], b: Mapping[str, str]) -> bool:
    shared = [name for name in node.key if a.get(name) and b.get(name)]
    return bool(shared) and all(names_agree(a[name], b[name]) for name in shared)


def holds_entries_alone(node: ObjectList, row: GroundedObject) -> bool:
    """Whether a row says nothing of itself, only entries of its lists."""
    named = any(f.name in node.key and isinstance(f.node, Scalar) for f in node.row.fields)
    return named and bool(row.fields) and all(isinstance(inner, GroundedList) for inner in row.fields.values())


def names_agree(a: str, b: str) -> bool:
    """Whether two names are one: the same, or one of them with what it says after a colon: "Ode: a song of praise"."""
    short, long = sorted((a, b), key=len)
    return short == long or (bool(short) and long.startswith(f"{short}:"))
