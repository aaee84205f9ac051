"""A large CSV file of which a perfect model says every row: CPU time from file to result, memory, and evidence.

    python bench/csv_rows.py [--rows 50000]

The bar is 120 s for 50,000 rows; every value has to be found on its own row's line.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import gc
import random
import re
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import scene

from extractor.documents.discovery import load_document
from extractor.extraction.pipeline import Reading, extract_record
from extractor.extraction.task import task_from_json_schema
from extractor.models.traits import STRONG
from extractor.results.file import build_result, encode_part
from extractor.runs.worker_process import COLLECTS_AFTER
from extractor.types import Reply, Request, Usage

ROW = {
    "number": {"type": "integer"},
    "day": {"type": "string", "format": "date"},
    "item": {"type": "string"},
    "count": {"type": "integer"},
    "price": {"type": "number"},
}
_CELLS = re.compile(r"[,|\t]")
SCHEMA = {
    "title": "list",
    "type": "object",
    "properties": {"rows": {"type": "array", "items": {"type": "object", "properties": ROW}}},
}


def build_row(rng: random.Random, number: int) -> dict[str, Any]:
    return {
        "number": number,
        "day": f"2024-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
        "item": f"{rng.choice(['bolt', 'nut', 'washer', 'spring', 'hinge'])} {rng.randint(1, 400)}",
        "count": rng.randint(1, 9),
        "price": round(rng.randint(1, 99999) / 100, 2),
    }


class PerfectModel:
    """Says every row that stands in what it is shown."""

    name = "perfect"

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._by_number = {str(row["number"]): row for row in rows}

    async def complete(self, request: Request) -> Reply:
        shown = ([cell.strip() for cell in _CELLS.split(line.strip("| "))] for line in request.user.split("\n"))
        said = [self._by_number[cells[0]] for cells in shown if len(cells) >= 5 and cells[0] in self._by_number]
        return Reply({"rows": said}, Usage(1, 10, 5, 0.0))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=50_000)
    flags = parser.parse_args()
    print(scene.machine(), flush=True)
    gc.set_threshold(*COLLECTS_AFTER)  # as in the process that a run works on such a file in
    rng = random.Random(1)
    rows = [build_row(rng, number + 1) for number in range(flags.rows)]
    task = task_from_json_schema(SCHEMA)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        path.write_text("\n".join([",".join(ROW), *(",".join(map(str, row.values())) for row in rows)]) + "\n")
        begun = time.process_time()
        document = load_document(path)
        model, prompt = PerfectModel(rows), task.choose_prompt(None)
        record = asyncio.run(extract_record(document, task, prompt, model, "perfect", reading=Reading(STRONG)))
        written = encode_part(build_result(record, "list", {"extractor": "bench"}))
        seconds = time.process_time() - begun
    ends = [at for at, sign in enumerate(document.text) if sign == "\n"]
    right = sum(
        bool(evidence.spans) and bisect.bisect_left(ends, evidence.spans[0].start) == said["number"]
        for path_, evidence in record.evidence.items()
        if (said := record.value["rows"][path_[1]])
    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{len(record.value['rows']):,} rows, {record.status}, {right:,} of {len(ROW) * flags.rows:,} values on their "
        f"own line; {seconds:.0f} s of CPU, bar < 120 for 50,000; {len(written) / 1e6:.0f} MB, memory {memory:,.0f} MB"
    )
    return 0 if right == len(ROW) * flags.rows else 1


if __name__ == "__main__":
    sys.exit(main())
