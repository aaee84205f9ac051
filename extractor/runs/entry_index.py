"""Where the entries of a journal stand that hold, by source and by result file: some 45 bytes of memory for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from extractor.digest_set import DigestSet
from extractor.runs.filenames import fold_filename

_GONE = -1


class EntryIndex:
    """The entries of one journal, each with the number of its result file.

    A later entry about the same source or the same result file takes the place of an earlier one. Texts are held as
    digests: whoever looks one up compares what the entry says.
    """

    def __init__(self) -> None:
        self._sources, self._files = DigestSet(), DigestSet()
        self._places = array("q")
        """By the number of a file, where its entry stands."""
        self._sources_of_files, self._files_of_sources = array("I"), array("I")
        """The source of each file's entry, and the file of each source's."""

    def __len__(self) -> int:
        return len(self._places)

    def add(self, source: str, file: str, place: int) -> int:
        """Takes in an entry; the number of its file."""
        number, whose = self._files.add(fold_filename(file)), self._sources.add(source)
        if number == len(self._places):
            self._places.append(place)
            self._sources_of_files.append(whose)
        if whose == len(self._files_of_sources):
            self._files_of_sources.append(number)
        self._places[number] = place
        self._sources_of_files[number], self._files_of_sources[whose] = whose, number
        return number

    def find_source(self, source: str) -> int | None:
        """The number of the file of the entry about the source; None where there is none that holds."""
        whose = self._sources.find(source)
        if whose is None:
            return None
        number = self._files_of_sources[whose]
        return number if self._sources_of_files[number] == whose and self._places[number] != _GONE else None

    def find_file(self, file: str) -> int | None:
        """The number of a result file of this name, or one that a file system may take for the same."""
        number = self._files.find(fold_filename(file))
        return None if number is None or self._places[number] == _GONE else number

    def get_place(self, number: int) -> int:
        """Where the entry stands that is about the file of this number."""
        return self._places[number]

    def holds(self, number: int) -> bool:
        """Whether the file's entry is also the last about its source."""
        is_last = self._files_of_sources[self._sources_of_files[number]] == number
        return is_last and self._places[number] != _GONE

    def list_others(self, numbers: array[int]) -> list[int]:
        """The files that these are not, whose entries hold, in the order of the journal."""
        known = bytearray(len(self._places))
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
