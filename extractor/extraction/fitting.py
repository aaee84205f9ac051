"""What of a reply the schema has a place for: a leaf that does not fit costs that leaf, and is listed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from types import MappingProxyType

from extractor.extraction.text.normalize import FoldedText
from extractor.schema.annotations import Kind
from extractor.schema.kinds import KINDS
from extractor.schema.kinds.reading import Reading as TextReading
from extractor.schema.reader import Node, Object, ObjectList, Scalar, ValueList
from extractor.schema.written_form import as_object
from extractor.types import Evidence, Json, Match, RejectedValue, Span, ValuePath

NOT_IN_SCHEMA, NOT_OF_ITS_TYPE, SAID_BESIDES = "not in the schema", "not of its type", "said otherwise, too"
NO_ADDRESS = "null"
"""How a model says that there is no address where it has begun a text: its form has this word, too."""
MAX_BITS = 13_000
"""Bits of an integer beyond which it is no value: some 4,000 digits, more than Python writes."""
_READER = TextReading()


def fit_value(node: Node, value: Json) -> Json:
    """The value without what the schema has no place for; None where it is of another form altogether.

    One entry said by itself is a list of it, and a list of one value that value.
    """
    if isinstance(node, Object):
        value = as_object(node, value)
    match node, value:
        case Object(fields), dict():
            return {f.name: fit_value(f.node, value.get(f.name)) for f in fields}
        case ObjectList(row), list() | dict():
            return [fit_value(row, one) for one in _as_list(value) if isinstance(as_object(row, one), dict)]
        case ValueList(item), list() | str() | int() | float():
            return [fit_value(item, one) for one in _as_list(value)]
        case Scalar(), [single]:
            return fit_value(node, single)
        case Scalar(), _ if _fits(node, value) and not _says_no_address(node, value):
            return value if not isinstance(value, str) or value.strip() else ""  # blanks say nothing
    return None


def _as_list(value: Json) -> list[Json]:
    """The entries of a list; one that is said by itself is all of them."""
    return value if isinstance(value, list) else [value]


def _says_no_address(node: Scalar, value: Json) -> bool:
    return node.kind in (Kind.EMAIL, Kind.URL) and value == NO_ADDRESS


def find_misfits(
    node: Node, value: Json, chunk: Span, constants: Mapping[str, Json] = MappingProxyType({}), text: str = ""
) -> list[RejectedValue]:
    """Every leaf that `fit_value` leaves out, with what is wrong with it.

    A constant of the schema that is said as it is, of the node or among `constants`, is none: the record has it. What
    stands under a name that is not the schema's has the words of the chunk's `text` that say the same: a value of the
    document under a wrong name is lost, and what a model thinks beside its answer is not.
    """
    if isinstance(node, Object) and constants:
        node = replace(node, constants={**node.constants, **constants})
    misfits = list(_iterate_misfits(node, value, ()))
    folded = FoldedText(text) if any(reason == NOT_IN_SCHEMA for _, _, reason in misfits) else None
    return [
        RejectedValue(path, leaf, reason, chunk, _find_words(leaf, reason, chunk, folded))
        for path, leaf, reason in misfits
    ]


def _find_words(leaf: Json, reason: str, chunk: Span, folded: FoldedText | None) -> Evidence:
    claim = str(leaf)
    found = folded.find_quote(claim) if folded is not None and reason == NOT_IN_SCHEMA else iter(())
    spans = tuple(span.shift(chunk.start) for span in islice(found, 1))
    return Evidence(Match.NORMALISED if spans else Match.NONE, spans, claim[:200], 0.0, (reason,))


def list_contradictions(besides: Iterable[tuple[ValuePath, Json]], chunk: Span) -> list[RejectedValue]:
    """Every leaf that a reply says for a place for which it has said another before."""
    return [
        RejectedValue(at, leaf, SAID_BESIDES, chunk, Evidence(Match.NONE, (), str(leaf)[:200], 0.0, (SAID_BESIDES,)))
        for path, one in besides
        for at, leaf in _iterate_leaves(one, path)
    ]


def _fits(node: Scalar, value: Json) -> bool:
    """Whether the value may be read as one of the scalar's type; a number may be written as a text."""
    if isinstance(value, float) and not math.isfinite(value):
        return False
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return False
    if node.enum:
        return isinstance(value, str | int | float)
    if node.verbatim_number or node.type == "string":
        return isinstance(value, str | int | float) and (not isinstance(value, bool) or node.takes(value))
    if node.type == "boolean":
        return KINDS["boolean"].normalise(value, _READER) is not None
    if isinstance(value, str):
        return KINDS[node.type].normalise(value, _READER) is not None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return node.type != "integer" or isinstance(value, int) or value.is_integer()


def _iterate_misfits(node: Node, value: Json, path: ValuePath) -> Iterator[tuple[ValuePath, Json, str]]:
    if isinstance(node, Object):
        value = as_object(node, value)
    match node, value:
        case _, None:
            return
        case Object(fields, constants=constants), dict():
            nodes = {f.name: f.node for f in fields}
            for name, inner in value.items():
                if name in nodes:
                    yield from _iterate_misfits(nodes[name], inner, (*path, name))
                elif name not in constants or constants[name] != inner:
                    yield from ((at, leaf, NOT_IN_SCHEMA) for at, leaf in _iterate_leaves(inner, (*path, name)))
        case ObjectList(row), list() | dict():
            yield from _iterate_items(row, _as_list(value), path)
        case ValueList(item), list() | str() | int() | float():
            yield from _iterate_items(item, _as_list(value), path)
        case Scalar(), [single]:
            yield from _iterate_misfits(node, single, path)
        case Scalar(), _ if _fits(node, value):
            return
        case _:
            yield from ((at, leaf, NOT_OF_ITS_TYPE) for at, leaf in _iterate_leaves(value, path))


def _iterate_items(node: Node, items: Sequence[Json], path: ValuePath) -> Iterator[tuple[ValuePath, Json, str]]:
    for i, one in enumerate(items):
        yield from _iterate_misfits(node, one, (*path, i))


def _iterate_leaves(value: Json, path: ValuePath) -> Iterator[tuple[ValuePath, Json]]:
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _iterate_leaves(inner, (*path, step))
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, str(value)
    elif isinstance(value, int) and value.bit_length() > MAX_BITS:
        yield path, "a number of thousands of digits"  # which nothing can write
    elif value is not None:
        yield path, value
