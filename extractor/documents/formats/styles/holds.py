"""Whether a condition holds in a page as it is first shown, and whether it may be otherwise in another window."""

from __future__ import annotations

from enum import IntEnum


class Holds(IntEnum):
    """A truth value of four. `min` is "and", `max` is "or"."""

    NEVER = 0
    LATER = 1
    """Not as the page is first shown, but after a click, in a narrow window, in the dark."""
    NOW = 2
    """As the page is first shown, or so it seems; it may be otherwise."""
    ALWAYS = 3

    def negate(self) -> Holds:
        return Holds(3 - self)

    @property
    def at_first(self) -> bool:
        return self >= Holds.NOW
