"""How documents write that a figure is zero."""

from __future__ import annotations

import re

ZERO = re.compile(
    r"(?<![\w.,:/-])0++(?:[.,]0++)?+(?![\w.,:/-]*\d)|\bnil\b|[$€£¥][ \u00a0]?[-–—](?=[\s|]|$)"
    r"|(?:^|[\s|])[-–—](?=[ *_]*(?:$|[-–—|\t]))|(?:^|[-–—|\t])[ *_]*[-–—](?=\s|$)",
    re.I | re.M,
)
"""A zero that stands alone, or a dash that stands for one: by itself in its cell, or at its line's end."""
