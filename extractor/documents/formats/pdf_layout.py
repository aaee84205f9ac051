"""Pages of words with boxes -> the text: lines, blank lines between paragraphs, marks before headings."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

from extractor.documents.formats.builder import CELL_SEPARATOR, MOST_HEADER_ROWS, DocumentBuilder
from extractor.documents.formats.headers import find_header_rows, is_figure, is_period
from extractor.documents.formats.page_blocks import Block, PageRules, arrange_page
from extractor.documents.formats.page_tables import Cell, PageTable
from extractor.documents.formats.pdf_joints import FIRST_EAST, drop_hyphen, join_cell_lines, join_lines, join_pieces
from extractor.documents.formats.pdf_text import HYPHEN, LetterLook
from extractor.documents.formats.pdf_visibility import part_by_sight
from extractor.documents.formats.reading_order import PageLayout, TextLine, TextPiece
from extractor.documents.locations import WordBoxes
from extractor.types import Span, TableGrid, TextTable

_LEVELS = ((1.6, 1), (1.3, 2), (1.15, 3))
"""How much larger than the text around it a line is to be a heading, and of which level."""
_LONGEST_HEADING = 100
PARAGRAPH_STEP = 1.25
"""The most that the next line of a paragraph is down, in steps of most lines of the page."""


class PageWriter:
    """Pages written one after the other: lines, blank lines between paragraphs, marks before headings."""

    def __init__(self) -> None:
        self.draft = DocumentBuilder()
        self.boxes = WordBoxes()
        self.recognised = False
        self._height_counts: Counter[float] = Counter()

    def begin_page(self) -> None:
        """Begins a page."""
        self.boxes.pages.append(len(self.boxes.starts))

    def write_page(
        self,
        layout: PageLayout,
        rules: PageRules,
        look: LetterLook | None,
        verdicts: bytearray | None = None,
    ) -> None:
        """Writes a page. Without `look` its heights come from OCR and are too uncertain to recognise headings by.

        With verdicts, what is hidden stands below what is seen.
        """
        seen, doubtful, hidden = part_by_sight(layout, verdicts)
        blocks = arrange_page(layout, seen, rules, is_drawn_in_order=look is not None)
        lines = [line for block in blocks if isinstance(block, list) for line in block]
        _PageLines(self, layout, lines, look, self._height_counts, doubtful).write(blocks)
        if hidden:
            start = self.draft.length
            unseen = [TextLine([piece], 0.0) for piece in hidden]
            _PageLines(self, layout, unseen, None, self._height_counts, set()).write([unseen])
            self.draft.hide_from(start)

    def write_form_data(self, values: Iterable[tuple[str, str]]) -> None:
        """Writes names and values of the file's form that its pages do not show. They stand on no page."""
        shown, missing = "", list[str]()
        for name, value in values:
            shown = shown or "\n".join(self.draft.text.split())
            if "\n".join(value.split()) not in shown:
                missing.append(f"{name}: {value}")
        if missing:
            self.draft.end_paragraph()
            self.draft.add_text("# Form data\n\n" + "\n".join(missing))


class _PageLines:
    """Writes the blocks of one page."""

    def __init__(
        self,
        writer: PageWriter,
        layout: PageLayout,
        lines: Sequence[TextLine],
        look: LetterLook | None,
        height_counts: Counter[float],
        doubtful: set[int],
    ) -> None:
        self._writer, self._layout, self._look, self._doubtful = writer, layout, look, doubtful
        self._body, self._pitch = math.inf, _find_line_pitch(lines)
        if look:
            for line in lines:
                height_counts[line.height] += line.pieces[-1].end - line.pieces[0].start
            self._body = max(height_counts, key=lambda height: (height_counts[height], -height), default=math.inf)
        self._written: list[str] = []
        self._length = writer.draft.length
        self._starts: list[int] = []
        self._pieces: list[TextPiece] = []
        self._above: TextLine | None = None
        self._level_above = 0

    def write(self, blocks: Sequence[Block]) -> None:
        draft, boxes = self._writer.draft, self._writer.boxes
        for block in blocks:
            if isinstance(block, PageTable):
                self._write_table(block)
            else:
                self._write_lines(block)
        draft.add_text("".join(self._written))
        boxes.starts.fromlist(self._starts)
        self._add_edges(self._pieces)

    def _write_lines(self, lines: Sequence[TextLine]) -> None:
        """Writes lines. Those that just go on below each other are written at once: a book has nothing else."""
        layout, text, reach = self._layout, self._layout.text, PARAGRAPH_STEP * self._pitch
        is_plain = not (layout.rewritten or layout.attached or layout.raised or self._doubtful)
        run: list[TextPiece] = []
        for line in lines:
            above = self._above
            if (
                is_plain
                and above is not None
                and line.height == above.height <= self._body
                and not self._level_above
                and len(line.pieces) == 1
            ):
                piece, before = line.pieces[0], above.pieces[-1]
                start, end, first, _, _, top, _, _, turn = piece
                step, last = top - above.pieces[0].top, text[before.end - 1]
                if 0 < step <= reach and last.isalpha() and last < FIRST_EAST and text[end - 1] != HYPHEN and not turn:
                    if run and (start != before.end + 2 or first != before.last or text[before.end : start] != "\r\n"):
                        self._write_run(run)
                        run = []
                    run.append(piece)
                    self._above = line
                    continue
            if run:
                self._write_run(run)
                run = []
            self._write_line(line)
        if run:
            self._write_run(run)

    def _write_run(self, run: Sequence[TextPiece]) -> None:
        """Writes lines that follow each other in the page's text, where a line's end has two letters."""
        first, last = run[0], run[-1]
        self._written += "\n", self._layout.text[first.start : last.end].replace("\r\n", "\n")
        at = self._length + 1
        self._starts += accumulate(self._layout.lengths[first.first : last.last - 1], initial=at)
        ends = list(accumulate([piece.end - piece.start + 1 for piece in run], initial=self._length))
        self._writer.boxes.ends.extend(ends[1:])
        self._length = ends[-1]
        self._pieces += run

    def _write_line(self, line: TextLine) -> None:
        layout, above, look, pieces = self._layout, self._above, self._look, line.pieces
        level = self._find_level(line) if line.height > self._body and pieces[0].start <= layout.own_end else 0
        new_paragraph = (
            above is None or level or self._level_above or _ends_paragraph(layout.text, above, line, self._pitch)
        )
        mark = "#" * level + " " if level else ""
        if look and new_paragraph and not level and _looks_like_heading(layout, line) and look.is_bold(pieces[0]):
            mark = "**"
        between = ""
        if self._length:
            between = "\n\n" if above is None or new_paragraph else join_lines(layout, above, line)
        self._write_piece(pieces[0], between + mark)
        for before, piece in pairwise(pieces):
            self._write_piece(piece, join_pieces(layout, before, piece))
        if mark == "**":
            self._put(mark)
        self._above, self._level_above = line, level

    def _find_level(self, line: TextLine) -> int:
        """Which heading the line is by the size of its letters; 0 for none."""
        level = _find_heading_level(line, line.height, self._body)
        longest = max(line.pieces, key=lambda piece: piece.end - piece.start)
        if level and self._look is not None and not longest.turn and longest.start not in self._layout.rewritten:
            level = _find_heading_level(line, min(line.height, self._look.measure_height(longest)), self._body)
        return level

    def _put(self, text: str) -> None:
        self._written.append(text)
        self._length += len(text)

    def _write_piece(self, piece: TextPiece, between: str) -> None:
        """Writes what stands before a piece, and the piece."""
        layout = self._layout
        start, end, first, last, *_ = piece
        words = layout.text[start:end]
        if start in layout.rewritten:
            words = layout.rewritten[start]
        elif words[-1] == HYPHEN:
            words = drop_hyphen(layout.text, piece)
        self._written += between, words
        length = self._length + len(between)
        if last - first > 1:
            self._starts += accumulate(layout.lengths[first : last - 1], initial=length)
        else:
            self._starts.append(length)
        self._length = length + len(words)
        if start in self._doubtful:
            _mark(self._writer.draft.doubtful, length, self._length)
        self._writer.boxes.ends.append(self._length)
        self._pieces.append(piece)

    def _write_table(self, table: PageTable) -> None:
        if self._length:
            self._put("\n\n")
        start = self._length
        texts = [[(cell.column, cell.text) for cell in row] for row in table.rows]
        header = find_header_rows(texts, table.header_rows, _find_spans(table))
        grid, ends = TableGrid(header.count, header.first), list[int]()
        for number, row in enumerate(table.rows):
            if number:
                self._put("\n")
            column = 0
            for cell in row:
                self._put(CELL_SEPARATOR * (cell.column - column))
                column = cell.column
                began = self._length - start
                self._write_cell(cell)
                is_header = header.first <= number < header.first + header.count
                size = min(cell.row_span, 1000), min(cell.column_span, 1000)
                grid.add_cell(began, self._length - start, (number, column), size, is_header)
            ends.append(self._length)
        first = ends[header.first - 1] + 1 if header.first else start
        named = Span(first, ends[header.first + header.count - 1]) if header.count else None
        self._writer.draft.tables.append(TextTable(Span(start, self._length), named, grid))
        self._above = None

    def _write_cell(self, cell: Cell) -> None:
        before: TextPiece | None = None
        for piece in cell.pieces:
            self._write_piece(piece, join_cell_lines(self._layout, before, piece) if before else "")
            before = piece

    def _add_edges(self, pieces: Sequence[TextPiece]) -> None:
        boxes, layout = self._writer.boxes, self._layout
        counts = accumulate((piece.last - piece.first for piece in pieces), initial=len(boxes.lefts))
        boxes.lines.extend(list(counts)[:-1])
        if layout.certainties:
            boxes.certainties.extend([1.0] * (len(boxes.lefts) - len(boxes.certainties)))
            for piece in pieces:
                boxes.certainties.extend(layout.certainties[piece.first : piece.last])
        if layout.shown:
            for piece in pieces:
                left, top, right, bottom = layout.shown[piece.start]
                boxes.lefts.append(left)
                boxes.tops.append(top)
                boxes.rights.append(right)
                boxes.bottoms.append(bottom)
            return
        boxes.tops.extend([piece.top for piece in pieces])
        boxes.bottoms.extend([piece.bottom for piece in pieces])
        if len(pieces) == len(layout.pieces) and all(a.last == b.first for a, b in pairwise(pieces)):
            boxes.lefts.extend(layout.lefts)
            boxes.rights.extend(layout.rights)
            return
        for piece in pieces:
            boxes.lefts.extend(layout.lefts[piece.first : piece.last])
            boxes.rights.extend(layout.rights[piece.first : piece.last])


def _find_spans(table: PageTable) -> dict[tuple[int, int], tuple[int, int]]:
    """How far cells reach that may be names of several columns; none where the table begins with something else."""
    if any(is_figure(cell.text) or cell.text.endswith(":") for cell in table.rows[0] if not is_period(cell.text)):
        return {}
    return {
        (number, cell.column): (cell.row_span, cell.column_span)
        for number, row in enumerate(table.rows[:MOST_HEADER_ROWS])
        for cell in row
        if cell.row_span > 1 or cell.column_span > 1
    }


def _mark(spans: list[Span], start: int, end: int) -> None:
    """Adds a range, which goes on with the last one if only white space is between them."""
    if spans and start - spans[-1].end <= 2:
        spans[-1] = Span(spans[-1].start, end)
    else:
        spans.append(Span(start, end))


def _find_line_pitch(found: Sequence[TextLine]) -> float:
    """From one line to the next, as most of the page has it."""
    tops = [line.pieces[0].top for line in found]
    steps = Counter([round(2 * (b - a)) for a, b in pairwise(tops) if b > a])
    return max(steps, key=lambda step: (steps[step], -step)) / 2 if steps else 0.0


def _ends_paragraph(text: str, above: TextLine, line: TextLine, pitch: float) -> bool:
    """Whether a paragraph ends between the lines; a sentence may go on in the next column, or on the next page."""
    turn = line.pieces[0].turn
    if turn or above.pieces[0].turn:
        return turn != above.pieces[0].turn
    if abs(line.height - above.height) > 0.1 * above.height:
        return True
    step = line.pieces[0].top - above.pieces[0].top
    if step <= 0 or step > 10 * pitch:
        return text[above.end - 1] in ".!?:;" or not text[line.start].islower()
    return step > PARAGRAPH_STEP * pitch


def _find_heading_level(line: TextLine, height: float, body: float) -> int:
    """Which heading a line of that height is; 0 for none."""
    if line.end - line.start > _LONGEST_HEADING:
        return 0
    return next((level for times, level in _LEVELS if height >= times * body), 0)


def _looks_like_heading(layout: PageLayout, line: TextLine) -> bool:
    """Whether the line is short and by itself, as a heading of the text's own size would be."""
    words = layout.words_of(line.pieces[0])
    return (
        len(line.pieces) == 1
        and not line.pieces[0].turn
        and 3 <= len(words) <= 60
        and not re.search(r"[*_]|[.,;]$", words)
    )
