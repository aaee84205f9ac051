"""Charts of Office files: their title, and their figures as a table: categories are rows, series are columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
MAX_POINTS = 10_000
"""Points of a series that are read."""


def read_chart(chart: Any) -> tuple[str, list[list[str]]]:
    """The title, and rows of cells; the first row names the series. `chart` is the root element of a chart's part."""
    series = list(chart.iter(f"{_C}ser"))
    names = [_first_value(one.find(f"{_C}tx")) for one in series]
    categories: dict[int, str] = {}
    for one in series:
        for label in ("cat", "xVal"):
            for at, value in _read_points(one.find(f"{_C}{label}")).items():
                categories.setdefault(at, value)
    figures = [_read_points(one.find(f"{_C}val"), one.find(f"{_C}yVal")) for one in series]
    at_all = sorted({at for points in (categories, *figures) for at in points})
    rows = [[categories.get(at, ""), *(points.get(at, "") for points in figures)] for at in at_all]
    return read_chart_title(chart), [["", *names], *rows] if rows else []


def read_chart_title(chart: Any) -> str:
    """What a chart says above it and beside its axes."""
    title = _read_title(chart.find(f"{_C}chart"))
    axes = ", ".join(filter(None, map(_read_title, _find_axes(chart))))
    return ": ".join(filter(None, [title, axes]))


def _read_title(parent: Any) -> str:
    """The words of a title, or of the cell that it shows."""
    title = parent.find(f"{_C}title") if parent is not None else None
    if title is None:
        return ""
    words = " ".join("".join(t.itertext()) for t in title.iterfind(f".//{_A}t"))
    return words or _first_value(title)


def _find_axes(chart: Any) -> list[Any]:
    return [axis for kind in ("catAx", "dateAx", "valAx") for axis in chart.iter(f"{_C}{kind}")]


def _read_points(*sources: Any) -> Mapping[int, str]:
    """The values of the first source that there is, by their numbers; of categories in levels the lowest."""
    source = next((s for s in sources if s is not None), None)
    if source is None:
        return {}
    level = source.find(f".//{_C}lvl")
    found: dict[int, str] = {}
    for point in (level if level is not None else source).iter(f"{_C}pt"):
        number = point.get("idx", "")
        if number.isdecimal() and len(found) < MAX_POINTS:
            found[int(number)] = point.findtext(f"{_C}v") or ""
    return found


def _first_value(source: Any) -> str:
    if source is None:
        return ""
    return next((value.text or "" for value in source.iter(f"{_C}v")), "")
