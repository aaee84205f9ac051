"""Files that hold several documents: where each begins, as pages say it or as a model does with the words it cites.

A model is asked as about anything else, for a record whose rows are the documents of a file: so the same cassettes,
cache, budget, evidence and confidence hold, and what was said can be looked at and corrected like any other record.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from extractor.documents.discovery import Source
from extractor.documents.parts import TextPart, find_page, find_page_starts
from extractor.errors import TaskError
from extractor.extraction.task import Task, task_from_json_schema
from extractor.extraction.text.normalize import fold_text
from extractor.results.model import ResultFile
from extractor.results.parts import Proof
from extractor.types import Document, Json, Span

PAGES, DOCUMENTS = "pages", "documents"
"""Ways to split: each page is a document, or a model says where one begins."""
SPLIT_HINT = "x-split"
"""The key of a schema's root that says how a file is split: one of the ways, or the field that each document has one
value of, such as its number."""
HEAD_CHARACTERS = 200
"""Characters at the top of a page that may stand before the first words of a document, such as a letterhead."""
_LONGEST_HEAD = 100 * HEAD_CHARACTERS
"""The same with the blanks around them."""
_ROWS, _WORDS, _MARK = "documents", "first_words", "mark"


@dataclass(frozen=True, slots=True)
class DocumentStart:
    """Where a document begins in a file's text, and how that is known."""

    position: int
    confidence: float
    by: str
    """"model", "pages", or "start" of the file."""
    words: Span | None = None
    """The words that say so."""


def read_split_hint(schema: Mapping[str, Json]) -> str | None:
    """How the schema wants a file to be split, if it says so. Raises TaskError for what is neither way nor field."""
    hint = schema.get(SPLIT_HINT)
    if hint is None:
        return None
    if not isinstance(hint, str):
        raise TaskError(f"{SPLIT_HINT} must be {PAGES!r}, {DOCUMENTS!r}, or the name of a field.")
    check_split(hint, schema)
    return hint


def check_split(way: str, schema: Mapping[str, Json]) -> None:
    """Raises TaskError for a way to split that is neither known nor a plain field of the schema."""
    fields = schema.get("properties", {})
    if way not in (PAGES, DOCUMENTS, *fields):
        raise TaskError(
            f"{way!r} is no way to split; it is {PAGES!r}, {DOCUMENTS!r}, or one of the fields {', '.join(fields)}."
        )


def build_split_task(way: str, schema: Mapping[str, Json] | None) -> Task:
    """What is asked of a file: the documents in it, by their first words and by the field that each has a value of."""
    row: dict[str, Json] = {
        _WORDS: {
            "type": "string",
            "x-form": "verbatim",
            "description": "the first line of the document, word for word as it stands there",
        }
    }
    source = schema or {}
    if way == DOCUMENTS:
        row[_MARK] = {
            "type": ["string", "null"],
            "x-form": "verbatim",
            "description": "what tells this document from the others in the file: its number, date, or whom it is to",
        }
    else:
        row[way] = {"type": ["string", "null"], **source["properties"][way]}
    wanted: dict[str, Json] = {
        "title": "split",
        "type": "object",
        "properties": {
            _ROWS: {
                "type": "array",
                "description": (
                    "every one of the separate documents that stand one after the other in this file, in their order, "
                    "also where several begin alike. Further pages and annexes belong to the document before them; a "
                    "file that is one document has one"
                ),
                "items": {"type": "object", "properties": row},
            }
        },
    }
    if "$defs" in source:
        wanted["$defs"] = source["$defs"]
    return task_from_json_schema(wanted)


def find_starts_of_pages(document: Document) -> list[DocumentStart]:
    """Every page as a document."""
    first = DocumentStart(0, 1.0, "start")
    return [first, *(DocumentStart(at, 1.0, PAGES) for at in find_page_starts(document))]


def find_starts(document: Document, result: ResultFile, way: str, threshold: float = 0.0) -> list[DocumentStart]:
    """Where the documents begin that a model told of, as far as it has words for it; the first at the file's start.

    A document begins with the line of its first words, above the words that tell it from others, or at the top of that
    page where little stands above. Where a field parts documents, one begins with each new value of it and nowhere
    else, so that what a model takes for a document, and has no such value, parts nothing. Rows of which
    neither words nor value reach the threshold of confidence are left out.
    """
    rows = [
        row
        for row in _list_rows(document, result)
        if row.confidence >= threshold and (way == DOCUMENTS or row.mark is not None)
    ]
    pages = find_page_starts(document)
    kept: list[DocumentStart] = []
    seen: set[str] = set()
    last = -1
    for row in sorted(rows, key=lambda row: row.anchor):
        if way != DOCUMENTS and row.value in seen:
            continue
        seen.add(row.value)
        words = row.find_first_words(document, last)
        last = row.anchor
        position = _find_beginning(document, words.start, pages, kept[-1].position if kept else -1)
        if not kept or position > kept[-1].position:
            kept.append(DocumentStart(position, row.confidence, "model", words))
    if not kept:
        return [DocumentStart(0, 1.0, "start")]
    return [replace(kept[0], position=0), *kept[1:]]  # what stands before the first belongs to it


@dataclass(frozen=True, slots=True)
class _Row:
    """What a model said of one document: where its first words stand, and those that tell it from others."""

    words: Span | None
    mark: Span | None
    value: str
    """What tells it from others, as it is compared."""
    confidence: float

    @property
    def anchor(self) -> int:
        found = self.mark or self.words
        assert found is not None  # noqa: S101 -- a row has one of the two
        return found.start

    def find_first_words(self, document: Document, after: int) -> Span:
        """The first words above the mark, and below that of the document before; else the mark itself."""
        if self.words is None or self.mark is None:
            return self.words or self.mark or Span(0, 1)
        if after < self.words.start <= self.mark.start:
            return self.words
        quote = document.text[
            self.words.start : self.words.end
        ]  # of documents that begin alike, another's may be meant
        # from behind, as a search from the front: that one alone takes no longer than text and quote are
        at = document.text[after + 1 : self.mark.start][::-1].find(quote[::-1])
        return self.mark if at < 0 else Span(self.mark.start - at - len(quote), self.mark.start - at)


def _list_rows(document: Document, result: ResultFile) -> list[_Row]:
    proofs: dict[int, dict[str, Proof]] = {}
    for pointer, proof in result.evidence.items():
        steps = pointer.split("/")
        if len(steps) == 4 and steps[1] == _ROWS and steps[2].isdecimal() and proof.spans:
            proofs.setdefault(int(steps[2]), {})[steps[3]] = proof
    rows = []
    for found in proofs.values():
        words = found.pop(_WORDS, None)
        mark = next(iter(found.values()), None)
        at = None if mark is None else Span(mark.spans[0].start, mark.spans[0].end)
        value = "" if at is None else fold_text(document.text[at.start : at.end])
        first = None if words is None else Span(words.spans[0].start, words.spans[0].end)
        # either of them shows that a document is there; which words are whose is settled where they are put together
        sure = max(one.confidence or 0.0 for one in (words, mark) if one is not None)
        rows.append(_Row(first, at, value, sure))
    return rows


def _find_beginning(document: Document, words: int, pages: Sequence[int], before: int) -> int:
    """Where the document begins whose first words stand there, after another that begins at `before`."""
    line = document.text.rfind("\n", 0, words) + 1
    number = bisect_right(pages, words)
    page = pages[number - 1] if number else 0
    is_page_top = pages and len(document.text[page : min(line, page + _LONGEST_HEAD)].strip()) <= HEAD_CHARACTERS
    return page if is_page_top and page > before and line <= page + _LONGEST_HEAD else line


def cut_source(source: Source, document: Document, starts: Sequence[DocumentStart]) -> list[Source]:
    """The documents of a file as sources of their own; the file itself where it is one document."""
    if len(starts) < 2:
        return [source]
    pages = find_page_starts(document)
    ends = [*(start.position for start in starts[1:]), len(document.text)]
    parts = []
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        name = f"{source.path.stem}-part-{number}{source.path.suffix}"
        note = f"Document {number} of {len(starts)} in {source.name}{_describe_pages(pages, start.position, end)}"
        note += f"; {_describe_reason(document, start)}."
        part = TextPart(Span(start.position, end), (note,))
        parts.append(Source(source.path / name, source.refused, ocr=source.ocr, whole=source, part=part))
    return parts


def _describe_pages(pages: Sequence[int], start: int, end: int) -> str:
    if not pages:
        return ""
    first, last = find_page(pages, start), find_page(pages, end - 1)
    return f", page {first}" if first == last else f", pages {first} to {last}"


def _describe_reason(document: Document, start: DocumentStart) -> str:
    if start.words is None:
        return "each page is one" if start.by == PAGES else "it begins with the file"
    words = " ".join(document.visible_text(start.words).split())[:80]
    return f"it begins at “{words}” (confidence {start.confidence:.2f})"


def describe_parts(source: Source, document: Document, starts: Sequence[DocumentStart]) -> dict[str, Any]:
    """What is told of a file's documents, as JSON has it."""
    ends = [*(start.position for start in starts[1:]), len(document.text)]
    parts = cut_source(source, document, starts)
    return {
        "file": source.name,
        "documents": [
            {
                "name": part.name,
                "start": start.position,
                "end": end,
                "by": start.by,
                "confidence": start.confidence,
                **({} if start.words is None else {"words": _describe_words(document, start.words)}),
            }
            for part, start, end in zip(parts, starts, ends, strict=True)
        ],
    }


def _describe_words(document: Document, words: Span) -> dict[str, Json]:
    return {"start": words.start, "end": words.end, "quote": document.text[words.start : words.end]}
