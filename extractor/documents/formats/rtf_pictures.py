"""Pictures in rich text: their bytes, which the file spells in hexadecimal figures (RTF 1.9.1, p. 154)."""

from __future__ import annotations

import re
import struct

from extractor.documents.formats.enclosed_pictures import Picture
from extractor.documents.formats.rtf_tokens import Token

_KINDS = {
    "pngblip": "png",
    "jpegblip": "jpg",
    "emfblip": "emf",
    "wmetafile": "wmf",
    "macpict": "wmf",
    "pmmetafile": "wmf",
    "dibitmap": "bmp",
    "wbitmap": "wmf",
}
"""Words for kinds of pictures, and how files of such are called; of old ones, those of drawings that nobody reads."""
_NO_FIGURES = re.compile(r"[^0-9a-fA-F]+")
_BITMAP_HEADER = 14


class PictureReader:
    """Reads one picture."""

    def __init__(self) -> None:
        self._kind = ""
        self._pieces: list[str] = []
        self._data = b""

    def take(self, token: Token) -> None:
        """The next token of its group."""
        if token.word == "bin":
            self._data = token.text.encode("latin-1", "replace")
        elif token.word in _KINDS:
            self._kind = _KINDS[token.word]
        elif token.text:
            self._pieces.append(token.text)

    def finish(self, number: int) -> Picture | None:
        """The picture, whose name has its number; None where there is nothing of it."""
        figures = _NO_FIGURES.sub("", "".join(self._pieces))
        data = self._data or bytes.fromhex(figures[: len(figures) // 2 * 2])
        if not data:
            return None
        return f"picture {number}.{self._kind or 'png'}", _as_file(data) if self._kind == "bmp" else data


def _as_file(data: bytes) -> bytes:
    """A bitmap with the header of a file of its own, which says where its pixels begin."""
    if len(data) < 36:
        return data
    size, bits, used = (
        *struct.unpack_from("<I", data),
        *struct.unpack_from("<H", data, 14),
        *struct.unpack_from("<I", data, 32),
    )
    colours = used or (1 << bits if bits <= 8 else 0)
    total = _BITMAP_HEADER + len(data)
    return struct.pack("<2sIHHI", b"BM", total, 0, 0, min(total, _BITMAP_HEADER + size + 4 * colours)) + data
