"""What the page's error browser and heat map read: rows as numbers and shared strings, and the words around marks.

Positions in a result file count code points, those in a browser UTF-16 units; they are converted here. Only the parts
of a document's text that some row points to are taken along.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from extractor.evaluation.report.content import Content
from extractor.evaluation.report.strict_json import strict
from extractor.evaluation.scoring.outcomes import Outcome, Support
from extractor.types import Json

ROWS = 20_000
"""Errors that a page lists at most."""
WORDS = 1_500_000
"""Code points of documents that a page quotes at most."""
LONGEST = 2000
"""Code points of a value that are shown."""
AROUND = 260
"""Code points of text on either side of a mark."""
PLACES = 3
"""Places marked per value."""

CLAIMED, SAID, GOLD = 0, 1, 2
"""A mark is where the prediction was claimed to stand, where its letters stand unclaimed, or where gold's stand."""

Mark = tuple[int, int, int]
"""Start, end, kind."""

_LONE = re.compile("[\ud800-\udfff]")


class Strings:
    """Every string once; its number is its place in `all`."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._known: dict[str, int] = {}

    def number(self, text: str | None) -> int:
        """-1 for None."""
        if text is None:
            return -1
        if text not in self._known:
            self._known[text] = len(self.all)
            self.all.append(text)
        return self._known[text]


def payload(content: Content, texts: Mapping[str, str], rows: int = ROWS, words: int = WORDS) -> dict[str, Json]:
    """All that the page's script needs, as JSON: at most so many rows, and so many code points of text.

    `texts` maps names of documents to their text; some may be missing.

    Each of "rows" is [run, repeat, document, field, outcome, support, gold, prediction, gold's path, path, comparator,
    match, confidence or null, 1 if the document failed + 2 if the error is new since the baseline,
    [segment, start, end, kind, ...]], with numbers for places in the other lists and -1 for what is not there.
    """
    texts = {strict(name): _LONE.sub("\ufffd", text) for name, text in texts.items()}
    runs = [run["label"] for run in content["runs"]]
    documents, fields = content["documents"], content["fields"]
    number = {
        what: {name: at for at, name in enumerate(names)}
        for what, names in (("run", runs), ("document", documents), ("field", fields))
    }
    outcomes, supports = [str(one) for one in Outcome], [str(one) for one in Support]
    errors = _fair(content["errors"], rows)
    strings, places = Strings(), _Places(texts)
    marks = [places.of(error) for error in errors]
    segments = _segments(errors, marks, texts, documents, words)
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
                strings.number(spell(error["gold"])),
                strings.number(spell(error["prediction"])),
                strings.number(error["gold_path"]),
                strings.number(error["path"]),
                strings.number(error["comparator"] or None),
                strings.number(error["match"]),
                error["confidence"],
                error["failed"] + 2 * error["new"],
                segments.within(error["document"], found),
            ]
        )
    return {
        "runs": [[run["label"], run["model"], run["prompt"], run["repeats"]] for run in content["runs"]],
        "documents": documents,
        "fields": fields,
        "outcomes": outcomes,
        "supports": supports,
        "strings": strings.all,
        "rows": listed,
        "segments": segments.texts,
        "quoted": segments.complete,
        "listed": len(errors),
        "errors": len(content["errors"]),
        "byField": _counts(content, "fields", "field", fields),
        "byDocument": _counts(content, "documents", "document", documents),
        "states": [
            [{one["document"]: one["status"] for one in run["documents"]}.get(name, "") for name in documents]
            for run in content["runs"]
        ],
    }


def script(value: Json) -> str:
    """The value as JSON that may stand in a script element: no character of it can end the element or a line.

    Lone surrogates must not be left, see `writing.strict`.
    """
    said = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for char in "<>&\u2028\u2029":
        said = said.replace(char, f"\\u{ord(char):04x}")
    return said


def spell(value: Json) -> str | None:
    """A value as people read it, cut to LONGEST; None for nothing."""
    if value is None:
        return None
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}… ({len(said)} characters)"


def _fair(errors: Sequence[Content], most: int) -> Sequence[Content]:
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


def _counts(content: Content, part: str, name: str, names: Sequence[str]) -> Json:
    """Per run, in the order of `names`: [correct, wrong, omitted, invented], or null where the run has no such row."""
    found = []
    for run in content["runs"]:
        held = {row[name]: [row[str(one)] for one in list(Outcome)[:4]] for row in run[part]}
        found.append([held.get(one) for one in names])
    return found


class _Places:
    """Where the values of an error stand in its document."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.known: dict[tuple[str, str], list[tuple[int, int]]] = {}

    def of(self, error: Content) -> list[Mark]:
        text = self.texts.get(error["document"])
        if not text:
            return []
        claimed = [(s, e) for s, e in error["spans"] if 0 <= s < e <= len(text)][:PLACES]
        found = [(s, e, CLAIMED) for s, e in claimed]
        if not claimed:
            found += [(s, e, SAID) for s, e in self.find(error["document"], text, error["prediction"])]
        return found + [(s, e, GOLD) for s, e in self.find(error["document"], text, error["gold"])]

    def find(self, name: str, text: str, value: Json) -> list[tuple[int, int]]:
        """The first places where the value stands to the letter, not within a word."""
        said = "" if value is None or isinstance(value, bool | dict | list) else str(value).strip()
        if not said:
            return []
        key = (name, said)
        if key not in self.known:
            self.known[key] = list(_found(text, said))
        return self.known[key]


def _found(text: str, said: str) -> Iterator[tuple[int, int]]:
    at, count = text.find(said), 0
    while at >= 0 and count < PLACES:
        end = at + len(said)
        inside = (at > 0 and (text[at - 1] + said[0]).isalnum()) or (
            end < len(text) and (said[-1] + text[end]).isalnum()
        )
        if not inside:
            yield at, end
            count += 1
        at = text.find(said, end)


class _Part:
    """A piece of a text from code point `start` on; knows which of its characters take two UTF-16 units."""

    def __init__(self, start: int, text: str) -> None:
        self.start, self.text = start, text
        self.wide = [] if text.isascii() else [at for at, char in enumerate(text) if char > "\uffff"]

    def units(self, at: int) -> int:
        """UTF-16 units before the text's code point `at`."""
        at -= self.start
        return at + bisect_left(self.wide, at)


class _Quoted:
    """The parts of the texts that are quoted, per document in order."""

    def __init__(self, documents: Sequence[str], parts: Mapping[str, list[_Part]], complete: bool) -> None:
        self.documents, self.parts, self.complete = documents, parts, complete
        self.starts = {name: [part.start for part in held] for name, held in parts.items()}

    @property
    def texts(self) -> list[list[str]]:
        return [[part.text for part in self.parts.get(name, [])] for name in self.documents]

    def within(self, document: str, marks: Sequence[Mark]) -> list[int]:
        """[part, start, end, kind, ...] with positions in UTF-16 units of the part."""
        flat: list[int] = []
        for start, end, kind in marks if document in self.parts else ():
            number = bisect_right(self.starts[document], start) - 1
            part = self.parts[document][number]
            flat += [number, part.units(start), part.units(end), kind]
        return flat


def _segments(
    errors: Sequence[Content],
    marks: Sequence[Sequence[Mark]],
    texts: Mapping[str, str],
    documents: Sequence[str],
    words: int,
) -> _Quoted:
    """The text around marks; documents that would bring it over `words` code points are left out whole."""
    windows: dict[str, list[tuple[int, int]]] = {name: [] for name in documents}
    for error, found in zip(errors, marks, strict=True):
        length = len(texts.get(error["document"], ""))
        windows[error["document"]] += [(max(0, s - AROUND), min(length, e + AROUND)) for s, e, _ in found]
    left, complete = words, True
    parts: dict[str, list[_Part]] = {}
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
        parts[name] = [_Part(start, texts[name][start:end]) for start, end in joined]
    return _Quoted(documents, parts, complete)
