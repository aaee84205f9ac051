from pathlib import Path

import pytest

from extractor.cli.console import describe_bill
from extractor.cli.progress import RunProgress
from extractor.errors import UsageError
from extractor.models.local.known_models import DEFAULT_MODEL
from extractor.models.prices import Price, compute_cost, load_prices
from extractor.runs.runner import DocumentOutcome
from extractor.types import Status, Usage

GOOD = 'dated = 2026-01-02\ncurrency = "EUR"\n[models."m"]\ninput = 1\noutput = 2.5\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "prices.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_prices_that_ship_are_dated_and_know_every_embedded_model() -> None:
    shipped = load_prices()
    assert shipped.dated.year >= 2026
    assert shipped.find_price(DEFAULT_MODEL) == Price(0, 0) and shipped.find_speed(DEFAULT_MODEL) is not None


def test_a_frozen_version_costs_what_its_model_costs_and_others_are_unknown(tmp_path: Path) -> None:
    mine = load_prices(written(tmp_path, GOOD))
    assert mine.find_price("m") == mine.find_price("m-2025-08-07") == mine.find_price("m-20250807") == Price(1, 2.5)
    assert mine.find_price("m-mini") is None


def test_what_is_unknown_is_none_and_not_nothing() -> None:
    assert compute_cost(Price(1, 2), 1_000_000, 500_000) == 2
    assert compute_cost(None, 1, 1) is None
    assert compute_cost(Price(1, 2), None, 1) is None
    assert compute_cost(Price(0, 0), 5, 5) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dated = ", "not TOML"),
        ('currency = "EUR"\n[models]\n', "needs dated"),
        (GOOD.replace("input = 1", "input = -1"), "'m'"),
        (GOOD.replace("input = 1", 'input = "1"'), "'m'"),
        (GOOD.replace("input = 1", "input = nan"), "'m'"),
        (GOOD + "read = 0\nwrite = 4\n", "0 tokens in a second"),
    ],
)
def test_prices_that_cannot_be_used_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load_prices(written(tmp_path, text))
    with pytest.raises(UsageError, match="cannot be read"):
        load_prices(tmp_path / "none.toml")


def test_the_bill_tells_money_or_that_the_price_is_unknown(tmp_path: Path) -> None:
    mine = load_prices(written(tmp_path, GOOD))
    one = DocumentOutcome("a", "a.json", Status.COMPLETE, usage=Usage(2, 1_000_000, 1_000_000))
    assert "2,000,000 tokens read" in describe_bill([one, one], "m", False, mine)
    assert "7.00 EUR at list price (prices.toml, 2026-01-02)" in describe_bill([one, one], "m", False, mine)
    assert "price of other is not known" in describe_bill([one], "other", False, mine)
    assert "EUR" not in describe_bill([one], "m", True, mine)
    silent = DocumentOutcome("a", "a.json", Status.COMPLETE, usage=Usage(2, None, None))
    assert "did not say" in describe_bill([silent], "m", False, mine)


def test_the_line_that_moves_tells_money_where_it_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    known = RunProgress(True, 2, Price(1, 2), "EUR")
    known.count_reply(Usage(1, 1_000_000, 0))
    assert "1.00 EUR" in capsys.readouterr().err
    unknown = RunProgress(True, 2)
    unknown.count_reply(Usage(1, 1_000_000, 0))
    told = capsys.readouterr().err
    assert "1,000,000 tokens" in told and "EUR" not in told
