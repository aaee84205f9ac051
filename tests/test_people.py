from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.text import names as people


def test_titles_before_a_name_are_no_part_of_it() -> None:
    assert people.strip_titles("Prof. Dr. Ada King") == "Ada King"
    assert people.strip_titles("Assoc. Prof. Ada King") == "Ada King"
    assert people.strip_titles("Mrs King") == "King"
    assert people.strip_titles("Drew Carey") == "Drew Carey"
    assert people.strip_titles("Prof.") == "Prof."


def test_several_persons_in_one_string_are_told_apart() -> None:
    assert people.split_names("Ada King and Bo Li, Prof. Cy Orr") == ["Ada King", "Bo Li", "Prof. Cy Orr"]
    assert people.split_names("King, Ada") == ["King, Ada"]
    assert people.split_names("Anders Sand") == ["Anders Sand"]


@given(st.text(max_size=40))
def test_nothing_but_what_stands_between_names_is_lost(text: str) -> None:
    assert people.split_names(text)
    for part in people.split_names(text):
        assert part in text
    assert people.strip_titles(text) in text
