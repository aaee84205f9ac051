"""The conclusion of a comparison in sentences, and the table of models by prompts."""

from __future__ import annotations

from collections.abc import Mapping

from extractor.evaluation.analysis.comparison import MIN_DOCUMENTS, Comparison, RunPair
from extractor.evaluation.analysis.metrics import Entrant
from extractor.evaluation.scoring.outcomes import LeafTally, ValueSupport
from extractor.types import Json


def write_headline(comparison: Comparison) -> str:
    """Who leads, by how much, and whether that means anything: one or two sentences."""
    best, documents = comparison.entrants[0], len(comparison.documents)
    value = best.overall[comparison.statistic].value
    words = comparison.statistic.display_name
    if value is None:
        return "Nothing was scored."
    on = f"on {documents} document{'s' * (documents != 1)}"
    if len(comparison.entrants) == 1:
        return f"{best.label} reaches {words} {value:.3f} {on}."
    lead = f"{best.label} leads with {words} {value:.3f} {on}"
    if comparison.has_few_documents:
        return f"{lead}, too few to tell it from the others."
    near = [
        one.label
        for one in comparison.entrants[1:]
        if any({one.label, best.label} <= set(t) for t in comparison.tied_groups)
    ]
    if not near:
        return f"{lead}, and is told apart from all others."
    shown = ", ".join(near[:3]) + (f" and {len(near) - 3} more" if len(near) > 3 else "")
    return f"{lead}. It cannot be told apart from {shown}."


def tell_pair(pair: RunPair, words: str) -> str:
    """Which of two runs is better, or that it can't be told: one sentence. `words` are what the figure is called."""
    gap, interval, match = pair.difference.value, pair.difference.interval, pair.head_to_head
    if gap is None:
        return f"{pair.a} and {pair.b} can't be told apart: nothing was scored."
    about = f"{words} {gap:+.3f}"
    if interval is not None:
        about += f" ({interval.low:+.3f} to {interval.high:+.3f})"
    about += f", {match.wins} documents better, {match.ties} the same, {match.losses} worse"
    if pair.has_few_documents:
        return (
            f"{pair.a} over {pair.b}: {about}; can't tell, {pair.documents} documents are fewer than {MIN_DOCUMENTS}."
        )
    p = "" if pair.adjusted is None else f", p {pair.adjusted:.3f} corrected for all that were compared"
    if pair.is_separable:
        return f"{pair.a} is better than {pair.b}: {about}{p}."
    return f"{pair.a} over {pair.b}: {about}{p}; can't tell on {pair.documents} documents."


def list_helped_fields(plain: Entrant, shown: Entrant) -> tuple[tuple[str, int], ...]:
    """The top-level fields in whose leaves examples took errors away or brought some: the field, and how many went.

    A wrong leaf is two errors, one that was said and one that was not, as in F1.
    """
    gone: dict[str, int] = {}
    for name in dict.fromkeys([*plain.fields, *shown.fields]):
        before, after = (_count_errors(one.fields.get(name, {})) for one in (plain, shown))
        top = find_top_field(name)
        gone[top] = gone.get(top, 0) + before - after
    return tuple((name, many) for name, many in gone.items() if many)


def find_top_field(name: str) -> str:
    """The top-level field that a leaf is of: "lines" of "lines[].tax.rate"."""
    return name.split(".")[0].removesuffix("[]")


def tell_helped_fields(plain: Entrant, shown: Entrant) -> str:
    """For which fields examples are worth showing: one sentence; "" where they changed nothing."""
    changed = list_helped_fields(plain, shown)
    better = [(name, many) for name, many in changed if many > 0]
    worse = [(name, -many) for name, many in changed if many < 0]
    if not changed:
        return ""
    told = [
        f"{word} in {', '.join(f'{name} ({many})' for name, many in fields)}"
        for word, fields in (("fewer errors", better), ("more", worse))
        if fields
    ]
    names = ",".join(name for name, _ in better)
    advice = f"; --examples-for {names} shows them there alone" if better and worse else ""
    return f"With them {' and '.join(told)}{advice}."


def _count_errors(tallies: Mapping[str, LeafTally]) -> int:
    return sum(2 * one.wrong + one.omitted + one.invented for one in tallies.values())


def explain_few_documents(comparison: Comparison) -> str | None:
    """The warning for too few documents; None when there are enough."""
    n = len(comparison.documents)
    if not comparison.has_few_documents:
        return None
    if n == 0:
        return "No document was scored: there is nothing to tell."
    if n == 1:
        return (
            "One document says nothing about the next: there is no interval and no test, and no run is called better."
        )
    return (
        f"{n} documents are too few to tell: the figures describe these {n} and no others. "
        "Intervals and tests are shown for what they are worth; "
        f"from {MIN_DOCUMENTS} documents on, runs are told apart."
    )


def build_model_prompt_matrix(comparison: Comparison) -> Json:
    """Models by prompts with the comparison's statistic, or None with only one of either, or two runs of a pair.

    Means of rows and columns only where every cell is filled and all runs have the same documents: else they would
    compare different things. `interaction` is how far a cell is at most from the sum of its row's and column's effects.
    """
    entrants = comparison.entrants
    models = list(dict.fromkeys(one.model for one in entrants))
    prompts = list(dict.fromkeys(one.prompt for one in entrants))
    found = {(one.model, one.prompt): one for one in entrants}
    if len(found) < len(entrants) or len(models) < 2 or len(prompts) < 2:
        return None
    values = {place: one.overall[comparison.statistic].value for place, one in found.items()}
    rows = [[values.get((model, prompt)) for prompt in prompts] for model in models]
    full = [[value for value in row if value is not None] for row in rows]
    whole = comparison.balanced and all(len(row) == len(prompts) for row in full)
    by_model = [sum(row) / len(row) for row in full] if whole else None
    by_prompt = [sum(column) / len(column) for column in zip(*full, strict=True)] if whole else None
    content: dict[str, Json] = {
        "models": models,
        "prompts": prompts,
        "cells": [[round_figure(value) for value in row] for row in rows],
        "labels": [[one.label if (one := found.get((m, p))) else None for p in prompts] for m in models],
        "by_model": None,
        "by_prompt": None,
        "interaction": None,
    }
    if by_model and by_prompt:
        middle = sum(by_model) / len(by_model)
        gaps = [
            abs(value - up - across + middle)
            for row, up in zip(full, by_model, strict=True)
            for value, across in zip(row, by_prompt, strict=True)
        ]
        content["by_model"] = [round_figure(value) for value in by_model]
        content["by_prompt"] = [round_figure(value) for value in by_prompt]
        content["interaction"] = round_figure(max(gaps))
    return content


def order_fields(comparison: Comparison) -> list[str]:
    """Every field, in the order of the schema as far as the cells tell it.

    A grader walks the schema, so a field that the first documents lack stands after the one it follows elsewhere.
    """
    order: list[str] = []
    known: set[str] = set()
    for run in (run for one in comparison.entrants for run in one.runs):
        document, before = "", None
        for cell in run.cells:
            if cell.document != document:
                document, before = cell.document, None
            if cell.field not in known:
                known.add(cell.field)
                order.insert(len(order) if before is None else order.index(before) + 1, cell.field)
            before = cell.field
    return order


def has_known_support(support: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether anything is known of where a run's values stand: without texts, no hallucination can be counted."""
    return any(n for row in support.values() for where, n in row.items() if where != ValueSupport.UNKNOWN)


def round_figure(value: float | None) -> float | None:
    """Six digits: more would differ between machines, and none of them means anything."""
    return None if value is None else round(value, 6)
