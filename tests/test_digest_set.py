"""What a run keeps of a million documents: which names and paths it has seen, and where their entries stand."""

from __future__ import annotations

import sys
from array import array

from hypothesis import given
from hypothesis import strategies as st

from extractor.digest_set import DigestSet
from extractor.runs.entry_index import EntryIndex

TEXTS = st.lists(st.text(st.sampled_from("ab\ud800é"), max_size=3), max_size=200)


@given(TEXTS)
def test_texts_have_the_numbers_of_their_first_mentions(texts: list[str]) -> None:
    seen, first = DigestSet(), list(dict.fromkeys(texts))
    assert [seen.add(text) for text in texts] == [first.index(text) for text in texts]
    assert [seen.find(text) for text in first] == list(range(len(first))) and len(seen) == len(first)
    assert "ccc" not in seen and seen.find("ccc") is None


def test_a_text_takes_sixteen_bytes_and_an_entry_of_a_journal_fifty() -> None:
    texts, index = DigestSet(), EntryIndex()
    for number in range(20_000):
        texts.add(f"{number}")
        index.add(f"in/{number}.txt", f"{number}.json", number)

    def measure(one: object) -> int:
        return sum(
            sys.getsizeof(part) if isinstance(part, array) else measure(part) if isinstance(part, DigestSet) else 0
            for part in vars(one).values()
        )

    assert measure(texts) <= 16 * 20_000 and measure(index) <= 50 * 20_000


ENTRIES = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["x", "X", "y", "z"])), max_size=30)


@given(ENTRIES)
def test_a_later_entry_about_a_source_or_a_file_takes_the_place_of_an_earlier_one(pairs: list[tuple[str, str]]) -> None:
    index = EntryIndex()
    by_source: dict[str, int] = {}
    by_file: dict[str, int] = {}
    for place, (source, file) in enumerate(pairs):
        index.add(source, file, place)
        by_source[source] = by_file[file.lower()] = place
    holding = sorted(set(by_source.values()) & set(by_file.values()))
    assert list(index.iterate_places()) == holding
    for source, place in by_source.items():
        number = index.find_source(source)
        assert (None if number is None else index.get_place(number)) == (place if place in holding else None)
    for file, place in by_file.items():
        number = index.find_file(file)
        assert number is not None and index.get_place(number) == place
