"""Markdown is read as it stands; what a page made of it does not show is hidden, what stands in code is shown."""

import os
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_text import MARKER, sight, texts

from extractor.documents.discovery import load_document
from extractor.documents.formats import markdown
from extractor.documents.formats.markdown import find_hidden_spans
from extractor.types import Document

CASES = Path(__file__).parent / "data" / "documents"
QUICK = "EXTRACTOR_TIMED" not in os.environ


def read(tmp_path: Path, text: str) -> Document:
    (tmp_path / "a.md").write_bytes(text.encode())
    document = markdown.load(tmp_path / "a.md", "a.md", False)
    assert document.text == text
    return document


@pytest.mark.parametrize(
    ("text", "unseen"),
    [
        # front matter is text that was written to be read
        ("---\ntitle: x\n---\n# Ada\n", []),
        ("+++\na = 1\n+++\nwords", []),
        ("---\ntitle: <!-- x -->\n---\n# Ada\n<!-- no -->", ["<!-- no -->"]),
        ("words\n\n---\n\nmore\n\n---\n", []),
        # comments
        ("a <!-- no --> b", ["<!-- no -->"]),
        ("<!-- a\n\nb --> c", ["<!-- a\n\nb -->"]),
        ("<!--> seen <!---> seen", ["<!-->", "<!--->"]),
        ("<!-- never closed\n\nmore", ["<!-- never closed\n\nmore"]),
        ("- a\n  <!-- b -->\n- c", ["<!-- b -->"]),
        ("<?php x ?> seen <!DOCTYPE x> seen", ["<?php x ?>", "<!DOCTYPE x>"]),
        (r"\<!-- seen --> and \\<!-- not -->", ["<!-- not -->"]),
        ("[//]: # (a note)\nwords", ["[//]: # (a note)"]),
        ("[comment]: <> (a note)\n\nwords", ["[comment]: <> (a note)"]),
        # code
        ("```html\n<!-- seen -->\n```\n<!-- not -->", ["<!-- not -->"]),
        ("`<!-- seen -->` and <!-- not -->", ["<!-- not -->"]),
        ("``a ` <!-- seen -->`` <!-- not -->", ["<!-- not -->"]),
        ("` alone <!-- not -->", ["<!-- not -->"]),
        ("~~~\n<!-- seen, never closed", []),
        ("    <!-- code -->\n\n<!-- not -->", ["<!-- not -->"]),
        ("words\n    <!-- no code below words -->", ["<!-- no code below words -->"]),
        ("1. a\n   ```\n   <!-- seen -->\n   ```\n2. b", []),
        ("> ```\n> <!-- seen -->\n> ```\n> <!-- not -->", ["<!-- not -->"]),
        ("- item\n\n      <!-- seen -->\n\n  <!-- not -->", ["<!-- not -->"]),
        ("<div>\n`<!-- not -->`\n</div>", ["<!-- not -->"]),
        # links and definitions
        ("[link]: https://a.example\nwords", ["[link]: https://a.example"]),
        ("see [link]\n\n[link]: https://a.example", []),
        ('see [x][Link]\n\n[link]: <a> "title"', [' "title"']),
        ("[a](http://x \"title\") and ![b](c 'title')", [' "title"', " 'title'"]),
        ("words[^1]\n\n[^1]: seen\n\n[^2]: not\n    nor this\n\nseen", ["[^2]: not\n    nor this\n"]),
        # tags
        ('<td data-x="no" colspan=2>a</td>', [' data-x="no"']),
        ('<a href="https://a.example" title="no">a</a>', [' title="no"']),
        ("1 < 2 and a > b <https://a.example>", []),
    ],
)
def test_what_a_page_made_of_markdown_does_not_show_is_hidden(tmp_path: Path, text: str, unseen: list[str]) -> None:
    document = read(tmp_path, text)
    assert texts(document, document.hidden) == unseen


TRICKS = {
    "a hidden element": "<p hidden>UNSEEN</p>\n\nseen",
    "a style over blank lines": '<div style="display:none">\n\nUNSEEN **x**\n\n</div>\n\nseen',
    "white": '<span style="color:white">UNSEEN</span> seen',
    "a font": "<font color=white>UNSEEN</font> seen",
    "tiny": '<sub style="font-size:0">UNSEEN</sub> seen',
    "closed details": "<details><summary>seen</summary>\n\nUNSEEN\n\n</details>",
    "a template": "<template>UNSEEN</template> seen",
    "a script": "<script>UNSEEN</script>\nseen",
    "a style sheet": "<style>.a{display:none}</style>\n\n<b class=a>UNSEEN</b> seen",
    "a comment": "seen <!-- UNSEEN -->",
    "a title": '[seen](https://a.example "UNSEEN")',
    "a title of a definition": '[seen][a]\n\n[a]: https://a.example "UNSEEN"',
    "a definition": "seen\n\n[UNSEEN]: https://a.example",
    "a footnote": "seen\n\n[^a]: UNSEEN",
    "an attribute": "<b data-a='UNSEEN'>seen</b>",
    "a table of HTML": "<table><tr><td>seen</td><td hidden>UNSEEN</td></tr></table>",
    "an element in a list": "- seen\n- <i style='opacity:0'>UNSEEN</i>",
    "after code with tags": "`<b hidden>` seen\n\n<b hidden>UNSEEN</b>",
}
DOUBTS = {
    "words for a picture": "![UNSEEN](a.png)",
    "a comment without an end in a line": "seen <!-- UNSEEN",
    "a cell without a name": "| a |\n|---|\n| 1 | UNSEEN |",
    "an element for a wide window": "<style>@media (min-width:900px){b{display:none}}</style>\n\n<b>UNSEEN</b>",
}
SEEN = {
    "code with a hiding tag": "`<b hidden>UNSEEN</b>`",
    "a fence with a hiding tag": "```\n<div hidden>\n```\nUNSEEN",
    "emphasis": "**UNSEEN**",
    "open details": "<details open><summary>a</summary>\n\nUNSEEN\n\n</details>",
    "a link's address": "[a](https://a.example/UNSEEN)",
    "a definition that is referred to": "[a]\n\n[a]: https://a.example/UNSEEN",
    "a cell": "| a | b |\n|---|---|\n| 1 | UNSEEN |",
    "a hidden element's neighbour": "<b hidden>x</b> UNSEEN",
    "signs that are no tags": "a <b c> d < UNSEEN",
    "hidden from screen readers": "<b aria-hidden=true>UNSEEN</b>",
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        *((text, "hidden") for text in TRICKS.values()),
        *((text, "doubtful") for text in DOUBTS.values()),
        *((text, "shown") for text in SEEN.values()),
    ],
    ids=[*TRICKS, *DOUBTS, *SEEN],
)
def test_words_are_seen_as_on_a_page_made_of_them(tmp_path: Path, text: str, found: str) -> None:
    document = read(tmp_path, text)
    assert sight(document) == found
    assert "seen" not in text or sight(document, "seen") == "shown"
    assert MARKER in text


def test_the_given_cases_keep_their_words() -> None:
    link = load_document(CASES / "link" / "L4.md")
    assert sight(link, "https://profiles.example.org/in/mary-major") == sight(link, "mary@example.org") == "shown"
    assert "1\u00a0234,56" in load_document(CASES / "nbsp" / "n.md").text.replace("\u202f", "\u00a0")


@given(st.text(st.sampled_from(list("-<!>`~ \n+ab#[]/():\\'\"|?^")), max_size=80))
def test_hidden_spans_of_any_markdown_are_in_order_and_apart(text: str) -> None:
    spans = find_hidden_spans(text)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert all(span.end <= len(text) for span in spans)


# tables


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("| a | b |\n|---|:-:|\n| 1 | 2 |\n", [[("a", 0, 0), ("b", 0, 1), ("1", 1, 0), ("2", 1, 1)]]),
        ("a | b\n--|--\n1 | 2\nwords", [[("a", 0, 0), ("b", 0, 1), ("1", 1, 0), ("2", 1, 1)]]),
        ("|a|b|\n|-|-|\n|1\\|x|2|", [[("a", 0, 0), ("b", 0, 1), ("1\\|x", 1, 0), ("2", 1, 1)]]),
        ("|a|b|\n|-|-|\n||2|\n|3||", [[("a", 0, 0), ("b", 0, 1), ("2", 1, 1), ("3", 2, 0)]]),
        ("| a |\n|---|\n| 1 |\n\n| b |\n|---|\n| 2 |", [[("a", 0, 0), ("1", 1, 0)], [("b", 0, 0), ("2", 1, 0)]]),
        ("| a | b |\r\n|---|---|\r\n| 1 | 2 |\r\n", [[("a", 0, 0), ("b", 0, 1), ("1", 1, 0), ("2", 1, 1)]]),
        ("words | more\nno dashes | here", []),
        ("```\n| a | b |\n|---|---|\n| 1 | 2 |\n```", []),
        ("a\n---\nb | c", []),
        ("| a | b |\n|---|\n| 1 | 2 |", []),
    ],
)
def test_tables_of_markdown_have_cells_under_their_names(
    tmp_path: Path, text: str, cells: list[list[tuple[str, int, int]]]
) -> None:
    document = read(tmp_path, text)
    found = [[(text[c.span.start : c.span.end], c.row, c.column) for c in t.cells()] for t in document.tables]
    assert found == cells
    for table in document.tables:
        assert table.header is not None
        body = [cell for cell in table.cells() if cell.row]
        assert [texts(document, tuple(table.column_headers(cell))) for cell in body] == [
            [name for name, row, column in cells[document.tables.index(table)] if not row and column == cell.column]
            for cell in body
        ]


# time

HOSTILE = {
    "code and comments": "`a`<!---->",
    "ticks": "`a``b```c````d",
    "comments without an end": "<!-- ",
    "brackets": "[",
    "links without an end": "[a](",
    "titles without an end": '[a](b "c',
    "definitions": "[a]: b\n",
    "tags without an end": '<a b="',
    "instructions without an end": "<?",
    "elements": "<div class=a>",
    "hidden elements": "<b hidden>x</b>\n",
    "fences": "```\n",
    "rows": "|a|b|\n|-|-|\n",
    "footnotes": "[^a]: b\n\n",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_any_amount_of_markup_is_read(tmp_path: Path, piece: str) -> None:
    read(tmp_path, piece * (20_000 // len(piece)))


@pytest.mark.skipif(QUICK, reason="a clock is read; make soak does")
@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_markdown_takes_time_in_proportion_to_its_length(tmp_path: Path, piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        began = time.process_time()
        read(tmp_path, text)
        return time.process_time() - began

    seconds(10_000)
    assert seconds(800_000) < 3 * seconds(400_000) + 0.2
