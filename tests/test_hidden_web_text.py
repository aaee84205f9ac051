"""Text that a web page hides: by computed style, whatever the trick; and nothing that a reader sees is hidden."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from justhtml import JustHTML
from web_text import MARKER, page_sight, texts

from extractor.documents.formats.html import parse_html
from extractor.documents.formats.styles import sheets
from extractor.documents.formats.styles.page import compute_looks
from extractor.documents.formats.styles.sheets import MAX_STYLE_CHARACTERS
from extractor.types import Span

HONEST = sorted((Path(__file__).parent / "data" / "honest_pages").glob("*.html"))


def styled(style: str, tag: str = "p") -> str:
    return f'<!doctype html><p>seen</p><{tag} style="{style}">{MARKER}</{tag}><p>seen</p>'


def ruled(sheet: str, page: str = f"<p class=a>{MARKER}</p>") -> str:
    return f"<!doctype html><head><style>{sheet}</style></head><body><h1>seen</h1>{page}<h6>seen</h6></body>"


STYLES = {
    "not displayed": "display:none",
    "importantly not displayed": "display:none!important",
    "a comment in the value": "display:/**/none",
    "an escape in the name": r"d\69splay:none",
    "capitals and blanks": "DISPLAY : NONE",
    "all unset before": "all:unset;display:none",
    "invisible": "visibility:hidden",
    "collapsed": "visibility:collapse",
    "see-through": "opacity:0",
    "almost see-through": "opacity:0.01",
    "see-through in percent": "opacity:0%",
    "see-through by exponent": "opacity:1e-9",
    "see-through by sum": "opacity:calc(1 - 1)",
    "see-through by filter": "filter:opacity(0)",
    "see-through by old filter": "-webkit-filter:opacity(1%)",
    "no size": "font-size:0",
    "a pixel": "font-size:1px",
    "a tenth": "font-size:.1em",
    "half a point": "font-size:0.5pt",
    "no size by shorthand": "font:0/0 a",
    "no size by a list": "font:bold 0px/1.5 serif",
    "no size by the least of two": "font-size:min(0px,1em)",
    "zoomed away": "zoom:0.01",
    "white": "color:#fff",
    "nearly white": "color:#fefefe",
    "white by numbers": "color:rgb(255 255 255)",
    "white by percent": "color:rgb(100% 100% 100%)",
    "white by hue": "color:hsl(0,0%,100%)",
    "white by whiteness": "color:hwb(0 100% 0%)",
    "white by lightness": "color:oklch(1 0 0)",
    "white of lab": "color:lab(100 0 0)",
    "mixed white": "color:color-mix(in srgb, white, #fefefe)",
    "the canvas": "color:Canvas",
    "clear": "color:rgba(0,0,0,0)",
    "clear in short": "color:#0000",
    "clear fill": "-webkit-text-fill-color:transparent",
    "light or dark": "color:light-dark(white, black)",
    "an unknown variable": "color:var(--no, white)",
    "black on black": "color:#000;background:#000",
    "red on red": "color:red;background-color:red",
    "like a gradient": "color:#fff;background:linear-gradient(#fff,#fefefe)",
    "far to the left": "position:absolute;left:-9999px",
    "left by less": "position:absolute;left:-999px",
    "left by windows": "position:absolute;left:-100vw",
    "beyond the right of what it is in": "position:absolute;right:110%",
    "fixed beyond the right": "position:fixed;left:100vw",
    "far up": "position:absolute;top:-9999px",
    "up by an inset": "position:fixed;inset:-3000px auto auto 0",
    "by a margin": "margin-left:-9999px",
    "by a margin in the line's direction": "margin-inline-start:-9999px",
    "relative and far": "position:relative;left:-9999px",
    "shrunk": "transform:scale(0)",
    "shrunk by a property": "scale:0",
    "shrunk by a matrix": "transform:matrix(0,0,0,0,0,0)",
    "shrunk to a hundredth": "transform:scale(.01)",
    "moved": "transform:translate(-9999px)",
    "moved up": "transform:translateY(-500vh)",
    "moved by a property": "translate:-9999px 0",
    "edge on": "transform:rotateY(90deg)",
    "from behind": "transform:rotateX(180deg);backface-visibility:hidden",
    "cut": "position:absolute;clip:rect(0 0 0 0)",
    "cut with commas": "position:absolute;clip:rect(1px,1px,1px,1px)",
    "cut by a path": "clip-path:inset(100%)",
    "cut by half from each side": "clip-path:inset(50%)",
    "cut to a circle": "clip-path:circle(0)",
    "cut to a point": "clip-path:polygon(0 0,0 0,0 0)",
    "no height": "height:0;overflow:hidden",
    "at most no height": "max-height:0;overflow:hidden",
    "a pixel in size": "width:1px;height:1px;overflow:hidden",
    "a pixel wide": "width:1px;overflow:clip;white-space:nowrap",
    "no height of lines": "line-height:0;overflow:hidden",
    "indented": "text-indent:-9999px",
    "indented by its width": "text-indent:100%;white-space:nowrap;overflow:hidden",
    "content hidden": "content-visibility:hidden",
    "masked": "mask-image:linear-gradient(transparent,transparent)",
    "masked by a shorthand": "-webkit-mask:linear-gradient(#0000,#0000)",
    "letters on each other": "letter-spacing:-1em",
    "letters as dots": "-webkit-text-security:disc",
}
DOUBTFUL_STYLES = {
    "zoomed by nothing, which browsers don't": "zoom:0",
    "lines on each other": "line-height:0",
    "blurred": "filter:blur(9px)",
    "inverted": "filter:invert(1)",
    "blended": "mix-blend-mode:screen",
    "masked by a picture": "mask-image:url(a.svg)",
    "just above the page": "position:absolute;top:-60px",
    "far to the right, where one can scroll": "position:absolute;left:9999px",
    "hardly darker": "color:#e6e6e6",
    "turned round": "direction:rtl;unicode-bidi:bidi-override",
    "with a shadow": "color:#fff;text-shadow:0 0 2px #000",
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_text_is_hidden_by_the_style_of_its_element(style: str) -> None:
    assert page_sight(styled(style)) == "hidden"
    assert page_sight(styled(style), "seen") == "shown"


@pytest.mark.parametrize("style", DOUBTFUL_STYLES.values(), ids=DOUBTFUL_STYLES)
def test_what_may_not_be_seen_is_shown_and_doubtful(style: str) -> None:
    assert page_sight(styled(style)) == "doubtful"


SHEETS = {
    "a class": ".a{display:none}",
    "an identity": "#i{display:none}",
    "an attribute": "[data-x]{display:none}",
    "an attribute's beginning": "[class^=a]{display:none}",
    "a descendant": "div .a{display:none}",
    "a child": "div>.a{display:none}",
    "the next": "i+.a{display:none}",
    "one after": "b~.a{display:none}",
    "the last child": "p:last-child{display:none}",
    "by number": "p:nth-child(2n+1){display:none}",
    "by number of its kind": "p:nth-of-type(1){display:none}",
    "one of several": ":is(.b,.a){display:none}",
    "none of several": "div p:not(.b,.c){display:none}",
    "without weight": ":where(.a){display:none}",
    "from the root": ":root .a{display:none}",
    "nested": "div{.a{display:none}}",
    "nested with its parent": ".a{&[data-x]{display:none}}",
    "a layer": "@layer x{.a{display:none}}",
    "a later layer": "@layer y,x;@layer x{.a{display:none}}@layer y{.a{display:block}}",
    "a screen": "@media screen{.a{display:none}}",
    "not print": "@media not print{.a{display:none}}",
    "a window": "@media (min-width:1px){.a{display:none}}",
    "a window by range": "@media (1px<=width){.a{display:none}}",
    "what browsers have": "@supports (display:grid){.a{display:none}}",
    "an import with its text": '@import url("data:text/css,.a{display:none}");',
    "a variable": ":root{--d:none}.a{display:var(--d)}",
    "a registered variable": "@property --c{syntax:'*';inherits:true;initial-value:white}.a{color:var(--c)}",
    "white": ".a{color:#fff}",
    "white for all": "*{color:#fff}h1,h6{color:#000}",
    "inherited white": "div{color:#fff}.a{color:inherit}",
    "far to the left": ".a{position:absolute;left:-9999px}",
    "for screen readers": ".a{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip:rect(0,0,0,0)}",
    "a pixel": ".a{font-size:1px}",
    "rows without height": "div{display:grid;grid-template-rows:0fr}.a{overflow:hidden}",
    "in a box without height": "div{height:0;overflow:hidden}",
    "the sheet over an attribute": "td{background:#fff}.a{color:#fff}",
    "importance": ".a{display:none!important}#i{display:block}",
    "weight": "p.a{display:none}.a{display:block}",
    "the last of a rule": ".a{display:block;display:none}",
    "a lie in a comment": "/*.a{*/.a{display:none}",
    "after nonsense": "a{color:}}] .a{display:none} .a{display:none}",
}
DOUBTFUL_SHEETS = {
    "until it is aimed at": ".a{display:none}.a:target{display:block}",
    "until a mouse comes": ".a{visibility:hidden}div:hover .a{visibility:visible}",
    "until a box is ticked": ".a{display:none}b:checked~.a{display:block}",
    "on a desk alone": "@media (min-width:600px){.a{display:none}}",
    "on a phone it is not": ".a{display:none}@media (max-width:600px){.a{display:block}}",
    "until it moves": "@keyframes f{to{opacity:1}}.a{opacity:0;animation:f 1s forwards}",
    "by what is in it": "div:has(b) .a{display:none}",
    "by what it is in": "@container (width>9px){.a{display:none}}",
}
SEEN_SHEETS = {
    "taken back later": ".a{display:none}.a{display:block}",
    "taken back by weight": "#i{display:block}.a{display:none}",
    "for print": "@media print{.a{display:none}}",
    "for a phone": "@media (max-width:600px){.a{display:none}}",
    "for a window of no width": "@media (max-width:9px){.a{display:none}}",
    "for a mouse": ".a:hover{display:none}",
    "where the place is another": ".b .a{display:none}.c>.a{display:none}h1+.a{display:none}",
    "before it": ".a::before{display:none}",
    "in a layer that yields": "@layer x{.a{display:none}}.a{display:block}",
    "a value that is none": ".a{display:nones}",
    "a selector that is none": ".a,::{display:none}",
    "what no browser has": "@supports (-moz-appearance:none){.a{display:none}}",
    "in the dark": "@media (prefers-color-scheme:dark){.a{color:#fff}}",
    "a clip without a position": ".a{clip:rect(0,0,0,0)}",
    "no height, but nothing cut": ".a{height:0}",
    "a line without box": "span{height:0;overflow:hidden;transform:scale(0)}",
    "out of the box without height": "div{height:0;overflow:hidden}.a{position:absolute}",
    "a ground of variables": ":root{--g:#112}.a{background:var(--g);color:#fff}",
    "a gradient in letters": ".a{background:linear-gradient(red,blue);-webkit-background-clip:text;color:transparent}",
    "margins that padding makes good": ".a{margin-left:-9999px;padding-left:9999px}",
    "in the middle": ".a{position:absolute;left:50%;top:50%;transform:translate(-50%,-50%)}",
}
INSIDE = f"<div><b>seen</b><i>seen</i><p class=a id=i data-x=1><span>{MARKER}</span></p></div>"


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS)
def test_text_is_hidden_by_a_style_sheet(sheet: str) -> None:
    assert page_sight(ruled(sheet, INSIDE)) == "hidden"


@pytest.mark.parametrize("sheet", DOUBTFUL_SHEETS.values(), ids=DOUBTFUL_SHEETS)
def test_what_is_hidden_for_now_is_shown_and_doubtful(sheet: str) -> None:
    assert page_sight(ruled(sheet, INSIDE)) == "doubtful"


@pytest.mark.parametrize("sheet", SEEN_SHEETS.values(), ids=SEEN_SHEETS)
def test_a_style_sheet_that_hides_nothing_on_a_screen_hides_nothing(sheet: str) -> None:
    assert page_sight(ruled(sheet, INSIDE)) == "shown"


ELEMENTS = {
    "hidden": "<p hidden>UNSEEN</p>",
    "HIDDEN": "<P HIDDEN>UNSEEN</P>",
    "until found": "<p hidden=until-found>UNSEEN</p>",
    "an entity in its style": '<p style="dis&#112;lay:none">UNSEEN</p>',
    "closed details": "<details><summary>seen</summary>UNSEEN</details>",
    "an element of closed details": "<details><summary>seen</summary><p>UNSEEN</p></details>",
    "a second summary": "<details><summary>seen</summary><summary>UNSEEN</summary></details>",
    "a dialog": "<dialog>UNSEEN</dialog>",
    "a popover": "<div popover>UNSEEN</div>",
    "noembed": "<noembed>UNSEEN</noembed>",
    "brackets of ruby": "<ruby>seen<rp>UNSEEN</rp><rt>x</rt></ruby>",
    "a font": "<font color=white>UNSEEN</font>",
    "a font by numbers": "<font color=ffffff>UNSEEN</font>",
    "a body": "<body text=white>UNSEEN",
    "a table's ground": "<table bgcolor=red><tr><td style='color:red'>UNSEEN</table>",
    "a sheet over bgcolor": "<style>td{background:#fff}</style>"
    "<table><td bgcolor=black style='color:#fff'>UNSEEN</table>",
    "marked in its own colour": "<mark style='color:yellow'>UNSEEN</mark>",
    "a row": "<table><tr><td>seen<tr hidden><td>UNSEEN</table>",
    "under an opaque box": "<div style='background:#fff'><p style='position:relative;z-index:-1'>UNSEEN</p></div>",
    "a drawing's definitions": "<svg><defs><text y=9>UNSEEN</text></defs></svg>",
    "a drawing without size": "<svg width=0 height=0><text y=9>UNSEEN</text></svg>",
    "above a drawing": "<svg><text>UNSEEN</text></svg>",
    "words of a drawing in no colour": "<svg><text y=9 fill=none>UNSEEN</text></svg>",
    "a title of a drawing": "<svg><title>UNSEEN</title></svg>",
    "a title in the page": "<p>seen<title>UNSEEN</title>",
    "a small's small": "<small>" * 14 + "UNSEEN" + "</small>" * 14,
    "a class of another case, in an old page": "<style>.A{display:none}</style><p class=a>UNSEEN",
    "a sheet with its text in its address": "<link rel=stylesheet href='data:text/css;base64,"
    "LmF7ZGlzcGxheTpub25lfQ=='><p class=a>UNSEEN",
    "on a dark canvas": "<html style='color-scheme:dark'><p style='color:#121212'>UNSEEN",
}
ABSENT = {
    "noframes": "<noframes>UNSEEN</noframes>seen",
    "a list of data": "<input list=d><datalist id=d><option>UNSEEN</datalist>seen",
    "a comment": "<!-- UNSEEN -->seen",
    "a template": "<template>UNSEEN</template>seen",
    "noscript": "<noscript>UNSEEN</noscript>seen",
    "a script": "<script>UNSEEN</script>seen",
    "instead of a frame": "<iframe>UNSEEN</iframe>seen",
    "instead of a video": "<video>UNSEEN</video>seen",
    "a canvas": "<canvas>UNSEEN</canvas>seen",
    "a hidden field": "<input type=hidden value=UNSEEN>seen",
    "a password": "<input type=password value=UNSEEN>seen",
    "another option": "<select><option>UNSEEN<option selected>seen</select>",
    "a tooltip": "<p title=UNSEEN>seen</p>",
    "data of an element": "<p data-total=UNSEEN aria-label=UNSEEN>seen</p>",
    "a meter": "<meter value=1>UNSEEN</meter>seen",
    "a hint in a field": "<input placeholder=UNSEEN>seen",
    "a page's description": "<meta name=description content=UNSEEN>seen",
}
DOUBTFUL_ELEMENTS = {
    "words for a picture": "<img alt='UNSEEN' src=a.png>",
    "under a picture": "<div style='position:relative'>UNSEEN"
    "<img style='position:absolute;left:0;top:0;width:600px'></div>",
    "under a cover": "<div style='position:relative'>UNSEEN"
    "<div style='position:absolute;inset:0;background:#fff'></div></div>",
    "below another": "<p style='position:absolute;z-index:-1'>UNSEEN<div style='background:#fff'>seen</div>",
    "white over a picture": "<div style='position:relative'><img><p style='position:absolute;color:#fff'>UNSEEN</div>",
    "white on an unknown ground": "<link rel=stylesheet href=a.css><p style='color:#fff'>UNSEEN",
    "white on a picture": "<div style='background:url(a.png)'><p style='color:#fff'>UNSEEN</div>",
}
SEEN_ELEMENTS = {
    "hidden from screen readers": "<p aria-hidden=true>UNSEEN</p>",
    "inert": "<p inert>UNSEEN</p>",
    "open details": "<details open><summary>a</summary>UNSEEN</details>",
    "an open dialog": "<dialog open>UNSEEN</dialog>",
    "shown in spite of hidden": "<p hidden style='display:block'>UNSEEN</p>",
    "a link in a white text": "<div style='color:#fff'><a href=a>UNSEEN</a></div>",
    "taken back": "<div style='visibility:hidden;font-size:0'>"
    "<p style='visibility:visible;font-size:1rem'>UNSEEN</div>",
    "a table in an old page": "<div style='font-size:0'><table><tr><td>UNSEEN</table></div>",
    "a button": "<style>.b{background:#06c;color:#fff}</style><button class=b>UNSEEN</button>",
    "a drawing": "<svg><text y=9>UNSEEN</text></svg>",
    "a moved drawing": "<svg><g transform='translate(9,9)'><text>UNSEEN</text></g></svg>",
    "a cell of no width": "<table><tr><td style='width:0;overflow:hidden'>UNSEEN</table>",
}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        *((source, "hidden") for source in ELEMENTS.values()),
        *((source, "absent") for source in ABSENT.values()),
        *((source, "doubtful") for source in DOUBTFUL_ELEMENTS.values()),
        *((source, "shown") for source in SEEN_ELEMENTS.values()),
    ],
    ids=[*ELEMENTS, *ABSENT, *DOUBTFUL_ELEMENTS, *SEEN_ELEMENTS],
)
def test_elements_are_seen_as_a_browser_shows_them(source: str, found: str) -> None:
    assert page_sight(source) == found


def words_of(page: Any, attribute: str) -> set[str]:
    """The words within elements of a page that have the attribute."""
    found: set[str] = set()
    stack = [(page.root, False)]
    while stack:
        node, within = stack.pop()
        within = within or attribute in (getattr(node, "attrs", None) or {})
        if node.name == "#text" and within:
            found |= set(node.data.split())
        stack += [(child, within) for child in getattr(node, "children", None) or ()]
    return found


@pytest.mark.parametrize("path", HONEST, ids=lambda path: path.stem)
def test_nothing_that_a_reader_sees_of_an_honest_page_is_hidden(path: Path) -> None:
    """Elements of the pages that are not seen at first say so: data-unseen, data-doubtful."""
    source = path.read_text(encoding="utf-8")
    page = JustHTML(source, track_node_locations=True, sanitize=False)
    document = parse_html(source, path.name)
    hidden, doubtful = words_of(page, "data-unseen"), words_of(page, "data-doubtful")
    signs = {"☑", "☐", "●", "○", "|", *("#" * n for n in range(1, 7))}
    assert {word for text in texts(document, document.hidden) for word in text.split()} == hidden
    assert {word for text in texts(document, document.doubtful) for word in text.split()} - signs == doubtful


def test_there_are_a_dozen_honest_pages() -> None:
    assert len(HONEST) == 12


def test_a_sheet_without_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_STYLE_RULES", 60)
    many = "".join(f".c{i} {{ display: none }}" for i in range(60))
    document = parse_html(f"<style>{many}</style><p class=c3>x<p class=c59>y", "b")
    assert texts(document, document.hidden) == ["x"]
    assert [(u.part, u.reason) for u in document.unread] == [("style sheets", "too large")]
    document = parse_html(f"<style>p {{ display: none }}{' ' * MAX_STYLE_CHARACTERS}</style><p>y", "c")
    assert not document.hidden and [u.part for u in document.unread] == ["style sheets"]


def test_a_page_says_that_sheets_were_not_fetched() -> None:
    assert "not fetched" in parse_html("<link rel=stylesheet href=a.css><p>y", "a").notes[0]
    assert not parse_html("<link rel=stylesheet href=a.css media=print><link rel=icon href=a.ico><p>y", "a").notes


def test_variables_that_multiply_are_not_filled_in() -> None:
    laughs = "".join(f"--l{i}:{f'var(--l{i - 1}) ' * 10};" for i in range(1, 10))
    assert (
        page_sight(f"<style>:root{{--l0:none;{laughs}}}.a{{display:var(--l9)}}</style><p class=a>{MARKER}") == "shown"
    )
    assert page_sight("<style>.a{--x:var(--y);--y:var(--x);display:var(--x)}</style><p class=a>UNSEEN") == "shown"


STYLE_PIECES = [
    *"ap.#{}:;,>+~*()[]!&\\\"' \n0%-",
    "display:none",
    "@media",
    "@layer",
    "color",
    "var(--a)",
    ":not(",
    "calc(",
]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(STYLE_PIECES), max_size=40))
def test_no_style_breaks_the_reader(pieces: list[str]) -> None:
    style = "".join(pieces)
    source = f"<style>{style}</style><p class=a id=p style='{style.replace(chr(39), '')}'>words"
    assert "words" in parse_html(source, "a").text


def count_steps(source: str) -> int:
    return compute_looks(JustHTML(source, sanitize=False).root).steps


RULES = "".join(f".c{i} .d{i % 7} > a:hover, b ~ .c{i}[data-x] {{ color: red }}" for i in range(60))


@pytest.mark.parametrize(
    "piece",
    ["<div class=c1>", "<p class=d1>x</p>", "<table><tr><td class=c2>", "<b class=c9><a href=x>x</a></b>"],
)
def test_holding_rules_against_elements_takes_steps_in_proportion_to_both(piece: str) -> None:
    once, twice = (count_steps(f"<style>{RULES}</style>" + piece * n) for n in (100, 200))
    assert twice < 2.2 * once
    assert once < 100 * 2 * 200


def test_a_page_of_six_thousand_elements_within_each_other_is_read() -> None:
    source = f"<style>{RULES} div div .c1 {{ color: #fff }}</style>" + "<div class=c1>" * 6000 + "deep"
    assert parse_html(source, "a").text == "deep"
    assert page_sight(source, "deep") == "hidden"


def test_words_are_found_where_the_source_has_them_also_in_attributes() -> None:
    source = '<p>a&amp;b <input value="x &lt; y"> <a href="https://e.example/?a=1&amp;b=2">link</a>'
    source += '<img alt="A &quot;B&quot;">'
    document = parse_html(source, "a")
    assert document.locations is not None
    for words, there in (
        ("a&b", "a&amp;b"),
        ("x < y", "x &lt; y"),
        ("https://e.example/?a=1&b=2", "https://e.example/?a=1&amp;b=2"),
        ('A "B"', "A &quot;B&quot;"),
    ):
        start = document.text.index(words)
        (place,) = document.locations.locate(Span(start, start + len(words)))
        assert source[place["source"]["start"] : place["source"]["end"]] == there
    assert re.search("link \\(https://e", document.text)
