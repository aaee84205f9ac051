"""What a run keeps of a million documents: which names and paths it has seen, and where their entries stand."""

from __future__ import annotations

import platform
import subprocess
import sys
import threading
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.digest_set import DigestSet
from extractor.runs.entry_index import EntryIndex

TEXTS = st.lists(st.text(st.sampled_from("ab\ud800é"), max_size=3), max_size=200)


@given(TEXTS, st.integers(0, 80))
def test_texts_have_the_numbers_of_their_first_mentions(texts: list[str], expected: int) -> None:
    seen, first = DigestSet(expected), list(dict.fromkeys(texts))
    assert [seen.add(text) for text in texts] == [first.index(text) for text in texts]
    assert [seen.find(text) for text in first] == list(range(len(first))) and len(seen) == len(first)
    assert "ccc" not in seen and seen.find("ccc") is None


def measure(one: object) -> int:
    return sum(
        sys.getsizeof(part) if isinstance(part, array) else measure(part) if isinstance(part, DigestSet) else 0
        for part in vars(one).values()
    )


def test_a_text_takes_sixteen_bytes_and_an_entry_of_a_journal_forty() -> None:
    texts, index = DigestSet(), EntryIndex()
    for number in range(20_000):
        texts.add(f"{number}")
        index.add(f"in/{number}.txt", f"{number}.json", number)
    assert measure(texts) <= 16 * 20_000 and measure(index) <= 40 * 20_000


def test_what_is_expected_has_its_room_at_once_and_nothing_grows() -> None:
    texts, index = DigestSet(20_000), EntryIndex(20_000)
    before = measure(texts), measure(index)
    for number in range(20_000):
        texts.add(f"{number}")
        index.add(f"in/{number}.txt", f"{number}.json", number)
    assert (measure(texts), measure(index)) == before
    assert before[0] <= 14 * 20_000 and before[1] <= 35 * 20_000


def test_a_text_is_found_by_one_thread_while_another_makes_room_for_more() -> None:
    texts, missed = DigestSet(), 0
    texts.add("first")
    adding = threading.Thread(target=lambda: [texts.add(f"{number}") for number in range(40_000)])
    adding.start()
    while adding.is_alive():
        missed += texts.find("first") is None
    assert missed == 0


ENTRIES = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["x", "X", "y", "z"])), max_size=30)


@given(ENTRIES, st.integers(0, 4))
def test_a_later_entry_about_a_source_or_a_file_takes_the_place_of_an_earlier_one(
    pairs: list[tuple[str, str]], expected: int
) -> None:
    index = EntryIndex(expected)
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


_FREED = """
from extractor.runs.large_blocks import give_back_large_blocks

def measure_own_memory():
    return int(next(line for line in open("/proc/self/status") if line.startswith("RssAnon")).split()[1])

give_back_large_blocks()
before = b"x" * (30 << 20)
del before
start, blocks, between = measure_own_memory(), [], []
for _ in range(10):
    blocks.append(b"x" * (2 << 20))
    between.append(b"x" * 1000)
blocks.clear()
print(measure_own_memory() - start)
"""


@pytest.mark.skipif(sys.platform != "linux" or not platform.libc_ver()[0], reason="of glibc")
def test_large_blocks_that_are_freed_are_gone_whatever_small_ones_lie_between_them() -> None:
    told = subprocess.run([sys.executable, "-c", _FREED], capture_output=True, text=True, check=True)
    assert int(told.stdout) < 4_000  # kB, of 20,480
