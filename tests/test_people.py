from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.text import names as people


def test_titles_before_a_name_are_no_part_of_it() -> None:
    assert people.untitled("Prof. Dr. Ada King") == "Ada King"
    assert people.untitled("Assoc. Prof. Ada King") == "Ada King"
    assert people.untitled("Mrs King") == "King"
    assert people.untitled("Drew Carey") == "Drew Carey"
    assert people.untitled("Prof.") == "Prof."


def test_several_persons_in_one_string_are_told_apart() -> None:
    assert people.apart("Ada King and Bo Li, Prof. Cy Orr") == ["Ada King", "Bo Li", "Prof. Cy Orr"]
    assert people.apart("King, Ada") == ["King, Ada"]
    assert people.apart("Anders Sand") == ["Anders Sand"]


@given(st.text(max_size=40))
def test_nothing_but_what_stands_between_names_is_lost(text: str) -> None:
    assert people.apart(text)
    for part in people.apart(text):
        assert part in text
    assert people.untitled(text) in text
