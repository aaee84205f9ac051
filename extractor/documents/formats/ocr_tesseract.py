"""Words of a picture by tesseract, where it is installed: any language that its data has.

It reads a picture on its stdin and writes a table of words on its stdout (tesseract(1), "tsv").
"""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING

from extractor.child_processes import build_child_environment
from extractor.documents.formats.ocr_words import PictureError, PictureWord, WordLine

if TYPE_CHECKING:
    from PIL.Image import Image

OCR_VARIABLES = ("TESSDATA_PREFIX", "OMP_THREAD_LIMIT")
"""What tesseract is told by its environment besides."""
OCR_PAGE_SECONDS = 120
"""For one page."""


def is_installed() -> bool:
    """Whether there is a tesseract."""
    return shutil.which("tesseract") is not None


@cache
def find_version() -> str:
    """Which tesseract there is."""
    try:
        # it must not read this process's stdin, where the sandbox's requests arrive
        finished = subprocess.run(
            ["tesseract", "--version"],  # noqa: S607
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=OCR_PAGE_SECONDS,
            env=build_child_environment(*OCR_VARIABLES),
        )
    except (OSError, subprocess.TimeoutExpired):
        return "tesseract"
    return (finished.stdout or finished.stderr).split("\n")[0].strip()


def read_words(picture: Image, dots_per_inch: float) -> list[WordLine]:
    """The picture's words by lines. Raises PictureError."""
    image = io.BytesIO()
    picture.convert("L").save(image, "PPM")
    command = ["tesseract", "stdin", "stdout", "--dpi", str(round(dots_per_inch)), "tsv"]
    try:
        finished = subprocess.run(  # noqa: S603
            command,
            input=image.getvalue(),
            capture_output=True,
            timeout=OCR_PAGE_SECONDS,
            env=build_child_environment(*OCR_VARIABLES),
        )
    except subprocess.TimeoutExpired as error:
        raise PictureError(f"tesseract takes longer than {OCR_PAGE_SECONDS} seconds on it") from error
    except OSError as error:
        raise PictureError(f"tesseract does not start ({error.strerror})") from error
    if finished.returncode:
        raise PictureError(f"tesseract fails on it (exit {finished.returncode})")
    return parse_table(finished.stdout.decode("utf-8", "replace"))


def parse_table(table: str) -> list[WordLine]:
    """The words of tesseract's table, by lines."""
    lines: dict[tuple[str, ...], WordLine] = {}
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        try:
            text, certainty = (row["text"] or "").strip(), float(row["conf"]) / 100
            left, top = float(row["left"]), float(row["top"])
            edges = left, top, left + float(row["width"]), top + float(row["height"])
            line = row["block_num"], row["par_num"], row["line_num"]
        except (KeyError, TypeError, ValueError):
            continue
        if text and certainty >= 0:
            lines.setdefault(line, []).append(PictureWord(text, *edges, certainty))
    return list(lines.values())
