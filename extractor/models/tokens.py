"""How many tokens a text is to a model, estimated without its vocabulary.

Byte-pair vocabularies cut a text into pieces by a pattern first (words with the sign before them, digits, runs of
signs, runs of white space) and then each piece into tokens. The pattern is done here; what a piece of a kind and
length comes to is a mean, measured with the vocabularies of Qwen2.5 and SmolLM2 over 850,000 characters of
documentation, licences and tables, none of it of the documents here. `chunking.estimate_tokens` is different: it bounds
the size of a chunk, so it errs upwards, and never changes.
"""

from __future__ import annotations

import math
import re

_PIECE = re.compile(
    r"'(?:s|t|re|ve|m|ll|d)\b"
    r"|(?P<lead>[^\r\n\w]|_)?(?P<word>[^\W\d_]+)"
    r"|(?P<digit>\d)"
    r"|(?P<signs>\ ?(?:[^\s\w]|_)+)[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+",
    re.VERBOSE,
)
_LOWER = (0, 1, 1, 1, 1.01, 1.03, 1.03, 1.05, 1.08, 1.1, 1.1, 1.2, 1.2, 1.2, 1.3)
_TITLE = (0, 1, 1.02, 1.02, 1.06, 1.2, 1.2, 1.2, 1.3, 1.4, 1.4, 1.4, 1.4, 1.4, 1.5)
_UPPER = (0, 1, 1, 1.15, 1.3, 1.4, 1.5, 1.7, 1.8, 1.8, 1.9, 2, 2, 2.2, 2.4)
_GLUED = (0, 1, 1.02, 1.06, 1.2, 1.2, 1.3, 1.5, 1.6, 1.7, 2, 2, 2.1, 2.3, 2.8)
"""Tokens of a word by its letters: after a space in small letters, with a capital, in capitals; after no space."""


def count_tokens(text: str) -> float:
    """The tokens of a text, estimated; not whole, so that estimates can be added up."""
    return sum(map(_count_piece, _PIECE.finditer(text)))


def _count_piece(piece: re.Match[str]) -> float:
    if piece["word"]:
        lead = piece["lead"]
        return _count_word(piece["word"], lead == " ") + (0.45 if lead and not lead.isspace() else 0)
    if piece["signs"]:
        return _count_signs(piece["signs"].strip())
    return 1


def _count_word(word: str, after_space: bool) -> float:
    if not word.isascii():
        return _count_foreign_word(word)
    if word.islower() or word.istitle():
        costs = _GLUED if not after_space else _LOWER if word.islower() else _TITLE
    elif word.isupper():
        costs = _UPPER
    else:
        return max(1.5, 0.9 + 0.28 * len(word))
    return costs[len(word)] if len(word) < len(costs) else costs[-1] + (len(word) - len(costs) + 1) / 4


def _count_foreign_word(word: str) -> float:
    """Letters without case, such as Han, are 0.8 each; of alphabets with accents or of their own, 2.5 make a token."""
    caseless = sum(c.lower() == c.upper() for c in word)
    return 0.8 * caseless + (len(word) - caseless) / 2.5


def _count_signs(signs: str) -> float:
    if not signs.isascii():
        return sum(1 if c.isascii() else 1.6 for c in signs)
    return 1 + max(0, len(signs) - 2) * 0.2 if len(set(signs)) > 1 else 1 + (len(signs) > 4) * 0.4


PICTURE_ROOM = 2_500
"""Tokens of a model's window that a picture of a page is taken to fill: as many as it has patches of 28 by 28 pixels,
which open models count."""
_PATCHES = {"gpt-5-mini": 1.62, "gpt-5-nano": 2.46, "gpt-4.1-mini": 1.62, "gpt-4.1-nano": 2.46, "o4-mini": 1.72}
"""Tokens of a patch of 32 by 32 pixels."""
_TILES = {"gpt-4o-mini": (2833, 5667), "gpt-5": (70, 140), "o1": (75, 150), "o3": (75, 150), "": (85, 170)}
"""Tokens of a picture, and of each tile of 512 by 512 pixels; of whatever else is asked the last."""


def count_picture_tokens(width: int, height: int, model: str = "") -> int:
    """The tokens of a picture of so many pixels, as the maker of the model counts them; of models of others as OpenAI
    counts tiles, which is the usual measure.

    Sources, as of November 2026: OpenAI, "Images and vision", calculating costs; Anthropic, "Vision", evaluate image
    size; Google, "Understand and count tokens".
    """
    name = model.rsplit("/", 1)[-1].lower()
    if name.startswith("claude"):
        share = min(1.0, 1568 / max(width, height), math.sqrt(1_150_000 / (width * height)))
        return math.ceil(width * height * share * share / 750)
    if name.startswith("gemini"):
        return 258 * (1 if max(width, height) <= 384 else math.ceil(width / 768) * math.ceil(height / 768))
    for known, times in _PATCHES.items():
        if name.startswith(known):
            return math.ceil(min(1536, math.ceil(width / 32) * math.ceil(height / 32)) * times)
    share = min(1.0, 2048 / max(width, height), 768 / min(width, height))
    base, tile = next(costs for known, costs in _TILES.items() if name.startswith(known))
    return base + tile * math.ceil(width * share / 512) * math.ceil(height * share / 512)
