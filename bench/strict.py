"""The samples on one embedded model: our prompts, and side by side one request with the strict schema per document.

    python bench/strict.py [--model qwen2.5-coder-1.5b] [--prompts groups whole] [--only 00] [--runs 1]

The plain way is the one of openai's documentation: the whole document, the record's class as strict schema, greedy, at
most 4,096 tokens; what the reply holds is the record, and no evidence is looked for. The message names and describes
every field, in the words of our prompt `whole`, since a local server does not show a model the schema that it holds it
to. With --untold it does not. A reply that does not end is a lost document. The ways take turns, document by document,
on two servers of the same engine that have loaded the weights before; one of them does nothing at any time. Weights
must be there (`extractor models pull NAME`).
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import openai
import scene
from openai.lib._pydantic import to_strict_json_schema
from pydantic import BaseModel

import extractor
from extractor.documents.discovery import find_sources, read_source
from extractor.evaluation.scoring.grader import grade_document_cells
from extractor.evaluation.scoring.outcomes import LeafOutcome
from extractor.evaluation.suite import SuiteGold, load_suite, load_suite_gold
from extractor.extraction.planning import WHOLE_RECORD
from extractor.extraction.prompt import build_part_messages
from extractor.extraction.task import Task
from extractor.models.local.catalog import locate_weights
from extractor.models.local.server import LocalServer, serve_model
from extractor.types import Chunk, Span

MOST = 4096
PLAIN = "one strict request"
Way = Callable[[Path], tuple[Any, int]]
"""A document's record, None for a lost one, and the tokens that were written for it."""


@dataclass
class Course:
    """How one way went over the documents."""

    seconds: list[float] = field(default_factory=list)
    records: dict[str, Any] = field(default_factory=dict)
    written: int = 0


def told(task: Task, path: Path) -> list[dict[str, str]]:
    """The whole document, and every field with its description."""
    document = read_source(find_sources([path])[0])
    chunk = Chunk(document, 0, Span(0, len(document.text)))
    system, user = build_part_messages(task.choose_prompt("whole"), chunk, WHOLE_RECORD, task.schema.root)
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def untold(task: Task, path: Path) -> list[dict[str, str]]:
    system = "Extract the record that the schema describes."
    return [{"role": "system", "content": system}, {"role": "user", "content": path.read_text()}]


def plain(engine: LocalServer, record: type[BaseModel], messages: Callable[[Path], Any]) -> Way:
    client = openai.OpenAI(base_url=engine.base_url, api_key=engine.api_key, timeout=1800, max_retries=0)
    schema = {"name": "record", "schema": to_strict_json_schema(record), "strict": True}

    def ask(path: Path) -> tuple[Any, int]:
        reply = client.chat.completions.create(
            model=engine.model,
            messages=messages(path),
            response_format={"type": "json_schema", "json_schema": schema},  # type: ignore[arg-type]
            temperature=0,
            max_tokens=MOST,
        )
        written = reply.usage.completion_tokens if reply.usage else 0
        try:
            return json.loads(reply.choices[0].message.content or ""), written
        except ValueError:
            return None, written

    return ask


def ours(engine: extractor.Engine, task: Task, prompt: str) -> Way:
    def ask(path: Path) -> tuple[Any, int]:
        result = engine.extract(path, task, prompt=prompt)
        return result.value, result.usage.output_tokens

    return ask


def tally(records: dict[str, Any], true: SuiteGold) -> tuple[int, int, int]:
    """Correct leaves, predicted ones, and gold's."""
    correct = predicted = gold = 0
    for one in true.golds:
        if not any(Path(name).name == one.document for name in records):
            continue
        record = next(r for name, r in records.items() if Path(name).name == one.document)
        cells = grade_document_cells(one, {"record": record} if record is not None else None, true.schema_root, "")
        found = [c.outcome for c in cells]
        correct += found.count(LeafOutcome.CORRECT)
        wrong = found.count(LeafOutcome.WRONG)
        predicted += found.count(LeafOutcome.CORRECT) + wrong + found.count(LeafOutcome.INVENTED)
        gold += found.count(LeafOutcome.CORRECT) + wrong + found.count(LeafOutcome.OMITTED)
    return correct, predicted, gold


def race(ways: dict[str, Way], samples: list[Path]) -> dict[str, Course]:
    """Every way on every document, in turn, so that a machine whose speed drifts drifts for all of them."""
    courses = {name: Course() for name in ways}
    for i, path in enumerate(samples):
        for name in list(ways)[:: -1 if i % 2 else 1]:
            started = time.perf_counter()
            record, written = ways[name](path)
            course = courses[name]
            course.seconds.append(time.perf_counter() - started)
            course.records[path.name] = record
            course.written += written
            print(f"{path.name[:12]:12} {name:20} {course.seconds[-1]:7.1f} s  {written:6} tokens written", flush=True)
    return courses


def report(courses: dict[str, Course], true: SuiteGold) -> None:
    first = sum(courses[PLAIN].seconds)
    for name, course in courses.items():
        seconds = sum(course.seconds)
        correct, predicted, gold = tally(course.records, true)
        f1 = 2 * correct / (predicted + gold) if predicted + gold else 0.0
        print(
            f"{name:20} {seconds:7.1f} s  ratio {seconds / first:5.2f}  {course.written:6} tokens written  F1 {f1:.3f}"
            f"  precision {correct / max(predicted, 1):.3f}  {seconds / max(correct, 1):.2f} s per correct value",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    parser.add_argument("--prompts", nargs="+", default=["groups"])
    parser.add_argument("--suite", type=Path, default=scene.ROOT / "eval")
    parser.add_argument("--only", default="", help="a pattern of document names")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--untold", action="store_true", help="the plain way without the fields' descriptions")
    flags = parser.parse_args()
    print(scene.machine())
    suite = load_suite(flags.suite)
    true = load_suite_gold(suite)
    samples = [p for p in sorted(suite.samples.iterdir()) if re.search(flags.only, p.name)]
    messages = partial(untold if flags.untold else told, suite.task)
    record = suite.task.model_class
    if record is None:
        raise SystemExit("The suite's task needs a schema.py; name another with --suite.")
    weight = locate_weights(flags.model)
    with serve_model(weight) as bare, extractor.Engine(flags.model) as engine:
        engine.extract("Nobody.", suite.task)  # loads the model; the other server has loaded its own
        ways = {PLAIN: plain(bare, record, messages)}
        ways |= {name: ours(engine, suite.task, name) for name in flags.prompts}
        for _ in range(flags.runs):
            report(race(ways, samples), true)


if __name__ == "__main__":
    main()
