"""Writes a drafted JSON Schema as a Pydantic file: a class for each object, with this project's annotations."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping

from extractor.types import Json

_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_FORMATS = {"date": "Date", "date-time": "Date", "email": "Email", "uri": "Url"}
_USED_NAMES = frozenset(
    ("BaseModel", "Field", "Literal", "Any", "Date", "Email", "Url", "ConfigDict", "Record", "None", "True", "False")
)


def generate_model_source(schema: Mapping[str, Json], name: str = "Record") -> str:
    """Python text that defines the record's class under `name`, inner classes first."""
    writer = _ClassWriter(_collect_keys(schema))  # a field with a class's name would hide the class
    writer.write_class(schema, name)
    body = "\n\n\n".join(writer.classes)
    kinds = sorted(k for k in ("Date", "Email", "Url") if re.search(rf"\b{k}\b", body))
    typing = [k for k in ("Any", "Literal") if re.search(rf"\b{k}\b", body)]
    head = ["from __future__ import annotations", ""]
    if typing:
        head += [f"from typing import {', '.join(typing)}", ""]
    pydantic = [
        "BaseModel",
        *(["ConfigDict"] if "ConfigDict(" in body else []),
        *(["Field"] if "Field(" in body else []),
    ]
    head += [f"from pydantic import {', '.join(pydantic)}", ""]
    if kinds:
        head += [f"from extractor.schema import {', '.join(kinds)}", ""]
    return "\n".join([*head, "", body, ""])


def _collect_keys(schema: Mapping[str, Json]) -> set[str]:
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    inner += [schema["items"]] if "items" in schema else []
    return set(schema.get("properties", ())).union(*map(_collect_keys, inner))


class _ClassWriter:
    def __init__(self, keys: set[str]) -> None:
        self.classes: list[str] = []
        self.used_names: set[str] = {*_USED_NAMES, *(_make_identifier(key, set()) for key in keys)}

    def write_class(self, schema: Mapping[str, Json], name: str) -> str:
        self.used_names.add(name)
        required = set(schema.get("required", ()))
        taken: set[str] = set()
        lines = [
            self.write_field(key, sub, key in required, taken) for key, sub in schema.get("properties", {}).items()
        ]
        if any("alias=" in line for line in lines):
            lines = ["    model_config = ConfigDict(populate_by_name=True)", "", *lines]
        self.classes.append("\n".join([f"class {name}(BaseModel):", *(lines or ["    pass"])]))
        return name

    def write_field(self, key: str, schema: Mapping[str, Json], required: bool, taken: set[str]) -> str:
        kind = self.type_expression(schema, key)
        name = _make_identifier(key, taken)
        alias = f", alias={key!r}" if name != key else ""
        if required:
            return f"    {name}: {kind}" + (f" = Field(...{alias})" if alias else "")
        if kind.startswith("list["):
            return f"    {name}: {kind} = " + (f"Field([]{alias})" if alias else "[]")
        kind = kind if kind.endswith("None") or kind == "Any" else f"{kind} | None"
        return f"    {name}: {kind} = " + (f"Field(None{alias})" if alias else "None")

    def type_expression(self, schema: Mapping[str, Json], key: str) -> str:
        if "anyOf" in schema:
            return " | ".join(dict.fromkeys(self.type_expression(one, key) for one in schema["anyOf"]))
        kinds = schema.get("type")
        if kinds is None:
            return "Any"
        kinds = kinds if isinstance(kinds, list) else [kinds]
        return " | ".join(dict.fromkeys(self.single_type_expression(kind, schema, key) for kind in kinds))

    def single_type_expression(self, kind: str, schema: Mapping[str, Json], key: str) -> str:
        if kind == "object":
            return self.write_class(schema, self.class_name(key))
        if kind == "array":
            return f"list[{self.type_expression(schema.get('items', {}), key)}]"
        if kind == "string" and "enum" in schema:
            return f"Literal[{', '.join(repr(v) for v in schema['enum'] if v is not None)}]"
        if kind == "string" and schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        return _SCALARS[kind]

    def class_name(self, key: str) -> str:
        """A class name of the key, in the singular where it is a plain plural."""
        words = re.findall(r"[A-Za-z][a-z0-9]*|[0-9]+", key if key.isascii() else "")
        word = "".join(w[:1].upper() + w[1:] for w in words).lstrip("0123456789") or "Item"
        word = word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
        name, n = word, 2
        while name in self.used_names:
            name, n = f"{word}{n}", n + 1
        return name


def _make_identifier(key: str, taken: set[str]) -> str:
    """The key as the name of a field, changed where Python or Pydantic does not allow it."""
    name = key if key.isidentifier() and key.isascii() else re.sub(r"\W", "_", key, flags=re.A)
    name = name.lstrip("_") or "field"
    if name[0].isdigit():
        name = f"n{name}"
    reserved = name.startswith("model_") or name in _RESERVED_NAMES
    while keyword.iskeyword(name) or name in taken or reserved:
        name, reserved = f"{name}_", False
    taken.add(name)
    return name


_RESERVED_NAMES = frozenset(
    (
        *("copy", "dict", "json", "schema", "schema_json", "validate", "construct", "parse_obj", "parse_raw"),
        *("parse_file", "from_orm", "update_forward_refs", "fields"),
        *("str", "int", "float", "bool", "list", "Any", "Literal", "Date", "Email", "Url", "Field", "None"),
    )
)
"""Names that a field must not hide: the base class's, and those that the annotations of the class use."""
