"""How an element looks, as far as it decides whether text in it is seen: what it says itself, and what it inherits."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from extractor.documents.formats.sight import Sight, judge_contrast
from extractor.documents.formats.styles.cascade import Variables
from extractor.documents.formats.styles.values import BLACK, ROOT_FONT, WHITE, Ink

FAINTEST = 0.05
"""How much of an ink covers at least where it is seen."""
SMALLEST_FONT, SMALL_FONT = 2.0, 4.0
"""Pixels of letters that can't be seen, and below which it is doubtful that they can."""
_SAME_CHANNEL, _LIKE_CHANNEL = 20, 40
"""Of 255: how far apart channels of two colours may be that can't be told apart, or hardly."""

Clips = tuple[Sight, Sight, Sight]
"""How boxes of no size around let through what is in the flow, what is positioned, and what is fixed to the window."""


@dataclass(slots=True, eq=False)
class Look:
    """The look of an element. Looks are compared by identity."""

    display: str = "inline"
    gone: Sight = Sight.SHOWN
    """Whether it and all in it is seen, by what nothing within takes back: not displayed, moved away, cut off."""
    clips: Clips = (Sight.SHOWN, Sight.SHOWN, Sight.SHOWN)
    seen: Sight = Sight.SHOWN
    """By its visibility."""
    spelled: Sight = Sight.SHOWN
    """By how its letters are set: their spacing and indent, dots in place of them, an order turned round."""
    inks: tuple[Ink, ...] = (BLACK,)
    """The colours that its letters may have, that of now first; empty where they are not known."""
    fill: tuple[Ink, ...] | None = None
    """The same where letters are filled in another colour."""
    has_outline: bool = False
    """Whether letters have a shadow or a stroke that may show them."""
    painted: tuple[Ink, ...] = ()
    """Colours of a background that is cut to the letters."""
    ground: tuple[Ink, ...] = (WHITE,)
    """The colours that it may stand on; empty where they are not known."""
    ground_is_sure: bool = True
    gives_ground: bool = False
    """Whether it paints a ground itself."""
    is_moved: bool = False
    """Whether it may stand elsewhere than in the element around it."""
    is_positioned: bool = False
    is_media: bool = False
    is_drawn: bool = False
    """Whether it is part of a drawing."""
    opaque: bool = False
    covers: bool = False
    """Whether it fills the element that it is positioned in."""
    level: float = 0.0
    """Its z-index."""
    stacks: bool = False
    """Whether what is below in it stays above what it stands on."""
    veil: float = 1.0
    """The product of the opacities around it."""
    font: float = ROOT_FONT
    font_is_sure: bool = True
    zoom: float = 1.0
    scale: float = 1.0
    zoom_is_sure: bool = True
    squeezed: Sight = Sight.SHOWN
    """Whether its lines lie on each other."""
    line: float | None = None
    """Pixels of a line's height; None where it is as usual."""
    indent_pixels: float = 0.0
    indent_percent: float = 0.0
    white_space: str = "normal"
    list_style: str = ""
    raised: str = ""
    """"super" or "sub", where its letters stand above or below the line."""
    has_flat_rows: bool = False
    """Whether it is a grid whose rows have no height of their own."""
    flex: str = ""
    """The direction of its children, where it lays them out as a flexible box."""
    is_reversed: bool = False
    """Whether it lays them out from its end."""
    order: float = 0.0
    """Its place among the children of such a box (CSS Flexbox, 5.4)."""
    dark: bool = False
    shift_x: float = 0.0
    shift_y: float = 0.0
    reach: float = 0.0
    """Pixels: how far it was moved, and the largest width of what was."""
    is_rooted: bool = True
    """Whether no element around it is positioned: what is positioned in it is so in the page."""
    over_ground: bool = False
    """Whether an opaque ground lies between it and where a negative z-index takes it."""

    variables: Variables = field(default_factory=dict)
    box: Sight = Sight.SHOWN
    ink: Sight = Sight.SHOWN
    """How its place, and the colour of its letters, let it be seen."""

    def list_values(self) -> tuple[object, ...]:
        """All that it is, to be compared by; variables by identity."""
        values = (getattr(self, name) for name in _FIELDS)
        return (*values, id(self.variables))

    def judge_box(self) -> Sight:
        """How well the element's place is seen, whatever its letters look like."""
        return max(self.gone, self.clips[0], self.seen, self._judge_size(), self.spelled, self.squeezed)

    def _judge_size(self) -> Sight:
        size = self.font * self.zoom * self.scale
        if size > SMALL_FONT:
            return Sight.SHOWN
        if size > SMALLEST_FONT or not (self.font_is_sure and self.zoom_is_sure):
            return Sight.DOUBTFUL
        return Sight.HIDDEN

    def judge_ink(self) -> Sight:
        """How well letters are told from what they stand on."""
        inks = self.fill if self.fill is not None else self.inks
        if self.painted:
            return self._judge_colours(self.painted)
        if not inks:
            return Sight.SHOWN
        found = self._judge_colours(inks)
        if found is Sight.HIDDEN and self.has_outline:
            return Sight.DOUBTFUL
        return found

    def _judge_colours(self, inks: tuple[Ink, ...]) -> Sight:
        if not self.ground:
            return Sight.HIDDEN if all(ink.alpha * self.veil < FAINTEST for ink in inks) else Sight.SHOWN
        first = min(judge_colours(inks[0].over(ground, self.veil), ground) for ground in self.ground[:1])
        if first is not Sight.HIDDEN:
            return first
        # other colours of letters or ground are those of other windows, or of other places of a gradient
        best = min(judge_colours(ink.over(ground, self.veil), ground) for ink in inks for ground in self.ground)
        if best is not Sight.HIDDEN or (not self.ground_is_sure and max(ink.alpha for ink in inks) >= FAINTEST):
            return Sight.DOUBTFUL
        return Sight.HIDDEN


_FIELDS = tuple(f.name for f in fields(Look) if f.name != "variables")


def judge_colours(ink: Ink, ground: Ink) -> Sight:
    """Whether letters of one colour are seen on another: as bright, they may still be of another hue."""
    one, other = ink.as_bytes(), ground.as_bytes()
    apart = max(abs(a - b) for a, b in zip(one, other, strict=True))
    if apart > _LIKE_CHANNEL:
        return Sight.SHOWN
    found = judge_contrast(one, other)
    return min(found, Sight.DOUBTFUL) if apart > _SAME_CHANNEL else found
