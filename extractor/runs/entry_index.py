"""Where the entries of a journal stand that hold, by source and by result file: some 35 bytes of memory for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from extractor.digest_set import DigestSet
from extractor.runs.filenames import fold_filename

_GONE = -1


@dataclass(frozen=True, slots=True)
class _Pairs:
    sources: array[int]
    """By the number of a file."""
    files: array[int]
    """By the number of a source."""

    def set(self, number: int, whose: int) -> None:
        for one, at, other in ((self.sources, number, whose), (self.files, whose, number)):
            if at < len(one):
                one[at] = other
            else:
                one.append(other)


class EntryIndex:
    """The entries of one journal, each with the number of its result file.

    A later entry about the same source or the same result file takes the place of an earlier one. Texts are held as
    digests: whoever looks one up compares what the entry says.
    """

    def __init__(self, expected: int = 0) -> None:
        """Room is made at once for the entries that are `expected`."""
        self._sources, self._files = DigestSet(expected), DigestSet(expected)
        self._places = array("q", [_GONE]) * expected
        """By the number of a file, where its entry stands."""
        self._pairs: _Pairs | None = None
        """Which source a file's entry is about, and which file a source's is; None while both have the same number, as
        long as no result takes the place of another document's."""

    def __len__(self) -> int:
        return len(self._files)

    def add(self, source: str, file: str, place: int) -> int:
        """Takes in an entry; the number of its file."""
        known = len(self._files)
        number, whose = self._files.add(fold_filename(file)), self._sources.add(source)
        if number < len(self._places):
            self._places[number] = place
        else:
            self._places.append(place)
        if self._pairs is None and number != whose:
            self._pairs = _Pairs(array("I", range(known)), array("I", range(known)))
        if self._pairs is not None:
            self._pairs.set(number, whose)
        return number

    def find_source(self, source: str) -> int | None:
        """The number of the file of the entry about the source; None where there is none that holds."""
        whose = self._sources.find(source)
        if whose is None:
            return None
        number = whose if self._pairs is None else self._pairs.files[whose]
        return number if self._is_about(number, whose) and self._places[number] != _GONE else None

    def find_file(self, file: str) -> int | None:
        """The number of a result file of this name, or one that a file system may take for the same."""
        number = self._files.find(fold_filename(file))
        return None if number is None or self._places[number] == _GONE else number

    def get_place(self, number: int) -> int:
        """Where the entry stands that is about the file of this number."""
        return self._places[number]

    def holds(self, number: int) -> bool:
        """Whether the file's entry is also the last about its source."""
        pairs = self._pairs
        is_last = pairs is None or pairs.files[pairs.sources[number]] == number
        return is_last and self._places[number] != _GONE

    def _is_about(self, number: int, whose: int) -> bool:
        return self._pairs is None or self._pairs.sources[number] == whose

    def list_others(self, numbers: array[int]) -> list[int]:
        """The files that these are not, whose entries hold, in the order of the journal."""
        known = bytearray(len(self))
        for number in numbers:
            known[number] = 1
        others = [n for n, is_known in enumerate(known) if not is_known and self.holds(n)]
        return sorted(others, key=self._places.__getitem__)

    def iterate_places(self) -> Iterator[int]:
        """Where the entries stand that hold, in the order of the journal."""
        for number in self.list_others(array("q")):
            yield self._places[number]

    def begin_move(self) -> array[int]:
        """As many places as there are files, to be filled in by number: what is not is gone when they are taken."""
        return array("q", [_GONE]) * len(self._places)

    def move(self, places: array[int]) -> None:
        """Takes the places that the entries have from now on."""
        self._places = places
