"""Prints docs/result.schema.json, from the types that results are written and read by: nothing is typed twice.

python docs/schema.py > docs/result.schema.json
"""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from extractor.results.model import RESULT_FORMAT, ResultFile

DESCRIPTION = (
    "What `extractor run` writes for each document. Positions are half-open ranges of code points in document.text. "
    "Keys may be added within version 1; none is removed or changes its meaning."
)


class _FileSchema(GenerateJsonSchema):
    """What is written: no key but these, and each of them unless it is left out where it says nothing."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        return field.get("serialization_exclude_if") is None

    def model_field_schema(self, schema: Any) -> JsonSchemaValue:
        return self._left_out_rather_than_null(schema, super().model_field_schema(schema))

    def dataclass_field_schema(self, schema: Any) -> JsonSchemaValue:
        return self._left_out_rather_than_null(schema, super().dataclass_field_schema(schema))

    def _left_out_rather_than_null(self, field: Any, made: JsonSchemaValue) -> JsonSchemaValue:
        inner = field["schema"]
        rare = field.get("serialization_exclude_if") is not None
        return self.generate_inner(inner["schema"]["schema"]) if rare and inner.get("default", 0) is None else made

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        return {**inner, "type": [inner["type"], "null"]} if "type" in inner else super().nullable_schema(schema)

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        return self._closed(super().model_schema(schema))

    def dataclass_schema(self, schema: Any) -> JsonSchemaValue:
        return self._closed(super().dataclass_schema(schema))

    def _closed(self, made: JsonSchemaValue) -> JsonSchemaValue:
        made.pop("title", None)
        return {**made, "additionalProperties": False}


def result_schema() -> dict[str, Any]:
    made = ResultFile.model_json_schema(mode="serialization", schema_generator=_FileSchema)
    defined = made.pop("$defs")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": RESULT_FORMAT,
        "title": "Result of one document",
    }
    return {**head, **made, "description": DESCRIPTION, "$defs": defined}


def text() -> str:
    return json.dumps(result_schema(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    print(text(), end="")
