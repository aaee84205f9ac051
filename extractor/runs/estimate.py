"""What a run would take, without asking a model anything: the questions are planned as a run plans them, and counted.

Requests are exact but for what only replies bring: a question whose reply is cut short is asked again in two halves.
Tokens read are estimated from the very messages that would be sent (see `tokens`), tokens written from the fields that
are asked for (see `answers`) or, where a finished run of the same prompt is at hand, from what it wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from extractor.documents import discovery as documents
from extractor.documents.discovery import Source
from extractor.errors import DocumentError, ResultUnreadable
from extractor.extraction.planning import Question, plan_document
from extractor.extraction.prompt import Prompt
from extractor.extraction.task import Task
from extractor.models.prices import Price, Speed, compute_cost
from extractor.models.tokens import count_picture_tokens, count_tokens
from extractor.models.traits import SMALL, ModelTraits
from extractor.results.reading import read_result_file
from extractor.runs.reply_length import ReplyLength, estimate_completion_length, estimate_reply_length

CHAT_TEMPLATE_TOKENS = 13
"""Tokens that a chat template puts around a system and a user message."""
TOKEN_COUNT_ERROR = 0.08
"""How far the count of tokens read is off for another vocabulary of English text, one way or the other."""


@dataclass(frozen=True, slots=True)
class AmountRange:
    """An amount: the least, what is to be expected, the most that is likely."""

    low: float = 0
    expected: float = 0
    high: float = 0

    def __add__(self, other: AmountRange) -> AmountRange:
        return AmountRange(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def to_json(self) -> dict[str, int]:
        return {"low": round(self.low), "expected": round(self.expected), "high": round(self.high)}


@dataclass(frozen=True, slots=True)
class GroupEstimate:
    """What one field group takes, over all documents."""

    requests: AmountRange = field(default_factory=AmountRange)
    input_tokens: AmountRange = field(default_factory=AmountRange)
    output_tokens: AmountRange = field(default_factory=AmountRange)
    pictures: int = 0
    """Pictures of pages that go along."""
    picture_tokens: int = 0
    """Of the tokens that are read, those of pictures."""

    def __add__(self, other: GroupEstimate) -> GroupEstimate:
        return GroupEstimate(
            self.requests + other.requests,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.pictures + other.pictures,
            self.picture_tokens + other.picture_tokens,
        )


@dataclass(frozen=True, slots=True)
class MeasuredUsage:
    """What an earlier run of the same prompt wrote: tokens for each one read, by field group."""

    documents: int
    written_per_read: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RunEstimate:
    documents: int
    unreadable: tuple[tuple[str, str], ...]
    """Name and reason of each document that a run could not read either."""
    characters: int
    groups: Mapping[str, GroupEstimate]
    repeated_tokens: float
    """Tokens read that a model with a prefix cache has read just before."""
    max_output_tokens: int
    """Tokens written if every reply ran to its limit: what no run without re-asking passes."""
    measured: MeasuredUsage | None = None

    @property
    def total_amounts(self) -> GroupEstimate:
        return sum(self.groups.values(), GroupEstimate())

    def estimate_cost(self, price: Price | None) -> AmountRange | None:
        total = self.total_amounts
        read, written = total.input_tokens, total.output_tokens
        amounts = [compute_cost(price, *pair) for pair in zip(_range_bounds(read), _range_bounds(written), strict=True)]
        low, expected, high = amounts
        return None if low is None or expected is None or high is None else AmountRange(low, expected, high)

    def estimate_seconds(self, speed: Speed | None, prefix_cache: bool) -> AmountRange | None:
        """Of one request after the other."""
        if speed is None:
            return None
        saved = self.repeated_tokens if prefix_cache else 0
        pairs = zip(
            _range_bounds(self.total_amounts.input_tokens), _range_bounds(self.total_amounts.output_tokens), strict=True
        )
        return AmountRange(*(max(0, read - saved) / speed.read + written / speed.write for read, written in pairs))


def _range_bounds(amount: AmountRange) -> tuple[float, float, float]:
    return amount.low, amount.expected, amount.high


def estimate_run(
    task: Task,
    prompt: Prompt,
    sources: Iterable[Source],
    model: str,
    before: MeasuredUsage | None,
    traits: ModelTraits = SMALL,
) -> RunEstimate:
    """What asking all the questions of these documents would take. One document is held at a time."""
    count = characters = ceiling = 0
    repeated = 0.0
    unreadable: list[tuple[str, str]] = []
    groups: dict[str, GroupEstimate] = {}
    for source in sources:
        try:
            document = documents.read_source(source)
        except DocumentError as error:
            unreadable.append((documents.printable_name(source.path.name), str(error)))
            continue
        count += 1
        characters += len(document.text)
        previous = ""
        for question in plan_document(document, task.schema, prompt, model, traits).questions:
            groups[question.group] = groups.get(question.group, GroupEstimate()) + _estimate_question(question, before)
            ceiling += question.request.parameters["max_tokens"]
            said = question.request.system + question.request.user
            repeated += count_tokens(_find_common_prefix(previous, said))
            previous = said
    return RunEstimate(count, tuple(unreadable), characters, groups, repeated, ceiling, before)


def _find_common_prefix(one: str, other: str) -> str:
    """What both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return one[:low]


def _estimate_question(question: Question, before: MeasuredUsage | None) -> GroupEstimate:
    text = CHAT_TEMPLATE_TOKENS + count_tokens(question.request.system) + count_tokens(question.request.user)
    pictures = question.request.pictures
    seen = sum(count_picture_tokens(page.width, page.height, question.request.model) for page in pictures)
    read = text + seen
    most = question.request.parameters["max_tokens"]
    written = _estimate_written_tokens(question, read, most, before)
    twice = written.high >= most and question.can_be_halved
    return GroupEstimate(
        AmountRange(1, 1, 3 if twice else 1),
        AmountRange(read * (1 - TOKEN_COUNT_ERROR), read, read * (1 + TOKEN_COUNT_ERROR) * (2 if twice else 1)),
        AmountRange(written.low, written.expected, written.high * (2 if twice else 1)),
        len(pictures),
        seen,
    )


def _estimate_written_tokens(question: Question, read: float, most: int, before: MeasuredUsage | None) -> ReplyLength:
    if before is not None and question.group in before.written_per_read:
        expected = min(float(most), before.written_per_read[question.group] * read)
        spread = 1 + 1 / max(1, before.documents) ** 0.5
        return ReplyLength(expected / spread, expected, min(float(most), expected * spread))
    if question.batch:
        return estimate_completion_length(question.batch.remaining_row, len(question.batch.candidates), most)
    return estimate_reply_length(question.asked_part, count_tokens(question.chunk.text), most)


def measure_earlier_run(folder: Path, prompt: Prompt, model: str, schema: str) -> MeasuredUsage | None:
    """What the results in a folder say of this prompt and schema with this model; None where they say nothing."""
    read: dict[str, int] = {}
    written: dict[str, int] = {}
    seen = 0
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        told = _read_group_tokens(path, prompt, model, schema)
        seen += bool(told)
        for group, (came, went) in told.items():
            read[group] = read.get(group, 0) + came
            written[group] = written.get(group, 0) + went
    return MeasuredUsage(seen, {group: written[group] / read[group] for group in read}) if seen else None


def _read_group_tokens(path: Path, prompt: Prompt, model: str, schema: str) -> dict[str, tuple[int, int]]:
    """Tokens read and written for each field group, as a result file says; nothing for any other file."""
    try:
        result = read_result_file(path).file
    except ResultUnreadable:
        return {}
    made = result.manifest
    if (made.prompt.fingerprint, made.record_schema.fingerprint, made.model.name) != (
        prompt.fingerprint,
        schema,
        model,
    ):
        return {}
    taken = {group: usage.to_usage() for group, usage in result.usage.groups.items()}
    counts = {
        group: (_add(one.input_tokens, one.cached_input_tokens), _add(one.output_tokens, one.cached_output_tokens))
        for group, one in taken.items()
    }
    return {group: (read, written) for group, (read, written) in counts.items() if read and written is not None}


def _add(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
