"""Markdown: the file's own words, with comments marked as hidden.

Front matter is text: its keys are labels of what it says. What stands in code is shown, comment or not (CommonMark
0.31, 4.5, 4.6, 6.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from extractor.documents.formats import MARKDOWN_FORMAT
from extractor.documents.formats.encodings import decode_bytes
from extractor.documents.formats.io import read_file_bytes, require_text
from extractor.types import Document, Span

_FRONT = re.compile(
    r"\A(?:---[ \t]*\r?\n.*?^(?:---|\.\.\.)|\+\+\+[ \t]*\r?\n.*?^\+\+\+)[ \t]*(?:\r?\n|\Z)", re.S | re.M
)
_FENCE = re.compile(r"^ {0,3}(`{3,}(?=[^`\n]*$)|~{3,})[^\n]*$", re.M)
_CODE = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n[ \t\r]*\n).)+?(?<!`)\1(?!`)", re.S)
_COMMENT = re.compile(r"<!--(?:-?>|.*?(?:-->|\Z))", re.S)
_REFERENCE = re.compile(r"^ {0,3}\[(?://|comment|_metadata_[^\]\n]*)\]:[ \t]*(?:#|<>)[^\n]*$", re.M | re.I)


def load(path: Path, name: str, ocr: bool) -> Document:
    read = decode_bytes(read_file_bytes(path, MARKDOWN_FORMAT.max_bytes), name)
    text = require_text(read.text, name)
    return Document(name, text, hidden=tuple(find_hidden_spans(text)), notes=tuple(filter(None, [read.note])))


def find_hidden_spans(text: str) -> list[Span]:
    """What a reader of the page can't see, in order. Front matter says what the page is about, so it counts as seen."""
    front = _FRONT.match(text)
    at = front.end() if front else 0
    code = list(_find_fenced_code(text, at))
    spans: list[Span] = []
    marks = sorted([*_COMMENT.finditer(text, at), *_REFERENCE.finditer(text, at)], key=lambda m: (m.start(), -m.end()))
    inline = [Span(*m.span()) for m in _CODE.finditer(text, at) if not _is_within(m.start(), code)]
    for mark in marks:
        if mark.start() < at or _is_within(mark.start(), code) or _is_within(mark.start(), inline):
            continue
        spans.append(Span(*mark.span()))
        at = mark.end()
    return spans


def _is_within(at: int, spans: list[Span]) -> bool:
    return any(span.start <= at < span.end for span in spans)


def _find_fenced_code(text: str, at: int) -> Iterator[Span]:
    """Fenced code; one that is not closed goes on to the end of the text."""
    while opening := _FENCE.search(text, at):
        mark = opening[1]
        closing = re.compile(rf"^ {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t\r]*$", re.M).search(
            text, opening.end()
        )
        at = closing.end() if closing else len(text)
        yield Span(opening.start(), at)
        if not closing:
            return
