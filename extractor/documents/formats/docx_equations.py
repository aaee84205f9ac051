"""Equations of Word's EQ fields on one line, which are kept as a code alone: a fraction as a/b, a root as √(x)
(ECMA-376 part 1, 17.16.5.17)."""

from __future__ import annotations

import re
from itertools import pairwise

from extractor.documents.formats.docx_math import group_term, lower_term, raise_term

_FORMATS = re.compile(r'\\\*\s*(?:"[^"]*"|\S+)')
_SWITCH = re.compile(r"\\([abdfilorsx])((?:\s*\\(?:[blrfv]c\\.|[a-z]{2}\s*-?\d*))*)\s*\(", re.I)
_ESCAPE = re.compile(r"\\(.?)", re.S)
_MAX_DEPTH = 20
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_CIRCLES = "○〇◯"


def spell_equation(code: str) -> str:
    """What an equation shows, by what stands behind EQ in its code."""
    return " ".join(_spell(_FORMATS.sub("", code), 0).split())


def _spell(code: str, depth: int) -> str:
    spelled, at = "", 0
    while found := _SWITCH.search(code, at):
        spelled += _ESCAPE.sub(r"\1", code[at : found.start()])
        parts, at = _part(code, found.end())
        if depth < _MAX_DEPTH:
            spelled += _spell_switch(found[1].lower(), found[2].lower(), parts, depth + 1)
    return spelled + _ESCAPE.sub(r"\1", code[at:])


def _part(code: str, start: int) -> tuple[list[str], int]:
    """The elements from behind a bracket to the one that closes it, and where that is over. They are parted by
    semicolons where there are any, as where numbers have decimal commas."""
    ends: dict[str, list[int]] = {",": [], ";": []}
    at, depth = start, 1
    while at < len(code) and depth:
        sign = code[at]
        if sign == "\\" and not code[at + 1 : at + 2].isalpha():
            at += 1
        elif sign in "()":
            depth += 1 if sign == "(" else -1
        elif depth == 1 and sign in ends:
            ends[sign].append(at)
        at += 1
    close = at - 1 if not depth else at
    cuts = [start - 1, *(ends[";"] or ends[","]), close]
    return [code[a + 1 : b] for a, b in pairwise(cuts)], at


def _spell_switch(kind: str, options: str, parts: list[str], depth: int) -> str:
    spelled = [_spell(part, depth).strip() for part in parts]
    first, last = spelled[0], spelled[-1]
    match kind:
        case "f" if len(spelled) > 1:
            return f"{group_term(first)}/{group_term(last)}"
        case "r":
            return f"{raise_term(first) if len(spelled) > 1 else ''}√({last})"
        case "s" if len(spelled) > 1:
            return raise_term(first) + lower_term(last)
        case "s":
            return lower_term(first) if "\\do" in options else raise_term(first)
        case "o":
            return _lay_over(parts, spelled, depth)
        case "b":
            begin, end = _find_brackets(options)
            return f"{begin}{', '.join(spelled)}{end}"
        case "i":
            sign = "∑" if "\\su" in options else "∏" if "\\pr" in options else "∫"
            below, above, *rest = [*spelled, "", ""]
            bounds = (f"_({below})" if below else "") + (f"^({above})" if above else "")
            return f"{sign}{bounds} {rest[0] if len(spelled) > 2 else ''}"
        case "a":
            columns = re.search(r"\\co\s*(\d+)", options)
            width = max(1, int(columns[1][:3])) if columns else 1
            return "; ".join(", ".join(spelled[i : i + width]) for i in range(0, len(spelled), width))
        case "d":
            return f" {' '.join(spelled)} "
    return ", ".join(spelled)


def _lay_over(parts: list[str], spelled: list[str], depth: int) -> str:
    """Signs over each other: a number in a circle, words with their reading above them."""
    first, last = spelled[0], spelled[-1]
    if len(spelled) == 2 and (above := re.match(r"\s*\\s\s*\\up[^(]*\(", parts[0])):
        inner, _ = _part(parts[0], above.end())
        return f"{last}({_spell(inner[0], depth)})"
    if len(spelled) == 2 and first in _CIRCLES and last.isdecimal() and 0 < int(last[:3]) <= 20:
        return chr(0x245F + int(last))
    return "".join(spelled)


def _find_brackets(options: str) -> tuple[str, str]:
    """The signs around an element, which may be said one by one."""
    both, left, right = (re.search(rf"\\{name}c\\(.)", options) for name in "blr")
    begin = both[1] if both else left[1] if left else "" if right else "("
    end = _CLOSING.get(begin, begin) if both else right[1] if right else "" if left else ")"
    return begin, end
