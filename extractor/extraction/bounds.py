"""Whether a reply was held back by a bound that only guards a small model against loops.

Lists and texts of a small model's replies are bounded, since it may run on. A right answer can be longer: where one
ends at its bound and still tells what the chunk says, the question is asked again without bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from extractor.extraction.planning import Question
from extractor.models.openai.reply import choose_form
from extractor.types import Json


def is_held_back(question: Question, reply: Json) -> bool:
    """Whether a list or a text of the reply is as long as it was allowed to be, and ends with news from the chunk."""
    strategy = question.prompt.strategy
    entries, length = {strategy.max_rows, strategy.max_values} - {0}, strategy.max_length
    if question.batch is not None or not (entries or length):
        return False
    text = " ".join(question.chunk.text.split())
    for value, most in _iterate_bounded(reply, question.request.schema):
        if isinstance(value, str) and most == length and len(value) >= most and " ".join(value.split()) in text:
            return True
        if isinstance(value, list) and most in entries and len(value) >= most and _ends_with_news(value, text):
            return True
    return False


def _iterate_bounded(value: Json, schema: Mapping[str, Json]) -> Iterator[tuple[Json, int]]:
    """Every list and text of a reply that its schema bounds, with the bound."""
    schema = choose_form(value, schema)
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _iterate_bounded(inner, (schema.get("properties") or {}).get(name) or {})
    elif isinstance(value, list):
        if "maxItems" in schema:
            yield value, schema["maxItems"]
        for inner in value:
            yield from _iterate_bounded(inner, schema.get("items") or {})
    elif isinstance(value, str) and "maxLength" in schema:
        yield value, schema["maxLength"]


def _ends_with_news(entries: list[Json], text: str) -> bool:
    """Whether the last entry is none of those before it, and begins with words of the text: no loop ends so."""
    last = entries[-1]
    words = next((one for one in _iterate_texts(last)), "")
    return last not in entries[:-1] and bool(words) and " ".join(words.split()) in text


def _iterate_texts(value: Json) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _iterate_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _iterate_texts(inner)
    elif value is not None and str(value).strip():
        yield str(value)
