"""Schema x chunks -> questions: which part of the record each chunk is asked for, and the request that asks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from extractor import grammars, prompts, shapes
from extractor.domain import Chunk, Json, Request
from extractor.prompts import Prompt
from extractor.schemas import Object, Schema

WHOLE = "record"
"""The one group of a prompt that asks for everything at once."""


@dataclass(frozen=True, slots=True)
class Question:
    """One field group, asked of one chunk."""

    chunk: Chunk
    group: str
    part: Object
    request: Request


def plan(schema: Schema, prompt: Prompt, chunks: Sequence[Chunk], model: str) -> list[Question]:
    """Every question about the chunks; those about one chunk stand together, so that an engine can reuse its prefix."""
    return [ask(schema, prompt, chunk, group, model) for chunk in chunks for group in groups(schema, prompt)]


def groups(schema: Schema, prompt: Prompt) -> list[str]:
    return [WHOLE] if prompt.strategy.ask == "whole" else list(schema.groups)


def ask(schema: Schema, prompt: Prompt, chunk: Chunk, group: str, model: str) -> Question:
    part = schema.root if prompt.strategy.ask == "whole" else schema.part(group)
    system, user = prompts.messages(prompt, chunk, group, part)
    shape = shapes.shape(part, chunk.text, prompt.strategy)
    request = Request(
        model=model,
        system=system,
        user=user,
        schema=shape,
        parameters=parameters(prompt),
        grammar=grammars.compact(shape),
        label=f"{chunk.document.name} {chunk.index} {group}",
    )
    return Question(chunk, group, part, request)


def parameters(prompt: Prompt) -> Mapping[str, Json]:
    """Sampling parameters; greedy and seeded, so that a run can be repeated."""
    return {"temperature": 0, "seed": 1, "max_tokens": prompt.strategy.max_tokens}
