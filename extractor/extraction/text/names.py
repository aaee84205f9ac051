"""Persons' names: what stands beside one and is no part of it, and where one ends and the next begins."""

from __future__ import annotations

import re

_TITLES = re.compile(
    r"^(?:(?:(?:asst|assoc|assistant|associate|adjunct|emeritus)\.?\s+)?"
    r"(?:prof(?:essor)?|dr|doctor|mrs?|ms|mx|miss|sir|dame|herr|frau|mme|dipl\.?-ing|ing|rev)(?:\.\s*|\s+))+(?=\S)",
    re.I,
)


_BEFORE_OTHERS = "," + "".join(filter(str.isspace, map(chr, range(0x3001))))
_OTHERS = re.compile(r"(?<=[,\s])(?:et\.?\s*al\b\.?|and others)$", re.I)


def strip_titles(name: str) -> str:
    """The name without titles before it or unnamed others behind: "Prof. Ada King et al." is "Ada King".

    A title alone stays as it is.
    """
    bare = _TITLES.sub("", name.strip())
    others = _OTHERS.search(bare)
    before = bare[: others.start()].rstrip(_BEFORE_OTHERS) if others else ""
    return before or bare


_BETWEEN = re.compile(r"(?:(?<!\s)\s+)?(?:;|\band\b|&|,)\s*", re.I)


def split_names(names: str) -> list[str]:
    """Splits a string of several persons. "King, Ada" stays one: a part of a single word is no name by itself."""
    parts = [p for p in _BETWEEN.split(names) if p]
    return parts if len(parts) > 1 and all(" " in strip_titles(p).strip() for p in parts) else [names]
