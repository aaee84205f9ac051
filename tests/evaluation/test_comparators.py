"""Comparisons are equivalences, total, and exact where it counts."""

import copy
import math
import string

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from extractor.evaluation.scoring.schema import LeafNode
from extractor.extraction.comparison.comparators import serialise_value, texts_are_similar, values_match
from extractor.schema import Kind

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters())
    | st.sampled_from(["2023-10", "1,000", "1e999999", "3.7x", "http://[", "a@b", "10²", "\ud800", "Zhang, Hai", "**"])
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
leaves = st.builds(LeafNode, st.sampled_from(Kind), st.none() | st.floats(0.1, 1.0))


@settings(deadline=None)
@given(leaves, anything)
@example(LeafNode(Kind.NUMBER), math.nan)
@example(LeafNode(Kind.INTEGER), 10**5000)
@example(LeafNode(Kind.TEXT), 10**5000)
@example(LeafNode(Kind.QUANTITY), 1e308)
def test_a_value_is_the_same_as_itself_and_as_a_copy_of_itself(leaf, value):
    assert values_match(leaf, value, value)
    assert values_match(leaf, value, copy.deepcopy(value))


@settings(deadline=None)
@given(leaves, anything, anything)
def test_a_comparison_has_no_direction(leaf, a, b):
    assert values_match(leaf, a, b) == values_match(leaf, b, a)


spellings = [
    "1",
    1,
    1.0,
    True,
    "1.0",
    "01",
    "1,000",
    1000,
    "1.000",
    "2023",
    2023,
    "jan 2023",
    "2023-01",
    "a",
    "A",
    "*a*",
    "á",
]


@settings(deadline=None)
@given(st.sampled_from(Kind), *[st.sampled_from(spellings)] * 3)
def test_without_tolerance_sameness_carries_over(kind, a, b, c):
    leaf = LeafNode(kind)
    assert values_match(leaf, a, c) or not (values_match(leaf, a, b) and values_match(leaf, b, c))


@settings(deadline=None)
@given(
    leaves,
    st.text(alphabet=string.ascii_letters + " .,-'&"),
    st.integers(1, 9),
    st.integers(1, 9),
    st.text(alphabet=string.ascii_letters + " .,-'&"),
)
def test_no_similarity_excuses_a_digit(leaf, before, a, b, after):
    assume(a != b)
    assert not values_match(leaf, f"{before}{a}{after}", f"{before}{b}{after}")


def test_a_fuzzy_leaf_forgives_letters_and_nothing_else():
    leaf = LeafNode(Kind.TEXT, 0.85)
    assert values_match(leaf, "Deep Learning for Sea Diving", "Deep Leaming for Sea Diving")
    assert not values_match(LeafNode(Kind.TEXT), "Deep Learning for Sea Diving", "Deep Leaming for Sea Diving")
    assert not values_match(leaf, "Version 1.5 of Deep Learning", "Version 15 of Deep Learning")
    assert not values_match(leaf, "It is -5 degrees in Oslo now", "It is 5 degrees in Oslo now")
    assert not values_match(leaf, "Deep Sea", "Mountain Air")


def test_similarity_is_at_least_what_is_asked():
    assert texts_are_similar("abcd", "abce", 0.75)
    assert not texts_are_similar("abcd", "abce", 0.76)


@pytest.mark.parametrize(
    ("kind", "a", "b"),
    [
        (Kind.TEXT, "Deep Sea", "*deep  sea*"),
        (Kind.TEXT, 12, "12"),
        (Kind.TEXT, 1000.0, "1000"),
        (Kind.NAME, "José Núñez", "Jose Nunez"),
        (Kind.NAME, "Zhang, Hai", "Hai ZHANG"),
        (Kind.NAME, "J. K. Row", "J.K. Row"),
        (Kind.NAME, "Hai Zhang*", "Hai  Zhang"),
        (Kind.DATE, "2023-10", "October 2023"),
        (Kind.DATE, 2023, "2023"),
        (Kind.DATE, "20/03/2018", "2018-03-20"),
        (Kind.DATE, "Present", "ongoing"),
        (Kind.NUMBER, 1000.0, 1000),
        (Kind.NUMBER, "1,000", 1000),
        (Kind.NUMBER, -0.0, 0),
        (Kind.INTEGER, 3.0, 3),
        (Kind.QUANTITY, "3.7x", "$3.7\\times$"),
        (Kind.QUANTITY, "15 percent", "15%"),
        (Kind.QUANTITY, "1,200 m", "1200m"),
        (Kind.QUANTITY, 12, "12"),
        (Kind.URL, "https://Example.ORG/a/", "http://example.org:80/a"),
        (Kind.URL, "example.org", "https://example.org/"),
        (Kind.EMAIL, "Ada@Example.org", "mailto:ada@example.org"),
        (Kind.ENUM, "In Stock", "in stock"),
        (Kind.BOOLEAN, True, "true"),
    ],
)
def test_the_same_in_another_spelling_is_the_same(kind, a, b):
    assert values_match(LeafNode(kind), a, b)


@pytest.mark.parametrize(
    ("kind", "a", "b"),
    [
        (Kind.TEXT, "-5", "5"),
        (Kind.TEXT, "1.5", "15"),
        (Kind.TEXT, "1", True),
        (Kind.NAME, "Hai Zhang", "H. Zhang"),
        (Kind.NAME, "मि", "म"),
        (Kind.DATE, "2023", "2023-10"),
        (Kind.DATE, "2023-10", "2023-10-01"),
        (Kind.DATE, "03/04/2018", "2018-04-03"),
        (Kind.DATE, "03/04/2018", "04/03/2018"),
        (Kind.DATE, "2023-10-01", "2023-10-01T00:00:00Z"),
        (Kind.NUMBER, 1, True),
        (Kind.NUMBER, 0, False),
        (Kind.NUMBER, 0, None),
        (Kind.NUMBER, math.nan, None),
        (Kind.NUMBER, math.nan, math.inf),
        (Kind.NUMBER, 2**60, 2**60 + 1),
        (Kind.NUMBER, "0,123", 123),
        (Kind.INTEGER, 3, 3.5),
        (Kind.QUANTITY, "15%", 15),
        (Kind.QUANTITY, "15%", "15x"),
        (Kind.QUANTITY, "up to 49%", "49%"),
        (Kind.URL, "https://example.org/a", "https://example.org/A"),
        (Kind.URL, "https://example.org/a?b=1", "https://example.org/a"),
        (Kind.URL, "ftp://example.org", "https://example.org"),
        (Kind.EMAIL, "a.b@example.org", "ab@example.org"),
        (Kind.BOOLEAN, False, None),
        (Kind.BOOLEAN, True, 1),
    ],
)
def test_what_differs_is_not_the_same(kind, a, b):
    assert not values_match(LeafNode(kind), a, b)


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_survives_being_written(value):
    assert values_match(LeafNode(Kind.NUMBER), value, f"{value!r}")


def test_containers_are_compared_by_content_at_any_depth():
    def deep(leaf):
        value = leaf
        for _ in range(50_000):
            value = [value]
        return value

    assert values_match(LeafNode(), deep(1), deep(1.0))
    assert not values_match(LeafNode(), deep(1), deep(2))
    assert serialise_value({"b": 1, "a": [None]}) == serialise_value({"a": [None], "b": 1})


def turned(value):
    """The same value with the keys of every object in another order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(inner) for inner in value] if isinstance(value, list) else value


@settings(deadline=None)
@given(anything, st.sampled_from(Kind))
def test_the_order_of_keys_does_not_matter(value, kind):
    assert serialise_value(value) == serialise_value(turned(value))
    assert values_match(LeafNode(kind), value, turned(value))
