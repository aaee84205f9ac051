"""What a document's words support, kind by kind: tables of cases, properties, and time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor.schema.kinds import KINDS, BooleanKind, Folded, Reading, denied, fold_with_offsets, index, support

HERE = Path(__file__).parent / "kinds"
FIELDS = {
    "amount": "number", "num": "number", "n": "integer", "day": "date", "isodate": "date", "currency": "currency",
    "cur": "currency",
    "phone": "phone", "insured": "boolean:insured", "text": "text", "status": "enum", "sentiment": "enum",
    "url": "url", "email": "email",
}  # fmt: skip
CLASSES = {"G29"}
"""Said values that are a class: no words prove them, and the record keeps them without."""


def supports(text: str, kind: str, said: Any) -> str | None:
    """The rule by which the text supports what was said ("" as it stands); None where it does not."""
    reading = Reading.of(text)
    name, _, label = kind.partition(":")
    if name == "boolean":
        found = index(BooleanKind().find_about(text, label, reading))
        return next((m.rule for m in support(KINDS[name], said, found)), None)
    if name in ("text", "enum", "name"):
        folded = Folded(text)
        for key, rule in KINDS[name].keys(said):
            for span in folded.find_folded(str(key)):
                if name != "text" or not denied(text, span):
                    return rule
        return None
    return next((m.rule for m in support(KINDS[name], said, index(KINDS[name].find(text, reading)))), None)


def copied() -> Iterator[Any]:
    for file in ("numbers", "dates", "words"):
        for line in (HERE / f"{file}.jsonl").read_text("utf-8").splitlines():
            case = json.loads(line)
            for field, said in case["said"].items():
                if case["id"] not in CLASSES:
                    yield pytest.param(FIELDS[field], case["text"], said, case["supported"], id=f"{case['id']}-{field}")


def invented() -> Iterator[Any]:
    for number, line in enumerate((HERE / "more.txt").read_text("utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            kind, text, said, supported = line.split(" | ")
            for mark, character in (("\\n", "\n"), ("\\t", "\t"), ("\\u0308", "\u0308"), ("\\u00ad", "\u00ad")):
                text = text.replace(mark, character)
            yield pytest.param(kind, text, json.loads(said), supported, id=f"line{number}-{kind}")


@pytest.mark.parametrize(("kind", "text", "said", "supported"), [*copied(), *invented()])
def test_supported_values_are_found_and_others_are_not(kind: str, text: str, said: Any, supported: str) -> None:
    rule = supports(text, kind, said)
    if supported != "either":
        assert (rule is not None) == (supported == "yes"), (rule, Reading.of(text))


HOSTILE = {
    "months": "May 1 ", "month names": "march ", "commas": "1,", "spaced ones": "1 ", "ones": "1", "groups": "111 ",
    "brackets": "(", "at": "a@",
    "dots": "a.", "marks": "a\u0301\u0301", "dashes": "1-", "spaces": " ", "minuses": "-", "letters": "a",
    "zero": "\u200b", "colons": "a:", "boxes": "[x] ",
    "words": "hundred ", "mixed words": "twenty and ", "kanji": "一", "units": "万", "years": "2024年",
    "slashes": "1/", "urls": "http://", "percents": "1% ",
    "plus": "+1 ", "elements": "<a>", "half elements": "<a ", "quotes": '"a":', "iban": "DE89 ", "hyphens": "a-\n", "equals": "a=", "nots": "not ",
    "ten": "10 10 2024 ",
    "currency": "EUR ", "signs": "$", "labels": "insured: ", "clock": "1 May 2024 10:", "tab": "\t", "lines": "\n",
    "fractions": "½", "e": "1e", "united": "united ",
    "eight": "20240303", "digits and letters": "1a", "degrees": "1 m/m/m/", "www": "www.", "at words": "a (at) ",
    "soft": "a\u00ad", "tags": "<b ", "dotted": ".....",
}  # fmt: skip
REPEATS = 25_000
"""Characters of the shorter text; the longer one has twice as many."""


def everything(text: str) -> int:
    reading = Reading.of(text)
    found = sum(1 for kind in KINDS.values() for _ in kind.find(text, reading))
    found += sum(1 for _ in BooleanKind().find_about(text, "insured goods", reading))
    return found + len(fold_with_offsets(text)[0])


def seconds(text: str) -> float:
    began = time.process_time()
    everything(text)
    return time.process_time() - began


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
def test_time_grows_with_the_length_and_no_faster(unit: str) -> None:
    short, long = (unit * (length // len(unit)) for length in (REPEATS, 2 * REPEATS))
    everything(unit * 20)  # tables are read and patterns compiled before the clock runs
    firsts, seconds_ = [], []
    for _ in range(5):  # a busy machine may spoil some measurements, not all
        firsts.append(seconds(short + " "))
        seconds_.append(seconds(long + " "))
        if min(seconds_) <= 2.3 * max(min(firsts), 0.02):
            return
    raise AssertionError(
        f"twice the length took {min(seconds_) / min(firsts):.1f} times as long ({min(seconds_):.2f} s)"
    )
