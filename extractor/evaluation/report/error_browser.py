"""The data of the page's error browser and heat map: rows as numbers and shared strings, and the words around marks.

Positions in a result file count code points, those in a browser UTF-16 units; they are converted here. Only the parts
of a document's text that some row points to are taken along.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from extractor.evaluation.report.content import ReportContent
from extractor.evaluation.report.strict_json import make_strict_json
from extractor.evaluation.scoring.outcomes import LeafOutcome, ValueSupport
from extractor.types import Json

MAX_ERROR_ROWS = 20_000
"""Errors that a page lists at most."""
MAX_QUOTED_CHARACTERS = 1_500_000
"""Code points of documents that a page quotes at most."""
MAX_VALUE_CHARACTERS = 2000
"""Code points of a value that are shown."""
MARK_CONTEXT_CHARACTERS = 260
"""Code points of text on either side of a mark."""
MAX_PLACES_PER_VALUE = 3
"""Places marked per value."""

CLAIMED, SAID, GOLD = 0, 1, 2
"""A mark is where the prediction was claimed to stand, where its letters stand unclaimed, or where gold's stand."""

TextMark = tuple[int, int, int]
"""Start, end, kind."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class StringTable:
    """Every string once; its number is its place in `all`."""

    def __init__(self) -> None:
        self.in_order: list[str] = []
        self._known: dict[str, int] = {}

    def index_of(self, text: str | None) -> int:
        """-1 for None."""
        if text is None:
            return -1
        if text not in self._known:
            self._known[text] = len(self.in_order)
            self.in_order.append(text)
        return self._known[text]


def build_browser_payload(
    content: ReportContent, texts: Mapping[str, str], rows: int = MAX_ERROR_ROWS, words: int = MAX_QUOTED_CHARACTERS
) -> dict[str, Json]:
    """All that the page's script needs, as JSON: at most so many rows, and so many code points of text.

    `texts` maps names of documents to their text; some may be missing.

    Each of "rows" is [run, repeat, document, field, outcome, support, gold, prediction, gold's path, path, comparator,
    match, confidence or null, 1 if the document failed + 2 if the error is new since the baseline,
    [segment, start, end, kind, ...]], with numbers for places in the other lists and -1 for what is not there.
    """
    texts = {make_strict_json(name): _LONE_SURROGATE.sub("\ufffd", text) for name, text in texts.items()}
    runs = [run["label"] for run in content["runs"]]
    documents, fields = content["documents"], content["fields"]
    number = {
        what: {name: at for at, name in enumerate(names)}
        for what, names in (("run", runs), ("document", documents), ("field", fields))
    }
    outcomes, supports = [str(one) for one in LeafOutcome], [str(one) for one in ValueSupport]
    errors = _limit_errors_evenly(content["errors"], rows)
    strings, places = StringTable(), _MarkFinder(texts)
    marks = [places.find_marks(error) for error in errors]
    segments = _cut_excerpts(errors, marks, texts, documents, words)
    listed = []
    for error, found in zip(errors, marks, strict=True):
        listed.append(
            [
                number["run"][error["run"]],
                error["repeat"],
                number["document"][error["document"]],
                number["field"][error["field"]],
                outcomes.index(error["outcome"]),
                supports.index(error["support"]),
                strings.index_of(format_report_value(error["gold"])),
                strings.index_of(format_report_value(error["prediction"])),
                strings.index_of(error["gold_path"]),
                strings.index_of(error["path"]),
                strings.index_of(error["comparator"] or None),
                strings.index_of(error["match"]),
                error["confidence"],
                error["failed"] + 2 * error["new"],
                segments.locate_marks(error["document"], found),
            ]
        )
    return {
        "runs": [[run["label"], run["model"], run["prompt"], run["repeats"]] for run in content["runs"]],
        "documents": documents,
        "fields": fields,
        "outcomes": outcomes,
        "supports": supports,
        "strings": strings.in_order,
        "rows": listed,
        "segments": segments.excerpt_texts,
        "quoted": segments.complete,
        "listed": len(errors),
        "errors": len(content["errors"]),
        "byField": _count_outcomes(content, "fields", "field", fields),
        "byDocument": _count_outcomes(content, "documents", "document", documents),
        "states": [_list_states(run, documents) for run in content["runs"]],
    }


def _list_states(run: Mapping[str, Json], documents: Sequence[str]) -> list[str]:
    """How each document ended in the run; empty where it has none."""
    states = {one["document"]: one["status"] for one in run["documents"]}
    return [states.get(name, "") for name in documents]


def serialise_for_script(value: Json) -> str:
    """The value as JSON that may stand in a script element: no character of it can end the element or a line.

    Lone surrogates must not be left, see `strict_json`.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def format_report_value(value: Json) -> str | None:
    """A value as people read it, cut to MAX_VALUE_CHARACTERS; None for nothing."""
    if value is None:
        return None
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= MAX_VALUE_CHARACTERS else f"{shown[:MAX_VALUE_CHARACTERS]}… ({len(shown)} characters)"


def _limit_errors_evenly(errors: Sequence[ReportContent], most: int) -> Sequence[ReportContent]:
    """All errors, or as many of each field of each document of each run as fit: the first ones."""
    if len(errors) <= most:
        return errors
    held = Counter((one["run"], one["document"], one["field"]) for one in errors)
    each = bisect_right(range(most + 1), most, key=lambda n: sum(min(n, have) for have in held.values())) - 1
    taken = Counter[tuple[str, str, str]]()
    kept = []
    for one in errors:
        key = (one["run"], one["document"], one["field"])
        taken[key] += 1
        if taken[key] <= each:
            kept.append(one)
    return kept or errors[:most]


def _count_outcomes(content: ReportContent, part: str, name: str, names: Sequence[str]) -> Json:
    """Per run, in the order of `names`: [correct, wrong, omitted, invented], or null where the run has no such row."""
    found = []
    for run in content["runs"]:
        held = {row[name]: [row[str(one)] for one in list(LeafOutcome)[:4]] for row in run[part]}
        found.append([held.get(one) for one in names])
    return found


class _MarkFinder:
    """Where the values of an error stand in its document."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.found_places: dict[tuple[str, str], list[tuple[int, int]]] = {}

    def find_marks(self, error: ReportContent) -> list[TextMark]:
        text = self.texts.get(error["document"])
        if not text:
            return []
        claimed = [(s, e) for s, e in error["spans"] if 0 <= s < e <= len(text)][:MAX_PLACES_PER_VALUE]
        found = [(s, e, CLAIMED) for s, e in claimed]
        if not claimed:
            found += [(s, e, SAID) for s, e in self.find_verbatim(error["document"], text, error["prediction"])]
        return found + [(s, e, GOLD) for s, e in self.find_verbatim(error["document"], text, error["gold"])]

    def find_verbatim(self, name: str, text: str, value: Json) -> list[tuple[int, int]]:
        """The first places where the value stands to the letter, not within a word."""
        words = "" if value is None or isinstance(value, bool | dict | list) else str(value).strip()
        if not words:
            return []
        key = (name, words)
        if key not in self.found_places:
            self.found_places[key] = list(_find_occurrences(text, words))
        return self.found_places[key]


def _find_occurrences(text: str, words: str) -> Iterator[tuple[int, int]]:
    at, count = text.find(words), 0
    while at >= 0 and count < MAX_PLACES_PER_VALUE:
        end = at + len(words)
        inside = (at > 0 and (text[at - 1] + words[0]).isalnum()) or (
            end < len(text) and (words[-1] + text[end]).isalnum()
        )
        if not inside:
            yield at, end
            count += 1
        at = text.find(words, end)


class _TextExcerpt:
    """A piece of a text from code point `start` on; knows which of its characters take two UTF-16 units."""

    def __init__(self, start: int, text: str) -> None:
        self.start, self.text = start, text
        self.wide_positions = [] if text.isascii() else [at for at, char in enumerate(text) if char > "\uffff"]

    def count_units_before(self, at: int) -> int:
        """UTF-16 units before the text's code point `at`."""
        at -= self.start
        return at + bisect_left(self.wide_positions, at)


class _QuotedExcerpts:
    """The parts of the texts that are quoted, per document in order."""

    def __init__(self, documents: Sequence[str], parts: Mapping[str, list[_TextExcerpt]], complete: bool) -> None:
        self.documents, self.parts, self.complete = documents, parts, complete
        self.starts = {name: [part.start for part in held] for name, held in parts.items()}

    @property
    def excerpt_texts(self) -> list[list[str]]:
        return [[part.text for part in self.parts.get(name, [])] for name in self.documents]

    def locate_marks(self, document: str, marks: Sequence[TextMark]) -> list[int]:
        """[part, start, end, kind, ...] with positions in UTF-16 units of the part."""
        flat: list[int] = []
        for start, end, kind in marks if document in self.parts else ():
            number = bisect_right(self.starts[document], start) - 1
            part = self.parts[document][number]
            flat += [number, part.count_units_before(start), part.count_units_before(end), kind]
        return flat


def _cut_excerpts(
    errors: Sequence[ReportContent],
    marks: Sequence[Sequence[TextMark]],
    texts: Mapping[str, str],
    documents: Sequence[str],
    words: int,
) -> _QuotedExcerpts:
    """The text around marks; documents that would bring it over `words` code points are left out whole."""
    windows: dict[str, list[tuple[int, int]]] = {name: [] for name in documents}
    for error, found in zip(errors, marks, strict=True):
        length = len(texts.get(error["document"], ""))
        windows[error["document"]] += [
            (max(0, s - MARK_CONTEXT_CHARACTERS), min(length, e + MARK_CONTEXT_CHARACTERS)) for s, e, _ in found
        ]
    left, complete = words, True
    parts: dict[str, list[_TextExcerpt]] = {}
    for name in documents:
        joined: list[tuple[int, int]] = []
        for start, end in sorted(windows[name]):
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        size = sum(end - start for start, end in joined)
        if size > left:
            complete = False
            continue
        left -= size
        parts[name] = [_TextExcerpt(start, texts[name][start:end]) for start, end in joined]
    return _QuotedExcerpts(documents, parts, complete)
