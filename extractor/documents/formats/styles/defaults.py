"""How a browser shows elements of which a page says nothing (HTML, 15), and attributes that say how they look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from extractor.documents.formats.styles.drawings import read_drawn_hints
from extractor.documents.formats.styles.shorthands import parse_old_colour

BROWSER_SHEET = """
area, base, basefont, datalist, link, meta, noembed, noframes, param, rp, script, style, template, title, frameset,
[hidden]:not([hidden=until-found i]), input[type=hidden i], dialog:not([open]), [popover]:not(dialog[open])
  { display: none }
[hidden=until-found i] { display: block; content-visibility: hidden }
html, body, address, blockquote, center, dialog[open], div, figure, figcaption, footer, form, header, hr, legend,
listing, main, p, plaintext, pre, search, xmp, article, aside, h1, h2, h3, h4, h5, h6, hgroup, nav, section, dir, dd,
dl, dt, menu, ol, ul, fieldset, details, summary { display: block }
li { display: list-item }
table { display: table; text-indent: 0 } caption { display: table-caption }
tr { display: table-row } td, th { display: table-cell }
thead { display: table-header-group } tbody { display: table-row-group } tfoot { display: table-footer-group }
button, input, select, textarea, meter, progress { display: inline-block; color: FieldText; letter-spacing: normal;
  text-indent: 0; font-size: 13.3px }
input, select, textarea, button { background-color: Field }
:link { color: LinkText }
mark { color: black; background-color: yellow }
small, sub, sup { font-size: smaller } big { font-size: larger } rt { font-size: 60% }
pre, listing, xmp, textarea { white-space: pre }
iframe { overflow: hidden }
q::before { content: open-quote } q::after { content: close-quote }
svg { overflow: hidden } svg :is(defs, symbol, clippath, mask, pattern, marker, metadata, title, desc),
math :is(annotation, annotation-xml) { display: none }
bdo[dir=rtl i] { direction: rtl; unicode-bidi: bidi-override } bdo[dir=ltr i] { direction: ltr }
ol { list-style-type: decimal } ul, menu, dir { list-style-type: disc }
ol[type="a" s] { list-style-type: lower-alpha } ol[type="A" s] { list-style-type: upper-alpha }
ol[type="i" s] { list-style-type: lower-roman } ol[type="I" s] { list-style-type: upper-roman }
"""
QUIRKS_SHEET = "table { font-size: initial; line-height: initial; white-space: initial }"
"""Of pages without a doctype."""
_GROUNDS = frozenset(("body", "table", "thead", "tbody", "tfoot", "tr", "td", "th", "marquee"))
_DRAWN = frozenset(("svg", "g", "text", "tspan", "textPath"))
_SIZES = ("10px", "10px", "13px", "16px", "18px", "24px", "32px", "48px")


def read_hints(name: str, attributes: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    """What attributes such as bgcolor say, as properties (HTML, 15.3 and 15.4)."""
    if name in _GROUNDS:
        if attributes.get("bgcolor"):
            yield "background-color", parse_old_colour(attributes["bgcolor"] or "")
        if (attributes.get("background") or "").strip():
            yield "background-image", "url(a)"
    if name == "body" and attributes.get("text"):
        yield "color", parse_old_colour(attributes["text"] or "")
    if name == "font":
        if attributes.get("color"):
            yield "color", parse_old_colour(attributes["color"] or "")
        size = (attributes.get("size") or "").strip()
        if size.isascii() and size.isdigit():
            yield "font-size", _SIZES[min(7, int(size[:2]))]
    if name in ("img", "iframe"):
        for attribute in ("width", "height"):
            size = (attributes.get(attribute) or "").strip()
            if size.isascii() and size.isdigit():
                yield attribute, f"{size[:6]}px"
    if name in _DRAWN:
        yield from read_drawn_hints(attributes)
