"""What a model in llama-cpp-python has read: a sequence for each document under way, and copies of those before.

A prompt goes on from the one that it shares most with, so that the words that several questions are about are read
once. Sums depend on the portions in which words are read, so only whole portions are gone on from, counted from the
start of every prompt: a reply is the same to the byte, whatever was asked before.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class ReadSequence:
    """A sequence of the engine's, and the tokens that it holds."""

    number: int
    tokens: list[int] = field(default_factory=list)
    whole: int = 0
    """Of the tokens, how many were read in whole portions of a prompt; the others, and what was written, were not."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """What a sequence held when it was needed for something else."""

    tokens: tuple[int, ...]
    whole: int
    state: Any
    """Bytes, as llama.cpp has them."""


class SequenceMemory:
    """The sequences of a context; copies are kept as far as they take no more than so many bytes."""

    def __init__(self, library: Any, context: Any, count: int, portion: int, most_bytes: int) -> None:
        self._library, self._context, self._portion = library, context, portion
        self._memory = library.llama_get_memory(context)
        self._sequences = [ReadSequence(number) for number in range(count)]
        """Those that were used longest ago first; so are copies."""
        self._copies: list[_Copy] = []
        self._most_bytes = most_bytes

    def take(self, prompt: Sequence[int], *, from_start: bool) -> ReadSequence:
        """The sequence to read a prompt into. What it has already is the beginning of the prompt, in whole portions and
        without the last token, whose numbers are wanted; nothing, `from_start`."""
        best = max(self._sequences, key=lambda one: count_shared(one.tokens, prompt))
        goes_on = 2 * count_shared(best.tokens, prompt) >= len(best.tokens) > 0
        taken = best if goes_on else self._sequences[0]
        self._sequences.sort(key=lambda one: one is taken)
        if not from_start:
            self._swap(taken, prompt, goes_on)
        same = 0 if from_start else min(count_shared(taken.tokens, prompt), taken.whole, len(prompt) - 1)
        self._cut(taken, same - same % self._portion)
        return taken

    def note_read(self, sequence: ReadSequence, tokens: Sequence[int]) -> None:
        """Notes the next portion of a prompt that the sequence holds now."""
        sequence.tokens += tokens
        sequence.whole = len(sequence.tokens) - len(sequence.tokens) % self._portion

    def forget(self, sequence: ReadSequence) -> None:
        """Has it hold nothing, whatever it holds."""
        self._library.llama_memory_seq_rm(self._memory, sequence.number, -1, -1)
        sequence.tokens.clear()
        sequence.whole = 0

    def _swap(self, taken: ReadSequence, prompt: Sequence[int], goes_on: bool) -> None:
        """Puts a copy of what the sequence holds aside if it would be lost, and the best copy in its place if that is
        better."""
        copy = max(self._copies, key=lambda one: count_shared(one.tokens, prompt), default=None)
        is_better = copy is not None and count_shared(copy.tokens, prompt) > count_shared(taken.tokens, prompt)
        if not goes_on or is_better:
            self._put_aside(taken)
        if copy is not None and is_better:
            self.forget(taken)
            size = len(copy.state)
            if self._library.llama_state_seq_set_data(self._context, copy.state, size, taken.number):
                taken.tokens, taken.whole = list(copy.tokens), copy.whole

    def _put_aside(self, sequence: ReadSequence) -> None:
        size = self._library.llama_state_seq_get_size(self._context, sequence.number)
        if not sequence.tokens or not 0 < size <= self._most_bytes:
            return
        state = (ctypes.c_uint8 * size)()
        if self._library.llama_state_seq_get_data(self._context, state, size, sequence.number) != size:
            return
        kept = tuple(sequence.tokens)
        self._copies = [one for one in self._copies if kept[: len(one.tokens)] != one.tokens]
        self._copies.append(_Copy(kept, sequence.whole, state))
        while sum(len(one.state) for one in self._copies) > self._most_bytes:
            del self._copies[0]

    def _cut(self, sequence: ReadSequence, kept: int) -> None:
        """Keeps so many tokens of it; none, where the model cannot take back a part, as recurrent ones cannot."""
        if self._library.llama_memory_seq_rm(self._memory, sequence.number, kept, -1):
            del sequence.tokens[kept:]
            sequence.whole = kept
        else:
            self.forget(sequence)


def count_shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
