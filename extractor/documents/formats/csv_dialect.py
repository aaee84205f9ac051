"""Rows of a text whose values are separated by commas or the like, and which sign separates them.

RFC 4180 as Excel and others write it, read in one pass: a value in quotes holds separators, line ends and doubled
quotes. Quotes that follow no rule are letters, so nothing is lost of a file that was written by hand; the csv module
drops them, and reads on to the file's end where one is not closed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise

SEPARATORS = ",;\t|"
"""Signs that may stand between values, the likelier first."""
_SAMPLE_ROWS = 400
_SAMPLE = 100_000
"""Rows by which the separator is found, and characters in which one is looked for at all."""
_EVEN = 0.7
"""Share of the rows that are as wide as most, from which on a text is a table."""
_SEP_LINE = re.compile(r'\A"?sep=(.)"?(?:\r\n?|\n|\Z)', re.I)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file writes its values. Without a separator each line is one value."""

    separator: str = ","
    quote: str = '"'
    start: int = 0
    """Where the first row begins: behind a line that only names the separator."""
    escape: str = ""
    """What stands before a quote within quotes, where that is not another quote."""


def detect_dialect(text: str, separator: str = "") -> Dialect:
    """The dialect in which the rows are most alike; `separator` is the one that the file's name tells."""
    declared = _SEP_LINE.match(text)
    if declared:
        return Dialect(declared[1], '"', declared.end())
    sample = text[:_SAMPLE]
    choices = [Dialect(sign) for sign in (separator or SEPARATORS) if sign in sample]
    choices += [Dialect(one.separator, "'") for one in choices if _has_single_quotes(sample, one.separator)]
    if '\\"' in sample:  # as databases write it, with a backslash
        choices += [Dialect(one.separator, escape="\\") for one in choices if one.quote == '"']
    if separator and len(choices) < 2:
        return choices[0] if choices else Dialect(separator)
    scores = [(_score(text, one), -number) for number, one in enumerate(choices)]
    best = max(scores, default=(0.0, 0))
    return choices[-best[1]] if best[0] > 0 or separator else Dialect("")


def _has_single_quotes(sample: str, separator: str) -> bool:
    """Whether values stand in single quotes, with the separator in one of them, and none in double ones."""
    sign = re.escape(separator)
    inner = rf"(?:^|{sign})'[^'\n{sign}]*+{sign}[^'\n]*+'(?={sign}|\r?$)"
    return '"' not in sample and re.search(inner, sample, re.M) is not None


def _score(text: str, dialect: Dialect) -> float:
    """How much a text looks like a table with this separator: 0 for not at all, more for rows that are alike and wide.

    Words are divided by commas too, so rows of one width count where few are of another.
    """
    rows = list(islice(iterate_rows(text, dialect), _SAMPLE_ROWS))
    widths = Counter(len(row) for row in rows if len(row) > 1 or row[0].strip())
    if not widths:
        return 0.0
    tables = {width: count for width, count in widths.items() if width > 1}
    if not tables:
        return 0.0
    usual = max(tables, key=lambda width: (tables[width], width))
    if _is_prose(rows, dialect) or (len(rows[0]) == 1 and _divides_figures(rows)):
        return 0.0
    lines = widths.total() - (widths[1] if widths[1] <= 0.5 * widths.total() else 0)
    even = tables[usual] / lines
    if even < _EVEN:  # a form above a table may be of any width, and so may rows that were written by hand
        if not _are_short(rows) or widths[1] > 0.5 * widths.total():
            return 0.0
        even /= 2
    breadth = 1 + min(usual, 10) / 100
    likelier = 2.0 if dialect.quote == "'" else 1.0
    if not dialect.escape and any('\\"' in value for row in rows for value in row):
        likelier = 0.9  # a quote within the value, with what marks it left before it
    return even * (tables[usual] / widths.total() + 0.1) * breadth * likelier


def _is_prose(rows: Sequence[Sequence[str]], dialect: Dialect) -> bool:
    """Whether what is divided are sentences: commas with blanks after them, between words in small letters."""
    pieces = [piece for row in rows for piece in row[1:]]
    if dialect.separator not in ",;" or not pieces:
        return False
    spoken = sum(piece[:1] == " " and piece[1:2].isalpha() for piece in pieces)
    long = sum(len(piece.split()) > 3 for row in rows for piece in row)
    if len(rows) < 3:
        return spoken == len(pieces) and (len(rows) < 2 or len(rows[0]) != len(rows[-1]) or long > len(pieces) / 2)
    return spoken > 0.8 * len(pieces) and long > 0.5 * len(pieces)


def _divides_figures(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the sign stands between digits alone, as in 1,50."""
    return all(left[-1:].isdigit() and right[:1].isdigit() for row in rows for left, right in pairwise(row))


def _are_short(rows: Sequence[Sequence[str]]) -> bool:
    """Whether most values are a word or two, without a blank between them and the sign before."""
    pieces = [piece for row in rows for piece in row[1:]]
    return 5 * sum(piece[:1] == " " or len(piece.split()) > 4 for piece in pieces) <= len(pieces)


@lru_cache(maxsize=32)
def _compile(separator: str, quote: str) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """What ends a bare value, what stands behind the quote that closes one, and where a line closes one after all."""
    sign = re.escape(separator) if separator else "(?!)"
    return (
        re.compile(rf"{sign}|\r\n?|\n"),
        re.compile(rf"[ ]*(?:({sign})|(\r\n?|\n)|\Z)"),
        re.compile(rf"{re.escape(quote)}[ ]*(?={sign}|\r|\n|\Z)|\r|\n"),
    )


def iterate_rows(text: str, dialect: Dialect) -> Iterator[list[str]]:
    """The rows of a text, a list of values each; empty lines are rows of one empty value.

    Linear in the text's length: every search for a closing quote ends where the next may begin.
    """
    at, size, quote = dialect.start, len(text), dialect.quote
    stop, behind, line_close = _compile(dialect.separator, quote)
    hopeless = -1  # up to there no quote closes a value
    row: list[str] = []
    while at < size or row:
        start = at
        while text.startswith(" ", start):
            start += 1
        if start >= hopeless and text.startswith(quote, start):
            value, end = _read_quoted(text, start + 1, dialect, behind)
            if end < 0:
                value, end, hopeless = _read_badly_quoted(text, start + 1, line_close, behind)
            if end >= 0:
                row.append(value)
                found = behind.match(text, end)
                at = found.end() if found else end
                if found is None or not found[1]:
                    yield row
                    row = []
                    if found is None or found[2] is None:
                        return
                elif at >= size:
                    row.append("")
                    yield row
                    return
                continue
        ended = stop.search(text, at)
        row.append(text[at : ended.start()] if ended else text[at:])
        at = ended.end() if ended else size
        if ended is None or ended[0] != dialect.separator:
            yield row
            row = []
        elif at >= size:
            row.append("")
            yield row
            row = []


def _read_quoted(text: str, at: int, dialect: Dialect, behind: re.Pattern[str]) -> tuple[str, int]:
    """The value that begins behind a quote, and where it ends; -1 where it is not closed as the rules have it."""
    quote, escape = dialect.quote, dialect.escape
    pieces = []
    while True:
        close = text.find(quote, at)
        if close < 0:
            return "", -1
        if escape and (marked := text.find(escape, at, close)) >= 0:
            pieces.append(text[at:marked])
            at = marked + (2 if text[marked + 1 : marked + 2] in (quote, escape) else 1)
            pieces.append(text[at - 1 : at])
            continue
        pieces.append(text[at:close])
        if text.startswith(quote, close + 1):
            pieces.append(quote)
            at = close + 2
            continue
        return ("".join(pieces), close + 1) if behind.match(text, close + 1) else ("", -1)


def _read_badly_quoted(
    text: str, at: int, line_close: re.Pattern[str], behind: re.Pattern[str]
) -> tuple[str, int, int]:
    """The value with quotes in it that a quote on the same line closes, and where it ends; or -1, and up to where none
    does."""
    found = line_close.search(text, at)
    if found is None or found[0] in "\r\n":
        return "", -1, found.start() if found else len(text)
    return text[at : found.start()], found.start() + 1, -1
