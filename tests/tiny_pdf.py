"""PDF files of a few kilobytes, written by hand: lines of standard fonts at given places, in a given order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 612.0, 792.0
_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


@dataclass(frozen=True)
class Line:
    """Words at (x, y) in points from the page's lower left corner."""

    x: float
    y: float
    text: str
    size: float = 10.0
    font: str = "F1"
    """F1: Helvetica; F2: Helvetica-Bold; F3: Courier, every letter 0.6 of its size wide."""


def page(lines: Sequence[Line]) -> bytes:
    """The content stream that draws the lines in their order."""
    drawn = []
    for line in lines:
        words = line.text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        drawn.append(b"BT /%s %g Tf %g %g Td (%s) Tj ET" % (line.font.encode(), line.size, line.x, line.y, words))
    return b"\n".join(drawn)


@dataclass(frozen=True)
class Parts:
    """What a file has beside its pages' content: objects of its own, the first of which is number 6, and names for
    them. The first page is number 6 + len(objects) + 1, each further one 2 more."""

    objects: Sequence[bytes] = ()
    resources: bytes = b""
    """Entries of every page's resources, beside its fonts: b"/XObject<</Im1 6 0 R>>"."""
    catalog: bytes = b""
    page: bytes = b""
    """Entries of every page, such as b"/Annots[7 0 R]"."""
    size: tuple[float, float] = (WIDTH, HEIGHT)


def stream(entries: bytes, data: bytes) -> bytes:
    """An object with a stream."""
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(data), data)


def image(width: int, height: int, pixels: bytes) -> bytes:
    """An image of grey pixels, a byte each."""
    entries = b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 8"
    return stream(entries % (width, height), pixels)


def write(
    contents: Sequence[bytes],
    *,
    rotate: int = 0,
    password: str | None = None,
    crop: Sequence[float] | None = None,
    parts: Parts = Parts(),
) -> bytes:
    """A PDF of pages with these content streams; with a password, encrypted (RC4, 40 bits: ISO 32000-1, 7.6)."""
    fonts = [b"Helvetica", b"Helvetica-Bold", b"Courier"]
    objects = [b"", b""]  # catalog and pages come when the pages are known
    objects += [b"<</Type/Font/Subtype/Type1/BaseFont/%s/Encoding/WinAnsiEncoding>>" % name for name in fonts]
    objects += parts.objects
    named = b"".join(b"/F%d %d 0 R" % (i + 1, i + 3) for i in range(len(fonts)))
    resources = b"<</Font<<%s>>%s>>" % (named, parts.resources)
    extra = parts.page + (b"/Rotate %d" % rotate if rotate else b"")
    if crop:
        extra += b"/CropBox[%s]" % " ".join(f"{edge:g}" for edge in crop).encode()
    seal = _Seal(password) if password is not None else None
    pages = []
    for content in contents:
        number = len(objects) + 1
        body = seal.closed(content, number) if seal else content
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(body), body))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %g %g]/Resources%s/Contents %d 0 R%s>>"
            % (*parts.size, resources, number, extra)
        )
        pages.append(number + 1)
    objects[0] = b"<</Type/Catalog/Pages 2 0 R%s>>" % parts.catalog
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(pages), b" ".join(b"%d 0 R" % n for n in pages))
    trailer = b""
    if seal:
        objects.append(seal.dictionary)
        trailer = b"/Encrypt %d 0 R/ID[<%s><%s>]" % (len(objects), seal.identity.hex().encode(), b"00")
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % at for at in places)
    out += b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(out)


class _Seal:
    """The standard security handler, revision 2."""

    identity = b"0123456789abcdef"

    def __init__(self, password: str) -> None:
        padded = (password.encode() + _PADDING)[:32]
        owner = _rc4(hashlib.md5(padded).digest()[:5], padded)
        rights = -4
        secret = padded + owner + rights.to_bytes(4, "little", signed=True) + self.identity
        self._key = hashlib.md5(secret).digest()[:5]
        user = _rc4(self._key, _PADDING)
        self.dictionary = b"<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P %d>>" % (
            owner.hex().encode(),
            user.hex().encode(),
            rights,
        )

    def closed(self, content: bytes, number: int) -> bytes:
        return _rc4(hashlib.md5(self._key + number.to_bytes(3, "little") + b"\0\0").digest()[:10], content)


def _rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
