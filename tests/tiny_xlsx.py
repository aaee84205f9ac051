"""Workbooks for tests, written with XlsxWriter, and changed where it writes nothing that is wanted."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import xlsxwriter


def write(
    fill: Callable[[Any, Any], None], changes: Mapping[str, tuple[str, str]] | None = None, **options: object
) -> bytes:
    """A workbook; `fill` gets it and its first sheet. `changes` replaces one text by another in a part."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, **options})
    fill(book, book.add_worksheet("Data"))
    book.close()
    if not changes:
        return buffer.getvalue()
    changed = io.BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name in changes:
                before, after = changes[name]
                assert before.encode() in data, f"{before} is not in {name}: {data[:400]!r}"
                data = data.replace(before.encode(), after.encode())
            new.writestr(name, data)
    return changed.getvalue()
