"""The held-out pages with the same schema stripped of every x- key: types and descriptions alone, as users bring one.

    python bench/stripped.py FOLDER [--suite eval/heldout] [--model qwen2.5-coder-1.5b] [--prompt groups]

FOLDER takes the stripped task, its recordings and its results; what is recorded there is not asked again. The questions
are put by the task's own prompt, as far as its notes are about questions that the stripped schema has; with `--prompt
default` by the one that ships for any schema. F1 is that of the suite's gold by the suite's own kinds, in two ways: of
the records as they are, and read with these kinds first (a text "01/10/2016" becomes the day that the document's other
dates make of it, which nobody can ask of a field of texts). Beside it, the same pages by the task as it is, replayed.
Weights must be there for what is not recorded.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from extractor.cli.main import main as run_command
from extractor.documents.discovery import find_sources, read_source
from extractor.evaluation.scoring.grader import grade_document_cells
from extractor.evaluation.scoring.outcomes import LeafOutcome
from extractor.evaluation.suite import EvaluationSuite, load_suite, load_suite_gold
from extractor.extraction.acceptance import Acceptance
from extractor.runs.given import build_grounded_result
from extractor.schema.reader import read_schema
from extractor.types import Json

ROOT = Path(__file__).parent.parent


def strip_keys(value: Json) -> Json:
    """A schema without the keys that only this project reads."""
    if isinstance(value, dict):
        return {name: strip_keys(one) for name, one in value.items() if not name.startswith("x-")}
    return [strip_keys(one) for one in value] if isinstance(value, list) else value


def write_suite(folder: Path, suite: EvaluationSuite, model: str, prompt: str) -> None:
    (folder / "task").mkdir(parents=True, exist_ok=True)
    schema = strip_keys(json.loads(json.dumps(suite.task.schema.source)))
    (folder / "task" / "schema.json").write_text(json.dumps(schema, indent=1, ensure_ascii=False))
    own = ROOT / "prompts" / suite.task.name / f"{prompt}.md"
    text = (own if own.exists() else ROOT / "prompts" / "default.md").read_text()
    asked = "|".join(map(re.escape, read_schema(schema).groups))
    text = re.sub(rf"(?ms)^# note (?!(?:{asked})$).*?(?=^# |\Z)", "", text)
    (folder / "task" / f"{prompt}.md").write_text(text)
    told = {"task": str(folder / "task"), "samples": str(suite.samples), "gold": str(suite.gold)}
    lines = [f"{name} = {json.dumps(value)}" for name, value in told.items()]
    lines += [f"models = {json.dumps([model])}", f"prompts = {json.dumps([prompt])}"]
    (folder / "suite.toml").write_text("\n".join(lines) + "\n")


def score(suite: EvaluationSuite, results: Path, *, by_kinds: bool) -> Iterator[tuple[str, Counter[LeafOutcome]]]:
    """Each document with how many of its leaves came to what."""
    gold = load_suite_gold(suite)
    for source in find_sources([suite.samples]):
        document = read_source(source)
        mine = next(one for one in gold.golds if Path(one.document).name == Path(document.name).name)
        file = results / f"{Path(document.name).stem}.json"
        record = json.loads(file.read_text())["record"] if file.exists() else {}
        if by_kinds:
            record = build_grounded_result(document, suite.task, record, Acceptance(0.0)).record
        cells = grade_document_cells(mine, {"record": record}, gold.schema_root, "")
        yield Path(document.name).stem, Counter(cell.outcome for cell in cells)


def measure(counts: Counter[LeafOutcome]) -> tuple[float, float, float]:
    """Precision, recall and F1."""
    right, wrong = counts[LeafOutcome.CORRECT], counts[LeafOutcome.WRONG]
    precision = right / max(1, right + wrong + counts[LeafOutcome.INVENTED])
    recall = right / max(1, right + wrong + counts[LeafOutcome.OMITTED])
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--suite", type=Path, default=ROOT / "eval" / "heldout")
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    parser.add_argument("--prompt", default="groups")
    options = parser.parse_args()
    suite, folder = load_suite(options.suite), options.folder.absolute()
    write_suite(folder, suite, options.model, options.prompt)
    tapes = ["--cassettes", str(folder / "cassettes")]
    run_command(["eval", "--mode", "update", *tapes, "--suite", str(folder), "-o", str(folder / "out")])
    tapes = ["--cassettes", str(ROOT / "cassettes")]
    run_command(["eval", "--mode", "replay", *tapes, "--suite", str(options.suite), "-o", str(folder / "whole")])
    stripped = folder / "out" / "runs" / options.model / options.prompt
    whole = folder / "whole" / "runs" / options.model / "groups"
    ways = {"the task": (whole, False), "stripped": (stripped, False), "stripped, read by kinds": (stripped, True)}
    totals = {way: dict(score(suite, results, by_kinds=by_kinds)) for way, (results, by_kinds) in ways.items()}
    for name in next(iter(totals.values())):
        print(f"{name:24}" + "".join(f"{measure(one[name])[2]:10.3f}" for one in totals.values()))
    for way, counts in totals.items():
        total = sum(counts.values(), Counter())
        print("{:24} precision {:.3f}  recall {:.3f}  F1 {:.3f}".format(way, *measure(total)))


if __name__ == "__main__":
    main()
