"""How much of what gold says stands in the canonical text of its document: what no model can say if it does not.

    python bench/canonical_text.py DIR [--only PATTERN] [--missing] [--ocr]

DIR has `documents/` (or `text/`) and beside it `labels/` or `gold/` with a JSON record of the same stem. Leaves are
counted in three kinds: strings, numbers, and dates (strings in ISO form, which no document need write that way).
A string stands in the text if its letters do, with case, white space and hyphens apart; what is hidden does not count.
A number or a date stands there if some number or date of the text has its value, however it is written.
"""

from __future__ import annotations

import argparse
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

Json = Any
_DATE = re.compile(r"\d{4}-\d\d(?:-\d\d)?(?:T[\d:.]+Z?)?")
_APART = re.compile(r"[\s\-‐‑‒–—−\u00ad\u200b\u2060]+")
_BOOKKEEPING = frozenset({"array_index"})


def leaves(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Every string and number that gold says, by its path; booleans and nulls have no words."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if steps is not None:
        for step, inner in steps:
            if step not in _BOOKKEEPING:
                yield from leaves(inner, f"{path}/{step}")
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
        yield path, value


def fold(text: str) -> str:
    """Letters and signs without case, white space and hyphens; spellings of one letter are one."""
    return _APART.sub("", unicodedata.normalize("NFKC", _APART.sub("", text)).casefold())


def find_values(text: str) -> dict[str, dict[Hashable, list[Any]]]:
    """The numbers and dates of a text, as the package's own kinds read them."""
    from extractor.schema.kinds import KINDS, Reading, index

    reading = Reading.of(text)
    return {name: index(KINDS[name].find(text, reading)) for name in ("number", "date")}


def stands(value: Json, folded: str, values: dict[str, dict[Hashable, list[Any]]]) -> tuple[str, bool]:
    """The kind of a leaf, and whether the text holds it."""
    from extractor.schema.kinds import KINDS, support

    if isinstance(value, str) and not _DATE.fullmatch(value.strip()):
        return "strings", fold(value) in folded
    name = "date" if isinstance(value, str) else "number"
    written = isinstance(value, str) and fold(value) in folded
    return f"{name}s", written or any(support(KINDS[name], value, values[name]))


def find_pairs(folder: Path, only: str) -> Iterator[tuple[Path, Path]]:
    """Documents and their gold."""
    golds = {path.stem: path for kind in ("labels", "gold") for path in (folder / kind).glob("*.json")}
    for kind in ("documents", "text", "samples"):
        for path in sorted((folder / kind).glob("*")):
            if path.stem in golds and re.search(only, path.name):
                yield path, golds[path.stem]


def measure(path: Path, gold: Path, ocr: bool) -> tuple[Counter[tuple[str, bool]], list[tuple[str, Json]], str]:
    """Leaves by kind and whether they stand in the text, those that don't, and what happened to the document."""
    from extractor.documents.discovery import load_document
    from extractor.errors import DocumentError
    from extractor.types import Span

    try:
        document = load_document(path, ocr=ocr)
        text, why = document.visible_text(Span(0, len(document.text))), "; ".join(u.message for u in document.unread)
    except DocumentError as error:
        text, why = "", str(error)
    counts: Counter[tuple[str, bool]] = Counter()
    missing = []
    folded, values = fold(text), find_values(text)
    for where, value in leaves(json.loads(gold.read_text(encoding="utf-8"))):
        kind, found = stands(value, folded, values)
        counts[kind, found] += 1
        if not found:
            missing.append((where, value))
    return counts, missing, why


def share(counts: Counter[tuple[str, bool]], kind: str) -> str:
    found, lost = counts[kind, True], counts[kind, False]
    return f"{found / (found + lost):.3f} of {found + lost:4}" if found + lost else f"{'-':>13}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--only", default="", help="a pattern that the file's name must hold")
    parser.add_argument("--missing", action="store_true", help="list what is not in the text")
    parser.add_argument("--ocr", action="store_true")
    flags = parser.parse_args()
    total: Counter[tuple[str, bool]] = Counter()
    for folder in flags.folders:
        for path, gold in find_pairs(folder, flags.only):
            counts, missing, why = measure(path, gold, flags.ocr)
            total += counts
            row = "  ".join(f"{kind} {share(counts, kind)}" for kind in ("strings", "numbers", "dates"))
            print(f"{path.name:28} {row}  {why}".rstrip())
            for where, value in missing if flags.missing else ():
                print(f"    {where}: {value!r}")
    print(f"{'all':28} " + "  ".join(f"{kind} {share(total, kind)}" for kind in ("strings", "numbers", "dates")))


if __name__ == "__main__":
    main()
