"""Normalises words: folding drops what does not matter when words are compared, and keeps the position of each
character; cleaning takes the markup out of words that go into a record.

Folding drops white space, inline tags and emphasis marks, unifies quotation marks, dashes and compatibility forms
(Unicode NFKD), drops Latin combining marks, and folds case. It never drops a digit or a sign before one.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from extractor.schema.kinds.folding import CharacterFolds, fold_characters
from extractor.schema.kinds.occurrences import Occurrences
from extractor.schema.kinds.wholes import is_part
from extractor.types import Json, Span

_TAG = re.compile(r"</?(?:sup|sub|b|i|u|em|strong|small|span|font|br|p|div|a)\b[^<>]{0,200}>", re.I)
_TIMES = re.compile(r"\\times\b|×")
_DROPPED = frozenset("*~`$\\_\u00ad\u200b\u200c\u200d\u2060\ufeff")
_PUNCTUATION = frozenset(",;.:|•·()[]{}\"'")
_UNIFIED = {
    **dict.fromkeys("‘’‚‛′´`ʼ", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−﹣-", "-"),
}


def _fold_character(character: str) -> str:
    if character in _UNIFIED:
        return _UNIFIED[character]
    if character.isspace() or character in _DROPPED:
        return ""
    parts = unicodedata.normalize("NFKD", character).casefold()
    return "".join(_UNIFIED.get(p, p) for p in parts if not ("\u0300" <= p <= "\u036f" or p.isspace()))


_FOLDS = CharacterFolds(_fold_character)


class FoldedText:
    """A text folded, with the way back: `offsets[i]` is where the i-th folded character stood."""

    __slots__ = ("_joints", "bare", "folded", "occurrences", "offsets", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.bare = False
        self._joints: bytes | None = None
        self.folded, self.offsets = fold_characters(text, _FOLDS)
        self.occurrences = Occurrences(self.folded, self._find_edges)

    @property
    def without_punctuation(self) -> FoldedText:
        """The same text, folded further: without the punctuation between words, but for what stands between digits."""
        bare = object.__new__(FoldedText)
        bare.text = self.text
        kept = [i for i, c in enumerate(self.folded) if c not in _PUNCTUATION or _in_number(self.folded, i)]
        bare.folded = "".join(self.folded[i] for i in kept)
        bare.offsets = [self.offsets[i] for i in kept]
        bare.bare = True
        bare._joints = self._joints
        bare.occurrences = Occurrences(bare.folded, bare._find_edges)
        return bare

    def find_quote(self, quote: str) -> Iterator[Span]:
        """Every place in the text whose folded words are those of the quote, at word boundaries, in order."""
        wanted = FoldedText(quote).without_punctuation.folded if self.bare else fold_text(quote)
        for at in self.occurrences.find(wanted):
            first, last = self._reach(at, at + len(wanted))
            if not (self._is_joint(first) or self._is_joint(last) or is_part(self.text, first, last)):
                yield Span(first, last)

    def _find_edges(self) -> tuple[list[int], bytes]:
        """Where quotes may begin that `find_quote` finds, and for each folded position whether none ends before it."""
        if self._joints is None:
            sorts = [_SORTS[c] for c in self.text]
            joined = [left == right != "" for left, right in itertools.pairwise(sorts)]
            self._joints = bytes([False, *joined, False])
        joints = self._joints
        begins = [i for i, at in enumerate(self.offsets) if not joints[at]]
        return begins, bytes([False, *[joints[at + 1] for at in self.offsets]])

    def _is_joint(self, at: int) -> bool:
        return bool(self._joints[at]) if self._joints is not None else _is_joined(self.text, at)

    def source_span(self, start: int, end: int) -> Span:
        """The source range of the folded range [start, end), widened over a combining mark that ends it."""
        return Span(*self._reach(start, end))

    def _reach(self, start: int, end: int) -> tuple[int, int]:
        last = self.offsets[end - 1] + 1
        while last < len(self.text) and unicodedata.combining(self.text[last]):
            last += 1
        first = self.offsets[start]
        if self.text[first] == "\\" and self.text.startswith("\\times", first):
            last = max(last, first + len("\\times"))
        elif self.text.startswith("\\times", last - 1):
            last += len("\\times") - 1
        return first, last


def _in_number(text: str, at: int) -> bool:
    return text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit()


@lru_cache(maxsize=1 << 14)
def fold_text(text: str) -> str:
    return fold_characters(text, _FOLDS)[0]


def comparison_key(value: Json) -> str:
    """The form in which two values are compared."""
    return fold_text(str(value)) if isinstance(value, str | int | float) else repr(value)


def _is_joined(text: str, at: int) -> bool:
    if not 0 < at < len(text):
        return False
    left, right = text[at - 1], text[at]
    if left.isdigit() and right.isdigit():
        return True
    # scripts without spaces between words have no letter case either
    return left.isalpha() and right.isalpha() and _has_case(left) and _has_case(right)


def _has_case(letter: str) -> bool:
    return letter.lower() != letter.upper()


def _sort_of(character: str) -> str:
    """What a word goes on with behind a character of the same sort; nothing where it need not."""
    return "1" if character.isdigit() else "a" if character.isalpha() and _has_case(character) else ""


_SORTS = CharacterFolds(_sort_of)


_LINK = re.compile(r"!?\[([^\[\]]{0,500})\]\([^()\s]{0,2000}\)")
_SCRIPT_OPEN = re.compile(r"(?:(?<!\s)\s+)?<su[pb]>\s*", re.I)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_EMPHASIS = re.compile(r"\*+|~~|`|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)")
_MATH = re.compile(r"\$(?=\S)([^$]{1,80})(?<=\S)\$(?!\d)")  # as Pandoc reads it: "$5 and $7" is money


def clean_words(words: str) -> str:
    """The words as a person would copy them: links, tags, emphasis and line breaks gone, `\\times` as x."""
    words = _LINK.sub(r"\1", words)
    words = _TAG.sub("", _SCRIPT_OPEN.sub("", words))
    words = _MATH.sub(r"\1", words)
    words = _TIMES.sub("x", words).replace("$", "") if "\\times" in words else words.replace("×", "x")
    words = _EMPHASIS.sub("", _ESCAPED.sub(r"\1", words))
    return " ".join(words.split())
