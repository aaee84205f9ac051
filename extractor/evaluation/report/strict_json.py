"""Text files, whole or not at all, and values that any JSON parser reads."""

from __future__ import annotations

import math
import os
import re
import tempfile
from pathlib import Path

from extractor.errors import MachineError
from extractor.types import Json

_MAX_DEPTH = 60
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def write_report_text(path: Path, text: str) -> None:
    """UTF-8, line ends as they are; the folder is made when it is not there. Raises MachineError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8", "backslashreplace"))
                file.flush()
                os.fsync(file.fileno())
            Path(draft).chmod(0o644 & ~_read_umask())
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise MachineError(
            f"{path} cannot be written ({(error.strerror or 'no reason given').lower()}); "
            f"name a file in a folder that takes it."
        ) from error


def make_strict_json(value: Json, depth: int = 0) -> Json:
    """The value with what strict JSON and UTF-8 cannot hold spelled out: NaN, infinity, lone surrogates, strange types.

    Predictions come from models: `json.loads` takes NaN and "\\ud800" from them, and a browser takes neither.
    """
    if isinstance(value, str):
        return _LONE_SURROGATE.sub(lambda lone: f"\\u{ord(lone[0]):04x}", value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int):
        return value if value.bit_length() <= 1024 else f"an integer of {value.bit_length()} bits"
    if isinstance(value, float):
        return value
    if depth > _MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        return {make_strict_json(str(key)): make_strict_json(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [make_strict_json(inner, depth + 1) for inner in value]
    return make_strict_json(str(value))


def _read_umask() -> int:
    """mkstemp makes files for their owner alone, and a report is to be read by others as any other file is."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
