"""Plans of a race: a task's prompt versions, asked by groups or whole, in longer and shorter chunks, with examples."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from extractor.errors import UsageError
from extractor.extraction.examples import Examples
from extractor.extraction.planning import plan_document
from extractor.extraction.prompt import Prompt
from extractor.extraction.task import Task
from extractor.models.tokens import count_tokens
from extractor.models.traits import ModelTraits
from extractor.types import Document, Json


@dataclass(frozen=True, slots=True)
class TriedSettings:
    """What is tried of each kind; plans are all combinations of them."""

    prompts: tuple[str, ...]
    asks: tuple[str, ...]
    chunk_tokens: tuple[int, ...]
    examples: tuple[Examples | None, ...]
    most: int
    """Plans that may be tried."""


@dataclass(frozen=True, slots=True)
class TunePlan:
    """One way to ask, and what it takes about all documents."""

    prompt: Prompt
    version: str
    """The prompt version that it is of."""
    ask: str | None
    chunk_tokens: int | None
    """Where they differ from the version's own."""
    calls: int = 0
    """Planned requests; a reply that is cut short brings more."""
    tokens: int = 0
    """Estimated tokens of the messages."""

    @property
    def label(self) -> str:
        return self.prompt.name

    def list_settings(self) -> dict[str, Json]:
        """What a config file says to have a task asked like this, the path of examples apart."""
        told: dict[str, Json] = {"prompt": self.version, "ask": self.ask, "chunk_tokens": self.chunk_tokens}
        if self.prompt.examples is not None:
            told["examples_tokens"] = self.prompt.examples.tokens
            told["examples_for"] = list(self.prompt.examples.fields) or None
        return {name: value for name, value in told.items() if value is not None}


def list_plans(
    task: Task, tried: TriedSettings, documents: Sequence[Document], model: str, traits: ModelTraits
) -> tuple[TunePlan, ...]:
    """The plans whose requests differ, the first one that of the first prompt as it is. Raises UsageError for too many
    combinations, before anything is planned."""
    many = len(tried.prompts) * max(1, len(tried.asks)) * max(1, len(tried.chunk_tokens)) * len(tried.examples)
    if many > tried.most:
        raise UsageError(f"These are {many} plans; name less to try, or allow them with --plans {many}.")
    plans: dict[tuple[str, ...], TunePlan] = {}
    for plan in _combine(task, tried, traits):
        keys, tokens = list[str](), 0.0
        for document in documents:
            for question in plan_document(document, task.schema, plan.prompt, model, traits).questions:
                keys.append(question.request.key)
                tokens += count_tokens(question.request.system) + count_tokens(question.request.user)
        one = replace(plan, calls=len(keys), tokens=round(tokens))
        plans.setdefault(tuple(keys), one)
    return tuple(plans.values())


def _combine(task: Task, tried: TriedSettings, traits: ModelTraits) -> Iterator[TunePlan]:
    first = task.choose_prompt(tried.prompts[0])
    yield TunePlan(first, first.name, None, None)
    asks: tuple[str | None, ...] = tried.asks or (None,)
    chunks: tuple[int | None, ...] = tried.chunk_tokens or (None,)
    for name, ask, chunk, examples in itertools.product(tried.prompts, asks, chunks, tried.examples):
        prompt = task.choose_prompt(name)
        own = prompt.fit_to_model(traits).strategy
        ask, chunk = None if ask == own.ask else ask, None if chunk == own.chunk_tokens else chunk
        slug = "-".join(str(one) for one in (name, ask, chunk) if one is not None)
        changed = replace(prompt.change_strategy(ask, chunk), name=slug)
        yield TunePlan(changed if examples is None else changed.show_examples(examples), name, ask, chunk)
