"""The shape of a reply as a grammar of the embedded engine (llguidance, which llama.cpp runs).

The same JSON Schema, but the reply has no white space that says nothing: nearly half of the tokens go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from extractor.domain import Json


def compact(shape: Mapping[str, Json]) -> str:
    """A grammar for replies of this shape, without white space between tokens of JSON."""
    schema = {**shape, "x-guidance": {"whitespace_flexible": False}}
    return "%llguidance {}\nstart: %json " + json.dumps(schema, ensure_ascii=False)
