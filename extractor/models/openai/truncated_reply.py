"""A reply that was cut short: which of its entries are whole, and whether it was in a loop."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import cast

from pydantic_core import from_json

from extractor.models.openai.reply import fit_reply
from extractor.models.openai.reply_text import is_answer
from extractor.types import Json

LOOP_LENGTH = 3
"""Repeated entries at the end of a list from which on it is a loop: a document may repeat a few things."""


@dataclass(frozen=True, slots=True)
class TruncatedReply:
    """What a reply held before it was cut short: its complete entries, each of the last list once."""

    value: dict[str, Json]
    latest_entries: dict[str, Json] | None = None
    """The last few entries of the last list alone; None when they only repeat earlier entries of that list."""
    is_early: bool = False
    """It was cut before there were enough entries to decide whether it was in a loop."""


def read_whole_leaves(text: str, schema: Mapping[str, Json]) -> dict[str, Json] | None:
    """Every leaf that was said to its end in a reply that was cut short, those of a row that was not among them; None
    when it is not the beginning of anything in the schema's form."""
    try:
        data = from_json(text, allow_partial=True)
        if text[-1:].isdigit() and from_json(f"{text}1", allow_partial=True) != data:  # it may have had more digits
            _drop_last_leaf(data)
        return _require_fitting(data, schema) if isinstance(data, dict) and data else None
    except (ValueError, RecursionError):
        return None


def _drop_last_leaf(data: Json) -> None:
    while isinstance(data, dict | list) and data:
        last = data[-1] if isinstance(data, list) else data[list(data)[-1]]
        if not isinstance(last, dict | list):
            data.pop() if isinstance(data, list) else data.popitem()
        data = last


def read_truncated_reply(text: str, schema: Mapping[str, Json]) -> TruncatedReply | None:
    """What a reply that was cut short holds; None when it is not the beginning of anything in the schema's form."""
    try:
        data = from_json(text, allow_partial=True)
        inner, name = _find_innermost_key(data)
        if not isinstance(inner.get(name), list):
            del inner[name]  # half a number, perhaps
            return TruncatedReply(_require_fitting(data, schema), is_early=True)
        entries = inner[name][:-1]  # the last one may be half an entry
        firsts = _find_first_mentions(entries)
        inner[name] = [entries[i] for i in firsts]
        whole = _require_fitting(data, schema)
        tail = [entries[i] for i in firsts if i >= len(entries) - LOOP_LENGTH]
        if len(entries) < LOOP_LENGTH or not tail:
            return TruncatedReply(whole, is_early=len(entries) < LOOP_LENGTH)
        for outer in inner:
            inner[outer] = tail if outer == name else None
        return TruncatedReply(whole, _require_fitting(data, schema))
    except (ValueError, RecursionError):
        return None


def _require_fitting(data: Json, schema: Mapping[str, Json]) -> dict[str, Json]:
    """The data in the schema's form. Raises ValueError for what is of another form altogether."""
    if data and not is_answer(data, schema):
        raise ValueError("it has none of the schema's keys")
    return fit_reply(data, schema).value


def _find_first_mentions(entries: list[Json]) -> list[int]:
    """Where each entry stands for the first time."""
    seen: dict[Hashable, int] = {}
    for i, entry in enumerate(entries):
        seen.setdefault(_freeze(entry), i)
    return list(seen.values())


def _freeze(value: Json) -> Hashable:
    """The value as a key: equal for equal values."""
    if isinstance(value, dict):
        return frozenset((name, _freeze(one)) for name, one in value.items())
    if isinstance(value, list):
        return tuple(map(_freeze, value))
    return cast(Hashable, value)


def _find_innermost_key(data: Json) -> tuple[dict[str, Json], str]:
    """The object that the reply was in when it ended, and its last key. Raises ValueError when it was in none."""
    if not isinstance(data, dict) or not data:
        raise ValueError("no object was begun")
    name = list(data)[-1]
    return _find_innermost_key(data[name]) if isinstance(data[name], dict) and data[name] else (data, name)
