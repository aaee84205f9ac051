"""What is computed of runs, and what is claimed of two of them."""

import dataclasses
import itertools
import statistics as plain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.errors import UsageError
from extractor.evaluation.analysis.comparison import MIN_DOCUMENTS, Comparison, compare_head_to_head, compare_runs
from extractor.evaluation.analysis.metrics import Statistic, group_into_entrants
from extractor.evaluation.scoring.outcomes import (
    LeafOutcome,
    LeafTally,
    ScoreCell,
    ScoredDocument,
    ScoredRun,
    tally_cells,
)
from tests.evaluation import synthetic

OUTCOMES = {"c": LeafOutcome.CORRECT, "w": LeafOutcome.WRONG, "o": LeafOutcome.OMITTED, "i": LeafOutcome.INVENTED}
OUTCOMES |= {"a": LeafOutcome.ABSENT, "u": LeafOutcome.UNSCORED}
TWO = [("small", "plain", 0.6), ("small", "terse", 0.7)]


def run(label, documents, *, failed=(), repeat=1, model="m", prompt="p"):
    """`documents` maps a name to a word of outcomes, such as "ccw"; leaves are of the fields x0, x1, ..."""
    cells = [
        ScoreCell(label, name, f"x{at % 3}", OUTCOMES[letter], failed=name in failed)
        for name, word in documents.items()
        for at, letter in enumerate(word)
    ]
    graded = [
        ScoredDocument(label, name, "failed" if name in failed else "complete", 1.0, 10, 10, 1) for name in documents
    ]
    return ScoredRun(label, "task", model, prompt, (), tuple(graded), tuple(cells), repeat)


words = st.text("ccccwoiau", max_size=8)
sets = st.dictionaries(st.sampled_from([f"d{n}" for n in range(9)]), words, min_size=1, max_size=9)


@given(sets)
@settings(max_examples=50)
def test_every_figure_is_a_ratio_of_the_cells(documents):
    one = run("a", documents)
    (entrant,) = group_into_entrants([one])
    whole = tally_cells(one.cells)
    assert entrant.overall[Statistic.MICRO_F1].value == whole.f1
    assert entrant.overall[Statistic.PRECISION].value == whole.precision
    assert entrant.overall[Statistic.RECALL].value == whole.recall
    for statistic, name in [(Statistic.MACRO_F1, "f1"), (Statistic.MACRO_RECALL, "recall")]:
        each = [getattr(tally_cells(c for c in one.cells if c.document == document), name) for document in documents]
        known = [value for value in each if value is not None]
        expected = plain.mean(known) if known else None
        assert entrant.overall[statistic].value == (None if expected is None else pytest.approx(expected))


def test_a_failed_document_costs_its_leaves_and_is_left_out_of_what_was_completed():
    (entrant,) = group_into_entrants([run("a", {"d1": "cccw", "d2": "oooo"}, failed={"d2"})])
    assert entrant.overall[Statistic.RECALL].value == 3 / 8
    assert entrant.completed[Statistic.RECALL].value == 3 / 4
    assert (entrant.overall.documents, entrant.completed.documents) == (2, 1)
    assert entrant.undone == {"d2": "failed"}


def test_when_all_documents_failed_nothing_is_left_to_compute_the_completed_figures_from():
    (entrant,) = group_into_entrants([run("a", {"d1": "oo", "d2": "o"}, failed={"d1", "d2"})])
    assert entrant.overall[Statistic.MICRO_F1].value == 0
    assert entrant.completed.documents == 0
    assert {one.value for one in entrant.completed.estimates.values()} == {None}


def test_repeats_are_one_entrant_whose_counts_add_up_within_documents():
    runs, _ = synthetic.runs(TWO[:1], repeats=3)
    (entrant,) = group_into_entrants(runs)
    assert (entrant.label, len(entrant.runs)) == ("small · plain", 3)
    for name, tally in entrant.tallies.items():
        assert tally == tally_cells(cell for one in runs for cell in one.cells if cell.document == name)
    assert compare_runs(runs).documents == compare_runs(runs[:1]).documents


def test_runs_of_one_model_and_prompt_with_labels_of_their_own_are_compared_not_added_up():
    comparison = compare_runs([run("before", {"d": "cw"}), run("after", {"d": "cc"})])
    assert [one.label for one in comparison.entrants] == ["after", "before"]


def test_two_runs_of_one_label_and_no_run_at_all_are_refused():
    with pytest.raises(UsageError, match='labelled "a"'):
        compare_runs([run("a", {"d": "c"}), run("a", {"d": "w"})])
    with pytest.raises(UsageError, match="no run to score"):
        compare_runs([])


@given(st.permutations(range(3)), st.integers(0, 3))
@settings(max_examples=8, deadline=None)
def test_neither_the_order_nor_the_names_of_runs_move_a_figure(order, seed):
    runs, _ = synthetic.runs([*TWO, ("large", "plain", 0.9)], documents=6, rows=2)
    first = compare_runs(runs, seed=seed)
    shuffled = compare_runs([runs[at] for at in order], seed=seed)
    assert first == shuffled
    names = {one.label: f"z{at}" for at, one in enumerate(first.entrants)}
    renamed = compare_runs([dataclasses.replace(one, label=names[one.label]) for one in runs], seed=seed)
    assert [one.overall for one in renamed.entrants] == [one.overall for one in first.entrants]
    assert [pair.difference for pair in renamed.pairs] == [pair.difference for pair in first.pairs]


def test_further_runs_move_no_figure_of_a_pair_but_the_correction_for_their_number():
    runs, _ = synthetic.runs([*TWO, ("large", "plain", 0.9)], documents=40, rows=2)
    (alone,) = compare_runs(runs[:2]).pairs
    among = next(pair for pair in compare_runs(runs).pairs if {pair.a, pair.b} == {alone.a, alone.b})
    assert (among.difference, among.p, among.head_to_head) == (alone.difference, alone.p, alone.head_to_head)
    assert among.adjusted >= alone.adjusted


def test_a_run_against_itself_is_tied_with_it_on_every_document():
    one = synthetic.runs(TWO[:1], documents=35, rows=2)[0][0]
    (pair,) = compare_runs([one, dataclasses.replace(one, label="again")]).pairs
    assert (pair.difference.value, pair.difference.interval, pair.p, pair.detectable) == (0, None, 1, None)
    assert (pair.head_to_head.wins, pair.head_to_head.losses, pair.head_to_head.p, pair.is_separable) == (
        0,
        0,
        1,
        False,
    )


def test_with_enough_documents_a_large_difference_is_told_and_none_is_not():
    runs, _ = synthetic.runs([("a", "p", 0.9), ("b", "p", 0.5), ("c", "p", 0.5)], documents=40, rows=3)
    comparison = compare_runs(runs)
    assert comparison.entrants[0].model == "a"
    assert {(pair.a[0], pair.b[0]): pair.is_separable for pair in comparison.pairs if pair.a[0] == "a"} == {
        ("a", "b"): True,
        ("a", "c"): True,
    }
    assert len(comparison.tied_groups) == 2
    assert comparison.tied_groups[0] == ("a · p",)
    assert not comparison.has_few_documents


def test_with_few_documents_nothing_is_told_however_large_the_difference():
    runs, _ = synthetic.runs([("a", "p", 0.95), ("b", "p", 0.2)], documents=MIN_DOCUMENTS - 1, rows=2)
    comparison = compare_runs(runs)
    (pair,) = comparison.pairs
    assert pair.adjusted < 0.001
    assert comparison.has_few_documents and pair.has_few_documents and not pair.is_separable
    assert comparison.tied_groups == (("a · p", "b · p"),)


def test_one_document_has_figures_and_no_interval():
    comparison = compare_runs([run("a", {"d": "ccw"}), run("b", {"d": "cww"})])
    assert comparison.entrants[0].overall[Statistic.MICRO_F1].value == pytest.approx(2 / 3)
    assert {one.interval for entrant in comparison.entrants for one in entrant.overall.estimates.values()} == {None}
    assert comparison.pairs[0].difference.interval is None
    assert comparison.pairs[0].detectable is None


def test_no_document_is_no_figure():
    comparison = compare_runs([run("a", {}), run("b", {})])
    assert {one.value for entrant in comparison.entrants for one in entrant.overall.estimates.values()} == {None}
    assert (comparison.pairs[0].p, comparison.pairs[0].adjusted, comparison.documents) == (None, None, ())


def test_runs_are_compared_on_the_documents_that_both_have():
    comparison = compare_runs(
        [run("a", {"d1": "cc", "d2": "ww", "d3": "c"}), run("b", {"d1": "cw", "d3": "c", "d4": "c"})]
    )
    (pair,) = comparison.pairs
    assert not comparison.balanced
    assert (pair.documents, pair.unmatched) == (2, 2)
    assert pair.difference.value == pytest.approx((1.0 - 2 / 3) * (1 if pair.a == "a" else -1))


def test_an_invention_where_gold_has_nothing_loses_the_field_on_that_document():
    (pair,) = compare_runs([run("silent", {"d1": "cc", "d2": "c"}), run("loud", {"d1": "cc", "d2": "ci"})]).pairs
    (field,) = [one for one in pair.fields if one.field == "x1"]
    assert pair.a == "silent"
    assert (field.head_to_head.wins, field.head_to_head.ties, field.head_to_head.losses) == (1, 1, 0)
    assert field.difference == pytest.approx(1 - 2 / 3)


@given(st.lists(st.tuples(words, words), max_size=8))
def test_wins_ties_and_losses_are_the_documents_that_both_have_an_f1_of(documents):
    ours, theirs = (
        [tally_cells(ScoreCell("r", "d", "x", OUTCOMES[c]) for c in side) for side in sides]
        for sides in ([a for a, _ in documents], [b for _, b in documents])
    )
    found, back = compare_head_to_head(ours, theirs), compare_head_to_head(theirs, ours)
    known = sum(a.f1 is not None and b.f1 is not None for a, b in zip(ours, theirs, strict=True))
    assert found.wins + found.ties + found.losses == known
    assert (found.wins, found.losses, found.p) == (back.losses, back.wins, back.p)


def test_holm_over_fields_counts_every_field_of_every_pair_that_has_two_documents():
    runs, _ = synthetic.runs([*TWO, ("large", "plain", 0.9)], documents=35, rows=3)
    pairs = compare_runs(runs).pairs
    tests = [one for pair in pairs for one in pair.fields]
    least = min(tests, key=lambda one: one.head_to_head.p)
    assert least.adjusted == pytest.approx(min(1.0, len(tests) * least.head_to_head.p))


def test_ties_are_the_largest_sets_of_which_no_two_are_told_apart():
    runs, _ = synthetic.runs([("m", f"p{n}", 0.5 + 0.05 * n) for n in range(7)], documents=34, rows=2)
    comparison = compare_runs(runs)
    labels = [one.label for one in comparison.entrants]
    apart = {frozenset((pair.a, pair.b)) for pair in comparison.pairs if pair.is_separable}
    assert apart  # else the test tests nothing
    whole = [
        group
        for size in range(1, 8)
        for group in itertools.combinations(labels, size)
        if not any(frozenset(two) in apart for two in itertools.combinations(group, 2))
    ]
    largest = {group for group in whole if not any(set(group) < set(other) for other in whole)}
    assert set(comparison.tied_groups) == largest


@pytest.mark.parametrize("statistic", list(Statistic))
def test_runs_are_ranked_by_the_statistic_that_is_asked_for(statistic):
    runs, _ = synthetic.runs([("m", f"p{n}", 0.4 + 0.1 * n) for n in range(4)], rows=3)
    comparison = compare_runs(runs, statistic=statistic)
    values = [one.overall[statistic].value for one in comparison.entrants]
    assert values == sorted(values, reverse=True)
    assert all(pair.difference.value >= 0 for pair in comparison.pairs)


def test_a_run_that_nobody_has_is_a_mistake_of_the_user():
    comparison: Comparison = compare_runs([run("a", {"d": "c"})])
    with pytest.raises(UsageError, match='no run labelled "b" here; name one of "a"'):
        comparison.find_entrant("b")
    assert comparison.find_entrant("a").tallies == {"d": LeafTally(correct=1)}
