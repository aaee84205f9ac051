"""Positions in the page's charts. The template draws; this module computes where, in units of the drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from extractor.evaluation.report.content import ReportContent

WIDTH, HEIGHT = 340, 230
"""Of a scatter plot's inner area."""
_ROUND_STEPS = (1, 2, 2.5, 5, 10)
_LABEL_OFFSETS = (
    (0, -14),
    (14, 0),
    (0, 14),
    (-14, 0),
    (10, -10),
    (10, 10),
    (-10, 10),
    (-10, -10),
    (0, -27),
    (0, 27),
    (27, 0),
)
_TIME_UNITS = {1.0: "s", 60.0: "min"}
"""By their seconds."""
_DRAWN_AS_ZERO = 1e-9
"""Below this, an amount is drawn as zero."""
_LABEL_CLEARANCE = 12
"""How far a number must be from other numbers and points."""


@dataclass(frozen=True, slots=True)
class ChartAxis:
    """Values from `low` to `high` over `length` units; logarithmic where `log`."""

    low: float
    high: float
    length: float
    ticks: tuple[float, ...]
    log: bool = False
    unit: float = 1.0
    """In which its ticks are round."""

    def at(self, value: float) -> float:
        """Where a value stands, clipped to the axis."""
        low, high, value = (math.log(max(n, 1e-12)) if self.log else n for n in (self.low, self.high, value))
        share = (value - low) / (high - low) if high > low else 0.5
        return round(min(1.0, max(0.0, share)) * self.length, 1)


@dataclass(frozen=True, slots=True)
class ScatterPoint:
    x: float
    y: float
    rank: int
    best: bool
    """Whether no other run is as good for less."""
    tooltip: str
    label: tuple[float, float] = (0, 0)
    """The middle of its number, beside the point and clear of other points and numbers where there is room."""


@dataclass(frozen=True, slots=True)
class ScatterChart:
    kind: str
    across: ChartAxis
    up: ChartAxis
    points: tuple[ScatterPoint, ...]
    front: tuple[tuple[float, float], ...]
    """The corners of the line through the runs that no other beats."""
    unknown: tuple[str, ...]
    """Labels of runs without the figure."""

    def name_tick(self, value: float) -> str:
        """What stands at a place of the axis, all of them in its unit."""
        if self.kind != "seconds" or self.across.log:
            return format_cost(value, self.kind).removesuffix(" tokens")
        return f"{format_short_number(value / self.across.unit)} {_TIME_UNITS[self.across.unit]}"


def build_share_axis(values: Sequence[float | None], length: float, room: float = 0.02) -> ChartAxis:
    """An axis for shares in 0..1, from a tenth below the least to a tenth above the largest value."""
    known = [value for value in values if value is not None]
    low = max(0.0, math.floor((min(known, default=0.0) - room) * 10) / 10)
    high = min(1.0, math.ceil((max(known, default=1.0) + room) * 10) / 10)
    if high - low < 0.2:
        low, high = (max(0.0, round(high - 0.2, 1)), high) if high > 0.5 else (low, round(low + 0.2, 1))
    step = 0.05 if high - low <= 0.3 else 0.1 if high - low <= 0.6 else 0.2
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return ChartAxis(low, high, length, tuple(round(n * step, 2) for n in range(first, last + 1)))


def build_difference_axis(values: Sequence[float | None], length: float) -> ChartAxis:
    """An axis for differences with zero in its middle."""
    most = max((abs(value) for value in values if value is not None), default=0.0)
    high = max(0.05, math.ceil(most * 20) / 20)
    return ChartAxis(-high, high, length, (-high, 0.0, high))


def build_amount_axis(values: Sequence[float], length: float, unit: float = 1.0) -> ChartAxis:
    """An axis for amounts from zero on, or a logarithmic one where the largest is over twenty times the least.

    Steps are round in the unit: with 60, two minutes and not a hundred seconds.
    """
    most, least = (0.0 if value < _DRAWN_AS_ZERO else value for value in (max(values), min(values)))
    if least > 0 and most / least > 20:
        first, last = math.floor(math.log10(least)), math.ceil(math.log10(most))
        every = math.ceil((last - first + 1) / 6)
        return ChartAxis(10.0**first, 10.0**last, length, tuple(10.0**n for n in range(first, last + 1, every)), True)
    if most <= 0:
        return ChartAxis(0, unit, length, (0, unit), unit=unit)
    raw = most / 4 / unit
    power = 10.0 ** math.floor(math.log10(raw))
    step = unit * next(n * power for n in _ROUND_STEPS if n * power >= raw * (1 - 1e-9))
    count = math.ceil(most / step - 1e-9)
    return ChartAxis(0, step * count, length, tuple(step * n for n in range(count + 1)), unit=unit)


def build_scatter_chart(content: ReportContent, kind: str) -> ScatterChart | None:
    """The report's figure against what a document costs; None when no run has a cost."""
    average, what = locate_ranked_figure(content)
    runs = [run for run in content["runs"] if run[average][what] is not None]
    known = [run for run in runs if run["usage"]["per_document"][kind] is not None]
    if not known:
        return None
    amounts = [run["usage"]["per_document"][kind] for run in known]
    unit = _choose_time_unit(max(amounts)) if kind == "seconds" else 1.0
    across = build_amount_axis(amounts, WIDTH, unit)
    up = build_share_axis([run[average][what] for run in runs], HEIGHT)
    points = [
        ScatterPoint(
            across.at(run["usage"]["per_document"][kind]),
            HEIGHT - up.at(run[average][what]),
            run["rank"],
            run["usage"]["pareto"][kind],
            f"{run['label']}: {run[average][what]:.3f} for {format_cost(run['usage']['per_document'][kind], kind)}",
        )
        for run in known
    ]
    front = sorted((point.x, point.y) for point in points if point.best)
    corners: list[tuple[float, float]] = []
    for x, y in front:
        if corners:
            corners.append((x, corners[-1][1]))
        corners.append((x, y))
    if corners:
        corners.append((float(WIDTH), corners[-1][1]))
    unknown = [run["label"] for run in content["runs"] if run not in known]
    return ScatterChart(kind, across, up, tuple(_place_labels(points)), tuple(corners), tuple(unknown))


def _place_labels(points: Sequence[ScatterPoint]) -> list[ScatterPoint]:
    """The points with places for their numbers, the best ranks choosing first."""
    taken = [(point.x, point.y) for point in points]
    found = []
    for point in sorted(points, key=lambda point: point.rank):
        places = [(point.x + dx, point.y + dy) for dx, dy in _LABEL_OFFSETS]
        free = [place for place in places if all(math.dist(place, other) >= _LABEL_CLEARANCE for other in taken)]
        place = (free or places)[0]
        taken.append(place)
        found.append(replace(point, label=place))
    return found


def locate_ranked_figure(content: ReportContent) -> tuple[str, str]:
    """Where in a run the figure stands that the report ranks by: ("micro", "f1")."""
    statistic: str = content["statistics"]["statistic"]
    average = "macro" if statistic.startswith("macro") else "micro"
    return average, statistic.removeprefix("macro_").removeprefix("micro_")


def _choose_time_unit(seconds: float) -> float:
    return 1.0 if seconds < 120 else 60.0


def format_cost(value: float, kind: str) -> str:
    """A cost with its unit, in about three digits."""
    if kind == "tokens":
        return f"{format_short_number(value)} tokens"
    if kind == "seconds":
        unit = _choose_time_unit(value)
        return f"{format_short_number(value / unit)} {_TIME_UNITS[unit]}"
    return format_short_number(value)


def format_short_number(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
