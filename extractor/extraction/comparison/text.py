"""Normalises texts for comparison: typesetting is dropped, content stays.

Dropped: case, compatibility forms (NFKC), kinds of quotation marks and dashes, emphasis and simple tags, the address
behind a Markdown link, dollars around mathematics, white space beside punctuation and between a digit and a letter, and
punctuation around the whole text. Kept: everything inside the text, and what belongs to a number: "1.5" is
not "15", "-5" not "5", "10²" not "102", "1, 5" not "1,5", "> 5" not "5", "(5)" not "5", "a live" not "alive".
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_TYPOGRAPHIC_VARIANTS = {ord(char): "'" for char in "‘’‚‛′`´ʼ׳"} | {ord(char): '"' for char in "“”„‟″«»״"}
_TYPOGRAPHIC_VARIANTS |= {ord(char): "-" for char in "‐‑‒–—―−﹘﹣"} | {ord("×"): "x", ord("\u2044"): "/"}
_TAG = re.compile(r"</?(?:sup|sub|b|i|em|strong|u|s|br|span|code|small|p|a)(?:\s[^<>]{0,200})?/?>")
_LINK = re.compile(r"\[([^\[\]]{1,300})\]\([^()\s]{1,2000}\)")
_EMPHASIS = re.compile(r"(?<!\w)(?:[*_]+|~~)(?=\S)|(?<=\S)(?:[*_]+|~~)(?!\w)")
_MATHEMATICS = re.compile(r"\$([^$]{0,200}[\\^{}][^$]{0,200})\$")
_BESIDE_DIGITS = re.compile(r"(?<=\d) (?=[^\W\d_])|(?<=[^\W\d_]) (?=\d)")
_BESIDE_SIGNS = re.compile(r" ?([^\w\s]) ?")

_OUTER_PUNCTUATION = " .,;:!?'\"*_|/\\•·†‡§¶-"
_PUNCTUATION_AROUND_NUMBER = " ;:!?'\"*_|•·†‡§¶"
_BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">"}


@lru_cache(maxsize=1 << 17)
def normalise_for_comparison(text: str) -> str:
    """The form in which two texts are compared."""
    if text.isascii() and text.replace(" ", "").isalpha():
        return text.strip().casefold() if "  " not in text else " ".join(text.casefold().split())
    plain = strip_punctuation(text)
    return _BESIDE_DIGITS.sub("", _BESIDE_SIGNS.sub(_drop_space_beside_sign, plain)) if " " in plain else plain


def _drop_space_beside_sign(found: re.Match[str]) -> str:
    """Drops white space beside a sign, unless a number would become another one by it."""
    whole, sign, text = found[0], found[1], found.string
    before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
    if sign in ".,'" and before.isdigit() and after.isdigit():
        return whole
    if sign in "-+.<>~" and after.isdigit() and whole.startswith(" ") and not whole.endswith(" "):
        return whole
    return sign


def strip_punctuation(text: str) -> str:
    """The plain text without punctuation around it; a text of nothing else stays as it is."""
    plain = strip_markup(text)
    if "](" in plain:
        plain = _LINK.sub(r"\1", plain)
    return _peel_punctuation(plain) or plain


def strip_markup(text: str) -> str:
    """The text in lower case with single spaces, without markup: every word of it, and its punctuation."""
    plain = fold_typography(text)
    if "<" in plain:
        plain = _TAG.sub("", plain)
    if "\\" in plain or "$" in plain:
        plain = _MATHEMATICS.sub(r"\1", plain)
        plain = re.sub(r"\\([%&$#_{}])", r"\1", re.sub(r"\\times\b", "x", plain))
    if "--" in plain:
        plain = re.sub("--+", "-", plain)
    if "*" in plain or "_" in plain or "~~" in plain:
        plain = _EMPHASIS.sub("", plain) or plain
    return " ".join(plain.split())


def fold_typography(text: str) -> str:
    """The text without case, compatibility forms, kinds of quotation marks and dashes, and invisible characters."""
    if text.isascii():
        return text.casefold().replace("`", "'")
    folded = unicodedata.normalize(
        "NFKC", unicodedata.normalize("NFKC", _separate_special_digits(text)).casefold()
    ).translate(_TYPOGRAPHIC_VARIANTS)
    return "".join(char for char in folded if unicodedata.category(char) != "Cf")


def split_plain_words(text: str) -> list[str]:
    """The words of the text: runs of letters and digits."""
    return re.findall(r"[^\W_]+", strip_markup(text))


def _separate_special_digits(text: str) -> str:
    """Superscript, circled and fraction digits kept apart from the digits beside them: NFKC makes 10² into 102."""
    special = [unicodedata.category(char) == "No" for char in text]
    if not any(special):
        return text
    out = [text[0]]
    for place in range(1, len(text)):
        beside = text[place - 1].isnumeric() and text[place].isnumeric()
        out.append("^" if beside and (special[place - 1] or special[place]) else "")
        out.append(text[place])
    return "".join(out)


def _peel_punctuation(text: str) -> str:
    outside = _OUTER_PUNCTUATION if any(char.isalpha() for char in text) else _PUNCTUATION_AROUND_NUMBER
    while True:
        shorter = text.rstrip(outside + ".,")
        left = shorter.lstrip(outside)
        cut = shorter[: len(shorter) - len(left)]
        if left[:1].isdigit() and cut[-1:] in ("-", "."):
            left = cut[-1] + left
        if outside is _OUTER_PUNCTUATION and _BRACKETS.get(left[:1]) == left[-1:] and _is_enclosed(left):
            left = left[1:-1]
        if left == text:
            return text
        text = left


def _is_enclosed(text: str) -> bool:
    """Whether the bracket that the text begins with is closed by its last character and no sooner."""
    depth = 0
    for place, char in enumerate(text):
        depth += (char == text[0]) - (char == text[-1])
        if depth == 0:
            return place == len(text) - 1
    return False
