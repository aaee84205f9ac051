"""Spreadsheets: what each cell shows, table by table; a cell is known by its sheet and name, such as B3.

.xlsx files are read here, part by part: no library that is kept well renders number formats, and those that know
styles take a gigabyte for half a million cells (docs/decisions/018). xlrd reads
.xls files, calamine the values of those that are left.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from extractor.documents.formats import SPREADSHEET_FORMAT
from extractor.documents.formats.io import open_regular
from extractor.documents.formats.number_format import GENERAL, show_value
from extractor.documents.formats.office_package import OfficePackage, attribute, child, children, is_on
from extractor.documents.formats.sheet import Sheet, SheetCell, SheetRow
from extractor.documents.formats.sheet_layout import write_workbook
from extractor.documents.formats.sheet_styles import SheetStyles
from extractor.documents.formats.sheet_xml import SheetReader
from extractor.documents.formats.sight import Sight
from extractor.documents.formats.zip_guard import OLE_START, check_archive
from extractor.errors import DocumentError
from extractor.types import Document

MAX_CELLS = 3_000_000
"""Of one sheet of the older formats, empty ones included."""


def load(path: Path, name: str, ocr: bool) -> Document:
    sheets, loader = _read_sheets(path, name)
    return write_workbook(sheets, name, loader, ocr=ocr)


def _read_sheets(path: Path, name: str) -> tuple[list[Sheet], str]:
    """The sheets of a file of whatever format, and what has read them."""
    with open_regular(path, SPREADSHEET_FORMAT.max_bytes) as file:
        start = file.read(8)
    if start == OLE_START and path.suffix.lower() == ".xls" and find_spec("xlrd"):
        from extractor.documents.formats.xls import read_old_workbook  # imports xlrd, which few files need

        return list(read_old_workbook(path, name)), f"xlrd {version('xlrd')}"
    if path.suffix.lower() != ".xls" or start.startswith(b"PK"):
        check_archive(path, name, SPREADSHEET_FORMAT.max_bytes)
        package = OfficePackage(path)
        roots = [r.target for r in package.related("").values() if r.kind == "officeDocument"]
        if roots and not roots[0].lower().endswith(".bin"):
            return list(_read_package(package, roots[0], name)), "xlsx"
        package.close()
    return list(_read_values(path, name)), f"python-calamine {version('python-calamine')}"


def _read_package(package: OfficePackage, root: str, name: str) -> Iterator[Sheet]:
    relations = package.related(root)
    parts = {relation.kind: relation.target for relation in relations.values()}
    workbook = package.read_part(root)
    if workbook is None:
        raise DocumentError(f"{name} is broken (its workbook is no XML); save it anew.", reason="broken")
    settings = child(workbook, "workbookPr")
    styles = SheetStyles(package, parts.get("styles", ""), parts.get("theme", ""))
    reader = SheetReader(package, styles, [], settings is not None and is_on(settings.get("date1904")), name)
    strings = package.read_part(parts.get("sharedStrings", ""))
    reader.strings = [reader.read_runs(item) for item in children(strings, "si")]
    for entry in children(workbook, "sheets", "sheet"):
        relation = relations.get(attribute(entry, "id") or "")
        if relation is not None and relation.kind == "worksheet":
            unseen = entry.get("state", "visible") != "visible"
            yield reader.read_sheet(relation.target, entry.get("name", ""), Sight.HIDDEN if unseen else Sight.SHOWN)
    package.close()


def _read_values(path: Path, name: str) -> Iterator[Sheet]:
    """The sheets of a file of an older format, by their values alone."""
    from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    try:
        book = CalamineWorkbook.from_path(str(path))
    except PasswordError as error:
        raise DocumentError(f"{name} is encrypted; save a copy without its password.", reason="encrypted") from error
    for number, about in enumerate(book.sheets_metadata):
        if about.typ is not SheetTypeEnum.WorkSheet:
            continue
        table = book.get_sheet_by_index(number)
        if table.total_height * table.total_width > MAX_CELLS:
            raise DocumentError(
                f"The sheet {about.name!r} of {name} has {table.total_height} rows of {table.total_width} cells; "
                f"save the part that matters as a file of its own.",
                reason="too large",
            )
        sight = Sight.SHOWN if about.visible is SheetVisibleEnum.Visible else Sight.HIDDEN
        sheet = Sheet(about.name, sight)
        for i, values in enumerate(table.to_python(skip_empty_area=False), 1):
            texts = [(j, _spell_value(value)) for j, value in enumerate(values, 1)]
            cells = [SheetCell(j, text, sight) for j, text in texts if text.strip()]
            if cells:
                sheet.rows.append(SheetRow(i, cells))
        yield sheet


def _spell_value(value: object) -> str:
    """A value in plain spelling: 2024-03-01 for a day, 3 for a whole number, as its format is not known."""
    match value:
        case bool() | float() | int():
            return show_value(value, GENERAL).text
        case datetime.datetime() if not (value.hour or value.minute or value.second):
            return value.date().isoformat()
        case datetime.datetime():
            return value.isoformat(" ", "seconds")
        case datetime.date() | datetime.time():
            return value.isoformat()
    return str(value)
