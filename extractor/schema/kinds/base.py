"""What every kind of value can do, and what it finds.

A kind reads a document once (`find`), and tells under which keys a said value is to be looked up (`keys`). Keys of
both sides meet in a dictionary, so a record with a thousand leaves costs a thousand look-ups, not a thousand scans.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from extractor.schema.kinds.reading import Reading
from extractor.types import Span

Json = Any
"""A value made of None, bool, int, float, str, list and str-keyed dict."""

OTHER_READING = "other reading"
"""The rule of a mention whose words allow a likelier value: 1.234 as 1.234 where decimals stand behind a comma."""


class ValueMention(NamedTuple):
    """One value that words of a document stand for. Several may share a span where the words are ambiguous."""

    span: Span
    key: Hashable
    """What equal values have in common, however they are written."""
    rule: str = ""
    """The derivation that leads from the words to the key; empty where the value stands as it is."""


class ValueKind(Protocol):
    """A kind of value. Implementations keep no state, so one object serves every document."""

    @property
    def name(self) -> str:
        """What schemas call the kind: "number", "date"."""
        ...

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Every mention in the text, in time linear in its length, in no promised order."""
        ...

    def keys(self, value: Json) -> Iterator[tuple[Hashable, str]]:
        """The keys under which a said value may be looked up, best first, each with its rule; none for other values."""
        ...

    def parse(self, words: str, reading: Reading) -> Json | None:
        """The one value that words of a document stand for; None where they hold none, or several."""
        ...

    def normalise(self, value: Json, reading: Reading) -> Json | None:
        """The record's form of what a model said; None where it is no value of the kind."""
        ...

    def same(self, a: Json, b: Json) -> bool:
        """Whether two values in the record's form, or as said, are equal."""
        ...


def index(mentions: Iterable[ValueMention]) -> dict[Hashable, list[ValueMention]]:
    """Mentions by key, those that stand as they are before derived ones, then by place."""
    found: dict[Hashable, list[ValueMention]] = {}
    for mention in mentions:
        found.setdefault(mention.key, []).append(mention)
    for same_key in found.values():
        same_key.sort(key=_order)
    return found


def _order(mention: ValueMention) -> tuple[bool, bool, int]:
    return mention.rule != "", mention.rule == OTHER_READING, mention.span.start


def support(kind: ValueKind, value: Json, found: dict[Hashable, list[ValueMention]]) -> Iterator[ValueMention]:
    """The mentions that support a said value, best key first; the rule names both derivations where two were needed."""
    for key, rule in kind.keys(value):
        for mention in found.get(key, ()):
            yield _with_rule(mention, rule)


def support_within(
    kind: ValueKind, value: Json, found: dict[Hashable, list[ValueMention]], within: Span
) -> Iterator[ValueMention]:
    """What `support` gives, of mentions inside a span alone, in time that does not grow with the others."""
    for key, rule in kind.keys(value):
        if key in found:
            yield from (_with_rule(mention, rule) for mention in select_within(found[key], within))


def select_within(mentions: Sequence[ValueMention], within: Span) -> Iterator[ValueMention]:
    """Those inside a span, of mentions in the order of an index."""
    for doubt in ((False, False), (True, False), (True, True)):
        first = bisect_left(mentions, (*doubt, within.start), key=_order)
        last = bisect_left(mentions, (*doubt, within.end), key=_order)
        yield from (m for m in mentions[first:last] if m.span.end <= within.end)


def _with_rule(mention: ValueMention, rule: str) -> ValueMention:
    return mention._replace(rule=", ".join(r for r in (mention.rule, rule) if r)) if rule else mention


def share_a_key(kind: ValueKind, a: Json, b: Json) -> bool:
    """Whether two values are the same by their direct keys."""
    first = {key for key, rule in kind.keys(a) if not rule}
    return any(key in first for key, rule in kind.keys(b) if not rule)
