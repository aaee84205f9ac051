"""What comes of scans when the model is perfect: gold as replies about documents without a text layer, read by OCR.

    python bench/scans.py EXTRACTBENCH_DIR [NAME ...]

F1 of the record against gold by the project's own scorer, over the resumes; and how many of its values have words.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import ceiling

from extractor.documents.discovery import load_document
from extractor.evaluation.gold import Gold
from extractor.evaluation.scoring.grader import grade_document_cells
from extractor.evaluation.scoring.outcomes import LeafOutcome, tally_cells
from extractor.evaluation.scoring.schema import read_scoring_schema

BOOKKEEPING = "array_index"
"""A member of gold that says nothing of the document."""


def drop_bookkeeping(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: drop_bookkeeping(inner) for name, inner in value.items() if name != BOOKKEEPING}
    return [drop_bookkeeping(inner) for inner in value] if isinstance(value, list) else value


def measure(folder: Path, name: str) -> None:
    schema = json.loads((folder / "schemas" / f"{name.partition('_')[0]}.json").read_text(encoding="utf-8"))
    schema = schema.get("schema_definition", schema)
    gold = drop_bookkeeping(json.loads((folder / "gold" / f"{name}.json").read_text(encoding="utf-8")))
    document = load_document(folder / "documents" / f"{name}.pdf", ocr=True)
    task = ceiling.task_of(schema, name.partition("_")[0])
    record = ceiling.run(document, task, ceiling.prompted(task, None, None), ceiling.Script(gold))
    told = Gold(document=name, record=gold, file=name)
    cells = grade_document_cells(told, {"record": dict(record.value)}, read_scoring_schema(schema), "perfect")
    lost = [f"{c.field} = {c.gold!r}" for c in cells if c.outcome in (LeafOutcome.OMITTED, LeafOutcome.WRONG)]
    proved = f"{sum(bool(one.spans) for one in record.evidence.values())} of {len(record.evidence)}"
    print(f"{name}: F1 {tally_cells(cells).f1:.3f}, {proved} values have words; not there: {lost}")


if __name__ == "__main__":
    where = Path(sys.argv[1])
    for one in sys.argv[2:] or sorted(p.stem for p in (where / "gold").glob("resume_*.json")):
        measure(where, one)
