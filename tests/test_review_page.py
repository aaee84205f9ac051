"""The page shows every character where it stands and every issue there is, and nothing that a document says runs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import stat
import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import tiny_pdf
from hypothesis import example, given
from hypothesis import strategies as st

from extractor.documents.discovery import load_document
from extractor.errors import MachineError, UsageError
from extractor.results.review.highlights import split_segments
from extractor.results.review.page import build_review_page, write_review_page
from extractor.results.review.view import ISSUE_LABELS
from extractor.results.unseen import describe_unseen, split_unseen
from extractor.types import Span

TEXT = (
    "Boat \U0001f600 Alma, built 1931 in Bergen.\r\nOwner: Ida Voss. Length: 12,5 m.\r\nRefit 1987; refit again 1988.\n"
)
VOID = {"meta", "input", "link", "br", "img"}


def evidence(text: str, quote: str, match: str = "exact", **more: Any) -> dict[str, Any]:
    start = text.index(quote)
    spans = [{"start": start, "end": start + len(quote), "quote": quote}]
    return {"match": match, "spans": spans, "said": quote, "confidence": None, **more}


NOTHING = {"match": "none", "spans": [], "said": "Fjord", "confidence": 0.2}


def result(**changes: Any) -> dict[str, Any]:
    """A result file with something of everything; each of the kinds of issues is there once."""
    refits = [{"year": "1987", "yard": None}, {"year": "1988", "yard": None}]
    record = {
        "boat": "Alma",
        "home_port": "Fjord",
        "length": 12.5,
        "owners": ["Ida Voss"],
        "refits": refits,
        "crew": [],
    }
    kept, other = evidence(TEXT, "1987"), evidence(TEXT, "1988")
    content: dict[str, Any] = {
        "format": "extractor.result/1",
        "document": {"name": "alma.txt", "sha256": "00", "characters": len(TEXT), "text": TEXT},
        "task": "boats",
        "status": "incomplete",
        "record": record,
        "evidence": {
            "/boat": evidence(TEXT, "Alma"),
            "/home_port": NOTHING,
            "/length": evidence(TEXT, "12,5", "derived", confidence=0.93),
            "/owners/0": evidence(TEXT, "Ida Voss", "normalised", said="IDA VOSS"),
            "/refits/0/year": kept,
            "/refits/1/year": {"match": "exact", "spans": [{"start": 0, "end": 4, "quote": "Ship"}], "said": "1988"},
        },
        "conflicts": [{"path": "/refits/0/year", "kept": {"value": "1987", "evidence": kept}}],
        "rejected": [{"path": "/crew/0", "value": "Ole", "reason": "unsupported", "chunk": {"start": 0, "end": 40}}],
        "failures": [
            {"chunk": {"start": 40, "end": 70}, "group": "crew", "reason": "cut short", "message": "Too long."}
        ],
        "problems": [{"code": "order", "path": "/length", "message": "Rather short."}],
        "coverage": {"characters": len(TEXT), "asked": 90, "spans": [], "unasked": [{"start": 90, "end": len(TEXT)}]},
        "usage": {"requests": 3, "input_tokens": None, "output_tokens": 12, "seconds": 1.5},
        "manifest": {"extractor": "0", "model": {"name": "small", "digest": None}, "parameters": {"seed": 1}},
    }
    content["conflicts"][0]["other"] = {"value": "1988", "evidence": other}
    return content | changes


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    place: tuple[str, ...]
    words: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.words)


class Reader(HTMLParser):
    """What a browser would make of the page; characters that are shown by their numbers are turned back."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.open: list[Element] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, tuple(e.tag for e in self.open))
        assert len(element.attributes) == len(attrs), "an attribute stands twice"
        self.elements.append(element)
        if "unseen" in element.attributes.get("class", "").split():
            self.handle_data(chr(int(element.attributes["data-u"], 16)))
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}, ()))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, "tags don't nest"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1].attributes.get("class") == "unseen":
            return
        for element in self.open:
            element.words.append(data)

    def having(self, name: str, value: str | None = None) -> list[Element]:
        return [e for e in self.elements if name in e.attributes and value in (None, e.attributes[name])]

    def classed(self, name: str) -> list[Element]:
        return [e for e in self.elements if name in e.attributes.get("class", "").split()]

    def words_at(self, places: str) -> list[str]:
        """The marked words of each place that an element of the record refers to."""
        marks = [e for e in self.having("data-s") if e.tag in ("mark", "span")]
        return ["".join(m.text for m in marks if place in m.attributes["data-s"].split()) for place in places.split()]


def skeleton(reader: Reader) -> list[tuple[str, tuple[str, ...]]]:
    """Tags and names of attributes, without those that name a character by its number."""
    return [(e.tag, tuple(e.attributes)) for e in reader.elements if e.attributes.get("class") != "unseen"]


UNSEEN = (
    "\x00\x07\x08\x0b\x0c\x1b\x7f\x85\x9f\xad\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060"
    "\u2066\u2067\u2068\u2069\u3164\ufeff\ufffe\ud800\udfff\U000e0041"
)
"""Characters that hide, reorder or end text."""

anything = st.text(st.characters(codec=None) | st.sampled_from(UNSEEN + "\r\n\t<&\"'"), max_size=60)
"""Texts of any code points, lone surrogates too: JSON can hold them."""


@st.composite
def spanned(draw: st.DrawFn) -> tuple[str, list[Span]]:
    text = draw(anything.filter(bool))
    ends = st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True).map(sorted)
    return text, [Span(*pair) for pair in draw(st.lists(ends, max_size=8))]


@given(spanned(), st.lists(st.integers(0, 60)))
def test_segments_hold_each_character_once_with_just_the_spans_that_cover_it(case: Any, cuts: list[int]) -> None:
    text, spans = case
    cuts = [cut for cut in cuts if cut <= len(text)]
    found = split_segments(len(text), spans, cuts)
    assert [at for part in found for at in range(part.start, part.end)] == list(range(len(text)))
    for part in found:
        for at in range(part.start, part.end):
            assert part.places == tuple(n for n, span in enumerate(spans) if span.start <= at < span.end)
    assert set(cuts) <= {part.start for part in found} | {len(text)}


@given(spanned())
def test_the_text_on_the_page_is_the_text_and_each_value_is_marked_on_its_own_words(case: Any) -> None:
    text, spans = case
    quotes = [text[span.start : span.end] for span in spans]
    held = [
        {"match": "exact", "spans": [{"start": span.start, "end": span.end, "quote": quote}], "said": quote}
        for span, quote in zip(spans, quotes, strict=True)
    ]
    content = {
        "format": "extractor.result/1",
        "document": {"name": "any.txt", "text": text},
        "status": "complete",
        "record": {"values": quotes},
        "evidence": {f"/values/{number}": each for number, each in enumerate(held)},
    }
    reader = Reader(build_review_page([content]))
    assert [e.text for e in reader.classed("text")] == [text]
    for number, quote in enumerate(quotes):
        [value] = reader.having("href", f"#any.txt/values/{number}")
        assert reader.words_at(value.attributes["data-s"]) == [quote]
        assert value.text.startswith(quote)


def test_blocks_of_a_long_text_reassemble_and_a_span_across_them_keeps_its_words() -> None:
    text = "".join(f"line {number} of the log\r\n" for number in range(2000))
    quote = text[100:20_000]
    content = result(record={"a": quote}, evidence={"/a": evidence(text, quote)}, conflicts=[], coverage={})
    content["document"] = {"name": "log", "text": text}
    reader = Reader(build_review_page([content]))
    blocks = [e.text for e in reader.classed("b")]
    assert len(blocks) > 5
    assert all(block.endswith("\n") and not block.startswith("\n") for block in blocks if block)
    assert reader.classed("text")[0].text == text
    assert reader.words_at(reader.having("href", "#log/a")[0].attributes["data-s"]) == [quote]


PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><style>*{background:url(//x.example)}</style>",
    "</title><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script href='data:text/javascript,alert(1)'/></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<base href='https://x.example/'>",
    "<meta http-equiv=refresh content='0;url=https://x.example'>",
    "<link rel=stylesheet href=https://x.example/a.css>",
    "<form action=https://x.example><input name=q autofocus onfocus=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    '"><svg onload=alert(1)>',
    "` onmouseover=alert(1) `",
    "<!--<script>",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<plaintext>",
    "<textarea></textarea><xmp>",
    "&lt;script&gt;alert(1)&lt;/script&gt;&#60;b&#62;",
    "{{ 7*7 }}{% for x in range(9) %}{# #}${7*7}",
    "\u2028alert(1)\u2029</script>",
    "+ADw-script+AD4-alert(1)",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "\x1b]0;title\x07<b>\u202egpj.exe",
    "%3Cscript%3E../../../etc/passwd#/x?y",
    "\ud83d<script>\udc00",
]


def hostile(word: str, unknown_keys: bool = False) -> list[Mapping[str, Any]]:
    """Results in which every string that a document, a model or a task can choose is this word, and keys that the
    format does not have, too, where they are wanted."""
    text = f"{word} and {word} again {word}"
    span = {"start": 0, "end": len(word), "quote": word}
    held = {"match": "fuzzy", "spans": [span], "said": word + "!", "confidence": 0.5}
    key = word.replace("~", "~0").replace("/", "~1")
    unknown = {word: {word: word}} if unknown_keys else {}
    whole = {
        "format": "extractor.result/1",
        "document": {"name": word, "sha256": word, "characters": len(text), "text": text},
        "task": word,
        "status": word,
        "record": {word: word, "rows": [{word: word, "b": {word: [word, None]}}, {word: None, "b": {}}], "n": None},
        "evidence": {f"/{key}": held, f"/rows/0/{key}": NOTHING | {"said": word}, f"/{key}/x": held},
        "conflicts": [
            {"path": f"/{key}", "kept": {"value": word, "evidence": held}, "other": {"value": word, "evidence": held}},
            {"path": word, "kept": {"value": word, "evidence": held}, "other": {"value": word, "evidence": held}},
        ],
        "rejected": [{"path": f"/{key}", "value": {word: word}, "reason": word, "chunk": span}],
        "failures": [{"chunk": span, "group": word, "reason": word, "message": word}],
        "problems": [{"code": word, "path": f"/{key}", "message": word}],
        "coverage": {"characters": 1, "asked": 1, "unasked": [span]},
        "usage": {"groups": {word: {"requests": 1} | unknown}} | unknown,
        "manifest": {"extractor": word, "parameters": {word: {word: word}}, "versions": {word: word}} | unknown,
    }
    failed = {
        "format": "extractor.result/1",
        "document": {"name": word, "text": ""},
        "status": "failed",
        "record": None,
        "error": {"reason": word, "message": word},
    }
    return [whole, failed, {"format": word}]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_words_add_no_tag_no_attribute_and_no_address(payload: str) -> None:
    run = {"format": "extractor.run/1", "task": payload, "manifest": {payload: payload}, "seconds": None}
    unknown = "\ud83d" not in payload  # an unknown key that is no text takes what it is in with it
    reader = Reader(build_review_page(hostile(payload, unknown), run=run))
    # The same but for all that could be markup; slashes stay, as they make paths.
    # What cannot be seen stays as well, as it is noted.
    harmless = "".join(c if re.match(r"[\w/~]", c, re.ASCII) or describe_unseen(c) else "x" for c in payload)
    plain = Reader(build_review_page(hostile(harmless, unknown), run=run))
    assert skeleton(reader) == skeleton(plain)
    for element in reader.elements:
        assert not {"src", "style", "srcset", "action", "formaction", "xlink:href", "ping"} & set(element.attributes)
        assert not [name for name in element.attributes if name.startswith("on")]
        assert element.attributes.get("href", "#").startswith("#")
    assert payload in reader.classed("text")[0].text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_words_are_shown_in_full_wherever_they_stand(payload: str) -> None:
    reader = Reader(build_review_page(hostile(payload)))
    shown = {"name": 2, "v": 5, "i": 5, "error": 2, "facts": 2}
    for name, least in shown.items():
        assert sum(payload in element.text for element in reader.classed(name)) >= least, name
    assert payload.replace("_", " ") in next(e.text for e in reader.elements if e.tag == "h1")


def test_the_one_style_and_the_one_script_are_the_same_on_every_page_and_the_policy_allows_just_them() -> None:
    pages = [Reader(build_review_page(results)) for results in ([], [result()], hostile(PAYLOADS[1]))]
    for tag in ("style", "script"):
        inner = [[e.text for e in reader.elements if e.tag == tag] for reader in pages]
        assert inner[0] == inner[1] == inner[2]
        assert len(inner[0]) == 1
        digest = base64.b64encode(hashlib.sha256(inner[0][0].encode()).digest()).decode()
        for reader in pages:
            [policy] = reader.having("http-equiv", "Content-Security-Policy")
            directives = [part.split() for part in policy.attributes["content"].split(";")]
            assert [f"{tag}-src", f"'sha256-{digest}'"] in directives
            assert ["default-src", "'none'"] in directives
            assert ["require-trusted-types-for", "'script'"] in directives
            # A policy in a meta element does not bind what stands before it.
            before = [e.tag for e in reader.elements[: reader.elements.index(policy)]]
            assert before == ["html", "head", "meta"]


@given(anything)
@example(UNSEEN)
def test_no_character_that_hides_or_reorders_text_reaches_the_page(text: str) -> None:
    html = build_review_page([result(document={"name": text, "text": text}, status=text), *hostile(text or "x")])
    html.encode()
    html = html.replace("\u200d", "").replace("\u200c", "")  # Joiners are letters' business: see the next test.
    assert not set(UNSEEN) & set(html)
    unseen = {c for c in html if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}} - {"\n", "\t"}
    assert not unseen
    assert not {c for c in html if unicodedata.bidirectional(c) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI"}}


def test_joiners_stay_in_the_scripts_that_need_them_and_show_where_they_only_hide() -> None:
    assert list(split_unseen("👨\u200d👩")) == [("text", "👨\u200d👩")]
    assert list(split_unseen("می\u200cخواهم")) == [("text", "می\u200cخواهم")]
    assert list(split_unseen("pa\u200dypal")) == [("text", "pa"), ("unseen", "200D"), ("text", "ypal")]


def test_a_line_end_of_windows_is_quiet_even_where_a_span_cuts_it_and_a_lone_return_shows() -> None:
    assert list(split_unseen("a\r\nb\rc")) == [
        ("text", "a"),
        ("return", ""),
        ("text", "\nb"),
        ("unseen", "000D"),
        ("text", "c"),
    ]
    assert list(split_unseen("a\r\nb", 0, 2)) == [("text", "a"), ("return", "")]


def test_each_leaf_that_is_not_null_is_one_link_whose_words_are_those_of_its_evidence() -> None:
    content = result()
    reader = Reader(build_review_page([content]))
    links = [e.attributes["href"] for e in reader.elements if e.tag == "a"]
    assert len(links) == len(set(links))
    for path, held in content["evidence"].items():
        [value] = reader.having("href", f"#alma.txt{path}")
        quotes = [span["quote"] for span in held["spans"] if span["quote"] in TEXT]
        assert reader.words_at(value.attributes.get("data-s", "")) == quotes


def test_a_mark_leads_back_to_every_value_that_was_traced_to_it() -> None:
    held = evidence(TEXT, "Ida Voss")
    content = result(record={"a": "Ida Voss", "b": "Ida Voss"}, evidence={"/a": held, "/b": held}, conflicts=[])
    reader = Reader(build_review_page([content]))
    places = {e.attributes["href"]: e.attributes["data-s"] for e in reader.classed("v")}
    assert places["#alma.txt/a"] == places["#alma.txt/b"]


def test_every_kind_of_issue_is_counted_at_the_top_and_stands_on_the_page() -> None:
    reader = Reader(build_review_page([result()]))
    counts = {e.attributes["data-kind"]: int(e.text.split()[0]) for e in reader.classed("count")}
    stops = [e.attributes["data-k"] for e in reader.having("data-k")]
    assert counts == dict.fromkeys(ISSUE_LABELS, 1) == {kind: stops.count(kind) for kind in ISSUE_LABELS}


def test_match_and_confidence_are_said_in_words() -> None:
    reader = Reader(build_review_page([result()]))
    said = {e.attributes["href"].removeprefix("#alma.txt"): e.text for e in reader.classed("v")}
    assert "exact" in said["/boat"]
    assert "no words" in said["/home_port"]
    assert "20\u00a0%" in said["/home_port"]
    assert "derived" in said["/length"]
    assert "93\u00a0%" in said["/length"]
    assert "Rather short." in said["/length"]
    assert "IDA VOSS" in said["/owners/0"]
    assert "broken trace" in said["/refits/1/year"]


def test_words_that_do_not_hold_their_quote_are_never_marked() -> None:
    reader = Reader(build_review_page([result()]))
    [broken] = reader.having("data-k", "misplaced")
    assert "data-s" not in broken.attributes
    assert not [e for e in reader.elements if e.tag == "mark" and e.text.startswith("Boat")]
    assert "Ship" in broken.text


def test_both_values_of_a_conflict_stand_together_each_with_its_own_words() -> None:
    reader = Reader(build_review_page([result()]))
    [other] = reader.having("data-k", "conflict")
    [kept] = reader.having("href", "#alma.txt/refits/0/year")
    assert reader.words_at(other.attributes["data-s"]) == ["1988"]
    assert reader.words_at(kept.attributes["data-s"]) == ["1987"]
    order = [e for e in reader.elements if e in (kept, other)]
    assert order == [kept, other]


def test_a_conflict_over_no_leaf_of_the_record_is_listed_with_both_values() -> None:
    held = evidence(TEXT, "Alma")
    row = {"path": "/gone", "kept": {"value": "Alma", "evidence": held}, "other": {"value": "Ida", "evidence": NOTHING}}
    reader = Reader(build_review_page([result(conflicts=[row])]))
    [entry] = reader.having("data-k", "conflict")
    assert "Ida" in entry.text
    [kept] = reader.having("href", "#alma.txt!kept-1")
    assert reader.words_at(kept.attributes["data-s"]) == ["Alma"]


def test_text_that_no_question_was_asked_of_is_marked_as_such() -> None:
    reader = Reader(build_review_page([result()]))
    assert "".join(e.text for e in reader.classed("unasked") if e.tag in ("mark", "span")) == TEXT[90:]


def test_evidence_for_a_value_that_the_record_lacks_is_an_issue_and_so_is_a_value_without_evidence() -> None:
    content = result(record={"boat": "Alma"}, evidence={"/ship": evidence(TEXT, "Alma")}, conflicts=[])
    reader = Reader(build_review_page([content]))
    assert "ship" in reader.having("data-k", "misplaced")[0].text
    assert reader.having("data-k", "unsupported")[0].attributes["href"] == "#alma.txt/boat"


def test_nulls_and_empty_lists_are_named_and_shown_muted() -> None:
    reader = Reader(
        build_review_page([result(record={"boat": None, "rows": [{"yard": None, "year": None}]}, evidence={})])
    )
    shown = " ".join(e.text for e in reader.classed("null"))
    assert "no value" in shown
    assert "yard" in shown
    assert "year" in shown


def test_fields_named_like_methods_and_addresses_are_fields_like_others() -> None:
    names = ["items", "keys", "values", "get", "pop", "update", "a/b", "a~b", "", "0", "über 100%", "a#b?c"]
    held = evidence(TEXT, "Alma")
    rows = [{name: "Alma"} for name in names]
    paths = [name.replace("~", "~0").replace("/", "~1") for name in names]
    proof = {f"/{path}": held for path in paths} | {f"/rows/{n}/{path}": held for n, path in enumerate(paths)}
    content = result(record=dict.fromkeys(names, "Alma") | {"rows": rows}, evidence=proof, conflicts=[])
    found = {unquote(e.attributes["href"]) for e in Reader(build_review_page([content])).classed("v")}
    assert found == {f"#alma.txt{path}" for path in proof}


def test_rows_of_a_table_need_not_have_the_same_fields() -> None:
    rows = [{"items": "Alma"}, {"pop": "Alma", "yard": None}]
    proof = {"/rows/0/items": evidence(TEXT, "Alma"), "/rows/1/pop": evidence(TEXT, "Alma")}
    reader = Reader(build_review_page([result(record={"rows": rows}, evidence=proof, conflicts=[])]))
    assert [e.text for e in reader.elements if e.tag == "th"] == ["items", "pop", "yard"]
    cells = [e.text.strip() for e in reader.elements if e.tag == "td"]
    assert [bool(cell) for cell in cells] == [True, False, False, False, True, True]


@pytest.mark.parametrize("sure", [93, -0.1, float("nan"), 10**400, "0.9", [0.9]])
def test_a_confidence_that_is_no_probability_is_not_shown_as_one(sure: Any) -> None:
    proof = {"/boat": evidence(TEXT, "Alma", confidence=sure)}
    reader = Reader(build_review_page([result(record={"boat": "Alma"}, evidence=proof, conflicts=[])]))
    assert reader.classed("v")
    assert not reader.classed("sure")


def test_documents_of_one_name_have_addresses_of_their_own() -> None:
    contents = [result(document={"name": name, "text": TEXT}) for name in ("a", "a", "a!2", "b/c", "a")]
    links = [e.attributes["href"] for e in Reader(build_review_page(contents)).elements if e.tag == "a"]
    assert len(links) == len(set(links))


def test_a_failed_document_shows_its_error_and_has_no_record() -> None:
    failed = {
        "format": "extractor.result/1",
        "document": {"name": "scan.txt", "text": ""},
        "status": "failed",
        "record": None,
        "error": {"reason": "binary", "message": "scan.txt is no text: convert it first."},
    }
    reader = Reader(build_review_page([failed, result()]))
    [error] = reader.classed("error")
    assert "binary" in error.text
    assert "convert it first" in error.text
    assert [e.attributes["data-status"] for e in reader.classed("doc")] == ["failed", "incomplete"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=6,
)


def members(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from members(value[key], (*path, key))


@given(st.sampled_from(list(members(result()))), json_values)
def test_a_file_with_anything_anywhere_in_it_is_shown_or_named_as_unreadable(path: Any, value: Any) -> None:
    content = deepcopy(result())
    inner = content
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    reader = Reader(build_review_page([content, result()]))
    first, second = reader.classed("doc")
    assert second.attributes["data-status"] == "incomplete"
    if first.attributes["data-status"] == "unreadable" and path != ("status",):
        assert reader.classed("error")[0].text.strip() != "unreadable"


def test_what_is_nested_too_deep_to_draw_is_unreadable_and_the_others_are_shown() -> None:
    deep: Any = "x"
    for _ in range(3000):
        deep = [deep]
    contents = [result(record={"a": deep}), result(manifest={"a": deep}), result(rejected=[{"value": deep}]), result()]
    statuses = [e.attributes["data-status"] for e in Reader(build_review_page(contents)).classed("doc")]
    assert statuses == ["unreadable", "unreadable", "unreadable", "incomplete"]


def save(folder: Path, name: str, content: Any) -> None:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def test_files_that_are_no_results_are_named_on_the_page_with_the_reason(tmp_path: Path) -> None:
    save(tmp_path, "half.json", json.dumps(result())[:200])
    save(tmp_path, "foreign.json", {"hello": 1})
    save(tmp_path, "list.json", [1])
    save(tmp_path, "number.json", "42")
    save(tmp_path, "deep.json", "[" * 100_000)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder.json").mkdir()
    save(tmp_path, "whole.json", result())
    reader = Reader(write_review_page(tmp_path, tmp_path / "page.html").read_text(encoding="utf-8"))
    statuses = {e.attributes["aria-label"]: e.attributes["data-status"] for e in reader.classed("doc")}
    bad = ("half", "foreign", "list", "number", "deep", "bytes", "folder")
    assert statuses == {f"{name}.json": "unreadable" for name in bad} | {"alma.txt": "incomplete"}
    reasons = dict(zip(sorted(bad), (e.text for e in reader.classed("error")), strict=True))
    assert "not whole JSON" in reasons["half"]
    assert "not a result" in reasons["foreign"]
    assert "cannot be read" in reasons["folder"]
    assert "no JSON object" in reasons["list"]


def test_documents_stand_as_the_run_lists_them_and_missing_and_foreign_ones_are_told(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        save(tmp_path, f"{name}.json", result(document={"name": f"{name}.txt", "text": TEXT}))
    listed = [{"name": "x", "file": f"{name}.json", "status": "complete"} for name in ("c", "gone", "a")]
    junk: list[Any] = [None, {"file": []}, {"file": 3}]
    save(tmp_path, "run.json", {"format": "extractor.run/1", "documents": [*listed, *junk], "usage": {"requests": 77}})
    reader = Reader(write_review_page(tmp_path, tmp_path / "page.html").read_text(encoding="utf-8"))
    assert [e.attributes["aria-label"] for e in reader.classed("doc")] == ["c.txt", "gone.json", "a.txt", "b.txt"]
    strays = [e.text for e in reader.having("data-issues") if "not of the last run" in e.text]
    assert [text.startswith("b.txt") for text in strays] == [True]
    assert "77" in reader.classed("top")[0].text


@pytest.mark.parametrize("run", [{}, {"documents": 3}, {"documents": [], "manifest": [[]]}, {"usage": None}])
def test_a_run_file_that_lacks_its_members_does_no_harm(tmp_path: Path, run: dict[str, Any]) -> None:
    save(tmp_path, "run.json", {"format": "extractor.run/1"} | run)
    save(tmp_path, "a.json", result())
    reader = Reader(write_review_page(tmp_path, tmp_path / "page.html").read_text(encoding="utf-8"))
    assert len(reader.classed("doc")) == 1
    assert not [e for e in reader.elements if "not of the last run" in e.text and e.tag == "small"]


def test_the_page_replaces_an_older_one_whole_is_private_and_leaves_no_draft(tmp_path: Path) -> None:
    save(tmp_path, "a.json", result())
    target = tmp_path / "page.html"
    target.write_text("old")
    assert write_review_page(tmp_path, target) == target
    assert target.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "page.html"]


def test_a_page_that_cannot_be_written_is_the_machines_failure_and_leaves_no_draft(tmp_path: Path) -> None:
    save(tmp_path, "a.json", result())
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    for target in (tmp_path / "taken", tmp_path / "no" / "page.html"):
        with pytest.raises(MachineError, match=re.escape(str(target))):
            write_review_page(tmp_path, target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "taken"]


def test_a_folder_without_results_is_the_users_mistake(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(UsageError, match=re.escape(str(folder))):
            write_review_page(folder, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_the_same_results_give_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    save(tmp_path, "a.json", result())
    save(tmp_path, "b.json", hostile("words")[0])
    code = (
        "import sys, pathlib; from extractor.results.review.page import write_review_page; "
        "write_review_page(*map(pathlib.Path, sys.argv[1:]))"
    )
    pages = []
    for seed in ("1", "2"):
        target = tmp_path / f"{seed}.html"
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path), str(target)], env={"PYTHONHASHSEED": seed}, check=True
        )
        pages.append(target.read_bytes())
    assert pages[0] == pages[1]


def write_result_of(path: Path, folder: Path, values: dict[str, str]) -> None:
    """A result whose values stand in the document, with their places in its file."""
    document = load_document(path)
    proofs = {}
    for name, value in values.items():
        proof = evidence(document.text, value)
        start = document.text.index(value)
        assert document.locations is not None
        proof["spans"][0]["places"] = document.locations.locate(Span(start, start + len(value)))
        proofs[f"/{name}"] = proof
    told = {"name": path.name, "text": document.text}
    content = {"format": "extractor.result/1", "document": told, "status": "complete", "record": values}
    folder.mkdir()
    (folder / f"{path.stem}.json").write_text(json.dumps({**content, "evidence": proofs}), encoding="utf-8")


def test_pages_of_documents_stand_beside_their_text_with_a_box_for_each_value(tmp_path: Path) -> None:
    words = [tiny_pdf.Line(60, 700, "Name: Ada King"), tiny_pdf.Line(60, 680, "Born: 1815")]
    (tmp_path / "docs").mkdir()
    path = tmp_path / "docs" / "form.pdf"
    path.write_bytes(tiny_pdf.write([tiny_pdf.page([tiny_pdf.Line(60, 700, "cover")]), tiny_pdf.page(words)]))
    write_result_of(path, tmp_path / "out", {"name": "Ada King", "year": "1815"})
    plain = write_review_page(tmp_path / "out", tmp_path / "plain.html").read_text(encoding="utf-8")
    assert "<image" not in plain
    page = write_review_page(tmp_path / "out", tmp_path / "page.html", tmp_path / "docs").read_text(encoding="utf-8")
    assert page.count('href="data:image/webp;base64,') == 1  # only the page that words stand on
    assert '<svg viewBox="0 0 612.00 792.00" role="img" aria-label="page 2">' in page
    boxes = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" data-s="(\d+)"', page)
    assert len(boxes) == 2
    left, top, width, height = (float(edge) for edge in boxes[0][:4])
    assert 60 < left < left + width < 160 and 80 < top < top + height < 100
    assert "img-src data:" in page


def test_pages_are_left_out_where_the_documents_are_not_those_of_the_results(tmp_path: Path) -> None:
    path = tmp_path / "form.pdf"
    path.write_bytes(tiny_pdf.write([tiny_pdf.page([tiny_pdf.Line(60, 700, "Name: Ada King")])]))
    write_result_of(path, tmp_path / "out", {"name": "Ada King"})
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "form.pdf").write_bytes(b"%PDF-1.7 broken")
    page = write_review_page(tmp_path / "out", tmp_path / "page.html", tmp_path / "docs").read_text(encoding="utf-8")
    assert "<image" not in page and "Ada King" in page
    with pytest.raises(UsageError, match="There is no file or folder"):
        write_review_page(tmp_path / "out", tmp_path / "page.html", tmp_path / "none")
