"""How fast and how large: PDF text with its boxes against PDFium's bare text, and a book of 1,000 pages all the way.

    python bench/inputs.py            pages of 4,000 characters, as one text object a line (what most writers make)
    python bench/inputs.py --words    the same with an object for each word and no spaces, as TeX makes them

Speeds are of CPU time, in turns, the best of seven and the median of the pairs, as the machine may be shared. Memory is
the peak of resident sets, of this process and of the reader that it starts.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import pypdfium2
import tiny_pdf

from extractor.documents.discovery import load_document
from extractor.documents.formats.pdf import load
from extractor.documents.formats.sandbox import close_readers
from extractor.extraction.chunking import split_document
from extractor.extraction.pipeline import extract_record
from extractor.extraction.task import load_task
from extractor.results.file import build_result
from extractor.testing import ScriptedModel

WORDS = (  # noqa: SIM905 (read more easily than a list)
    "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which"
    " one were all we when been who will more no if out so said what its about than into them can only other new some"
    " could time these two may then do first any my now such like our over man me even most made after also did many"
    " evidence document measured extraction university research language processing distributed systems conference"
).split()


ROUNDS = 7


def book(pages: int, *, words: bool = False) -> bytes:
    chance = random.Random(7)
    contents = []
    for number in range(pages):
        lines, y, written = [tiny_pdf.Line(60, 755, f"{number + 1}. A chapter", 14)], 735.0, 0
        while written < 4000:
            said: list[str] = []
            while sum(map(len, said)) + len(said) < 84:
                said.append(chance.choice(WORDS))
            x = 50.0
            for word in said if words else [" ".join(said)]:
                lines.append(tiny_pdf.Line(x, y, word, 9, "F3"))
                x += (len(word) + 1) * 5.4
            written += len(" ".join(said)) + 2
            y -= 13
        contents.append(tiny_pdf.page(lines))
    return tiny_pdf.write(contents)


def bare(path: Path) -> int:
    """What PDFium says, page by page, and nothing else."""
    file, read = pypdfium2.PdfDocument(path), 0
    for page in file:
        letters = page.get_textpage()
        read += len(letters.get_text_range())
        letters.close()
        page.close()
    file.close()
    return read


def seconds(what: Callable[[], object]) -> float:
    """CPU seconds of this process."""
    gc.collect()
    start = time.process_time()
    what()
    return time.process_time() - start


def resident(who: int) -> float:
    return resource.getrusage(who).ru_maxrss * 1024 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--words", action="store_true", help="an object for each word")
    parser.add_argument("--whole", action="store_true", help="also the whole way to a result, with a silent model")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.pdf"
        path.write_bytes(book(flags.pages, words=flags.words))
        start = time.perf_counter()
        document = load_document(path)
        wall = time.perf_counter() - start
        print(f"{flags.pages} pages of {len(document.text) / flags.pages:.0f} characters in the text made of them")
        print(f"documents.load, another process and all: {flags.pages / wall:.0f} pages/s of wall time")
        print(f"resident: {resident(resource.RUSAGE_SELF):.0f} MB here", end="")
        close_readers()
        print(f", {resident(resource.RUSAGE_CHILDREN):.0f} MB the reader")
        if flags.whole:
            model, task = ScriptedModel({}), load_task("researcher")
            start = time.perf_counter()
            record = asyncio.run(extract_record(document, task, task.choose_prompt(None), model, "m"))
            build_result(record, task.name, {})
            pieces = split_document(document, task.choose_prompt(None).strategy.chunk_tokens)
            print(f"the whole way, a silent model: {time.perf_counter() - start:.1f} s, {len(pieces)} chunks,", end=" ")
            print(f"{len(model.requests)} requests, {resident(resource.RUSAGE_SELF):.0f} MB here")
            return
        gc.disable()  # as the reader does
        pairs = [(seconds(lambda: bare(path)), seconds(lambda: load(path, "book", False))) for _ in range(ROUNDS)]
        without, ours = min(a for a, _ in pairs), min(b for _, b in pairs)
        print(f"bare PDFium text: {flags.pages / without:.0f} pages/s; with boxes: {flags.pages / ours:.0f} pages/s,")
        print(f"{without / ours:.2f} of the bare speed; median of {ROUNDS} pairs {median(a / b for a, b in pairs):.2f}")


if __name__ == "__main__":
    main()
