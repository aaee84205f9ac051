"""Formulas of Word on one line: a fraction as a/b, a power as x^2, a root as √(x) (ECMA-376 part 1, 22.1)."""

from __future__ import annotations

from typing import Any

from extractor.documents.formats.scripts import spell_subscript, spell_superscript

_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
MATH_TAGS = frozenset({f"{_MATH}oMath", f"{_MATH}oMathPara"})
_PROPERTIES = "Pr"


def spell_formula(element: Any) -> str:
    """The formula under an element, as people write it in a mail."""
    return "".join(_spell(inner) for inner in element)


def _spell(element: Any) -> str:
    if not isinstance(element.tag, str) or not element.tag.startswith(_MATH):
        return ""
    tag = element.tag[len(_MATH) :]
    if tag.endswith(_PROPERTIES):
        return ""
    match tag:
        case "r":
            return "".join(t.text or "" for t in element.iter(f"{_MATH}t"))
        case "f":
            return f"{group_term(_part(element, 'num'))}/{group_term(_part(element, 'den'))}"
        case "sSup":
            return _part(element, "e") + raise_term(_part(element, "sup"))
        case "sSub":
            return _part(element, "e") + lower_term(_part(element, "sub"))
        case "sSubSup":
            return _part(element, "e") + lower_term(_part(element, "sub")) + raise_term(_part(element, "sup"))
        case "sPre":
            return lower_term(_part(element, "sub")) + raise_term(_part(element, "sup")) + _part(element, "e")
        case "rad":
            degree = _part(element, "deg")
            return f"{spell_superscript(degree) if degree else ''}√({_part(element, 'e')})"
        case "nary":
            sign = _property(element, "chr") or "∫"
            below, above = _part(element, "sub"), _part(element, "sup")
            bounds = (f"_({below})" if below else "") + (f"^({above})" if above else "")
            return f"{sign}{bounds} {_part(element, 'e')}"
        case "d":
            begin, end = _property(element, "begChr"), _property(element, "endChr")
            inner = (_property(element, "sepChr") or "|").join(
                spell_formula(e) for e in element if e.tag == f"{_MATH}e"
            )
            return f"{'(' if begin is None else begin}{inner}{')' if end is None else end}"
        case "m" | "eqArr":
            rows = [", ".join(spell_formula(e) for e in row) for row in element if row.tag in (f"{_MATH}mr",)]
            return "; ".join(rows or [spell_formula(e) for e in element if e.tag == f"{_MATH}e"])
        case "limLow" | "limUpp":
            limit = _part(element, "lim")
            return f"{_part(element, 'e')}{'_' if tag == 'limLow' else '^'}({limit})"
    return spell_formula(element)


def _part(element: Any, name: str) -> str:
    return "".join(spell_formula(inner) for inner in element if inner.tag == _MATH + name)


def _property(element: Any, name: str) -> str | None:
    """A sign that the element's properties name; None where they leave it to the default."""
    found = next((e for e in element.iter(_MATH + name)), None)
    return None if found is None else str(found.get(f"{_MATH}val", ""))


def group_term(text: str) -> str:
    """A term of several signs in brackets."""
    return text if len(text) < 2 or text.replace(".", "").replace(",", "").isalnum() else f"({text})"


def raise_term(text: str) -> str:
    """A term above the line."""
    spelled = spell_superscript(text)
    return spelled if spelled != text else f"^{group_term(text)}"


def lower_term(text: str) -> str:
    """A term below the line."""
    spelled = spell_subscript(text)
    return spelled if spelled != text else f"_{group_term(text)}"
