"""Office files are zip archives of XML: what they hold is weighed before anything unpacks it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from extractor.documents.formats.io import open_regular
from extractor.errors import DocumentError

MAX_UNPACKED = 150_000_000
"""Bytes of the parts with text in them, unpacked; pictures are not unpacked."""
MAX_PARTS = 20_000
MAX_RATIO = 200
"""How much larger than packed a part over a megabyte may be. Real ones are some ten times."""
_TEXTUAL = (".xml", ".rels", ".bin")
OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How old Office files begin, and new ones with a password (MS-CFB 2.2)."""


def check_archive(path: Path, name: str, largest: int) -> None:
    """Raises DocumentError for an archive that is broken, encrypted, or far larger than it looks."""
    with open_regular(path, largest) as file:
        if file.read(len(OLE_START)) == OLE_START:
            raise DocumentError(
                f"{name} is encrypted, or of an old format; save a copy as .docx or .xlsx without a password.",
                reason="encrypted",
            )
        try:
            with zipfile.ZipFile(file) as archive:
                parts = archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise DocumentError(f"{name} is broken ({error}); save it anew.", reason="broken") from error
    if any(part.flag_bits & 1 for part in parts):
        raise DocumentError(f"{name} is encrypted; save a copy without its password.", reason="encrypted")
    textual = [part for part in parts if part.filename.lower().endswith(_TEXTUAL)]
    unpacked = sum(part.file_size for part in textual)
    inflated = any(p.file_size > 1_000_000 and p.file_size > MAX_RATIO * max(1, p.compress_size) for p in textual)
    if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED or inflated:
        raise DocumentError(
            f"{name} unpacks to {unpacked / 1e6:.0f} MB in {len(parts)} parts, which is out of proportion; "
            "split it, or convert it to text first.",
            reason="too large",
        )
