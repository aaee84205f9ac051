"""`extractor tune`: a planted best is found for a part of the calls, and where there is none, that is said."""

import asyncio
import re
from pathlib import Path

import pytest
from planted_plans import PlantedPlans, Quality, plant_plans

from extractor.cli.main import main
from extractor.cli.tune import race_plans
from extractor.evaluation.tuning import RaceResult, plan_rounds
from extractor.models.config_file import read_config_file

BEST = ("p4", "groups", True)


def planted_best(version: str, ask: str, shown: bool) -> float:
    return 0.93 if (version, ask, shown) == BEST else 0.72 + 0.01 * int(version[1])


def race(folder: Path, documents: int, quality: Quality, seed: int = 1) -> tuple[RaceResult, PlantedPlans]:
    planted = plant_plans(folder, documents, quality, seed)
    found = asyncio.run(race_plans(planted.room, planted.plans, asyncio.Event(), seed=seed))
    assert found is not None
    return found, planted


def test_the_planted_best_of_24_plans_is_found_for_two_fifths_of_the_calls(tmp_path: Path) -> None:
    found, planted = race(tmp_path, 32, planted_best)
    assert found.plans == 24 and found.chosen == "p4-groups+examples"
    assert found.level == ("p4-groups+examples",)
    assert found.calls == len(planted.model.requests) <= 0.4 * sum(plan.calls for plan in planted.plans)
    assert found.describe()[-1] == "p4-groups+examples is better than the present plan and all others that were left."


def test_where_no_plan_is_better_that_is_said_and_nothing_is_handed_over(tmp_path: Path) -> None:
    found, _ = race(tmp_path, 32, lambda *plan: 0.8)
    assert found.chosen is None and found.describe()[-1].startswith("Can't tell")


def test_few_documents_tell_of_no_plan_however_much_better_it_is(tmp_path: Path) -> None:
    found, _ = race(tmp_path, 8, lambda version, ask, shown: 1.0 if version == "p3" else 0.1)
    assert found.leader.startswith("p3") and found.chosen is None
    assert "8 documents are fewer than 30" in found.describe()[0]


def test_a_race_that_is_run_again_asks_nothing_again(tmp_path: Path) -> None:
    first, planted = race(tmp_path, 6, planted_best)
    asked = len(planted.model.requests)
    again = asyncio.run(race_plans(planted.room, planted.plans, asyncio.Event(), seed=1))
    assert len(planted.model.requests) == asked
    assert again is not None and again.rounds == first.rounds and again.calls == first.calls


def test_a_race_that_is_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    planted = plant_plans(tmp_path, 6, planted_best, 1)

    async def stop_soon() -> RaceResult | None:
        stop = asyncio.Event()
        running = asyncio.ensure_future(race_plans(planted.room, planted.plans, stop, seed=1))
        while len(planted.model.requests) < 20:
            await asyncio.sleep(0)
        stop.set()
        return await running

    assert asyncio.run(stop_soon()) is None
    found = asyncio.run(race_plans(planted.room, planted.plans, asyncio.Event(), seed=1))
    assert found is not None and len(planted.model.requests) <= found.calls + 2


@pytest.mark.parametrize("plans", [1, 2, 3, 4, 7, 24, 100])
@pytest.mark.parametrize("documents", [1, 5, 40])
def test_rounds_end_with_all_documents_and_few_plans(plans: int, documents: int) -> None:
    rounds = plan_rounds(plans, documents)
    assert rounds[0].plans == plans and rounds[-1].documents == documents and rounds[-1].plans <= 3
    assert [one.documents for one in rounds] == sorted(one.documents for one in rounds)


def test_the_recorded_comparison_is_raced_and_its_five_documents_tell_nothing(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    flags = ["--suite", "eval/invoice", "--mode", "replay", "--prompts", "groups", "whole"]
    config = tmp_path / "extractor.toml"
    assert main(["tune", *flags, "-o", str(tmp_path / "out"), "--write", str(config)]) == 1
    told = capsys.readouterr().out
    assert re.search(r"groups +3 +0\.\d{3}", told) and "can't tell, 3 documents are fewer than 30" in told
    assert "(100%)" in told and not config.exists()


def test_too_many_plans_are_refused_before_any_call(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    many = ["--chunk-tokens", *map(str, range(500, 513)), "--ask", "groups", "whole"]
    assert main(["tune", "--suite", "eval/invoice", "--mode", "replay", *many, "-o", str(tmp_path / "out")]) == 2
    assert "These are 52 plans; name less to try" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_is_better_is_printed_for_the_config_file_and_written_only_where_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from extractor.cli.tune import hand_over

    planted = plant_plans(tmp_path / "suite", 2, planted_best, 1)
    plan = next(one for one in planted.plans if one.label == "p4-groups+examples")
    hand_over("notes", plan, "auto", None)
    assert '[tasks.notes]\nprompt = "p4"\nask = "groups"\nexamples_tokens = 350\nexamples = "auto"\n' in (
        capsys.readouterr().out
    )
    config = tmp_path / "extractor.toml"
    config.write_text('# mine\n[tasks.notes]\nprompt = "p1"  # old\n# why\n\n[models.fast]\nmodel = "m"\n')
    hand_over("notes", plan, "auto", config)
    read = read_config_file(config)
    assert (read.tasks["notes"].prompt, read.tasks["notes"].ask) == ("p4", "groups")
    text = config.read_text()
    assert read.models["fast"].model == "m" and text.startswith("# mine\n") and "# why" in text
