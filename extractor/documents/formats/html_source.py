"""What stands between a page's tags and is none of its text, put as comments of the same length.

The parser that says where each text stands takes declarations and processing instructions in a page for text; browsers
drop them (HTML, 13.2.5.41). Pages that are XML close elements in their own tag, which HTML does not (HTML, 13.2.5.40).
Positions stay as they are.
"""

from __future__ import annotations

import re

_ODD = re.compile(r"<(?:\?|!(?!--)|/[^A-Za-z>])")
_EMPTY = re.compile(r"/>")
_TOKEN = re.compile(
    r"<!--(?:>|->|.*?(?:--!?>|\Z))"
    r"|<(?P<raw>script|style|textarea|title|xmp|iframe|noembed|noframes|plaintext)(?=[\s/>])"
    r"|<(?P<close>/?)(?P<name>[A-Za-z][^\s/>]*)(?:[^>\"']|\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z))*+(?:>|\Z)"
    r"|<!\[CDATA\[(?P<data>.*?)(?:\]\]>|\Z)"
    r"|<!(?P<doctype>doctype)[^>]*(?:>|\Z)"
    r"|<(?P<odd>[?!]|/[^A-Za-z>])[^>]*(?:>|\Z)",
    re.S | re.I,
)
_TAG_REST = re.compile(r"(?:[^>\"']|\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z))*+(?:>|\Z)", re.S)
_FOREIGN = frozenset(("svg", "math"))
_LEFT_OPEN = frozenset(("p", "div", "td", "th", "tr", "li", "dt", "dd", "option"))
"""Elements that may stay open where they are empty: the next one closes them, or is on a line of its own as well."""
_VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # noqa: SIM905 (read more easily)
)


def blank_odd_markup(source: str, *, is_xml: bool = False) -> str:
    """The source without what browsers drop; of XML also without the elements that are empty."""
    if not _ODD.search(source) and not (is_xml and _EMPTY.search(source)):
        return source
    pieces: list[str] = []
    at = copied = foreign = 0
    is_begun = False  # anything before which a document type may not stand
    while found := _TOKEN.search(source, at):
        start, at = found.span()
        is_begun = is_begun or bool(source[copied if not pieces else start : start].strip())
        name = (found["name"] or found["raw"] or "").lower()
        blank = found["odd"] is not None or (found["data"] is not None and not foreign)
        if found["data"] is not None and not foreign:
            at = source.find(">", start) + 1 or len(source)
        elif found["doctype"]:
            blank, is_begun = is_begun, True
        elif name:
            is_begun = True
            if found["raw"]:
                rest = _TAG_REST.match(source, at)
                at = rest.end() if rest else at
            is_empty = is_xml and source.startswith("/>", at - 2)
            foreign = _count_foreign(foreign, name, bool(found["close"]), is_empty)
            if is_empty and not foreign and name not in _VOID and name not in _FOREIGN:
                blank = name not in _LEFT_OPEN
            elif found["raw"]:
                at = _find_raw_end(source, at, name)
        if blank:
            pieces += source[copied:start], _write_comment(at - start)
            copied = at
    return "".join((*pieces, source[copied:]))


def _count_foreign(foreign: int, name: str, is_close: bool, is_empty: bool) -> int:
    """How many drawings and formulas are open."""
    if name not in _FOREIGN or is_empty:
        return foreign
    return max(0, foreign - 1) if is_close else foreign + 1


def _find_raw_end(source: str, start: int, name: str) -> int:
    """Where the text of an element ends in which tags are text."""
    close = re.compile(rf"</{name}(?=[\s/>])", re.I).search(source, start) if name != "plaintext" else None
    return close.start() if close else len(source)


def _write_comment(length: int) -> str:
    """A comment of that length; blanks where there is none so short."""
    if length >= 7:
        return f"<!--{'.' * (length - 7)}-->"
    return {5: "<!-->", 6: "<!--->"}.get(length, " " * length)
