"""What examples from corrections bring, and what a race of 24 plans costs and finds.

python bench/tuning.py race [SEEDS] [DOCUMENTS]   planted best, and none: found, claimed, and the share of all calls
python bench/tuning.py corrections OUT            held-out gold as a reviewer's corrections of the replayed run
python bench/tuning.py examples OUT RUN...        finished runs with examples (made live) against OUT's first results
python bench/tuning.py fields OUT RUN RUN         the same, shown for the groups that they helped in the other run

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
from extractor.evaluation.analysis.findings import find_top_field, list_helped_fields, tell_pair  # noqa: E402
from extractor.evaluation.analysis.metrics import group_into_entrants  # noqa: E402
from extractor.evaluation.gold import Gold, load_gold_folder  # noqa: E402
from extractor.evaluation.runs import read_run_folder, score_run_folder  # noqa: E402
from extractor.evaluation.scoring.outcomes import ScoreCell, ScoredRun, tally_cells  # noqa: E402
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


def score_pair(out: Path, runs: list[Path]) -> tuple[list[ScoredRun], list[Gold]]:
    """The documents of the runs, as OUT first had them and as the runs have them; and their gold."""
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
    return scored, golds


def compare_fields(out: Path, halves: list[Path]) -> None:
    """What examples bring where they are shown for the groups of fields alone that they helped in the other half.

    A group is what one question asks: of one that is left out the question is the one without examples, to the byte.
    """
    groups = load_suite(ROOT / SUITE).task.schema.groups
    pairs = [score_pair(out, [half])[0] for half in halves]
    cells: dict[str, list[ScoreCell]] = {"without": [], "with": [], "chosen": []}
    for mine, other in zip(pairs, reversed(pairs), strict=True):
        gone = dict(list_helped_fields(*group_into_entrants(other)))
        helped = {name for fields in groups.values() if sum(gone.get(f, 0) for f in fields) > 0 for name in fields}
        print(f"shown for {', '.join(sorted(helped)) or 'none'}")
        for shown, run in zip((False, True), mine, strict=True):
            cells["with" if shown else "without"] += run.cells
            cells["chosen"] += [c for c in run.cells if (find_top_field(c.field) in helped) is shown]
    for name, mixed in cells.items():
        tally = tally_cells(mixed)
        print(f"{name}: F1 {tally.f1:.4f}, precision {tally.precision:.4f}, recall {tally.recall:.4f}")


def compare_examples(out: Path, runs: list[Path]) -> None:
    scored, golds = score_pair(out, runs)
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
    elif command == "fields":
        compare_fields(Path(rest[0]), [Path(one) for one in rest[1:3]])
    else:
        compare_examples(Path(rest[0]), [Path(one) for one in rest[1:]])
