"""Photos and scans: the words of a picture, or of each page of a TIFF, by OCR, with a box and a certainty for each.

A picture is read as people see it: turned as its camera says (EXIF), transparent parts on white.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

from extractor.documents.formats import IMAGE_FORMAT, ocr_rapid
from extractor.documents.formats.io import open_regular
from extractor.documents.formats.ocr import advise_on_ocr, find_ocr_version, is_ocr_installed, recognise_picture
from extractor.documents.formats.page_blocks import PageRules
from extractor.documents.formats.pdf_layout import PageWriter
from extractor.errors import DocumentError
from extractor.types import Document, UnreadPart

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_IMAGE_PIXELS = 100_000_000
"""Of one picture: a sheet of A0 at 300 dots per inch has 140 million, one of A3 at 600 has 70."""
MAX_IMAGE_PAGES = 200
"""Pages of one file that are read."""
KNOWN_DENSITIES = 50, 2400
"""Dots per inch that a scan may say it has; else one of its pixels counts as a point, as for pictures of screens."""


def load(path: Path, name: str, with_ocr: bool) -> Document:
    """Reads a picture by OCR, whether that is wanted for pages of other files or not: there is nothing else in it."""
    del with_ocr
    open_regular(path, IMAGE_FORMAT.max_bytes).close()
    if not is_ocr_installed():
        raise DocumentError(f"{name} is a picture; {advise_on_ocr(True)}.", reason="needs OCR")
    writer = PageWriter()
    for number, page in enumerate(open_pages(path, name), 1):
        writer.begin_page()
        writer.draft.pictured.append(number)
        found = recognise_picture(page, find_scale(page))
        if isinstance(found, str):
            writer.draft.unread.append(UnreadPart(f"page {number}", "needs OCR", f"Page {number}: {found}."))
            continue
        writer.write_page(found, PageRules(), None)
    if not writer.draft.length:
        raise DocumentError(
            f"{name} shows no words that can be read; take the picture again, sharper or closer.", reason="empty"
        )
    return writer.draft.build_document(name, f"pillow {version('pillow')}, {find_ocr_version()}", writer.boxes)


def warm_up() -> None:
    """Loads the models of OCR, once for all pictures that a reader reads."""
    if ocr_rapid.is_installed():
        ocr_rapid.load_engine()


def find_scale(picture: Image) -> float:
    """Pixels to a point of a picture, by the density that it says it has."""
    told = picture.info.get("dpi", (0, 0))
    with suppress(TypeError, ValueError, IndexError):
        density = float(told[0])
        if KNOWN_DENSITIES[0] <= density <= KNOWN_DENSITIES[1]:
            return density / 72
    return 1.0


def open_pages(path: Path, name: str) -> Iterator[Image]:
    """The pages of a picture as people see them. Raises DocumentError for what is none, or too large."""
    from PIL import Image, ImageSequence  # slow to import, and few files are pictures

    Image.MAX_IMAGE_PIXELS = None  # its warning and its error have no place here: the bound is below
    with suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()
    try:
        with Image.open(path) as file:
            _require_size(file, name)
            pages = getattr(file, "n_frames", 1) if file.format in ("TIFF", "HEIF") else 1
            if pages > MAX_IMAGE_PAGES:
                raise DocumentError(
                    f"{name} has {pages} pages; split it into files of at most {MAX_IMAGE_PAGES}.", reason="too large"
                )
            for number, frame in enumerate(ImageSequence.Iterator(file)):
                if number >= pages:
                    return
                _require_size(frame, name)
                yield _flatten(frame)
    except DocumentError:
        raise
    except Exception as error:  # its plugins raise what they like at broken files
        raise DocumentError(
            f"{name} is no picture that can be read, or only a part of one ({type(error).__name__}); "
            "save it anew as PNG or JPEG.",
            reason="broken",
        ) from error


def _require_size(picture: Image, name: str) -> None:
    width, height = picture.size
    if width * height > MAX_IMAGE_PIXELS:
        raise DocumentError(
            f"{name} has {width * height / 1e6:.0f} megapixels; "
            f"make it smaller, at most {MAX_IMAGE_PIXELS / 1e6:.0f} megapixels a page.",
            reason="too large",
        )


def _flatten(picture: Image) -> Image:
    """The picture turned upright, in plain colours, on white where it is transparent."""
    from PIL import Image, ImageOps

    density = picture.info.get("dpi")
    shown = ImageOps.exif_transpose(picture)
    if shown.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        shown = _spread_greys(shown.convert("F"))
    if "A" in shown.getbands() or "transparency" in shown.info:
        layer = shown.convert("RGBA")
        shown = Image.new("RGBA", layer.size, "white")
        shown.alpha_composite(layer)
    plain = shown.convert("RGB")
    plain.info["dpi"] = density
    return plain


def _spread_greys(picture: Image) -> Image:
    """Numbers of any size as greys, from black for the smallest to white for the largest."""
    low, high = cast(tuple[float, float], picture.getextrema())
    times = 255 / ((high - low) or 1.0)
    return picture.point(lambda value: value * times - low * times).convert("L")
