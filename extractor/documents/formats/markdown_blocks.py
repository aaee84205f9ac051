"""Blocks of a Markdown text, as far as they decide what is markup: code, raw HTML, and the rest (CommonMark 0.31).

Read line by line, each once. Lists and quotations are followed as far as their indents go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from extractor.types import Span

_LINE = re.compile(r"[^\n]*\n|[^\n]+\Z")
_QUOTE = re.compile(r"(?: {0,3}>[ \t]?)+")
_ITEM = re.compile(r"([ \t]*)(?:[-*+]|[0-9]{1,9}[.)])([ \t]+|(?=\r?\n|\Z))")
_FENCE = re.compile(r"(`{3,}(?=[^`\n]*\r?\n?\Z)|~{3,})")
_TYPE_6 = re.compile(
    r"</?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|"
    r"dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|"
    r"menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|"
    r"tr|track|ul)(?:[\s/>]|\Z)",
    re.I,
)
_TYPE_7 = re.compile(r"(?:<[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]{0,2000})?/?>|</[A-Za-z][A-Za-z0-9-]*\s*>)[ \t]*\r?\n?\Z")
_RAW = (
    (
        re.compile(r"<(?:script|pre|style|textarea)(?:[\s>]|\Z)", re.I),
        re.compile(r"</(?:script|pre|style|textarea)>", re.I),
    ),
    (re.compile(r"<!--"), re.compile(r"-->")),
    (re.compile(r"<\?"), re.compile(r"\?>")),
    (re.compile(r"<!\[CDATA\["), re.compile(r"\]\]>")),
    (re.compile(r"<![A-Za-z]"), re.compile(r">")),
)
"""Raw HTML that goes on over blank lines: how it begins, and what its last line holds (CommonMark, 4.6)."""
_CODE_INDENT = 4


class BlockKind(Enum):
    """What is in a run of lines."""

    TEXT = "text"
    CODE = "code"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Block:
    kind: BlockKind
    span: Span


def find_blocks(text: str, start: int) -> Iterator[Block]:
    """The blocks from a position on: together they are all of it. Blank lines end a run of text."""
    reader = _BlockReader()
    begun, kind = start, BlockKind.TEXT
    for match in _LINE.finditer(text, start):
        here, ends = reader.read_line(match[0])
        if (here is not kind or ends) and match.start() > begun:
            yield Block(kind, Span(begun, match.start()))
            begun = match.start()
        kind = here
    if begun < len(text):
        yield Block(kind, Span(begun, len(text)))


class _BlockReader:
    """Knows in which block a line stands by the lines above it."""

    def __init__(self) -> None:
        self._fence = ""
        self._closing: re.Pattern[str] | None = None
        """What ends raw HTML; None where there is none, or a blank line does."""
        self._in_html = self._in_paragraph = self._in_code = False
        self._indent = 0
        """The column at which the text of the list item begins that a line may belong to."""

    def read_line(self, line: str) -> tuple[BlockKind, bool]:
        """The kind of a line, and whether it begins a new run of lines."""
        quote = _QUOTE.match(line)
        bare = line[quote.end() :] if quote else line
        if self._fence:
            return self._read_fenced(bare)
        if self._in_html:
            return self._read_html(bare)
        if not bare.strip():
            self._in_paragraph = False
            return (BlockKind.CODE, False) if self._in_code else (BlockKind.TEXT, True)
        words = bare.lstrip(" \t")
        column = _measure_indent(bare)
        if column < self._indent and not self._in_paragraph:
            self._indent = 0
        if not self._in_paragraph and column - self._indent >= _CODE_INDENT:
            self._in_code = True
            return BlockKind.CODE, False
        self._in_code = False
        item = _ITEM.match(bare) if column - self._indent < _CODE_INDENT else None
        if item and not _is_rule(words):
            self._indent = column + (item.end() - len(item[1]) if item[2] else 2)
            self._indent = min(self._indent, column + 8)
            words = bare[item.end() :]
            self._in_paragraph = False
        return self._begin(words)

    def _begin(self, words: str) -> tuple[BlockKind, bool]:
        """The kind of a line by the words that it begins with."""
        fence = _FENCE.match(words)
        if fence:
            self._fence, self._in_paragraph = fence[1], False
            return BlockKind.CODE, True
        for opening, closing in _RAW:
            begun = opening.match(words)
            if begun:
                self._closing = closing
                self._in_html = closing.search(words, begun.end()) is None
                self._in_paragraph = False
                return BlockKind.HTML, True
        if _TYPE_6.match(words) or (not self._in_paragraph and words[:1] == "<" and _TYPE_7.match(words)):
            self._closing, self._in_html, self._in_paragraph = None, True, False
            return BlockKind.HTML, True
        begins = not self._in_paragraph
        self._in_paragraph = bool(words.strip()) and words[:1] != "#"
        return BlockKind.TEXT, begins

    def _read_fenced(self, bare: str) -> tuple[BlockKind, bool]:
        words = bare.strip()
        if words.startswith(self._fence) and not words.strip(self._fence[0]):
            self._fence = ""
        return BlockKind.CODE, False

    def _read_html(self, bare: str) -> tuple[BlockKind, bool]:
        if self._closing is None:
            if not bare.strip():
                self._in_html = False
                return BlockKind.TEXT, True
        elif self._closing.search(bare):
            self._in_html = False
        return BlockKind.HTML, False


def _measure_indent(line: str) -> int:
    column = 0
    for sign in line:
        if sign == " ":
            column += 1
        elif sign == "\t":
            column += 4 - column % 4
        else:
            break
    return column


def _is_rule(words: str) -> bool:
    """Whether a line is a break between paragraphs: three or more of -, * or _."""
    signs = words.replace(" ", "").replace("\t", "").strip()
    return len(signs) >= 3 and signs[0] in "-*_" and not signs.strip(signs[0])
