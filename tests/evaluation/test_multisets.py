"""Items of lists of scalars find partners that say the same, as many as can be."""

from collections import Counter

import numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from extractor.evaluation.scoring.multisets import match_multisets
from extractor.evaluation.scoring.schema import LeafNode
from extractor.schema import Kind

letters = st.sampled_from("abcde")


@settings(deadline=None)
@given(st.lists(letters, max_size=8), st.lists(letters, max_size=8))
def test_without_other_readings_as_many_are_matched_as_the_multisets_share(gold, predicted):
    found, complete = match_multisets(LeafNode(), [[one] for one in gold], predicted)
    assert len(found) == (Counter(gold) & Counter(predicted)).total()
    assert len(set(found.values())) == len(found)
    assert all(gold[i] == predicted[j] for i, j in found.items())
    assert complete


@settings(deadline=None)
@given(
    st.lists(st.lists(letters, min_size=1, max_size=3), min_size=1, max_size=6),
    st.lists(letters, min_size=1, max_size=6),
)
def test_with_other_readings_as_many_are_matched_as_can_be(gold, predicted):
    found, _ = match_multisets(LeafNode(), gold, predicted)
    fits = numpy.array([[one in readings for one in predicted] for readings in gold])
    best = maximum_bipartite_matching(csr_matrix(fits), perm_type="column")
    assert len(found) == (best >= 0).sum()
    assert len(set(found.values())) == len(found)
    assert all(predicted[j] in gold[i] for i, j in found.items())


def test_earlier_items_are_served_first():
    assert match_multisets(LeafNode(), [["a"], ["a"]], ["a"])[0] == {0: 0}
    assert match_multisets(LeafNode(), [["b", "a"], ["a"]], ["a"])[0] in ({0: 0}, {1: 0})


def test_a_long_chain_of_moves_is_followed():
    n = 3000
    gold = [[f"v{i}", f"v{i + 1}"] for i in range(n)] + [["x", "v0"]]
    found, _ = match_multisets(LeafNode(), gold, [f"v{i}" for i in range(n + 1)])
    assert len(found) == n + 1


def test_a_tolerant_leaf_matches_what_is_close():
    found, _ = match_multisets(
        LeafNode(Kind.TEXT, 0.8), [["deep learning"], ["deep sea"]], ["deep sea", "deep leaming"]
    )
    assert found == {0: 1, 1: 0}


def test_too_many_pairs_to_compare_with_tolerance_is_said():
    found, complete = match_multisets(
        LeafNode(Kind.TEXT, 0.9), [[f"a{i}"] for i in range(501)], [f"b{i}" for i in range(501)]
    )
    assert found == {}
    assert not complete
