"""Pages without a text layer -> words with boxes, by tesseract, if it is installed.

It reads a page's picture on its stdin and writes a table of words on its stdout (tesseract(1), "tsv").
"""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from extractor.documents.formats.reading_order import PageLayout, TextPiece

if TYPE_CHECKING:
    import pypdfium2 as pdfium

DOTS_PER_INCH = 300
"""Dots per inch of the picture; what tesseract is trained on."""
MAX_PIXELS = 40_000_000
"""The most of one picture; a larger page is pictured more coarsely."""
OCR_PAGE_SECONDS = 120
"""For one page."""
MIN_CERTAINTY = 30
"""Per cent of its own certainty under which a word is noise of the picture rather than words."""


def advise_on_ocr(wanted: bool) -> str:
    """What to do about pages without a text layer."""
    if not shutil.which("tesseract"):
        return "install tesseract (Debian: apt-get install tesseract-ocr) and run again with --ocr"
    return "tesseract read nothing on it either" if wanted else "run again with --ocr"


@cache
def find_tesseract_version() -> str:
    """Which tesseract there is."""
    try:
        # it must not read this process's stdin, where the sandbox's requests arrive
        finished = subprocess.run(
            ["tesseract", "--version"],  # noqa: S607
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=OCR_PAGE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "tesseract"
    return (finished.stdout or finished.stderr).split("\n")[0].strip()


def recognise_page(page: pdfium.PdfPage) -> PageLayout | str:
    """The page's words and where they stand, or why there are none."""
    if not shutil.which("tesseract"):
        return advise_on_ocr(True)
    width, height = page.get_size()
    scale = min(DOTS_PER_INCH / 72, (MAX_PIXELS / max(1.0, width * height)) ** 0.5)
    picture = page.render(scale=scale, grayscale=True)
    try:
        image = _encode_pgm(picture)
    finally:
        picture.close()
    command = ["tesseract", "stdin", "stdout", "--dpi", str(round(72 * scale)), "tsv"]
    try:
        finished = subprocess.run(command, input=image, capture_output=True, timeout=OCR_PAGE_SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired:
        return f"tesseract takes longer than {OCR_PAGE_SECONDS} seconds on it"
    except OSError as error:
        return f"tesseract does not start ({error.strerror})"
    if finished.returncode:
        return f"tesseract fails on it (exit {finished.returncode})"
    layout = parse_tesseract_table(finished.stdout.decode("utf-8", "replace"), scale)
    return layout if layout.pieces else "tesseract reads nothing on it"


def _encode_pgm(picture: Any) -> bytes:
    """The picture as a portable graymap, the simplest format that tesseract reads."""
    data, stride, width, height = bytes(picture.buffer), picture.stride, picture.width, picture.height
    rows = data if stride == width else b"".join(data[y * stride : y * stride + width] for y in range(height))
    return b"P5 %d %d 255\n" % (width, height) + rows[: width * height]


class _RecognisedWord(NamedTuple):
    text: str
    left: float
    top: float
    right: float
    bottom: float


def parse_tesseract_table(table: str, scale: float) -> PageLayout:
    """Tesseract's table as a page: its words, a piece for each line, edges in points."""
    lines: dict[tuple[str, ...], list[_RecognisedWord]] = {}
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        try:
            word_text, sure = (row["text"] or "").strip(), float(row["conf"])
            left, top = float(row["left"]) / scale, float(row["top"]) / scale
            word = _RecognisedWord(
                word_text, left, top, left + float(row["width"]) / scale, top + float(row["height"]) / scale
            )
            line = row["block_num"], row["par_num"], row["line_num"]
        except (KeyError, TypeError, ValueError):
            continue
        if word_text and sure >= MIN_CERTAINTY:
            lines.setdefault(line, []).append(word)
    text, layout = "", PageLayout()
    for found in lines.values():
        start, first = len(text), len(layout.lengths)
        text += " ".join(word.text for word in found)
        layout.lengths += [len(word.text) + 1 for word in found]
        layout.lefts.extend(word.left for word in found)
        layout.rights.extend(word.right for word in found)
        left, right = min(word.left for word in found), max(word.right for word in found)
        top, bottom = min(word.top for word in found), max(word.bottom for word in found)
        layout.pieces.append(TextPiece(start, len(text), first, len(layout.lengths), left, top, right, bottom))
        text += "\n"
    layout.text = text
    return layout
