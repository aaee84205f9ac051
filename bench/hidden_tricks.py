"""How many tricks of hiding text are caught: the 87 of web pages by the names that they were collected under, and for
each other format those of its tests, which have all the names that were collected and cousins of them.

    PYTHONPATH=.:tests python bench/hidden_tricks.py

Caught is what no model is shown: hidden, or not in the text at all. What is shown and marked doubtful is counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import test_markdown
import test_pdf_visibility
import test_spreadsheets
import test_word
import tiny_pdf
import tiny_xlsx

from extractor.documents.discovery import load_bytes
from extractor.errors import DocumentError
from extractor.types import Span

X = "UNSEEN"
FAR = "position:absolute;"


def _style(css: str) -> str:
    return f'<p style="{css}">{X}</p>'


def _sheet(css: str, page: str = f"<div><p class=a hid>{X}</p></div>") -> str:
    return f"<style>{css}</style>{page}"


BY_STYLE = {
    "display:none": "display:none",
    "display:none!important": "display:none!important",
    "display:/**/none": "display:/**/none",
    "visibility": "visibility:hidden",
    "opacity:0": "opacity:0",
    "opacity:0.01": "opacity:0.01",
    "opacity:0%": "opacity:0%",
    "filter:opacity(0)": "filter:opacity(0)",
    "font-size:0": "font-size:0",
    "font-size:1px": "font-size:1px",
    "font-size:.1em": "font-size:.1em",
    "font-size:0.5pt": "font-size:0.5pt",
    "font:0/0 a": "font:0/0 a",
    "zoom:0": "zoom:0",
    "white #fff": "color:#fff",
    "color #fefefe": "color:#fefefe",
    "color rgb(255 255 255)": "color:rgb(255 255 255)",
    "color hsl": "color:hsl(0 0% 100%)",
    "color Canvas": "color:Canvas",
    "color rgba(0,0,0,0)": "color:rgba(0,0,0,0)",
    "color #0000": "color:#0000",
    "-webkit-text-fill-color": "-webkit-text-fill-color:transparent",
    "black on black": "color:#000;background:#000",
    "red on red": "color:red;background:red",
    "left:-9999px": FAR + "left:-9999px",
    "left:-999px": FAR + "left:-999px",
    "left:-100vw": FAR + "left:-100vw",
    "right:110%": FAR + "right:110%",
    "margin-left:-9999px": "margin-left:-9999px",
    "transform scale(0)": "transform:scale(0)",
    "transform translate": "transform:translateX(-9999px)",
    "clip rect(0 0 0 0)": FAR + "clip:rect(0 0 0 0)",
    "clip-path": "clip-path:inset(50%)",
    "height0 overflow": "height:0;overflow:hidden",
    "max-height0": "max-height:0;overflow:hidden",
    "width1px": "width:1px;height:1px;overflow:hidden",
    "text-indent": "text-indent:-9999px",
    "content-visibility": "content-visibility:hidden",
    r"escape d\69splay": r"d\69splay:none",
    "DISPLAY : NONE": "DISPLAY : NONE",
    "entity in style": "dis&#112;lay:none",
    "inert+visibility collapse": "visibility:collapse",
    "mask": "mask-image:linear-gradient(transparent,transparent)",
    "line-height0": "line-height:0;overflow:hidden",
    "letter-spacing": "letter-spacing:-2em",
}
BY_SHEET = {
    "css .a{display:none}": ".a{display:none}",
    "css [hid]{display:none}": "[hid]{display:none}",
    "css div .a{display:none}": "div .a{display:none}",
    "css p:first-child": "p:first-child{display:none}",
    "css .a{color:#fff}": ".a{color:#fff}",
    "css .a{left:-9999px}": ".a{position:absolute;left:-9999px}",
    "css .sr-only clip": ".a{position:absolute;width:1px;height:1px;overflow:hidden;clip:rect(0,0,0,0)}",
    "css .a{font-size:1px}": ".a{font-size:1px}",
    "css @import": '@import url("data:text/css,.a{display:none}");',
    "css var": ":root{--d:none}.a{display:var(--d)}",
    "css @media screen": "@media screen{.a{display:none}}",
    "css @media (min-width:1px)": "@media (min-width:1px){.a{display:none}}",
    "css nested": "div{.a{display:none}}",
    "css @layer": "@layer x{.a{display:none}}",
}
BY_ELEMENT = {
    "hidden attr": f"<p hidden>{X}</p>",
    "aria-hidden": f"<p aria-hidden=true>{X}</p>",
    "<font color=white>": f"<font color=white>{X}</font>",
    "<font color=#ffffff>": f"<font color=#ffffff>{X}</font>",
    "body text=white": f"<body text=white>{X}",
    "z-index -1 under": f"<div style='background:#fff'><p style='position:relative;z-index:-1'>{X}</p></div>",
    "details closed": f"<details><summary>seen</summary>{X}</details>",
    "template": f"<template>{X}</template>",
    "noscript": f"<noscript>{X}</noscript>",
    "comment": f"<!-- {X} -->",
    "dialog closed": f"<dialog>{X}</dialog>",
    "input hidden": f"<input type=hidden value={X}>",
    "textarea hidden": f"<textarea hidden>{X}</textarea>",
    "option": f"<select><option>{X}<option selected>seen</select>",
    "datalist": f"<input list=d><datalist id=d><option>{X}</datalist>",
    "rp": f"<ruby>seen<rp>{X}</rp><rt>x</rt></ruby>",
    "alt": f"<img alt={X} src=a.png>",
    "title attr": f"<p title={X}>seen</p>",
    "popover": f"<div popover>{X}</div>",
    "noembed": f"<noembed>{X}</noembed>",
    "noframes": f"<noframes>{X}</noframes>",
    "frameset": f"<frameset><noframes>{X}</noframes></frameset>",
    "bgcolor black + style white sheet": "<style>td{background:#fff}</style>"
    f"<table><td bgcolor=black style='color:#fff'>{X}</table>",
    "mark in svg": f"<svg><defs><text y=9>{X}</text></defs></svg>",
    "all caps attr HIDDEN": f"<P HIDDEN>{X}</P>",
    "hidden=until-found": f"<p hidden=until-found>{X}</p>",
    "writing behind img": f"<div style='position:relative'>{X}"
    "<img style='position:absolute;left:0;top:0;width:600px'></div>",
    "color:inherit trick": f"<div style='color:#fff'><p style='color:inherit'>{X}</p></div>",
}


def list_pages() -> dict[str, str]:
    """The tricks of web pages, by the names that they were collected under."""
    return {
        **{name: _style(css) for name, css in BY_STYLE.items()},
        **{name: _sheet(css) for name, css in BY_SHEET.items()},
        **BY_ELEMENT,
    }


def judge(data: bytes, name: str, unseen: str) -> str:
    """What became of the words: caught, doubtful or through."""
    try:
        document = load_bytes(data, name)
    except DocumentError:
        return "caught"  # nothing else is in it
    if unseen not in document.visible_text(Span(0, len(document.text))):
        return "caught"
    start = document.text.index(unseen)
    return "doubtful" if document.is_doubtful(Span(start, start + len(unseen))) else "through"


def count(title: str, files: Mapping[str, tuple[bytes, str, str]]) -> None:
    """Prints how many of them are caught, and the others by name."""
    verdicts = {name: judge(*file) for name, file in files.items()}
    tally = Counter(verdicts.values())
    print(
        f"{title}: {tally['caught']} of {len(files)} caught, {tally['doubtful']} doubtful, {tally['through']} through"
    )
    for name, verdict in verdicts.items():
        if verdict != "caught":
            print(f"    {verdict}: {name}")


def main() -> None:
    pages = {name: (f"<!doctype html><h1>seen</h1>{page}".encode(), "a.html", X) for name, page in list_pages().items()}
    count("HTML", pages)
    notes = {name: (text.encode(), "a.md", X) for name, text in test_markdown.TRICKS.items()}
    count("Markdown", notes)
    drawn = test_pdf_visibility.TRICKS.items()
    count("PDF", {name: (tiny_pdf.write([page], parts=parts), "a.pdf", "SECRET") for name, (page, parts) in drawn})
    texts = test_word.TRICKS.items()
    count("DOCX", {name: (test_word.write(block, styles=test_word.STYLES), "a.docx", "x9") for name, block in texts})
    books = test_spreadsheets.TRICKS.items()
    count("XLSX", {name: (tiny_xlsx.write(fill), "a.xlsx", "x9") for name, fill in books})


if __name__ == "__main__":
    main()
