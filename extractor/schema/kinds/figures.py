"""Exact numbers as keys: a sign, the digits that count, and a power of ten, in one string.

"1,200.50", 1200.5 and "1.2005 thousand" are all "12005e-1". Digits are never turned into a float or a long int, so
400 digits cost 400 steps and 2**53+1 differs from 2**53.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

MAX_DIGITS = 4_000
"""Digits beyond which nothing is a number; Python turns no more of them into an int."""
_PLAIN = re.compile(r"([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d{1,6}))?", re.ASCII)


def key_of(whole: str, fraction: str = "", *, negative: bool = False, shift: int = 0) -> str:
    """The key of digits before and behind the decimal point, times ten to the power of `shift`."""
    digits = (whole + fraction).lstrip("0")
    exponent = shift - len(fraction)
    counting = digits.rstrip("0")
    if not counting:
        return "0"
    return f"{'-' if negative else ''}{counting}e{exponent + len(digits) - len(counting)}"


def shifted(key: str, by: int) -> str:
    """The key of the number times ten to the power of `by`."""
    if key == "0":
        return key
    digits, _, exponent = key.partition("e")
    return f"{digits}e{int(exponent) + by}"


def negated(key: str) -> str:
    """The key of the number with its sign turned."""
    return key if key == "0" else key[1:] if key[0] == "-" else "-" + key


def key_of_value(value: Any) -> str | None:
    """The key of a number, or of a string in the notation of JSON; None where it is not a finite number.

    An int of more digits than Python turns into a string (4300) has no key.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        written = value.strip() if isinstance(value, str) else str(value)
    except ValueError:
        return None
    match = _PLAIN.fullmatch(written)
    if match is None or not (match[2] or match[3]):
        return None
    return key_of(match[2], match[3] or "", negative=match[1] == "-", shift=int(match[4] or 0))


def key_of_fraction(value: Fraction) -> str:
    """The key of a fraction, to twelve digits behind the point where it has no end."""
    return key_of(str(abs(round(value * 10**12))), negative=value < 0, shift=-12)


def fraction_of(key: str) -> Fraction | None:
    """The number as a fraction, for sums and products; None where it has more than 60 digits."""
    digits, _, exponent = key.partition("e")
    if len(digits) > 60 or abs(int(exponent or 0)) > 60:
        return None
    return Fraction(int(digits)) * Fraction(10) ** int(exponent or 0)


def number_of(key: str) -> int | float | str | None:
    """The number as JSON has it, exactly: an int of any size, else a float, as text where no float is it.

    None for one of thousands of digits.
    """
    digits, _, exponent = key.partition("e")
    shift = int(exponent or 0)
    if len(digits) + abs(shift) > MAX_DIGITS:
        return None
    if shift >= 0:
        return int(digits + "0" * shift)
    number = float(key)
    return number if key_of_value(number) == key else f"{Decimal(key):f}"


def to_json(number: Decimal) -> float | int | str:
    """A finite number as JSON has it, exactly: a float, else an int, else text."""
    approximate = float(number)
    if math.isfinite(approximate) and Decimal(repr(approximate)) == number:
        return approximate
    return int(number) if number == number.to_integral_value() else f"{number:f}"


def rounded(key: str, digits: int) -> str:
    """The key rounded to so many digits that count: a float's 0.30000000000000004 is 0.3 to fifteen."""
    mantissa, _, exponent = key.partition("e")
    if len(mantissa.lstrip("-")) <= digits or len(mantissa) > 60:
        return key
    short = key_of_value(f"{Decimal(mantissa):.{digits - 1}e}")
    return key if short is None else shifted(short, int(exponent or 0))
