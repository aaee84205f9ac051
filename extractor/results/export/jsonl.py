"""JSON Lines: a result a line, with everything that is known of it. The other forms can be made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import BinaryIO

from extractor.types import Json

_BREAKS = {ord(c): f"\\u{ord(c):04x}" for c in "\x85\u2028\u2029"}
"""Characters that some readers end a line at; in JSON they may be written by number."""


def append_json_line(file: BinaryIO, content: Mapping[str, Json]) -> None:
    """Appends the result as one line of UTF-8 that parses to the same."""
    line = json.dumps(content, ensure_ascii=False, separators=(",", ":")).translate(_BREAKS)
    try:
        data = line.encode()
    except UnicodeEncodeError:  # half a character, which JSON can only hold by number
        data = json.dumps(content, separators=(",", ":")).encode()
    file.write(data + b"\n")
