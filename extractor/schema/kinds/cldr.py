"""Tables made from CLDR by tools/tables_of_kinds.py, read when first asked for."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """The table of that name: "months", "territories", "currencies", "languages", "numerals"."""
    content = files("extractor.schema.kinds").joinpath(f"tables/{name}.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(content)
    return loaded
