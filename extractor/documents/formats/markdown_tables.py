"""Tables of Markdown (GFM 0.29, 4.10): a row of names, a row of dashes, and rows of cells between bars."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from extractor.documents.formats.markdown_blocks import Block, BlockKind
from extractor.types import Span, TableGrid, TextTable

_LINE = re.compile(r"[^\n]+")
_RULE = re.compile(r"[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t\r]*")
_BAR = re.compile(r"\\.|\|", re.S)
_BEGINS_BLOCK = re.compile(r"[ \t]{0,3}(?:#{1,6}[ \t]|>|[-*+][ \t]|[0-9]{1,9}[.)][ \t]|```|~~~)")


def find_tables(text: str, blocks: Sequence[Block]) -> Iterator[TextTable]:
    """The tables in the paragraphs of a text, in order."""
    for block in blocks:
        if block.kind is BlockKind.TEXT and "|" in text[block.span.start : block.span.end]:
            yield from _find_in_lines(text, list(_LINE.finditer(text, block.span.start, block.span.end)))


def _find_in_lines(text: str, lines: list[re.Match[str]]) -> Iterator[TextTable]:
    i = 0
    while i + 1 < len(lines):
        rule = lines[i + 1][0]
        names = _split_row(text, lines[i])
        if (
            "-" in rule
            and _RULE.fullmatch(rule)
            and len(names) == len(_split_row(text, lines[i + 1]))
            and ("|" in lines[i][0] and ("|" in rule or len(names) > 1))
        ):
            end = i + 2
            while end < len(lines) and "|" in lines[end][0] and not _BEGINS_BLOCK.match(lines[end][0]):
                end += 1
            yield _build_table(text, [lines[i], *lines[i + 2 : end]])
            i = end
        else:
            i += 1


def _split_row(text: str, line: re.Match[str]) -> list[tuple[int, int]]:
    """The ranges of a row's cells, without the blanks around them."""
    start, end = line.span()
    while start < end and text[start] in " \t>":
        start += 1
    while end > start and text[end - 1] in " \t\r":
        end -= 1
    bars = [m.start() for m in _BAR.finditer(text, start, end) if m[0] == "|"]
    edges = [start - 1, *bars, end]
    if bars and bars[0] == start:
        edges = edges[1:]
    if bars and bars[-1] == end - 1:
        edges = edges[:-1]
    return [_strip(text, a + 1, b) for a, b in pairwise(edges)]


def _strip(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in " \t":
        start += 1
    while end > start and text[end - 1] in " \t":
        end -= 1
    return start, end


def find_surplus_cells(table: TextTable) -> Iterator[Span]:
    """Cells beyond the last that has a name, which some programs leave out."""
    cells = table.cells()
    named = max((cell.column for cell in cells if cell.row == 0), default=0)
    return (cell.span for cell in cells if cell.column > named)


def _build_table(text: str, rows: list[re.Match[str]]) -> TextTable:
    start, grid = rows[0].start(), TableGrid(1, 0)
    for number, line in enumerate(rows):
        for column, (begun, ended) in enumerate(_split_row(text, line)):
            if ended > begun:
                grid.add_cell(begun - start, ended - start, (number, column), (1, 1), number == 0)
    end = rows[-1].end() - (text[rows[-1].end() - 1] == "\r")
    first = rows[0].end() - (text[rows[0].end() - 1] == "\r")
    return TextTable(Span(start, max(end, first)), Span(start, first), grid)
