"""Sheets of an .xlsx file, read row by row: what each cell shows, by its format and look (ECMA-376 part 1, 18.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

from extractor.documents.formats.link_text import add_address
from extractor.documents.formats.number_format import show_value
from extractor.documents.formats.office_package import (
    Element,
    OfficePackage,
    Relation,
    child,
    children,
    is_on,
    local_name,
)
from extractor.documents.formats.scripts import spell_subscript, spell_superscript
from extractor.documents.formats.sheet import (
    CellRange,
    Sheet,
    SheetCell,
    SheetRemark,
    SheetRow,
    column_number,
    parse_range,
)
from extractor.documents.formats.sheet_drawings import read_drawing
from extractor.documents.formats.sheet_styles import CellLook, Repaint, SheetStyles
from extractor.documents.formats.sight import Colour, Sight
from extractor.errors import DocumentError

MAX_CELLS = 2_000_000
"""Cells with something in them, of one workbook."""
FLAT, LOW = 1.5, 5.0
"""Heights of rows in points below which no letter is seen, and below which perhaps none is."""
NARROW = 0.6
"""Widths of columns in letters below which perhaps none is seen; of those without width none is."""
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_MOST_COLUMNS = 16_384
_OF_CELLS = frozenset({"c", "v", "f", "is", "t", "r", "rPr", "color", "sz"})
_LINK_FORMULA = re.compile(r'\s*HYPERLINK\(\s*"([^"]+)"', re.I)

Run = tuple[str, "Colour | None", "float | None"]
"""Words of a cell's text, and the colour and size that they have of their own."""
_RawCell = tuple[int, "str | None", str, str, "str | None", "Sequence[Run] | None"]
"""A cell as the file has it: its column, look, type, value, formula, and words with looks of their own."""


@dataclass(slots=True)
class _Frame:
    """What a sheet says of its rows, columns and ranges besides the cells."""

    cells: list[list[_RawCell]] = field(default_factory=list)
    """Of each row, until they are shown."""
    column_sights: dict[int, Sight] = field(default_factory=dict)
    """Columns that are not seen well."""
    merges: dict[tuple[int, int], CellRange] = field(default_factory=dict)
    links: list[tuple[CellRange, str]] = field(default_factory=list)
    tables: list[CellRange] = field(default_factory=list)
    """Headers of tables that the file declares."""
    repainted: list[tuple[CellRange, Repaint]] = field(default_factory=list)
    """Ranges whose look a style of a table, or a rule, may change."""
    row_sight: Sight = Sight.SHOWN
    """How rows are seen that say nothing of it."""
    zeros: bool = True


@dataclass(slots=True)
class SheetReader:
    """Reads the sheets of one workbook."""

    package: OfficePackage
    styles: SheetStyles
    strings: Sequence[Sequence[Run]]
    from_1904: bool
    name: str
    cells_read: int = 0

    def read_sheet(self, part: str, title: str, sight: Sight) -> Sheet:
        """One sheet. Raises DocumentError where the workbook has more cells than are read."""
        sheet, frame = Sheet(title, sight), _Frame()
        relations = self.package.related(part)
        self._read_parts(relations, sheet, frame)
        # merges, links and rules stand behind the cells that they are about
        for number, row_sight, cells in self._iterate_rows(part, relations, frame):
            sheet.rows.append(SheetRow(number, [], row_sight))
            frame.cells.append(cells)
        frame.cells.reverse()
        for row in sheet.rows:
            self._show_row(row, frame.cells.pop(), sheet, frame)
        sheet.rows = [row for row in sheet.rows if row.cells]
        return sheet

    def _iterate_rows(
        self, part: str, relations: dict[str, Relation], frame: _Frame
    ) -> Iterator[tuple[int, Sight, list[_RawCell]]]:
        """Rows by number, with how well they are seen and what the file says of their cells."""
        file = self.package.open_part(part)
        if file is None:
            return
        number = 0
        with file:
            for _, element in ElementTree.iterparse(file, events=("end",)):  # noqa: S314
                tag = element.tag.rpartition("}")[2]
                if tag in _OF_CELLS:
                    continue
                if tag != "row":
                    self._read_frame(tag, element, relations, frame)
                    continue
                number = int(element.get("r") or number + 1)
                self.cells_read += len(element)
                if self.cells_read > MAX_CELLS:
                    raise DocumentError(
                        f"{self.name} has over {MAX_CELLS:,} cells; save the part that matters as a file of its own.",
                        reason="too large",
                    )
                if len(element):
                    yield number, _judge_row(element, frame.row_sight), self._read_cells(element)
                element.clear()

    def _read_cells(self, row: Element) -> list[_RawCell]:
        cells: list[_RawCell] = []
        column = 0
        for element in row:
            place = element.get("r") or ""
            letters = place.rstrip("0123456789")
            column = column_number(letters) if letters.isalpha() else column + 1
            kind, value, formula = element.get("t", "n"), "", None
            runs: Sequence[Run] | None = None
            for inner in element:
                match inner.tag.rpartition("}")[2]:
                    case "v":
                        value = inner.text or ""
                    case "f":
                        formula = inner.text or ""
                    case "is":
                        runs = self.read_runs(inner)
            if kind == "s":
                runs = self.strings[int(value)] if value.isdecimal() and int(value) < len(self.strings) else None
            if value or runs or formula is not None:
                cells.append((column, element.get("s"), kind, value, formula, runs))
        return cells

    def _read_frame(self, tag: str, element: Element, relations: dict[str, Relation], frame: _Frame) -> None:
        match tag:
            case "sheetFormatPr":
                flat = is_on(element.get("zeroHeight"))
                frame.row_sight = Sight.DOUBTFUL if flat else Sight.SHOWN  # rows may be listed without their heights
            case "sheetView":
                frame.zeros = element.get("showZeros") not in ("0", "false")
            case "col":
                sight, last = _judge_column(element), min(int(element.get("max", 0)), _MOST_COLUMNS)
                if sight is not Sight.SHOWN:
                    frame.column_sights |= dict.fromkeys(range(int(element.get("min", 0)), last + 1), sight)
            case "mergeCell":
                if area := parse_range(element.get("ref")):
                    frame.merges[area.top, area.left] = area
            case "hyperlink":
                relation = next((relations[v] for v in element.attrib.values() if v in relations), None)
                if (area := parse_range(element.get("ref"))) and relation and relation.external:
                    frame.links.append((area, relation.target))
            case "conditionalFormatting":
                for rule in children(element, "cfRule"):
                    number = int(rule.get("dxfId") or -1)
                    known = 0 <= number < len(self.styles.repaints)
                    repaint = self.styles.repaints[number] if known else Repaint(unknown=True)
                    for reference in (element.get("sqref") or "").split():
                        if area := parse_range(reference):
                            frame.repainted.append((area, repaint))

    def _show_row(self, row: SheetRow, raw: Sequence[_RawCell], sheet: Sheet, frame: _Frame) -> None:
        row_sight = max(sheet.sight, row.sight)
        for column, style, kind, value, formula, runs in raw:
            if not value and not runs:
                if formula is not None and kind != "str":
                    sheet.uncomputed.append((row.number, column))
                continue
            sight = frame.column_sights.get(column, Sight.SHOWN) if frame.column_sights else Sight.SHOWN
            if runs is None or len(runs) == 1:
                runs = [(value, None, None)] if runs is None else runs
                cell = self._show_plain(column, kind, runs[0], style, row.number, frame)
            else:
                cell = self._show_rich(column, runs, style, row.number, frame)
            if not cell.text.strip():
                continue
            cell.sight = max(cell.sight, row_sight, sight)
            if frame.merges and (area := frame.merges.get((row.number, column))):
                cell.row_span, cell.column_span = area.bottom - area.top + 1, area.right - area.left + 1
            cell.header = any(table.holds(row.number, column) for table in frame.tables)
            if frame.links or formula:
                link = next((target for place, target in frame.links if place.holds(row.number, column)), "")
                called = _LINK_FORMULA.match(formula) if formula and not link else None
                if not cell.pieces and (link or called):
                    cell.text = add_address(cell.text, link or (called[1] if called else ""))
            row.cells.append(cell)
        row.cells.sort(key=lambda one: one.column)

    def _show_plain(self, column: int, kind: str, run: Run, style: str | None, row: int, frame: _Frame) -> SheetCell:
        """A cell of one look: what its format shows, and its words unseen where that shows nothing."""
        look, usual = self.styles.look(style)
        text, ink, size = run
        value: float | str = text
        if kind == "b":
            text, ink = ("TRUE" if text.strip() == "1" else "FALSE"), None
        elif kind not in ("e", "d"):
            if kind == "n":
                try:
                    value = float(text)
                except ValueError:
                    return SheetCell(column, text, usual)
            if value == 0 and not frame.zeros:
                return SheetCell(column, "")
            shown = show_value(value, look.code, from_1904=self.from_1904)
            if not shown.text.strip() and text.strip():
                # a format such as ;;; keeps words from sight; one that leaves zeros out says nothing
                return SheetCell(column, "" if value == 0 else text, Sight.HIDDEN)
            text, ink = shown.text, ink or shown.colour
        if ink is None and size is None and not frame.repainted:
            return SheetCell(column, text, usual)
        return SheetCell(column, text, self._judge_run(look, ink, size, row, column, frame))

    def _show_rich(self, column: int, runs: Sequence[Run], style: str | None, row: int, frame: _Frame) -> SheetCell:
        """A cell whose words look different from each other."""
        look, _ = self.styles.look(style)
        text = "".join(words for words, _, _ in runs)
        if not show_value(text, look.code).text.strip():
            return SheetCell(column, text, Sight.HIDDEN)
        pieces = [(words, self._judge_run(look, ink, size, row, column, frame)) for words, ink, size in runs]
        sights = {sight for words, sight in pieces if words.strip()}
        return SheetCell(column, text, min(sights, default=Sight.SHOWN), pieces if len(sights) > 1 else ())

    def _judge_run(
        self, look: CellLook, ink: Colour | None, size: float | None, row: int, column: int, frame: _Frame
    ) -> Sight:
        """Whether letters are seen. A table's style or a rule may paint what is behind them, or the letters."""
        sight = look.judge(ink, size)
        for area, repaint in frame.repainted:
            if sight is not Sight.DOUBTFUL and area.holds(row, column):
                sight = Sight.DOUBTFUL if repaint.may_change(look, ink, sight) else sight
        return sight

    def read_runs(self, element: Element) -> list[Run]:
        """The words of a text that may have looks within it; how to pronounce them is left out (18.4)."""
        runs: list[Run] = []
        for inner in element:
            if local_name(inner) == "t":
                runs.append((_unescape(inner.text or ""), None, None))
            elif local_name(inner) == "r":
                words, look = child(inner, "t"), child(inner, "rPr")
                text = _unescape(words.text or "") if words is not None else ""
                raised = child(look, "vertAlign")
                if raised is not None:
                    before = runs[-1][0] if runs else ""
                    spell = {"superscript": spell_superscript, "subscript": spell_subscript}.get(raised.get("val", ""))
                    text = spell(text, before) if spell else text
                size = child(look, "sz")
                colour = self.styles.read_colour(child(look, "color"))
                runs.append((text, colour, float(size.get("val") or 11) if size is not None else None))
        return runs

    def _read_parts(self, relations: dict[str, Relation], sheet: Sheet, frame: _Frame) -> None:
        """Tables, pivot tables, comments and text boxes, which are parts of their own."""
        for relation in relations.values():
            if relation.kind == "table":
                self._read_table(self.package.read_part(relation.target), frame)
            elif relation.kind == "pivotTable":
                location = child(self.package.read_part(relation.target), "location")
                area = parse_range(location.get("ref") if location is not None else None)
                if area:
                    frame.repainted.append((area, Repaint(unknown=True)))
            elif relation.kind == "comments":
                for comment in children(self.package.read_part(relation.target), "commentList", "comment"):
                    text = "".join(words for words, _, _ in self.read_runs(child(comment, "text") or Element("none")))
                    _add_remark(sheet, "comment", comment.get("ref"), text)
            elif relation.kind == "threadedComment":
                for comment in children(self.package.read_part(relation.target), "threadedComment"):
                    words = child(comment, "text")
                    _add_remark(sheet, "comment", comment.get("ref"), (words.text or "") if words is not None else "")
            elif relation.kind == "drawing":
                read_drawing(self.package, relation.target, sheet)

    def _read_table(self, table: Element | None, frame: _Frame) -> None:
        area = parse_range(table.get("ref") if table is not None else None)
        if table is None or area is None:
            return
        rows = int(table.get("headerRowCount") or 1)
        if rows:
            frame.tables.append(CellRange(area.top, area.left, area.top + rows - 1, area.right))
        style = child(table, "tableStyleInfo")
        if style is not None and style.get("name"):
            frame.repainted.append((area, Repaint(unknown=True)))


def _unescape(text: str) -> str:
    """The text without the spelling that XML's forbidden signs have in it, such as _x000D_ (22.9.2.19)."""
    return _ESCAPE.sub(_spell_escape, text) if "_x" in text else text


def _spell_escape(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return found[0] if not code or 0xD800 <= code < 0xE000 else chr(code)


def _add_remark(sheet: Sheet, kind: str, reference: str | None, text: str) -> None:
    area = parse_range(reference)
    if area and text.strip() and not any(r.text == text and r.row == area.top for r in sheet.remarks):
        # a comment opens where the mouse rests on its cell
        sheet.remarks.append(SheetRemark(kind, area.top, area.left, text, max(sheet.sight, Sight.DOUBTFUL)))


def _judge_row(element: Element, otherwise: Sight) -> Sight:
    if is_on(element.get("hidden")):
        return Sight.HIDDEN
    try:
        height = float(element.get("ht") or 15)
    except ValueError:
        return otherwise
    return Sight.HIDDEN if height < FLAT else Sight.DOUBTFUL if height < LOW else otherwise


def _judge_column(element: Element) -> Sight:
    if is_on(element.get("hidden")):
        return Sight.HIDDEN
    try:
        width = float(element.get("width") or 8)
    except ValueError:
        return Sight.SHOWN
    return Sight.HIDDEN if width <= 0.05 else Sight.DOUBTFUL if width < NARROW else Sight.SHOWN
