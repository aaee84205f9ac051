"""Two spellings of the same words: folding forgets what does not matter when words are compared, and remembers
where each character stood.

Forgotten are case, width, ligatures, superscripts and other compatibility forms (Unicode NFKD), Latin, Greek, Cyrillic
and Hebrew marks, the dot of the Turkish I, white space and line breaks, soft hyphens and zero-width characters,
emphasis marks and inline tags, how HTML spells a sign (&amp;),
dashes between letters (so also those at a line's end), and the shape of quotes and
dashes. Never forgotten is a digit, or a sign before one.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from html import unescape

from extractor.schema.kinds.occurrences import Occurrences
from extractor.schema.kinds.wholes import is_part
from extractor.types import Span

_TAG = re.compile(r"</?(?:sup|sub|b|i|u|em|strong|small|span|font|br|p|div|a)\b[^<>]{0,200}>", re.I)
_TIMES = re.compile(r"\\times\b|×")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#39|#160);")
_DROPPED = frozenset(
    "*~`$\\_\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u2061\ufeff\u202a\u202b\u202c\u2066\u2067\u2069"
)
_PUNCTUATION = frozenset(",;.:|•·()[]{}\"'、。，：")
_UNIFIED = {
    **dict.fromkeys("‘’‚‛′´`ʼ＇", "'"),
    **dict.fromkeys("“”„‟″«»「」『』＂", '"'),
    **dict.fromkeys("‐‑‒–—―−﹣-﹘", "-"),
    "ı": "i",
    "／": "/",
    **dict.fromkeys("œŒ", "oe"),
    **dict.fromkeys("æÆ", "ae"),
    **dict.fromkeys("łŁ", "l"),
    **dict.fromkeys("đĐ", "d"),
    **dict.fromkeys("øØ", "o"),
    **dict.fromkeys("أإآٱ", "ا"),
    "ى": "ي",
    "ی": "ي",
    "ک": "ك",
    "ە": "ه",
    "^": "",
    "臺": "台",
    "裏": "裡",
    "啓": "啟",
    "髙": "高",
    "﨑": "崎",
    "濵": "浜",
    "濱": "浜",
    "邊": "辺",
    "邉": "辺",
    "齋": "斎",
    "齊": "斉",
    "澤": "沢",
    "國": "国",
    "學": "学",
    "會": "会",
    "發": "発",
}


def _mark(character: str) -> bool:
    """Whether the character is a mark that people leave out: accents, Hebrew points, Arabic vowels."""
    return "\u0300" <= character <= "\u036f" or "\u0591" <= character <= "\u05c7" or "\u064b" <= character <= "\u0652"


MOST_KEPT = 1 << 13
"""Characters whose folded form is kept."""


class CharacterFolds(dict[str, str]):
    """What characters are folded to. Fills itself with those that it is asked for; most texts hold a hundred."""

    def __init__(self, fold: Callable[[str], str]) -> None:
        super().__init__()
        self._fold = fold

    def __missing__(self, character: str) -> str:
        if len(self) >= MOST_KEPT:  # a text of all that Unicode has
            self.clear()
        folded = self[character] = self._fold(character)
        return folded


def _fold_character(character: str) -> str:
    if character in _UNIFIED:
        return _UNIFIED[character]
    if character.isspace() or character in _DROPPED:
        return ""
    parts = unicodedata.normalize("NFKD", character).casefold()
    return "".join(_UNIFIED.get(p, p) for p in parts if not (_mark(p) or p.isspace()))


@lru_cache(maxsize=1 << 13)
def simple(text: str) -> str:
    """A word or a name with case and marks forgotten, single spaces kept: the form of names in the tables."""
    parts = unicodedata.normalize("NFKD", text.replace("ı", "i")).casefold()
    bare = "".join(c for c in parts if not "\u0300" <= c <= "\u036f")
    return " ".join(unicodedata.normalize("NFC", bare).split())


@lru_cache(maxsize=4)
def simple_in_place(text: str) -> str:
    """The text as `simple` has it, sign by sign, so that each stands where it was."""
    if text.isascii():
        return text.lower()
    return "".join(folded if len(folded := simple(c)) == 1 else c for c in text)


_FOLDS = CharacterFolds(_fold_character)


def fold_with_offsets(text: str) -> tuple[str, list[int]]:
    """The text folded, and for each folded character where it stood; one pass, linear in the text's length."""
    return _without_hyphens(*fold_characters(text, _FOLDS))


def fold_characters(text: str, folds: Mapping[str, str]) -> tuple[str, list[int]]:
    """The text without inline tags, each character as `folds` has it, and where each of the result stood."""
    pieces: list[str] = []
    offsets: list[int] = []
    position = 0
    marks = [*_TAG.finditer(text), *_TIMES.finditer(text)]
    if "&" in text:
        marks += _ENTITY.finditer(text)
    for mark in [*sorted(marks, key=lambda m: m.start()), None]:
        between = [folds[c] for c in text[position : mark.start() if mark else len(text)]]
        pieces += between
        offsets += [at for at, folded in enumerate(between, position) for _ in folded]
        if mark:
            position = mark.end()
            if mark[0][0] in "\\×&":
                folded = folds[unescape(mark[0])] if mark[0][0] == "&" else "x"
                pieces += folded
                offsets += [mark.start()] * len(folded)
    return "".join(pieces), offsets


def _without_hyphens(folded: str, offsets: list[int]) -> tuple[str, list[int]]:
    """Drops dashes with letters on both sides: "Instru-\\nments" is "Instruments", whoever set the line."""
    if "-" not in folded:
        return folded, offsets
    last = len(folded) - 1
    kept = [
        i
        for i, c in enumerate(folded)
        if c != "-" or not (0 < i < last and folded[i - 1].isalpha() and folded[i + 1].isalpha())
    ]
    return "".join(folded[i] for i in kept), [offsets[i] for i in kept]


class Folded:
    """A text folded, with the way back: `offsets[i]` is where the i-th folded character stood."""

    __slots__ = ("_joints", "bare", "folded", "occurrences", "offsets", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.bare = False
        self._joints: bytes | None = None
        self.folded, self.offsets = fold_with_offsets(text)
        self.occurrences = Occurrences(self.folded, self._find_edges)

    @property
    def words(self) -> Folded:
        """The same text, folded further: without the punctuation between words, but for what stands between digits."""
        bare = object.__new__(Folded)
        bare.text = self.text
        kept = [i for i, c in enumerate(self.folded) if c not in _PUNCTUATION or _in_number(self.folded, i)]
        bare.folded = "".join(self.folded[i] for i in kept)
        bare.offsets = [self.offsets[i] for i in kept]
        bare.bare = True
        bare._joints = self._joints
        bare.occurrences = Occurrences(bare.folded, bare._find_edges)
        return bare

    def find(self, quote: str) -> Iterator[Span]:
        """Every place in the text whose folded words are those of the quote, at word boundaries, in order."""
        wanted = Folded(quote).words.folded if self.bare else fold(quote)
        yield from self.find_folded(wanted)

    def find_folded(self, wanted: str) -> Iterator[Span]:
        """Every place of words that are folded already, at word boundaries, in order, none overlapping."""
        end = 0
        for at in self.occurrences.find(wanted):
            if at < end:
                continue
            stop = at + len(wanted)
            if stop < len(self.offsets) and self.offsets[stop] == self.offsets[stop - 1]:
                continue  # half a ligature
            first, last = self._reach(at, stop)
            if (at and self.offsets[at - 1] == first) or self._is_joint(first) or self._is_joint(last):
                continue
            if not _goes_on(self.text, last) and not is_part(self.text, first, last):
                yield Span(first, last)
                end = stop

    def _find_edges(self) -> tuple[list[int], bytes]:
        """Where words may begin that `find_folded` finds, and for each folded position whether none ends before it."""
        if self._joints is None:
            self._joints = find_joints(self.text)
        return find_folded_edges(self.offsets, self._joints)

    def _is_joint(self, at: int) -> bool:
        return bool(self._joints[at]) if self._joints is not None else _joined(self.text, at)

    def span(self, start: int, end: int) -> Span:
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
def fold(text: str) -> str:
    """The folded text alone: what two spellings are compared by."""
    return fold_with_offsets(text)[0]


def bounded(text: str, span: Span) -> bool:
    """Whether the span begins and ends where a word could: "art" is not found in "party", nor "12" in "2012".

    Nor is "C" in "C++": signs that belong to the word before them count as its letters.
    """
    return not (_joined(text, span.start) or _joined(text, span.end) or _goes_on(text, span.end))


def _goes_on(text: str, end: int) -> bool:
    """Whether signs that belong to the word before them stand behind it."""
    after = text[end : end + 2]
    return after[:1] in ("+", "#") and text[end - 1].isalnum() and after[1:].strip("+#") == ""


def find_joints(text: str) -> bytes:
    """For each position of a text, its end too, 1 where a word goes on over it, so that none begins or ends there."""
    sorts = [_SORTS[c] for c in text]
    joints = bytearray(len(text) + 1)
    joints[1:-1] = bytes([left == right != "" for left, right in itertools.pairwise(sorts)])
    for unseen in _UNSEEN_INSIDE.finditer(text):
        for at in range(unseen.start(), unseen.end() + 1):
            joints[at] = _joined(text, at)
    return bytes(joints)


def find_folded_edges(offsets: Sequence[int], joints: bytes) -> tuple[list[int], bytes]:
    """Of the characters of a folded text, by where they stood, those that a word may begin with, and for each position
    whether none ends before it."""
    pairs = zip([-1, *offsets], offsets, strict=False)
    begins = [i for i, (before, at) in enumerate(pairs) if before != at and not joints[at]]
    return begins, bytes([0, *[joints[at + 1] for at in offsets]])


def _sort_of(character: str) -> str:
    """What a word goes on with behind a character of the same sort; nothing where it need not."""
    if character.isdigit():
        return "1" if character.isdecimal() else ""
    return "a" if character.isalpha() and _cased(character) else ""


def _joined(text: str, at: int) -> bool:
    most = at + _MOST_INVISIBLE
    while at < len(text) and at < most and text[at] in _DROPPED_INSIDE:
        at += 1
    if not 0 < at < len(text):
        return False
    before = at - 1
    least = max(0, before - _MOST_INVISIBLE)
    while before > least and text[before] in _DROPPED_INSIDE:
        before -= 1
    left, right = text[before], text[at]
    if left.isdigit() and right.isdigit():
        # m² is "m2" to whoever writes it; a superscript ends a number all the same
        return left.isdecimal() and right.isdecimal()
    # scripts without spaces between words have no letter case either
    return left.isalpha() and right.isalpha() and _cased(left) and _cased(right)


_MOST_INVISIBLE = 8
"""Soft hyphens and zero-width characters in a row that are looked through; a run of thousands is an attack."""
_DROPPED_INSIDE = frozenset("\u00ad\u200b\u2060\ufeff")


def _cased(letter: str) -> bool:
    return letter.lower() != letter.upper()


_UNSEEN_INSIDE = re.compile(f"[{''.join(_DROPPED_INSIDE)}]+")
_SORTS = CharacterFolds(_sort_of)
