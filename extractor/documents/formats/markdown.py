"""Markdown: the file's own words, with what a page made of them does not show marked as hidden.

Front matter is text: its keys are labels of what it says. What stands in code is shown, markup or not. Hidden are
comments, titles and attributes, definitions that nothing refers to, and what HTML in the text hides by its style.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from extractor.documents.formats import HTML_FORMAT, MARKDOWN_FORMAT
from extractor.documents.formats.encodings import decode_bytes
from extractor.documents.formats.io import read_file_bytes, require_text
from extractor.documents.formats.markdown_blocks import Block, BlockKind, find_blocks
from extractor.documents.formats.markdown_inline import Markup, find_markup
from extractor.documents.formats.markdown_tables import find_surplus_cells, find_tables
from extractor.documents.formats.sight import Sight
from extractor.documents.formats.span_lists import join_spans, subtract_spans
from extractor.types import Document, Span

_FRONT = re.compile(
    r"\A\ufeff?(?:---[ \t]*\r?\n.*?^(?:---|\.\.\.)|\+\+\+[ \t]*\r?\n.*?^\+\+\+|;;;[ \t]*\r?\n.*?^;;;)"
    r"[ \t]*(?:\r?\n|\Z)",
    re.S | re.M,
)
_ATTRIBUTE = re.compile(r"\s+([A-Za-z_:][\w.:-]*)(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?")
_SHOWN_ATTRIBUTES = frozenset(
    ("href", "src", "colspan", "rowspan", "scope", "start", "alt", "open", "checked", "value")
)
"""Attributes that say something of what is seen. The words of a picture are doubtful."""


def load(path: Path, name: str, ocr: bool) -> Document:
    read = decode_bytes(read_file_bytes(path, MARKDOWN_FORMAT.max_bytes), name)
    text = require_text(read.text, name)
    notes = [read.note] if read.note else []
    blocks = _find_blocks(text)
    markup = find_markup(text, blocks)
    marks = list(_find_marks(text, markup))
    if any(block.kind is BlockKind.HTML for block in blocks) or markup.tags:
        if missing := HTML_FORMAT.missing_extra():
            notes.append(f"{name} holds HTML; whether it hides words is not known, since {missing}.")
        else:
            marks += _find_unseen(text, blocks, markup)
    tables = tuple(find_tables(text, blocks))
    marks += [(span, Sight.DOUBTFUL) for table in tables for span in find_surplus_cells(table)]
    hidden = join_spans(span for span, sight in marks if sight is Sight.HIDDEN)
    doubtful = subtract_spans(join_spans(span for span, sight in marks if sight is Sight.DOUBTFUL), hidden)
    return Document(name, text, tuple(hidden), tables, notes=tuple(notes), doubtful=tuple(doubtful))


def find_hidden_spans(text: str) -> list[Span]:
    """What a reader of the page can't see by the marks of Markdown alone, in order."""
    markup = find_markup(text, _find_blocks(text))
    return join_spans(span for span, sight in _find_marks(text, markup) if sight is Sight.HIDDEN)


def _find_blocks(text: str) -> list[Block]:
    """The blocks after the front matter, which says what the page is about, so that it counts as seen."""
    front = _FRONT.match(text)
    return list(find_blocks(text, front.end() if front else 0))


def _find_marks(text: str, markup: Markup) -> Iterator[tuple[Span, Sight]]:
    for span in (*markup.comments, *markup.titles):
        yield span, Sight.HIDDEN
    for span in (*markup.unclosed, *markup.alts):
        yield span, Sight.DOUBTFUL
    for label, span, title in markup.definitions:
        if label not in markup.used:
            yield span, Sight.HIDDEN
        elif title is not None:
            yield title, Sight.HIDDEN
    for label, span in markup.footnotes:
        if f"^{label}" not in markup.used:
            yield span, Sight.HIDDEN
    for tag in markup.tags:
        for attribute in _ATTRIBUTE.finditer(text, tag.start, tag.end):
            name = attribute[1].lower()
            if "=" not in attribute[0]:  # "<in print>" is as likely what somebody wrote
                yield Span(*attribute.span()), Sight.DOUBTFUL
            elif name not in _SHOWN_ATTRIBUTES:
                yield Span(*attribute.span()), Sight.HIDDEN
            elif name in ("alt", "value"):
                yield Span(*attribute.span()), Sight.DOUBTFUL


def _find_unseen(text: str, blocks: list[Block], markup: Markup) -> Iterator[tuple[Span, Sight]]:
    from extractor.documents.formats.markdown_html import find_unseen_text, may_hide  # needs the extra of HTML

    start = blocks[0].span.start
    if may_hide(text):
        blank = join_spans((*markup.code, *markup.unclosed))
        yield from find_unseen_text(text, start, blank)
