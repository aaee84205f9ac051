"""Texts that were seen, told apart by 64 bits of their digests: for names and paths that a run has a million of."""

from __future__ import annotations

import hashlib
from array import array

_FEWEST_SLOTS = 64
_FULL, _GROWTH = 0.75, 1.4


class DigestSet:
    """Texts in the order in which they were added, each with its number; some 15 bytes for each, whatever its length.

    Two texts in a hundred million may be taken for one: who cannot bear that compares the texts.
    """

    def __init__(self) -> None:
        self._digests = array("Q")
        self._slots = array("I", bytes(4 * _FEWEST_SLOTS))
        """At a digest's place or behind it, the number of its text and one; 0 where there is none."""

    def __len__(self) -> int:
        return len(self._digests)

    def __contains__(self, text: str) -> bool:
        return self.find(text) is not None

    def add(self, text: str) -> int:
        """The number of the text, which is in the set from now on."""
        digest = _digest(text)
        slot = self._find_slot(digest)
        if known := self._slots[slot]:
            return known - 1
        self._digests.append(digest)
        self._slots[slot] = len(self._digests)
        if len(self._digests) > _FULL * len(self._slots):
            self._grow()
        return len(self._digests) - 1

    def find(self, text: str) -> int | None:
        """The number of the text; None for one that is not in the set."""
        known = self._slots[self._find_slot(_digest(text))]
        return known - 1 if known else None

    def _find_slot(self, digest: int) -> int:
        """Where the digest stands, or would."""
        slots, digests, size = self._slots, self._digests, len(self._slots)
        slot = digest % size
        while (known := slots[slot]) and digests[known - 1] != digest:
            slot = slot + 1 if slot + 1 < size else 0
        return slot

    def _grow(self) -> None:
        size = int(len(self._slots) * _GROWTH)
        self._slots = slots = array("I", bytes(4)) * size
        for number, digest in enumerate(self._digests, 1):
            slot = digest % size
            while slots[slot]:
                slot = slot + 1 if slot + 1 < size else 0
            slots[slot] = number


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
