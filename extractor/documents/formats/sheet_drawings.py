"""What is drawn on a sheet: the words of text boxes and shapes, and the titles of charts, whose figures are cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from extractor.documents.formats.office_charts import read_chart_title
from extractor.documents.formats.office_package import (
    Element,
    OfficePackage,
    Relation,
    attribute,
    child,
    children,
    is_on,
    local_name,
)
from extractor.documents.formats.sheet import Sheet, SheetRemark
from extractor.documents.formats.sight import Sight

MAX_PICTURE_BYTES = 50_000_000
"""Of one picture; one that is cut there is broken."""


def read_drawing(package: OfficePackage, part: str, sheet: Sheet) -> None:
    """Adds what the part draws to the sheet, each at the cell where it begins."""
    root = package.read_part(part)
    relations = package.related(part)
    for anchor in root if root is not None else ():
        unseen = any(is_on(e.get("hidden")) for e in anchor.iter() if local_name(e) == "cNvPr")
        sight = Sight.HIDDEN if unseen else sheet.sight
        place = _read_number(child(anchor, "from", "row")), _read_number(child(anchor, "from", "col"))
        for shape in children(anchor, "sp"):
            lines = [
                "".join(t.text or "" for t in paragraph.iter() if local_name(t) == "t")
                for paragraph in children(shape, "txBody", "p")
            ]
            _add_remark(sheet, "text box", place, "\n".join(filter(None, map(str.strip, lines))), sight)
        if sight is Sight.SHOWN:
            sheet.pictures += _read_pictures(package, anchor, relations)
        for chart in (e for e in anchor.iter() if local_name(e) == "chart"):
            relation = relations.get(attribute(chart, "id") or "")
            drawn = package.read_part(relation.target) if relation and not relation.external else None
            if drawn is not None:
                _add_remark(sheet, "chart", place, read_chart_title(drawn), sight)


def _read_pictures(
    package: OfficePackage, anchor: Element, relations: Mapping[str, Relation]
) -> Iterator[tuple[str, bytes]]:
    for blip in (e for e in anchor.iter() if local_name(e) == "blip"):
        relation = relations.get(attribute(blip, "embed") or "")
        file = package.open_part(relation.target) if relation and not relation.external else None
        if relation is not None and file is not None:
            with file:
                yield relation.target.rpartition("/")[2], file.read(MAX_PICTURE_BYTES)


def _add_remark(sheet: Sheet, kind: str, place: tuple[int, int], text: str, sight: Sight) -> None:
    if text:
        sheet.remarks.append(SheetRemark(kind, *place, text, sight))


def _read_number(element: Element | None) -> int:
    """A row or column, counted from 1; drawings count from 0."""
    return int(element.text or 0) + 1 if element is not None else 1
