"""A reply's text -> a value in the form of its response schema, and what of it does not fit.

Endpoints that do not enforce a schema leave keys out (null), spell them otherwise, write a number as a text, or one row
where a list of rows is asked for: that is read. A leaf that cannot be read as what it should be costs itself: it stays
where it is and is named as a misfit, so that it alone is asked for again, and listed if it stays as it is.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from extractor.models.openai.reply_json import HalfText, NotJson, TwiceSaid, read_lenient_json
from extractor.models.openai.reply_text import fold_name, is_answer, read_objects
from extractor.types import Json, ValuePath

MAX_REPLY_CHARACTERS = 4_000_000
"""Characters of a reply that are read; a longer one is no reply to any request of this package."""
MAX_REPORTED_PROBLEMS = 5
"""Problems named when a reply is asked for again. Given more than a few, a model corrects none of them."""
_ROW_WORDS = frozenset("item items row rows record records entry entries element elements list values data".split())
_DIGIT = re.compile(r"\d")


class InvalidReply(json.JSONDecodeError):
    """The reply does not fit; the text is short enough to send back to the model.

    A JSONDecodeError, since that is what instructor asks again for.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, "", 0)

    def __str__(self) -> str:
        return self.msg


@dataclass(frozen=True, slots=True)
class Misfit:
    """A leaf that is not what its schema says, or that the reply says twice."""

    path: ValuePath
    schema: Mapping[str, Json]
    problem: str
    """What is wrong, such as "is no integer"."""


@dataclass(slots=True)
class FittedReply:
    """What a reply says, in the form of the schema. Leaves that do not fit, and keys of its own, stay in `value`."""

    value: dict[str, Json]
    misfits: list[Misfit] = field(default_factory=list)
    said_besides: list[tuple[ValuePath, Json]] = field(default_factory=list)
    """What it says more than once, and differently: what came after the first."""

    def describe_misfits(self) -> str:
        """The first few, for the model."""
        lines = [f"{format_path(one.path)}: {one.problem}" for one in self.misfits[:MAX_REPORTED_PROBLEMS]]
        if len(self.misfits) > MAX_REPORTED_PROBLEMS:
            lines.append(f"and {len(self.misfits) - MAX_REPORTED_PROBLEMS} more")
        return "; ".join(lines)


def format_path(path: ValuePath) -> str:
    return ".".join(str(step)[:80] for step in path)[:200]


def read_reply(texts: Sequence[str], schema: Mapping[str, Json]) -> FittedReply:
    """What the texts of one reply, one or several calls of the tool, say together. Raises InvalidReply for none."""
    said: list[FittedReply] = []
    for text in texts:
        if len(text) > MAX_REPLY_CHARACTERS:
            raise InvalidReply("The reply is far too long.")
        try:
            said += [fit_reply(one, schema) for one in read_objects(text, schema)]
        except NotJson as error:
            raise InvalidReply(str(error)) from None
        except RecursionError:
            raise InvalidReply("The reply nests too deeply.") from None
    if not said:
        raise InvalidReply("The reply is empty.")
    first, seen = said[0], [said[0].value]
    for other in said[1:]:
        if other.value not in seen[-8:]:  # a model may repeat its call as it was
            seen.append(other.value)
            _add_reply(first, other, schema)
    return first


def fit_reply(value: Json, schema: Mapping[str, Json]) -> FittedReply:
    """The value in the form of the schema: keys that are left out are null, or an empty list."""
    fitted = FittedReply({})
    whole = _fit(value, schema, (), fitted)
    fitted.value = whole if isinstance(whole, dict) else {}
    return fitted


def choose_form(value: Json, schema: Mapping[str, Json]) -> Mapping[str, Json]:
    """The schema of a place that takes several forms, in the form that the value has; else in the one asked for."""
    forms: list[Mapping[str, Json]] = schema.get("anyOf") or [schema]
    kind = "object" if isinstance(value, Mapping) else "array" if isinstance(value, list) else "value"
    by_kind = {one["type"] if one.get("type") in ("object", "array") else "value": one for one in forms}
    return by_kind.get(kind, forms[0])


def _fit(value: Json, schema: Mapping[str, Json], path: ValuePath, out: FittedReply) -> Json:
    if "anyOf" in schema:
        value = _decode_inner(_decode_inner(value, "{"), "[")
        schema = choose_form(value, schema)
    if "properties" in schema:
        return _fit_object(value, schema, path, out)
    if "items" in schema:
        return _fit_list(value, schema, path, out)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    elif isinstance(value, dict) and value.keys() == {"value"}:
        value = value["value"]
    if problem := _find_problem(value, schema):
        out.misfits.append(Misfit(path, schema, problem))
    return str(value) if isinstance(value, HalfText) else _keep_number_form(value, schema)


def _fit_object(value: Json, schema: Mapping[str, Json], path: ValuePath, out: FittedReply) -> Json:
    value = _decode_inner(value, "{")
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0]
    if value is None and path:
        return None
    if not isinstance(value, dict):
        out.misfits.append(Misfit(path, schema, "is no object"))
        return value
    properties: Mapping[str, Any] = schema["properties"]
    names = _match_names(value, properties)
    fitted: dict[str, Json] = {}
    for name, node in properties.items():
        if (said := names.get(name)) is None:
            fitted[name] = [] if node.get("type") == "array" else None
        else:
            fitted[name] = _fit(value[said], node, (*path, name), out)
    own = {name: one for name, one in value.items() if name not in names.values()}
    fitted |= own
    if isinstance(value, TwiceSaid):
        back = {said: name for name, said in names.items()}
        for said, other in value.others:
            name = back.get(said, said)
            _add_again(fitted, name, other, properties.get(name), path, out)
    return fitted


def _match_names(value: Mapping[str, Json], properties: Mapping[str, Any]) -> dict[str, str]:
    """Key of the schema -> key of the value, the same but for case, space and hyphens where that is unmistakable."""
    names = {name: name for name in properties if name in value}
    if len(names) == len(properties) or len(names) == len(value):
        return names
    folded: dict[str, list[str]] = {}
    for said in value:
        if said not in properties:
            folded.setdefault(fold_name(said), []).append(said)
    missing: dict[str, list[str]] = {}
    for name in properties:
        if name not in names:
            missing.setdefault(fold_name(name), []).append(name)
    for key, wanted in missing.items():
        if key and len(wanted) == 1 and len(folded.get(key, ())) == 1:
            names[wanted[0]] = folded[key][0]
    return names


def _fit_list(value: Json, schema: Mapping[str, Json], path: ValuePath, out: FittedReply) -> Json:
    item: Mapping[str, Any] = schema["items"]
    value = _decode_inner(value, "[")
    if isinstance(value, dict) and "properties" in item and not is_answer(value, item):
        value = _unwrap_rows(value, item)
    if value is None:
        return None
    takes_objects = "properties" in item or ("anyOf" in item and isinstance(value, dict))
    if isinstance(value, dict) != takes_objects and not isinstance(value, list):
        out.misfits.append(Misfit(path, schema, "is no list"))
        return value
    rows = value if isinstance(value, list) else [value]
    if "properties" in item and len(rows) == 1 and isinstance(rows[0], list):
        rows = rows[0]
    return [_fit(one, item, (*path, i), out) for i, one in enumerate(rows)]


def _unwrap_rows(value: dict[str, Json], item: Mapping[str, Any]) -> Json:
    """The rows that stand under a word for rows, as a schema or XML has it, or under their numbers."""
    inner = {name: one for name, one in value.items() if name != "type"}
    rows = [one for one in inner.values() if is_answer(one, item)]
    if not inner:
        return value
    if len(rows) == len(inner) and all(name.isdigit() for name in inner):
        return list(rows)
    only = next(iter(inner))
    if len(inner) == 1 and fold_name(only) in _ROW_WORDS and isinstance(inner[only], list | dict):
        return inner[only]
    return value


def _decode_inner(value: Json, bracket: str) -> Json:
    """An object or list that is spelled out in a string, as some models write what lies inside their answer."""
    if isinstance(value, str) and value.lstrip().startswith(bracket):
        try:
            return read_lenient_json(value)
        except NotJson:
            return value
    return value


def _find_problem(value: Json, schema: Mapping[str, Json]) -> str:
    """Why the value cannot be read as what the schema says; empty if it can. A number may be written as a text."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return "is no plain value"
    if isinstance(value, HalfText):
        return "holds half a character"
    if isinstance(value, float) and not math.isfinite(value):
        return "is no number"
    if "enum" in schema:
        return ""  # evidence decides about a value that is not in the enum: endpoints without strict mode paraphrase
    kinds = schema.get("type", "null")
    wanted = [str(kind) for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind != "null"]
    if not wanted or any(_is_readable(value, kind) for kind in wanted):
        return ""
    return f"is no {' or '.join(wanted)}"


def _is_readable(value: Json, kind: str) -> bool:
    match kind:
        case "string":
            return not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool) or (isinstance(value, str) and len(value) <= 20)
        case "integer" | "number":
            if isinstance(value, str):
                return bool(_DIGIT.search(value))
            whole = kind == "number" or isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            return whole and not isinstance(value, bool)
    return False


def _keep_number_form(value: Json, schema: Mapping[str, Json]) -> Json:
    """A whole number as a float where a number is asked for and nothing is lost by it, so that 3 and 3.0 are one."""
    kinds = schema.get("type")
    wanted = kinds if isinstance(kinds, list) else [kinds]
    is_whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 2**53
    is_float = "number" in wanted and not {"integer", "string"} & set(wanted) and "enum" not in schema
    return float(value) if is_whole and is_float else value


def _add_reply(first: FittedReply, other: FittedReply, schema: Mapping[str, Json]) -> None:
    """Adds what another part of the reply says: rows follow rows, and what one part leaves open the other may say."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    shifts = {name: len(one) for name, one in first.value.items() if isinstance(one, list)}
    for misfit in other.misfits:
        first.misfits.append(Misfit(_shift(misfit.path, shifts), misfit.schema, misfit.problem))
    first.said_besides += [(_shift(path, shifts), one) for path, one in other.said_besides]
    for name, one in other.value.items():
        _add_value(first.value, name, one, properties.get(name), (name,), first)


def _add_again(whole: dict[str, Json], name: str, other: Json, schema: Any, path: ValuePath, out: FittedReply) -> None:
    """Adds what an object says under a key that it has already."""
    again = FittedReply({})
    fitted = _fit(other, schema, (), again) if schema is not None else other
    by = len(said) if isinstance(said := whole.get(name), list) else 0
    for misfit in again.misfits:
        at = _shift((name, *misfit.path), {name: by})
        out.misfits.append(Misfit((*path, *at), misfit.schema, misfit.problem))
    _add_value(whole, name, fitted, schema, (*path, name), out)


def _shift(path: ValuePath, by: Mapping[str, int]) -> ValuePath:
    if len(path) > 1 and isinstance(path[1], int) and path[0] in by:
        return (path[0], path[1] + by[str(path[0])], *path[2:])
    return path


def _add_value(whole: dict[str, Json], name: str, other: Json, schema: Any, path: ValuePath, out: FittedReply) -> None:
    """Adds to `whole` what is said of the key once more. Where that is something else, the first stays."""
    said = whole.get(name)
    if other is None or other == [] or said == other:
        whole.setdefault(name, other)
    elif said is None or said == []:
        whole[name] = other
    elif isinstance(said, list) and isinstance(other, list):
        said.extend(other)
    elif isinstance(said, dict) and isinstance(other, dict):
        inner = choose_form(said, schema or {}).get("properties", {})
        for key, one in other.items():
            _add_value(said, key, one, inner.get(key), (*path, key), out)
    else:
        out.said_besides.append((path, other))
        if schema is not None:
            out.misfits.append(Misfit(path, schema, "stands twice, and differently"))
