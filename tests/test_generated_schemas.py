"""Schemas that nobody wrote, with documents that say what they ask for, come round like those of the wild."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from test_wild_schemas import extract, page, said

from extractor.extraction.prompt import read_prompt
from extractor.extraction.task import SHIPPED_TASKS, Task
from extractor.extraction.validation import build_validator
from extractor.models.endpoint import Dialect
from extractor.schema.reader import read_schema
from extractor.types import Json

PROMPT = read_prompt(SHIPPED_TASKS / "default.md")
Drawn = tuple[dict[str, Any], Json]
"""A schema and a value of it."""


class Words:
    """Values that stand in a document once, and names whose first letters are their own."""

    def __init__(self) -> None:
        self.number: Iterator[int] = itertools.count(1)
        self.letters = ("".join(four) for four in itertools.product("bdfgklmn", "aeiou", "prstvz", "aeiou"))

    def word(self) -> str:
        return next(self.letters)


@st.composite
def leaf(draw: st.DrawFn, words: Words, n: int) -> tuple[dict[str, Any], list[Json]]:
    """A plain schema and n values of it."""
    kind = draw(
        st.sampled_from(["text", "integer", "number", "date", "email", "uri", "enum", "boolean", "union", "bounded"])
    )
    match kind:
        case "integer":
            return {"type": "integer"}, [100 + 3 * next(words.number) for _ in range(n)]
        case "number":
            return {"type": "number", "multipleOf": 0.01}, [1000.25 + next(words.number) for _ in range(n)]
        case "date":
            first = date(2019, 1, 2)
            days = [first + timedelta(days=11 * next(words.number)) for _ in range(n)]
            return {"type": "string", "format": "date"}, [d.isoformat() for d in days]
        case "email":
            return {"type": "string", "format": "email"}, [f"{words.word()}@x.example" for _ in range(n)]
        case "uri":
            return {"type": "string", "format": "uri"}, [f"https://{words.word()}.example/p" for _ in range(n)]
        case "enum":
            choices = [words.word() for _ in range(3)]
            return {"enum": choices}, [draw(st.sampled_from(choices)) for _ in range(n)]
        case "boolean":
            return {"type": "boolean"}, [draw(st.booleans()) for _ in range(n)]
        case "union":
            return {"anyOf": [{"type": "integer"}, {"type": "string"}]}, [f"{words.word()} 7" for _ in range(n)]
        case "bounded":
            return {"type": "string", "pattern": "^Q-", "maxLength": 12}, [f"Q-{words.word()}" for _ in range(n)]
    return {"type": "string"}, [f"{words.word()} {words.word()}" for _ in range(n)]


@st.composite
def objects(draw: st.DrawFn, words: Words, n: int, depth: int) -> tuple[dict[str, Any], list[dict[str, Json]]]:
    """An object's schema and n values of it, each told apart by its first property."""
    first = words.word()
    properties: dict[str, Any] = {first: {"type": "string"}}
    required = [first]
    values: list[dict[str, Json]] = [{first: f"{words.word()} {words.word()}"} for _ in range(n)]
    for _ in range(draw(st.integers(0, 4))):
        name = words.word()
        shapes = ["leaf", "leaf", "null", "list", "const"] + (["object", "rows"] if depth else [])
        match draw(st.sampled_from(shapes)):
            case "leaf":
                properties[name], said_ = draw(leaf(words, n))
                if draw(st.booleans()):
                    required.append(name)
            case "null":
                inner, said_ = draw(leaf(words, n))
                properties[name] = {"anyOf": [inner, {"type": "null"}]}
                said_ = [draw(st.sampled_from([v, None])) for v in said_]
            case "list":
                properties[name] = {"type": "array", "items": {"type": "string"}}
                said_ = [[words.word() for _ in range(draw(st.integers(0, 3)))] for _ in range(n)]
            case "const":
                properties[name] = {"const": words.word()}
                required.append(name)
                said_ = [properties[name]["const"]] * n
            case "object":
                properties[name], said_ = draw(objects(words, n, depth - 1))
            case _:
                sizes = [draw(st.integers(0, 3)) for _ in range(n)]
                row, rows = draw(objects(words, sum(sizes), depth - 1))
                properties[name] = {"type": "array", "items": row}
                left = iter(rows)
                said_ = [[next(left) for _ in range(size)] for size in sizes]
        for value, one in zip(values, said_, strict=True):
            value[name] = one
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}, values


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    schema, values = draw(objects(Words(), 1, 2))
    return schema, values[0]


@given(drawn(), st.sampled_from([Dialect.GRAMMAR, Dialect.SCHEMA]))
@settings(max_examples=60)
def test_a_schema_comes_round(of: Drawn, dialect: Dialect) -> None:
    schema, truth = of
    judge = build_validator(schema)
    assert judge.is_valid(truth)
    task = Task("drawn", read_schema(schema), {"default": PROMPT})
    record, _ = extract(task, "\n".join(page(truth)), truth, dialect)
    assert said(record.value) == said(truth)
    assert record.problems == ()
    assert judge.is_valid(record.value)
