"""Right answers of other forms than the document's words: they arrive as the schema has them, on the words meant."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from extractor.errors import ReplyCutShort
from extractor.extraction.pipeline import Reading, extract_record
from extractor.extraction.prompt import read_prompt
from extractor.extraction.task import SHIPPED_TASKS, Task
from extractor.models.traits import SMALL, STRONG, ModelTraits
from extractor.schema.reader import read_schema
from extractor.testing import ScriptedModel
from extractor.testing.scripted_model import SCRIPTED_USAGE, Script
from extractor.types import Document, Json, Match, Record, Reply, Status

MOMENT = {"type": "string", "format": "date-time"}


def play(text: str, properties: Mapping[str, Json], said: Script, traits: ModelTraits = STRONG) -> Record:
    prompt = read_prompt(SHIPPED_TASKS / "default.md")
    task = Task("case", read_schema({"type": "object", "properties": properties}), {prompt.name: prompt})
    model = ScriptedModel(said)
    return asyncio.run(extract_record(Document("d", text), task, prompt, model, "m", reading=Reading(traits)))


def words_of(record: Record, *path: str | int) -> str:
    evidence = record.evidence[path]
    return " … ".join(record.document.text[s.start : s.end] for s in evidence.spans)


@pytest.mark.parametrize(
    ("text", "said", "kept"),
    [
        ("Sent 2024-07-03T10:15:00+02:00.", "2024-07-03T10:15:00+02:00", "2024-07-03T10:15:00+02:00"),
        ("Sent 2024-07-03T10:15:00.250Z.", "2024-07-03T10:15:00.250Z", "2024-07-03T10:15:00.250Z"),
        ("Sent 3 July 2024, 10:15 CEST", "2024-07-03T10:15:00+02:00", "2024-07-03T10:15:00+02:00"),
        ("Sent 3 July 2024 at 10.15 a.m. (GMT)", "2024-07-03 10:15", "2024-07-03T10:15:00"),
        ("Date: 3 July 2024\nTime: 10:15", "2024-07-03T10:15:00", "2024-07-03T10:15:00"),
        ("Date | Time\n03.07.2024 | 10:15", "2024-07-03T10:15", "2024-07-03T10:15"),
        ("Day: 2024-07-03", "2024-07-03T00:00:00Z", "2024-07-03T00:00:00Z"),
        ("Day: 3 July 2024", "2024-07-03", "2024-07-03"),
    ],
)
@pytest.mark.parametrize("traits", [STRONG, SMALL], ids=["strong", "small"])
def test_a_date_with_a_time_keeps_its_time_and_its_zone(text: str, said: str, kept: str, traits: ModelTraits) -> None:
    record = play(text, {"sent": MOMENT}, {"sent": said}, traits)
    assert record.value == {"sent": kept}
    assert record.evidence[("sent",)].spans


@pytest.mark.parametrize("kind", [MOMENT, {"type": "string"}], ids=["date-time", "text"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Sent 3 July 2024, 10:15", "2024-07-03T10:51:00"),
        ("Sent 3 July 2024, 10:15", "2024-07-04T10:15:00"),
        ("Sent 3 July 2024", "2024-07-03T10:15:00"),
    ],
)
def test_a_date_proves_no_time_that_is_not_written(text: str, said: str, kind: dict[str, Json]) -> None:
    record = play(text, {"sent": kind}, {"sent": said})
    assert record.evidence[("sent",)].match is Match.NONE


@pytest.mark.parametrize(
    ("text", "form", "said", "words"),
    [
        ("Calls are taken from 8:00 to 18:00", "time", "08:00:00", "8:00"),
        ("Doors open at 8:30 pm", "time", "20:30", "8:30 pm"),
        ("Term: eighteen (18) months from delivery", "duration", "P18M", "(18) months"),
        ("Runs 1 h 30 min", "duration", "PT1H30M", "1 h 30 min"),
    ],
)
def test_times_and_durations_are_traced_to_how_they_are_written(text: str, form: str, said: str, words: str) -> None:
    record = play(text, {"it": {"type": "string", "format": form}}, {"it": said})
    assert record.value == {"it": said}
    assert words_of(record, "it") == words


CHOICE, TEXT, YES_NO = {"enum": ["FULL_TIME", "part-time"]}, {"type": "string"}, {"type": "boolean"}


@pytest.mark.parametrize(
    ("node", "said", "kept"),
    [
        (CHOICE, "Full time", "FULL_TIME"),
        (CHOICE, "PART TIME", "part-time"),
        ({"enum": ["A", "a"]}, "a", "a"),
        ({"enum": [10, 20]}, "20", 20),
        ({"enum": ["1", "2"]}, 2.0, "2"),
        ({"enum": ["ja", "nein"]}, True, "ja"),
        ({"enum": [True, False]}, "yes", True),
        (YES_NO, "Ja", True),
        (YES_NO, 0, False),
        (TEXT, 2, "2"),
        (TEXT, 14.4, "14.4"),
        ({"type": ["string", "number"]}, 14.4, 14.4),
        ({"type": ["string", "boolean"]}, True, True),
        ({"type": "array", "items": CHOICE}, ["Full-Time"], ["FULL_TIME"]),
        ({"type": "array", "items": TEXT}, [2, "x"], ["2", "x"]),
        ({}, 14.4, 14.4),
    ],
)
def test_a_value_of_another_type_or_spelling_is_read_where_one_reading_is_possible(
    node: dict[str, Json], said: Json, kept: Json
) -> None:
    record = play("Anything.", {"it": node}, {"it": said})
    value = record.value["it"]
    assert (value, repr(value)) == (kept, repr(kept))
    assert not record.problems
    assert not record.rejected


@pytest.mark.parametrize(
    ("node", "said"),
    [(TEXT, True), (YES_NO, "perhaps"), (YES_NO, 2), ({"type": "integer"}, 2.5), ({"type": "number"}, "about a few")],
)
def test_a_value_that_could_mean_several_things_is_left_out_alone_and_listed(node: dict[str, Json], said: Json) -> None:
    record = play("Name: Ada", {"it": node, "name": TEXT}, {"it": said, "name": "Ada"})
    assert record.value == {"name": "Ada"}
    assert [(r.path, r.value) for r in record.rejected] == [(("it",), said)]
    assert record.status is Status.SUSPECT


@pytest.mark.parametrize(("said", "listed"), [("invoice", 0), ("receipt", 1)])
def test_a_constant_that_is_said_is_no_surprise_but_another_value_is(said: str, listed: int) -> None:
    properties = {"kind": {"const": "invoice", "default": "invoice"}, "name": TEXT}
    record = play("Name: Ada", properties, Reply({"kind": said, "name": "Ada"}, SCRIPTED_USAGE))
    assert record.value == {"kind": "invoice", "name": "Ada"}
    assert len(record.rejected) == listed


PARTY = {"type": "object", "properties": {"name": TEXT, "city": TEXT}}
NUMBER = {"type": "number"}


def list_of(**properties: Json) -> dict[str, Json]:
    return {"type": "array", "items": {"type": "object", "properties": properties}}


def place(text: str, words: str, number: int) -> int:
    """Where the words stand for the number-th time."""
    at = -1
    for _ in range(number):
        at = text.index(words, at + 1)
    return at


PLACES = [
    pytest.param(
        "Buyer\nBeta GmbH\nBerlin\n\nSeller\nAcme Ltd\nBerlin\n",
        {"seller": PARTY, "buyer": PARTY},
        {"seller": {"name": "Acme Ltd", "city": "Berlin"}, "buyer": {"name": "Beta GmbH", "city": "Berlin"}},
        {("seller", "city"): ("Berlin", 2), ("buyer", "city"): ("Berlin", 1)},
        id="two parties one below the other",
    ),
    pytest.param(
        "Ship to | Bill to\nAda King | Ada King\nBerlin | Berlin\n",
        {"bill_to": PARTY, "ship_to": PARTY},
        {"bill_to": {"name": "Ada King", "city": "Berlin"}, "ship_to": {"name": "Ada King", "city": "Berlin"}},
        {
            ("bill_to", "name"): ("Ada King", 2),
            ("bill_to", "city"): ("Berlin", 2),
            ("ship_to", "name"): ("Ada King", 1),
            ("ship_to", "city"): ("Berlin", 1),
        },
        id="two parties side by side",
    ),
    pytest.param(
        "Name: Ada King\nBorn: 1 May 1990\nEmergency contact\nName: Ada King\nPhone 555",
        {"emergency_contact": PARTY, "name": TEXT},
        {"emergency_contact": {"name": "Ada King"}, "name": "Ada King"},
        {("emergency_contact", "name"): ("Ada King", 2), ("name",): ("Ada King", 1)},
        id="a block below its label",
    ),
    pytest.param(
        "Dr. A. King, Berlin. Patient B. Lee, Berlin.",
        {"patient": PARTY, "doctor": PARTY},
        {"patient": {"name": "B. Lee", "city": "Berlin"}, "doctor": {"name": "A. King", "city": "Berlin"}},
        {("patient", "city"): ("Berlin", 2), ("doctor", "city"): ("Berlin", 1)},
        id="two parties on one line",
    ),
    pytest.param(
        "Date | What | Amount\n01/07 | Coffee | 4.50\n01/07 | Coffee | 4.50\n02/07 | Coffee | 4.50",
        {"lines": list_of(what=TEXT, amount=NUMBER)},
        {"lines": [{"what": "Coffee", "amount": 4.5}] * 3},
        {
            ("lines", i, name): (words, i + 1)
            for i in range(3)
            for name, words in (("what", "Coffee"), ("amount", "4.50"))
        },
        id="equal rows on lines of their own",
    ),
    pytest.param(
        " | 2023 | 2024\nRevenue | 10 | 10\nCost | 10 | 8",
        {"revenue_2024": NUMBER, "revenue_2023": NUMBER, "cost_2023": NUMBER},
        {"revenue_2024": 10, "revenue_2023": 10, "cost_2023": 10},
        {("revenue_2024",): ("10", 2), ("revenue_2023",): ("10", 1), ("cost_2023",): ("10", 3)},
        id="columns that a year tells apart",
    ),
    pytest.param(
        "Rooms: 2 bedrooms, 2 bathrooms, 2 parking spaces",
        {"bathrooms": NUMBER, "bedrooms": NUMBER, "parking_spaces": NUMBER},
        {"bathrooms": 2, "bedrooms": 2, "parking_spaces": 2},
        {("bathrooms",): ("2", 2), ("bedrooms",): ("2", 1), ("parking_spaces",): ("2", 3)},
        id="figures named behind them",
    ),
]


@pytest.mark.parametrize(("text", "properties", "said", "wanted"), PLACES)
def test_of_equal_mentions_each_value_has_the_one_that_a_reader_would_point_at(
    text: str,
    properties: dict[str, Json],
    said: dict[str, Json],
    wanted: dict[tuple[str | int, ...], tuple[str, int]],
) -> None:
    record = play(text, properties, said)
    found = {path: record.evidence[path].spans[0].start for path in wanted}
    assert found == {path: place(text, *one) for path, one in wanted.items()}


@pytest.mark.parametrize(
    ("text", "said", "words"),
    [
        ("Author: Smith, John A.", "John A. Smith", "Smith, John A."),
        ("Author: SMITH John", "John Smith", "SMITH John"),
        ("Author: Smith\nJohn lives here", "Ada Smith", None),
        ("Vendor: Acme Ltd, Northern", "Southern Acme Ltd", None),
    ],
)
def test_a_name_in_a_text_field_is_found_with_its_last_word_first(text: str, said: str, words: str | None) -> None:
    record = play(text, {"author": TEXT}, {"author": said})
    assert record.value == {"author": said}
    assert (words_of(record, "author") or None) == words


@pytest.mark.parametrize(
    ("text", "said", "proved"),
    [
        ("CHE-123.456.789 MWST", "CHE123456789", True),
        ("NIF: B-12345678", "B12345678", True),
        ("Ref: 12/3456/789", "12-3456-789", True),
        ("Ref: 12/3456/789-1", "123456789", False),
        ("Ref: A12/3456/789", "123456789", False),
        ("Ref: 12/3456/789", "123456798", False),
        ("Price 1,20", "1.20", True),
    ],
)
def test_a_code_is_found_whatever_stands_between_its_digits(text: str, said: str, proved: bool) -> None:
    record = play(text, {"code": TEXT}, {"code": said})
    assert record.value == {"code": said}
    assert (record.evidence[("code",)].match is not Match.NONE) == proved


def test_a_number_beyond_what_a_float_tells_apart_stays_the_float_that_was_said() -> None:
    record = play("N = 6.022×10^23", {"n": NUMBER}, {"n": 6.022e23})
    assert repr(record.value["n"]) == "6.022e+23"
    assert record.evidence[("n",)].spans


CHOICES: dict[str, Json] = {"enum": ["male", "female"]}


@pytest.mark.parametrize(
    ("text", "name", "node", "said", "words"),
    [
        (
            "Adresse:\nHauptstr. 5\n10115 Berlin",
            "address",
            {},
            "Hauptstraße 5, 10115 Berlin",
            "Hauptstr. 5\n10115 Berlin",
        ),
        ("Address: 12 High Street, York", "address", {}, "12 High St., York", "12 High Street, York"),
        ("Address: 12 High Street, York", "address", {}, "13 High St., York", None),
        ("Address: 12 Hill Street, York", "address", {}, "12 High St., York", None),
        ("Sex: M\nName: Max", "sex", CHOICES, "male", "M"),
        ("Sex: M\nName: Max", "sex", CHOICES, "female", None),
        ("Sex: male", "sex", {"enum": ["M", "F"]}, "M", "male"),
        ("Size: M", "sex", CHOICES, "male", None),
        ("Versichert: ja", "insured", {"type": "boolean"}, True, "ja"),
        ("Versichert: ja", "insured", {"type": "boolean"}, False, None),
        ("Versichert: ja\nRaucher: nein", "insured", {"type": "boolean"}, False, None),
        ("Status: inactive", "active", {"type": "boolean"}, False, "inactive"),
        ("Status: inactive", "active", {"type": "boolean"}, True, None),
        ("Status: active", "active", {"type": "boolean"}, True, "active"),
        ("Price: EUR 12.50", "price", {}, "12.50 EUR", "EUR 12.50"),
        ("Price: EUR 12.50", "price", {}, "EUR 13.50", None),
        ("Price: 12 EUR, 13 USD", "price", {}, "13 EUR", None),
        ("Price: 12 EUR, 13 USD", "price", {}, "13 USD", "13 USD"),
        ("Prices in EUR\nBolt 12.50", "price", {}, "12.50 EUR", "12.50"),
        ("Main Rd. 5, Leeds", "address", {}, "Main Road 5, Leeds", "Main Rd. 5, Leeds"),
        ("Main Rd. 5, Leeds", "address", {}, "Main Ridge 5, Leeds", None),
        ("Postage: offerts", "postage", {"type": "number"}, 0, "offerts"),
        ("Balance: $-", "balance", {"type": "number"}, 0, None),
        ("Size: 10 x 20 x 30 cm", "size", {}, "10x20x30 cm", "10 x 20 x 30 cm"),
        ("Size: 10 x 20 x 30 cm", "size", {}, "11x20x30 cm", None),
        ("Length: 6 ft 2 in", "length", {}, "6 ft 3 in", None),
    ],
)
def test_a_value_is_proved_by_the_words_that_say_it_otherwise_and_by_no_others(
    text: str, name: str, node: dict[str, Json], said: Json, words: str | None
) -> None:
    record = play(text, {name: node or {"type": "string"}}, {name: said})
    evidence = record.evidence.get((name,))
    assert [text[s.start : s.end] for s in (evidence.spans if evidence else ())] == ([] if words is None else [words])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("D. Hofer. Zone-Aware Journaling. HotStorage 2020.", "https://hotstorage.org/2020/"),
        ("Held in May 2020.", "https://a.org/may/2020/talk"),
        ("Held on 2020-05-07.", "post-2020-05-07@a.org"),
        ("MATEJ BRUN KOVAČEC, Zagreb", "Matej Bruno Kovacec"),
        ("Mark Ellison, Leeds", "Mar Ellison"),
    ],
)
def test_an_address_is_no_date_and_a_name_with_a_letter_more_is_another_name(text: str, said: str) -> None:
    assert play(text, {"x": {"type": "string"}}, {"x": said}).evidence[("x",)].match is Match.NONE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Prof. Ante Lisica", "Professor Ante Lisica"),
        ("12 Mill Rd, Leeds", "12 Mill Road, Leeds"),
        ("Dan Ellison, Leeds", "Daniel Ellison"),
        ("Professor Ante Lisica", "Prof Ante Lisica"),
        ("since 05/2019", "since May 2019"),
    ],
)
def test_words_that_are_short_for_others_prove_them_as_ever(text: str, said: str) -> None:
    assert play(text, {"x": {"type": "string"}}, {"x": said}).evidence[("x",)].match is not Match.NONE


@pytest.mark.parametrize("many", [13, 60, 300])
@pytest.mark.parametrize("goods", [("Coffee",), ("Coffee", "Tea", "Cake")])
def test_so_many_equal_lines_are_so_many_rows_each_on_a_line_of_its_own(many: int, goods: Sequence[str]) -> None:
    rows = [{"item": goods[i % len(goods)], "price": 2.5} for i in range(many)]
    text = "Statement\nItem  Price\n" + "".join(f"{row['item']}  2.50\n" for row in rows)
    row = {"type": "object", "properties": {"item": {"type": "string"}, "price": {"type": "number"}}}
    record = play(text, {"lines": {"type": "array", "items": row}}, {"lines": rows})
    assert record.value == {"lines": rows}
    lines = [text.count("\n", 0, record.evidence["lines", i, "item"].spans[0].start) for i in range(many)]
    assert lines == list(range(2, many + 2))


def test_equal_entries_of_a_list_stand_on_words_of_their_own_though_a_label_is_beside_the_first() -> None:
    said = [13, 15, 13, 13, 18, 15]
    text = f"Readings: {', '.join(map(str, said))}\nEnd"
    record = play(text, {"readings": {"type": "array", "items": {"type": "integer"}}}, {"readings": said})
    assert record.value == {"readings": said}
    starts = [record.evidence["readings", i].spans[0].start for i in range(len(said))]
    assert starts == sorted(set(starts))


ORDERS = """Order B-970 of Max Weber
  Hinge  3
  Hinge  3
  Washer  2
  Valve  3
  Bracket  2
  Clamp  3
Order B-971 of Li Wei
  Bracket  3
Order B-202 of Ann Lee
  Clamp  3
  Bracket  4
  Hinge  5
  Valve  6
"""


def test_a_row_with_rows_in_it_stands_where_its_own_values_do_and_its_rows_below_it() -> None:
    orders: list[dict[str, Any]] = []
    for line in ORDERS.splitlines():
        words = line.split()
        if words[0] == "Order":
            orders.append({"id": words[1], "buyer": " ".join(words[3:]), "lines": []})
        else:
            orders[-1]["lines"].append({"item": words[0], "count": int(words[1])})
    line_form = {"type": "object", "properties": {"item": {"type": "string"}, "count": {"type": "integer"}}}
    form: dict[str, Any] = {
        "id": {"type": "string"},
        "buyer": {"type": "string"},
        "lines": {"type": "array", "items": line_form},
    }
    record = play(
        ORDERS, {"orders": {"type": "array", "items": {"type": "object", "properties": form}}}, {"orders": orders}
    )
    assert record.value == {"orders": orders}
    said = [
        ORDERS.count("\n", 0, record.evidence["orders", i, "lines", j, name].spans[0].start)
        for i, order in enumerate(orders)
        for j in range(len(order["lines"]))
        for name in ("item", "count")
    ]
    assert said == [line for line in (*range(1, 7), 8, *range(10, 14)) for _ in range(2)]


def test_what_several_rows_say_stands_in_their_order_whatever_label_is_near() -> None:
    text = """Name: Li Wei
Born: 1985-02-11
City: Leeds
Phones:
- 0190 3344
- 0190 3344

Name: Li Wei
Phones:
- 0190 3344
- 0190 3344
"""
    leaf = {"type": "string"}
    row = {"name": leaf, "born": leaf, "city": leaf, "phones": {"type": "array", "items": leaf}}
    people = [
        {"name": "Li Wei", "born": "1985-02-11", "city": "Leeds", "phones": ["0190 3344"] * 2},
        {"name": "Li Wei", "phones": ["0190 3344"] * 2},
    ]
    form = {"people": {"type": "array", "items": {"type": "object", "properties": row}}}
    record = play(text, form, {"people": people})
    places = [("people", i, "phones", j) for i in range(2) for j in range(2)]
    lines = [text.count("\n", 0, record.evidence[at].spans[0].start) for at in places]
    assert lines == [4, 5, 9, 10]


def test_of_a_cut_reply_of_a_strong_model_equal_rows_and_the_half_of_the_last_one_are_kept() -> None:
    text = "Coffee 2.50\nCoffee 2.50\nCoffee 2.50\nTea 3\n"
    row = {"type": "object", "properties": {"item": {"type": "string"}, "price": {"type": "number"}}}
    rows = [{"item": "Coffee", "price": 2.5}] * 3
    cut = ReplyCutShort("cut", text=json.dumps({"lines": [*rows, {"item": "Tea", "price": 3}]})[:-4])
    record = play(text, {"lines": {"type": "array", "items": row}}, lambda request: cut)
    assert record.value == {"lines": [*rows, {"item": "Tea"}]}
    assert record.status is Status.INCOMPLETE


def test_a_name_in_a_line_of_names_says_whose_the_value_below_it_is() -> None:
    names = ("Order date", "Ship date", "Due date")
    day = "2024-05-01"
    text = "".join(name.ljust(18) for name in names) + "\n" + "".join(day.ljust(18) for _ in names) + "\n"
    fields = {name.lower().replace(" ", "_"): {"type": "string"} for name in reversed(names)}
    record = play(text, fields, dict.fromkeys(fields, day))
    starts = [record.evidence[name.lower().replace(" ", "_"),].spans[0].start for name in names]
    assert starts == [55, 73, 91]


def test_a_value_of_an_object_stands_behind_the_name_of_the_object_before_the_name_of_its_column() -> None:
    text = "           Current     YTD\n"
    text += "".join(f"{name:<11}200         400\n" for name in ("Basic", "Bonus", "Tax"))
    row = {"type": "object", "properties": {"current": {"type": "integer"}, "ytd": {"type": "integer"}}}
    said = {"current": 200, "ytd": 400}
    record = play(text, dict.fromkeys(("tax", "basic", "bonus"), row), {"tax": said, "basic": said, "bonus": said})
    lines = {
        (name, kind): text.count("\n", 0, record.evidence[name, kind].spans[0].start)
        for name in ("basic", "bonus", "tax")
        for kind in said
    }
    assert list(lines.values()) == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("form", ["☐ Cash ☒ Card ☐ Transfer", "[ ] Cash\n[x] Card\n[ ] Transfer", "( ) Cash  (x) Card"])
def test_a_choice_whose_box_was_left_empty_is_left_out_and_says_why(form: str) -> None:
    choice: Json = {"paid": {"enum": ["Cash", "Card", "Transfer"]}}
    right, wrong = (
        play(f"Paid by: {form}", choice, {"paid": "Card"}),
        play(f"Paid by: {form}", choice, {"paid": "Cash"}),
    )
    assert right.value == {"paid": "Card"} and right.status is Status.COMPLETE
    assert wrong.value.get("paid") is None and "denied" in wrong.rejected[0].reason


def test_a_choice_beside_empty_boxes_alone_is_kept() -> None:
    assert play("☐ Cash ☐ Card", {"paid": {"enum": ["Cash", "Card"]}}, {"paid": "Cash"}).value == {"paid": "Cash"}


@pytest.mark.parametrize("blank", ["", "  ", "\n\t"])
def test_blanks_are_nothing_said(blank: str) -> None:
    record = play("A bolt.", {"item": {"type": "string"}, "note": {"type": "string"}}, {"item": "bolt", "note": blank})
    assert record.value.get("note") is None and record.status is Status.COMPLETE and not record.rejected
