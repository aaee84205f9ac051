"""File -> Document, a module for each format: `load(path, name, ocr)` gives the document or raises DocumentError.

Parsers of complex formats run in a process of their own, with bounds on time and memory (`sandbox`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from extractor.errors import name_install_command
from extractor.types import Document


@dataclass(frozen=True, slots=True)
class Format:
    """How files of one kind are read."""

    module: str
    max_bytes: int = 20_000_000
    """Bytes of a file that is read."""
    sandboxed: bool = False
    """Whether it is read in a process of its own."""
    library: str = ""
    extra: str = ""
    """The libraries that it needs, and the extra of this package that brings them."""

    def missing_extra(self) -> str:
        """The sentence that says how to install what the format needs; empty if it is there."""
        if all(map(_is_installed, self.library.split())):
            return ""
        return f"its format needs the extra '{self.extra}'; install it with: {name_install_command(self.extra)}"

    def load(self, path: Path, name: str, ocr: bool) -> Document:
        loaded: Document = import_module(f"extractor.documents.formats.{self.module}").load(path, name, ocr)
        return loaded


@cache
def _is_installed(library: str) -> bool:
    return find_spec(library) is not None


TEXT_FORMAT = Format("text")
PDF_FORMAT = Format("pdf", 500_000_000, True, "pypdfium2", "pdf")
DOCX_FORMAT = Format("docx", 200_000_000, True, "docx", "docx")
SPREADSHEET_FORMAT = Format("xlsx", 100_000_000, True, "python_calamine", "xlsx")
HTML_FORMAT = Format("html", sandboxed=True, library="justhtml tinycss2", extra="html")
MARKDOWN_FORMAT = Format("markdown", sandboxed=True)
CSV_FORMAT, MAIL_FORMAT = Format("csv"), Format("mail", 50_000_000, True)

FORMATS_BY_SUFFIX: Mapping[str, Format] = {
    **dict.fromkeys((".txt", ".text"), TEXT_FORMAT),
    **dict.fromkeys((".md", ".markdown"), MARKDOWN_FORMAT),
    **dict.fromkeys((".csv", ".tsv"), CSV_FORMAT),
    **dict.fromkeys((".htm", ".html", ".xhtml"), HTML_FORMAT),
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".ods"), SPREADSHEET_FORMAT),
    ".pdf": PDF_FORMAT,
    ".docx": DOCX_FORMAT,
    ".eml": MAIL_FORMAT,
}
"""Suffixes, in small letters, and what reads their files. JSON lines hold many documents; `jsonl` splits them."""


def detect_format(start: bytes) -> Format:
    """The format of a file without a known suffix, by its first bytes; text, where these are not known either."""
    if start.startswith(b"%PDF-"):
        return PDF_FORMAT
    if start.startswith(b"PK\x03\x04"):
        return (
            DOCX_FORMAT
            if b"word/" in start or (b"[Content_Types].xml" in start and b"xl/" not in start)
            else SPREADSHEET_FORMAT
        )
    if start.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        return HTML_FORMAT
    return TEXT_FORMAT
