from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.text.names import split_names, strip_titles


@given(st.text(max_size=40))
def test_nothing_but_what_stands_between_names_is_lost(text: str) -> None:
    assert split_names(text)
    for part in split_names(text):
        assert part in text
    assert strip_titles(text) in text
