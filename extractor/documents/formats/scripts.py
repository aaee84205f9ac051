"""Raised and lowered figures as signs of their own, so that 10³ does not become 103, nor a footnote's mark a digit."""

from __future__ import annotations

_SUPERSCRIPTS = str.maketrans("0123456789+-−=()abcdefghijklmnoprstuvwxyz", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ")
_SUBSCRIPTS = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
_LETTERS = frozenset("abcdefghijklmnoprstuvwxyz")


def spell_superscript(text: str, before: str = "") -> str:
    """Raised words as they can be told apart from what stands before them."""
    return _spell(text, before, _SUPERSCRIPTS, "^")


def spell_subscript(text: str, before: str = "") -> str:
    """Lowered words as they can be told apart from what stands before them."""
    return _spell(text, before, _SUBSCRIPTS, "_")


def _spell(text: str, before: str, signs: dict[int, int], mark: str) -> str:
    """Figures become signs. Words need none, but for one letter behind a figure: in 5th it is an ending, in 40a a mark.
    Figures that have no signs for all of them are put in brackets, as mathematics is written on one line."""
    inner = text.strip()
    if not any(c.isdigit() for c in inner):
        marks = len(inner) == 1 and before[-1:].isdigit() and (inner in _LETTERS or inner in "*†‡")
        return text.translate(signs) if marks and mark == "^" else text
    if all(ord(c) in signs for c in inner):
        return text.replace(inner, inner.translate(signs))
    return text.replace(inner, f"{mark}({inner})")


def raise_mark(mark: str) -> str:
    """The mark of a note, a number or letters, as it stands above the line."""
    return mark.translate(_SUPERSCRIPTS)
