"""Anybody's JSON, proved against its document: from Python and from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extractor import ground
from extractor.cli.main import main
from extractor.errors import UsageError
from extractor.types import Json, Match, Status

TEXT = "Order A-7\nBolts: 4 boxes\nSubtotal: 45.00\nTotal due: 45.00\nOrdered 3 March 2026\n"
RECORD = {"order": "A-7", "boxes": 4, "total_due": 45.0, "ordered": "2026-03-03"}


def test_each_value_is_proved_by_its_own_words() -> None:
    result = ground(TEXT, RECORD)
    assert result.record == RECORD and result.status is Status.COMPLETE
    total = result.file.evidence["/total_due"].spans[0]
    assert TEXT[: total.start].endswith("Total due: ")
    assert result.file.evidence["/ordered"].spans[0].quote == "3 March 2026"
    assert all(proof.confidence is not None for proof in result.file.evidence.values())


def test_what_has_no_words_stays_marked_unless_only_the_proven_is_wanted() -> None:
    record = {"order": "A-7", "mood": "cheerful"}
    stays = ground(TEXT, record)
    assert stays.record == record and stays.file.evidence["/mood"].match is Match.NONE
    leaves = ground(TEXT, record, only_proven=True)
    assert leaves.record["order"] == "A-7" and not leaves.record.get("mood")
    assert [(r.path, r.value) for r in leaves.rejected] == [("/mood", "cheerful")]
    assert leaves.status is Status.SUSPECT


def test_what_the_schema_has_no_place_for_is_listed_and_costs_nothing_else() -> None:
    schema = {
        "type": "object",
        "properties": {
            "order": {"type": "string"},
            "boxes": {"type": "integer"},
            "lines": {"type": "array", "items": {"type": "object", "properties": {"item": {"type": "string"}}}},
        },
    }
    record = {
        "order": "A-7",
        "boxes": "many",
        "lines": [{"item": "Bolts", "extra": {"a": [1]}}, 5],
        "more": float("nan"),
    }
    result = ground(TEXT, record, schema)
    assert result.record == {"order": "A-7", "lines": [{"item": "Bolts"}]}
    assert {(r.path, r.reason) for r in result.rejected} == {
        ("/boxes", "not of its type"),
        ("/lines/0/extra/a/0", "not in the schema"),
        ("/lines/1", "not of its type"),
        ("/more", "not in the schema"),
    }


def test_a_threshold_outside_of_0_and_1_is_refused() -> None:
    for wrong in (-0.1, 1.5, float("nan")):
        with pytest.raises(UsageError, match="from 0 to 1"):
            ground(TEXT, RECORD, accept=wrong)


def test_the_command_writes_a_result_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document, record = tmp_path / "order.txt", tmp_path / "record.json"
    document.write_text(TEXT, encoding="utf-8")
    record.write_text(json.dumps(RECORD), encoding="utf-8")
    assert main(["ground", str(document), str(record)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["record"] == RECORD and printed["status"] == "complete"
    schema = tmp_path / "order.schema.json"
    schema.write_text(json.dumps({"type": "object", "properties": {"order": {"type": "string"}}}), encoding="utf-8")
    out = tmp_path / "out.json"
    assert main(["ground", str(document), str(record), "--schema", str(schema), "-o", str(out)]) == 1
    assert len(json.loads(out.read_text(encoding="utf-8"))["rejected"]) == 3


@pytest.mark.parametrize(("content", "says"), [("[1]", "no JSON object"), ("{", "cannot be read as JSON")])
def test_what_is_no_record_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, says: str
) -> None:
    document, record = tmp_path / "order.txt", tmp_path / "record.json"
    document.write_text(TEXT, encoding="utf-8")
    record.write_text(content, encoding="utf-8")
    assert main(["ground", str(document), str(record)]) == 2
    assert says in capsys.readouterr().err


def prove(text: str, said: Json, **schema: Json) -> tuple[str | None, float]:
    """The words that prove a value (None where nothing does) of a field called as the text calls it, and how sure."""
    name = str(schema.pop("name", "value"))
    wanted = {"type": "object", "properties": {name: {"type": "string", **schema}}}
    proof = ground(text, {name: said}, wanted).file.evidence[f"/{name}"]
    assert proof.confidence is not None
    return (proof.spans[0].quote if proof.match is not Match.NONE else None), proof.confidence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Policy No AB-12345", "AB-12345"),
        ("VAT Reg No GB 123 4567 89", "GB123456789"),
        ("account no 12345678", "12345678"),
        ("Invoice No INV 77", "INV 77"),
    ],
)
def test_no_before_a_code_is_short_for_number_and_denies_nothing(text: str, said: str) -> None:
    assert prove(text, said)[1] > 0.9


@pytest.mark.parametrize(("text", "said"), [("No type 2 diabetes", "type 2 diabetes"), ("no COVID-19", "COVID-19")])
def test_no_before_words_denies_them(text: str, said: str) -> None:
    assert prove(text, said)[1] < 0.5


def test_no_for_number_denies_no_clause() -> None:
    text = "The car with Policy No 12345 is insured."
    assert prove(text, True, type="boolean", name="insured")[0] == text
    assert prove(text, False, type="boolean", name="insured")[0] is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Dose: 0.5 mL every 8 h", "5 ml"),
        ("Dose 1,10 mg", "10 mg"),
        ("Section 4.2.1 Rent", "2.1 Rent"),
        ("Weight: 1,250 kg", "250 kg"),
    ],
)
def test_words_that_begin_within_a_number_prove_nothing(text: str, said: str) -> None:
    assert prove(text, said)[0] is None


@pytest.mark.parametrize(
    ("text", "said"),
    [("x,4711,10,Bolt", "4711"), ("PO box 12,80331 Munich", "80331 Munich"), ("As in 4.2. Rent", "4.2")],
)
def test_figures_in_a_row_of_values_are_found(text: str, said: str) -> None:
    assert prove(text, said)[0] == said


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("Write to john.doe.smith@example.com", "john.doe.smith@example.com", "jon.doe.smith@example.com"),
        ("Order INV-2024-0012345-AB-99", "INV-2024-0012345-AB-99", "INV-2024-0012345-AC-99"),
        (
            "Hauptstraße 12a\n80331 München\nGermany",
            "Hauptstraße 12a, 80331 München, Germany",
            "Hauptstraße 12b, 80331 München, Germany",
        ),
        ("Blood pressure 120/80 mmHg", "120/80", "120/90"),
        ("Case 12 O 345/23", "12 O 345/23", "12 O 354/23"),
        ("Fiscal year 2022/2023", "2022/23", "2021/22"),
        ("Total: 1.234,00 € (ca. 1,340.00 USD)", "1340 USD", "1340 EUR"),
        ("Total: 1.234,00 € (1,340.00 USD)", "1234 EUR", "1340 EUR"),
        ("Total: 1.234,00 € (1,340.00 USD)", "1340 USD", "1340 GBP"),
    ],
)
def test_what_is_nearly_said_proves_nothing(text: str, right: str, wrong: str) -> None:
    assert prove(text, right)[0] is not None
    assert prove(text, wrong)[0] is None


PAYMENTS = ["cash", "credit card", "transfer"]


@pytest.mark.parametrize(
    "text",
    [
        "Payment: ☐ Cash ☒ Credit card ☐ Transfer",
        "Payment:\n[ ] Cash\n[x] Credit card\n[ ] Transfer\n",
        "Payment: Cash ☐ Credit card ☒ Transfer ☐",
        "○ Cash ● Credit card ○ Transfer",
    ],
)
def test_a_choice_beside_an_empty_box_is_not_proved(text: str) -> None:
    proved = [said for said in PAYMENTS if prove(text, said, enum=PAYMENTS, name="payment")[0]]
    assert proved == ["credit card"]


@pytest.mark.parametrize(
    "text",
    [
        "| Question | Yes | No |\n|---|---|---|\n| Smoker | | X |\n| Married | X | |\n",
        "Question\tYes\tNo\nSmoker\t\tx\nMarried\tx\t\n",
        "Frage | Ja | Nein\nSmoker |  | ☒\nMarried | ☒ | ",
        "| | Oui | Non |\n|---|---|---|\n| Smoker | ☐ | ☒ |\n| Married | ☒ | ☐ |\n",
    ],
)
def test_a_mark_in_a_table_says_what_its_column_says(text: str) -> None:
    for name, answer in (("smoker", False), ("married", True)):
        assert prove(text, answer, type="boolean", name=name)[0] is not None
        assert prove(text, not answer, type="boolean", name=name)[0] is None


def test_a_sign_in_a_table_answers_the_words_of_its_row() -> None:
    text = "| Feature | Included |\n|---|---|\n| WiFi | ✓ |\n| Parking | ✗ |\n"
    for name, answer in (("wifi", True), ("parking", False)):
        assert prove(text, answer, type="boolean", name=name)[0] is not None
        assert prove(text, not answer, type="boolean", name=name)[0] is None


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("Departs 2024-03-15 08:05 (UTC+1)", "2024-03-15T08:05:00+01:00", "2024-03-15T08:05:00+02:00"),
        ("Departs 2024-03-15 08:05 (UTC+1)", "2024-03-15T07:05:00Z", "2024-03-15T08:05:00Z"),
        ("Fri, 15 Mar 2024 08:05:33 -0500", "2024-03-15T13:05:33Z", "2024-03-15T08:05:33Z"),
        ("Fri, 15 Mar 2024 08:05:33 -0500", "2024-03-15T08:05:33", "2024-03-15T13:05:33"),
        ("March 15, 2024, 10:00 AM PST", "2024-03-15T10:00:00-08:00", "2024-03-15T10:00:00-05:00"),
        ("15 March 2024, 10:00", "2024-03-15T10:00:00+01:00", "2024-03-15T11:00:00+01:00"),
    ],
)
def test_a_moment_is_proved_in_its_own_zone_and_in_others(text: str, right: str, wrong: str) -> None:
    assert prove(text, right, format="date-time")[0] is not None
    assert prove(text, wrong, format="date-time")[0] is None


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("Cook time: 1 h 30 min", "PT1H30M", "PT1H"),
        ("Dauer: 1 Std. 30 Min.", "PT1H30M", "PT30M"),
        ("Length 02:15:30", "PT2H15M30S", "PT2H15M"),
        ("90 days. 30 days later", "P90D", "P30M"),
        ("30 days 60 days", "P30D", "P90M"),
        ("1 year and 6 months", "P1Y", "P1M"),
    ],
)
def test_a_duration_of_two_units_is_proved_as_a_whole(text: str, right: str, wrong: str) -> None:
    assert prove(text, right, format="duration")[0] is not None
    assert prove(text, wrong, format="duration")[0] is None


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("on 3, 5 and 9 March 2024", ["2024-03-03", "2024-03-05", "2024-03-09"], "2024-03-04"),
        ("am 3., 5. und 9. März 2024", ["2024-03-03", "2024-03-05", "2024-03-09"], "2024-03-04"),
        ("March 3, 5 and 9, 2024", ["2024-03-03", "2024-03-05", "2024-03-09"], "2024-05-03"),
        ("会期：2024年3月12日から15日まで", ["2024-03-12", "2024-03-15"], "2024-03-14"),
        ("기간: 2024년 3월 12일 ~ 15일", ["2024-03-12", "2024-03-15"], "2024-03-14"),
        ("2024年3月12日 15日", ["2024-03-12"], "2024-03-15"),
        ("с 1 по 31 марта 2024 г.", ["2024-03-01", "2024-03-31"], "2024-03-30"),
        ("Date of birth 12 AUG / AOÛT 1985", ["1985-08-12"], "1985-08-13"),
    ],
)
def test_days_that_share_a_month_are_proved_each(text: str, right: list[str], wrong: str) -> None:
    assert all(prove(text, day, format="date")[0] for day in right)
    assert prove(text, wrong, format="date")[0] is None


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("Sales by region, $ millions\nNorth\t12.5", 12_500_000, 12_600_000),
        ("All figures in USD '000\nNorth 1,250", 1_250_000, 1_205_000),
        ("Sales, £m\nNorth 12.5", 12_500_000, 12_500),
        ("тыс. руб.\nВыручка 12 345", 12_345_000, 12_354_000),
        ("单位：万元\n营业收入 1,234.5", 12_345_000, 1_234_500),
        ("（単位：億円）\n売上高 12", 1_200_000_000, 120_000_000),
        ("(단위: 백만원)\n매출액 1,234", 1_234_000_000, 1_243_000_000),
        ("Paid $5 millions to 3 people", 5_000_000, 3_000_000),
        ("Sales 12.5 €m, staff 7", 7, 7_000_000),
    ],
)
def test_a_heading_that_scales_amounts_is_read_in_its_own_words(text: str, right: float, wrong: float) -> None:
    assert prove(text, right, type="number")[0] is not None
    assert prove(text, wrong, type="number")[0] is None


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("Bolts 10mm-20mm", 20, -20),
        ("Store at -20°C–60°C", 60, -60),
        ("Share 5%-10%", 10, -10),
        ("From 5€-10€", 10, -10),
        ("Change 3% -5%", -5, 3.5),
        ("A B-52 bomber", 0, 52),
    ],
)
def test_a_dash_between_two_figures_of_one_unit_is_no_sign(text: str, right: float, wrong: float) -> None:
    assert right == 0 or prove(text, right, type="number")[0] is not None
    assert prove(text, wrong, type="number")[0] is None


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("Surname: O'BRIEN\nGiven names: SEAN PATRICK", "Sean Patrick O'Brien", "Sean Peter O'Brien"),
        ("**First name:** Ann\n**Last name:** Lee", "Ann Lee", "Anna Lee"),
        ("Surname/Nom\nDUPONT\nGiven names/Prénoms\nJEAN", "Jean Dupont", "Jeanne Dupont"),
        ("Last name | First name\nLee | Ann\nKing | Ada", "Ada King", "Ada Lee"),
        ("First name: Ann\nLast name: Lee\nCity: King", "Ann Lee", "Ann King"),
        ("Lovelace AB, Babbage C. Notes", "A. B. Lovelace", "A. C. Lovelace"),
        ("Babbage C, Faraday M. Notes", "M. Faraday", "N. Faraday"),
    ],
)
def test_a_name_whose_parts_have_labels_of_their_own_is_proved(text: str, right: str, wrong: str) -> None:
    assert prove(text, right)[0] is not None
    assert prove(text, wrong)[0] is None


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("One thousand two hundred and 56/100 dollars", 1200.56, 1200),
        ("mille deux cents euros et cinquante-six centimes", 1200.56, 1200.65),
        ("twelve euros and fifty cents", 12.5, 12),
        ("12 euros et 50 centimes", 12.5, 12.05),
        ("5 dollars 5 cents", 5.05, 5.5),
        ("3 people and 20 cents", 3, 3.2),
        ("fünfundzwanzig Prozent", 0.25, 0.52),
        ("Margin +150bps", 1.5, 15),
    ],
)
def test_amounts_in_two_units_and_shares_in_words_are_proved_as_they_are(text: str, right: float, wrong: float) -> None:
    assert prove(text, right, type="number")[0] is not None
    assert prove(text, wrong, type="number")[0] is None


@pytest.mark.parametrize(
    ("text", "right", "wrong", "schema"),
    [
        ("Open 9–17 Uhr", "09:00", "09:17", {"format": "time"}),
        ("Open 2-5 pm", "14:00", "02:00", {"format": "time"}),
        ("Open 2-5 pm", "17:00", "05:00", {"format": "time"}),
        ("doi:10.1000/XYZ12345.", "https://doi.org/10.1000/xyz12345", "https://doi.org/10.1000/xyz1234", {}),
        ("ORCID: 0000-0002-1825-0097", *(f"https://orcid.org/0000-0002-1825-009{n}" for n in "78"), {"format": "uri"}),
        ("Phone: (212) 555-0187 x104", "212-555-0187 ext. 104", "212-555-0187 ext. 105", {}),
        ("Phone: +1 212 555 0187 ext. 104", "(212) 555-0187 x104", "(212) 555-0187 x105", {}),
        ("Blood group: O", "O", "O-", {"enum": ["O", "O-", "O+"]}),
    ],
)
def test_the_whole_of_a_time_an_address_of_a_code_and_an_extension_counts(
    text: str, right: str, wrong: str, schema: dict[str, Json]
) -> None:
    assert prove(text, right, **schema)[0] is not None
    assert prove(text, wrong, **schema)[0] is None


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("Tel +49 30 1234567", "0049 30 1234567", "+43 30 1234567"),
        ("Tel +49 30 1234567", "030 1234567", "030 1234576"),
        ("Tel 030 1234567", "+49 30 1234567", "+49 30 1234576"),
        ("GTIN 4 006381 333931", "4006381333931", "7006381333931"),
        ("Fiscal year 2022/2023", "2022/23", "2022/26"),
        ("Due: 2 April 2024", "02/04/2024", "34/02/2024"),
        ("Due: 2 April 2024", "2.4.2024", "33.03.2024"),
        ("doi:10.1000/XYZ12345.", "https://doi.org/10.1000/xyz12345", "https://example.org/10.1000/xyz12345"),
    ],
)
def test_what_was_said_besides_what_is_found_counts(text: str, right: str, wrong: str) -> None:
    assert prove(text, right)[0] is not None
    assert prove(text, wrong)[0] is None


def test_the_dash_of_a_range_of_amounts_is_no_minus_behind_the_first() -> None:
    assert prove("Salary: £55k–£60k", 55_000, type="number")[0] == "55k"
    assert prove("Salary: £55k–£60k", -55_000, type="number")[0] is None


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"thoughts": "The order number stands in the first line."}, Status.COMPLETE),
        ({"confidence": 0.97}, Status.COMPLETE),
        (
            {"delivery": "3 March 2026"},
            Status.SUSPECT,
        ),  # a value of the document, under a name that is not the schema's
        ({"article": "Bolts"}, Status.SUSPECT),
    ],
)
def test_what_is_said_under_another_name_is_lost_only_where_the_document_has_its_words(
    more: dict[str, Json], status: Status
) -> None:
    schema = {"type": "object", "properties": {"order": {"type": "string"}, "boxes": {"type": "integer"}}}
    result = ground(TEXT, {"order": "A-7", "boxes": 4, **more}, schema)
    assert result.record == {"order": "A-7", "boxes": 4} and result.status is status
    (rejected,) = result.rejected
    assert rejected.reason == "not in the schema" and rejected.evidence is not None
    assert bool(rejected.evidence.spans) == (status is Status.SUSPECT)


BOARD = ["Ann Lee", "Ben Okafor", "Carla Diaz"]
COMMITTEE = ["Carla Diaz", "Ben Okafor"]


@pytest.mark.parametrize("title", ["## {}\n\n", "{}\n", "{}:\n\n", "2. {}\n", "**{}**\n"])
@pytest.mark.parametrize("named", [False, True])
def test_of_lists_that_share_their_entries_each_has_those_below_its_own_name(title: str, named: bool) -> None:
    board, committee = title.format("Board"), title.format("Audit committee")
    text = f"{board}{listed(BOARD)}\n{committee}{listed(COMMITTEE)}\n{title.format('Auditors')}{listed(BOARD[:1])}"
    lists = {"auditors": BOARD[:1], "audit_committee": COMMITTEE, "board": BOARD}
    record: dict[str, Json] = {n: [{"name": one} for one in v] if named else v for n, v in lists.items()}
    result = ground(text, record)
    begins = {"board": 0, "audit_committee": text.index(committee), "auditors": text.index(title.format("Auditors"))}
    for name, entries in lists.items():
        for i, entry in enumerate(entries):
            span = result.file.evidence[f"/{name}/{i}/name" if named else f"/{name}/{i}"].spans[0]
            assert span.start == text.index(entry, begins[name] + len("2. A")), (name, entry)


def test_lists_in_objects_are_told_apart_by_the_names_of_these() -> None:
    listed = "Aspirin 100 mg\nRamipril 5 mg\n"
    text = f"Medication on admission\n{listed}\nMedication at discharge\n{listed}"
    drugs = [{"drug": "Aspirin", "dose": "100 mg"}, {"drug": "Ramipril", "dose": "5 mg"}]
    result = ground(text, {"discharge": {"medication": drugs}, "admission": {"medication": drugs}})
    halves = {"admission": 0, "discharge": text.index("Medication at")}
    for name, begin in halves.items():
        for i, drug in enumerate(drugs):
            found = {key: result.file.evidence[f"/{name}/medication/{i}/{key}"].spans[0].start for key in drug}
            assert found == {key: text.index(said, begin) for key, said in drug.items()}


@pytest.mark.parametrize("title", ["## {}\n", "{}:\n", "**{}**\n\n"])
def test_a_long_object_has_the_words_below_its_own_name(title: str) -> None:
    words = ("amber", "birch", "cedar", "delta", "ebony", "fern", "grove", "hazel", "iris")
    borrower = {f"field_{number}": word for number, word in enumerate(words)}
    lender = borrower | {"field_0": "omega", "field_4": "sigma"}
    begins = {"lender": 0, "borrower": len(title.format("Lender") + "\n".join(lender.values()))}
    text = "\n".join(
        title.format(name) + "\n".join(one.values()) for name, one in (("Lender", lender), ("Borrower", borrower))
    )
    result = ground(text, {"borrower": borrower, "lender": lender})
    for name, one in (("lender", lender), ("borrower", borrower)):
        found = {key: result.file.evidence[f"/{name}/{key}"].spans[0].start for key in one}
        assert found == {key: text.index(said, begins[name]) for key, said in one.items()}


def listed(entries: list[str]) -> str:
    return "".join(f"- {one}\n" for one in entries)


@pytest.mark.parametrize("order", [("board", "committee"), ("committee", "board")])
def test_entries_of_a_plain_list_stand_together_where_no_heading_names_their_list(order: tuple[str, str]) -> None:
    lists = {"board": ["Ann Lee", "Ben Okafor", "Carla Diaz"], "committee": ["Ben Okafor", "Carla Diaz", "Dana Wolf"]}
    parts = [f"{title}\n{listed(lists[name])}\n" for title, name in zip(("Vorstand", "Beirat"), order, strict=True)]
    text = "".join(parts)
    result = ground(text, dict(lists))
    begins = {order[0]: 0, order[1]: len(parts[0])}
    for name, entries in lists.items():
        found = [result.file.evidence[f"/{name}/{i}"].spans[0].start for i in range(len(entries))]
        assert found == [text.index(one, begins[name]) for one in entries]
