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
    always_ocr: bool = False
    """Whether there is nothing in its files but what OCR reads."""

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
PDF_FORMAT = Format("pdf", 500_000_000, True, "pypdfium2 PIL", "pdf")
IMAGE_FORMAT = Format("image", 200_000_000, True, "PIL", "ocr", always_ocr=True)
DOCX_FORMAT = Format("docx", 200_000_000, True, "docx", "docx")
SPREADSHEET_FORMAT = Format("xlsx", 100_000_000, True, "python_calamine", "xlsx")
PPTX_FORMAT = Format("pptx", 200_000_000, True, "pptx", "pptx")
ODF_FORMAT = Format("opendocument", 200_000_000, True, "lxml", "odf")
EPUB_FORMAT = Format("epub", 200_000_000, True, "lxml justhtml tinycss2", "epub")
RTF_FORMAT = Format("rtf", 50_000_000, True)
HTML_FORMAT = Format("html", sandboxed=True, library="justhtml tinycss2", extra="html")
XML_FORMAT, JSON_FORMAT = Format("xml", 50_000_000, True), Format("json", 50_000_000, True)
CARD_FORMAT = Format("cards", sandboxed=True)
MARKDOWN_FORMAT = Format("markdown", sandboxed=True)
CSV_FORMAT, MAIL_FORMAT = Format("csv"), Format("mail", 50_000_000, True)
OUTLOOK_FORMAT = Format("outlook", 100_000_000, True, "olefile compressed_rtf", "msg")

FORMATS_BY_SUFFIX: Mapping[str, Format] = {
    **dict.fromkeys((".txt", ".text", ".log", ".rst", ".tex", ".adoc", ".yaml", ".yml", ".toml", ".ini"), TEXT_FORMAT),
    **dict.fromkeys((".md", ".markdown"), MARKDOWN_FORMAT),
    **dict.fromkeys((".csv", ".tsv"), CSV_FORMAT),
    **dict.fromkeys((".htm", ".html", ".xhtml"), HTML_FORMAT),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls"), SPREADSHEET_FORMAT),
    **dict.fromkeys((".pptx", ".pptm", ".ppsx", ".ppsm", ".potx"), PPTX_FORMAT),
    **dict.fromkeys((".odt", ".ott", ".ods", ".ots", ".odp", ".otp", ".fodt", ".fods", ".fodp"), ODF_FORMAT),
    **dict.fromkeys((".ics", ".vcf"), CARD_FORMAT),
    **dict.fromkeys(
        (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".heic", ".heif", ".webp", ".bmp", ".gif"), IMAGE_FORMAT
    ),
    ".pdf": PDF_FORMAT,
    ".docx": DOCX_FORMAT,
    ".epub": EPUB_FORMAT,
    ".rtf": RTF_FORMAT,
    ".xml": XML_FORMAT,
    ".json": JSON_FORMAT,
    ".eml": MAIL_FORMAT,
    ".msg": OUTLOOK_FORMAT,
}
"""Suffixes, in small letters, and what reads their files. JSON lines, archives and mailboxes hold many documents."""

CONTAINER_SUFFIXES = frozenset({".zip", ".mbox", ".tar"})
"""Suffixes of files that hold several documents; packed tar archives have others, of two words at times."""
