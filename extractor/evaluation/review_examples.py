"""Examples out of what people corrected: the passages where a result was wrong, with what is right in them.

A passage holds whole rows, those that a person corrected and their neighbours, as far as they fit. Its answer names a
field only where everything that the document has for it in the passage is known: a row that goes on elsewhere, a value
without words, or one whose words stand in the passage by chance, leaves its field out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from extractor.errors import UsageError
from extractor.evaluation.review_gold import FolderReview, ReviewedDocument
from extractor.extraction.chunking import estimate_tokens
from extractor.extraction.example_files import MAX_EXAMPLES, MAX_PASSAGE, find_unproved
from extractor.extraction.examples import Example
from extractor.extraction.text.normalize import fold_text
from extractor.extraction.text.patterns import find_candidates
from extractor.results.decisions.tree import (
    Entries,
    Fields,
    Leaf,
    Verdict,
    holds_entry,
    read_value,
    walk_record,
    walk_tree,
)
from extractor.results.decisions.tree import Node as Kept
from extractor.results.parts import Proof
from extractor.schema.annotations import Kind
from extractor.schema.reader import Field, Node, Object, ObjectList, Scalar, Schema, ValueList
from extractor.types import Json, Span

PASSAGE_TOKENS = 160
"""Estimated tokens of a passage at most: one that takes more leaves no room for the others."""
HEADING_LENGTH = 60
"""Characters of a line that stands by itself above a passage and is shown as its heading."""
_AS_WRITTEN = frozenset({Kind.EMAIL, Kind.URL, Kind.DATE})
"""Kinds whose values a model is to copy as the document writes them, whatever form the record has them in."""
_EDITED = frozenset({Verdict.CORRECTED, Verdict.ADDED, Verdict.REJECTED, Verdict.RESTORED})


@dataclass(frozen=True, slots=True)
class ExamplesBuilt:
    """The examples of a folder, and how many passages are none, since not all of their values have words in them."""

    entries: tuple[Example, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is corrected as a whole: a plain value, an entry of a list, an object. A wrong one has nothing right."""

    field: Field
    value: Json
    leaves: tuple[tuple[str, Json, Proof | None], ...]
    """Pointer below the unit, value and proof of each leaf."""
    span: Span | None
    """From its first words to its last."""
    corrected: bool
    is_wrong: bool = False

    @property
    def lacks_words(self) -> bool:
        return any(not proof for _, _, proof in self.leaves)


def build_examples(review: FolderReview, schema: Schema | None) -> ExamplesBuilt:
    """The corrected passages of the documents that somebody finished. Raises UsageError where there can be none."""
    if schema is None:
        raise UsageError("The run does not tell its schema, which examples are made by; run it again.")
    built: list[Example] = []
    left_out = 0
    for one in review.finished:
        entries, left = _build_of_document(one, schema)
        built += entries
        left_out += left
    return ExamplesBuilt(tuple(built[:MAX_EXAMPLES]), left_out + len(built[MAX_EXAMPLES:]))


def _build_of_document(one: ReviewedDocument, schema: Schema) -> tuple[list[Example], int]:
    document = one.result.document
    units = list(_list_units(one.state.root, schema.root))
    hidden = [Span(part.start, part.end) for part in document.hidden]
    examples: dict[Span, Example] = {}
    left_out = 0
    for passage in _find_passages(document.text, units, schema):
        if passage in examples or any(part.overlaps(passage) for part in hidden):
            continue
        answer, corrected = _answer_passage(document.text, passage, units)
        words = document.text[passage.start : passage.end]
        example = Example(document.name, document.sha256, words, answer, corrected)
        if not corrected or len(words) > MAX_PASSAGE or find_unproved(example, schema):
            left_out += 1
        else:
            examples[passage] = example
    return list(examples.values()), left_out


def _list_units(root: Kept, part: Object) -> Iterator[_Unit]:
    for field in part.fields:
        node = root.fields.get(field.name) if isinstance(root, Fields) else None
        if isinstance(node, Entries):
            yield from (_build_unit(field, entry.node, not holds_entry(entry), entry.added) for entry in node.items)
        elif node is not None:
            yield _build_unit(field, node, False, False)


def _build_unit(field: Field, node: Kept, removed: bool, added: bool) -> _Unit:
    every = [leaf for _, leaf, _ in walk_tree(node)]
    corrected = removed or added or any(leaf.verdict in _EDITED for leaf in every)
    if removed or (isinstance(node, Leaf) and node.value is None):
        return _Unit(field, None, (), _hull(leaf.first_proof for leaf in every), corrected, is_wrong=True)
    leaves = tuple((path, leaf.value, leaf.proof) for path, leaf in walk_record(node))
    return _Unit(field, read_value(node), leaves, _hull(proof for _, _, proof in leaves), corrected)


def _hull(proofs: Iterator[Proof | None]) -> Span | None:
    spans = [quote for proof in proofs if proof for quote in proof.spans]
    return Span(min(q.start for q in spans), max(q.end for q in spans)) if spans else None


def _find_passages(text: str, units: Sequence[_Unit], schema: Schema) -> Iterator[Span]:
    """Where something was corrected: of each group of fields, its units as far as they stand together."""
    for names in schema.groups.values():
        own = sorted((u for u in units if u.field.name in names and u.span), key=lambda u: u.span or Span(0, 1))
        run: list[_Unit] = []
        for unit in own:
            if run and estimate_tokens(text[_cover([*run, unit]).start : _cover([*run, unit]).end]) > PASSAGE_TOKENS:
                yield from _close_run(text, run)
                run = []
            run.append(unit)
        yield from _close_run(text, run)


def _close_run(text: str, run: Sequence[_Unit]) -> Iterator[Span]:
    if any(unit.corrected for unit in run):
        span = _complete_lines(text, _cover(run))
        if estimate_tokens(text[span.start : span.end]) <= 2 * PASSAGE_TOKENS:
            yield span


def _cover(run: Sequence[_Unit]) -> Span:
    spans = [unit.span for unit in run if unit.span]
    return Span(min(s.start for s in spans), max(s.end for s in spans))


def _complete_lines(text: str, span: Span) -> Span:
    """The span with whole lines, and the line above that is its heading, if there is one."""
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.end)
    above = text[:start].rstrip()
    line = above[above.rfind("\n") + 1 :]
    if above and len(line) <= HEADING_LENGTH and text.count("\n", len(above), start) <= 2:
        start = len(above) - len(line)
    return Span(start, len(text) if end < 0 else end)


def _answer_passage(text: str, passage: Span, units: Sequence[_Unit]) -> tuple[dict[str, Json], tuple[str, ...]]:
    """What is right in the passage, as far as it is known, and the fields of it that a person corrected there."""
    folded = fold_text(text[passage.start : passage.end])
    answer: dict[str, Json] = {}
    corrected: list[str] = []
    for field in {unit.field.name: unit.field for unit in units}.values():
        own = [unit for unit in units if unit.field is field]
        inside = [unit for unit in own if unit.span and unit.span.within(passage)]
        if any(_is_unclear(unit, passage, folded) for unit in own):
            continue
        right = [_write_as_there(text, passage, unit) for unit in inside if not unit.is_wrong]
        if isinstance(field.node, ObjectList | ValueList):
            answer[field.name] = right
        else:
            answer[field.name] = right[0] if right else None
        if any(unit.corrected for unit in inside):
            corrected.append(field.name)
    return answer, tuple(corrected)


def _is_unclear(unit: _Unit, passage: Span, folded: str) -> bool:
    """Whether a passage may say something of a unit that its answer would not."""
    if unit.is_wrong:
        return False
    if unit.span and unit.span.within(passage):
        return unit.lacks_words
    if unit.span and unit.span.overlaps(passage):
        return True
    telling = next((str(value) for _, value, _ in unit.leaves if isinstance(value, str) and len(value) > 2), "")
    return bool(telling) and fold_text(telling) in folded


def _write_as_there(text: str, passage: Span, unit: _Unit) -> Json:
    """The unit's value, dates and addresses as the passage spells them: a model is to copy."""
    proofs = {path: proof for path, _, proof in unit.leaves}
    node = unit.field.node

    def write(at: Node, value: Json, path: str) -> Json:
        match at:
            case Object(fields) if isinstance(value, Mapping):
                written = {f.name: write(f.node, value.get(f.name), f"{path}/{f.name}") for f in fields}
                return {name: one for name, one in written.items() if one is not _UNKNOWN}
            case ObjectList(row):
                return [write(row, one, f"{path}/{i}") for i, one in enumerate(value or ())]
            case ValueList(item):
                return [write(item, one, f"{path}/{i}") for i, one in enumerate(value or ())]
            case Scalar():
                return _spell(at, value, proofs.get(path), text, passage)
        return value

    match node:
        case ObjectList(row):
            return write(row, unit.value, "")
        case ValueList(item):
            return write(item, unit.value, "")
    return write(node, unit.value, "")


_UNKNOWN = object()
"""In place of a value that code finds by its place, and which the passage spells otherwise: it is left out."""


def _spell(leaf: Scalar, value: Json, proof: Proof | None, text: str, passage: Span) -> Json:
    if not leaf.ask_model:
        return value if proof and value == proof.quote else _UNKNOWN
    if value is None or leaf.type != "string" or leaf.kind not in _AS_WRITTEN:
        return value
    for found in find_candidates(leaf.kind, text[passage.start : passage.end]):
        place = found.shift(passage.start)
        if proof and any(Span(quote.start, quote.end).overlaps(place) for quote in proof.spans):
            return " ".join(text[place.start : place.end].split())
    return value
