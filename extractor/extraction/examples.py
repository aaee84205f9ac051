"""Examples: passages of other documents with the right answers, which a question shows beside its own document.

They are chosen by the words that they share with the chunk, within a number of tokens. None is of the document itself,
by its name or by its text, and none whose passage stands in the chunk: it would tell the answer.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from extractor.extraction import compact as terse
from extractor.extraction.chunking import estimate_tokens
from extractor.schema.open_objects import write_rows
from extractor.schema.reader import Object, ObjectList
from extractor.schema.settling import settle_node
from extractor.types import Chunk, Document, Json, fingerprint_json

EXAMPLE_TOKENS = 350
"""Estimated tokens that the examples of one question take, unless said otherwise."""
MOST_SHOWN = 3
"""Examples beside one question; the right answers of more of them are copied rather than understood."""
FORM_TOKENS = 16
"""Of the tags around an example."""
CORRECTED_WEIGHT = 1.5
"""How much more a passage counts whose field a person corrected: there the model went wrong before."""
_WORD = re.compile(r"\w+")
_NOTHING = "{}"


@dataclass(frozen=True, slots=True)
class Example:
    """A passage of a document, and what is right in it."""

    document: str
    """Name of the document's file."""
    sha256: str
    """Of the document's text."""
    passage: str
    answer: Mapping[str, Json]
    """A part of the record, with values as the passage writes them. A field that is not in it is not known; one that is
    null or [] there has no value in the passage."""
    corrected: tuple[str, ...] = ()
    """Fields of the answer that a person corrected."""

    def to_json(self) -> dict[str, Json]:
        return {
            "document": self.document,
            "sha256": self.sha256,
            "passage": self.passage,
            "answer": dict(self.answer),
            "corrected": list(self.corrected),
        }


@dataclass(frozen=True, slots=True)
class ShownExample:
    """An example as a question shows it: the passage, and the answer in the form that its reply is to have."""

    passage: str
    answer: str


@dataclass(frozen=True)
class Examples:
    """What a question may choose from."""

    entries: tuple[Example, ...]
    tokens: int = EXAMPLE_TOKENS
    """Estimated tokens that one question shows of them at most."""
    fields: tuple[str, ...] = ()
    """The top-level fields that they are shown for; all where none is named."""

    @cached_property
    def fingerprint(self) -> str:
        told: list[Json] = [self.tokens, [one.to_json() for one in self.entries]]
        return fingerprint_json([*told, *([list(self.fields)] if self.fields else [])])

    def teach(self, field: str) -> bool:
        """Whether they are shown for a top-level field."""
        return not self.fields or field in self.fields

    @cached_property
    def _words(self) -> tuple[frozenset[str], ...]:
        return tuple(_find_words(one.passage) for one in self.entries)

    @cached_property
    def _lengths(self) -> tuple[float, ...]:
        """What the words of each passage say together, by which what it shares is measured."""
        return tuple(math.sqrt(math.fsum(self._rarity[word] for word in words)) for words in self._words)

    @cached_property
    def _rarity(self) -> Mapping[str, float]:
        """How much it says that two texts share a word: more, the fewer passages have it."""
        seen = Counter(word for words in self._words for word in words)
        return {word: math.log(1 + len(self.entries) / many) for word, many in seen.items()}

    def choose(self, chunk: Chunk, part: Object, *, whole: bool = False) -> tuple[ShownExample, ...]:
        """The examples for a question that asks for the part of the record in the chunk, the likest first; of the
        `whole` record in its own form, else in the compact one."""
        left, shown, text = self.tokens, list[ShownExample](), chunk.text
        for example in self._rank(chunk.document, text, part):
            one = _show(self._keep_taught(example), part, whole)
            size = FORM_TOKENS + estimate_tokens(one.passage) + estimate_tokens(one.answer)
            if size > left or one in shown or one.answer == _NOTHING or example.passage in text:
                continue
            shown.append(one)
            left -= size
            if len(shown) == MOST_SHOWN:
                break
        return tuple(shown)

    def _keep_taught(self, example: Example) -> Example:
        """The example with an answer for the fields alone that it is shown for."""
        return replace(example, answer={n: one for n, one in example.answer.items() if self.teach(n)})

    def _rank(self, document: Document, text: str, part: Object) -> Iterator[Example]:
        """The examples that answer something of the part and are of other documents, the likest first."""
        names, own = {f.name for f in part.fields if self.teach(f.name)}, _digest_text(document.text)
        seen, weights = _find_words(text), list[tuple[float, int]]()
        for number, (example, words) in enumerate(zip(self.entries, self._words, strict=True)):
            if example.document == document.name or example.sha256 == own:
                continue
            asked = [name for name in example.answer if name in names]
            corrected = any(name in example.corrected for name in asked)
            if not corrected and not any(_says_something(example.answer[name]) for name in asked):
                continue
            shared = math.fsum(self._rarity[word] for word in words & seen)
            likeness = shared / (self._lengths[number] or 1.0)
            weights.append((-likeness * (CORRECTED_WEIGHT if corrected else 1.0), number))
        return (self.entries[number] for _, number in sorted(weights))


@lru_cache(maxsize=2)
def _digest_text(text: str) -> str:
    """As `Document.sha256`, once for all questions about a document."""
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=4)
def _find_words(text: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in _WORD.findall(text))


def _says_something(value: Json) -> bool:
    """Whether a value has a leaf."""
    if isinstance(value, Mapping):
        return any(map(_says_something, value.values()))
    return any(map(_says_something, value)) if isinstance(value, list) else value is not None


def _show(example: Example, part: Object, whole: bool) -> ShownExample:
    """The example in the form of a reply, without what the passage does not say: small models copy null most of all.

    That a field has no value is said where a model had found one. A list of one row is not shown: shown it, the 1.5B
    lists one row where its page has four.
    """
    lists = {f.name for f in part.fields if isinstance(f.node, ObjectList)}
    told = {
        name: one
        for name, one in example.answer.items()
        if (name in example.corrected or _says_something(one)) and not (name in lists and _is_one_row(one))
    }
    named = settle_node(part, [told])
    answer = write_rows(part, keep_fields(named, told) if whole else terse.compact_value(named, told))
    return ShownExample(example.passage, json.dumps(answer, ensure_ascii=False))


def _is_one_row(value: Json) -> bool:
    return isinstance(value, list) and len(value) == 1


def keep_fields(part: Object, value: Mapping[str, Json]) -> dict[str, Json]:
    """The value with the fields of the part alone, in its order."""
    return terse.order_fields(part.fields, value, keep_fields)


def list_passages(shown: Sequence[ShownExample]) -> str:
    """All words of examples, which no tag around them may hold."""
    return "\n".join(text for one in shown for text in (one.passage, one.answer))
