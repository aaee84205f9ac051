"""What passes and what fails, and that a failure says so with its figures."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import UsageError
from extractor.evaluation.analysis.baseline import BaselinePins, take_baseline
from extractor.evaluation.analysis.comparison import compare_runs
from extractor.evaluation.analysis.diff import compare_with_baseline
from extractor.evaluation.analysis.gates import GateBounds, judge_comparison
from extractor.evaluation.analysis.metrics import Statistic
from tests.evaluation.test_comparison import run

HALF = {"d1": "ccww", "d2": "ccww"}


def verdict(gates=None, *runs):
    return judge_comparison(compare_runs(runs or [run("a", HALF)]), gates)


@pytest.mark.parametrize(
    ("statistic", "value"),
    [(Statistic.MICRO_F1, 3 / 7), (Statistic.MACRO_F1, 4 / 9), (Statistic.PRECISION, 0.5), (Statistic.RECALL, 0.375)],
)
def test_fail_under_looks_at_the_statistic_that_is_named(statistic, value):
    one = run("a", {"d1": "ccwwoo", "d2": "cwo"[:2]})
    found = compare_runs([one]).entrants[0].overall[statistic].value
    at, above = (
        GateBounds(fail_under=found, statistic=statistic),
        GateBounds(fail_under=found + 1e-6, statistic=statistic),
    )
    assert verdict(at, one).passed
    failed = verdict(above, one)
    assert not failed.passed and failed.exit_code == 1
    (gate,) = failed.failed_gates
    assert statistic.display_name.lower() in gate.message.lower() and "below" in gate.message


def test_a_figure_just_below_its_bound_is_not_said_to_be_the_same_as_the_bound():
    (gate,) = verdict(GateBounds(fail_under=0.9998), run("a", {"d": "c" * 2399 + "w"})).failed_gates
    assert gate.message == "Micro F1 of a is 0.9996, below the 0.9998 asked for."


def test_gates_of_fields_name_the_field_and_its_figure():
    gates = GateBounds(fail_under_fields={"x1": 0.5, "x2": 0.5}, max_invented_fields={"x0": 0})
    found = verdict(gates, run("a", {"d1": "ccw", "d2": "icw"}))
    assert [gate.message for gate in found.failed_gates] == [
        'Micro F1 of the field "x2" of a is 0.000, below the 0.500 asked for.',
        'a invented 1 leaf of the field "x0", over 0 allowed.',
    ]


def test_invented_leaves_and_failed_documents_have_bounds():
    one = run("a", {"d1": "cii", "d2": "oo"}, failed={"d2"})
    assert verdict(GateBounds(max_invented=2, max_failed=1), one).passed
    failed = verdict(GateBounds(max_invented=1, max_failed=0), one).failed_gates
    assert [gate.name for gate in failed] == ["invented <= 1", "failed documents <= 0"]


def test_a_field_that_nobody_has_is_a_mistake_of_the_user_with_a_hint():
    with pytest.raises(UsageError, match=r'has a field "x9"; did you mean x2 or x1 or x0'):
        verdict(GateBounds(fail_under_fields={"x9": 0.5}))
    with pytest.raises(UsageError, match='has a field "other"'):
        verdict(GateBounds(max_invented_fields={"other": 3}))


def test_a_field_that_another_run_alone_has_is_no_mistake_and_has_no_figure():
    alone = run("b", {"d1": "cwc", "d2": "ccc"})
    found = verdict(GateBounds(fail_under_fields={"x2": 0.5}), run("a", {"d1": "cc", "d2": "cc"}), alone)
    assert [gate.run for gate in found.failed_gates] == ["a"]
    assert "nothing to be computed from" in found.failed_gates[0].message


@pytest.mark.parametrize("bound", [-0.1, 1.5, 80, math.nan, math.inf])
def test_bounds_that_cannot_be_meant_are_refused(bound):
    for gates in ({"fail_under": bound}, {"fail_under_fields": {"x": bound}}, {"allowed_drop": bound}):
        with pytest.raises(UsageError, match="share from 0 to 1"):
            GateBounds(**gates)


def test_negative_counts_are_refused():
    for gates in ({"max_invented": -1}, {"max_failed": -1}, {"max_invented_fields": {"x": -1}}):
        with pytest.raises(UsageError, match="write 0 or more"):
            GateBounds(**gates)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (run("a", {}), "no document to score"),
        (run("a", {"d1": "oo", "d2": "o"}, failed={"d1", "d2"}), "None of 2 documents of a was completed"),
        (run("a", {"d1": "aa", "d2": ""}), "holds a leaf that can be scored"),
    ],
)
def test_nothing_scored_is_never_green(one, said):
    found = verdict(None, one)
    assert not found.passed and found.exit_code == 1
    assert said in found.failed_gates[0].message


def test_without_gates_a_scored_run_passes_and_its_failed_documents_are_said():
    found = verdict(None, run("a", {"d1": "cw", "d2": "oo"}, failed={"d2"}))
    assert found.passed and found.exit_code == 0
    assert found.notices == ("a: 1 of 2 documents failed and costs all of its leaves (d2).",)


def test_gates_can_be_asked_of_some_runs_only():
    good, bad = run("good", {"d": "cc"}), run("bad", {"d": "ww"})
    assert not verdict(GateBounds(fail_under=0.9), good, bad).passed
    assert verdict(GateBounds(fail_under=0.9, runs=("good",)), good, bad).passed
    with pytest.raises(UsageError, match='labelled "ugly"'):
        verdict(GateBounds(runs=("ugly",)), good, bad)


def held(before, now, **gates):
    old, new = compare_runs([run("a", before)]), compare_runs([run("a", now)])
    pins = BaselinePins("task", "g", "s", new.documents)
    return judge_comparison(new, GateBounds(**gates), compare_with_baseline(take_baseline(old, pins), new, pins))


def test_a_drop_beyond_what_is_allowed_fails_with_both_figures():
    # 1 - 7/8 is 0.125, and no rounding on the way may make it more.
    found = held({"d1": "cccc", "d2": "cccc"}, {"d1": "cccw", "d2": "cccc"}, allowed_drop=0.125)
    assert found.passed
    found = held({"d1": "cccc", "d2": "cccc"}, {"d1": "ccww", "d2": "cccc"}, allowed_drop=0.1)
    (gate,) = found.failed_gates
    assert "fell from 1.000 to 0.750, over the 0.100 allowed (better on 0 documents, worse on 1)" in gate.message


@given(st.text("cwo", min_size=1, max_size=9), st.text("cwo", min_size=1, max_size=9))
def test_without_an_allowed_drop_the_baseline_fails_exactly_when_the_figure_falls(before, now):
    length = min(len(before), len(now))
    old, new = {"d": before[:length]}, {"d": now[:length]}
    figures = [compare_runs([run("a", one)]).entrants[0].overall[Statistic.MICRO_F1].value for one in (old, new)]
    assert held(old, new).passed == (figures[1] >= figures[0])


def test_the_baseline_may_be_held_to_another_statistic():
    before, now = {"d1": "cccc", "d2": "c"}, {"d1": "cccc", "d2": "w"}
    gates = {"allowed_drop": 0.3}
    assert held(before, now, **gates).passed
    assert not held(before, now, baseline_statistic=Statistic.MACRO_F1, **gates).passed


def test_the_sentence_the_exit_code_and_the_gates_agree():
    for word in ("cc", "cw", "ww", ""):
        found = verdict(GateBounds(fail_under=0.6, max_invented=0), run("a", {"d": word}))
        assert found.passed == (found.exit_code == 0) == found.sentence.startswith("Passed")
        assert found.passed == all(gate.passed for gate in found.gates)
