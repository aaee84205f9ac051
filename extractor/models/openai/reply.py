"""Reply text -> JSON value: strict reading of what a model wrote, and the short error that it is asked again with.

The response schema becomes a Pydantic class, since that is what instructor validates with. It is stricter than JSON
(a duplicate key is an error, not "last one wins") and more lenient than strict mode (a missing key is null): endpoints
that do not enforce a schema leave keys out, and asking again for that would cost more than it brings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import from_json

from extractor.types import Json

MAX_REPLY_CHARACTERS = 4_000_000
"""Characters of a reply that are read; a longer one is no reply to any request of this package."""
LOOP_LENGTH = 3
"""Repeated entries at the end of a list from which on it is a loop: a document may repeat a few things."""
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")
MAX_REPORTED_PROBLEMS = 5
"""Problems named when a reply is asked for again. Given more than a few, a model corrects none of them."""


class InvalidReply(json.JSONDecodeError):
    """The reply does not fit; the text is short enough to send back to the model.

    A JSONDecodeError, since that is what instructor asks again for.
    """

    value: dict[str, Json] | None = None
    """What it says all the same, where it is an object that fits but for some leaves."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "", 0)

    def __str__(self) -> str:
        return self.msg


class ReplyModel(BaseModel):
    """Base of the classes that stand for a response schema, which is `response_schema`."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    response_schema: ClassVar[dict[str, Json]] = {}

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"title": cls.__name__, **cls.response_schema}

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> ReplyModel:
        return parse_reply(cls, json_data if isinstance(json_data, str) else bytes(json_data).decode())


def parse_reply(model: type[ReplyModel], text: str) -> ReplyModel:
    """The reply as an instance of the schema's class. Raises UnfitReply with at most a few short problems."""
    if len(text) > MAX_REPLY_CHARACTERS:
        raise InvalidReply("The reply is far too long.")
    try:
        value = json.loads(text, object_pairs_hook=_build_unique_object, parse_constant=_reject_constant)
        if _HALF_CHARACTER.search(text) and not _is_encodable(value):
            raise InvalidReply("The reply holds half a character; write no \\u escapes.")
        return model.model_validate(value, strict=True)
    except InvalidReply:
        raise
    except ValidationError as error:
        invalid = InvalidReply(_summarize_problems(error))
        known = {field.alias for field in model.model_fields.values()}
        invalid.value = value if isinstance(value, dict) and known & value.keys() else None
        raise invalid from None
    except json.JSONDecodeError as error:
        raise InvalidReply(f"The reply is not JSON: {error.msg} at character {error.pos}.") from None
    except RecursionError:
        raise InvalidReply("The reply nests too deeply.") from None
    except ValueError:  # thousands of digits
        raise InvalidReply("The reply holds a number that is none.") from None


def _is_encodable(value: Json) -> bool:
    """Whether it can be written as UTF-8: one half of a surrogate pair, which JSON can spell, cannot."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _build_unique_object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(n for n in names if names.count(n) > 1)
        raise InvalidReply(f"The key {twice[:80]!r} stands twice in one object.")
    return value


def _reject_constant(name: str) -> Json:
    raise InvalidReply(f"{name} is not a JSON value.")


def _summarize_problems(error: ValidationError) -> str:
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    lines = [f"{'.'.join(map(str, p['loc']))}: {p['msg']}"[:200] for p in problems[:MAX_REPORTED_PROBLEMS]]
    if len(problems) > MAX_REPORTED_PROBLEMS:
        lines.append(f"and {len(problems) - MAX_REPORTED_PROBLEMS} more")
    return "; ".join(lines)


@dataclass(frozen=True, slots=True)
class TruncatedReply:
    """What a reply held before it was cut short: its complete entries, each of the last list once."""

    value: dict[str, Json]
    latest_entries: dict[str, Json] | None = None
    """The last few entries of the last list alone; None when they only repeat earlier entries of that list."""
    is_early: bool = False
    """It was cut before there were enough entries to decide whether it was in a loop."""


def read_truncated_reply(text: str, schema: Mapping[str, Json]) -> TruncatedReply | None:
    """What a reply that was cut short holds; None when it is not the beginning of anything that fits the schema."""
    try:
        data = from_json(text, allow_partial=True)
        built = build_reply_model(schema)
        inner, name = _find_innermost_key(data)
        if not isinstance(inner.get(name), list):
            del inner[name]  # half a number, perhaps
            return TruncatedReply(reply_to_json(built.model_validate(data)), is_early=True)
        entries = inner[name][:-1]  # the last one may be half an entry
        inner[name] = [entry for i, entry in enumerate(entries) if entry not in entries[:i]]
        whole = reply_to_json(built.model_validate(data))
        tail = [
            entry for i, entry in enumerate(entries) if i >= len(entries) - LOOP_LENGTH and entry not in entries[:i]
        ]
        if len(entries) < LOOP_LENGTH or not tail:
            return TruncatedReply(whole, is_early=len(entries) < LOOP_LENGTH)
        for outer in inner:
            inner[outer] = tail if outer == name else None
        return TruncatedReply(whole, reply_to_json(built.model_validate(data)))
    except ValueError:
        return None


def _find_innermost_key(data: Json) -> tuple[dict[str, Json], str]:
    """The object that the reply was in when it ended, and its last key. Raises ValueError when it was in none."""
    if not isinstance(data, dict) or not data:
        raise ValueError("no object was begun")
    name = list(data)[-1]
    return _find_innermost_key(data[name]) if isinstance(data[name], dict) and data[name] else (data, name)


def build_reply_model(schema: Mapping[str, Json]) -> type[ReplyModel]:
    """The class that replies of this schema are read with, and whose `model_json_schema` is this schema."""
    return _build_model_cached(json.dumps(schema))  # in the order of its keys, which is sent, too


def build_reply_reader(schema: Mapping[str, Json]) -> type[ReplyModel]:
    """The same class without its schema: schemas that differ only in bounds and choices are read alike.

    Building a class takes milliseconds; choices change from chunk to chunk, keys and types hardly ever.
    """
    return _build_reader_cached(_extract_skeleton(schema))


_Skeleton = tuple[Any, ...] | str


@lru_cache(maxsize=256)
def _build_model_cached(schema_text: str) -> type[ReplyModel]:
    schema = json.loads(schema_text)
    built = _build_object_model(_extract_skeleton(schema), "Answer")
    built.response_schema = schema
    return built


@lru_cache(maxsize=256)
def _build_reader_cached(skeleton: _Skeleton) -> type[ReplyModel]:
    return _build_object_model(skeleton, "Answer")


def _extract_skeleton(schema: Mapping[str, Json]) -> _Skeleton:
    """Keys and types of a schema: ("object", (key, skeleton), ...), ("array", skeleton), or a type's name."""
    if "enum" in schema:
        # evidence decides about a value that is not in the enum: endpoints without strict mode paraphrase
        return "string" if all(isinstance(v, str | None) for v in schema["enum"]) else "any"
    types = schema.get("type")
    real = [t for t in types if t != "null"] if isinstance(types, list) else [types]
    if len(real) > 1:
        return "figure"
    kind = real[0] if real else "null"
    if kind == "object":
        return ("object", *((key, _extract_skeleton(sub)) for key, sub in schema["properties"].items()))
    if kind == "array":
        # a list that may be null is null when it is left out
        return ("array" if types == "array" else "array or null", _extract_skeleton(schema["items"]))
    return str(kind)


_PYTHON_TYPES = {
    "integer": int,
    "number": float,
    "boolean": bool,
    "any": Any,
    "figure": int | float | str,  # as a number or as the document writes it
}


def _build_object_model(skeleton: _Skeleton, name: str) -> type[ReplyModel]:
    fields: dict[str, Any] = {}
    for i, (key, sub) in enumerate(skeleton[1:]):
        kind = _build_python_type(sub, f"{name}_{i}")
        default: Any = Field(default_factory=list, alias=key) if sub[0] == "array" else Field(None, alias=key)
        fields[f"f{i}"] = (Annotated[kind | None, default], default)
    return create_model(name, __base__=ReplyModel, **fields)


def _build_python_type(skeleton: _Skeleton, name: str) -> Any:
    if isinstance(skeleton, str):
        return _PYTHON_TYPES.get(skeleton, str)
    if skeleton[0] == "object":
        return _build_object_model(skeleton, name)
    return list[_build_python_type(skeleton[1], f"{name}_item")]  # type: ignore[misc]


def reply_to_json(parsed: BaseModel) -> dict[str, Json]:
    """The parsed reply as plain JSON under the schema's own names; null for a list is no entries."""
    plain: dict[str, Json] = json.loads(parsed.model_dump_json(by_alias=True))
    return plain
