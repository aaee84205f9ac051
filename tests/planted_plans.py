"""A suite of made-up documents and a model that answers some ways of asking better than others, by a known amount.

Of each plan, document and field it is drawn once whether the model is right, so that a plan is as good as it is said
to be wherever it is asked.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor.cli.tune import TuningRoom, find_gold_documents
from extractor.documents.discovery import find_sources
from extractor.evaluation.plans import TriedSettings, TunePlan, list_plans
from extractor.evaluation.suite import load_suite, load_suite_gold
from extractor.extraction.examples import Example, Examples
from extractor.models.session import build_own_session
from extractor.testing import ScriptedModel
from extractor.types import Request

FIELDS = ("colour", "metal", "tree", "river", "bird", "stone", "fruit", "tool")
PROMPTS = ("p0", "p1", "p2", "p3", "p4", "p5")
PROMPT = "# system\nVersion {name}. Copy.\n# user\n{{document}}\n{{question}}\n"
Quality = Callable[[str, str, bool], float]
"""How often the model is right about a field: by prompt version, "groups" or "whole", and whether it sees examples."""


@dataclass(frozen=True)
class PlantedPlans:
    room: TuningRoom
    plans: tuple[TunePlan, ...]
    model: ScriptedModel


def plant_plans(folder: Path, documents: int, quality: Quality, seed: int) -> PlantedPlans:
    """24 plans: six prompt versions, asked in two groups or at once, with and without examples."""
    truth = _write_suite(folder, documents, seed)
    suite = load_suite(folder)
    true = load_suite_gold(suite)
    read = find_gold_documents(find_sources([suite.samples]), true)
    answer = {"colour": "teal-000-x", "stone": "flint-000-x"}
    passage = "The colour of it is teal-000-x.\nThe stone of it is flint-000-x."
    shown = Examples((Example("other.txt", "0" * 64, passage, answer, ("colour", "stone")),))
    tried = TriedSettings(PROMPTS, ("whole", "groups"), (), (None, shown), 24)
    model = ScriptedModel(lambda request: _answer(request, truth, quality, seed))
    session = build_own_session(model)
    plans = list_plans(suite.task, tried, [one for _, one in read], session.model_name, session.traits)
    room = TuningRoom(suite, true, session, folder / "runs", {one.name: source for source, one in read})
    return PlantedPlans(room, plans, model)


def _write_suite(folder: Path, documents: int, seed: int) -> dict[str, dict[str, str]]:
    dice = random.Random(f"suite {seed}")
    (folder / "samples").mkdir(parents=True)
    (folder / "gold").mkdir()
    half = len(FIELDS) // 2
    properties = {
        name: {"type": ["string", "null"], "x-group": "one" if n < half else "two"} for n, name in enumerate(FIELDS)
    }
    (folder / "schema.json").write_text(json.dumps({"type": "object", "properties": properties}))
    for name in PROMPTS:
        (folder / f"{name}.md").write_text(PROMPT.format(name=name))
    (folder / "suite.toml").write_text(
        'task = "."\nsamples = "samples"\ngold = "gold"\nmodels = ["scripted"]\nprompts = ["p0"]\n'
    )
    truth: dict[str, dict[str, str]] = {}
    for number in range(documents):
        record = {name: f"{name}-{dice.randrange(1000):03}-{number}" for name in FIELDS}
        lines = [f"The {name} of it is {value}." for name, value in record.items()]
        (folder / "samples" / f"d{number:02}.txt").write_text("\n".join(lines))
        gold = {"document": f"d{number:02}.txt", "record": record}
        (folder / "gold" / f"d{number:02}.json").write_text(json.dumps(gold))
        truth[record["colour"]] = record
    return truth


def _answer(request: Request, truth: Mapping[str, dict[str, str]], quality: Quality, seed: int) -> dict[str, Any]:
    document = request.user.split("</document>")[0]
    colour = re.search(r"colour-\d+-\d+", document)
    assert colour is not None
    record = truth[colour[0]]
    asked = list(request.schema["properties"])
    version = re.search(r"Version (\w+)", request.system)
    assert version is not None
    plan = (version[1], "whole" if len(asked) == len(FIELDS) else "groups", "<example>" in request.user)
    said: dict[str, Any] = {}
    for name in asked:
        draw = random.Random(f"{seed} {plan} {colour[0]} {name}").random()
        said[name] = record[name] if draw < quality(*plan) else None
    return said
