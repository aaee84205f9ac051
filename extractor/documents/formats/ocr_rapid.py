"""Words of a picture by RapidOCR, whose models come with it: Latin, Chinese and Japanese letters, printed or neat.

It runs on onnxruntime in this process. Nothing is fetched: models that are not in the package are not asked for.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from extractor.documents.formats.ocr_words import PictureError, PictureWord, WordLine

if TYPE_CHECKING:
    from PIL.Image import Image

LONGEST_SIDE = 2000
"""Pixels of a picture's longer side for it; a larger one is made smaller, which bounds its memory too."""
SHORTEST_SIDE = 320
"""Pixels of the shorter side, to which a smaller picture is made larger to find its lines."""
OCR_MEMORY = 3_000_000_000
"""Bytes of address space that a reader may have while it reads pictures; about a third is used."""


def is_installed() -> bool:
    """Whether there is a RapidOCR with its runtime."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def find_version() -> str:
    """Which RapidOCR there is."""
    from importlib.metadata import version  # it brings modules of names that a folder may have, too

    return f"rapidocr {version('rapidocr')}"


@cache
def load_engine() -> Any:
    """The engine, with its models in memory. It has no threads of its own, so that a fork can use it."""
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    from rapidocr import RapidOCR  # takes seconds

    return RapidOCR(
        params={
            "Global.max_side_len": LONGEST_SIDE,
            "Global.use_cls": False,  # turns lines that stand upright; whole pages are turned by `ocr`
            "Global.log_level": "critical",
            "Det.limit_side_len": SHORTEST_SIDE,
            "Rec.rec_batch_num": 1,  # more is no faster on a processor, and takes more memory
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _make_room() -> None:
    """Raises this process's own bound on memory, which is meant for parsers."""
    try:
        import resource
    except ImportError:  # no such limits on Windows
        return
    most, hard = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY and most < OCR_MEMORY:
        wanted = OCR_MEMORY if hard == resource.RLIM_INFINITY else min(OCR_MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))


def read_words(picture: Image, dots_per_inch: float) -> list[WordLine]:
    """The picture's words by lines, from the top. Raises PictureError."""
    import numpy as np  # comes with RapidOCR

    del dots_per_inch
    _make_room()
    pixels = np.asarray(picture.convert("RGB"))[:, :, ::-1]
    try:
        found = load_engine()(pixels, return_word_box=True)
    except (RuntimeError, ValueError, OSError, ImportError) as error:
        raise PictureError(f"RapidOCR fails on it ({type(error).__name__})") from error
    except Exception as error:  # its own errors have no common base
        if type(error).__module__.partition(".")[0] in ("rapidocr", "cv2", "onnxruntime"):
            raise PictureError(f"RapidOCR fails on it ({type(error).__name__})") from error
        raise
    if found.txts is None or not found.word_results:
        return []
    lines = zip(found.txts, found.word_results, strict=False)
    return [line for text, words in lines if (line := join_parts(text, [_read_part(*word) for word in words]))]


def _read_part(text: str, certainty: float, corners: Any) -> PictureWord:
    xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
    return PictureWord(text, min(xs), min(ys), max(xs), max(ys), float(certainty))


def join_parts(text: str, parts: list[PictureWord]) -> WordLine:
    """The words of a line: parts with no space between them in its text are one word."""
    line: WordLine = []
    at = 0
    for part in parts:
        found = text.find(part.text, at)
        apart = not line or found < 0 or " " in text[at:found]
        if found >= 0:
            at = found + len(part.text)
        if apart:
            line.append(part)
        else:
            before = line[-1]
            share = len(before.text) / (len(before.text) + len(part.text))
            line[-1] = PictureWord(
                before.text + part.text,
                min(before.left, part.left),
                min(before.top, part.top),
                max(before.right, part.right),
                max(before.bottom, part.bottom),
                share * before.certainty + (1 - share) * part.certainty,
            )
    return line
