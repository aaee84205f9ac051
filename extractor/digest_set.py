"""Texts that were seen, told apart by 64 bits of their digests: for names and paths that a run has a million of."""

from __future__ import annotations

import hashlib
import itertools
from array import array

_FEWEST_SLOTS = 64
_FULL, _GROWTH = 0.75, 1.4


class DigestSet:
    """Texts in the order in which they were added, each with its number; some 15 bytes for each, whatever its length.

    One thread at a time may add; others may look texts up meanwhile.
    Two texts in a hundred million may be taken for one: who cannot bear that compares the texts.
    """

    def __init__(self, expected: int = 0) -> None:
        """Room is made for the texts that are `expected`, at once: what grows piece by piece leaves holes in memory
        that are as large again."""
        self._digests = array("Q", bytes(8)) * expected
        self._count = 0
        self._slots = array("I", bytes(4)) * max(_FEWEST_SLOTS, int(expected / _FULL) + 1)
        """At a digest's place or behind it, the number of its text and one; 0 where there is none."""

    def __len__(self) -> int:
        return self._count

    def __contains__(self, text: str) -> bool:
        return self.find(text) is not None

    def add(self, text: str) -> int:
        """The number of the text, which is in the set from now on."""
        digest = _digest(text)
        slot = self._find_slot(digest, self._slots)
        if known := self._slots[slot]:
            return known - 1
        number = self._count
        if number < len(self._digests):
            self._digests[number] = digest
        else:
            self._digests.append(digest)
        self._count += 1
        self._slots[slot] = self._count
        if self._count > _FULL * len(self._slots):
            self._grow()
        return number

    def find(self, text: str) -> int | None:
        """The number of the text; None for one that is not in the set."""
        slots = self._slots
        known = slots[self._find_slot(_digest(text), slots)]
        return known - 1 if known else None

    def _find_slot(self, digest: int, slots: array[int]) -> int:
        """Where the digest stands, or would."""
        digests, size = self._digests, len(slots)
        slot = digest % size
        while (known := slots[slot]) and digests[known - 1] != digest:
            slot = slot + 1 if slot + 1 < size else 0
        return slot

    def _grow(self) -> None:
        size = int(len(self._slots) * _GROWTH)
        slots = array("I", bytes(4)) * size
        for number, digest in enumerate(itertools.islice(self._digests, self._count), 1):
            slot = digest % size
            while slots[slot]:
                slot = slot + 1 if slot + 1 < size else 0
            slots[slot] = number
        self._slots = slots


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
