"""Each part of the path from a document to a page, by itself, as something that can be done to a text of any length."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2

from extractor.errors import ModelError
from extractor.extraction.chunking import split_document
from extractor.extraction.grounding.mentions import MAX_MENTIONS
from extractor.extraction.merging import PartialRecord, merge_records
from extractor.extraction.pipeline import DocumentWork, Reading
from extractor.extraction.prompt import Prompt, Strategy
from extractor.extraction.task import task_from_json_schema
from extractor.extraction.text import abbreviations, dates, names, normalize, outline, passages, patterns, yes_no
from extractor.models.endpoint import Dialect, Endpoint
from extractor.models.openai.client import LiveModel
from extractor.models.tokens import count_tokens
from extractor.models.traits import SMALL, STRONG
from extractor.results.export.export import EXPORT_FORMATS, export_runs
from extractor.results.export.reader import open_runs
from extractor.results.file import build_result, encode_part
from extractor.results.review.page import build_review_page
from extractor.schema.annotations import Kind
from extractor.schema.kinds import KINDS, BooleanKind, Folded, currency, date, denied, folding, index, number, tokens
from extractor.schema.kinds import Reading as TextReading
from extractor.schema.kinds.characters import plain
from extractor.testing import build_completion
from extractor.types import (
    Document,
    Evidence,
    GroundedList,
    GroundedObject,
    GroundedValue,
    Match,
    Record,
    Reply,
    Request,
    Span,
    Usage,
)

Part = Callable[[str], Callable[[], object]]
"""Prepares a text, and gives what is measured."""

ROW = {
    "item": {"type": "string"},
    "count": {"type": "integer"},
    "price": {"type": "number"},
    "day": {"type": "string", "format": "date"},
    "insured": {"type": "boolean"},
}
SCHEMA = {
    "type": "object",
    "title": "list",
    "properties": {
        "title": {"type": "string"},
        "page": {"type": "string", "format": "uri"},
        "rows": {"type": "array", "items": {"type": "object", "properties": ROW}},
    },
}
TASK = task_from_json_schema(SCHEMA)
PROMPT = Prompt("p", "Copy.", "{document}\n{question}", {}, Strategy())
LETTERS_A_ROW = 40
"""Characters of a text for which a reply about it has a row, as a table has about."""
_PLACES = 60
"""Places of a text that are asked about, for each 10,000 characters of it."""


def _exhaust(found: Iterable[object]) -> int:
    return sum(1 for _ in found)


def _each(text: str) -> range:
    return range(0, len(text) - 1, max(1, 10_000 // _PLACES))


def forget() -> None:
    """Empties what is kept of texts that were seen before."""
    for kept in (
        *(number.find_numbers, date.find_days, currency.find_currencies, tokens.words_of, plain),
        *(dates.detect_day_first, passages._find_breaks, passages._find_word_ends, folding.fold, normalize.fold_text),
    ):
        kept.cache_clear()


def of_text(work: Callable[[str], object]) -> Part:
    return lambda text: lambda: work(text)


def _outline(text: str) -> None:
    made = outline.Outline(text)
    for at in _each(text):
        made.section_at(at), made.headings_above(at), made.paragraph_at(at)
    outline.Keywords(["may", "total", "a"]).announced_sections(made)


def _passages(text: str) -> None:
    for at in _each(text):
        span = Span(at, at + 1)
        (
            passages.find_paragraph(text, span),
            passages.find_sentence(text, span),
            passages.find_paragraph_above(text, span),
        )


def _quotes(text: str) -> None:
    for folded in (Folded(text), normalize.FoldedText(text)):
        bare = folded.words if isinstance(folded, Folded) else folded.without_punctuation
        for one in (folded, bare):
            find: Any = one.find if isinstance(one, Folded) else one.find_quote
            for at in _each(text):
                _exhaust(islice(find(text[at : at + 1 + at % 40]), MAX_MENTIONS))  # as many as are looked at


def _words(text: str) -> None:
    normalize.clean_words(text), names.strip_titles(text), names.split_names(text)
    abbreviations.strip_abbreviation(text)
    abbreviations.extend_over_abbreviation(text, Span(0, max(1, len(text) // 2)))


def _old_patterns(text: str) -> None:
    _exhaust(dates.find_dates(text)), dates.detect_day_first(text), patterns.uses_decimal_comma(text)
    for kind in Kind:
        _exhaust(patterns.find_candidates(kind, text))
    _exhaust(yes_no.find_statements(text, "insured total", True))


def _denials(text: str) -> None:
    for at in _each(text):
        denied(text, Span(at, at + 1))


def build_reply(text: str) -> dict[str, Any]:
    """A reply with a row for every few words of the text, each of other words of it."""
    rows = []
    for at in range(0, len(text), LETTERS_A_ROW):
        digits = "".join(c for c in text[at : at + 12] if c.isdecimal())[:9]
        rows.append(
            {
                "item": text[at : at + 1 + (at // LETTERS_A_ROW) % 30],
                "count": int(digits) if digits else at % 7,
                "price": float(digits) / 100 if digits else 1.5,
                "day": text[at : at + 10],
                "insured": at % 80 == 0,
            }
        )
    return {"title": text[:60], "page": text[:90], "rows": rows}


def build_record(text: str) -> Record:
    """The record of a document that a model has said that of which is in it, all asked and answered."""
    work = DocumentWork(Document("a.txt", text), TASK, PROMPT, "m", Reading(STRONG))
    said: dict[tuple[int, ...], Reply] = {}
    while wanted := work.find_requests(said):
        for path in wanted:
            chunk = work._plan.questions[path[0]].chunk
            said[path] = Reply(build_reply(chunk.text), Usage(1, 1, 1))
    return work.build_record(said)


def _merge(text: str) -> Callable[[], object]:
    """Rows of ten replies, every third of them about the same thing as one of another reply."""
    rows = len(text) // LETTERS_A_ROW

    def row(n: int) -> GroundedObject:
        said = {"item": f"bolt {n // 3 if n % 3 else n}", "count": n % 5, "price": float(n)}
        return GroundedObject(
            {
                name: GroundedValue(value, Evidence(Match.EXACT, (Span(8 * n + i, 8 * n + i + 1),), str(value), 0.9))
                for i, (name, value) in enumerate(said.items())
            }
        )

    parts = [
        PartialRecord((r,), GroundedObject({"rows": GroundedList(tuple(row(n) for n in range(r, rows, 10)))}), r)
        for r in range(10)
    ]
    return lambda: merge_records(TASK.schema.root, parts)


def _write(text: str) -> Callable[[], object]:
    record = build_record(text)
    return lambda: encode_part(build_result(record, "list", {"extractor": "1"}))


def _show(text: str) -> Callable[[], object]:
    result = build_result(build_record(text), "list", {"extractor": "1"})
    return lambda: build_review_page([result])


def _export(text: str) -> Callable[[], object]:
    folder = tempfile.TemporaryDirectory()
    out = Path(folder.name) / "out"
    out.mkdir()
    (out / "a.json").write_bytes(encode_part(build_result(build_record(text), "list", {"extractor": "1"})))

    def export() -> object:
        for form in EXPORT_FORMATS:
            export_runs(open_runs([out]), form, Path(folder.name) / f"made.{form}", force=True)
        return folder

    return export


class _Said(httpx2.AsyncBaseTransport):
    """Answers every request with one reply."""

    def __init__(self, content: str) -> None:
        self._body = json.dumps(build_completion(content)).encode()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=self._body, headers={"content-type": "application/json"}, request=request)


def _read_reply(text: str) -> Callable[[], object]:
    """The text as a reply, as it stands and as a value in one that is asked for."""
    shape = {
        "type": "object",
        "properties": {"title": {"type": ["string", "null"]}, "rows": {"type": "array", "items": {"type": "string"}}},
        "required": ["title", "rows"],
        "additionalProperties": False,
    }
    request = Request("m", "s", "u", shape, {"temperature": 0, "max_tokens": 100})

    async def ask() -> None:
        for content in (text, json.dumps({"title": text, "rows": text.split()})):
            endpoint = Endpoint("http://127.0.0.1:9/v1", "m", "none", dialect=Dialect.JSON, reasks=0)
            model = LiveModel(endpoint, _Said(content))
            try:
                await model.complete(request)
            except ModelError:
                pass
            finally:
                await model.aclose()

    return lambda: asyncio.run(ask())


_SETTLED = TextReading.of("the total of the invoice is 12.50 USD")
_OTHER = TextReading(decimal_comma=True, languages=("de", "ja", "fr"), scale=3, comma_columns=True)

PARTS: dict[str, Part] = {
    "reading of a text": of_text(TextReading.of),
    **{
        f"{name}: found": of_text(lambda text, kind=kind: index(kind.find(text, _SETTLED)))  # type: ignore[misc]
        for name, kind in KINDS.items()
    },
    **{
        f"{name}: found elsewhere": of_text(lambda text, kind=kind: index(kind.find(text, _OTHER)))  # type: ignore[misc]
        for name, kind in KINDS.items()
    },
    **{
        f"{name}: parsed": of_text(  # type: ignore[misc]
            lambda text, kind=kind: (kind.parse(text, _SETTLED), _exhaust(kind.keys(text)), kind.same(text, f"{text}x"))
        )
        for name, kind in KINDS.items()
    },
    "boolean: about a label": of_text(
        lambda text: index(BooleanKind().find_about(text, "insured total may", _SETTLED))
    ),
    "denials": of_text(_denials),
    "quotes": of_text(_quotes),
    "words of a value": of_text(_words),
    "patterns for small models": of_text(_old_patterns),
    "outline": of_text(_outline),
    "passages": of_text(_passages),
    "tokens": of_text(count_tokens),
    "chunks of 300 tokens": of_text(lambda text: split_document(Document("a", text), 300)),
    "chunks of 100,000 tokens": of_text(lambda text: split_document(Document("a", text), 100_000)),
    "plan, small model": of_text(
        lambda text: DocumentWork(Document("a", text), TASK, PROMPT, "m", Reading(SMALL)).find_requests({})
    ),
    "plan, strong model": of_text(
        lambda text: DocumentWork(Document("a", text), TASK, PROMPT, "m", Reading(STRONG)).find_requests({})
    ),
    "ground, strong model": of_text(build_record),
    "merge of rows": _merge,
    "result file": _write,
    "page": _show,
    "exports": _export,
    "reply": _read_reply,
}
