"""Calls of PDFium's functions by the thousand, for which ctypes' own declarations cost more than the calls.

Functions have no declared arguments: addresses are to be handed over as made by `as_argument`, once for many calls. A
plain number in place of one would be cut to 32 bits.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, cast

as_argument = ctypes.c_void_p.from_param
"""An address, a plain number, as an argument of these functions."""


def address_of(pointer: Any) -> int:
    """The address that a pointer of any type holds."""
    return cast(int, ctypes.cast(pointer, ctypes.c_void_p).value)


def find_function(function: Any, result: Any) -> Callable[..., Any]:
    """PDFium's own function. It keeps the interpreter's lock, as no other thread runs in a reader."""
    return ctypes.PYFUNCTYPE(result)(address_of(function))
