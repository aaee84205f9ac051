"""A folder of CSV files, one a table: RFC 4180, UTF-8, text always in quotes, numbers never.

A cell that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV injection; ASVS 1.2.10): one
whose first character that shows is = + - @, also full-width or small, or that begins with a tab, a line end or NUL. So
that this can be undone, a text that begins with an apostrophe of its own gets one too: whoever reads drops one leading
apostrophe from every text that has one. A text that is a number, such as "-12.50", is no formula and stays as it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from extractor.results.export.layout import CellValue, ExportLayout
from extractor.results.unseen import JOINERS_AND_VARIANTS, UNSEEN_CHARACTERS

CSV_SUFFIX = ".csv"
_SKIPPED = rf"[\s\0\u2800{UNSEEN_CHARACTERS}{JOINERS_AND_VARIANTS}]*"
_FORMULA = re.compile(rf"['\t\r\n\0]|{_SKIPPED}[=+\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b]")
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?%?", re.ASCII)


class CsvTableWriter:
    """Writes rows as they come; nothing is held."""

    def __init__(self, folder: Path, layout: ExportLayout, files: Mapping[str, str]) -> None:
        self._stack = ExitStack()
        self._files: dict[str, TextIO] = {}
        for name, header in layout.headers.items():
            path = folder / files[name]
            file = self._stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            self._files[name] = file
            file.write(_format_row(list(header)))

    def write_row(self, table: str, row: Mapping[str, CellValue]) -> None:
        self._files[table].write(_format_row(list(row.values())))

    def close(self) -> None:
        self._stack.close()

    abandon = close


def _format_row(values: list[CellValue]) -> str:
    return ",".join(map(_format_cell, values)) + "\r\n"


def _format_cell(value: CellValue) -> str:
    if isinstance(value, str):
        return '"' + guard_formula(value).replace('"', '""') + '"'
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def guard_formula(text: str) -> str:
    """The text as no spreadsheet takes for a formula."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def unguard_formula(text: str) -> str:
    """The text again that `guard_formula` was given."""
    return text[1:] if text.startswith("'") else text
