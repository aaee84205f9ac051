"""What a run of digits with points, commas, apostrophes and spaces between them may stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from extractor.schema.kinds.base import OTHER_READING
from extractor.schema.kinds.characters import NO_BREAK
from extractor.schema.kinds.figures import key_of
from extractor.schema.kinds.reading import Reading

_WORD = re.compile(r"[^ \u00a0]+")
_LONGEST_JOIN = 4
"""Groups of a longer row of spaced groups that may be a number of their own: two columns beside each other."""


class Figure(NamedTuple):
    """Digits of a text that stand for one number, before signs and units are looked at."""

    start: int
    end: int
    key: str
    rule: str = ""


def figures_of(run: str, at: int, reading: Reading) -> list[Figure]:
    """The numbers in a run of digits, separators and single spaces that begins at `at`; none for 1.2.3."""
    if run.isdecimal():
        return [Figure(at, at + len(run), key_of(run))]
    if " " not in run and NO_BREAK not in run:
        return list(_unspaced(run, at, reading))
    words = [(m[0], m.start()) for m in _WORD.finditer(run)]
    found: list[Figure] = []
    i = 0
    while i < len(words):
        j = _joined_until(words, i)
        if j - i > 1:
            found += _joins(run, words[i:j], at)
        else:
            found += _unspaced(words[i][0], at + words[i][1], reading)
        i = j
    return found


def _joined_until(words: list[tuple[str, int]], i: int) -> int:
    """Where groups of three digits end that continue the i-th word; i + 1 where it stands alone."""
    first = words[i][0]
    if not first.isdecimal() or len(first) > 3 or first[0] == "0":
        return i + 1
    j = i + 1
    while j < len(words):
        word = words[j][0]
        whole, _, rest = word.replace(",", ".").partition(".")
        if len(whole) != 3 or (rest and not rest.isdecimal()) or "'" in word:
            break
        j += 1
        if rest:
            break
    return j


def _joins(run: str, words: list[tuple[str, int]], at: int) -> Iterator[Figure]:
    """The whole row of groups, and where plain spaces divide it, its parts, which may be columns of a table."""

    def joined(i: int, j: int, rule: str) -> Figure:
        whole, _, rest = "".join(word for word, _ in words[i:j]).replace(",", ".").partition(".")
        return Figure(at + words[i][1], at + words[j - 1][1] + len(words[j - 1][0]), key_of(whole, rest), rule)

    yield joined(0, len(words), "")
    if " " not in run[words[0][1] : words[-1][1]]:
        return
    for i in range(len(words)):
        for j in range(i + 1, min(i + _LONGEST_JOIN, len(words)) + 1):
            if (i, j) != (0, len(words)) and (j == i + 1 or words[i][0][0] != "0"):
                yield joined(i, j, OTHER_READING)


def _unspaced(run: str, at: int, reading: Reading) -> Iterator[Figure]:
    end = at + len(run)
    if run.isdecimal():
        yield Figure(at, end, key_of(run))
        return
    kinds = [c for c in run if not c.isdecimal()]
    groups = re.split(r"[.,']", run)
    last = kinds[-1]
    if reading.comma_columns and last == "," and "." not in kinds and "'" not in kinds:
        yield from _parts(run, at, reading)
        if len(kinds) == 1 or grouped(groups):
            yield Figure(at, end, key_of("".join(groups)) if grouped(groups) else key_of(*groups), OTHER_READING)
    elif len(kinds) == 1 and last != "'":
        yield from _single(groups, last, at, end, reading)
    elif len(set(kinds)) == 1 and (grouped(groups) or (last == "," and _indian(groups))):
        yield Figure(at, end, key_of("".join(groups)))
    elif (
        last != "'"
        and kinds.count(last) == 1
        and len(set(kinds)) == 2
        and (grouped(groups[:-1]) or (last == "." and _indian(groups[:-1])))
    ):
        yield Figure(at, end, key_of("".join(groups[:-1]), groups[-1]))
    elif len(set(kinds)) == 1 and last != "'" and len(groups[-1]) == 2 and grouped(groups[:-1]):
        yield Figure(at, end, key_of("".join(groups[:-1]), groups[-1]), OTHER_READING)  # 1.234.56, on receipts
        if last == ",":
            yield from _parts(run, at, reading)
    elif "," in kinds:
        yield from _parts(run, at, reading)


def _parts(run: str, at: int, reading: Reading) -> Iterator[Figure]:
    """The numbers of a list that commas divide: "1,5.25,3" without spaces, as in comma-separated values."""
    for part in run.split(","):
        if part.isdecimal():
            yield Figure(at, at + len(part), key_of(part))
        else:
            yield from _unspaced(part, at, reading)
        at += len(part) + 1


def _single(groups: list[str], sign: str, at: int, end: int, reading: Reading) -> Iterator[Figure]:
    whole, rest = groups
    decimal = Figure(at, end, key_of(whole, rest))
    if len(rest) != 3 or len(whole) > 3 or whole[0] == "0":
        yield decimal
        return
    thousands = Figure(at, end, key_of(whole + rest))
    comma_is_decimal = reading.decimal_comma
    if (sign == ",") == comma_is_decimal:
        yield decimal
        yield thousands._replace(rule=OTHER_READING)
    else:
        yield thousands
        yield decimal._replace(rule=OTHER_READING)


def grouped(groups: list[str]) -> bool:
    """Whether digits are in groups of three behind the first: 7.701.888."""
    return 1 <= len(groups[0]) <= 3 and len(groups) > 1 and all(len(g) == 3 for g in groups[1:])


def _indian(groups: list[str]) -> bool:
    """Whether digits are grouped as in India: 1,23,45,678."""
    return (
        len(groups) > 2 and 1 <= len(groups[0]) <= 2 and len(groups[-1]) == 3 and all(len(g) == 2 for g in groups[1:-1])
    )
