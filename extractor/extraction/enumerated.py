"""Rows that are asked for one by one: what the text holds is the stem, and the model says the rest of its row.

Asked to list the figures of a text, a small model writes words instead, or takes the first figure for all of them. So
code finds where each one stands, and the model reads what is said of it there. Which row such a row belongs to (a score
to its player) is for `parents` to tell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from extractor.extraction.grounding import findings as found
from extractor.extraction.grounding.anchors import reading_distance
from extractor.extraction.grounding.mentions import Mention, TextIndex
from extractor.extraction.grounding.tree import add_findings
from extractor.extraction.prompt import Strategy
from extractor.extraction.response_schema import build_response_schema
from extractor.extraction.text import patterns as candidates
from extractor.extraction.text.normalize import clean_words
from extractor.extraction.text.passages import find_paragraph, find_sentence
from extractor.models.traits import ModelTraits
from extractor.schema.reader import Field, Object, ObjectList, Scalar
from extractor.types import Evidence, GroundedList, GroundedNode, GroundedObject, GroundedValue, Json, Match, Span

BATCH_SIZE = 20
"""Stems of one question; a longer reply is more likely to be cut short."""
QUOTE_LENGTH = 240
"""Characters of a sentence that a question quotes, around what it asks about."""
_AND = re.compile(r"\s+(?:and|or)\s+")


@dataclass(frozen=True, slots=True)
class Candidate:
    name: str
    """What question and reply call it: the value, with a number where the text has it again."""
    value: str
    """As the text has it, without markup."""
    span: Span
    """In the chunk's text."""


@dataclass(frozen=True, slots=True)
class CandidateBatch:
    """What one question asks to be completed, and where in the record its rows belong."""

    path: tuple[str, ...]
    """Names of the lists, the outermost first."""
    field: Field
    candidates: tuple[Candidate, ...]

    @property
    def object_list(self) -> ObjectList:
        assert isinstance(self.field.node, ObjectList)  # noqa: S101 -- only such fields are set apart
        return self.field.node

    @property
    def remaining_row(self) -> Object:
        """The row without the field that the stem is."""
        row = self.object_list.row
        return replace(row, fields=tuple(f for f in row.fields if f.name != self.object_list.enumerate_by))


def split_enumerated(part: Object) -> tuple[Object, list[tuple[tuple[str, ...], Field]]]:
    """The part without the lists that are asked for one by one, and these lists with their paths."""
    fields: list[Field] = []
    lists: list[tuple[tuple[str, ...], Field]] = []
    for f in part.fields:
        if not isinstance(f.node, ObjectList):
            fields.append(f)
        elif f.node.enumerate_by:
            lists.append(((f.name,), f))
        else:
            inner = [g for g in f.node.row.fields if isinstance(g.node, ObjectList) and g.node.enumerate_by]
            others = tuple(g for g in f.node.row.fields if g not in inner)
            lists += [((f.name, g.name), g) for g in inner]
            fields.append(replace(f, node=replace(f.node, row=replace(f.node.row, fields=others))) if inner else f)
    return replace(part, fields=tuple(fields)), lists


def find_candidate_batches(
    path: tuple[str, ...], field: Field, text: str, most: int
) -> tuple[list[CandidateBatch], Span | None]:
    """The candidates that stand in the text, as many together as one question asks about.

    A table may hold hundreds: after so many of them the rest of the text is left, and told.
    """
    assert isinstance(field.node, ObjectList)  # noqa: S101
    kind = next(
        f.node.kind for f in field.node.row.fields if f.name == field.node.enumerate_by and isinstance(f.node, Scalar)
    )
    seen: Counter[str] = Counter()
    stems: list[Candidate] = []
    for span in candidates.find_candidates(kind, text):
        said = clean_words(text[span.start : span.end])
        seen[said] += 1
        stems.append(Candidate(said if seen[said] == 1 else f"{said} ({seen[said]})", said, span))
    asked = [
        CandidateBatch(path, field, tuple(stems[i : min(i + BATCH_SIZE, most)]))
        for i in range(0, min(len(stems), most), BATCH_SIZE)
    ]
    return asked, Span(stems[most].span.start, len(text)) if len(stems) > most else None


def describe_rows(asked: CandidateBatch) -> list[str]:
    """What is asked of each stem, in the schema's words."""
    about = " ".join(filter(None, [asked.field.description, asked.object_list.row.description]))
    lines = [f"- {asked.field.name}: {about} Of each below:"]
    return lines + [f"  - {f.name}: {f.description or f.name}" for f in asked.remaining_row.fields]


def cite_candidates(asked: CandidateBatch, text: str) -> list[str]:
    """Each sentence of the document with the stems that stand in it, a line each."""
    sentences: dict[Span, list[Candidate]] = {}
    for stem in asked.candidates:
        sentences.setdefault(_quoted_sentence(text, stem.span), []).append(stem)
    return [
        f'- {", ".join(stem.name for stem in stems)}: "{" ".join(text[span.start : span.end].split())}"'
        for span, stems in sentences.items()
    ]


def _quoted_sentence(text: str, span: Span) -> Span:
    sentence = find_sentence(text, span)
    if len(sentence) <= QUOTE_LENGTH:
        return sentence
    start, end = max(sentence.start, span.start - QUOTE_LENGTH // 2), min(sentence.end, span.end + QUOTE_LENGTH // 2)
    while start > sentence.start and not text[start - 1].isspace():
        start -= 1
    while end < sentence.end and not text[end].isspace():
        end += 1
    return Span(start, end)


def build_batch_schema(asked: CandidateBatch, text: str, strategy: Strategy) -> dict[str, Json]:
    """The JSON Schema of the reply: an object by the names of the stems, in the document's order."""
    rest = build_response_schema(asked.remaining_row, text, strategy)
    names = [stem.name for stem in asked.candidates]
    return {
        "type": "object",
        "properties": dict.fromkeys(names, rest),
        "required": names,
        "additionalProperties": False,
    }


def ground_candidates(
    batch: CandidateBatch, value: Mapping[str, Json], index: TextIndex, traits: ModelTraits
) -> GroundedList:
    """A row for each candidate, as the words of its paragraph support it; each begins with the candidate itself."""
    rows: list[GroundedObject] = []
    shared: set[Span] = set()
    for candidate in batch.candidates:
        row = _ground_row(batch, candidate, value.get(candidate.name) or {}, index, traits, shared)
        names = _find_about_row(batch, row)
        rows.append(add_findings(row, *names) if names else row)
    return GroundedList(tuple(rows))


def _find_about_row(batch: CandidateBatch, row: GroundedObject) -> list[str]:
    """What speaks against the row as a whole: it lacks what every row has, or is its candidate and nothing more."""
    supported = {
        name for name, leaf in row.fields.items() if isinstance(leaf, GroundedValue) and leaf.evidence.spans
    } - {name for name, leaf in row.fields.items() if _is_outside(leaf)}
    if any(f.required and f.name not in supported for f in batch.remaining_row.fields):
        return [found.ROW_INCOMPLETE]
    return [] if any(f.name in supported for f in batch.remaining_row.fields) else [found.ROW_EMPTY]


def _is_outside(node: GroundedNode) -> bool:
    return isinstance(node, GroundedValue) and found.OUTSIDE_ROW in node.evidence.findings


def _ground_row(
    batch: CandidateBatch,
    candidate: Candidate,
    value: Mapping[str, Json],
    index: TextIndex,
    traits: ModelTraits,
    shared: set[Span],
) -> GroundedObject:
    """The row with its evidence. `shared`: mentions of one of several things, a row's each; this row adds its own."""
    fields: dict[str, GroundedNode] = {}
    for f in batch.object_list.row.fields:
        assert isinstance(f.node, Scalar)  # noqa: S101 -- the schema has refused others
        own = f.name == batch.object_list.enumerate_by
        said = candidate.value if own else value.get(f.name)
        if said in (None, ""):
            continue
        mentions = index.fit_to_declaration(f.node, index.find_mentions(f.node, said))
        if own:
            here = [m for m in mentions if m.span.overlaps(candidate.span)]
            here = here or [Mention(said, candidate.span, Match.EXACT)]
        else:
            here = _mentions_around(batch, candidate, mentions, index)
        if not here:
            here = [m for m in _mentions_of_parts(batch, candidate, f.node, said, index) if m.span not in shared]
            shared.update(m.span for m in here[:1])
        fields[f.name] = _ground_value(said, here, mentions, candidate, index, traits)
    return GroundedObject(fields)


def _ground_value(
    said: Json,
    here: Sequence[Mention],
    mentions: Sequence[Mention],
    candidate: Candidate,
    index: TextIndex,
    traits: ModelTraits,
) -> GroundedValue:
    """The value on the nearest of the mentions `here`; else on any mention, or none, which are findings."""
    near = here or mentions
    if not near:
        return GroundedValue(said, Evidence(Match.NONE, (), str(said), findings=(found.NO_WORDS,)))
    best = min(near, key=lambda m: (reading_distance(m.span, candidate.span), m.span))
    findings = () if here else (found.OUTSIDE_ROW,)
    span = best.span.shift(index.chunk.span.start)
    kept = best.value if here and traits.repairs_values else said
    return GroundedValue(kept, Evidence(best.match, (span,), str(said), findings=findings))


def _mentions_around(
    asked: CandidateBatch, stem: Candidate, places: Sequence[Mention], page: TextIndex
) -> list[Mention]:
    """Those in the stem's paragraph that are no stems themselves."""
    home = find_paragraph(page.text, stem.span)
    return [p for p in places if p.span.within(home) and not any(p.span.overlaps(s.span) for s in asked.candidates)]


def _mentions_of_parts(
    asked: CandidateBatch, stem: Candidate, node: Scalar, said: Json, page: TextIndex
) -> list[Mention]:
    """Where one of several things is that were said in one string: "A and B" of two figures, one for each of them."""
    parts = _AND.split(str(said))
    found = (
        [p for part in parts for p in _mentions_around(asked, stem, page.find_mentions(node, part), page)]
        if len(parts) > 1
        else []
    )
    return sorted(found, key=lambda p: (reading_distance(p.span, stem.span), p.span))
