"""The text of a document, and ranges in it. All positions are half-open ranges of code points in `Document.text`."""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from extractor.types.picture import PageImage
from extractor.types.span import Span
from extractor.types.table import TextTable

Json = Any
"""A value made of None, bool, int, float, str, list and str-keyed dict."""

ValuePath = tuple[str | int, ...]
"""Where a value stands in a record: ("education", 0, "start")."""


def canonical_json(value: Json) -> str:
    """Compact JSON with sorted keys, the form that fingerprints are computed from."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def fingerprint_json(value: Json) -> str:
    """SHA-256 of the canonical JSON as "sha256:" and 64 hex digits; the prefix allows another algorithm later."""
    return "sha256:" + hashlib.sha256(canonical_json(value).encode()).hexdigest()


def json_pointer(path: ValuePath) -> str:
    """The path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


class Locations(Protocol):
    """Maps spans of a document's text to places in the file that it was read from."""

    def locate(self, span: Span) -> list[dict[str, Json]]:
        """The places of a span in the file, in order; docs/result.schema.json describes the keys."""
        ...


@dataclass(frozen=True, slots=True)
class UnreadPart:
    """A part of a document's file that is not in its text, though it may matter. `reason` is a code to count by."""

    part: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Document:
    """One canonical text. `name` is the file's name, for people; identity is `sha256`."""

    name: str
    text: str
    hidden: tuple[Span, ...] = ()
    """Spans that a reader of the file cannot see, in order; they are not shown to a model and are no evidence."""
    tables: tuple[TextTable, ...] = ()
    """In order, none in another."""
    unread: tuple[UnreadPart, ...] = ()
    locations: Locations | None = field(default=None, compare=False)
    loader: str = ""
    """What made the text of the file, with versions; empty where the text is the file's own."""
    notes: tuple[str, ...] = ()
    """What a person should know about how the file was read, such as an encoding that was guessed: a sentence each."""
    doubtful: tuple[Span, ...] = ()
    """Spans that a reader may not see, or only if he asks for them, in order: shown to a model, which is a finding."""
    pictured: tuple[int, ...] = ()
    """Numbers of pages that are pictures of words: without a text layer, or with one that is wrong."""
    pictures: tuple[PageImage, ...] = ()
    """Pages that a model is shown as pictures along with the text, in order."""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def is_doubtful(self, span: Span) -> bool:
        """Whether a reader of the file may not see some of the span."""
        at = bisect_right(self.doubtful, span.start, key=lambda d: d.end)
        return at < len(self.doubtful) and self.doubtful[at].start < span.end

    def table_at(self, position: int) -> TextTable | None:
        """The table that a position stands in."""
        at = bisect_right(self.tables, position, key=lambda table: table.span.start) - 1
        return self.tables[at] if at >= 0 and position < self.tables[at].span.end else None

    def visible_text(self, span: Span) -> str:
        """The text of the span with spaces in place of what is hidden, so that positions stay as they are.

        What has no width leaves a sign without width, so that the words around it stay one.
        """
        return self._without_hidden(span, " ")

    def shown_text(self, span: Span) -> str:
        """The text of the span without what is hidden: what a model is shown, which pays for no blanks."""
        return self._without_hidden(span, "")

    def _without_hidden(self, span: Span, instead: str) -> str:
        seen: list[str] = []
        at = span.start
        for i in range(bisect_right(self.hidden, span.start, key=lambda h: h.end), len(self.hidden)):
            hidden = self.hidden[i]
            if hidden.start >= span.end:
                break
            start, end = max(at, hidden.start), min(span.end, hidden.end)
            unseen = NO_WIDTH_SIGNS.sub("\u200b" if instead else "", self.text[start:end])
            seen += self.text[at:start], _VISIBLE.sub(instead, unseen)
            at = end
        return "".join((*seen, self.text[at : span.end]))


_VISIBLE = re.compile(r"[^\s\u200b]")
NO_WIDTH_SIGNS = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Signs that take no room in a text: joiners, marks of direction, variants, tags, fillers (Unicode 17, 23)."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of a document that is sent to the model in one request."""

    document: Document
    index: int
    span: Span
    heading: str = ""
    """The headings that this chunk stands under, when it does not begin with them itself."""
    header: str = ""
    """The row that names the columns of the table that this chunk begins within, when it does not hold it itself."""

    @property
    def text(self) -> str:
        return self.document.visible_text(self.span)

    @property
    def shown_text(self) -> str:
        """What a model is shown of it."""
        return self.document.shown_text(self.span)

    @property
    def pictures(self) -> tuple[PageImage, ...]:
        """The pictures of the pages that it has words of."""
        end = self.span.end + (self.span.end == len(self.document.text))  # pages without words may stand there
        return tuple(page for page in self.document.pictures if page.touches(self.span.start, end))


def find_uncovered_spans(document: Document, asked: Sequence[Span]) -> list[Span]:
    """The parts of the document that no request was about."""
    gaps, at = [], 0
    for span in sorted(asked):
        if span.start > at:
            gaps.append(Span(at, span.start))
        at = max(at, span.end)
    if at < len(document.text):
        gaps.append(Span(at, len(document.text)))
    return gaps
