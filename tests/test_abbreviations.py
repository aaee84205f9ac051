from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.text.abbreviations import strip_abbreviation


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=5).map(str.title), min_size=2, max_size=8))
def test_words_are_compared_without_the_initials_that_they_were_given(words: list[str]) -> None:
    whole = " ".join(words)
    short = "".join(word[0] for word in words)
    assert strip_abbreviation(f"{whole} ({short})") == whole
    assert strip_abbreviation(whole) == whole
