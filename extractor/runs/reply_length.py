"""Estimates how long a reply will be: from the fields that are asked for and the length of the text.

What code can know is counted: names, braces, commas, the choices of an enumeration. The rest is a mean by the kind of
value, measured on replies of two embedded models about CVs (November 2026). How many rows a text holds is unknown
before it is read, so the estimate is a range; a finished run of the same task gives a better one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from extractor.models.tokens import count_tokens
from extractor.schema.annotations import Kind
from extractor.schema.reader import Field, Node, Object, ObjectList, Scalar, ValueList
from extractor.types import Json

VALUE_TOKENS: Mapping[Kind, float] = {
    Kind.TEXT: 8,
    Kind.NAME: 5,
    Kind.DATE: 7,
    Kind.INTEGER: 3,
    Kind.NUMBER: 4,
    Kind.QUANTITY: 5,
    Kind.URL: 15,
    Kind.EMAIL: 8,
    Kind.ENUM: 4,
    Kind.BOOLEAN: 1,
}
"""Tokens of one value with its quotes, by kind."""
LIST_ITEM_TOKENS = 4
"""Tokens of an item of a written list."""
CANDIDATE_TOKENS = 5
"""Tokens of the name of a candidate where rows are enumerated."""
FILLED_SHARE = 0.9
"""The share of values that are not null."""
ENTRIES_PER_THOUSAND = 2.6
"""Entries of a list in the reply about 1,000 tokens of text. Four times the text brings twice as many, as it
holds other things too; four lists that are asked for at once bring half as many each, as a model gets shorter."""
INNER_ROWS, INNER_VALUES = 1, 2
"""Entries of a list inside a row."""
LISTED_SHARE = 0.4
"""The share of a passage that is copied, where the passage itself is the list that is asked for."""


@dataclass(frozen=True, slots=True)
class ReplyLength:
    """Tokens of a reply: the least, the expected number, the most that is likely."""

    low: float
    expected: float
    high: float


def estimate_reply_length(part: Object, text_tokens: float, most: int) -> ReplyLength:
    """The reply about a text of so many tokens, bounded by the tokens that it may have at most."""

    def bound_length(entries: float) -> float:
        return min(float(most), _count_object_tokens(part, text_tokens, entries, entries))

    lists = sum(isinstance(f.node, ObjectList | ValueList) for f in part.fields)
    entries = ENTRIES_PER_THOUSAND * math.sqrt(text_tokens / 1000 / max(1, lists))
    return ReplyLength(bound_length(0.4 * entries), bound_length(entries), bound_length(2.5 * entries))


def estimate_completion_length(rest: Object, candidates: int, most: int) -> ReplyLength:
    """The reply that completes so many enumerated rows, each called by its candidate's name."""
    one = CANDIDATE_TOKENS + _count_object_tokens(rest, 0, 0, 0)
    low, expected, high = (min(float(most), 2 + candidates * one * share) for share in (0.6, 1, 1.6))
    return ReplyLength(low, expected, high)


def _count_object_tokens(node: Object, text: float, rows: float, values: float) -> float:
    return 2 + sum(
        count_tokens(json.dumps(f.name)) + 0.5 + _count_field_tokens(f, text, rows, values) for f in node.fields
    )


def _count_field_tokens(field: Field, text: float, rows: float, values: float) -> float:
    if isinstance(field.node, ValueList) and field.keywords_only:
        return 2 + LISTED_SHARE * text
    return _count_node_tokens(field.node, text, rows, values)


def _count_node_tokens(node: Node, text: float, rows: float, values: float) -> float:
    match node:
        case Scalar():
            return FILLED_SHARE * _count_scalar_tokens(node) + (1 - FILLED_SHARE)
        case ValueList(item, most):
            return 2 + _limit_entries(values, most) * (_count_scalar_tokens(item) + 1)
        case ObjectList(row, _, most):
            return 2 + _limit_entries(rows, most) * (1 + _count_object_tokens(row, text, INNER_ROWS, INNER_VALUES))
        case Object():
            return _count_object_tokens(node, text, rows, values)


def _limit_entries(entries: float, most: int | None) -> float:
    return entries if most is None else min(entries, most)


def _count_scalar_tokens(leaf: Scalar) -> float:
    if leaf.enum:
        spelled: list[Json] = list(leaf.enum)
        return sum(count_tokens(json.dumps(value, ensure_ascii=False)) for value in spelled) / len(spelled)
    return LIST_ITEM_TOKENS if leaf.list_item_only else VALUE_TOKENS[leaf.kind]
