"""Schema x chunks -> questions: which part of the record each chunk is asked for, and the request that asks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from extractor.extraction import compact as terse
from extractor.extraction.chunking import estimate_tokens, halve_chunk, narrow_chunk, split_document
from extractor.extraction.enumerated import (
    CandidateBatch,
    build_batch_schema,
    cite_candidates,
    describe_rows,
    find_candidate_batches,
    split_enumerated,
)
from extractor.extraction.hints import cite_hints
from extractor.extraction.prompt import Prompt, build_messages, build_part_messages, describe_fields
from extractor.extraction.response_schema import build_response_schema
from extractor.extraction.text.outline import Keywords, Outline
from extractor.models.local.grammar import build_reply_grammar
from extractor.models.tokens import PICTURE_ROOM
from extractor.models.traits import ModelTraits
from extractor.schema.open_objects import as_rows, read_rows
from extractor.schema.reader import Field, Object, ObjectList, Schema
from extractor.types import Chunk, Document, Json, Request, SkippedFields, Span, ValuePath

WHOLE_RECORD = "record"
"""The one group of a prompt that asks for everything at once."""


MIN_HALVED_TOKENS = 120
"""Estimated tokens below which a chunk whose reply was cut short is not halved again."""
NARROW_RATIO = 4
"""A group whose fields want it is asked of the parts that announce it alone, if they are less than one part in so many
of the chunk: a short text misleads a small model less, but costs what sharing the chunk's prefix would save."""
SPARE, COPIED = 160, 45
"""Tokens of an answer that are its form, and the most of a chunk's tokens (in %) that one group's answer copies."""
MIN_REPLY_TOKENS, ROOM = 4_096, 2
"""Tokens that a reply about the whole record may have at least, and how often over what copying all would take."""
MAX_PICTURES_A_REQUEST = 20
"""Pictures of pages in one request: what every maker's interface takes (Google: 20 MB in all, of 0.7 MB each)."""
PICTURES_SHARE = 2
"""Pictures take one part in so many of the window at most."""
MAX_PARTS = 3
"""More places than this, and the chunk as a whole is asked after all."""


@dataclass(frozen=True, slots=True)
class Question:
    """One field group, asked of one chunk."""

    chunk: Chunk
    group: str
    part: Object
    request: Request
    prompt: Prompt
    full: bool = False
    """Whether its reply may be as long as the model's are."""
    batch: CandidateBatch | None = None
    """What it asks to be completed, where it asks that instead of for the part."""

    def in_parts(self) -> list[Question]:
        """What is asked where the reply was cut short: the same with more room, else of halves of the chunk."""
        model = self.request.model
        if not self.full and not self.prompt.strategy.narrows_schema:
            return [build_field_question(self.prompt, self.chunk, self.group, self.part, model, full=True)]
        return self.in_halves(full=True)

    def without_bounds(self) -> Question:
        """The same where lists and texts of the reply may be as long as they like."""
        free = replace(self.prompt.strategy, max_rows=0, max_values=0, max_length=0)
        prompt, model = replace(self.prompt, strategy=free), self.request.model
        return build_field_question(prompt, self.chunk, self.group, self.part, model, full=True)

    def in_halves(self, *, full: bool | None = None) -> list[Question]:
        """The same asked of halves of the chunk, with as much room for a reply unless `full`; [] where it is too short
        for that."""
        if not self.can_be_halved:
            return []
        more = self.full if full is None else full
        model = self.request.model
        halves = halve_chunk(self.chunk)
        return [build_field_question(self.prompt, half, self.group, self.part, model, full=more) for half in halves]

    @property
    def asked_part(self) -> Object:
        """The part as the question has it."""
        return _asked_part(self.group, self.part)

    def expand_reply(self, reply: Json) -> tuple[Json, list[tuple[ValuePath, Json]]]:
        """A reply in the part's form, and what it says of one place besides."""
        return read_rows(self.part, reply if self.group == WHOLE_RECORD else terse.expand_reply(self.part, reply))

    @property
    def can_be_halved(self) -> bool:
        """Whether halves of the chunk are asked where the reply is cut short, since its list was too long for one.

        Not for the whole record of a small model, which would run on in each half up to its whole bound. Nor where rows
        are asked for one by one, which are few enough.
        """
        whole = self.group == WHOLE_RECORD and self.prompt.strategy.narrows_schema
        return not whole and self.batch is None and estimate_tokens(self.chunk.text) >= MIN_HALVED_TOKENS


@dataclass(frozen=True, slots=True)
class Plan:
    questions: tuple[Question, ...]
    skipped: tuple[SkippedFields, ...]


def plan_document(document: Document, schema: Schema, prompt: Prompt, model: str, traits: ModelTraits) -> Plan:
    """Every question about a document, as the model's traits want it asked.

    Of a model that is asked for everything at once, what the question itself takes is kept free in its window.
    """
    pictures = max(1, min(MAX_PICTURES_A_REQUEST, traits.window // PICTURES_SHARE // PICTURE_ROOM))
    if traits.asks_whole and "chunk_tokens" not in prompt.declared:
        question = _count_fixed("\n".join(describe_fields(as_rows(schema.root))) + prompt.system + prompt.user)
        question += PICTURE_ROOM * min(len(document.pictures), pictures)
        question += prompt.examples.tokens if prompt.examples else 0
        traits = replace(traits, window=traits.window - question)
    fitted = prompt.fit_to_model(traits)
    chunks = split_document(document, fitted.strategy.chunk_tokens, pictures)
    return plan_questions(schema, fitted, chunks, model)


_count_fixed = lru_cache(maxsize=1 << 10)(estimate_tokens)
"""For texts that are the same for every document: of the prompt and the schema."""


def plan_questions(schema: Schema, prompt: Prompt, pieces: Sequence[Chunk], model: str) -> Plan:
    """Every question about the chunks, and what is not asked of them because nothing there announces it.

    Questions about one chunk stand together, so that an engine can reuse its prefix.
    """
    questions: list[Question] = []
    skipped: list[SkippedFields] = []
    for chunk in pieces:
        for group in list_groups(schema, prompt):
            asked, left = _plan_group(chunk, group, schema, prompt, model)
            questions += asked
            skipped += left
    return Plan(tuple(questions), tuple(skipped))


def _plan_group(
    chunk: Chunk, group: str, schema: Schema, prompt: Prompt, model: str
) -> tuple[list[Question], list[SkippedFields]]:
    """The questions about one chunk that ask for one group, and what they leave out."""
    whole = schema.root if group == WHOLE_RECORD else schema.part_for_group(group)
    narrow = prompt.strategy.narrows_schema
    fields = tuple(f for f in whole.fields if not narrow or Keywords(f.keywords).occur_in(chunk.text))
    missing = tuple(f.name for f in whole.fields if f not in fields)
    skipped = [SkippedFields(chunk.span, missing)] if missing else []
    part = Object(fields, whole.description)
    part, lists = (part, []) if group == WHOLE_RECORD else split_enumerated(part)
    pieces = _narrow_chunks(chunk, part.fields) if part.fields else []
    questions = [build_field_question(prompt, piece, group, part, model) for piece in pieces]
    for path, field in lists:
        asked, left = _plan_batches(chunk, path, field, prompt.strategy.max_rows)
        questions += [build_row_question(prompt, chunk, group, one, model) for one in asked]
        skipped += [SkippedFields(left.shift(chunk.span.start), (".".join(path),))] if left else []
    return questions, skipped


def _plan_batches(
    chunk: Chunk, path: tuple[str, ...], field: Field, most: int
) -> tuple[list[CandidateBatch], Span | None]:
    """What is asked to be completed, and the part of the chunk's text of which nothing is."""
    if not Keywords(field.keywords).occur_in(chunk.text):
        return [], Span(0, len(chunk.text))
    return find_candidate_batches(path, field, chunk.text, most)


def _narrow_chunks(chunk: Chunk, fields: Sequence[Field]) -> list[Chunk]:
    """The parts of the chunk that announce the fields; the chunk itself where that would not be much less."""
    if not all(f.keywords_only for f in fields):
        return [chunk]
    parts = Keywords([cue for f in fields for cue in f.keywords]).announced_sections(Outline(chunk.text))
    if len(parts) > MAX_PARTS or NARROW_RATIO * sum(end - start for start, end in parts) > len(chunk.text):
        return [chunk]
    by = chunk.span.start
    return [narrow_chunk(chunk, Span(by + a, by + b)) for a, b in parts]


def list_groups(schema: Schema, prompt: Prompt) -> list[str]:
    return [WHOLE_RECORD] if prompt.strategy.ask == "whole" else list(schema.groups)


def build_field_question(
    prompt: Prompt, chunk: Chunk, group: str, part: Object, model: str, *, full: bool = False
) -> Question:
    """One group's question about one chunk; `full` where the answer is known to be long."""
    wanted = _asked_part(group, part)
    shown = prompt.examples.choose(chunk, part, whole=group == WHOLE_RECORD) if prompt.examples else ()
    hints = cite_hints(wanted, chunk.text) if prompt.strategy.candidates else ()
    said = build_part_messages(prompt, chunk, group, wanted, shown, hints)
    shape = build_response_schema(wanted, chunk.text, prompt.strategy)
    bounds = sampling_parameters(prompt, chunk, group, wanted, full=full)
    request = _build_request(chunk, group, model, said, shape, bounds)
    return Question(chunk, group, part, request, prompt, full)


def _asked_part(group: str, part: Object) -> Object:
    """A prompt that asks for the whole record at once asks for all of it."""
    return as_rows(part if group == WHOLE_RECORD else terse.compact_part(part))


def build_row_question(prompt: Prompt, chunk: Chunk, group: str, asked: CandidateBatch, model: str) -> Question:
    """The question that asks for the rest of each row that the chunk holds the stem of."""
    name = f"{group}.{asked.field.name}"
    said = build_messages(prompt, chunk, name, describe_rows(asked), cite_candidates(asked, chunk.text))
    shape = build_batch_schema(asked, chunk.text, prompt.strategy)
    request = _build_request(chunk, name, model, said, shape, greedy_parameters(prompt.strategy.max_tokens))
    return Question(chunk, name, Object((asked.field,)), request, prompt, batch=asked)


def _build_request(
    chunk: Chunk, group: str, model: str, said: tuple[str, str], shape: dict[str, Json], bounds: dict[str, Json]
) -> Request:
    system, user = said
    label = f"{chunk.document.name} {chunk.index} {group}"
    return Request(model, system, user, shape, bounds, build_reply_grammar(shape), label, chunk.pictures)


def sampling_parameters(
    prompt: Prompt, chunk: Chunk, group: str, part: Object, *, full: bool = False
) -> dict[str, Json]:
    """Greedy and seeded, so that a run can be repeated, with as many tokens as a right answer may take.

    An answer copies from its chunk and says it once, so it is bounded by the chunk's length: what runs on is a loop.
    A full answer copies all of it, and has a row, with all its keys, on every line. A model that is asked for all that
    fits has that much room twice over, and when it is asked again all that it can write.
    """
    most = prompt.strategy.max_tokens
    words = estimate_tokens(chunk.text)
    lines = sum(bool(line.strip()) for line in chunk.text.splitlines())
    form = max((_count_fixed(" ".join(keys)) for keys in map(_entry_keys, part.fields)), default=0)
    if not prompt.strategy.narrows_schema:
        room = max(MIN_REPLY_TOKENS, ROOM * (SPARE + words + lines * form))
        most = most if full else min(most, room)
    elif group != WHOLE_RECORD:
        most = min(most, SPARE + (words + lines * form if full else words * COPIED // 100))
    return greedy_parameters(most)


def greedy_parameters(most: int) -> dict[str, Json]:
    """What every request says of sampling: no chance, a seed, and the tokens that the reply may have."""
    return {"temperature": 0, "seed": 1, "max_tokens": most}


def _entry_keys(field: Field) -> list[str]:
    """What an entry of a list writes beside its words."""
    match field.node:
        case ObjectList(row):
            return [f'"{name}": null,' for f in row.fields for name in (f.name, *_entry_keys(f))]
        case Object(fields):
            return [key for f in fields for key in _entry_keys(f)]
    return []
