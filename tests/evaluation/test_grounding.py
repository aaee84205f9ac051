"""What a result claims of its document is checked, not believed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.evaluation.gold import Gold
from extractor.evaluation.scoring.grounding import ResultEvidence, SpanOverlap, is_value_in_text, measure_span_overlap
from extractor.evaluation.scoring.outcomes import LeafOutcome, ScoreCell, ValueSupport
from extractor.evaluation.scoring.schema import LeafNode
from extractor.schema import Kind

TEXT = (
    "Deep Sea Diving, by Hai *Zhang*, since Sep. 2021. 1,200 dives, 3.7$\\times$ more. [Home](https://example.org/dive)"
)


def result(path="/a", spans=(), text=TEXT, **more):
    said = [{"start": start, "end": end, "quote": text[max(0, start) : end]} for start, end in spans]
    return {"document": {"text": text}, "evidence": {path: {"match": "exact", "spans": said, **more}}}


def at(words):
    start = TEXT.index(words)
    return start, start + len(words)


def test_a_value_inside_a_true_quotation_is_supported():
    grounds = ResultEvidence(result(spans=[at("Deep Sea Diving")]))
    assert grounds.judge_support(LeafNode(), "deep sea", "/a") is ValueSupport.SUPPORTED


def test_a_quotation_that_the_text_does_not_have_supports_nothing():
    lie = result(spans=[at("Deep Sea Diving")])
    lie["evidence"]["/a"]["spans"][0]["quote"] = "Mountain Walks"
    assert ResultEvidence(lie).judge_support(LeafNode(), "Mountain Walks", "/a") is ValueSupport.UNSUPPORTED
    assert ResultEvidence(lie).judge_support(LeafNode(), "Deep Sea Diving", "/a") is ValueSupport.ELSEWHERE


def test_a_true_quotation_without_the_value_is_not_support():
    grounds = ResultEvidence(result(spans=[at("Hai")]))
    assert grounds.judge_support(LeafNode(), "Deep Sea Diving", "/a") is ValueSupport.ELSEWHERE
    assert grounds.judge_support(LeafNode(), "Mountain", "/a") is ValueSupport.UNSUPPORTED


def test_a_span_that_misses_gold_s_span_is_elsewhere():
    grounds = ResultEvidence(result(spans=[at("Deep Sea Diving")]))
    assert grounds.judge_support(LeafNode(), "Deep Sea", "/a", (at("Sea Diving"),)) is ValueSupport.SUPPORTED
    assert grounds.judge_support(LeafNode(), "Deep Sea", "/a", (at("Hai"),)) is ValueSupport.ELSEWHERE


def test_choices_need_a_true_quotation_only_and_truth_without_one_is_unknown():
    grounds = ResultEvidence(result(spans=[at("Hai")]))
    assert grounds.judge_support(LeafNode(Kind.ENUM, None, ("open",)), "open", "/a") is ValueSupport.SUPPORTED
    assert grounds.judge_support(LeafNode(Kind.BOOLEAN), True, "/a") is ValueSupport.SUPPORTED
    assert grounds.judge_support(LeafNode(Kind.BOOLEAN), True, "/b") is ValueSupport.UNKNOWN


def test_without_a_text_nothing_is_known():
    for broken in (None, {}, {"document": None}, {"document": {"text": 5}}):
        assert ResultEvidence(broken).judge_support(LeafNode(), "x", "/a") is ValueSupport.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.TEXT, "deep  sea diving"),
        (Kind.TEXT, "DeepSeaDiving"),
        (Kind.NAME, "Zhang, Hai"),
        (Kind.DATE, "2021-09"),
        (Kind.DATE, 2021),
        (Kind.NUMBER, 1200),
        (Kind.NUMBER, -1200),
        (Kind.INTEGER, "1200"),
        (Kind.QUANTITY, "3.7x"),
        (Kind.URL, "https://example.org/dive"),
        (Kind.URL, "example.org/dive"),
    ],
)
def test_a_value_is_read_in_the_text_by_the_rule_of_its_kind(kind, value):
    assert is_value_in_text(LeafNode(kind), value, TEXT)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.TEXT, "eep Sea"),
        (Kind.TEXT, "Deep Diving"),
        (Kind.NAME, "Li Zhang"),
        (Kind.DATE, "2021-08"),
        (Kind.DATE, "present"),
        (Kind.NUMBER, 120),
        (Kind.NUMBER, math.nan),
        (Kind.QUANTITY, "37x"),
        (Kind.URL, "https://example.com/dive"),
    ],
)
def test_a_value_is_not_read_where_only_parts_of_it_stand(kind, value):
    assert not is_value_in_text(LeafNode(kind), value, TEXT)


@given(
    st.sampled_from(Kind),
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.integers())
    | st.dictionaries(st.text(), st.none()),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["match", "spans", "start", "end", "quote", "confidence"]), inner)
        ),
    ),
)
def test_no_evidence_of_any_shape_breaks_the_check(kind, value, evidence):
    grounds = ResultEvidence({"document": {"text": TEXT}, "evidence": {"/a": evidence}})
    grounds.find_claim("/a")
    assert grounds.judge_support(LeafNode(kind), value, "/a") in ValueSupport


@pytest.mark.parametrize("confidence", [True, "0.5", 1.5, -1, math.nan, 10**400, None])
def test_a_confidence_that_is_none_is_left_out(confidence):
    assert ResultEvidence(result(confidence=confidence)).find_claim("/a").confidence is None


def test_a_claim_is_told_as_it_was_made():
    claim = ResultEvidence(result(spans=[(0, 4), (5, 8)], confidence=1)).find_claim("/a")
    assert (claim.match, claim.spans, claim.confidence) == ("exact", ((0, 4), (5, 8)), 1.0)


def cell(path, spans, outcome=LeafOutcome.CORRECT):
    return ScoreCell("run", "d", "f", outcome, "x", "x", path, "/x", spans=spans)


def test_spans_are_scored_in_characters_over_the_leaves_that_gold_has_spans_for():
    gold = Gold("d", {}, spans={"/a": ((0, 10), (5, 20)), "/b": ((30, 40),), "/c": ((50, 60),)})
    found = measure_span_overlap([cell("/a", ((15, 25),)), cell("/b", ()), cell("/z", ((0, 99),))], [gold])
    assert found == SpanOverlap(shared=5, claimed=10, gold=30)
    assert (found.precision, found.recall) == (0.5, 5 / 30)


def test_a_leaf_that_is_not_scored_has_no_span_to_find():
    gold = Gold("d", {}, spans={"/a": ((0, 10),)})
    assert measure_span_overlap([cell("/a", (), LeafOutcome.UNSCORED)], [gold]) == SpanOverlap()
    assert (SpanOverlap().precision, SpanOverlap().recall) == (None, None)


ranges = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=5).map(tuple)


@given(ranges.filter(lambda found: all(a < b for a, b in found)), ranges)
def test_span_figures_are_what_counting_characters_one_by_one_gives(gold, claimed):
    found = measure_span_overlap([cell("/a", claimed)], [Gold("d", {}, spans={"/a": gold})])
    ours = {n for start, end in gold for n in range(start, end)}
    theirs = {n for start, end in claimed for n in range(start, end)} if gold else set()
    assert found == SpanOverlap(len(ours & theirs), len(theirs), len(ours))
