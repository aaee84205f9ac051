"""The kinds of values that result files hold, as Pydantic is to check them: strict, since a file is JSON or nothing.

A text may hold halves of characters (lone surrogates), which JSON can spell and Pydantic's own `str` refuses. Lists and
objects are read-only to type checkers, and plain lists and dicts in what is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar, get_args

from pydantic import Field, GetCoreSchemaHandler, PlainSerializer, Strict, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from extractor.types import Json, Match, Status

T = TypeVar("T")


def is_too_deep(content: Json, levels: int) -> bool:
    """Whether lists and objects nest deeper than this. Takes time in proportion to the content, and no stack."""
    if not isinstance(content, list | dict):
        return False
    level = [content]
    for _ in range(levels):
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, list | dict)
        ]
        if not level:
            return False
    return True


class _AnyText:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.json_or_python_schema(core_schema.str_schema(), core_schema.is_instance_schema(str))


class _AsList:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(list[get_args(source)[0]])  # type: ignore[misc]


class _AsDict:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(dict[Text, get_args(source)[1]])  # type: ignore[misc]


Text = Annotated[str, _AnyText]
Count = Annotated[int, Strict(), Field(ge=0)]
"""A number of things, or a position; never negative."""
Ordinal = Annotated[int, Strict(), Field(ge=0), WithJsonSchema({"type": "integer", "minimum": 1})]
"""A number that counts from 1."""
Number = Annotated[
    Annotated[int, Strict()] | Annotated[float, Strict(), Field(allow_inf_nan=False)],
    WithJsonSchema({"type": "number"}),
]
"""A number that is written as it was read: 1 stays 1, and 1.0 stays 1.0. So do the next two."""
Amount = Annotated[
    Annotated[int, Strict(), Field(ge=0)] | Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)],
    WithJsonSchema({"type": "number", "minimum": 0}),
]
Share = Annotated[
    Annotated[int, Strict(), Field(ge=0, le=1)] | Annotated[float, Strict(), Field(ge=0, le=1)],
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]
Listed = Annotated[Sequence[T], _AsList]
Named = Annotated[Mapping[str, T], _AsDict]
JsonObject = Named[Any]
MatchWord = Annotated[Match, PlainSerializer(str), WithJsonSchema({"enum": [str(match) for match in Match]})]
StatusWord = Annotated[Status, PlainSerializer(str), WithJsonSchema({"enum": [str(status) for status in Status]})]
