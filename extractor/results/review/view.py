"""What the page shows of one result: its values, what was refused or failed, and where each stands in the text."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from extractor.documents import locations as places
from extractor.extraction.grounding.findings import ACROSS_A_CUT, DOUBTFUL_SIGHT
from extractor.results.fields import is_too_deep
from extractor.results.frame import walk_leaves
from extractor.results.model import ReadError, ResultFile
from extractor.results.parts import Proof, Quote, TextRange, place_contents
from extractor.results.review.highlights import Segment, split_segments
from extractor.results.review.pictures import PageView
from extractor.results.unseen import describe_unseen, split_unseen
from extractor.types import Json, Match, Span

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

_NO_DAMAGE: Mapping[str, str] = {}

_MOST_SHOWN = 100
"""Values that a problem is shown at, and remarks on one value; a file may hold thousands of each."""
_MAX_DEPTH = 50
"""Levels of what is drawn. The template recurses, and no record is deeper."""

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
    boxes: dict[int, list[tuple[int, tuple[float, float, float, float]]]] = field(default_factory=dict)
    """The pages of the file that a place's words stand on, and where, in points."""
    pages: list[PageView] = field(default_factory=list)
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

    def number_places(self, spans: Sequence[TextRange | Quote]) -> tuple[int, ...]:
        """The numbers of spans as a result file has them. Raises ValueError where one is not of this text."""
        found = []
        for span in spans:
            start, end = span.start, span.end
            if not 0 <= start < end <= len(self.text):
                raise ValueError(f"[{start}, {end}) is not in the text, which has {len(self.text)} characters.")
            if isinstance(span, Quote) and self.text[start:end] != span.quote:
                raise ValueError(f"The words at [{start}, {end}) are not those that the file quotes, “{span.quote}”.")
            found.append(Span(start, end))
            if isinstance(span, Quote) and (span.places or span.column_headers):
                said = "; ".join(filter(None, (places.describe_places(place_contents(span)), _describe_cell(span))))
                number = self.places.setdefault(found[-1], len(self.places))
                if said:
                    self.files[number] = said
                self.boxes[number] = [
                    (place.page, (box[0], box[1], box[2], box[3]))
                    for place in span.places
                    if place.page and not place.attachment and len(box := [float(edge) for edge in place.box]) == 4
                ]
        return tuple(dict.fromkeys(self.places.setdefault(span, len(self.places)) for span in found))

    def trace_value(self, kind: str, link: str, path: str, value: Json, proof: Proof | None) -> ViewEntry:
        """A value with its evidence, which is checked here once more: no words are shown that do not hold it."""
        entry = ViewEntry(kind, link, path, _describe_path(path, self.record), value, Match.NONE)
        supported = "unsupported" if kind == "value" else kind
        if proof is None:
            return replace(entry, kind=supported, note="The file has no evidence for it.")
        said = proof.said if proof.said != format_plain(value) else None
        entry = replace(entry, said=said, confidence=proof.confidence)
        try:
            match, traced = proof.match, self.number_places(proof.spans)
            if bool(traced) == (match is Match.NONE):
                raise ValueError("Evidence has places exactly when it has a match, and this has one of the two.")
        except ValueError as error:
            return replace(entry, kind="misplaced", note=str(error))
        for place in traced:
            self.weakest[place] = max(self.weakest.get(place, match), match, key=_BY_STRICTNESS.index)
        return replace(entry, kind=kind if traced else supported, match=match.value, places=traced)

    def describe_issue(
        self, kind: str, number: int, path: str, where: TextRange | None, note: str, value: Json = None
    ) -> ViewEntry:
        """An issue that is no value of the record."""
        entry = ViewEntry(kind, f"!{kind}-{number}", path, _describe_path(path, self.record), value, note=note)
        if where is None:
            return entry
        try:
            traced = self.number_places([where])
        except ValueError as error:
            return replace(entry, note=f"{note} (Its place is unknown. {error})")
        if kind in ("failure", "unasked"):
            entry = replace(entry, where=f"characters {where.start}–{where.end}")
        return replace(entry, places=traced)


def build_document_view(result: ResultFile, damage: Mapping[str, str] = _NO_DAMAGE) -> DocumentView:
    """The document of one result file, and what is damaged in it.

    Raises ValueError where that is the record, and where something is nested too deep to be drawn.
    """
    if "/record" in damage:
        raise ValueError("The file is not a whole result: its “record” is not of the format.")
    about = _describe_making(result)
    values = [c.other.value for c in result.conflicts] + [c.kept.value for c in result.conflicts]
    drawn = [result.record, *about.values(), *values, *(refused.value for refused in result.rejected)]
    if any(is_too_deep(part, _MAX_DEPTH) for part in drawn):
        raise ValueError("The file is nested too deep.")
    sheet = DocumentView(result.document.name, str(result.status), result.document.text)
    sheet.record = result.record
    if result.record is None:
        error = result.error or ReadError(message="The file does not say why.")
        sheet.error = error.reason, error.message
    sheet.about |= about
    for path, value in walk_leaves(result.record or {}, ""):
        entry = sheet.trace_value("value", _quote_path(path), path, value, result.evidence.get(path))
        sheet.values[path] = replace(entry, flags=tuple(_list_flags(value, result.evidence.get(path))))
    _add_checks(sheet, result, damage)
    _add_conflicts(sheet, result)
    for number, refused in enumerate(result.rejected, 1):
        sheet.rejected.append(
            sheet.describe_issue("rejected", number, refused.path, refused.chunk, refused.reason, refused.value)
        )
    return sheet


def _list_flags(value: Json, proof: Proof | None) -> Iterator[str]:
    """What a person should know of a value who looks at it."""
    if note := describe_unseen(value):
        yield note
    if proof is not None and DOUBTFUL_SIGHT in proof.findings:
        yield "its words may not be seen in the document"
    if proof is not None and ACROSS_A_CUT in proof.findings:
        yield "joined with its row across a cut of the text"


def _describe_making(result: ResultFile) -> dict[str, Json]:
    """What the file says of the document, but its text, and of how the record was made."""
    about = {"task": result.task, "usage": result.usage.to_content(), "manifest": result.manifest.to_content()}
    document = {key: told for key, told in result.document.to_content().items() if key != "text"}
    return {"document": document} | {key: told for key, told in about.items() if key in result.model_fields_set}


def _find_under(sheet: DocumentView, paths: Sequence[str], path: str) -> list[ViewEntry]:
    """The values at a path and under it, of very many the first; none for the whole record."""
    if not path:
        return []
    here = [path] if path in sheet.values else []
    first = bisect_left(paths, f"{path}/")
    last = bisect_left(paths, f"{path}0", lo=first)  # 0 comes behind the slash
    return [sheet.values[at] for at in (*here, *paths[first : min(last, first + _MOST_SHOWN)])]


def _add_checks(sheet: DocumentView, result: ResultFile, damage: Mapping[str, str]) -> None:
    """What is not answered, not read, doubted, or broken in the file itself."""
    for number, failed in enumerate(result.failures, 1):
        note = f"{failed.group}: {failed.reason}. {failed.message}"
        sheet.checks.append(sheet.describe_issue("failure", number, "", failed.chunk, note))
    for number, unasked in enumerate(result.coverage.unasked, 1):
        sheet.checks.append(
            sheet.describe_issue("unasked", number, "", unasked, "no question was asked of these words")
        )
        sheet.unasked.update(sheet.checks[-1].places)
    paths = sorted(sheet.values)
    for number, problem in enumerate(result.problems, 1):
        path, note = problem.path, f"{problem.code}: {problem.message}"
        traced = dict.fromkeys(place for entry in _find_under(sheet, paths, path) for place in entry.places)
        sheet.checks.append(replace(sheet.describe_issue("problem", number, path, None, note), places=tuple(traced)))
        if path in sheet.values and len(sheet.values[path].flags) < _MOST_SHOWN:
            sheet.values[path] = replace(sheet.values[path], flags=(*sheet.values[path].flags, note))
    for number, (pointer, why) in enumerate(damage.items(), len(result.problems) + 1):
        note = f"The file is damaged at {pointer}, which is left out. ({why})"
        sheet.checks.append(sheet.describe_issue("problem", number, "", None, note))
    for number, path in enumerate((path for path in result.evidence if path not in sheet.values), 1):
        sheet.checks.append(
            sheet.describe_issue("misplaced", number, path, None, "The file has evidence, and the record no value.")
        )


def _add_conflicts(sheet: DocumentView, result: ResultFile) -> None:
    """The other values beside those that were kept, or both by themselves where the record has no such value."""
    for number, conflict in enumerate(result.conflicts, 1):
        path, other, kept = conflict.path, conflict.other, conflict.kept
        entry = sheet.trace_value("conflict", f"!conflict-{number}", path, other.value, other.evidence)
        if path in sheet.values:
            if len(sheet.values[path].others) < _MOST_SHOWN:
                sheet.values[path] = replace(sheet.values[path], others=(*sheet.values[path].others, entry))
        else:
            at = sheet.trace_value("value", f"!kept-{number}", path, kept.value, kept.evidence)
            sheet.checks.append(replace(entry, others=(at,)))


def _describe_cell(quote: Quote) -> str:
    """The headers of a table that words stand under and beside."""
    under, beside = " › ".join(quote.column_headers), " › ".join(quote.row_headers)
    return ", ".join([*([f"under “{under}”"] if under else []), *([f"beside “{beside}”"] if beside else [])])


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
