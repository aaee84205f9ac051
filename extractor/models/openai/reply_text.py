"""A reply's text -> the objects that it says: without thoughts, fences and the prose around.

A model may think aloud first, fence its answer, introduce it, or wrap it in a list or under a name. An object is taken
out of such a text only where there is one that has keys of the schema: of two that differ, the second may be copied
from the document, or a draft, so the model is asked again. Everything here is linear in the text's length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from extractor.models.openai.reply_json import NotJson, read_json, read_lenient_json
from extractor.types import Json

MAX_WRAPPINGS = 3
"""Lists and names that may lie around an answer."""
MAX_REGIONS = 200
"""Objects and lists side by side in one text; more than these are no answer."""
_BLANK = " \t\r\n\ufeff\u200b\u2060"
_THOUGHT = r"(?:seed:)?(?:think|thinking|thoughts?|reasoning|reason|reflection|analysis|scratchpad)"
_OPENING = re.compile(rf"<{_THOUGHT}\b[^>]{{0,80}}>|\[THINK\]|◁think▷|<\|channel\|>(?!final)\w+", re.IGNORECASE)
_CLOSING = re.compile(
    rf"</{_THOUGHT}\s*>|\[/THINK\]|◁/think▷|<\|channel\|>final\s*(?:<\|\w+\|>\s*\w*\s*)?<\|message\|>", re.IGNORECASE
)
_MARKS = re.compile(r'\\.|["{}\[\]]', re.DOTALL)
_FIRST_OBJECT = re.compile(r'\{\s*(?:"|\})')
_AFTER_THE_END = " \t\r\n`*.\ufeff\u200b"
_FOLDED_AWAY = re.compile(r"[\W_]+")
_ARGUMENTS = ("arguments", "parameters", "input", "args")
"""Under which of these a call's arguments stand, where the call is spelled out in the text."""
_CALL_WORDS = frozenset({*_ARGUMENTS, "name", "function", "tool", "tool_name", "type", "id", "tool_calls"})
_SCHEMA_WORDS = frozenset({"type", "enum", "anyOf", "$ref", "oneOf", "const"})


def read_objects(text: str, schema: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The objects that the reply says, mostly one: more where it is a list of several, each with keys of the schema.

    Raises NotJson, which says in a few words why none can be read.
    """
    plain = text.strip(_BLANK)
    try:
        return _require_objects(read_json(plain), schema)
    except NotJson as error:
        first = error
    for body, is_unclosed in _drop_thoughts(plain):
        found = _pick(list(_read_parts(body, schema, only_last=is_unclosed)), schema)
        if found is not None:
            return found
    raise first


def find_beginning(text: str) -> str:
    """From where the answer begins in a text that was cut short; empty where it was cut before. An object that ends
    before the text does was a draft."""
    plain = text.strip(_BLANK)
    if plain.startswith("{"):
        return plain
    for body, is_unclosed in _drop_thoughts(plain):
        closed, open_at = _find_regions(body)
        begun = [at for at in open_at if _FIRST_OBJECT.match(body, at)]
        said = len(body.rstrip(_AFTER_THE_END))
        begun += [start for start, end in closed if body[start] == "{" and end >= said]
        if begun and not is_unclosed:
            return body[begun[0] :]
    return ""


def is_whole_object(text: str, schema: Mapping[str, Json]) -> bool:
    """Whether an answer that was cut short, by what its endpoint says, has come to its end all the same: it has all
    that is asked for, and nothing follows but the words of an afterword."""
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    is_all = isinstance(value, dict) and schema.get("properties", {}).keys() <= value.keys()
    return is_all and not any(sign in text[end:] for sign in "{[")


def is_answer(value: Json, schema: Mapping[str, Json]) -> bool:
    """Whether the value has keys of the schema and is not the schema itself."""
    if not isinstance(value, dict) or _is_schema(value):
        return False
    known: Mapping[str, Any] = schema.get("properties", {})
    return bool(known.keys() & value.keys()) or not set(map(fold_name, known)).isdisjoint(map(fold_name, value))


def fold_name(name: str) -> str:
    """A key without case, space, hyphens and underscores."""
    return _FOLDED_AWAY.sub("", name).casefold()


def _require_objects(value: Json, schema: Mapping[str, Json]) -> list[dict[str, Json]]:
    found = unwrap_answer(value, schema)
    if found is not None:
        return found
    if isinstance(value, dict) and not value:
        return [{}]
    known = ", ".join(list(schema.get("properties", {}))[:3])
    if isinstance(value, dict):
        raise NotJson(f"The reply has none of the keys that are asked for ({known}).")
    raise NotJson("The reply is no JSON object.")


def _drop_thoughts(text: str) -> Iterator[tuple[str, bool]]:
    """What may be the answer of a text that thinks first, and whether the thought has no end that can be seen.

    An answer may itself speak of a closing tag, so that both the text after the last and after the first come.
    """
    ends = [closing.end() for closing in _CLOSING.finditer(text)]
    opening = _OPENING.match(text)
    if not ends:
        yield text, opening is not None
        return
    yield text[ends[-1] :], False
    if len(ends) > 1:
        yield text[ends[0] :], False
    if opening is None:  # the tag may be the document's, and no thought at all
        yield text, False


def _read_parts(text: str, schema: Mapping[str, Json], *, only_last: bool) -> Iterator[list[dict[str, Json]]]:
    """The answers among the objects and lists that the text holds; with `only_last`, one that the text ends with."""
    regions, _ = _find_regions(text)
    begun = _FIRST_OBJECT.search(text)
    if begun and begun.start() and not any(start == begun.start() for start, _ in regions):
        # a brace or quote of the prose hid it
        regions += [(begun.start() + a, begun.start() + b) for a, b in _find_regions(text[begun.start() :])[0]]
    if len(regions) > MAX_REGIONS:
        raise NotJson("The reply holds more than one JSON object; write one, and nothing else.")
    for start, end in regions:
        if only_last and text[end:].strip(_AFTER_THE_END):
            continue
        try:
            answer = unwrap_answer(read_lenient_json(text[start:end]), schema)
        except NotJson:
            continue
        if answer is not None:
            yield answer


def _pick(found: list[list[dict[str, Json]]], schema: Mapping[str, Json]) -> list[dict[str, Json]] | None:
    """The one answer of a text, where there is only one. Raises NotJson where there are several that differ."""
    different = list({json.dumps(one, sort_keys=True): one for one in found}.values())
    if len(different) > 1:
        known = schema.get("properties", {}).keys()
        clean = [one for one in different if all(part.keys() <= known for part in one)]
        different = clean if len(clean) == 1 else different
    if len(different) > 1:
        raise NotJson("The reply holds more than one JSON object; write one, and nothing else.")
    return different[0] if different else None


def _find_regions(text: str) -> tuple[list[tuple[int, int]], list[int]]:
    """Where the outermost objects and lists of a text are whose brackets have their partners, and where those begin
    that have none."""
    stack: list[tuple[int, str, int]] = []
    closed: list[tuple[int, int]] = []
    in_string = False
    for mark in _MARKS.finditer(text):
        sign = mark.group()
        if in_string:
            in_string = sign != '"'
        elif sign == '"':
            in_string = bool(stack)  # quotation marks of prose open nothing
        elif sign in "{[":
            stack.append((mark.start(), sign, len(closed)))
        elif sign in "}]":
            while stack:
                start, opened, inner = stack.pop()
                if opened + sign in ("{}", "[]"):
                    del closed[inner:]
                    closed.append((start, mark.end()))
                    break
    return closed, [start for start, _, _ in stack]


def unwrap_answer(value: Json, schema: Mapping[str, Json], depth: int = MAX_WRAPPINGS) -> list[dict[str, Json]] | None:
    """The objects with keys of the schema in a value that may lie in lists and under names; None where there are none.

    What stands beside an answer under a name is kept with it, so that it is listed and not lost.
    """
    if isinstance(value, dict) and not _is_spelled_call(value, schema) and is_answer(value, schema):
        return [value]
    if not depth:
        return None
    if isinstance(value, list):
        return _unwrap_list(value, schema, depth - 1)
    if isinstance(value, str) and value.lstrip(_BLANK)[:1] in ("{", "["):
        try:
            return unwrap_answer(read_lenient_json(value.strip(_BLANK)), schema, depth - 1)
        except NotJson:
            return None
    if isinstance(value, dict):
        return _unwrap_object(value, schema, depth - 1)
    return None


def _unwrap_list(value: list[Json], schema: Mapping[str, Json], depth: int) -> list[dict[str, Json]] | None:
    parts = [unwrap_answer(one, schema, depth) for one in value]
    if parts and all(parts):
        return [one for part in parts if part for one in part]
    rows = _find_only_rows(schema)
    if rows is not None and all(is_answer(one, rows[1]) for one in value):
        return [{rows[0]: value}]
    return None


def _find_only_rows(schema: Mapping[str, Json]) -> tuple[str, Mapping[str, Json]] | None:
    """Name and row of the one list of rows that is all that the schema asks for."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    if len(properties) != 1:
        return None
    ((name, node),) = properties.items()
    row = node.get("items", {})
    return (name, row) if "properties" in row else None


def _unwrap_object(value: dict[str, Json], schema: Mapping[str, Json], depth: int) -> list[dict[str, Json]] | None:
    found = [(name, answer) for name, one in value.items() if (answer := _unwrap_member(one, schema, depth))]
    if len(found) != 1:
        return None
    ((name, answer),) = found
    beside = {k: v for k, v in value.items() if k != name and k not in _CALL_WORDS}
    if name == "properties":
        beside = {}
    return [{**beside, **answer[0]}, *answer[1:]]


def _unwrap_member(value: Json, schema: Mapping[str, Json], depth: int) -> list[dict[str, Json]] | None:
    return unwrap_answer(value, schema, depth) if isinstance(value, dict | list | str) else None


def _is_spelled_call(value: dict[str, Json], schema: Mapping[str, Json]) -> bool:
    """Whether it is a call such as {"name": ..., "arguments": ...}, though the schema may have a name, too."""
    known = schema.get("properties", {})
    inner = next((value[word] for word in _ARGUMENTS if word in value and word not in known), None)
    return isinstance(inner, dict | str) and value.keys() <= _CALL_WORDS


def _is_schema(value: dict[str, Json]) -> bool:
    """Whether it is a schema's properties, which a model may repeat before it answers."""
    return bool(value) and all(isinstance(one, dict) and one.keys() & _SCHEMA_WORDS for one in value.values())
