"""CPU time of the project's own code for each document of the suites, with a model that says gold at once.

    python bench/document_cpu.py [--rounds N]

From the read document to the record: chunks, request, grounding, confidence, merging, validation. The least of so many
rounds of each document counts, since other work on the machine only adds to it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
SUITES = ("eval", "eval/heldout", "eval/invoice", "eval/contract")


class Measured(NamedTuple):
    document: str
    characters: int
    leaves: int
    seconds: float


def measured(rounds: int) -> Iterator[Measured]:
    """All that ties this file to the pipeline is here."""
    from extractor.documents.discovery import load_document
    from extractor.evaluation.suite import load_suite
    from extractor.extraction.pipeline import Reading, extract_record
    from extractor.models.traits import STRONG
    from extractor.testing import ScriptedModel
    from extractor.types import Record

    for folder in SUITES:
        suite = load_suite(ROOT / folder)
        prompt = suite.task.choose_prompt(None)
        for file in sorted(suite.gold.glob("*.json")):
            gold = json.loads(file.read_text(encoding="utf-8"))
            document = load_document(suite.samples / gold["document"])
            model = ScriptedModel(gold["record"])

            def read() -> Record:
                asked = extract_record(document, suite.task, prompt, model, model.name, reading=Reading(STRONG))  # noqa: B023
                return asyncio.run(asked)

            record, best = read(), float("inf")
            for _ in range(rounds):
                began = time.process_time()
                read()
                best = min(best, time.process_time() - began)
            yield Measured(gold["document"], len(document.text), len(record.evidence), best)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rows = list(measured(parser.parse_args().rounds))
    for one in rows:
        print(f"{one.document:40}{one.characters:8,} characters{one.leaves:5} leaves{1000 * one.seconds:8.1f} ms")
    seconds, characters = sum(one.seconds for one in rows), sum(one.characters for one in rows)
    leaves = sum(one.leaves for one in rows)
    print(f"mean {1000 * seconds / len(rows):.1f} ms for {characters / len(rows):,.0f} characters", end=", ")
    print(f"{1e6 * seconds / leaves:.0f} us a leaf; 4 kB of it {4e6 * seconds / characters:.1f} ms")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
