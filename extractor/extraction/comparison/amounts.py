"""Numbers and quantities, read from plain text and only where there is one reading.

1,000 and 1 000 and 1'000 are a thousand, so is 12,34,567 in its own groups; 1.000 is one, the point being JSON's own;
1.234,56 and 0,5 have a decimal comma.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

_POINT = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,4})?", re.ASCII)
_THOUSANDS = re.compile(
    r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?|[1-9]\d{0,2}(?:[ ']\d{3})+(?:\.\d+)?|[1-9]\d?(?:,\d\d)+,\d{3}(?:\.\d+)?",
    re.ASCII,
)
_CONTINENTAL = re.compile(r"[1-9]\d{0,2}(?:[. ']\d{3})+,\d+|[1-9]\d{0,2}(?:\.\d{3}){2,}|\d+,\d+", re.ASCII)
_QUANTITY = re.compile(
    r"(?P<before>[^\d\s.,+-]*) ?(?P<number>[-+]? ?(?:\d[\d.,']*(?: \d{3}(?!\d)[\d.,]*)*|\.\d+))(?P<after>\D*)",
    re.ASCII | re.DOTALL,
)


def parse_plain_number(text: str) -> Decimal | None:
    """The number that the whole text is; None when it is none or has more than one reading."""
    unsigned = text.strip()
    negative = unsigned.startswith("-")
    if unsigned.startswith(("-", "+")):
        unsigned = unsigned[1:].strip()
    if _THOUSANDS.fullmatch(unsigned):
        unsigned = re.sub("[, ']", "", unsigned)
    elif _CONTINENTAL.fullmatch(unsigned):
        unsigned = re.sub("[. ']", "", unsigned).replace(",", ".")
    elif not _POINT.fullmatch(unsigned):
        return None
    try:
        read = Decimal(unsigned)
    except InvalidOperation:
        return None
    return read.copy_negate() if negative else read  # minus would round to 28 digits


def parse_plain_quantity(text: str) -> tuple[Decimal, str] | None:
    """(number, unit) of a text that is one number and a unit before or behind it: $1,200 or 2.5x; None when it is not.

    The unit is what stands beside the number, without white space; "4000+ lines" has the unit "+lines", and a text
    with words before the number or with a second number is not a quantity.
    """
    found = _QUANTITY.fullmatch(text)
    if found is None:
        return None
    digits = found["number"].rstrip(".,'")
    read = parse_plain_number(digits)
    if read is None:
        return None
    unit = found["before"] + found["number"][len(digits) :] + found["after"]
    return read, "".join(unit.split())
