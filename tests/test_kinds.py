"""What a document's words support, kind by kind: tables of cases, properties, and time."""

from __future__ import annotations

import datetime
import gc
import json
import os
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.schema.kinds import KINDS, BooleanKind, Folded, Reading, denied, fold_with_offsets, index, support
from extractor.schema.kinds.figures import key_of_value

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
            for mark, character in (
                ("\\n", "\n"),
                ("\\t", "\t"),
                ("\\u0308", "\u0308"),
                ("\\u00ad", "\u00ad"),
                ("\\u00a0", "\u00a0"),
                ("\\u202f", "\u202f"),
            ):
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
    "plus": "+1 ", "elements": "<a>",
    "half elements": "<a ", "quotes": '"a":', "iban": "DE89 ", "hyphens": "a-\n", "equals": "a=",
    "nots": "not ",
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
    gc.disable()  # what the collector takes grows with all that the process holds, not with the text
    try:
        began = time.process_time()
        everything(text)
        return time.process_time() - began
    finally:
        gc.enable()


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.skipif("EXTRACTOR_TIMED" not in os.environ, reason="a clock is read; make soak does")
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


DAYS = st.dates(datetime.date(1990, 1, 1), datetime.date(2039, 12, 31))
LOCALES = (  # noqa: SIM905
    "en en_GB de fr es it pt nl sv da nb fi pl cs sk sl hr sr_Latn bg ro hu el tr ru uk lt lv et ca he ar hi "
    "th vi id ja ko zh sw az"
).split()


@given(DAYS, st.sampled_from(LOCALES), st.sampled_from(["long", "medium", "full"]))
@settings(max_examples=300, deadline=None)
def test_a_date_is_found_as_each_locale_writes_it(day: datetime.date, locale: str, form: str) -> None:
    dates = pytest.importorskip("babel.dates")
    text = f"X: {dates.format_date(day, form, locale=locale)}."
    assert supports(text, "date", day.isoformat()) is not None, text


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2), st.sampled_from(LOCALES))
@settings(max_examples=300, deadline=None)
def test_a_number_is_found_as_each_locale_writes_it(value: Decimal, locale: str) -> None:
    numbers = pytest.importorskip("babel.numbers")
    for written in (
        numbers.format_decimal(value, format=None, locale=locale),
        numbers.format_currency(value, "EUR", locale=locale),
    ):
        assert supports(f"X: {written}.", "number", str(value)) is not None, written


@given(st.integers(min_value=-(10**400), max_value=10**400))
def test_integers_of_any_size_are_exact(value: int) -> None:
    assert supports(f"Amount: {value}", "integer", value) == ""
    assert supports(f"Amount: {value}", "integer", value + 1) is None or abs(value) <= abs(value + 1) <= 1


@given(st.integers(0, 10**9), st.integers(0, 2))
def test_what_is_found_is_parsed_to_the_same(whole: int, places: int) -> None:
    text = f"{Decimal(whole).scaleb(-places):,f}"
    value = KINDS["number"].parse(text, Reading.of(f"{text} and 1,234.56 and 2,345.67"))
    assert key_of_value(value) == key_of_value(Decimal(whole).scaleb(-places)), text


@given(DAYS)
def test_a_date_is_parsed_to_itself(day: datetime.date) -> None:
    reading = Reading.of("", day_first=True)
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%d %B %Y", "%d-%b-%Y", "%Y%m%d", "%d/%m/%Y"):
        assert KINDS["date"].parse(day.strftime(form), reading) == day.isoformat()
        assert KINDS["date"].normalise(day.strftime(form), reading) == day.isoformat()


@given(st.text(max_size=200))
def test_mentions_lie_in_the_text_and_offsets_go_back(text: str) -> None:
    reading = Reading.of(text)
    for kind in KINDS.values():
        for mention in kind.find(text, reading):
            assert 0 <= mention.span.start < mention.span.end <= len(text)
    folded, offsets = fold_with_offsets(text)
    assert len(folded) == len(offsets)
    assert offsets == sorted(offsets)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda c: st.lists(c) | st.dictionaries(st.text(), c),
)


@given(ANYTHING, ANYTHING)
def test_kinds_take_whatever_a_model_says(said: Any, other: Any) -> None:
    for kind in KINDS.values():
        list(kind.keys(said))
        assert kind.same(said, other) == kind.same(other, said), kind.name
        normal = kind.normalise(said, Reading())
        assert normal is None or kind.normalise(normal, Reading()) == normal, kind.name


@pytest.mark.parametrize(
    ("kind", "said", "record"),
    [
        ("date", "Sep 18, 2021", "2021-09-18"),
        ("date", "2024-03-03T10:15:00Z", "2024-03-03"),
        ("date", "2024-Q3", None),
        ("date", "present", "present"),
        ("date", "soon", None),
        ("datetime", "3 March 2024, 2:05 pm", "2024-03-03T14:05:00"),
        ("number", "1.024,50 €", 1024.5),
        ("number", float("nan"), None),
        ("number", float("inf"), None),
        ("number", True, None),
        ("number", "two", 2),
        ("number", "5 to 10", None),
        ("integer", 3.0, 3),
        ("integer", 3.5, None),
        ("integer", 10**400, 10**400),
        ("money", "EUR 1,234.50", "1234.5 EUR"),
        ("currency", "€", "EUR"),
        ("currency", "US dollars", "USD"),
        ("boolean", "Ja", True),
        ("boolean", "maybe", None),
        ("iban", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("iban", "DE89 3704 0044 0532 0130 01", None),
        ("text", "  N/A ", None),
        ("text", "a\n b", "a b"),
        ("name", "Prof. Ada King, PhD", "Ada King"),
        ("email", "Jo Doe <jo@example.org>", "jo@example.org"),
        ("url", "example.org/shop", "example.org/shop"),
        ("phone", "+49  30 1234567", "+49 30 1234567"),
        ("phone", "none", None),
    ],
)
def test_the_record_has_one_form_of_what_was_said(kind: str, said: Any, record: Any) -> None:
    assert KINDS[kind].normalise(said, Reading.of(said if isinstance(said, str) else "")) == record


@pytest.mark.parametrize(
    ("kind", "a", "b", "same"),
    [
        ("number", 3, "3.00", True),
        ("number", 2**53, 2**53 + 1, False),
        ("number", 0.1, "0.10", True),
        ("date", "3 March 2024", "2024-03-03", True),
        ("date", "2024-03", "2024-03-03", False),
        ("datetime", "2024-03-03T10:15Z", "2024-03-03 10:15", True),
        ("money", "45 EUR", "€45.00", True),
        ("money", "45 EUR", "$45.00", False),
        ("quantity", "45 m²", "45 m2", True),
        ("quantity", "2 kg", "2,0 Kilogramm", True),
        ("country", "Germany", "DE", True),
        ("country", "Deutschland", "Allemagne", True),
        ("phone", "+49 30 1234567", "030 1234567", True),
        ("url", "https://www.example.org/", "example.org", True),
        ("email", "A@Example.org", "a@example.org", True),
        ("name", "KING, Ada", "Dr. Ada King", True),
        ("boolean", "yes", True, True),
        ("boolean", "no", True, False),
        ("text", "Große Straße", "GROSSE STRASSE", True),
        ("enum", "credit_card", "creditCard", True),
        ("enum", "credit_card", "debit_card", False),
    ],
)
def test_same_values_are_the_same_however_written(kind: str, a: Any, b: Any, same: bool) -> None:
    assert KINDS[kind].same(a, b) is same


def test_a_documents_other_dates_decide_the_order_of_day_and_month() -> None:
    reading = Reading.of("Ordered 12/25/2024, shipped 01/02/2025")
    assert (reading.day_first, reading.day_first_known) == (False, True)
    assert KINDS["date"].parse("01/02/2025", reading) == "2025-01-02"
    assert not Reading.of("Date: 03/04/2024").day_first_known
    assert Reading.of("Rechnung vom 03/04/2024 für die Lieferung").day_first_known


def test_a_day_without_a_year_is_found_without_one() -> None:
    found = {m.key: m.rule for m in KINDS["date"].find("Due: March 3", Reading())}
    assert found == {"--03-03": "year not written"}
