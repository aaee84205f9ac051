"""Python types that a record can be asked for as: Pydantic classes, dataclasses, typed dicts, and lists of these.

Whatever the type, a Pydantic class stands for it: its JSON Schema is asked for, and it takes the record.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from typing import Any, cast

import typing_extensions
from pydantic import BaseModel, Field, PydanticUserError, RootModel, create_model

from extractor.errors import TaskError

LIST_FIELD = "items"
"""The field of a record that holds the list, where a list is asked for."""


@dataclasses.dataclass(frozen=True, slots=True)
class RecordType:
    """How a Python type is asked for, and made of a record."""

    model: type[BaseModel]
    """Whose JSON Schema is asked for, and which takes the record."""
    unwrap: Callable[[BaseModel], Any] = lambda record: record
    """From what `model` made of a record to a value of the type."""


def read_record_type(wanted: Any) -> RecordType:
    """The record type of a Pydantic class, a dataclass, a TypedDict or a list of something. Raises TaskError."""
    if isinstance(wanted, type) and issubclass(wanted, BaseModel):
        return RecordType(wanted)
    try:
        if typing.get_origin(wanted) is list:
            return _read_list_type(wanted)
        if isinstance(wanted, type) and (dataclasses.is_dataclass(wanted) or typing_extensions.is_typeddict(wanted)):
            model = type(wanted.__name__, (RootModel[wanted],), {"__doc__": wanted.__doc__})
            return RecordType(model, lambda record: cast("RootModel[Any]", record).root)
    except PydanticUserError as error:
        raise TaskError(f"{wanted!r} cannot be read as a schema: {error.message}") from error
    raise TaskError(
        f"{wanted!r} is no Pydantic class, dataclass, TypedDict or list of one; give one, a JSON Schema as a dict, "
        "or a task that load_task has read."
    )


def _read_list_type(wanted: Any) -> RecordType:
    (entry,) = typing.get_args(wanted)
    name = "List" if getattr(entry, "__module__", "builtins") == "builtins" else entry.__name__
    fields: dict[str, Any] = {LIST_FIELD: (wanted, Field(default_factory=list))}
    model: type[BaseModel] = create_model(name, **fields)
    return RecordType(model, lambda record: getattr(record, LIST_FIELD))
