"""The text layer that came with a scan: whether it says what the scan shows, by what OCR reads on it.

A layer may be of another page, or read in a wrong language. One that has most words that are read surely on the
picture is taken to be right, also where the two differ: it may come of a better reader than ours.
"""

from __future__ import annotations

import re
import unicodedata
from statistics import mean

from extractor.documents.formats.ocr import SURE
from extractor.documents.formats.pdf_objects import PageObjects
from extractor.documents.formats.reading_order import PageLayout

MIN_UNPAINTED = 0.7
"""The part of a page's letters that is placed and not painted, for the layer of a scan."""
MIN_WORDS, MIN_SHARED = 8, 0.4
"""Words that must be read on a picture to say anything, and the part of them that a right layer has at least."""
MIN_LATIN = 0.9
"""The part of the letters of a layer that must be Latin: OCR may read other scripts as Latin, and be sure of it."""
_WORD = re.compile(r"[^\W_]{4,}")


def is_scan_layer(objects: PageObjects) -> bool:
    """Whether the page is pictures, and letters that are placed over them and not painted."""
    return bool(objects.pictures) and len(objects.unpainted) >= MIN_UNPAINTED * max(1, len(objects.texts))


def is_wrong_layer(text: str, shown: PageLayout) -> bool:
    """Whether a layer says something else than what was read on the page."""
    if not shown.certainties or mean(shown.certainties) < SURE or not _is_latin(text):
        return False
    words = set(_WORD.findall(_plain(" ".join(map(shown.words_of, shown.pieces)))))
    said = "".join(filter(str.isalnum, _plain(text)))  # without blanks, which OCR loses
    return len(words) >= MIN_WORDS and sum(word in said for word in words) < MIN_SHARED * len(words)


def _is_latin(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return sum(c < "\u0250" for c in letters) >= MIN_LATIN * len(letters)


def _plain(text: str) -> str:
    """The text without case and accents, which readers take for dust."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()
