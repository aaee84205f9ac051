"""Workbooks as one file of XML, as Excel 2003 had it and many programs still write it (XML Spreadsheet Reference)."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from xml.etree import ElementTree

from extractor.documents.formats.builder import MAX_SPAN
from extractor.documents.formats.number_format import BUILT_IN_FORMATS, GENERAL, show_value
from extractor.documents.formats.office_package import Element, attribute, child, children, is_on
from extractor.documents.formats.sheet import Sheet, SheetCell, SheetRemark, SheetRow
from extractor.documents.formats.sight import BLACK, WHITE, Sight, judge_contrast, parse_colour

_WORKBOOK = re.compile(r"<(?:\w+:)?Workbook\b[^>]*urn:schemas-microsoft-com:office:spreadsheet")
_FORMATS = {
    "General Number": GENERAL,
    "Fixed": "0.00",
    "Standard": "#,##0.00",
    "Percent": "0.00%",
    "Scientific": "0.00E+00",
    "Short Time": "h:mm",
    "Medium Time": "h:mm AM/PM",
    "Long Time": "h:mm:ss",
    **dict.fromkeys(("Short Date", "Medium Date", "Long Date"), BUILT_IN_FORMATS[14]),
    "General Date": BUILT_IN_FORMATS[22],
}
"""Formats by name; those that depend on the machine's language are ISO dates."""
_FIRST_DAY = datetime.datetime(1899, 12, 30)


class _Style(NamedTuple):
    """How cells look: what their numbers are shown as, and how well they are seen."""

    format: str = GENERAL
    sight: Sight = Sight.SHOWN


def is_workbook(source: str) -> bool:
    """Whether a text of XML is a workbook."""
    return _WORKBOOK.search(source[:5000]) is not None


def read_workbook(source: str) -> list[Sheet]:
    """The sheets of a text that is whole XML."""
    parser = ElementTree.XMLParser(encoding="utf-8")  # noqa: S314 (entities are bounded by expat, in the sandbox)
    root = ElementTree.fromstring(source.encode("utf-8", "replace"), parser)  # noqa: S314
    styles = {attribute(s, "ID") or "": _read_style(s) for s in children(root, "Styles", "Style")}
    return [_read_sheet(sheet, styles) for sheet in children(root, "Worksheet")]


def _read_style(style: Element) -> _Style:
    number, font, ground = (child(style, name) for name in ("NumberFormat", "Font", "Interior"))
    code = (attribute(number, "Format") or GENERAL) if number is not None else GENERAL
    ink = parse_colour(attribute(font, "Color")) if font is not None else None
    painted = parse_colour(attribute(ground, "Color")) if ground is not None else None
    sight = judge_contrast(ink or BLACK, painted or WHITE)
    return _Style(_FORMATS.get(code, code), sight)


def _read_sheet(element: Element, styles: Mapping[str, _Style]) -> Sheet:
    visible = child(element, "WorksheetOptions", "Visible")
    unseen = visible is not None and (visible.text or "").strip() in ("SheetHidden", "SheetVeryHidden")
    sheet = Sheet(attribute(element, "Name") or "", Sight.HIDDEN if unseen else Sight.SHOWN)
    for table in children(element, "Table"):
        hidden, number = set(_find_hidden_columns(table)), 0
        for row in children(table, "Row"):
            number = _read_number(row, "Index", number + 1)
            sight = max(sheet.sight, Sight.HIDDEN if is_on(attribute(row, "Hidden")) else Sight.SHOWN)
            cells = list(_read_cells(row, number, sight, hidden, styles, sheet))
            if cells:
                sheet.rows.append(SheetRow(number, cells, sight))
    return sheet


def _find_hidden_columns(table: Element) -> Iterator[int]:
    column = 0
    for element in children(table, "Column"):
        column = _read_number(element, "Index", column + 1)
        more = min(_read_number(element, "Span", 0), MAX_SPAN)
        if is_on(attribute(element, "Hidden")) or attribute(element, "Width") == "0":
            yield from range(column, column + more + 1)
        column += more


def _read_cells(
    row: Element, number: int, sight: Sight, hidden: set[int], styles: Mapping[str, _Style], sheet: Sheet
) -> Iterator[SheetCell]:
    column = 0
    for cell in children(row, "Cell"):
        column = _read_number(cell, "Index", column + 1)
        style = styles.get(attribute(cell, "StyleID") or attribute(row, "StyleID") or "Default", _Style())
        data = child(cell, "Data")
        seen = max(sight, style.sight, Sight.HIDDEN if column in hidden else Sight.SHOWN)
        across, down = (min(_read_number(cell, f"Merge{way}", 0), MAX_SPAN) for way in ("Across", "Down"))
        text = _show_data(data, style.format) if data is not None else ""
        if text.strip():
            yield SheetCell(column, text, seen, row_span=down + 1, column_span=across + 1)
        elif attribute(cell, "Formula") and data is None:
            sheet.uncomputed.append((number, column))
        for comment in children(cell, "Comment", "Data"):
            words = "".join(comment.itertext()).strip()
            if words:
                sheet.remarks.append(SheetRemark("comment", number, column, words, max(seen, Sight.DOUBTFUL)))
        column += across


def _show_data(data: Element, code: str) -> str:
    text = "".join(data.itertext())
    value: float | str | bool = text
    match attribute(data, "Type"):
        case "Number":
            value = _read_float(text)
        case "Boolean":
            value = text.strip() in ("1", "true")
        case "DateTime":
            value = _read_day(text)
            if code == GENERAL and not isinstance(value, str):
                code = BUILT_IN_FORMATS[14] if float(value).is_integer() else BUILT_IN_FORMATS[22]
    return show_value(value, code).text


def _read_float(text: str) -> float | str:
    try:
        value = float(text)
    except ValueError:
        return text
    return value if math.isfinite(value) else text


def _read_day(text: str) -> float | str:
    try:
        moment = datetime.datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        return text
    return (moment - _FIRST_DAY) / datetime.timedelta(days=1)


def _read_number(element: Element, name: str, otherwise: int) -> int:
    """A whole number that an attribute says; a row or column is at least 1 and of a bounded size."""
    written = (attribute(element, name) or "").strip()
    return min(int(written), 20_000_000) if written.isascii() and written.isdigit() and len(written) < 9 else otherwise
