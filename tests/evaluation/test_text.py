"""Typesetting does not matter, content does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.comparison.text import (
    normalise_for_comparison,
    split_plain_words,
    strip_markup,
    strip_punctuation,
)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Deep  Sea\nDiving", "deep sea diving"),
        ("**Deep Sea**", "Deep Sea"),
        ("_Deep_ Sea.", "Deep Sea"),
        ("“Deep” – Sea", '"Deep" - Sea'),
        ("Deep Sea†", "(Deep Sea)"),
        ("H<sub>2</sub>O", "H2O"),
        ("[Deep Sea](https://example.org)", "Deep Sea"),
        ("$3.7\\times$", "3.7×"),
        ("3.7×", "3.7x"),
        ("12\\%", "12%"),
        ("2010--2012", "2010–2012"),
        ("ＦＵＬＬ　Width", "full width"),
        ("10 YR 3/1", "10YR 3 / 1"),
        ("A , B", "A, B"),
        ("soft\u00adhyphen", "softhyphen"),
        ("90 – 130", "90-130"),
    ],
)
def test_the_same_text_set_in_another_way_is_the_same(a, b):
    assert normalise_for_comparison(a) == normalise_for_comparison(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("-5", "5"),
        ("−5", "5"),
        ("1.5", "15"),
        (".5", "5"),
        ("1, 5", "1,5"),
        ("1 5", "15"),
        ("10²", "102"),
        ("1½", "11/2"),
        ("(5)", "5"),
        (">5", "5"),
        ("~5", "5"),
        ("$5", "5"),
        ("5%", "5"),
        ("C", "C++"),
        ("C", "C#"),
        ("a live", "alive"),
        ("2*3", "23"),
        ("x_y", "xy"),
        ("90 -130", "90 130"),
        ("a, b", "a b"),
        ("***", "-"),
    ],
)
def test_what_belongs_to_the_content_is_kept(a, b):
    assert normalise_for_comparison(a) != normalise_for_comparison(b)


@given(st.text())
def test_a_text_that_says_something_is_never_normalised_to_nothing(text):
    visible = any(char.isalnum() for char in text)
    assert not visible or normalise_for_comparison(text)


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"])))
def test_normalising_does_not_depend_on_case_or_white_space_around(text):
    assert normalise_for_comparison(f"  {text}\n") == normalise_for_comparison(text)


@given(st.text())
def test_every_form_is_total(text):
    for form in (normalise_for_comparison, strip_punctuation, strip_markup, split_plain_words):
        form(text)
