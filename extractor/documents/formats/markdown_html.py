"""HTML within Markdown: which of the text between its tags is seen, by its style as in any web page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from justhtml import JustHTML

from extractor.documents.formats.entities import find_source_offsets
from extractor.documents.formats.sight import Sight
from extractor.documents.formats.styles.page import NOT_TEXT, compute_looks
from extractor.types import Span

_HIDING = re.compile(
    r"<(?:style|script|details|template|dialog|noscript|font|body|iframe|svg|noembed|noframes|datalist|rp|title|textarea|"
    r"select|object|audio|video|canvas|link)\b|<[A-Za-z][^<>]{0,3000}?[\s\"'](?:style|hidden|class|id|popover|bgcolor)\b",
    re.I,
)
_MARKUP_SIGNS = re.compile(r"[<>&]")


def may_hide(text: str) -> bool:
    """Whether there is HTML in a text that may hide some of it."""
    return _HIDING.search(text) is not None


def find_unseen_text(text: str, start: int, blank: Sequence[Span]) -> Iterator[tuple[Span, Sight]]:
    """The ranges of text between tags that are hidden or doubtful. `blank` is what holds no tags though it looks so:
    code, in order."""
    source = _mask(text, start, blank)
    page = JustHTML(source, track_node_locations=True, sanitize=False)
    looks = compute_looks(page.root)
    stack: list[tuple[Any, Sight]] = [(page.root, Sight.SHOWN)]
    while stack:
        node, sight = stack.pop()
        if node.name == "#text":
            if sight is not Sight.SHOWN and node.origin_offset is not None and (node.data or "").strip():
                at = node.origin_offset
                end = find_source_offsets(node.data, source, at)[-1]
                if end > at:
                    yield Span(start + at, start + end), sight
        else:
            inner = Sight.HIDDEN if node.name in NOT_TEXT else looks.sights.get(id(node), sight)
            children = [*(getattr(node, "children", None) or ())]
            if node.name == "template" and getattr(node, "template_content", None) is not None:
                children.append(node.template_content)
            stack += [(child, inner) for child in reversed(children)]


def _mask(text: str, start: int, blank: Sequence[Span]) -> str:
    """The text from a position on, as long as it is, with signs of markup taken out of what holds none."""
    pieces: list[str] = []
    at = start
    for span in blank:
        if span.end > at:
            pieces += text[at : max(at, span.start)], _MARKUP_SIGNS.sub("·", text[max(at, span.start) : span.end])
            at = span.end
    return "".join((*pieces, text[at:]))
