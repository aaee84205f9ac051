"""What the page shows of one result: its values, what was refused or failed, and where each stands in the text."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from extractor.documents import locations as places
from extractor.results.review.highlights import Segment, split_segments, split_unseen
from extractor.types import Json, Match, Span, json_pointer

RESULT_FORMAT = "extractor.result/1"

ISSUE_LABELS = {
    "failure": ("question unanswered", "questions unanswered"),
    "unasked": ("passage unread", "passages unread"),
    "problem": ("problem", "problems"),
    "misplaced": ("broken trace", "broken traces"),
    "unsupported": ("unsupported", "unsupported"),
    "conflict": ("conflict", "conflicts"),
    "rejected": ("not kept", "not kept"),
}
"""What a person should look at, in the order of the counts: for one, for many."""

_BY_STRICTNESS = tuple(Match)
"""From the strictest match to none."""

_MAX_DEPTH = 50
"""Levels of a result file. The template recurses, and no file of ours is deeper."""

_BLOCK_LENGTH = 3000
"""Code points after which the text is broken at the next line end, so that a browser lays out only what is in view."""


@dataclass(frozen=True, slots=True)
class ViewEntry:
    """Something said of the document, with the numbers of the places that it was traced to.

    `kind` is "value" or a key of ISSUES. `match` is a Match, or empty where there was nothing to match. `link` is the
    part of its address after the document's. `where` is its path for people, with rows counted from 1.
    """

    kind: str
    link: str
    path: str
    where: str
    value: Json = None
    match: str = ""
    places: tuple[int, ...] = ()
    said: str | None = None
    confidence: float | None = None
    note: str = ""
    others: tuple[ViewEntry, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(slots=True)
class DocumentView:
    """One document as the page shows it. Places are spans of its text, numbered as they are met."""

    name: str
    status: str
    text: str = ""
    record: Json = None
    error: tuple[str, str] | None = None
    about: dict[str, Json] = field(default_factory=dict)
    link: str = ""
    stray: bool = False
    values: dict[str, ViewEntry] = field(default_factory=dict)
    checks: list[ViewEntry] = field(default_factory=list)
    rejected: list[ViewEntry] = field(default_factory=list)
    places: dict[Span, int] = field(default_factory=dict)
    files: dict[int, str] = field(default_factory=dict)
    """Where the words of a place stand in the document's file, for people, where the result says so."""
    weakest: dict[int, Match] = field(default_factory=dict)
    unasked: set[int] = field(default_factory=set)

    def count_issues(self) -> dict[str, int]:
        """How many issues there are of each kind, kinds without any left out."""
        others = [other for entry in self.values.values() for other in entry.others]
        found = Counter(entry.kind for entry in (*self.checks, *self.values.values(), *others, *self.rejected))
        return {kind: found[kind] for kind in ISSUE_LABELS if found[kind]}

    def text_blocks(self) -> list[list[tuple[Segment, str, str, Iterator[tuple[str, str]]]]]:
        """The text in blocks of whole lines: of each segment its weakest match or "", classes for style, and pieces."""
        cuts, at = [0], _BLOCK_LENGTH
        while (line_end := self.text.find("\n", at)) >= 0:
            cuts.append(line_end + 1)
            at = line_end + 1 + _BLOCK_LENGTH
        blocks: list[list[tuple[Segment, str, str, Iterator[tuple[str, str]]]]] = [[] for _ in cuts]
        for part in split_segments(len(self.text), list(self.places), cuts):
            matches = [self.weakest[place] for place in part.places if place in self.weakest]
            match = max(matches, key=_BY_STRICTNESS.index).value if matches else ""
            classes = ["deep"] * (len(matches) > 1) + ["unasked"] * (not self.unasked.isdisjoint(part.places))
            block = blocks[bisect_right(cuts, part.start) - 1]
            block.append((part, match, " ".join(classes), split_unseen(self.text, part.start, part.end)))
        return blocks

    def ruler_ticks(self) -> list[tuple[int, int, int]]:
        """(place, top, height) in thousandths of the text's height, for the strip that shows where the places are.

        The height is a guess: lines wrap at about 70 characters, and a short line is as tall as one of 70.
        """
        starts, heights = [0], [0]
        for line in self.text.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
            heights.append(heights[-1] + max(70, len(line)))

        def height(at: int) -> int:
            line = bisect_right(starts, at) - 1
            return 1000 * (heights[line] + at - starts[line]) // heights[-1]

        ticks = [(number, height(span.start), height(span.end)) for span, number in self.places.items()]
        return [(number, min(top, 996), max(bottom - top, 4)) for number, top, bottom in ticks]

    def number_places(self, spans: Json) -> tuple[int, ...]:
        """The numbers of spans as a result file has them. Raises ValueError where one is not of this text."""
        found = []
        for span in spans if isinstance(spans, list) else [spans]:
            start, end = _require_member(span, "start", int), _require_member(span, "end", int)
            if not 0 <= start < end <= len(self.text):
                raise ValueError(f"[{start}, {end}) is not in the text, which has {len(self.text)} characters.")
            if self.text[start:end] != span.get("quote", self.text[start:end]):
                raise ValueError(
                    f"The words at [{start}, {end}) are not those that the file quotes, “{span['quote']}”."
                )
            found.append(Span(start, end))
            where = span.get("places")
            if isinstance(where, list) and (said := places.describe_places(where)):
                self.files[self.places.setdefault(found[-1], len(self.places))] = said
        return tuple(dict.fromkeys(self.places.setdefault(span, len(self.places)) for span in found))

    def trace_value(self, kind: str, link: str, path: str, value: Json, evidence: Json) -> ViewEntry:
        """A value with its evidence, which is checked here once more: no words are shown that do not hold it."""
        entry = ViewEntry(kind, link, path, _describe_path(path, self.record), value, Match.NONE)
        supported = "unsupported" if kind == "value" else kind
        if not isinstance(evidence, Mapping):
            return replace(entry, kind=supported, note="The file has no evidence for it.")
        said, sure = evidence.get("said"), evidence.get("confidence")
        entry = replace(entry, said=said if isinstance(said, str) and said != format_plain(value) else None)
        entry = replace(entry, confidence=sure if isinstance(sure, int | float) and 0 <= sure <= 1 else None)
        try:
            match, traced = Match(str(evidence.get("match"))), self.number_places(evidence.get("spans", []))
            if bool(traced) == (match is Match.NONE):
                raise ValueError("Evidence has places exactly when it has a match, and this has one of the two.")
        except ValueError as error:
            return replace(entry, kind="misplaced", note=str(error))
        for place in traced:
            self.weakest[place] = max(self.weakest.get(place, match), match, key=_BY_STRICTNESS.index)
        return replace(entry, kind=kind if traced else supported, match=match.value, places=traced)

    def describe_issue(
        self, kind: str, number: int, path: str, spans: Json, note: str, value: Json = None
    ) -> ViewEntry:
        """An issue that is no value of the record."""
        entry = ViewEntry(kind, f"!{kind}-{number}", path, _describe_path(path, self.record), value, note=note)
        try:
            traced = self.number_places(spans)
        except ValueError as error:
            return replace(entry, note=f"{note} (Its place is unknown. {error})")
        if kind in ("failure", "unasked") and isinstance(spans, Mapping):
            entry = replace(entry, where=f"characters {spans['start']}–{spans['end']}")
        return replace(entry, places=traced)


def build_document_view(result: Mapping[str, Json] | str) -> DocumentView:
    """The document of one result file. Raises ValueError, saying what is wrong, for what is no result file."""
    if isinstance(result, str):
        raise ValueError(result)
    if is_too_deep(result):
        raise ValueError("The file is nested too deep.")
    if result.get("format") != RESULT_FORMAT:
        raise ValueError(
            f"The file is not a result: its format is “{format_plain(result.get('format'))}”, not “{RESULT_FORMAT}”."
        )
    document = _require_member(result, "document", Mapping)
    sheet = DocumentView(
        _require_member(document, "name", str),
        _require_member(result, "status", str),
        _require_member(document, "text", str, ""),
    )
    sheet.record = _require_member(result, "record", Mapping, None)
    if sheet.record is None:
        error = _require_member(result, "error", Mapping, {})
        sheet.error = (
            format_plain(error.get("reason", "failed")),
            format_plain(error.get("message", "The file does not say why.")),
        )
    coverage, evidence = (
        _require_member(result, "coverage", Mapping, {}),
        _require_member(result, "evidence", Mapping, {}),
    )
    sheet.about["document"] = {key: value for key, value in document.items() if key != "text"}
    sheet.about |= {key: result[key] for key in ("task", "usage", "manifest") if key in result}

    for path, value in _walk_leaves(sheet.record or {}, ""):
        sheet.values[path] = sheet.trace_value("value", _quote_path(path), path, value, evidence.get(path))
    for number, row in enumerate(_list_rows(result, "failures"), 1):
        note = (
            f"{format_plain(row.get('group'))}: {format_plain(row.get('reason'))}. {format_plain(row.get('message'))}"
        )
        sheet.checks.append(sheet.describe_issue("failure", number, "", row.get("chunk"), note))
    for number, row in enumerate(_list_rows(coverage, "unasked"), 1):
        sheet.checks.append(sheet.describe_issue("unasked", number, "", row, "no question was asked of these words"))
        sheet.unasked.update(sheet.checks[-1].places)
    for number, row in enumerate(_list_rows(result, "problems"), 1):
        path, note = (
            format_plain(row.get("path")),
            f"{format_plain(row.get('code'))}: {format_plain(row.get('message'))}",
        )
        under = [entry for at, entry in sheet.values.items() if at == path or at.startswith(path + "/")]
        traced = dict.fromkeys(place for entry in under for place in entry.places) if path else {}
        sheet.checks.append(replace(sheet.describe_issue("problem", number, path, [], note), places=tuple(traced)))
        if path in sheet.values:
            sheet.values[path] = replace(sheet.values[path], flags=(*sheet.values[path].flags, note))
    for number, path in enumerate((path for path in evidence if path not in sheet.values), 1):
        sheet.checks.append(
            sheet.describe_issue("misplaced", number, path, [], "The file has evidence, and the record no value.")
        )
    for number, row in enumerate(_list_rows(result, "conflicts"), 1):
        path, other, kept = (
            format_plain(row.get("path")),
            _require_member(row, "other", Mapping),
            _require_member(row, "kept", Mapping, {}),
        )
        entry = sheet.trace_value("conflict", f"!conflict-{number}", path, other.get("value"), other.get("evidence"))
        if path in sheet.values:
            sheet.values[path] = replace(sheet.values[path], others=(*sheet.values[path].others, entry))
        else:
            at = sheet.trace_value("value", f"!kept-{number}", path, kept.get("value"), kept.get("evidence"))
            sheet.checks.append(replace(entry, others=(at,)))
    for number, row in enumerate(_list_rows(result, "rejected"), 1):
        path, note = format_plain(row.get("path")), format_plain(row.get("reason"))
        sheet.rejected.append(sheet.describe_issue("rejected", number, path, row.get("chunk"), note, row.get("value")))
    return sheet


_REQUIRED: Any = object()


def _require_member(content: Json, key: str, kind: Any, default: Any = _REQUIRED) -> Any:
    """A member of an object, of the kind that the format has there. Raises ValueError when it is not."""
    value = content.get(key, default) if isinstance(content, Mapping) else _REQUIRED
    if (isinstance(value, kind) and not isinstance(value, bool)) or (value is default and value is not _REQUIRED):
        return value
    if value is None and default is not _REQUIRED:
        return default
    raise ValueError(f"The file is not a whole result: its “{key}” is missing or of the wrong kind.")


def _list_rows(content: Mapping[str, Json], key: str) -> list[Mapping[str, Json]]:
    rows = _require_member(content, key, list, [])
    if not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(f"The file is not a whole result: its “{key}” holds more than objects.")
    return list(rows)


def _walk_leaves(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    """(JSON pointer, value) of every leaf but null, in the record's order."""
    if isinstance(value, Mapping | list):
        for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _walk_leaves(inner, path + json_pointer((key,)))
    elif value is not None:
        yield path, value


def _describe_path(path: str, record: Json) -> str:
    """A JSON pointer for people: rows counted from 1, as "rows 4 › title". Steps it lacks are taken as they look."""
    words: list[str] = []
    for step in path.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        is_row = step.isdecimal() and len(step) < 10 and not isinstance(record, Mapping)
        if is_row and words:
            words[-1] += f" {int(step) + 1}"
        else:
            words.append(step.replace("_", " "))
        if isinstance(record, Mapping):
            record = record.get(step)
        else:
            record = record[int(step)] if is_row and isinstance(record, list) and int(step) < len(record) else None
    return " › ".join(words)


def format_plain(value: Json) -> str:
    """A value as words: text as it is, anything else as JSON, nothing as nothing."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _quote_path(path: str) -> str:
    return quote(path, safe="/~", errors="replace")


def choose_list_layout(rows: Sequence[Json]) -> str:
    """How a list is best looked at: scalars as "items", small flat rows as a "table", other rows as "cards"."""
    if not any(isinstance(row, Mapping | list) for row in rows):
        return "items"
    named = list_columns(rows)
    cells = [cell for row in rows if isinstance(row, Mapping) for cell in row.values()]
    flat = all(isinstance(row, Mapping) for row in rows) and not any(isinstance(cell, Mapping | list) for cell in cells)
    return "table" if flat and 1 < len(named) <= 3 and len(rows) > 1 else "cards"


def list_columns(rows: Sequence[Json]) -> list[str]:
    return list(dict.fromkeys(key for row in rows if isinstance(row, Mapping) for key in row))


def is_too_deep(content: Json) -> bool:
    level = [content]
    for _ in range(_MAX_DEPTH):
        outer = [value for value in level if isinstance(value, Mapping | list)]
        level = [inner for value in outer for inner in (value.values() if isinstance(value, Mapping) else value)]
    return bool(level)
