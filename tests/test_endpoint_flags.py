"""A run and its endpoint, through the command: budgets, keys, the cache of paid replies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractor.cli.main import main
from extractor.testing import FaultAnswer, FaultEndpoint, build_error

Start = Callable[..., FaultEndpoint]
GOOD = '{"title": "bolt"}'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "schema.json").write_text('{"type": "object", "properties": {"title": {"type": "string"}}}')
    (tmp_path / "task" / "plain.md").write_text("# system\nCopy.\n\n# user\n{document}\n\n{question}\n")
    (tmp_path / "in").mkdir()
    for i in range(8):
        (tmp_path / "in" / f"{i}.txt").write_text(f"A bolt {i}.")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(server: FaultEndpoint, *flags: str) -> int:
    given = ["run", "in", "-o", "out", "--task", "./task", "--model", "m", "--base-url", server.url, "--quiet", *flags]
    return main(given)


def told(place: Path, name: str = "run") -> Any:
    return json.loads((place / "out" / f"{name}.json").read_text())


def test_a_second_run_pays_for_nothing_and_says_so(place: Path, faults: Start) -> None:
    server = faults(lambda body, n: GOOD)
    assert run(server, "-o", "first") == 0
    assert run(server, "-o", "out") == 0
    assert server.requests == 8
    assert told(place)["usage"] == {
        "requests": 0,
        "input_tokens": 0,
        "output_tokens": 0,
        "seconds": 0.0,
        "cached": 8,
        "cached_input_tokens": 80,
        "cached_output_tokens": 40,
    }


def test_without_a_cache_everything_is_paid_and_nothing_kept(place: Path, faults: Start) -> None:
    server = faults(lambda body, n: GOOD)
    for out in ("a", "b"):
        assert run(server, "--no-cache", "-o", out, "--rpm", "100000") == 0
    assert server.requests == 16
    assert not list(place.rglob("cache.db"))


def test_the_run_has_one_line_and_not_one_for_each_document(place: Path, faults: Start) -> None:
    server = faults(lambda body, n: GOOD, latency=0.01)
    assert run(server, "--concurrency", "2", "--no-cache") == 0
    assert server.connections <= 2 and server.most <= 2


def test_a_budget_stops_the_run_and_a_later_run_goes_on(
    place: Path, faults: Start, capfd: pytest.CaptureFixture[str]
) -> None:
    server = faults(lambda body, n: GOOD)
    assert run(server, "--max-requests", "3") == 1
    assert server.requests == 3
    assert "--max-requests" in capfd.readouterr().err
    finished = [f for f in (place / "out").glob("*.json") if f.name != "run.json"]
    assert len(finished) == 3
    assert run(server, "--concurrency", "1") == 0
    assert server.requests == 8


@pytest.mark.parametrize(
    "flags",
    [
        ["--max-cost", "1"],  # of a model whose price nobody knows
        ["--price", "1,2"],
        ["--cache", "c", "--no-cache"],
    ],
)
def test_flags_that_make_no_sense_together_are_refused(place: Path, faults: Start, flags: list[str]) -> None:
    server = faults(lambda body, n: GOOD)
    assert run(server, *flags) == 2
    assert server.requests == 0


@pytest.mark.parametrize(
    "flags", ["--max-tokens 0", "--concurrency 0", "--concurrency -1", "--rpm nan", "--price 1", "--max-cost -1"]
)
def test_an_amount_that_is_none_is_refused(place: Path, flags: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["run", "in", *flags.split()])


@pytest.mark.fault(3)
@pytest.mark.fault(7)
@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((429, build_error("x", "insufficient_quota")), "quota"),
        ((401, build_error("x")), "key"),
        ((404, build_error("The model m does not exist", "model_not_found")), "model"),
    ],
)
def test_what_no_document_can_pass_ends_the_run_early(
    place: Path, faults: Start, capfd: pytest.CaptureFixture[str], answer: Any, says: str
) -> None:
    server = faults(lambda body, n: answer)
    assert run(server, "--concurrency", "2") == 2
    assert server.requests <= 3
    assert says in capfd.readouterr().err
    assert run(faults(lambda body, n: GOOD)) == 0


@pytest.mark.fault(18)
def test_tokens_reported_are_tokens_served(place: Path, faults: Start) -> None:
    def script(body: dict[str, Any], n: int) -> Any:
        return (500, build_error("down")) if n % 5 == 0 else "no json" if n % 3 == 0 else GOOD

    server = faults(script)
    run(server, "--concurrency", "3")
    usage = told(place)["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == server.tokens
    assert usage["requests"] == server.requests > 8


def test_the_cache_is_shown_verified_and_cleared(place: Path, faults: Start, capfd: pytest.CaptureFixture[str]) -> None:
    server = faults(lambda body, n: GOOD)
    assert run(server, "--cache", "c") == 0
    capfd.readouterr()
    assert main(["cache", "--cache", "c", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["replies"] == 8
    assert main(["cache", "verify", "--cache", "c"]) == 0
    assert main(["cache", "clear", "--cache", "c"]) == 0
    assert "8 replies removed" in capfd.readouterr().out
    assert main(["cache", "show", "--cache", "nowhere"]) == 0
    assert not (place / "nowhere").exists()


def test_a_bound_on_cost_holds_at_the_price_that_is_known(
    place: Path, faults: Start, capfd: pytest.CaptureFixture[str]
) -> None:
    """The list price of gpt-5-mini counts through a gateway, too, and settings may say another."""
    server = faults(lambda body, n: GOOD)
    assert run(server, "--model", "gpt-5-mini", "--max-cost", "0.000001", "-o", "a") == 1
    assert "--max-cost" in capfd.readouterr().err and server.requests == 0
    assert run(server, "--model", "gpt-5-mini", "--max-cost", "5", "-o", "b") == 0
    assert run(server, "--max-cost", "5", "--set", "price=[1, 2]", "-o", "c") == 0
    assert run(server, "--set", "max_cost=5", "--set", "price=[1000000, 1000000]", "-o", "d", "--no-cache") == 1


def test_limits_may_stand_in_a_file(place: Path, faults: Start) -> None:
    server = faults(lambda body, n: GOOD)
    (place / "my.toml").write_text("[defaults]\nmax_requests = 3\n")
    assert run(server, "--config", "my.toml") == 1
    assert server.requests == 3
    assert run(server, "--config", "my.toml", "--max-requests", "5") == 0


def test_a_request_that_hangs_is_sent_again_after_the_seconds_that_a_flag_sets(place: Path, faults: Start) -> None:
    server = faults(lambda body, n: FaultAnswer(sleep=3600) if n == 3 else GOOD)
    assert run(server, "--no-cache", "--request-timeout", "0.5") == 0
    assert server.requests == 9 and told(place)["counts"]["complete"] == 8
