"""Letters that stand above or below their line, so that "40" with a small 1 is not read as 401."""

from __future__ import annotations

_ABOVE = dict(
    zip("0123456789+-−=()nabcdefghijklmoprstuvwxyz", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻ", strict=True)
)
_BELOW = dict(zip("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎", strict=True))
_LONGEST = 8
"""Letters of what is raised: a note's sign, a power. What is longer is text."""
_ORDINALS = frozenset(("st", "nd", "rd", "th", "er", "re", "ère", "eme", "ème", "ième", "te", "de", "tes"))


def raise_letters(words: str, *, after_digit: bool) -> str:
    """The words in signs of Unicode that stand above the line; as many as there were."""
    bare = words.strip()
    if not bare or len(bare) > _LONGEST or bare[0] in ".,":
        return words
    if any(c.isdigit() for c in bare):
        return "".join(_ABOVE.get(c, c) if not c.isalpha() else c for c in words)
    if after_digit and bare.lower() not in _ORDINALS and (len(bare) == 1 or bare[0] in "()"):
        return "".join(_ABOVE.get(c, c) for c in words)
    return words


def lower_letters(words: str, *, after_digit: bool) -> str:
    """The words in signs of Unicode that stand below the line, where they would go on a number: H2O stays H2O."""
    bare = words.strip()
    if not after_digit or not bare or len(bare) > _LONGEST or bare[0] in ".,":
        return words
    return "".join(_BELOW.get(c, c) for c in words)
