"""Parts of a page's style: conditions and windows, selectors and what they fit, lengths, colours and shapes."""

import pytest
from tinycss2 import parse_component_value_list
from web_text import page_sight

from extractor.documents.formats.html import parse_html
from extractor.documents.formats.styles.holds import Holds
from extractor.documents.formats.styles.media import evaluate_media, evaluate_supports
from extractor.documents.formats.styles.sheets import MAX_STYLE_CHARACTERS
from extractor.documents.formats.styles.shorthands import parse_old_colour
from extractor.documents.formats.styles.values import Ink, Length, parse_colour, parse_length, parse_number

ALWAYS, NOW, LATER, NEVER = Holds.ALWAYS, Holds.NOW, Holds.LATER, Holds.NEVER


@pytest.mark.parametrize(
    ("query", "held"),
    [
        ("", ALWAYS),
        ("all", ALWAYS),
        ("screen, print", ALWAYS),
        ("print", NEVER),
        ("not screen", NEVER),
        ("not print", ALWAYS),
        ("only screen and (min-width: 1px)", ALWAYS),
        ("(min-width: 900px)", NOW),
        ("(max-width: 900px)", LATER),
        ("(min-width: 5000px)", NEVER),
        ("(width: 1280px)", NOW),
        ("(min-width: 40em) and (max-width: 100em)", NOW),
        ("(min-width: 900px) or (max-width: 1px)", NOW),
        ("not (min-width: 900px)", LATER),
        ("((min-width: 900px))", NOW),
        ("(400px <= width <= 2000px)", NOW),
        ("(width < 600px)", LATER),
        ("(600px > width)", LATER),
        ("(height >= 1px)", ALWAYS),
        ("(min-height: 700px)", NOW),
        ("(orientation: landscape)", NOW),
        ("(orientation: portrait)", LATER),
        ("(prefers-color-scheme: dark)", LATER),
        ("(prefers-color-scheme: light)", NOW),
        ("(prefers-reduced-motion)", LATER),
        ("(hover: hover)", NOW),
        ("(hover)", NOW),
        ("(color)", ALWAYS),
        ("(monochrome)", NEVER),
        ("(-webkit-min-device-pixel-ratio: 0)", ALWAYS),
        ("(min-resolution: 2dppx)", LATER),
        ("(max-resolution: 192dpi)", NOW),
        ("(min-aspect-ratio: 1/1)", NOW),
        ("(update: no-such-word)", NEVER),
        ("(no-such-feature: 1)", LATER),
        ("(width > no)", LATER),
        ("()", LATER),
        ("no-such-medium", NEVER),
        ("(" * 40 + "min-width: 1px" + ")" * 40, LATER),
    ],
)
def test_a_media_query_holds_in_some_windows_or_in_all(query: str, held: Holds) -> None:
    assert evaluate_media(parse_component_value_list(query)) is held


@pytest.mark.parametrize(
    ("query", "held"),
    [
        ("(display: grid)", ALWAYS),
        ("not (display: grid)", NEVER),
        ("(display: grid) and (gap: 1px)", ALWAYS),
        ("(--a: 1)", ALWAYS),
        ("(-moz-appearance: none)", NEVER),
        ("(no-such-property: 1)", NOW),
        ("selector(:has(a))", NOW),
    ],
)
def test_a_feature_query_holds_where_browsers_have_the_feature(query: str, held: Holds) -> None:
    assert evaluate_supports(parse_component_value_list(query)) is held


PLACE = (
    "<div><p lang=en-GB data-x='One two' class='a b' id=i>UNSEEN</p><input disabled><input required>"
    "<details open><summary>s</summary></details><b></b></div><i>seen</i>"
)


@pytest.mark.parametrize(
    "selector",
    [
        "p",
        "P",
        "*|p",
        "p.a.b#i",
        "[data-x]",
        "[data-x='One two']",
        "[data-x~=two]",
        "[data-x^=One]",
        "[data-x$=two]",
        "[data-x*='e t']",
        "[data-x='one TWO' i]",
        "[lang|=en]",
        "[LANG]",
        "p:first-child",
        "p:nth-child(odd)",
        "p:nth-last-child(5)",
        "p:nth-last-of-type(1)",
        "p:only-of-type",
        "p:first-of-type:last-of-type",
        "div > p",
        "body div p",
        "html > body > div > :first-child",
        ":root p",
        "p:not(:empty)",
        "p:not(.c, #j)",
        "p:is(.c, .a)",
        "p:matches(.a)",
        "div:not(:only-child) > p",
        "p:defined",
        "p:not(:hover)",
        "p:not(:checked):not(:disabled)",
        "x, p",
        ":is(::nonsense, p)",
    ],
)
def test_a_selector_fits_the_paragraph(selector: str) -> None:
    found = page_sight(f"<!doctype html><style>{selector} {{ display: none }}</style>{PLACE}")
    assert found in ("hidden", "doubtful")
    assert page_sight(f"<!doctype html><style>{selector} {{ display: none }}</style>{PLACE}", "seen") == "shown"


@pytest.mark.parametrize(
    "selector",
    [
        "q",
        "p.c",
        "p#j",
        "#i#j",
        "[data-y]",
        "[data-x=one]",
        "[data-x~='One two']",
        "[data-x^='']",
        "[data-x!=a]",
        "[lang|=e]",
        "p:empty",
        "p:last-child",
        "p:nth-child(2)",
        "p:nth-child(even)",
        "p:only-child",
        "div ~ p",
        "b + p",
        "p > p",
        "p p",
        ":root > p",
        "p:is()",
        "p:hover",
        "p::before",
        "p:before",
        "p::no-such",
        "p, ::no-such",
        "p, :no-such",
        "p >",
        "> p",
        "p > > div",
        "p,",
        "p..a",
        "p[",
        "p:link",
        "p:disabled",
        "p:required",
        "p:read-write",
        "p:open",
        "p:not(p)",
        "p:not(:no-such)",
    ],
)
def test_a_selector_does_not_fit_the_paragraph(selector: str) -> None:
    assert page_sight(f"<!doctype html><style>{selector} {{ display: none }}</style>{PLACE}") == "shown"


@pytest.mark.parametrize(
    ("selector", "source"),
    [
        ("input:disabled + b", "<input disabled><b>UNSEEN</b>"),
        ("input:enabled + b", "<input><b>UNSEEN</b>"),
        ("input:required + b", "<input required><b>UNSEEN</b>"),
        ("input:read-only + b", "<input readonly><b>UNSEEN</b>"),
        ("a:any-link", "<a href=x>UNSEEN</a>"),
        ("details:open b", "<details open><summary>a</summary><b>UNSEEN</b></details>"),
        ("i:empty ~ b", "<i><!-- x --></i><u></u><b>UNSEEN</b>"),
        ("div:only-child b", "<div><b>UNSEEN</b></div>"),
        ("li:nth-child(3n+2) b", "<ul><li>a<li><b>UNSEEN</b></ul>"),
        ("li:nth-last-child(-n+2) b", "<ul><li>a<li><b>UNSEEN</b><li>c</ul>"),
    ],
)
def test_a_selector_asks_for_states_that_the_page_says(selector: str, source: str) -> None:
    assert page_sight(f"<!doctype html><style>{selector} {{ display: none }}</style>{source}") == "hidden"


@pytest.mark.parametrize(
    ("written", "length"),
    [
        ("0", Length()),
        ("12px", Length(12)),
        ("9pt", Length(12)),
        ("1in", Length(96)),
        ("2em", Length(40)),
        ("2rem", Length(32)),
        ("10vw", Length(128)),
        ("10vmin", Length(80)),
        ("10dvh", Length(80)),
        ("50%", Length(0, 50)),
        ("calc(100% - 20px)", Length(-20, 100)),
        ("calc((1px + 2px) * 3)", Length(9)),
        ("calc(6px / 3)", Length(2)),
        ("calc(1px / 0)", None),
        ("calc(2px * 3px", Length(0)),
        ("min(1px, 2px)", Length(1)),
        ("clamp(1px, 5px, 3px)", Length(3)),
        ("auto", None),
        ("1px 2px", None),
        ("1parsec", None),
        ("calc(no)", None),
        ("round(1px)", None),
        ("calc(" * 40 + "1px" + ")" * 40, None),
    ],
)
def test_lengths_are_pixels_and_shares(written: str, length: Length | None) -> None:
    assert parse_length(parse_component_value_list(written), 20.0) == length


def test_numbers_are_shares_or_angles() -> None:
    for written, number in (("50%", 0.5), (".25", 0.25), ("0.5turn", 180), ("1px", None), ("no", None)):
        assert parse_number(parse_component_value_list(written)) == number


@pytest.mark.parametrize(
    ("written", "channels"),
    [
        ("white", (255, 255, 255)),
        ("rgb(1 2 3)", (1, 2, 3)),
        ("hsl(120 100% 50%)", (0, 255, 0)),
        ("oklch(0 0 0)", (0, 0, 0)),
        ("lab(100 0 0)", (255, 255, 255)),
        ("color(display-p3 1 1 1)", (255, 255, 255)),
        ("color-mix(in srgb, black 25%, white)", (191, 191, 191)),
        ("color-mix(in srgb, black, white 25%)", (64, 64, 64)),
        ("LinkText", (0, 0, 237)),
        ("CanvasText", (0, 0, 0)),
        ("light-dark(white, black)", (255, 255, 255)),
        ("color-mix(in srgb, black)", None),
        ("color-mix(in srgb, nonsense, black)", None),
        ("nonsense", None),
        ("rgb(from red r g b)", None),
        ("red blue", None),
    ],
)
def test_colours_of_any_kind_are_known(written: str, channels: tuple[int, int, int] | None) -> None:
    ink = parse_colour(parse_component_value_list(written))
    assert (ink.as_bytes() if isinstance(ink, Ink) else None) == channels


def test_colours_of_the_system_are_others_in_the_dark() -> None:
    for word in ("Canvas", "CanvasText", "LinkText"):
        light, dark = (parse_colour(parse_component_value_list(word), dark) for dark in (False, True))
        assert isinstance(light, Ink) and isinstance(dark, Ink) and light != dark


@pytest.mark.parametrize(
    ("written", "colour"),
    [
        ("white", "white"),
        ("#fff", "#fff"),
        ("FFFFFF", "#FFFFFF"),
        ("chucknorris", "#c00000"),
        ("#12345678", "#124578"),
        ("", ""),
        ("transparent", ""),
        ("zz", "#000000"),
    ],
)
def test_colours_of_old_attributes_are_read_as_browsers_do(written: str, colour: str) -> None:
    assert parse_old_colour(written).lower() == colour.lower()


SHAPES = {
    "clip-path:xywh(0 0 0 5px)": "hidden",
    "clip-path:rect(0 0 9px 0)": "hidden",
    "clip-path:rect(0 99% 99% 0)": "shown",
    "clip-path:path('M0 0')": "hidden",
    "clip-path:path('M0 0 L9 9 Z')": "shown",
    "clip-path:inset(0 100% 0 0)": "hidden",
    "clip-path:inset(5px 10% round 4px)": "shown",
    "clip-path:inset(0 60% 0 60%)": "hidden",
    "clip-path:ellipse(0 9px at 0 0)": "hidden",
    "clip-path:circle(50%)": "shown",
    "clip-path:url(#a)": "doubtful",
    "position:absolute;clip:rect(0,99px,99px,0)": "shown",
    "transform:translate3d(-5000px,0,0)": "hidden",
    "transform:translateX(-9999px)": "hidden",
    "transform:scaleX(0)": "hidden",
    "transform:scale(1,1) rotate(5deg)": "shown",
    "transform:matrix3d(0,0,0,0,0,0,0,0,0,0,1,0,0,0,0,1)": "hidden",
    "rotate:x 90deg": "hidden",
    "filter:contrast(0)": "doubtful",
    "filter:drop-shadow(0 0 2px red)": "shown",
    "filter:alpha(opacity=0)": "shown",
    "mask-image:linear-gradient(black,transparent)": "shown",
    "margin:0 0 0 -9999px": "hidden",
    "margin:-9999px 0": "hidden",
    "inset:auto 110% auto auto;position:absolute": "hidden",
    "position:absolute;bottom:120%": "hidden",
    "position:fixed;right:-900px": "hidden",
    "position:absolute;left:0;transform:translateX(-100%)": "hidden",
    "position:absolute;left:300px;transform:translateX(-100%)": "doubtful",
    "position:absolute;left:-260px;width:260px": "hidden",
    "position:absolute;left:-700px;width:2000px": "doubtful",
    "overflow:hidden;height:0;padding-bottom:40px": "shown",
    "overflow:hidden;height:0;min-height:20px": "shown",
    "overflow:hidden;height:0%": "shown",
    "overflow:hidden;width:0%": "hidden",
    "font:italic small-caps bold 12px/2 serif": "shown",
    "font:caption": "shown",
    "font-size:larger": "shown",
    "background:no-repeat url(a.png) #000;color:#000": "doubtful",
    "background:currentcolor;color:#123": "hidden",
    "-webkit-text-stroke:1px black;color:#fff": "doubtful",
    "text-shadow:none;color:#fff": "hidden",
    "color:initial;background:#000": "hidden",
    "opacity:initial": "shown",
    "word-spacing:-9em": "doubtful",
}


@pytest.mark.parametrize(("style", "found"), SHAPES.items(), ids=SHAPES)
def test_place_and_shape_decide_what_is_seen(style: str, found: str) -> None:
    assert page_sight(f'<!doctype html><p>seen</p><p style="{style}">UNSEEN words</p><p>seen</p>') == found


def test_a_style_that_is_longer_than_the_bound_is_named() -> None:
    document = parse_html("<p style='color:red;" + "x" * MAX_STYLE_CHARACTERS + "'>a<p style='color:blue'>b", "a")
    assert [u.reason for u in document.unread] == ["too large"]
