"""Reply text -> claims: strict reading of what a model wrote, and the compact error that it is re-asked with.

The shape that was asked for becomes a Pydantic class, since that is what instructor validates with. It is stricter
than JSON is (a duplicate key is an error, not "last one wins") and kinder than strict mode (a missing key is null):
endpoints that do not enforce a schema leave keys out, and a re-ask for that would cost more than it tells.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import from_json

from extractor.domain import Json

LONGEST = 4_000_000
"""Characters of a reply that are read; more is no answer to any question asked here."""
REPEATED = 3
"""Entries at the end of a list that stood in it before, and it is a loop: a document says some things twice."""
PROBLEMS = 5
"""Problems named in a re-ask. More than a few, and a model mends none of them."""


class Unfit(json.JSONDecodeError):
    """The reply does not fit; the text is short enough to send back to the model.

    A JSONDecodeError, since that is what instructor re-asks for.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, "", 0)

    def __str__(self) -> str:
        return self.msg


class Shaped(BaseModel):
    """Base of the classes that stand for a shape; `shape` is the JSON Schema that is sent for it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    shape: ClassVar[dict[str, Json]] = {}

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"title": cls.__name__, **cls.shape}

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Shaped:
        return parse(cls, json_data if isinstance(json_data, str) else bytes(json_data).decode())


def parse(model: type[Shaped], text: str) -> Shaped:
    """The reply as an instance of the shape's class. Raises Unfit with at most a few short problems."""
    if len(text) > LONGEST:
        raise Unfit("The reply is far too long.")
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
        return model.model_validate(value)
    except Unfit:
        raise
    except ValidationError as error:
        raise Unfit(_compact(error)) from None
    except json.JSONDecodeError as error:
        raise Unfit(f"The reply is not JSON: {error.msg} at character {error.pos}.") from None
    except RecursionError:
        raise Unfit("The reply nests too deeply.") from None


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(n for n in names if names.count(n) > 1)
        raise Unfit(f"The key {twice[:80]!r} stands twice in one object.")
    return value


def _constant(name: str) -> Json:
    raise Unfit(f"{name} is not a JSON value.")


def _compact(error: ValidationError) -> str:
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    lines = [f"{'.'.join(map(str, p['loc']))}: {p['msg']}"[:200] for p in problems[:PROBLEMS]]
    if len(problems) > PROBLEMS:
        lines.append(f"and {len(problems) - PROBLEMS} more")
    return "; ".join(lines)


def unlooped(text: str, shape: Mapping[str, Json]) -> dict[str, Json] | None:
    """The answer inside a reply that was cut short while its last list said the same again and again.

    None for any other reply: what was cut short while it still told something new is not an answer.
    """
    try:
        told = from_json(text, allow_partial=True)
        last = _last_list(told)
        if last is None or len(last) < REPEATED + 1 or not _repeats(last):
            return None
        last[:] = [entry for i, entry in enumerate(last[:-1]) if entry not in last[:i]]
        return value(model(shape).model_validate(told))
    except ValueError:
        return None


def _last_list(told: Json) -> list[Json] | None:
    """The list that the reply was in when it ended; the outermost, since a loop in an inner one shows there too."""
    while isinstance(told, dict) and told:
        told = list(told.values())[-1]
    return told if isinstance(told, list) else None


def _repeats(said: list[Json]) -> bool:
    """Whether the last complete entries were all there before; the very last may be half an entry."""
    tail = said[-1 - REPEATED : -1]
    return all(entry in said[: len(said) - 1 - REPEATED + i] for i, entry in enumerate(tail))


def model(shape: Mapping[str, Json]) -> type[Shaped]:
    """The class that replies of this shape are read with."""
    built = _object_model(shape, "Answer")
    built.shape = dict(shape)
    return built


def _object_model(shape: Mapping[str, Json], name: str) -> type[Shaped]:
    fields: dict[str, Any] = {}
    for i, (key, sub) in enumerate(shape["properties"].items()):
        kind = _type(sub, f"{name}_{i}")
        default: Any = Field(default_factory=list, alias=key) if sub.get("type") == "array" else Field(None, alias=key)
        fields[f"f{i}"] = (Annotated[kind | None, default], default)
    return create_model(name, __base__=Shaped, **fields)


def _type(shape: Mapping[str, Json], name: str) -> Any:
    if "enum" in shape:
        # a choice that is not on the list is for evidence to judge: endpoints without strict mode paraphrase
        return str if all(isinstance(v, str | None) for v in shape["enum"]) else Any
    types = shape.get("type")
    kind = next((t for t in types if t != "null"), "null") if isinstance(types, list) else types
    match kind:
        case "object":
            return _object_model(shape, name)
        case "array":
            return list[_type(shape["items"], f"{name}_item")]  # type: ignore[misc]
        case "integer":
            return int
        case "number":
            return float
        case "boolean":
            return bool
        case "null":
            return str
    return str


def value(parsed: BaseModel) -> dict[str, Json]:
    """The parsed reply as plain JSON under the schema's own names; null for a list is no entries."""
    plain: dict[str, Json] = json.loads(parsed.model_dump_json(by_alias=True))
    return plain
