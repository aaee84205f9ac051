"""Is gold fit to score against? Asked before any score, since gold is the weakest part of most evaluations.

An error makes scores wrong; a warning wants a person to look.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from extractor.evaluation.gold import Gold
from extractor.evaluation.scoring import amounts, dates
from extractor.evaluation.scoring.comparators import form
from extractor.evaluation.scoring.grounding import stands
from extractor.evaluation.scoring.schema import Field, Group, Leaf, Rows, Unknown, Values, blank
from extractor.evaluation.scoring.text import bare
from extractor.evaluation.scoring.walk import leaves, step
from extractor.schema.annotations import Kind
from extractor.types import Json

FEWEST = 3
"""Documents that a value must be the same in before it looks like a constant."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
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


def lint(golds: Sequence[Gold], schema: Group, documents: Mapping[str, str]) -> tuple[Finding, ...]:
    """All findings, errors first. `documents` maps the name of each document that is there to its text."""
    found = [*_coverage(golds, documents), *_fields(golds, schema)]
    for gold in golds:
        found += _keys(gold)
        found += _shape(gold, schema, gold.record, "")
        found += _pointers(gold, schema)
        found += _repeated(gold, schema)
        if gold.document in documents:
            found += _grounded(gold, schema, documents[gold.document])
    return tuple(sorted(found, key=lambda one: (one.severity, one.file, one.pointer, one.code, one.message)))


def _coverage(golds: Sequence[Gold], documents: Mapping[str, str]) -> Iterator[Finding]:
    first: dict[str, Gold] = {}
    for gold in golds:
        if gold.document in first:
            message = f'"{gold.document}" has gold in {first[gold.document].file} already; keep one of them.'
            yield Finding(Severity.ERROR, "two golds", gold.file, "", message)
        first.setdefault(gold.document, gold)
        if gold.document not in documents:
            message = f'there is no document "{gold.document}"; add it to the samples or remove its gold.'
            yield Finding(Severity.ERROR, "no document", gold.file, "", message)
    for name in documents.keys() - first.keys():
        yield Finding(Severity.WARNING, "no gold", name, "", "has no gold, so it is not scored.")


def _keys(gold: Gold) -> Iterator[Finding]:
    for name in gold.unknown:
        yield Finding(Severity.WARNING, "unknown key", gold.file, "", f'"{name}" means nothing here and is not used.')


def _shape(gold: Gold, node: Field, value: Json, path: str) -> Iterator[Finding]:
    """What in the record does not fit the schema."""
    if blank(value) or isinstance(node, Unknown):
        return
    if isinstance(node, Leaf):
        wrong = misfit(node, value)
        if wrong is not None:
            yield Finding(Severity.ERROR, "wrong type", gold.file, path, wrong)
        elif node.kind is Kind.DATE and dates.parse(bare(str(value))) is None:
            message = f"{value!r} is no date with one reading, so it is compared as text; write YYYY-MM-DD or less."
            yield Finding(Severity.WARNING, "unread date", gold.file, path, message)
    elif isinstance(node, Group):
        if not isinstance(value, dict):
            yield Finding(Severity.ERROR, "wrong type", gold.file, path, f"must be an object, not {_named(value)}.")
            return
        for name, one in value.items():
            if name in node.fields:
                yield from _shape(gold, node.fields[name], one, path + step(name))
            elif node.rest is not None:
                yield from _shape(gold, node.rest, one, path + step(name))
            elif node.fields or not node.open:
                message = f'the schema has no field "{name}"; correct its name or remove it.'
                yield Finding(Severity.ERROR, "unknown field", gold.file, path + step(name), message)
    elif not isinstance(value, list):
        yield Finding(Severity.ERROR, "wrong type", gold.file, path, f"must be a list, not {_named(value)}.")
    else:
        item: Field = node.row if isinstance(node, Rows) else node.item or Unknown()
        for i, one in enumerate(value):
            yield from _shape(gold, item, one, f"{path}/{i}")


def misfit(leaf: Leaf, value: Json) -> str | None:
    """Why the value cannot be one of the leaf's kind, or None when it can."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if leaf.kind is Kind.ENUM:
        choices = {form(leaf.kind, one) for one in leaf.enum}
        if choices and form(leaf.kind, value) not in choices:
            return f"{value!r} is none of the schema's choices."
        return None
    if leaf.kind is Kind.BOOLEAN:
        return None if isinstance(value, bool) else f"must be true or false, not {_named(value)}."
    if leaf.kind is Kind.INTEGER:
        fits = number and value == value // 1
        return None if fits or _numeral(value) else f"must be a whole number, not {_named(value)}."
    if leaf.kind is Kind.NUMBER:
        return None if number or _numeral(value) else f"must be a number, not {_named(value)}."
    if leaf.kind in (Kind.DATE, Kind.QUANTITY) and number:
        return None
    return None if isinstance(value, str) else f"must be a text, not {_named(value)}."


def _numeral(value: Json) -> bool:
    return isinstance(value, str) and amounts.number(bare(value)) is not None


def _pointers(gold: Gold, schema: Group) -> Iterator[Finding]:
    for pointer in sorted({*gold.optional, *gold.accept, *gold.spans}):
        node, value, there = _follow(schema, gold.record, pointer)
        sides = [name for name in ("optional", "accept", "spans") if pointer in getattr(gold, name)]
        if not there:
            message = f"{' and '.join(sides)} points to nothing; correct the pointer or remove it."
            yield Finding(Severity.ERROR, "dead pointer", gold.file, pointer, message)
            continue
        if pointer in gold.optional and blank(value) and pointer not in gold.accept:
            message = "is optional, but gold says nothing there; only a value can be optional."
            yield Finding(Severity.WARNING, "idle pointer", gold.file, pointer, message)
        for one in gold.accept.get(pointer, ()):
            item = node.item if isinstance(node, Values) and not isinstance(one, list) else node
            wrong = misfit(item, one) if isinstance(item, Leaf) and not blank(one) else None
            if wrong is not None:
                yield Finding(Severity.ERROR, "wrong type", gold.file, pointer, "an accepted value " + wrong)


def _follow(node: Field, value: Json, pointer: str) -> tuple[Field, Json, bool]:
    """(node, value, whether it exists) at the pointer; a field that the schema has and the record leaves out exists."""
    if not pointer.startswith("/"):
        return node, value, False
    for name in (one.replace("~1", "/").replace("~0", "~") for one in pointer[1:].split("/")):
        if isinstance(value, dict):
            known = node.fields if isinstance(node, Group) else {}
            if name not in value and name not in known:
                return node, None, False
            node, value = known.get(name, Unknown()), value.get(name)
        elif isinstance(value, list):
            if not (name.isascii() and name.isdigit() and str(int(name)) == name and int(name) < len(value)):
                return node, None, False
            inner: Field = node.row if isinstance(node, Rows) else Unknown()
            node = (node.item or Unknown()) if isinstance(node, Values) else inner
            value = value[int(name)]
        else:
            return node, None, False
    return node, value, True


def _repeated(gold: Gold, schema: Group) -> Iterator[Finding]:
    """Items of one list that say the same."""
    items: dict[str, dict[str, list[tuple[str, Hashable]]]] = defaultdict(lambda: defaultdict(list))
    for _, leaf, value, path in leaves(schema, gold.record):
        steps = path.split("/")
        for n, name in enumerate(steps):
            if name.isdigit():
                inside = "/".join(steps[n + 1 :])
                items["/".join(steps[:n])][name].append((inside, form(leaf.kind, value)))
    for path, rows in items.items():
        if not isinstance(_follow(schema, gold.record, path)[1], list):
            continue
        counts = Counter(frozenset(Counter(row).items()) for row in rows.values())
        for i, row in rows.items():
            content = frozenset(Counter(row).items())
            if counts[content] > 1:
                message = "says the same as another item of its list; remove one, unless the document has both."
                yield Finding(Severity.WARNING, "duplicate", gold.file, f"{path}/{i}", message)


def _grounded(gold: Gold, schema: Group, text: str) -> Iterator[Finding]:
    """Values that cannot be read in their document, nor any accepted reading of them; and spans that are not in it."""
    for _, leaf, value, path in leaves(schema, gold.record):
        if leaf.kind in (Kind.ENUM, Kind.BOOLEAN):
            continue
        readings = [one for one in (value, *gold.accept.get(path, ())) if isinstance(one, str | int | float)]
        if readings and not any(isinstance(one, bool) or stands(leaf, one, text) for one in readings):
            message = f"{_short(value)} was not found in the document; check it, or accept what the document has."
            yield Finding(Severity.WARNING, "not found", gold.file, path, message)
    for path, ranges in gold.spans.items():
        for start, end in ranges:
            if end > len(text):
                message = f"the span [{start}, {end}) ends beyond the document's {len(text)} characters; correct it."
                yield Finding(Severity.ERROR, "bad span", gold.file, path, message)


def _fields(golds: Sequence[Gold], schema: Group) -> Iterator[Finding]:
    """Fields that cannot tell one run from another: never filled, or the same everywhere."""
    forms: dict[str, set[Hashable]] = defaultdict(set)
    holders: dict[str, set[str]] = defaultdict(set)
    for gold in golds:
        for field, leaf, value, _ in leaves(schema, gold.record):
            forms[field].add(form(leaf.kind, value))
            holders[field].add(gold.document)
    for name in names(schema):
        if name not in forms:
            message = f"no gold has a value for {name}, so finding it is not measured."
            yield Finding(Severity.WARNING, "never filled", "", name, message)
    for name, seen in forms.items():
        if len(seen) == 1 and len(holders[name]) >= FEWEST:
            message = f"{name} is the same in all {len(holders[name])} golds that have it; a constant would score."
            yield Finding(Severity.WARNING, "constant", "", name, message)


def names(node: Field, field: str = "", above: tuple[int, ...] = ()) -> Iterator[str]:
    """Names of the schema's leaves, as cells have them; a schema that refers to itself is followed once."""
    if isinstance(node, Leaf):
        yield field
    elif isinstance(node, Values):
        yield field + "[]"
    elif isinstance(node, Rows):
        yield from names(node.row, field + "[]", above)
    elif isinstance(node, Group) and id(node) not in above:
        for name, one in node.fields.items():
            yield from names(one, f"{field}.{name}" if field else name, (*above, id(node)))


def _named(value: Json) -> str:
    if isinstance(value, bool):
        return "true or false"
    for types, word in (((str,), "a text"), ((int, float), "a number"), ((list,), "a list"), ((dict,), "an object")):
        if isinstance(value, types):
            return word
    return "null"


def _short(value: Json) -> str:
    said = repr(value)
    return said if len(said) <= 80 else said[:77] + "..."
