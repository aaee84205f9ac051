"""How much of gold's rows stands in rows of tables: whether a cell, and the column that it is in, can be told.

    python bench/table_cells.py DIR... [--only PATTERN] [--missing] [--ocr]

DIR has `documents/` and beside it `labels/` or `gold/`. Gold's lists of objects are rows. A row counts where at least
two of its leaves stand in one row of a table of the document (else it is prose); it is compared with the row of a table
that holds most of its leaves. Of its leaves that stand in that table at all

- the row is right of those that stand in that row, and
- the header is right of those that stand, too, in the column that most of this field's leaves of that list stand in.

Two fields in one column are told apart by nothing, so the fewer of them are wrong. A leaf that stands in no table (a
constant of the whole list, a heading above its rows) is no cell, nor is one that is said once, in the first of several
rows that gold repeats it in; both are counted apart.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from canonical_text import find_pairs, find_values, fold, leaves, stands

Json = Any
Cells = list[list[tuple[int, str]]]
"""The rows of a table: columns and what their cells say."""


def gold_lists(value: Json, path: str = "") -> Iterator[tuple[str, list[dict[str, Json]]]]:
    """Lists of objects, by their path without numbers."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from gold_lists(inner, f"{path}/{name}")
    elif isinstance(value, list):
        rows = [row for row in value if isinstance(row, dict)]
        if len(rows) > 1:
            yield path, rows
        for row in rows:
            yield from gold_lists(row, f"{path}/*")


def read_tables(document: Any) -> list[Cells]:
    """Every table's cells; a cell that reaches over several columns stands in each of them."""
    found = []
    for table in document.tables:
        rows: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for cell in table.cells():
            words = document.text[cell.span.start : cell.span.end]
            for row in range(cell.row, cell.row + cell.row_span):
                rows[row] += [(cell.column + i, words) for i in range(cell.column_span)]
        found.append([rows[number] for number in sorted(rows)])
    return found


class Said:
    """What a cell, a row or a table says, to be asked for values."""

    def __init__(self, text: str) -> None:
        self.folded, self.values = fold(text), find_values(text)

    def holds(self, value: Json) -> bool:
        return stands(value, self.folded, self.values)[1]


def row_leaves(row: dict[str, Json]) -> list[tuple[str, Json]]:
    """The leaves of a row, without those of rows within it."""
    own = {
        name: inner
        for name, inner in row.items()
        if not (isinstance(inner, list) and inner and isinstance(inner[0], dict))
    }
    return list(leaves(own))


def place_row(row: dict[str, Json], tables: list[tuple[Cells, list[Said]]]) -> tuple[int, int, int]:
    """The table and row that hold most of the gold row's leaves, and how many."""
    best = (0, 0, 0)
    values = [value for _, value in row_leaves(row)]
    for number, (_, rows) in enumerate(tables):
        for at, said in enumerate(rows):
            held = sum(said.holds(value) for value in values)
            if held > best[2]:
                best = (number, at, held)
    return best


def measure(document: Any, gold: Json) -> tuple[Counter[str], list[str]]:
    """Counts of cells, and what is in the wrong place."""
    tables = [
        (cells, [Said(" | ".join(words for _, words in row)) for row in cells]) for cells in read_tables(document)
    ]
    whole = [Said("\n".join(words for row in cells for _, words in row)) for cells, _ in tables]
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for path, rows in gold_lists(gold):
        above: dict[str, Json] = {}
        placed: dict[tuple[int, str], list[tuple[set[int], Json]]] = defaultdict(list)
        for row in rows:
            number, at, held = place_row(row, tables)
            if held < 2:
                counts["rows of no table"] += 1
                continue
            counts["rows"] += 1
            cells = [(column, Said(words)) for column, words in tables[number][0][at]]
            for name, value in row_leaves(row):
                if not whole[number].holds(value):
                    counts["leaves of no table"] += 1
                    continue
                if above.get(name) == value and not tables[number][1][at].holds(value):
                    counts["leaves said once for several rows"] += 1
                    continue
                above[name] = value
                counts["cells"] += 1
                columns = {column for column, said in cells if said.holds(value)}
                if tables[number][1][at].holds(value):
                    counts["in their row"] += 1
                    placed[number, name].append((columns, value))
                else:
                    wrong.append(f"{path}{name} {value!r} is not in the row of {row!r:.80}")
        taken: Counter[tuple[int, int]] = Counter()
        homes = {}
        for key, found in placed.items():
            columns = Counter(column for each, _ in found for column in each)
            homes[key] = max(columns, key=lambda c: (columns[c], -taken[key[0], c]), default=-1)
            taken[key[0], homes[key]] += 1
        for key, found in placed.items():
            for columns, value in found:
                if homes[key] in columns:
                    counts["under their header"] += 1
                else:
                    wrong.append(f"{path}{key[1]} {value!r} is in column {sorted(columns)}, not {homes[key]}")
    return counts, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--only", default=r"\.pdf$", help="a pattern that the file's name must hold")
    parser.add_argument("--missing", action="store_true", help="list what is in the wrong place")
    parser.add_argument("--ocr", action="store_true")
    flags = parser.parse_args()
    from extractor.documents.discovery import load_document
    from extractor.errors import DocumentError

    total: Counter[str] = Counter()
    for folder in flags.folders:
        for path, gold in find_pairs(folder, flags.only):
            try:
                counts, wrong = measure(
                    load_document(path, ocr=flags.ocr), json.loads(gold.read_text(encoding="utf-8"))
                )
            except DocumentError as error:
                print(f"{path.name:26} {error}")
                continue
            total += counts
            tell(path.name, counts)
            for line in wrong if flags.missing else ():
                print("   ", " ".join(line.split())[:160])
    tell("all", total)


def tell(name: str, counts: Counter[str]) -> None:
    cells = counts["cells"]
    shares = [f"{counts[what] / cells:.3f} {what}" for what in ("in their row", "under their header")] if cells else []
    print(f"{name:26} {counts['rows']:4} rows, {cells:5} cells", *shares, end="")
    print(f"; {counts['rows of no table']} rows and {counts['leaves of no table']} leaves of no table", end="")
    print(f", {counts['leaves said once for several rows']} leaves said once for several rows")


if __name__ == "__main__":
    main()
