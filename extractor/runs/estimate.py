"""What a run would take, without asking a model anything: the questions are planned as a run plans them, and counted.

Requests are exact but for what only replies bring: a question whose reply is cut short is asked again in two halves.
Tokens read are estimated from the very messages that would be sent (see `tokens`), tokens written from the fields that
are asked for (see `answers`) or, where a finished run of the same prompt is at hand, from what it wrote.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from extractor.documents import discovery as documents
from extractor.documents.discovery import Source
from extractor.errors import DocumentError
from extractor.extraction import chunking as chunks
from extractor.extraction import planning
from extractor.extraction.planning import Question
from extractor.extraction.prompt import Prompt
from extractor.extraction.task import Task
from extractor.models import tokens
from extractor.models.prices import Price, Speed, money
from extractor.results.file import FORMAT
from extractor.runs import reply_length as answers
from extractor.runs.reply_length import Length
from extractor.types import Json

FRAME = 13
"""Tokens that a chat template puts around a system and a user message."""
UNSURE = 0.08
"""How far the count of tokens read is off for another vocabulary of English text, one way or the other."""


@dataclass(frozen=True, slots=True)
class Range:
    """An amount: the least, what is to be expected, the most that is likely."""

    low: float = 0
    expected: float = 0
    high: float = 0

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def plain(self) -> dict[str, int]:
        return {"low": round(self.low), "expected": round(self.expected), "high": round(self.high)}


@dataclass(frozen=True, slots=True)
class Group:
    """What one field group takes, over all documents."""

    requests: Range = field(default_factory=Range)
    input_tokens: Range = field(default_factory=Range)
    output_tokens: Range = field(default_factory=Range)

    def __add__(self, other: Group) -> Group:
        return Group(
            self.requests + other.requests,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """What an earlier run of the same prompt wrote: tokens for each one read, by field group."""

    documents: int
    written: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Estimate:
    documents: int
    unreadable: tuple[tuple[str, str], ...]
    """Name and reason of each document that a run could not read either."""
    characters: int
    groups: Mapping[str, Group]
    repeated: float
    """Tokens read that a model with a prefix cache has read just before."""
    ceiling: int
    """Tokens written if every reply ran to its limit: what no run without re-asking passes."""
    measured: Measured | None = None

    @property
    def total(self) -> Group:
        return sum(self.groups.values(), Group())

    def money(self, price: Price | None) -> Range | None:
        total = self.total
        read, written = total.input_tokens, total.output_tokens
        amounts = [money(price, *pair) for pair in zip(_parts(read), _parts(written), strict=True)]
        low, expected, high = amounts
        return None if low is None or expected is None or high is None else Range(low, expected, high)

    def seconds(self, speed: Speed | None, prefix_cache: bool) -> Range | None:
        """Of one request after the other."""
        if speed is None:
            return None
        saved = self.repeated if prefix_cache else 0
        pairs = zip(_parts(self.total.input_tokens), _parts(self.total.output_tokens), strict=True)
        return Range(*(max(0, read - saved) / speed.read + written / speed.write for read, written in pairs))


def _parts(amount: Range) -> tuple[float, float, float]:
    return amount.low, amount.expected, amount.high


def estimate(task: Task, prompt: Prompt, sources: Iterable[Source], model: str, before: Measured | None) -> Estimate:
    """What asking all the questions of these documents would take. One document is held at a time."""
    count = characters = ceiling = 0
    repeated = 0.0
    unreadable: list[tuple[str, str]] = []
    groups: dict[str, Group] = {}
    for source in sources:
        try:
            document = documents.read(source)
        except DocumentError as error:
            unreadable.append((documents.printable(source.path.name), str(error)))
            continue
        count += 1
        characters += len(document.text)
        pieces = chunks.split(document, prompt.strategy.chunk_tokens)
        previous = ""
        for question in planning.plan(task.schema, prompt, pieces, model).questions:
            groups[question.group] = groups.get(question.group, Group()) + _question(question, before)
            ceiling += question.request.parameters["max_tokens"]
            said = question.request.system + question.request.user
            repeated += tokens.count(_shared(previous, said))
            previous = said
    return Estimate(count, tuple(unreadable), characters, groups, repeated, ceiling, before)


def _shared(one: str, other: str) -> str:
    """What both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return one[:low]


def _question(question: Question, before: Measured | None) -> Group:
    read = FRAME + tokens.count(question.request.system) + tokens.count(question.request.user)
    most = question.request.parameters["max_tokens"]
    written = _written(question, read, most, before)
    twice = written.high >= most and question.halvable
    return Group(
        Range(1, 1, 3 if twice else 1),
        Range(read * (1 - UNSURE), read, read * (1 + UNSURE) * (2 if twice else 1)),
        Range(written.low, written.expected, written.high * (2 if twice else 1)),
    )


def _written(question: Question, read: float, most: int, before: Measured | None) -> Length:
    if before is not None and question.group in before.written:
        expected = min(float(most), before.written[question.group] * read)
        spread = 1 + 1 / max(1, before.documents) ** 0.5
        return Length(expected / spread, expected, min(float(most), expected * spread))
    if question.stems:
        return answers.completed(question.stems.rest, len(question.stems.stems), most)
    return answers.length(question.asked, tokens.count(question.chunk.text), most)


def measured(folder: Path, prompt: Prompt, model: str, schema: str) -> Measured | None:
    """What the results in a folder say of this prompt and schema with this model; None where they say nothing."""
    read: dict[str, int] = {}
    written: dict[str, int] = {}
    seen = 0
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        told = _groups(path, prompt, model, schema)
        seen += bool(told)
        for group, (came, went) in told.items():
            read[group] = read.get(group, 0) + came
            written[group] = written.get(group, 0) + went
    return Measured(seen, {group: written[group] / read[group] for group in read}) if seen else None


def _groups(path: Path, prompt: Prompt, model: str, schema: str) -> dict[str, tuple[int, int]]:
    """Tokens read and written for each field group, as a result file says; nothing for any other file."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        made = told["manifest"]
        of = (made["prompt"]["fingerprint"], made["schema"]["fingerprint"], made["model"]["name"])
        if told["format"] != FORMAT or of != (prompt.fingerprint, schema, model):
            return {}
        groups: Mapping[str, Json] = told["usage"]["groups"]
        pairs = {group: (int(u["input_tokens"]), int(u["output_tokens"])) for group, u in groups.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {group: pair for group, pair in pairs.items() if pair[0] > 0}
