from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.grounding.mentions import TextIndex
from extractor.extraction.text.abbreviations import extend_over_abbreviation, strip_abbreviation
from extractor.schema import Kind
from extractor.schema.reader import Scalar
from extractor.types import Chunk, Document, Span


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("B.S. in Computer Science and Engineering (CSE), 2020", "B.S. in Computer Science and Engineering"),
        ("Silver Medal in National Olympiad in Informatics (NOI)", "Silver Medal in National Olympiad in Informatics"),
        ("**University of the Arts** (UA)", "University of the Arts"),
        ("point of sale (POS) desk", "point of sale"),
    ],
)
def test_the_abbreviation_of_the_words_is_taken_along(text: str, words: str) -> None:
    start = text.index(words)
    span = extend_over_abbreviation(text, Span(start, start + len(words)))
    assert text[span.start : span.end].endswith(")")


@pytest.mark.parametrize(
    "text", ["Rigger (HOURS)", "Peking University (PKU)", "Night watch (NW", "Night watch (nw)", "Night watch (at NW)"]
)
def test_other_brackets_stay_where_they_are(text: str) -> None:
    span = Span(0, text.index(" ("))
    assert extend_over_abbreviation(text, span) == span


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=5).map(str.title), min_size=2, max_size=8))
def test_words_are_compared_without_the_initials_that_they_were_given(words: list[str]) -> None:
    whole = " ".join(words)
    short = "".join(word[0] for word in words)
    assert strip_abbreviation(f"{whole} ({short})") == whole
    assert strip_abbreviation(whole) == whole


def test_a_value_has_the_abbreviation_that_a_model_left_out() -> None:
    page = TextIndex(Chunk(d := Document("d", "M.Sc. in Marine Biology (MB), Porto (PT)"), 0, Span(0, len(d.text))))
    text = Scalar(Kind.TEXT, "string")
    assert [p.value for p in page.find_mentions(text, "M.Sc. in Marine Biology")] == ["M.Sc. in Marine Biology (MB)"]
    assert [p.value for p in page.find_mentions(text, "Porto")] == ["Porto"]
