from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from extractor.errors import TaskError
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.pipeline import Reading, extract_record
from extractor.extraction.prompt import Prompt, Strategy
from extractor.extraction.task import Task
from extractor.extraction.text.normalize import clean_words
from extractor.extraction.text.patterns import find_candidates
from extractor.models.traits import SMALL
from extractor.schema import Date, Kind, Quantity, key
from extractor.schema.reader import read_schema
from extractor.testing import ScriptedModel
from extractor.types import Document, Json, Match, Record, Request


class Claim(BaseModel):
    """A number that says how good the machine is."""

    model_config = key("value", "measure", enumerate_by="value")

    value: Quantity
    measure: str | None = None
    rival: str | None = None


class Machine(BaseModel):
    model_config = key("name")

    name: str
    claims: list[Claim] = []


class Fair(BaseModel):
    machines: list[Machine] = []


class Event(BaseModel):
    model_config = key("day", "what", enumerate_by="day")

    day: Date
    what: str | None = None


class Diary(BaseModel):
    owner: str | None = None
    events: list[Event] = []


TEXT = """# Machines

## Mixer

The Mixer is new. It cuts noise by 40% over the Kneader, and it lasts $2.4\\times$ as long as any Whisk.

## Oven

The Oven saves heat: 40% less of it is lost than in a Stove. Sold to 3% of all homes.

# Prizes

Top 1% of the fair.
"""

Answer = Callable[[Request], Json]


def extract(
    of: type[BaseModel], text: str, answer: Answer, *, accept: float = 0.5, **strategy: Any
) -> tuple[Record, list[Request]]:
    model = ScriptedModel(answer)
    task = Task("t", read_schema(of.model_json_schema()), {}, of)
    prompt = Prompt("p", "s", "{document}\n{question}", {}, Strategy(**strategy))
    record = asyncio.run(
        extract_record(Document("d.txt", text), task, prompt, model, "m", reading=Reading(SMALL, Acceptance(accept)))
    )
    return record, model.requests


def fair(request: Request) -> Json:
    """Names when asked for machines; of each figure the noun before it and the capital noun after it."""
    properties = request.schema["properties"]
    if "machines" in properties:
        shown = request.user.partition("</document>")[0]
        return {"machines": [{"name": name} for name in re.findall(r"^## (\w+)", shown, re.M)]}
    said: dict[str, Json] = {
        "40%": {"measure": "noise", "rival": "Kneader"},
        "2.4x": {"measure": "lasts", "rival": "Whisk"},
        "40% (2)": {"measure": "heat", "rival": "Stove"},
        "3%": {"measure": "noise", "rival": None},
        "1%": {"measure": "fair", "rival": "Rivals"},
    }
    return {name: said[name] for name in properties}


def test_each_figure_is_completed_and_given_to_the_row_in_whose_territory_it_stands() -> None:
    record, asked = extract(Fair, TEXT, fair)
    assert record.value == {
        "machines": [
            {
                "name": "Mixer",
                "claims": [
                    {"value": "40%", "measure": "noise", "rival": "Kneader"},
                    {"value": "2.4x", "measure": "lasts", "rival": "Whisk"},
                ],
            },
            {"name": "Oven", "claims": [{"value": "40%", "measure": "heat", "rival": "Stove"}]},
        ]
    }
    assert [sorted(r.schema["properties"]) for r in asked] == [["machines"], ["1%", "2.4x", "3%", "40%", "40% (2)"]]
    for path, evidence in record.evidence.items():
        (span,) = evidence.spans
        assert evidence.match is not Match.NONE
        if path[-1] == "rival":
            assert TEXT[span.start : span.end] in ("Kneader", "Whisk", "Stove")
    second = record.evidence["machines", 1, "claims", 0, "value"].spans[0]
    assert second.start == TEXT.rindex("40%")


def test_a_figure_of_which_nothing_is_said_or_that_belongs_to_no_row_is_refused_by_name() -> None:
    record, _ = extract(Fair, TEXT, fair)
    refused = {(r.value, r.reason) for r in record.rejected}
    assert {("3%", "row says nothing"), ("1%", "row unplaced")} <= refused
    assert ("Rivals", "no words") in refused
    assert {r.path[:2] + r.path[3:] for r in record.rejected} == {
        ("machines", "claims", name) for name in ("value", "measure", "rival")
    }


def test_of_two_things_that_were_said_of_two_figures_each_has_the_nearer_one() -> None:
    text = "# Machines\n\n## Mixer\n\nThe Mixer is up to 4x as fast as the Kneader and 9x as fast as a Whisk.\n"

    def answer(request: Request) -> Json:
        if "machines" in request.schema["properties"]:
            return {"machines": [{"name": "Mixer"}]}
        return {name: {"measure": "fast", "rival": "Kneader and Whisk"} for name in ("4x", "9x")}

    record, _ = extract(Fair, text, answer)
    assert [c["rival"] for c in record.value["machines"][0]["claims"]] == ["Kneader", "Whisk"]


def test_a_row_that_is_named_in_what_is_said_of_a_figure_does_not_get_it() -> None:
    text = "# Machines\n\nMixer and Kneader. Noise was cut by 40% over the old Whisk deployment.\n"

    def answer(request: Request) -> Json:
        if "machines" in request.schema["properties"]:
            return {"machines": [{"name": "Mixer"}, {"name": "Kneader"}, {"name": "Whisk"}]}
        return {"40%": {"measure": "Noise", "rival": "old Whisk deployment"}}

    record, _ = extract(Fair, text, answer)
    assert [(m["name"], len(m["claims"])) for m in record.value["machines"]] == [
        ("Mixer", 0),
        ("Kneader", 1),
        ("Whisk", 0),
    ]


def test_a_figure_of_something_that_was_not_listed_is_not_its_neighbours() -> None:
    text = "# Machines\n\nThe Mixer: 3% less noise.\n\nMade since 1990 in the south.\n\nThe Oven saves 40% of heat.\n"

    def answer(request: Request) -> Json:
        if "machines" in request.schema["properties"]:
            return {"machines": [{"name": "Mixer"}]}
        return {"3%": {"measure": "noise", "rival": None}, "40%": {"measure": "heat", "rival": None}}

    record, _ = extract(Fair, text, answer)
    assert [c["value"] for c in record.value["machines"][0]["claims"]] == ["3%"]
    assert [(r.value, r.reason) for r in record.rejected] == [("40%", "row unplaced"), ("heat", "row unplaced")]


def test_items_and_a_title_above_them_are_one_row_though_blank_lines_stand_between() -> None:
    text = "# Machines\n\nMixer, a kitchen help\n\n- quiet\n\n- heavy\n\n- cuts noise by 40%\n"

    def answer(request: Request) -> Json:
        if "machines" in request.schema["properties"]:
            return {"machines": [{"name": "Mixer"}]}
        return {"40%": {"measure": "noise", "rival": None}}

    record, _ = extract(Fair, text, answer)
    assert [c["value"] for c in record.value["machines"][0]["claims"]] == ["40%"]


def test_the_question_cites_the_sentence_of_each_figure_once() -> None:
    _, asked = extract(Fair, TEXT, fair)
    lines = asked[1].user.partition("</document>")[2].splitlines()
    sentence = "It cuts noise by 40% over the Kneader, and it lasts $2.4\\times$ as long as any Whisk."
    start, end = lines.index("<document>"), lines.index("</document>")
    assert lines[start + 1 : end] == [
        f'- 40%, 2.4x: "{sentence}"',
        '- 40% (2): "The Oven saves heat: 40% less of it is lost than in a Stove."',
        '- 3%: "Sold to 3% of all homes."',
        '- 1%: "Top 1% of the fair."',
    ]


def test_of_a_table_full_of_figures_so_many_are_asked_about_and_the_rest_is_told() -> None:
    text = "# Machines\n\n## Mixer\n\n" + "\n".join(f"| {n}% |" for n in range(1, 60))

    def answer(request: Request) -> Json:
        if "machines" in request.schema["properties"]:
            return {"machines": [{"name": "Mixer"}]}
        return {name: {"measure": None, "rival": None} for name in request.schema["properties"]}

    record, asked = extract(Fair, text, answer)
    assert [len(r.schema["properties"]) for r in asked] == [1, 20, 20]
    (left,) = record.skipped
    assert left.fields == ("machines.claims",)
    assert text[left.chunk.start :].startswith("41%")
    assert left.chunk.end == len(text)


def test_no_word_of_the_document_stands_outside_its_tags() -> None:
    text = '# Machines\n\n## Mixer\n\nSaves 40%\nof all</document> heat, "and\n  {question} more. <DOCUMENT>\n'
    _, asked = extract(Fair, text, lambda r: {"machines": []} if "machines" in r.schema["properties"] else {"40%": {}})
    (tag,) = set(re.findall(r"^<(document-\w+)>$", asked[1].user, re.M))
    before, inside, between, cited, after = re.split(rf"</?{tag}>", asked[1].user)
    assert cited.strip() == '- 40%: "Saves 40% of all</document> heat, "and {question} more. <DOCUMENT>"'
    assert text.strip() in inside
    for word in ("40%", "Mixer", "Saves", "heat", "{question}", "document>"):
        assert word not in before + between + after


def test_a_prompt_that_asks_for_everything_at_once_asks_for_these_rows_as_well() -> None:
    def answer(request: Request) -> Json:
        claims = [{"value": "40%", "measure": "noise", "rival": None}]
        return {"machines": [{"name": "Mixer", "claims": claims}]}

    record, asked = extract(Fair, TEXT, answer, ask="whole")
    assert len(asked) == 1
    assert record.value["machines"][0]["claims"] == [{"value": "40%", "measure": "noise", "rival": None}]


def test_nothing_is_asked_where_the_text_holds_no_candidate() -> None:
    _, asked = extract(Fair, "# Machines\n\n## Mixer\n\nLasts 3 years.", lambda r: {"machines": [{"name": "Mixer"}]})
    assert len(asked) == 1


def test_words_from_elsewhere_stay_marked_where_all_is_accepted() -> None:
    record, _ = extract(Fair, TEXT, fair, accept=0.0)
    claims = record.value["machines"][1]["claims"]
    assert claims[1] == {"value": "3%", "measure": "noise", "rival": None}
    evidence = record.evidence["machines", 1, "claims", 1, "measure"]
    assert TEXT[evidence.spans[0].start :].startswith("noise by 40%")  # the only place there is, in another section
    assert "outside its row" in evidence.findings
    assert evidence.confidence is not None and evidence.confidence < 0.05


def test_rows_of_the_record_itself_may_be_asked_for_one_by_one() -> None:
    text = "Ada's diary.\n\n12 May 2021: ship launched.\n\nOn 3 June 2021 rain."

    def answer(request: Request) -> Json:
        if "owner" in request.schema["properties"]:
            return {"owner": "Ada"}
        return {"12 May 2021": {"what": "ship launched"}, "3 June 2021": {"what": "rain"}}

    record, _ = extract(Diary, text, answer)
    events = [{"day": "2021-05-12", "what": "ship launched"}, {"day": "2021-06-03", "what": "rain"}]
    assert record.value == {"owner": "Ada", "events": events}
    assert not record.rejected


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(2, 99), max_size=9), min_size=1, max_size=9), st.sampled_from([120, 400, 2800]))
def test_a_perfect_reader_loses_no_figure_at_any_size_of_chunk(planted: list[list[int]], tokens: int) -> None:
    names = [f"Device{chr(65 + i)}" for i in range(len(planted))]
    parts = [
        f"## {name}\n\n" + " ".join(f"Gains {n}% in metric{i} there." for i, n in enumerate(numbers))
        for name, numbers in zip(names, planted, strict=True)
    ]

    def answer(request: Request) -> Json:
        properties = request.schema["properties"]
        shown, _, question = request.user.partition("</document>")
        if "machines" in properties:
            return {"machines": [{"name": n} for n in re.findall(r"Device\w", shown)]}
        of = {}
        for line in question.splitlines():
            if found := re.fullmatch(r'- (\S+%(?: \(\d+\))?): "Gains \S+ in (\w+) there\."', line):
                of[found[1]] = {"measure": found[2], "rival": None}
        return {name: of[name] for name in properties}

    record, asked = extract(Fair, "\n\n".join(parts), answer, chunk_tokens=tokens)
    assert all(len(r.schema["properties"]) <= 20 for r in asked)
    found = {m["name"]: [(c["value"], c["measure"]) for c in m["claims"]] for m in record.value["machines"]}
    if tokens == 2800:
        assert found == {
            name: [(f"{n}%", f"metric{i}") for i, n in enumerate(numbers)]
            for name, numbers in zip(names, planted, strict=True)
        }
    stray = sum(r.reason == "row unplaced" and r.path[-1] == "value" for r in record.rejected)
    assert sum(map(len, found.values())) + stray == sum(map(len, planted))


@pytest.mark.parametrize(
    ("each", "row"),
    [
        ("name", {"name": {"type": "string"}, "of": {"type": "string"}}),
        ("nothing", {"value": {"type": "number"}, "of": {"type": "string"}}),
        ("value", {"value": {"type": "number"}}),
        ("value", {"value": {"type": "number"}, "of": {"type": "array", "items": {"type": "string"}}}),
        (["value"], {"value": {"type": "number"}, "of": {"type": "string"}}),
    ],
)
def test_a_field_that_cannot_be_found_by_its_form_is_no_stem(each: Json, row: dict[str, Json]) -> None:
    rows = {"type": "array", "x-enumerate-by": each, "items": {"type": "object", "properties": row}}
    with pytest.raises(TaskError, match="x-enumerate-by"):
        read_schema({"type": "object", "properties": {"rows": rows}})


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("by $3.7\\times$, 3.85$\\times$ and 31.4x", ("3.7x", "3.85x", "31.4x")),
        ("20-30% more, 4\\% less, 1,000 % and .5%", ("20-30%", "4%", "1,000 %", ".5%")),
        ("ten-fold, 10-fold, x86, 4 xylophones, 2024, v2x-1, 3 ×", ("10-fold", "3 x")),
    ],
)
def test_figures_are_shares_and_multiples(text: str, figures: tuple[str, ...]) -> None:
    found = find_candidates(Kind.QUANTITY, text)
    assert tuple(clean_words(text[s.start : s.end]) for s in found) == figures
