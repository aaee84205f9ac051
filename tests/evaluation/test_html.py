"""The page: nothing hostile is live on it, nothing is fetched for it, and every mark stands where it should."""

import base64
import dataclasses
import hashlib
import json
import math
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.evaluation.analysis.gates import GateBounds
from extractor.evaluation.report.charts import (
    WIDTH,
    ScatterChart,
    build_amount_axis,
    build_difference_axis,
    build_scatter_chart,
    build_share_axis,
    format_cost,
    format_short_number,
)
from extractor.evaluation.report.error_browser import (
    CLAIMED,
    GOLD,
    SAID,
    build_browser_payload,
    format_report_value,
    serialise_for_script,
)
from extractor.evaluation.report.html import render_html
from extractor.evaluation.scoring.outcomes import LeafOutcome, ScoreCell, ValueSupport
from tests.evaluation import synthetic
from tests.evaluation.test_comparison import run
from tests.evaluation.test_report import HOSTILE, SIX, hostile, report, with_baseline


class Page(HTMLParser):
    """What a browser would make of the page: elements, their attributes, and the text of scripts and styles."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.inside, self.raw, self.text = [], "", {}, []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag in ("script", "style"):
            self.inside = f"{tag}#{dict(attributes).get('id', '')}"
            self.raw[self.inside] = ""

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.inside = ""

    def handle_data(self, data):
        if self.inside:
            self.raw[self.inside] += data
        else:
            self.text.append(data)

    @property
    def data(self):
        return json.loads(self.raw["script#data"])


@pytest.fixture(scope="module")
def six():
    return synthetic.runs(SIX, failing=0.1)


@pytest.fixture(scope="module")
def html(six):
    return render_html(with_baseline(six[0]), six[1])


@pytest.fixture(scope="module")
def attacked():
    one = hostile()
    texts = {HOSTILE: HOSTILE * 3, HOSTILE + "2": HOSTILE}
    made = report(
        [one, dataclasses.replace(one, label=HOSTILE + "3", model="m")], GateBounds(fail_under=0.9), title=HOSTILE
    )
    return render_html(made, texts)


def test_nothing_hostile_becomes_an_element_or_an_attribute(html, attacked):
    usual, page = Page(html), Page(attacked)
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in usual.elements} | {"i"}
    assert {held["class"] for tag, held in page.elements if tag == "i"} == {"unseen"}
    assert {name for _, held in page.elements for name in held} <= {name for _, held in usual.elements for name in held}
    assert not [name for _, held in page.elements for name in held if name.startswith("on")]
    assert sum(tag == "script" for tag, _ in page.elements) == 2
    for _, held in page.elements:
        for name in ("href", "src", "id", "class"):
            assert "alert" not in (held.get(name) or "")
    assert any("alert(1)" in words for words in page.text)


def test_characters_that_hide_or_reorder_text_are_shown_by_number_outside_of_the_data(attacked):
    page = Page(attacked)
    assert not [words for words in page.text if "\u202e" in words or "\x00" in words]
    assert "‹U+202E›" in "".join(page.text)
    assert "␀" in "".join(page.text), "as the page of a record has it"
    for _, held in page.elements:
        assert not [value for value in held.values() if value and "\u202e" in value]


def test_the_data_comes_through_whole(attacked):
    data = Page(attacked).data
    assert HOSTILE in data["strings"]
    assert HOSTILE in data["documents"][0]
    assert data["rows"]


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner, max_size=3), max_leaves=5))
def test_data_in_a_script_cannot_end_it_and_reads_back_the_same(value):
    said = serialise_for_script(value)
    assert not re.search("[<>&\u2028\u2029]", said)
    assert json.loads(said) == value


def test_the_policy_allows_the_style_and_the_script_of_the_page_and_nothing_else(html):
    page = Page(html)
    (policy,) = [
        held["content"]
        for tag, held in page.elements
        if tag == "meta" and held.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for name, raw in [("style-src", "style#"), ("script-src", "script#")]:
        digest = base64.b64encode(hashlib.sha256(page.raw[raw].encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
    assert not [held for _, held in page.elements if "style" in held]


def test_nothing_is_fetched(html):
    page = Page(html)
    assert not [tag for tag, _ in page.elements if tag in ("link", "img", "iframe", "object", "embed", "base", "form")]
    for _, held in page.elements:
        for name in ("src", "href", "action", "xlink:href", "srcset"):
            assert (held.get(name) or "#").startswith("#")
    assert not re.search(r"@import|url\((?!#)", page.raw["style#"])
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|fetch\(|XMLHttp", page.raw["script#"]
    )
    assert [url for url in re.findall(r"https?://[^\s\"']+", page.raw["script#"]) if "w3.org/2000/svg" not in url] == []


def test_every_control_has_a_name_and_every_link_and_label_leads_somewhere(html):
    page = Page(html)
    ids = [held["id"] for _, held in page.elements if "id" in held]
    assert len(ids) == len(set(ids))
    for _, held in page.elements:
        for name in ("aria-labelledby", "for"):
            assert held.get(name, ids[0]) in ids
        assert (held.get("href") or "#" + ids[0]).removeprefix("#") in ids
    for _, held in page.elements:
        if held.get("role") == "img":
            assert held["aria-label"]
    labelled = re.findall(r"<label[^>]*>[^<]+<(?:select|input)", html)
    assert len(labelled) == sum(tag in ("select", "input") for tag, _ in page.elements)


def test_the_ids_that_the_script_looks_for_are_on_the_page(html):
    page = Page(html)
    ids = {held["id"] for _, held in page.elements if "id" in held}
    assert set(re.findall(r"\$\(\"([\w-]+)\"\)", page.raw["script#"])) <= ids


def test_the_page_of_a_suite_of_five_documents_and_six_runs_is_under_a_megabyte():
    runs, texts = synthetic.runs(SIX, repeats=1, rows=20)
    made = report(runs)
    assert made["runs"][0]["counts"]["correct"] > 250
    assert len(render_html(made, texts).encode()) < 600_000


def test_sections_say_plainly_when_they_have_nothing_to_show():
    bare, texts = synthetic.runs(SIX[:1], confident=False, texts=False)
    silent = dataclasses.replace(
        bare[0],
        documents=tuple(dataclasses.replace(g, seconds=None, input_tokens=None) for g in bare[0].documents),
    )
    said = " ".join("".join(Page(render_html(report([silent]), texts)).text).split())
    assert "No run gives confidences" in said
    assert "At what cost" not in said and "With what certainty" not in said and "stand in the document" not in said
    assert "Too few documents to tell" in said
    assert "not known" in said


def test_the_page_holds_the_words_around_errors_only_where_it_is_given_the_texts(six):
    made = report(six[0])
    assert Page(render_html(made)).data["segments"] == [[] for _ in made["documents"]]
    assert any(Page(render_html(made, six[1])).data["segments"])


# What the error browser reads

GLYPHS = ["a", "é", "\U0001f600", "\U00020000", " ", "\n"]


def units(text):
    """The text as a browser cuts it: in UTF-16 units."""
    return text.encode("utf-16-le")


def cut(text, start, end):
    return units(text)[2 * start : 2 * end].decode("utf-16-le")


@given(st.lists(st.sampled_from(GLYPHS), max_size=1500).map("".join), st.data())
@settings(max_examples=60)
def test_a_mark_covers_the_same_words_in_the_page_as_in_the_document(filler, data):
    text = filler[: len(filler) // 2] + " GOLD " + filler + " SAID " + filler[: len(filler) // 3]
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    cells = (
        ScoreCell(
            "a", "d", "x", LeafOutcome.WRONG, "GOLD", "no such words", "/0", "/0", spans=((start, end), (5, 5), (-1, 3))
        ),
        ScoreCell("a", "d", "x", LeafOutcome.WRONG, "GOLD", "SAID", "/1", "/1", spans=((0, len(text) + 1),)),
        ScoreCell("a", "d", "x", LeafOutcome.OMITTED, "GOLD", None, "/2"),
    )
    found = build_browser_payload(report([dataclasses.replace(run("a", {"d": ""}), cells=cells)]), {"d": text})
    marks = [
        [
            (cut(found["segments"][0][row[-1][at]], row[-1][at + 1], row[-1][at + 2]), row[-1][at + 3])
            for at in range(0, len(row[-1]), 4)
        ]
        for row in found["rows"]
    ]
    assert marks[0] == [(text[start:end], CLAIMED), ("GOLD", GOLD)]
    assert marks[1] == [("SAID", SAID), ("GOLD", GOLD)]
    assert marks[2] == [("GOLD", GOLD)]
    for row in found["rows"]:
        for at in range(0, len(row[-1]), 4):
            segment = found["segments"][0][row[-1][at]]
            where = text.index(segment) if segment in text else -1
            assert where >= 0


@pytest.mark.parametrize(
    ("value", "found"),
    [("an", ["an"]), ("ann", ["ann"]), (12, ["12"]), (1.5, ["1.5"]), (True, []), (None, []), (["an"], []), ("", [])],
)
def test_a_value_is_found_as_a_word_of_its_own(value, found):
    text = "banana an, annual ann 112 12 1.5 true True"
    cells = (ScoreCell("a", "d", "x", LeafOutcome.OMITTED, value, None, "/0"),)
    made = build_browser_payload(report([dataclasses.replace(run("a", {"d": ""}), cells=cells)]), {"d": text})
    (row,) = made["rows"]
    assert [cut(made["segments"][0][0], *row[-1][at + 1 : at + 3]) for at in range(0, len(row[-1]), 4)] == found


def test_errors_beyond_what_a_page_holds_are_left_out_evenly_and_counted():
    made = report([run("a", {f"d{n}": "w" * 12 for n in range(6)})])
    found = build_browser_payload(made, {}, rows=40)
    assert (found["listed"], found["errors"]) == (36, 72)
    assert {tuple(row[2:4]) for row in found["rows"]} == {(d, f) for d in range(6) for f in range(3)}
    assert build_browser_payload(made, {}, rows=5)["listed"] == 5


def test_words_beyond_what_a_page_quotes_are_left_out_and_said():
    text = "x" * 300 + " gold " + "x" * 300
    documents = {"d0": "w", "d1": "w"}
    one = run("a", documents)
    cells = tuple(dataclasses.replace(cell, gold="gold") for cell in one.cells)
    found = build_browser_payload(
        report([dataclasses.replace(one, cells=cells)]), dict.fromkeys(documents, text), words=700
    )
    assert not found["quoted"]
    assert [len(parts) for parts in found["segments"]] == [1, 0]
    assert [len(row[-1]) for row in found["rows"]] == [4, 0]


def test_a_long_value_is_cut_and_says_how_long_it_was():
    assert format_report_value("x" * 5000).endswith("… (5000 characters)")
    assert (format_report_value(None), format_report_value(False), format_report_value({"a": "é"})) == (
        None,
        "false",
        '{"a": "é"}',
    )


def test_strings_that_runs_share_are_held_once(six):
    found = build_browser_payload(report(six[0]), six[1])
    assert len(found["strings"]) == len(set(found["strings"]))
    gold = [found["strings"][row[6]] for row in found["rows"] if row[6] >= 0]
    assert len(set(gold)) < len(gold)


# Where things are drawn


@given(st.lists(st.none() | st.floats(0, 1), max_size=8))
def test_an_axis_of_shares_holds_all_values_between_round_ends(values):
    axis = build_share_axis(values, 100)
    known = [value for value in values if value is not None]
    assert 0 <= axis.low < axis.high <= 1
    assert axis.high - axis.low >= 0.2 - 1e-9
    assert all(axis.low - 1e-9 <= value <= axis.high + 1e-9 for value in known)
    assert 2 <= len(axis.ticks) <= 8
    assert all(axis.low - 1e-9 <= tick <= axis.high + 1e-9 for tick in axis.ticks)
    order = sorted(known)
    assert [axis.at(value) for value in order] == sorted(axis.at(value) for value in known)


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=8))
def test_an_axis_of_amounts_starts_at_zero_or_says_that_it_is_logarithmic(values):
    axis = build_amount_axis(values, 100)
    assert axis.log == (min(values) >= 1e-9 and max(values) / min(values) > 20)
    assert (axis.low == 0) != axis.log
    assert all(0 <= axis.at(value) <= 100 for value in values)
    assert axis.high >= max(values) * (1 - 1e-9)
    assert 2 <= len(axis.ticks) <= 6


def test_times_on_an_axis_are_round_and_of_one_unit():
    def name_ticks(high):
        axis = build_amount_axis([100, high], 100, 60 if high >= 120 else 1)
        chart = ScatterChart("seconds", axis, build_share_axis([1], 100), (), (), ())
        return [chart.name_tick(tick) for tick in axis.ticks]

    assert name_ticks(349) == ["0 min", "2 min", "4 min", "6 min"]
    assert name_ticks(110) == ["0 s", "50 s", "100 s", "150 s"]


@given(st.lists(st.none() | st.floats(-1, 1), max_size=6))
def test_an_axis_of_differences_has_zero_in_its_middle(values):
    axis = build_difference_axis(values, 100)
    assert axis.at(0) == 50
    assert all(axis.low <= value <= axis.high for value in values if value is not None)


def test_numbers_in_a_scatter_plot_keep_clear_of_each_other(six):
    chart = build_scatter_chart(report(six[0]), "seconds")
    assert len(chart.points) == 6
    for a in chart.points:
        assert 0 <= a.x <= WIDTH
        for b in chart.points:
            assert a is b or math.dist(a.label, b.label) > 11
    assert build_scatter_chart(report([hostile()]), "money") is None


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (1234, "tokens", "1.23k tokens"),
        (90, "seconds", "90 s"),
        (600, "seconds", "10 min"),
        (0.00015, "money", "0.00015"),
    ],
)
def test_amounts_are_short_and_have_their_unit(value, kind, said):
    assert format_cost(value, kind) == said
    assert format_short_number(2_500_000) == "2.5M"


def test_a_run_without_any_support_known_shows_no_column_of_hallucinations(six):
    cells = tuple(dataclasses.replace(cell, support=ValueSupport.UNKNOWN) for cell in six[0][0].cells)
    said = "".join(Page(render_html(report([dataclasses.replace(six[0][0], cells=cells)]))).text)
    assert "halluci-" not in said
    assert "halluci-" in "".join(Page(render_html(report(six[0][:1]))).text)
