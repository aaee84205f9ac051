"""What examples from corrections bring, and what a race of 24 plans costs and finds.

python bench/tuning.py race [SEEDS] [DOCUMENTS]   planted best, and none: found, claimed, and the share of all calls
python bench/tuning.py corrections OUT            held-out gold as a reviewer's corrections of the replayed run
python bench/tuning.py examples OUT RUN...        finished runs with examples (made live) against OUT's first results

The second is followed by `extractor examples from OUT`, whose lines are split by document, and by `extractor run` of
each half with the examples of the other.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from planted_plans import Quality, plant_plans  # noqa: E402

from bench.review import Person, replay_samples  # noqa: E402
from extractor.cli.tune import race_plans  # noqa: E402
from extractor.evaluation.analysis.comparison import compare_runs  # noqa: E402
from extractor.evaluation.analysis.findings import tell_pair  # noqa: E402
from extractor.evaluation.gold import load_gold_folder  # noqa: E402
from extractor.evaluation.runs import read_run_folder, score_run_folder  # noqa: E402
from extractor.evaluation.scoring.outcomes import tally_cells  # noqa: E402
from extractor.evaluation.suite import load_suite, load_suite_gold  # noqa: E402
from extractor.review_app.desk import ReviewDesk  # noqa: E402

SUITE = "eval/heldout"


def measure_race(seeds: int, documents: int) -> None:
    def best(version: str, ask: str, shown: bool) -> float:
        return 0.93 if (version, ask, shown) == ("p4", "groups", True) else 0.72 + 0.01 * int(version[1])

    qualities: dict[str, Quality] = {"a planted best": best, "no best": lambda version, ask, shown: 0.8}
    for name, quality in qualities.items():
        shares, chosen = [], []
        for seed in range(1, seeds + 1):
            with tempfile.TemporaryDirectory() as room:
                planted = plant_plans(Path(room) / "suite", documents, quality, seed)
                found = asyncio.run(race_plans(planted.room, planted.plans, asyncio.Event(), seed=seed))
            assert found is not None
            shares.append(found.calls / sum(plan.calls for plan in planted.plans))
            chosen.append(found.chosen)
        told = {one: chosen.count(one) for one in dict.fromkeys(chosen)}
        print(f"{name}: chosen {told}; {min(shares):.1%} to {max(shares):.1%} of the calls of trying all")


def make_corrections(out: Path) -> None:
    replay_samples(out, SUITE)
    desk = ReviewDesk(out, "bench")
    for gold in load_gold_folder(ROOT / SUITE / "gold"):
        person = Person(desk, f"{Path(gold.document).stem}.json")
        person.fit_fields("/", dict(gold.record))
        person.finish()
        print(f"{gold.document}: {person.corrections} corrections, refused by the schema: {person.refused}")
    desk.index.close()


def compare_examples(out: Path, runs: list[Path]) -> None:
    true = load_suite_gold(load_suite(ROOT / SUITE))
    made = [read_run_folder(run) for run in runs]
    results = {name: result for run in made for name, result in run.results.items()}
    first = read_run_folder(out)
    both = (
        replace(first, results={name: first.results[name] for name in results}),
        replace(made[0], results=results),
    )
    golds = [gold for gold in true.golds if gold.document in results]
    scored = [
        score_run_folder(run, golds, true.schema_root, label=label)
        for run, label in zip(both, ("without", "with examples"), strict=True)
    ]
    for run in scored:
        tally = tally_cells(run.cells)
        print(f"{run.label}: F1 {tally.f1:.4f}, precision {tally.precision:.4f}, recall {tally.recall:.4f}")
    for gold in golds:
        pair = [tally_cells(c for c in run.cells if c.document == gold.document).f1 for run in scored]
        print(f"{gold.document}: {pair[0]:.3f} -> {pair[1]:.3f}")
    comparison = compare_runs(scored)
    print(tell_pair(comparison.pairs[0], comparison.statistic.display_name))
    for field in dict.fromkeys(cell.field for run in scored for cell in run.cells):
        one, other = (tally_cells(c for c in run.cells if c.field == field) for run in scored)
        if one != other:
            print(
                f"{field}: right {one.correct} -> {other.correct}, of {one.gold_count}; "
                f"wrong or invented {one.wrong + one.invented} -> {other.wrong + other.invented}"
            )


if __name__ == "__main__":
    command, *rest = sys.argv[1:] or ["race"]
    if command == "race":
        measure_race(int(rest[0]) if rest else 20, int(rest[1]) if rest[1:] else 40)
    elif command == "corrections":
        make_corrections(Path(rest[0]))
    else:
        compare_examples(Path(rest[0]), [Path(one) for one in rest[1:]])
