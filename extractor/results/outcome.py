"""How each document of a run ended, in the order of the sources, and read from the journal as it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

from extractor.types import Status, Usage


@dataclass(frozen=True, slots=True)
class DocumentOutcome:
    """One document of a run, as the summary shows it."""

    name: str
    file: str
    status: Status
    values: int = 0
    unsupported: int = 0
    conflicts: int = 0
    failures: int = 0
    usage: Usage = field(default_factory=Usage)
    message: str = ""


@dataclass(frozen=True, slots=True)
class RunTally:
    """Where every document of a run is; all but `kept` add up to the documents of the run."""

    counts: dict[Status, int]
    pending: int = 0
    kept: int = 0
    """Of the counts: finished by an earlier run, and not asked again."""


class RunOutcomes(Sequence[DocumentOutcome]):
    """The outcomes of a run's documents that ended; 100,000 of them take some 400 kB.

    `numbers` are those of entries in the journal, and `read` gives the outcome of one.
    """

    def __init__(
        self, numbers: Sequence[int], read: Callable[[int], DocumentOutcome], tally: RunTally, notes: Sequence[str] = ()
    ) -> None:
        self._numbers, self._read = numbers, read
        self.tally = tally
        self.notes = tuple(notes)
        """What the user should know of what was kept, done again and left alone: a sentence each."""

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, i: int) -> DocumentOutcome: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[DocumentOutcome]: ...
    def __getitem__(self, i: int | slice) -> DocumentOutcome | Sequence[DocumentOutcome]:
        return [self._read(n) for n in self._numbers[i]] if isinstance(i, slice) else self._read(self._numbers[i])

    def __iter__(self) -> Iterator[DocumentOutcome]:
        return map(self._read, self._numbers)


def tally_statuses(statuses: Counter[Status], documents: int, kept: int) -> RunTally:
    counts = {status: statuses[status] for status in Status if statuses[status]}
    return RunTally(counts, documents - sum(counts.values()), kept)
