"""Names of a table found in a text: longest first, at word boundaries, case and marks forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from extractor.schema.kinds.folding import simple
from extractor.schema.kinds.tokens import WORD, words_of

_UNSPACED = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_MOST_WORDS = 7


class Lexicon:
    """Names with their codes, ready to be looked for in texts of any length in linear time."""

    __slots__ = ("_begins", "_codes", "_unspaced")

    def __init__(self, codes: Mapping[str, str]) -> None:
        self._codes = {
            " ".join(WORD.findall(name)) if not _UNSPACED.search(name) else name: c for name, c in codes.items()
        }
        self._begins: dict[str, int] = {}
        self._unspaced: dict[str, int] = {}
        for name in self._codes:
            if _UNSPACED.search(name):
                self._unspaced[name[:2]] = max(self._unspaced.get(name[:2], 0), len(name))
            elif name:
                words = name.split(" ")
                if len(words) <= _MOST_WORDS:
                    self._begins[words[0]] = max(self._begins.get(words[0], 0), len(words))

    def code(self, name: str) -> str | None:
        """The code of a name; None if the table has it not."""
        folded = simple(name)
        return self._codes.get(folded) or self._codes.get(" ".join(WORD.findall(folded)))

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Start, end and code of every name in the text, none inside another."""
        words = words_of(text)
        i = 0
        while i < len(words):
            longest = self._begins.get(words[i][2], 0)
            if not longest:
                i += 1
                continue
            for count in range(min(longest, len(words) - i), 0, -1):
                start, end = words[i][0], words[i + count - 1][1]
                code = (
                    self._codes.get(" ".join(word for _, _, word in words[i : i + count])) if end - start < 90 else None
                )
                if code:
                    yield start, end, code
                    i += count - 1
                    break
            i += 1
        if not text.isascii():
            yield from self._find_unspaced(text)

    def _find_unspaced(self, text: str) -> Iterator[tuple[int, int, str]]:
        at = 0
        while at < len(text) - 1:
            longest = self._unspaced.get(text[at : at + 2], 0)
            for length in range(min(longest, len(text) - at), 1, -1):
                name = text[at : at + length]
                if name in self._codes:
                    yield at, at + length, self._codes[name]
                    at += length - 1
                    break
            at += 1
