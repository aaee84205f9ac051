"""Checks whether gold is fit to score against, before any score, since gold is the weak part of most evaluations.

An error makes scores wrong; a warning is for a person to look at.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from extractor.evaluation.gold import Gold
from extractor.evaluation.scoring.grounding import is_value_in_text
from extractor.evaluation.scoring.schema import (
    LeafNode,
    ObjectListNode,
    ObjectNode,
    SchemaNode,
    UnknownNode,
    ValueListNode,
    is_blank,
)
from extractor.evaluation.scoring.walk import format_pointer_step, iterate_leaf_values
from extractor.extraction.comparison.amounts import parse_plain_number
from extractor.extraction.comparison.comparators import canonicalise_value
from extractor.extraction.comparison.dates import parse_plain_date
from extractor.extraction.comparison.text import strip_punctuation
from extractor.schema.annotations import Kind
from extractor.types import Json

MIN_CONSTANT_DOCUMENTS = 3
"""Documents that a value must be the same in before it looks like a constant."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class LintFinding:
    severity: Severity
    code: str
    """A word that can be counted."""
    file: str
    """The gold file, or the document where there is none; "" for what concerns all of gold."""
    pointer: str
    """JSON pointer into the record, or the name of a field where it concerns all of gold."""
    message: str

    def __str__(self) -> str:
        place = self.file + (f" at {self.pointer}" if self.pointer and self.file else "")
        return f"{self.severity}: {place}{': ' if place else ''}{self.message}"


def lint_golds(golds: Sequence[Gold], schema: ObjectNode, documents: Mapping[str, str]) -> tuple[LintFinding, ...]:
    """All findings, errors first. `documents` maps the name of each document that is there to its text."""
    found = [*_check_coverage(golds, documents), *_check_fields(golds, schema)]
    for gold in golds:
        found += _check_keys(gold)
        found += _check_shape(gold, schema, gold.record, "")
        found += _check_pointers(gold, schema)
        found += _check_duplicates(gold, schema)
        if gold.document in documents:
            found += _check_grounding(gold, schema, documents[gold.document])
    return tuple(sorted(found, key=lambda one: (one.severity, one.file, one.pointer, one.code, one.message)))


def _check_coverage(golds: Sequence[Gold], documents: Mapping[str, str]) -> Iterator[LintFinding]:
    first: dict[str, Gold] = {}
    for gold in golds:
        if gold.document in first:
            message = f'"{gold.document}" has gold in {first[gold.document].file} already; keep one of them.'
            yield LintFinding(Severity.ERROR, "two golds", gold.file, "", message)
        first.setdefault(gold.document, gold)
        if gold.document not in documents:
            message = f'there is no document "{gold.document}"; add it to the samples or remove its gold.'
            yield LintFinding(Severity.ERROR, "no document", gold.file, "", message)
    for name in documents.keys() - first.keys():
        yield LintFinding(Severity.WARNING, "no gold", name, "", "has no gold, so it is not scored.")


def _check_keys(gold: Gold) -> Iterator[LintFinding]:
    for name in gold.unknown_keys:
        yield LintFinding(
            Severity.WARNING, "unknown key", gold.file, "", f'"{name}" means nothing here and is not used.'
        )


def _check_shape(gold: Gold, node: SchemaNode, value: Json, path: str) -> Iterator[LintFinding]:
    """What in the record does not fit the schema."""
    if is_blank(value) or isinstance(node, UnknownNode):
        return
    if isinstance(node, LeafNode):
        wrong = explain_misfit(node, value)
        if wrong is not None:
            yield LintFinding(Severity.ERROR, "wrong type", gold.file, path, wrong)
        elif node.kind is Kind.DATE and parse_plain_date(strip_punctuation(str(value))) is None:
            message = f"{value!r} is no date with one reading, so it is compared as text; write YYYY-MM-DD or less."
            yield LintFinding(Severity.WARNING, "unread date", gold.file, path, message)
    elif isinstance(node, ObjectNode):
        if not isinstance(value, dict):
            yield LintFinding(
                Severity.ERROR, "wrong type", gold.file, path, f"must be an object, not {_describe_type(value)}."
            )
            return
        for name, one in value.items():
            if name in node.fields:
                yield from _check_shape(gold, node.fields[name], one, path + format_pointer_step(name))
            elif node.additional is not None:
                yield from _check_shape(gold, node.additional, one, path + format_pointer_step(name))
            elif node.fields or not node.allows_additional:
                message = f'the schema has no field "{name}"; correct its name or remove it.'
                yield LintFinding(Severity.ERROR, "unknown field", gold.file, path + format_pointer_step(name), message)
    elif not isinstance(value, list):
        yield LintFinding(
            Severity.ERROR, "wrong type", gold.file, path, f"must be a list, not {_describe_type(value)}."
        )
    else:
        item: SchemaNode = node.row if isinstance(node, ObjectListNode) else node.item or UnknownNode()
        for i, one in enumerate(value):
            yield from _check_shape(gold, item, one, f"{path}/{i}")


def explain_misfit(leaf: LeafNode, value: Json) -> str | None:
    """Why the value cannot be one of the leaf's kind, or None when it can."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if leaf.kind is Kind.ENUM:
        choices = {canonicalise_value(leaf.kind, one) for one in leaf.enum}
        if choices and canonicalise_value(leaf.kind, value) not in choices:
            return f"{value!r} is none of the schema's choices."
        return None
    if leaf.kind is Kind.BOOLEAN:
        return None if isinstance(value, bool) else f"must be true or false, not {_describe_type(value)}."
    if leaf.kind is Kind.INTEGER:
        fits = number and value == value // 1
        return None if fits or _is_numeral(value) else f"must be a whole number, not {_describe_type(value)}."
    if leaf.kind is Kind.NUMBER:
        return None if number or _is_numeral(value) else f"must be a number, not {_describe_type(value)}."
    if leaf.kind in (Kind.DATE, Kind.QUANTITY) and number:
        return None
    return None if isinstance(value, str) else f"must be a text, not {_describe_type(value)}."


def _is_numeral(value: Json) -> bool:
    return isinstance(value, str) and parse_plain_number(strip_punctuation(value)) is not None


def _check_pointers(gold: Gold, schema: ObjectNode) -> Iterator[LintFinding]:
    for pointer in sorted({*gold.optional, *gold.accept, *gold.spans}):
        node, value, there = _follow_pointer(schema, gold.record, pointer)
        sides = [name for name in ("optional", "accept", "spans") if pointer in getattr(gold, name)]
        if not there:
            message = f"{' and '.join(sides)} points to nothing; correct the pointer or remove it."
            yield LintFinding(Severity.ERROR, "dead pointer", gold.file, pointer, message)
            continue
        if pointer in gold.optional and is_blank(value) and pointer not in gold.accept:
            message = "is optional, but gold says nothing there; only a value can be optional."
            yield LintFinding(Severity.WARNING, "idle pointer", gold.file, pointer, message)
        for one in gold.accept.get(pointer, ()):
            item = node.item if isinstance(node, ValueListNode) and not isinstance(one, list) else node
            wrong = explain_misfit(item, one) if isinstance(item, LeafNode) and not is_blank(one) else None
            if wrong is not None:
                yield LintFinding(Severity.ERROR, "wrong type", gold.file, pointer, "an accepted value " + wrong)


def _follow_pointer(node: SchemaNode, value: Json, pointer: str) -> tuple[SchemaNode, Json, bool]:
    """(node, value, whether it exists) at the pointer; a field that the schema has and the record leaves out exists."""
    if not pointer.startswith("/"):
        return node, value, False
    for name in (one.replace("~1", "/").replace("~0", "~") for one in pointer[1:].split("/")):
        if isinstance(value, dict):
            known = node.fields if isinstance(node, ObjectNode) else {}
            if name not in value and name not in known:
                return node, None, False
            node, value = known.get(name, UnknownNode()), value.get(name)
        elif isinstance(value, list):
            if not (name.isascii() and name.isdigit() and str(int(name)) == name and int(name) < len(value)):
                return node, None, False
            inner: SchemaNode = node.row if isinstance(node, ObjectListNode) else UnknownNode()
            node = (node.item or UnknownNode()) if isinstance(node, ValueListNode) else inner
            value = value[int(name)]
        else:
            return node, None, False
    return node, value, True


def _check_duplicates(gold: Gold, schema: ObjectNode) -> Iterator[LintFinding]:
    """Equal items of one list."""
    items: dict[str, dict[str, list[tuple[str, Hashable]]]] = defaultdict(lambda: defaultdict(list))
    for _, leaf, value, path in iterate_leaf_values(schema, gold.record):
        steps = path.split("/")
        for n, name in enumerate(steps):
            if name.isdigit():
                inside = "/".join(steps[n + 1 :])
                items["/".join(steps[:n])][name].append((inside, canonicalise_value(leaf.kind, value)))
    for path, rows in items.items():
        if not isinstance(_follow_pointer(schema, gold.record, path)[1], list):
            continue
        counts = Counter(frozenset(Counter(row).items()) for row in rows.values())
        for i, row in rows.items():
            content = frozenset(Counter(row).items())
            if counts[content] > 1:
                message = "says the same as another item of its list; remove one, unless the document has both."
                yield LintFinding(Severity.WARNING, "duplicate", gold.file, f"{path}/{i}", message)


def _check_grounding(gold: Gold, schema: ObjectNode, text: str) -> Iterator[LintFinding]:
    """Values that cannot be read in their document, nor any accepted reading of them; and spans that are not in it."""
    for _, leaf, value, path in iterate_leaf_values(schema, gold.record):
        if leaf.kind in (Kind.ENUM, Kind.BOOLEAN):
            continue
        readings = [one for one in (value, *gold.accept.get(path, ())) if isinstance(one, str | int | float)]
        if readings and not any(isinstance(one, bool) or is_value_in_text(leaf, one, text) for one in readings):
            message = (
                f"{_shorten_value(value)} was not found in the document; check it, or accept what the document has."
            )
            yield LintFinding(Severity.WARNING, "not found", gold.file, path, message)
    for path, ranges in gold.spans.items():
        for start, end in ranges:
            if end > len(text):
                message = f"the span [{start}, {end}) ends beyond the document's {len(text)} characters; correct it."
                yield LintFinding(Severity.ERROR, "bad span", gold.file, path, message)


def _check_fields(golds: Sequence[Gold], schema: ObjectNode) -> Iterator[LintFinding]:
    """Fields that cannot distinguish one run from another: never filled, or the same everywhere."""
    forms: dict[str, set[Hashable]] = defaultdict(set)
    holders: dict[str, set[str]] = defaultdict(set)
    for gold in golds:
        for field, leaf, value, _ in iterate_leaf_values(schema, gold.record):
            forms[field].add(canonicalise_value(leaf.kind, value))
            holders[field].add(gold.document)
    for name in iterate_leaf_names(schema):
        if name not in forms:
            message = f"no gold has a value for {name}, so finding it is not measured."
            yield LintFinding(Severity.WARNING, "never filled", "", name, message)
    for name, seen in forms.items():
        if len(seen) == 1 and len(holders[name]) >= MIN_CONSTANT_DOCUMENTS:
            message = f"{name} is the same in all {len(holders[name])} golds that have it; a constant would score."
            yield LintFinding(Severity.WARNING, "constant", "", name, message)


def iterate_leaf_names(node: SchemaNode, field: str = "", above: tuple[int, ...] = ()) -> Iterator[str]:
    """Names of the schema's leaves, as cells have them; a schema that refers to itself is followed once."""
    if isinstance(node, LeafNode):
        yield field
    elif isinstance(node, ValueListNode):
        yield field + "[]"
    elif isinstance(node, ObjectListNode):
        yield from iterate_leaf_names(node.row, field + "[]", above)
    elif isinstance(node, ObjectNode) and id(node) not in above:
        for name, one in node.fields.items():
            yield from iterate_leaf_names(one, f"{field}.{name}" if field else name, (*above, id(node)))


def _describe_type(value: Json) -> str:
    if isinstance(value, bool):
        return "true or false"
    for types, word in (((str,), "a text"), ((int, float), "a number"), ((list,), "a list"), ((dict,), "an object")):
        if isinstance(value, types):
            return word
    return "null"


def _shorten_value(value: Json) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."
