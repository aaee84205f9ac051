"""File -> Document, a module for each format: `load(path, name, ocr)` gives the document or raises DocumentError.

What parses a format of some depth runs in a process of its own, with bounds on time and memory (`apart`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from extractor.types import Document


@dataclass(frozen=True, slots=True)
class Format:
    """How files of one kind are read."""

    module: str
    largest: int = 20_000_000
    """Bytes of a file that is read."""
    apart: bool = False
    """Whether it is read in a process of its own."""
    library: str = ""
    extra: str = ""
    """The libraries that it needs, and the extra of this package that brings them."""

    def missing(self) -> str:
        """The sentence that says how to install what the format needs; empty if it is there."""
        if all(map(_installed, self.library.split())):
            return ""
        return f"its format needs the extra '{self.extra}'; install it with: pip install 'extractor[{self.extra}]'"

    def load(self, path: Path, name: str, ocr: bool) -> Document:
        loaded: Document = import_module(f"extractor.documents.formats.{self.module}").load(path, name, ocr)
        return loaded


@cache
def _installed(library: str) -> bool:
    return find_spec(library) is not None


TEXT = Format("text")
PDF = Format("pdf", 500_000_000, True, "pypdfium2", "pdf")
DOCX = Format("docx", 200_000_000, True, "docx", "docx")
SHEET = Format("xlsx", 100_000_000, True, "python_calamine", "xlsx")
HTML = Format("html", apart=True, library="justhtml tinycss2", extra="html")
MARKDOWN, CSV, MAIL = Format("markdown"), Format("csv"), Format("mail", 50_000_000, True)

FORMATS: Mapping[str, Format] = {
    **dict.fromkeys((".txt", ".text"), TEXT),
    **dict.fromkeys((".md", ".markdown"), MARKDOWN),
    **dict.fromkeys((".csv", ".tsv"), CSV),
    **dict.fromkeys((".htm", ".html", ".xhtml"), HTML),
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".ods"), SHEET),
    ".pdf": PDF,
    ".docx": DOCX,
    ".eml": MAIL,
}
"""Suffixes, in small letters, and what reads their files. JSON lines hold many documents; `lines` takes them apart."""


def by_content(start: bytes) -> Format:
    """The format of a file whose name says nothing, by its first bytes; text, where these say nothing either."""
    if start.startswith(b"%PDF-"):
        return PDF
    if start.startswith(b"PK\x03\x04"):
        return DOCX if b"word/" in start or (b"[Content_Types].xml" in start and b"xl/" not in start) else SHEET
    if start.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        return HTML
    return TEXT
