"""Names of a table found in a text: longest first, at word boundaries, case and marks forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from extractor.schema.kinds.folding import simple
from extractor.schema.kinds.tokens import WORD, words_of

_UNSPACED = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_UNSPACED_RUN = re.compile(_UNSPACED.pattern + "{2,}")
_MOST_WORDS = 7
_WIDEST_GAP = 3
"""Characters between two words of one name: "U. S. A.", "Bosnia & Herzegovina"."""


class Lexicon:
    """Names with their codes, ready to be looked for in texts of any length in linear time."""

    __slots__ = ("_codes", "_prefixes", "_unspaced")

    def __init__(self, codes: Mapping[str, str]) -> None:
        self._codes = {
            " ".join(WORD.findall(name)) if not _UNSPACED.search(name) else name: c for name, c in codes.items()
        }
        self._prefixes: set[str] = set()
        self._unspaced: dict[str, int] = {}
        for name in self._codes:
            if _UNSPACED.search(name):
                self._unspaced[name[:2]] = max(self._unspaced.get(name[:2], 0), len(name))
            elif name:
                words = name.split(" ")
                if len(words) <= _MOST_WORDS:
                    self._prefixes.update(" ".join(words[:count]) for count in range(1, len(words) + 1))

    def code(self, name: str) -> str | None:
        """The code of a name; None if the table has it not."""
        folded = simple(name)
        return self._codes.get(folded) or self._codes.get(" ".join(WORD.findall(folded)))

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Start, end and code of every name in the text, none inside another."""
        words = words_of(text)
        i = 0
        while i < len(words):
            phrase, last, found = words[i][2], i, None
            while phrase in self._prefixes:
                if code := self._codes.get(phrase):
                    found = (last, code)
                last += 1
                if last == len(words) or words[last][0] - words[last - 1][1] > _WIDEST_GAP:
                    break
                phrase += " " + words[last][2]
            if found:
                yield words[i][0], words[found[0]][1], found[1]
                i = found[0]
            i += 1
        if not text.isascii():
            yield from self._find_unspaced(text)

    def _find_unspaced(self, text: str) -> Iterator[tuple[int, int, str]]:
        for run in _UNSPACED_RUN.finditer(text):
            at, stop = run.span()
            while at < stop - 1:
                longest = min(self._unspaced.get(text[at : at + 2], 0), stop - at)
                for length in range(longest, 1, -1):
                    if code := self._codes.get(text[at : at + length]):
                        yield at, at + length, code
                        at += length - 1
                        break
                at += 1
