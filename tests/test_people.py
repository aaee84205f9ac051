from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.text.names import split_names, strip_titles


def test_titles_before_a_name_are_no_part_of_it() -> None:
    assert strip_titles("Prof. Dr. Ada King") == "Ada King"
    assert strip_titles("Assoc. Prof. Ada King") == "Ada King"
    assert strip_titles("Mrs King") == "King"
    assert strip_titles("Drew Carey") == "Drew Carey"
    assert strip_titles("Prof.") == "Prof."


def test_several_persons_in_one_string_are_told_apart() -> None:
    assert split_names("Ada King and Bo Li, Prof. Cy Orr") == ["Ada King", "Bo Li", "Prof. Cy Orr"]
    assert split_names("King, Ada") == ["King, Ada"]
    assert split_names("Anders Sand") == ["Anders Sand"]


@given(st.text(max_size=40))
def test_nothing_but_what_stands_between_names_is_lost(text: str) -> None:
    assert split_names(text)
    for part in split_names(text):
        assert part in text
    assert strip_titles(text) in text
