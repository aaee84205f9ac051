"""Whether a reader sees words: for certain, perhaps, or not; and what two colours do to letters.

What is certain is marked hidden. What is not is shown and marked doubtful: a wrong guess must not lose words.
"""

from __future__ import annotations

import colorsys
from enum import IntEnum

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255 each."""
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)

NO_CONTRAST, LITTLE_CONTRAST = 1.08, 1.3
"""Contrast ratios (WCAG 2.2, 1.4.3: 1 is none, 21 the most) below which letters are unseen, and below which perhaps.
The palest grey that people print in, F2F2F2, has 1.12 on white."""


class Sight(IntEnum):
    """How well words are seen; the larger of two holds where both apply."""

    SHOWN = 0
    DOUBTFUL = 1
    HIDDEN = 2


def parse_colour(written: str | None) -> Colour | None:
    """A colour of six hexadecimal digits, or of eight with an opacity before them; None for what is none."""
    digits = (written or "").strip().lstrip("#")[-6:]
    try:
        return (int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)) if len(digits) == 6 else None
    except ValueError:
        return None


def contrast(ink: Colour, ground: Colour) -> float:
    """The contrast ratio of two colours."""
    light, dark = sorted((_luminance(ink), _luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def judge_contrast(ink: Colour, ground: Colour) -> Sight:
    """Whether letters of one colour are seen on another."""
    ratio = contrast(ink, ground)
    return Sight.HIDDEN if ratio < NO_CONTRAST else Sight.DOUBTFUL if ratio < LITTLE_CONTRAST else Sight.SHOWN


def _luminance(colour: Colour) -> float:
    red, green, blue = ((c / 255) / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def shade_colour(colour: Colour, tint: float) -> Colour:
    """The colour made lighter (a tint above 0, up to 1) or darker (below 0), as themes of Office do it
    (ECMA-376 part 1, 18.8.19: by the lightness of the colour)."""
    if not tint:
        return colour
    hue, lightness, saturation = colorsys.rgb_to_hls(*(c / 255 for c in colour))
    lightness = lightness * (1 + tint) if tint < 0 else lightness * (1 - tint) + tint
    red, green, blue = colorsys.hls_to_rgb(hue, max(0.0, min(1.0, lightness)), saturation)
    return round(red * 255), round(green * 255), round(blue * 255)
