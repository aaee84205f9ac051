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

from extractor.extraction.grounding.anchors import reading_distance
from extractor.extraction.grounding.grounder import GroundingResult
from extractor.extraction.grounding.mentions import Mention, TextIndex
from extractor.extraction.prompt import Strategy
from extractor.extraction.response_schema import build_response_schema
from extractor.extraction.text import patterns as candidates
from extractor.extraction.text.normalize import clean_words
from extractor.extraction.text.passages import find_paragraph, find_sentence
from extractor.schema.reader import Field, Object, ObjectList, Scalar
from extractor.types import Evidence, Json, Match, RejectedValue, Span

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


def describe_candidates(asked: CandidateBatch, text: str) -> list[str]:
    """What each stem is asked, and each sentence with those that stand in it, a line each."""
    about = " ".join(filter(None, [asked.field.description, asked.object_list.row.description]))
    lines = [f"- {asked.field.name}: {about} Of each below:"]
    lines += [f"  - {f.name}: {f.description or f.name}" for f in asked.remaining_row.fields]
    sentences: dict[Span, list[Candidate]] = {}
    for stem in asked.candidates:
        sentences.setdefault(_quoted_sentence(text, stem.span), []).append(stem)
    for span, stems in sentences.items():
        quoted = " ".join(text[span.start : span.end].replace('"', "'").split())
        lines.append(f'- {", ".join(stem.name for stem in stems)}: "{quoted}"')
    return lines


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
    asked: CandidateBatch, said: Mapping[str, Json], page: TextIndex, *, keep_unsupported: bool = False
) -> GroundingResult:
    """The rows as the paragraphs of their stems support them, with evidence; one with nothing but its stem is none."""
    traced = GroundingResult([])
    shared: set[Span] = set()
    for stem in asked.candidates:
        rest = said.get(stem.name) or {}
        row, evidence, refused = _ground_row(asked, stem, rest, page, shared, keep_unsupported)
        at = len(traced.value)
        if why := _empty_row_reason(asked, row):
            whole = {str(asked.object_list.enumerate_by): stem.value, **rest}
            traced.rejected.append(RejectedValue((*asked.path, at), whole, why, page.chunk.span))
            continue
        traced.value.append(row)
        traced.evidence |= {(at, name): e for name, e in evidence.items()}
        traced.rejected += [RejectedValue((*asked.path, at, name), v, why, page.chunk.span) for name, v, why in refused]
    return traced


def _empty_row_reason(asked: CandidateBatch, row: Mapping[str, Json]) -> str:
    """Why the row as a whole says nothing; nothing if it does."""
    if missing := next((f.name for f in asked.remaining_row.fields if f.required and row[f.name] is None), ""):
        return f"row without {missing}"
    return "" if any(row[f.name] is not None for f in asked.remaining_row.fields) else "nothing is said of it"


def _ground_row(
    asked: CandidateBatch, stem: Candidate, said: Mapping[str, Json], page: TextIndex, shared: set[Span], keep: bool
) -> tuple[dict[str, Json], dict[str, Evidence], list[tuple[str, Json, str]]]:
    """The row as its words support it, the evidence, and what was refused: name, value and why.

    `shared`: mentions of one of several things, which are one row's each; this row adds its own.
    """
    row: dict[str, Json] = {}
    evidence: dict[str, Evidence] = {}
    refused: list[tuple[str, Json, str]] = []
    by = page.chunk.span.start
    for f in asked.object_list.row.fields:
        assert isinstance(f.node, Scalar)  # noqa: S101 -- the schema has refused others
        row[f.name] = None
        own = f.name == asked.object_list.enumerate_by
        value = stem.value if own else said.get(f.name)
        if value in (None, ""):
            continue
        places = page.find_mentions(f.node, value)
        if own:
            here = [p for p in places if p.span.overlaps(stem.span)] or [Mention(value, stem.span, Match.EXACT)]
        else:
            here = _mentions_around(asked, stem, places, page)
        if not here:
            here = [p for p in _mentions_of_parts(asked, stem, f.node, value, page) if p.span not in shared]
            shared.update(p.span for p in here[:1])
        if here:
            place = min(here, key=lambda p: (reading_distance(p.span, stem.span), p.span))
            row[f.name], evidence[f.name] = place.value, Evidence(place.match, (place.span.shift(by),), str(value))
        elif keep:
            row[f.name], evidence[f.name] = value, Evidence(Match.NONE, (), str(value))
        else:
            refused.append((f.name, value, "belongs to another row" if places else "unsupported"))
    return row, evidence, refused


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
