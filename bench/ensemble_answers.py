"""What was said of documents, grounded, and which of it is right: answers of strong models, and recorded small ones."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import board
import fit_confidence

from extractor.extraction.acceptance import Acceptance
from extractor.extraction.combining.opinion import Opinion
from extractor.extraction.grounding.tree import iterate_leaves
from extractor.extraction.pipeline import Reading, extract_record
from extractor.models.traits import STRONG
from extractor.results.file import build_result
from extractor.results.model import ResultFile
from extractor.results.opinion import read_opinion
from extractor.schema.reader import Object
from extractor.types import Reply, Usage

SYSTEMS = ("gpt", "claude", "gemini")


@dataclass(frozen=True)
class Answered:
    """One document: what each system said of it, grounded, and of every leaf whether it is right."""

    name: str
    root: Object
    results: Mapping[str, ResultFile]
    opinions: Mapping[str, Opinion]
    right: Mapping[int, bool]
    """By the identity of the leaf."""
    schema: Any = None
    shape: Any = None
    label: Any = None


def read_answers(folder: Path) -> list[Answered]:
    import ceiling

    found = []
    for path in sorted((folder / "documents").iterdir()):
        shape, label = board.schema(folder, path.stem), board.load(folder, "labels", path.stem)
        document, task = ceiling.read(path), ceiling.task_of(shape, path.stem)
        results, opinions, right = {}, {}, {}
        for system in SYSTEMS:
            results[system] = ground_answer(document, task, board.answer(folder, path.stem, system) or {}, system)
            opinions[system] = read_opinion(results[system], system, task.schema.root)
            truth = {p.said_at: p.right for p in board.align(shape, label, results[system].record)}
            for at, leaf in iterate_leaves(opinions[system].tree):
                if at in truth:
                    right[id(leaf)] = truth[at]
        found.append(Answered(path.stem, task.schema.root, results, opinions, right, (document, task), shape, label))
    return found


def ground_answer(document: Any, task: Any, answer: Any, system: str) -> ResultFile:
    import ceiling

    script = ceiling.Script(answer)

    class Said:
        async def complete(self, request: Any) -> Reply:
            return Reply(script(request), Usage(1, 0, 0, 0.0))

    reading = Reading(STRONG, Acceptance(0.0))
    record = asyncio.run(extract_record(document, task, task.choose_prompt(None), Said(), system, reading=reading))
    return build_result(record, task.name, {"model": {"name": system}, "reading": {"class": "strong"}})


def read_small() -> list[Answered]:
    """The recorded suites whose documents several small models were asked about."""
    from extractor.evaluation.suite import load_suite, load_suite_gold

    found = []
    for folder in fit_confidence.SUITES:
        suite = load_suite(fit_confidence.ROOT / folder)
        gold = load_suite_gold(suite)
        if len(suite.models) < 2:
            continue
        for prompt in suite.prompts:
            by_document: dict[str, dict[str, tuple[ResultFile, dict[str, bool]]]] = {}
            for model in suite.models:
                if (model, prompt) in suite.left_out:
                    continue
                tapes = fit_confidence.ROOT / "cassettes" / suite.task.name / model / prompt
                for document, record in fit_confidence.replay(suite, model, prompt, tapes):
                    mine = next(g for g in gold.golds if Path(g.document).name == Path(document.name).name)
                    cells = fit_confidence.grade_document_cells(mine, {"record": record.value}, gold.schema_root, "")
                    correct = fit_confidence.LeafOutcome.CORRECT
                    truth = {c.path: c.outcome is correct for c in cells}
                    result = build_result(record, "", {"model": {"name": model}, "reading": {"class": "small"}})
                    by_document.setdefault(document.name, {})[model] = result, truth
            for name, told in by_document.items():
                root = suite.task.schema.root
                opinions = {m: read_opinion(result, m, root) for m, (result, _) in told.items()}
                right = {
                    id(leaf): told[m][1][fit_confidence.json_pointer(at)]
                    for m, o in opinions.items()
                    for at, leaf in iterate_leaves(o.tree)
                    if fit_confidence.json_pointer(at) in told[m][1]
                }
                found.append(Answered(name, root, {m: r for m, (r, _) in told.items()}, opinions, right))
    return found
