"""The scorer without a model: ten thousand records, two lists of 200 rows, and six systems on 38 documents.

    python bench/scoring.py [--records 10000] [--docubench ../shared/bench/docubench]

The rows of the lists are alike (the same words in another order, one value altered in each), so that none pairs off at
first sight. The third row needs the labelled outputs of DocuBench, and is left out, saying so, where they are not.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import scene

from extractor.evaluation.analysis.comparison import compare_runs
from extractor.evaluation.analysis.gates import judge_comparison
from extractor.evaluation.gold import Gold
from extractor.evaluation.report.content import build_report
from extractor.evaluation.report.write import write_report_files
from extractor.evaluation.runs import RunFolder, score_run_folder
from extractor.evaluation.scoring.grader import grade_document
from extractor.evaluation.scoring.schema import read_scoring_schema
from extractor.results.model import RESULT_FORMAT, DocumentEntry, Manifest, ModelEntry, PromptEntry, ResultFile
from extractor.types import Status

LEAVES = 30
ROWS = 200


def records(count: int) -> tuple[float, float]:
    """Seconds of wall clock, and of CPU, for records of 30 leaves: ten texts, ten numbers, and five rows of two."""
    texts = {f"text{i}": {"type": "string"} for i in range(10)}
    numbers = {f"number{i}": {"type": "number"} for i in range(10)}
    row = {"type": "object", "properties": {"name": {"type": "string"}, "price": {"type": "number"}}}
    schema = read_scoring_schema(
        {"type": "object", "properties": {**texts, **numbers, "rows": {"type": "array", "items": row}}}
    )
    draw = random.Random(0)

    def one(n: int) -> dict[str, Any]:
        made: dict[str, Any] = {name: f"word {draw.randrange(9)} of {n}" for name in texts}
        made |= {name: draw.randrange(1000) / 4 for name in numbers}
        made["rows"] = [{"name": f"item {draw.randrange(99)}", "price": draw.randrange(100)} for _ in range(5)]
        return made

    pairs = [(Gold(str(n), one(n)), {"record": one(n)}) for n in range(count)]
    wall, cpu = time.perf_counter(), time.process_time()
    for gold, result in pairs:
        grade_document(gold, result, schema, "run")
    return time.perf_counter() - wall, time.process_time() - cpu


def lists() -> float:
    """Seconds for two lists of 200 rows of three leaves."""
    names = ("a", "b", "c")
    row = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    schema = read_scoring_schema({"type": "object", "properties": {"rows": {"type": "array", "items": row}}})
    draw = random.Random(0)
    gold = [{name: f"value {draw.randrange(12)}" for name in names} for _ in range(ROWS)]
    told = [{**one, draw.choice(names): f"value {draw.randrange(12)}"} for one in gold]
    draw.shuffle(told)
    started = time.perf_counter()
    grade_document(Gold("d", {"rows": gold}), {"record": {"rows": told}}, schema, "run")
    return time.perf_counter() - started


def _make_result(name: str, record: dict[str, Any]) -> ResultFile:
    document = DocumentEntry(name=name)
    return ResultFile(format=RESULT_FORMAT, document=document, status=Status.COMPLETE, record=record)


def docubench(folder: Path) -> tuple[float, int]:
    """Seconds to score, compare and report six systems on 38 documents, each of its own schema; bytes of the page."""
    started = time.perf_counter()
    names = sorted(path.stem for path in (folder / "labels").iterdir())

    def read(*path: str) -> Any:
        return json.loads(folder.joinpath(*path).read_text(encoding="utf-8"))

    golds = [Gold(name, read("labels", f"{name}.json")) for name in names]
    schemas = {name: read_scoring_schema(read("schemas", f"{name}.json")) for name in names}
    scored = []
    for system in sorted(path.name for path in (folder / "results").iterdir()):
        told = {name: read("results", system, f"{name}.json") for name in names}
        results = {name: _make_result(name, one["data"]) for name, one in told.items()}
        made_by = Manifest(model=ModelEntry(name=system), prompt=PromptEntry(name="default"))
        scored.append(score_run_folder(RunFolder("docubench", made_by, results, {}), golds, schemas))
    comparison = compare_runs(scored)
    content = build_report(comparison, judge_comparison(comparison), title="DocuBench")
    with tempfile.TemporaryDirectory() as out:
        paths = write_report_files(content, Path(out))
        page = next(path for path in paths if path.suffix == ".html").stat().st_size
    return time.perf_counter() - started, page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--docubench", type=Path, default=scene.ROOT.parent / "shared" / "bench" / "docubench")
    flags = parser.parse_args()
    print(scene.machine())
    wall, cpu = records(flags.records)
    took = f"{wall:.2f} s, {cpu:.2f} s of CPU"
    print(f"{flags.records:,} records of {LEAVES} leaves: {took} (bar 10 s for 10,000)", flush=True)
    several = sorted(lists() for _ in range(5))
    print(f"two lists of {ROWS} rows: best {several[0]:.3f} s, median {several[2]:.3f} s (bar 0.2 s)", flush=True)
    if flags.docubench.is_dir():
        seconds, page = docubench(flags.docubench)
        print(
            f"DocuBench, 6 x 38: {seconds:.1f} s to score, compare and report (bar 20 s); page of {page / 1e6:.2f} MB"
        )
    else:
        print(f"DocuBench is not at {flags.docubench}; name its folder with --docubench.")


if __name__ == "__main__":
    main()
