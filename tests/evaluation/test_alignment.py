"""Rows find their rows: as many and as well as can be, whatever their order."""

import random

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from extractor.extraction.comparison.alignment import MAX_OPTIMAL_ROWS, RowSketch, align_rows, solve_assignment

matrices = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, 6) | st.integers(0, 10**15), min_size=size[1], max_size=size[1]),
        min_size=size[0],
        max_size=size[0],
    )
)


def row(*values, key=0, spare=False):
    """A row of leaves f0, f1, ..., None where absent; the first `key` of them identify it."""
    leaves = [((f"f{n}", value),) for n, value in enumerate(values) if value is not None]
    keys = tuple(() if value is None else (("text", value),) for value in values[:key])
    texts = tuple(() if value is None else (value,) for value in values[:key])
    return RowSketch(tuple(leaves), keys, texts, spare)


rows = st.lists(st.tuples(*[st.sampled_from([None, "a", "b", "c d", "c e"])] * 3), max_size=7)


@settings(deadline=None)
@given(matrices)
def test_the_sum_of_weights_is_what_scipy_finds(weights):
    pairs = solve_assignment(weights)
    array = numpy.array(weights, dtype=object).astype(float)
    best = sum(weights[i][j] for i, j in zip(*linear_sum_assignment(array, maximize=True), strict=True))
    assert sum(weights[i][j] for i, j in pairs) == pytest.approx(best, rel=1e-9)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(weights[i][j] > 0 for i, j in pairs)


@pytest.mark.parametrize("size", [(40, 40), (30, 50), (50, 30)])
def test_larger_assignments_agree_with_scipy_too(size):
    rng = random.Random(size[0])
    weights = [[rng.randrange(1000) * (rng.random() < 0.5) for _ in range(size[1])] for _ in range(size[0])]
    best = numpy.array(weights)[linear_sum_assignment(numpy.array(weights), maximize=True)].sum()
    assert sum(weights[i][j] for i, j in solve_assignment(weights)) == best


def test_nothing_is_assigned_to_nothing():
    assert solve_assignment([]) == solve_assignment([[], []]) == solve_assignment([[0, 0], [-1, 0]]) == []


def content(pairs, gold, predicted):
    return sorted((gold[i].sort_key, predicted[j].sort_key) for i, j in pairs)


@settings(deadline=None)
@given(rows, rows, st.integers(0, 2), st.randoms(use_true_random=False))
def test_the_order_of_lists_changes_no_pair(ours, theirs, key, rng):
    gold, predicted = [row(*r, key=key) for r in ours], [row(*r, key=key) for r in theirs]
    before = content(align_rows(gold, predicted).pairs, gold, predicted)
    rng.shuffle(gold)
    rng.shuffle(predicted)
    assert content(align_rows(gold, predicted).pairs, gold, predicted) == before


@settings(deadline=None)
@given(rows, rows)
def test_without_keys_no_pairing_has_more_in_common(ours, theirs):
    gold, predicted = [row(*r) for r in ours], [row(*r) for r in theirs]

    def shared(i, j):
        return len(set(gold[i].leaf_forms) & set(predicted[j].leaf_forms))

    weights = numpy.array([[shared(i, j) for j in range(len(predicted))] for i in range(len(gold))])
    best = weights[linear_sum_assignment(weights, maximize=True)].sum() if weights.size else 0
    pairs = align_rows(gold, predicted).pairs
    assert sum(shared(i, j) for i, j in pairs) == best
    assert all(shared(i, j) for i, j in pairs)


@settings(deadline=None)
@given(rows, rows, st.integers(0, 2))
def test_rows_with_nothing_in_common_stay_apart_and_each_row_has_one_partner(ours, theirs, key):
    gold, predicted = [row(*r, key=key) for r in ours], [row(*r, key=key) for r in theirs]
    pairs = align_rows(gold, predicted).pairs
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    for i, j in pairs:
        words = {word for text in gold[i].key_texts for one in text for word in one.split()}
        others = {word for text in predicted[j].key_texts for one in text for word in one.split()}
        assert set(gold[i].leaf_forms) & set(predicted[j].leaf_forms) or words & others


def test_an_equal_key_outweighs_everything_else_in_common():
    gold = [row("alpha", "x", "y", "z", key=1)]
    predicted = [row("beta", "x", "y", "z", key=1), row("alpha", "1", "2", "3", key=1)]
    assert align_rows(gold, predicted).pairs == ((0, 1),)


def test_a_stronger_key_outweighs_the_weaker_ones():
    gold = [row("alpha", "first", "x", key=2)]
    predicted = [row("beta", "first", "x", key=2), row("alpha", "last", "y", key=2)]
    assert align_rows(gold, predicted).pairs == ((0, 1),)


def test_a_weaker_key_alone_does_not_make_two_rows_one_unless_the_stronger_is_absent():
    gold = [row("alpha", "chair", "x", "y", key=2)]
    assert align_rows(gold, [row("beta", "chair", "v", "w", key=2)]).pairs == ()
    assert align_rows(gold, [row(None, "chair", "v", "w", key=2)]).pairs == ((0, 0),)


def test_a_key_that_is_mostly_the_same_words_pairs_rows_and_a_shared_date_alone_does_not():
    gold = [row("the grand prize of the city", "2023", "a", "b", key=1)]
    assert align_rows(gold, [row("grand prize, city", "2021", None, None, key=1)]).pairs == ((0, 0),)
    assert align_rows(gold, [row("a medal for swimming", "2023", "c", "d", key=1)]).pairs == ()


def test_another_reading_of_gold_pairs_as_well_as_the_first():
    gold = [
        RowSketch(((("f0", "alpha"), ("f0", "beta")),), ((("text", "alpha"), ("text", "beta")),), (("alpha", "beta"),))
    ]
    assert align_rows(gold, [row("beta", key=1)]).pairs == ((0, 0),)


def test_of_two_equal_rows_the_one_that_gold_insists_on_is_found():
    gold = [row("alpha", "x", key=1, spare=True), row("alpha", "x", key=1)]
    assert align_rows(gold, [row("alpha", "x", key=1)]).pairs == ((1, 0),)
    assert align_rows(gold, [row("alpha", "y", key=1)]).pairs == ((1, 0),)
    gold = [row("alpha", "a", key=1, spare=True), row("alpha", "z", key=1)]
    assert align_rows(gold, [row("alpha", "y", key=1)]).pairs == ((1, 0),)


def test_of_rows_with_as_much_in_common_the_one_with_the_more_similar_key_is_taken():
    predicted = [row("a m n o", "x", key=1), row("z m n o p", "x", key=1)]
    assert align_rows([row("m n o p", "x", key=1)], predicted).pairs == ((0, 1),)


def test_rows_without_leaves_stay_alone():
    assert align_rows([row(None)], [row(None)]).pairs == ()


def test_long_lists_are_paired_greedily_and_say_so(monkeypatch):
    n = MAX_OPTIMAL_ROWS + 10
    gold = [row(f"g{i}", "same", f"v{i}") for i in range(n)]
    predicted = [row(f"p{i}", "same", f"v{i}") for i in reversed(range(n))]
    found = align_rows(gold, predicted)
    assert not found.optimal
    assert found.pairs == tuple((i, n - 1 - i) for i in range(n))


def test_lists_too_long_to_look_at_every_pair_still_find_equal_and_nearly_equal_rows():
    n = 1200
    gold = [row(f"name {i}", "same", f"v{i}", key=1) for i in range(n)]
    predicted = [row(f"name {i}", "same", f"v{i}" if i % 2 else "other", key=1) for i in reversed(range(n))]
    found = align_rows(gold, predicted)
    assert found.pairs == tuple((i, n - 1 - i) for i in range(n))
    assert not found.optimal
