"""The samples on one embedded model: our prompts, and side by side one request with the strict schema per document.

    python bench/strict.py [--model qwen2.5-coder-1.5b] [--prompts groups whole] [--only 00] [--runs 1]

The plain way is the one of openai's documentation: the whole document, the record's class as strict schema, greedy, at
most 4,096 tokens; what the reply holds is the record, and no evidence is looked for. The message names and describes
every field, in the words of our prompt `whole`, since a local server does not show a model the schema that it holds it
to. With --untold it does not. A reply that does not end is a lost document. Weights must be there (`extractor models
pull NAME`).
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import openai
import scene
from openai.lib._pydantic import to_strict_json_schema
from pydantic import BaseModel

from extractor import documents, planning, prompts
from extractor.domain import Chunk, Span
from extractor.endpoints import embedded, weights
from extractor.evaluation import evaluate, grading
from extractor.evaluation.table import Outcome
from extractor.tasks import Task

MOST = 4096


def told(task: Task, path: Path) -> list[dict[str, str]]:
    """The whole document, and every field with its description."""
    document = documents.read(documents.find([path])[0])
    chunk = Chunk(document, 0, Span(0, len(document.text)))
    system, user = prompts.messages(task.prompt("whole"), chunk, planning.WHOLE, task.schema.root)
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def untold(task: Task, path: Path) -> list[dict[str, str]]:
    system = "Extract the record that the schema describes."
    return [{"role": "system", "content": system}, {"role": "user", "content": path.read_text()}]


def plain(
    model: str, samples: list[Path], record: type[BaseModel], messages: Callable[[Path], Any]
) -> tuple[float, dict[str, Any], int]:
    """Seconds, the record of each document, and tokens written."""
    records: dict[str, Any] = {}
    written = 0
    with embedded.serve(weights.locate(model)) as engine:
        client = openai.OpenAI(base_url=engine.base_url, api_key=engine.api_key, timeout=1800, max_retries=0)
        started = time.perf_counter()
        for path in samples:
            reply = client.chat.completions.create(
                model=engine.model,
                messages=messages(path),
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "record", "schema": to_strict_json_schema(record), "strict": True},
                },
                temperature=0,
                max_tokens=MOST,
            )
            try:
                records[path.name] = json.loads(reply.choices[0].message.content or "")
            except ValueError:
                records[path.name] = None
            written += reply.usage.completion_tokens if reply.usage else 0
        return time.perf_counter() - started, records, written


def ours(model: str, prompt: str, samples: list[Path], at_once: int) -> tuple[float, dict[str, Any], int]:
    """The same of the command line: loading the model, evidence and writing of results are in its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        started = time.perf_counter()
        subprocess.run(
            [
                *(sys.executable, "-m", "extractor", "run", *map(str, samples), "-o", str(out)),
                *("--model", model, "--prompt", prompt, "--concurrency", str(at_once), "--quiet", "--no-cache"),
            ],
            check=False,
            cwd=scene.ROOT,
        )
        seconds = time.perf_counter() - started
        results = [json.loads(p.read_text()) for p in sorted(out.glob("*.json")) if p.name != "run.json"]
    records = {r["document"]["name"]: r["record"] for r in results if "record" in r}
    return seconds, records, sum(r["usage"]["output_tokens"] for r in results)


def tally(records: dict[str, Any], true: evaluate.Truth) -> tuple[int, int, int]:
    """Correct leaves, predicted ones, and gold's."""
    correct = predicted = gold = 0
    for one in true.golds:
        if not any(Path(name).name == one.document for name in records):
            continue
        record = next(r for name, r in records.items() if Path(name).name == one.document)
        cells = grading.grade(one, {"record": record} if record is not None else None, true.tree, "")
        found = [c.outcome for c in cells]
        correct += found.count(Outcome.CORRECT)
        wrong = found.count(Outcome.WRONG)
        predicted += found.count(Outcome.CORRECT) + wrong + found.count(Outcome.INVENTED)
        gold += found.count(Outcome.CORRECT) + wrong + found.count(Outcome.OMITTED)
    return correct, predicted, gold


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    parser.add_argument("--prompts", nargs="+", default=["groups"])
    parser.add_argument("--suite", type=Path, default=scene.ROOT / "eval")
    parser.add_argument("--only", default="", help="a pattern of document names")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--concurrency", type=int, default=1, help="documents that ours reads at a time")
    parser.add_argument("--untold", action="store_true", help="the plain way without the fields' descriptions")
    flags = parser.parse_args()
    print(scene.machine())
    suite = evaluate.read(flags.suite)
    true = evaluate.truth(suite)
    samples = [p for p in sorted(suite.samples.iterdir()) if re.search(flags.only, p.name)]
    messages = partial(untold if flags.untold else told, suite.task)
    record = suite.task.model
    if record is None:
        raise SystemExit("The suite's task needs a schema.py; name another with --suite.")
    for _ in range(flags.runs):
        first: float | None = None
        for name in ("one strict request", *flags.prompts):
            if first is None:
                seconds, records, written = plain(flags.model, samples, record, messages)
            else:
                seconds, records, written = ours(flags.model, name, samples, flags.concurrency)
            first = first or seconds
            correct, predicted, gold = tally(records, true)
            f1 = 2 * correct / (predicted + gold) if predicted + gold else 0.0
            print(
                f"{name:20} {seconds:7.1f} s  ratio {seconds / first:5.2f}  {written:6} tokens written  F1 {f1:.3f}"
                f"  precision {correct / max(predicted, 1):.3f}  {seconds / max(correct, 1):.2f} s per correct value",
                flush=True,
            )


if __name__ == "__main__":
    main()
