"""Gold: what careful readers found in each document, one JSON file per document.

    {"document": "a.txt", "record": {...}, "optional": ["/pointer"], "accept": {"/pointer": [value, ...]},
     "spans": {"/pointer": [[start, end], ...]}}

`optional`, `accept` and `spans` are keyed by JSON pointers into `record`; scoring/grader.py and scoring/grounding.py
describe what they mean. Other keys are not used for scoring, and the lint names them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from extractor.errors import UsageError
from extractor.types import Json, fingerprint_json

MAX_GOLD_BYTES = 64 << 20
"""Bytes that a gold file may have."""

_KNOWN_KEYS = ("document", "record", "optional", "accept", "spans")


@dataclass(frozen=True, slots=True)
class Gold:
    document: str
    """Name of the document's file."""
    record: Mapping[str, Json]
    optional: frozenset[str] = frozenset()
    accept: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    spans: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    file: str = ""
    """Name of the file that this was read from, for messages."""
    unknown_keys: tuple[str, ...] = ()
    """Keys of the file that mean nothing here."""

    @property
    def fingerprint(self) -> str:
        return fingerprint_golds([self])


def fingerprint_golds(golds: Iterable[Gold]) -> str:
    """One fingerprint of all that scores depend on, the same for any order of the files."""
    return fingerprint_json(
        [
            [
                g.document,
                g.record,
                sorted(g.optional),
                {k: list(v) for k, v in g.accept.items()},
                _convert_spans_to_lists(g.spans),
            ]
            for g in sorted(golds, key=lambda gold: (gold.document, gold.file))
        ]
    )


def load_gold_folder(folder: Path) -> tuple[Gold, ...]:
    """Every gold file of the folder, by name. Raises UsageError naming the file and what to do about it."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".json" and path.is_file())
    except OSError as error:
        raise UsageError(
            f"Cannot read the gold folder {folder}: {_describe_os_error(error)}; name a folder of gold files."
        ) from None
    if not files:
        raise UsageError(f"The gold folder {folder} has no .json file; write one per document.")
    return tuple(load_gold_file(path) for path in files)


def load_gold_file(path: Path) -> Gold:
    """One gold file. Raises UsageError."""
    whole = _parse_gold_file(path)
    if not isinstance(whole, dict):
        raise _gold_file_error(path, 'must be an object with "document" and "record"')
    document, record = whole.get("document"), whole.get("record")
    if not isinstance(document, str) or not document:
        raise _gold_file_error(path, 'must name its document: {"document": "name of the file", ...}')
    if not isinstance(record, dict):
        raise _gold_file_error(path, 'must have an object "record"')
    optional, accept, spans = whole.get("optional") or [], whole.get("accept") or {}, whole.get("spans") or {}
    if not isinstance(optional, list) or not all(isinstance(one, str) for one in optional):
        raise _gold_file_error(path, 'must have as "optional" a list of JSON pointers')
    if not isinstance(accept, dict) or not all(isinstance(one, list) for one in accept.values()):
        raise _gold_file_error(path, 'must have as "accept" an object of lists: {"/pointer": [value, ...]}')
    if not isinstance(spans, dict) or not all(_are_ranges(one) for one in spans.values()):
        raise _gold_file_error(
            path, 'must have as "spans" an object of lists of ranges: {"/pointer": [[start, end], ...]}'
        )
    return Gold(
        document,
        record,
        frozenset(optional),
        {pointer: tuple(values) for pointer, values in accept.items()},
        {pointer: tuple((start, end) for start, end in ranges) for pointer, ranges in spans.items()},
        path.name,
        tuple(sorted(whole.keys() - set(_KNOWN_KEYS))),
    )


def _parse_gold_file(path: Path) -> Json:
    try:
        if path.stat().st_size > MAX_GOLD_BYTES:
            raise _gold_file_error(path, f"is larger than {MAX_GOLD_BYTES >> 20} MB; split it")
        return json.loads(
            path.read_text(encoding="utf-8-sig"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_repeated_keys,
        )
    except OSError as error:
        raise _gold_file_error(path, f"cannot be read: {_describe_os_error(error)}") from None
    except UnicodeDecodeError:
        raise _gold_file_error(path, "must be UTF-8; save it again as such") from None
    except RecursionError:
        raise _gold_file_error(path, "is nested too deeply; flatten it") from None
    except ValueError as error:
        raise _gold_file_error(path, f"is not JSON: {error}") from None


def _refuse_constant(constant: str) -> Json:
    raise ValueError(f"{constant} is no JSON value; write null or a number")


def _refuse_repeated_keys(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'the key "{twice}" stands twice in one object; keep one')
    return found


def _are_ranges(given: Json) -> bool:
    return isinstance(given, list) and all(
        isinstance(one, list) and len(one) == 2 and all(type(at) is int for at in one) and 0 <= one[0] < one[1]
        for one in given
    )


def _gold_file_error(path: Path, what: str) -> UsageError:
    return UsageError(f"The gold file {path} {what}.")


def _describe_os_error(error: OSError) -> str:
    return (error.strerror or "unreadable").lower()


def _convert_spans_to_lists(spans: Mapping[str, tuple[tuple[int, int], ...]]) -> Json:
    return {pointer: [list(one) for one in ranges] for pointer, ranges in spans.items()}
