"""Which token a reply goes on with: the likeliest that fits a grammar, or one that is drawn.

The likeliest token is tried against the grammar first, the next ones where it does not fit, and all at last: to try all
of a large vocabulary takes 69 ms, and the first 0.04 (docs/decisions/038).
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

LOOKED_AT = 64
"""Of the likeliest tokens that are tried against the grammar before all others are."""
SAMPLED_FROM = 40
"""Where a token is drawn, and not the likeliest taken: from so many, as llama.cpp's top_k has it."""


class NotAsked(Exception):
    """What is wrong with a request, in a sentence, and the `code` that says it to programs."""

    def __init__(self, message: str, code: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wish:
    """How a reply is to be written."""

    most: int | None = None
    """Tokens at most; None: as many as there is room for."""
    grammar: str | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    tells_logs: bool = False
    """How likely each token was is told, too."""
    goes_on: bool = False
    """It may not end by itself."""
    from_start: bool = False
    """The prompt is read anew, and not from where it parts from the last one."""


class TokenChoice:
    """What chooses the tokens of one reply, while a block lasts. Raises NotAsked for a grammar that is none."""

    def __init__(self, library: Any, vocabulary: Any, wish: Wish) -> None:
        import numpy  # comes with llama-cpp-python

        self._numpy, self._library, self._vocabulary, self._wish = numpy, library, vocabulary, wish
        self._chance = numpy.random.default_rng(wish.seed)
        self._sampler = None
        if wish.grammar is not None:
            text = wish.grammar.encode("utf-8", "replace")
            self._sampler = library.llama_sampler_init_grammar(vocabulary, text, b"root")
            if not self._sampler:
                raise NotAsked("The grammar cannot be read.")

    def __enter__(self) -> TokenChoice:
        return self

    def __exit__(self, *error: object) -> None:
        if self._sampler:
            self._library.llama_sampler_free(self._sampler)

    def choose(self, numbers: Any) -> int | None:
        """The next token, of the numbers that the model has for all of them; None where none fits the grammar."""
        is_greedy = self._wish.temperature <= 0
        for count in (1, LOOKED_AT, len(numbers)) if is_greedy else (SAMPLED_FROM, len(numbers)):
            fitting = self._list_fitting(self._list_likeliest(numbers, count))
            if self._wish.goes_on:
                fitting = fitting[[not self.ends(int(one)) for one in fitting]]
            if len(fitting):
                return int(fitting[0]) if is_greedy else self._draw(numbers, fitting[:SAMPLED_FROM])
        return None

    def accept(self, token: int) -> None:
        """Goes on from this token."""
        if self._sampler is not None:
            self._library.llama_sampler_accept(self._sampler, token)

    def ends(self, token: int) -> bool:
        """Whether a reply is over with it."""
        return bool(self._library.llama_vocab_is_eog(self._vocabulary, token))

    def measure_log(self, numbers: Any, token: int) -> float:
        """The logarithm of the token's probability, whatever the grammar says."""
        above = numbers - numbers.max()
        return float(above[token] - self._numpy.log(self._numpy.exp(above, dtype="float64").sum()))

    def _list_likeliest(self, numbers: Any, count: int) -> Any:
        """The likeliest tokens, the first of equals before the others."""
        numpy = self._numpy
        if count == 1:
            return numpy.array([numbers.argmax()], dtype="int32")
        found = numpy.arange(len(numbers))
        if count < len(numbers):
            found = numpy.argpartition(numbers, -count)[-count:]
        return found[numpy.lexsort((found, -numbers[found]))].astype("int32")

    def _list_fitting(self, tokens: Any) -> Any:
        """Those of the tokens that fit, in their order."""
        if self._sampler is None:
            return tokens
        library = self._library
        # as llama.cpp lays out llama_token_data
        told = self._numpy.zeros(len(tokens), dtype=[("id", "i4"), ("logit", "f4"), ("p", "f4")])
        told["id"] = tokens
        data = told.ctypes.data_as(ctypes.POINTER(library.llama_token_data))
        tried = library.llama_token_data_array(data=data, size=len(tokens), selected=-1, sorted=False)
        library.llama_sampler_apply(self._sampler, ctypes.byref(tried))
        return tokens[self._numpy.isfinite(told["logit"])]

    def _draw(self, numbers: Any, fitting: Any) -> int:
        """One of these tokens, by chance: of the likeliest that come to top_p together."""
        numpy = self._numpy
        shares = numpy.exp((numbers[fitting] - numbers[fitting[0]]) / self._wish.temperature, dtype="float64")
        sums = (shares / shares.sum()).cumsum()
        sums = sums[: int(numpy.searchsorted(sums, self._wish.top_p)) + 1]
        at = int(numpy.searchsorted(sums, self._chance.random() * sums[-1], side="right"))
        return int(fitting[min(at, len(sums) - 1)])
