"""Where an element's box lies, and whether it has any size: what puts text out of sight without hiding it."""

from __future__ import annotations

from dataclasses import dataclass

from extractor.documents.formats.sight import Sight
from extractor.documents.formats.styles.look import Clips, Look
from extractor.documents.formats.styles.shapes import Movement
from extractor.documents.formats.styles.style import Style
from extractor.documents.formats.styles.values import WINDOW_HEIGHT, WINDOW_WIDTH, Length

NEAR, FAR, VERY_FAR = 30.0, 500.0, 1500.0
"""Pixels beyond the edge of the page at which a line may be out of sight, where the place of the element is known; and
at which text is for certain, where it is known and where it is not."""
_SMALLEST = 1.5
"""Pixels of a box in which nothing can be read."""
_LITTLE_ROOM = 8.0
"""Pixels of padding in which something may be seen of a box without size."""
_AWAY = ("absolute", "fixed")
_UNCUT = frozenset(
    ("table-cell", "table-row", "table", "table-row-group", "table-header-group", "table-footer-group", "contents")
)
"""Boxes that are as large as what is in them."""
BOX_PROPERTIES = (
    *("position", "left", "right", "top", "bottom", "margin-left", "margin-top", "padding-left", "padding-top"),
    *("width", "transform", "translate", "float"),
)
SIZE_PROPERTIES = (
    *("width", "height", "max-width", "max-height", "min-width", "min-height", "overflow-x", "overflow-y"),
    *("padding-right", "padding-bottom", "line-height", "position", "display"),
)


@dataclass(frozen=True, slots=True)
class Shift:
    """How far an element is moved to the right and down, in pixels, all around it included."""

    x: float
    y: float
    reach: float
    """The largest width among what was moved."""
    sight: Sight


def measure_shift(style: Style, parent: Look, moved: Movement, *, inline: bool) -> Shift:
    """Where the element comes to lie, as far as the page says it, and whether that is out of sight."""
    position = style.word("position")
    rooted = position == "fixed" or (parent.is_rooted and position == "absolute")
    base_x, base_y = (0.0, 0.0) if position == "fixed" else (parent.shift_x, parent.shift_y)
    width = style.length("width")
    own_width = width.resolve(WINDOW_WIDTH) if width and not inline else 0.0
    x = style.pixels("margin-left", WINDOW_WIDTH) + min(0.0, _resolve_own(moved.x, own_width))
    y = 0.0 if inline else style.pixels("margin-top") + min(0.0, _resolve_own(moved.y, 0.0))
    if position in (*_AWAY, "relative", "sticky"):
        x += style.pixels("left", WINDOW_WIDTH)
        y += style.pixels("top", WINDOW_HEIGHT)
    if x < 0:
        x = min(0.0, x + style.pixels("padding-left", WINDOW_WIDTH))
    if y < 0:
        y = min(0.0, y + style.pixels("padding-top"))
    reach = max(own_width, parent.reach) if parent.shift_x else own_width
    total_x, total_y = base_x + x, base_y + y
    sight = _judge_shift(total_x, total_y, reach, rooted) if x < 0 or y < 0 else Sight.SHOWN
    if position in _AWAY:
        sight = max(sight, _judge_far_edges(style, rooted, fixed=position == "fixed"))
    if moved.x.percent <= -100 or moved.y.percent <= -100:
        sight = max(sight, _judge_own_width(style, moved, rooted))
    return Shift(total_x, total_y, reach if total_x else 0.0, sight)


def _resolve_own(length: Length, whole: float) -> float:
    return length.resolve(whole)


def _judge_shift(x: float, y: float, reach: float, rooted: bool) -> Sight:
    """What lies so far to the left of its place, or above it. One that is wide may still reach into the page."""
    if rooted and 0 < reach <= -x:
        return Sight.HIDDEN
    found = Sight.DOUBTFUL if rooted and max(-x, -y) > NEAR else Sight.SHOWN
    if -x >= FAR:
        found = Sight.HIDDEN if -x >= (FAR if rooted else VERY_FAR) and reach <= -x else Sight.DOUBTFUL
    if -y >= FAR:
        found = max(found, Sight.HIDDEN if -y >= (FAR if rooted else VERY_FAR) else Sight.DOUBTFUL)
    return found


def _judge_far_edges(style: Style, rooted: bool, *, fixed: bool) -> Sight:
    """Distances from the right and the bottom, and large ones from the left and the top."""
    found = Sight.SHOWN
    for name, whole in (("right", WINDOW_WIDTH), ("bottom", WINDOW_HEIGHT)):
        length = style.length(name)
        if length is None:
            continue
        distance = length.resolve(whole)
        if distance >= whole:
            found = max(found, Sight.HIDDEN if rooted or distance >= whole + VERY_FAR else Sight.DOUBTFUL)
        elif distance <= -FAR:
            found = max(found, Sight.HIDDEN if fixed else Sight.DOUBTFUL)
    for name, whole in (("left", WINDOW_WIDTH), ("top", WINDOW_HEIGHT)):
        length = style.length(name)
        distance = length.resolve(whole) if length else 0.0
        if fixed and distance >= whole:
            found = Sight.HIDDEN
        elif distance >= 4 * WINDOW_WIDTH:
            found = max(found, Sight.DOUBTFUL)  # far to the right: there, for who scrolls so far
    return found


def _judge_own_width(style: Style, moved: Movement, rooted: bool) -> Sight:
    """What is moved by its own size or more to the left or up: away, where it would have stood at the edge."""
    for side, away in (("left", moved.x.percent <= -100), ("top", moved.y.percent <= -100)):
        start = style.length(side)
        if away and rooted and start is not None and start.pixels <= 0 and start.percent <= 0:
            return Sight.HIDDEN
    return Sight.DOUBTFUL


def judge_clips(style: Style, parent: Look, *, inline: bool, display: str, line: float | None) -> Clips:
    """How the element's own box, and those around it, let its content through."""
    position = style.word("position")
    from_above = parent.clips[{"absolute": 1, "fixed": 2}.get(position, 0)]
    own = Sight.SHOWN
    if not inline and display not in _UNCUT:
        own = style.judge(SIZE_PROPERTIES, lambda variant: _judge_size(variant, line, parent.has_flat_rows))
    flow = max(from_above, own)
    holds = position in ("absolute", "fixed", "relative", "sticky")
    turned = bool(style.word("transform") not in ("", "none")) or any(
        t.type == "function" for t in style.tokens("transform")
    )
    return flow, flow if holds or turned else parent.clips[1], flow if turned else parent.clips[2]


def _judge_size(style: Style, line: float | None, flat: bool) -> Sight:
    """Whether a box that cuts off what is too large for it has no size."""
    cut = [style.word(name) in ("hidden", "clip", "scroll", "auto") for name in ("overflow-x", "overflow-y")]
    if not any(cut):
        return Sight.SHOWN
    found = Sight.SHOWN
    for size, end in (("width", "right"), ("height", "bottom")):
        if _is_tiny(style, size):
            room = style.pixels(f"padding-{end}", WINDOW_WIDTH)
            found = max(found, Sight.SHOWN if room > _LITTLE_ROOM else Sight.DOUBTFUL if room > 2 else Sight.HIDDEN)
    if flat and style.length("height") is None:
        found = Sight.HIDDEN
    unsized = style.length("height") is None and style.pixels("min-height") <= _SMALLEST
    if line is not None and line <= _SMALLEST and unsized:
        found = Sight.HIDDEN
    return found


def _is_tiny(style: Style, size: str) -> bool:
    smallest = style.length(f"min-{size}")
    if smallest is not None and (smallest.pixels > _SMALLEST or smallest.percent > 0):
        return False
    for name in (size, f"max-{size}"):
        length = style.length(name)
        # a share of a height that is not set is no height
        if (
            length is not None
            and length.pixels <= _SMALLEST
            and not length.percent
            and not _is_share(style, name, size)
        ):
            return True
    return False


def _is_share(style: Style, name: str, size: str) -> bool:
    return size == "height" and any(token.type == "percentage" for token in style.tokens(name))
