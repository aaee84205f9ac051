"""`extractor run --split` and `--route`: files of several documents, folders of several kinds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bounded_work import ends_soon
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_pdf import Line, page, write

from extractor.cli.main import main
from extractor.documents.discovery import find_sources, read_source
from extractor.documents.locations import SourceOffsets
from extractor.documents.parts import TextPart, cut_document
from extractor.results.model import ResultFile
from extractor.runs.splitting import find_starts, find_starts_of_pages
from extractor.testing import FaultEndpoint
from extractor.types import Document, Span, TextTable

Start = Callable[..., FaultEndpoint]
BILL = {
    "title": "bill",
    "type": "object",
    "x-split": "number",
    "properties": {
        "number": {"type": ["string", "null"], "description": "number of the bill"},
        "total": {"type": ["number", "null"]},
    },
}
LIFE = {"title": "life", "type": "object", "properties": {"name": {"type": ["string", "null"]}}}
ROUTES = """
[bills]
schema = "bill.json"
description = "bills of suppliers"
formats = ["csv"]

[lives]
schema = "life.json"
description = "lives of people"
files = ["cv-*"]
"""


def answer(body: dict[str, Any], n: int) -> str:
    """A model that reads: each bill begins with its firm, whatever its number."""
    text, _, asked = body["messages"][-1]["content"].partition("</document>")
    numbers, totals = re.findall(r"No\. (B-\d+)", text), re.findall(r"Total (\d+)", text)
    if "first_words" in asked:
        told = "mark" if "mark" in asked else "number"
        rows = [{"first_words": "ACME Ltd", told: number} for number in numbers]
        return json.dumps({"documents": rows})
    if "words of the document" in asked:
        kind = "bills" if numbers else "lives" if "Life of" in text else None
        words = {"bills": "ACME Ltd", "lives": "Life of", None: None}[kind]
        return json.dumps({"task": kind, "words": "never written" if "vague" in text else words})
    if "name" in asked and "number" not in asked:
        return json.dumps({"name": (re.findall(r"Life of (\w+)", text) or [None])[0]})
    return json.dumps({"number": (numbers or [None])[0], "total": int(totals[0]) if totals else None})


def write_bill(number: int) -> str:
    return f"ACME Ltd\nBill No. B-{number}\nbolts, nuts\nTotal {number * 10}\n\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "bill.json").write_text(json.dumps(BILL))
    (tmp_path / "life.json").write_text(json.dumps(LIFE))
    (tmp_path / "tasks.toml").write_text(ROUTES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI", raising=False)  # where nothing is recorded
    return tmp_path


def run(server: FaultEndpoint | None, *flags: str) -> int:
    address = ["--base-url", server.url if server else "http://127.0.0.1:9/v1"]
    return main(["run", "in", "-o", "out", "--model", "m", *address, "--quiet", *flags])


def told(place: Path, name: str) -> Any:
    return json.loads((place / "out" / f"{name}.json").read_text())


def test_bills_in_one_file_become_a_record_each_with_the_words_that_part_them(place: Path, faults: Start) -> None:
    (place / "in" / "scan.txt").write_text("".join(map(write_bill, range(1, 6))))
    (place / "in" / "one.txt").write_text(write_bill(9))
    server = faults(answer)
    assert run(server, "--schema", "bill.json") == 0
    for number in range(1, 6):
        part = told(place, f"scan-part-{number}")
        assert part["record"] == {"number": f"B-{number}", "total": number * 10}
        assert part["document"]["text"].strip() == write_bill(number).strip()
        assert f"Document {number} of 5 in scan.txt; it begins at “ACME Ltd”" in part["document"]["notes"][-1]
        assert part["evidence"]["/number"]["spans"][0]["quote"] == f"B-{number}"
    assert told(place, "one")["record"]["number"] == "B-9", "a file of one document stays what it is"
    files = {file["file"]: file["documents"] for file in told(place, "parts")["files"]}
    assert [one["words"]["quote"] for one in files["scan.txt"]] == ["ACME Ltd"] * 5
    assert all(one["confidence"] > 0.5 and one["by"] == "model" for one in files["scan.txt"])
    assert [one["name"] for one in files["one.txt"]] == ["one.txt"]
    asked = told(place, "split/scan")
    assert asked["task"] == "split" and len(asked["record"]["documents"]) == 5, (
        "a record like any other, to be reviewed"
    )
    before = server.requests
    assert run(server, "--schema", "bill.json") == 0
    assert server.requests == before, "a finished run asks nothing, of parts either"


def test_what_a_model_cites_that_does_not_stand_there_parts_nothing(place: Path, faults: Start) -> None:
    (place / "in" / "scan.txt").write_text(write_bill(1) + write_bill(2))

    def invent(body: dict[str, Any], n: int) -> str:
        if "first_words" in body["messages"][-1]["content"].partition("</document>")[2]:
            return json.dumps({"documents": [{"first_words": "Never there"}, {"first_words": "Nor there"}]})
        return answer(body, n)

    assert run(faults(invent), "--schema", "bill.json", "--split", "documents") == 0
    assert told(place, "scan")["document"]["text"].count("ACME") == 2
    assert run(faults(answer), "--schema", "bill.json", "--split", "none", "--fresh") == 0
    assert run(faults(answer), "--schema", "bill.json", "--split", "colour") == 2


def test_a_field_parts_documents_and_what_has_none_of_its_values_does_not(place: Path, faults: Start) -> None:
    (place / "in" / "one.txt").write_text(write_bill(1) + "Thank you.\n")
    (place / "in" / "two.txt").write_text(write_bill(2) + "Page 2 of B-2\nnuts\n" + write_bill(3))

    def see_too_many(body: dict[str, Any], n: int) -> str:
        """As a small model does: every paragraph is a document to it, and the same one twice."""
        text, _, asked = body["messages"][-1]["content"].partition("</document>")
        if "first_words" not in asked:
            return answer(body, n)
        rows = [{"first_words": "ACME Ltd", "number": number} for number in re.findall(r"No\. (B-\d+)", text)]
        more = [{"first_words": words, "number": None} for words in ("Thank you.", "nuts") if words in text]
        again = [{"first_words": "Page 2", "number": "B-2"}] if "Page 2" in text else []
        return json.dumps({"documents": [*reversed(rows), *again, *more]})

    run(faults(see_too_many), "--schema", "bill.json")
    files = {file["file"]: [one["start"] for one in file["documents"]] for file in told(place, "parts")["files"]}
    text = (place / "in" / "two.txt").read_text()
    assert files == {"one.txt": [0], "two.txt": [0, text.rindex("ACME Ltd")]}


def test_first_words_of_documents_that_begin_alike_are_those_above_what_tells_them_apart() -> None:
    text = write_bill(1) + write_bill(2)
    document, second = Document("post.txt", text), text.rindex("ACME Ltd")

    def prove(at: int, length: int) -> dict[str, Any]:
        span = {"start": at, "end": at + length, "quote": text[at : at + length]}
        return {"match": "exact", "spans": [span], "said": "", "confidence": 0.9}

    result = ResultFile.model_validate(
        {
            "format": "extractor.result/1",
            "document": {"name": "post.txt"},
            "evidence": {
                "/documents/0/first_words": prove(second, 8),  # of the other bill, as the mark says
                "/documents/0/mark": prove(text.index("B-1"), 3),
                "/documents/1/first_words": prove(0, 8),
                "/documents/1/mark": prove(text.index("B-2"), 3),
                "/documents/2/mark": prove(text.index("B-2") + 4, 5),
            },
        }
    )
    starts = find_starts(document, result, "documents")
    assert [(one.position, one.words) for one in starts[:2]] == [(0, Span(0, 8)), (second, Span(second, second + 8))]


def test_each_page_is_a_document_and_says_which_page_its_words_are_on(place: Path, faults: Start) -> None:
    pages = [page([Line(50, 700, f"ACME Ltd Bill No. B-{n}"), Line(50, 650, f"Total {n * 10}")]) for n in (1, 2, 3)]
    (place / "in" / "scan.pdf").write_bytes(write(pages))
    server = faults(answer)
    assert run(server, "--schema", "bill.json", "--split", "pages") == 0
    for number in (1, 2, 3):
        part = told(place, f"scan-part-{number}")
        assert part["record"]["number"] == f"B-{number}"
        assert part["evidence"]["/number"]["spans"][0]["places"][0]["page"] == number
        assert f"page {number}; " in part["document"]["notes"][-1]
    assert server.requests == 3, "nobody is asked where a page begins"
    assert run(server, "--schema", "bill.json", "--split", "documents", "-o", "other") == 0
    parts = json.loads((place / "other" / "parts.json").read_text())["files"][0]["documents"]
    whole = read_source(find_sources([place / "in" / "scan.pdf"])[0])
    assert [one["start"] for one in parts] == [one.position for one in find_starts_of_pages(whole)]


def test_a_mixed_folder_goes_to_its_tasks_by_rules_and_by_words_that_are_cited(place: Path, faults: Start) -> None:
    (place / "in" / "table.csv").write_text("number,total\nBill No. B-7,70\n")
    (place / "in" / "cv-1.txt").write_text("Life of Ada\n")
    (place / "in" / "letter.txt").write_text(write_bill(4))
    (place / "in" / "about.txt").write_text("Life of Bob\n")
    (place / "in" / "vague.txt").write_text("ACME Ltd, vague\nBill No. B-5\n")
    server = faults(answer)
    assert run(server, "--route", "tasks.toml") == 1
    assert told(place, "bills/letter")["record"]["number"] == "B-4"
    assert told(place, "bills/table")["document"]["notes"][-1].startswith("Taken for bills by the rule formats = csv")
    assert told(place, "lives/cv-1")["record"] == {"name": "Ada"}
    assert told(place, "lives/about")["document"]["notes"][-1].startswith("Taken for lives by its words “Life of”")
    decisions = {one["document"]: one for one in told(place, "routes")["documents"]}
    assert {name: one["by"] for name, one in decisions.items()} == {
        "about.txt": "model",
        "cv-1.txt": "rule",
        "letter.txt": "model",
        "table.csv": "rule",
        "vague.txt": "model",
    }
    assert decisions["letter.txt"]["why"] == "ACME Ltd" and decisions["letter.txt"]["confidence"] > 0.5
    assert decisions["vague.txt"]["task"] is None and "do not stand in it" in decisions["vague.txt"]["why"]
    assert not (place / "out" / "bills" / "vague.json").exists()
    asked = told(place, "route/letter")
    assert (asked["task"], asked["record"]["task"]) == ("route", "bills"), "a record like any other, to be reviewed"
    before = server.requests
    assert run(server, "--route", "tasks.toml") == 1
    assert server.requests == before
    with (place / "tasks.toml").open("a") as file:
        file.write("default = true\n")
    assert run(server, "--route", "tasks.toml") == 0
    assert "nothing speaks for another" in told(place, "lives/vague")["document"]["notes"][-1]


def test_a_file_is_split_first_and_each_part_goes_to_its_own_task(place: Path, faults: Start) -> None:
    (place / "in" / "post.txt").write_text(write_bill(1) + "Life of Ada\n\n" * 3 + write_bill(2))

    def read(body: dict[str, Any], n: int) -> str:
        asked = body["messages"][-1]["content"].partition("</document>")[2]
        if "first_words" in asked:
            return json.dumps({"documents": [{"first_words": w} for w in ("ACME Ltd", "Life of Ada", "ACME Ltd")]})
        return answer(body, n)

    assert run(faults(read), "--route", "tasks.toml", "--split", "documents") == 0
    assert told(place, "bills/post-part-1")["record"]["number"] == "B-1"
    assert told(place, "lives/post-part-2")["record"]["name"] == "Ada"
    assert told(place, "bills/post-part-3")["record"]["number"] == "B-2"
    assert len(told(place, "bills/post-part-3")["document"]["notes"]) == 2


def test_both_are_recorded_and_replayed_like_any_question(place: Path, faults: Start) -> None:
    (place / "in" / "post.txt").write_text(write_bill(1) + write_bill(2))
    flags = ["--route", "tasks.toml", "--split", "documents"]
    assert run(faults(answer), *flags, "--mode", "record") == 0
    first = {path.name: path.read_bytes() for path in (place / "out").rglob("post*.json")}
    assert {path.parent.parent.parent.name for path in (place / "cassettes").rglob("*.json")} == {
        "split",
        "route",
        "bill",
    }
    assert run(None, *flags, "--mode", "replay", "-o", "again") == 0
    again = {path.name: json.loads(path.read_text())["record"] for path in (place / "again").rglob("post*.json")}
    assert again == {name: json.loads(content)["record"] for name, content in first.items()}


def test_what_it_takes_is_told_beforehand(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "in" / "post.txt").write_text(write_bill(1) + write_bill(2))
    (place / "in" / "cv-1.txt").write_text("Life of Ada\n")
    command = ["run", "in", "-o", "out", "--model", "gpt-5-mini", "--dry-run"]
    assert main([*command, "--route", "tasks.toml", "--split", "documents"]) == 0
    said = capsys.readouterr().out
    for words in ("task split", "task route", "task life", "task bill", "At most, if all of 1 document"):
        assert words in said
    assert main([*command, "--schema", "bill.json"]) == 0
    said = capsys.readouterr().out
    assert "task split" in said and "task bill" in said
    assert not (place / "out").exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "names no task"),
        ("[bills", "no TOML"),
        ("bills = 1", "is no table"),
        ("[bills]\ncolour = 1", "has 'colour'"),
        ("[bills]\ndescription = 'x'", "a task or a schema"),
        ("[bills]\ntask = 'invoice'\nschema = 'bill.json'", "a task or a schema"),
        ("[bills]\nschema = 'bill.json'\nfiles = 'x'", "another type"),
        ("[route]\nschema = 'bill.json'", "folder's name"),
        ("['../up']\nschema = 'bill.json'", "folder's name"),
        ("[a]\nschema = 'bill.json'\ndefault = true\n[b]\nschema = 'life.json'\ndefault = true", "several defaults"),
        ("[a]\nschema = 'missing.json'", "no schema file"),
    ],
)
def test_mistakes_in_the_routes_are_named(
    place: Path, capsys: pytest.CaptureFixture[str], content: str, why: str
) -> None:
    (place / "in" / "a.txt").write_text("Life of Ada\n")
    (place / "tasks.toml").write_text(content)
    assert run(None, "--route", "tasks.toml") == 2
    assert why in capsys.readouterr().err
    assert run(None, "--route", "tasks.toml", "--schema", "bill.json") == 2
    assert run(None, "--route", "missing.toml") == 2


def test_a_schema_that_hints_at_nothing_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "in" / "a.txt").write_text("Life of Ada\n")
    for hint in (7, "colour"):
        (place / "bill.json").write_text(json.dumps({**BILL, "x-split": hint}))
        assert run(None, "--schema", "bill.json") == 2
        assert "split" in capsys.readouterr().err
    assert main(["run", "-", "-o", "out", "--model", "m", "--schema", "life.json", "--split", "pages"]) == 2


def test_a_file_of_very_many_documents_is_parted_in_time_in_proportion() -> None:
    text = "".join(f"No. {n:06}\n" for n in range(60_000))
    spans = tuple(Span(at, at + 3) for at in range(0, len(text), 11))
    tables = tuple(TextTable(Span(at, at + 10)) for at in range(0, len(text), 11))
    whole = Document("a.txt", text, hidden=spans, doubtful=spans, tables=tables)

    def part() -> None:
        for at in range(0, len(text), 11):
            cut = cut_document(whole, TextPart(Span(at, at + 11)), "a")
            assert (cut.hidden, cut.tables) == ((Span(0, 3),), (TextTable(Span(0, 10)),))

    assert ends_soon(part)


def test_words_that_nearly_stand_everywhere_are_looked_for_in_time_in_proportion() -> None:
    half = "ab" * 100_000 + "a"
    text = f"{half}c{half}\n{'ab' * 2_000_000}\nNo. 1"
    first = {"start": 0, "end": 2 * len(half) + 1, "quote": text[: 2 * len(half) + 1]}
    mark = {"start": len(text) - 1, "end": len(text), "quote": "1"}
    before = {"start": len(half) * 2 + 2, "end": len(half) * 2 + 3, "quote": "a"}
    proofs = {"/documents/0/mark": before, "/documents/1/first_words": first, "/documents/1/mark": mark}
    proved = {at: {"match": "exact", "spans": [span], "said": "", "confidence": 0.9} for at, span in proofs.items()}
    told = {"format": "extractor.result/1", "document": {"name": "a.txt"}, "evidence": proved}
    result = ResultFile.model_validate(told)
    assert ends_soon(lambda: find_starts(Document("a.txt", text), result, "documents"))


@settings(max_examples=50)
@given(st.text(min_size=2, max_size=60), st.lists(st.integers(0, 60), max_size=6), st.lists(st.integers(0, 60)))
def test_parts_together_are_the_whole_and_lead_to_the_same_places(text: str, cuts: list[int], marks: list[int]) -> None:
    places = SourceOffsets()
    places.add_run(0, len(text), 1000, 1000 + len(text))
    edges = sorted({mark for mark in marks if mark <= len(text)})
    spans = tuple(Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False))
    tables = tuple(TextTable(span, Span(span.start, span.start + 1)) for span in spans)
    whole = Document("whole", text, hidden=spans, doubtful=spans, tables=tables, locations=places)
    ends = [*sorted({cut for cut in cuts if 0 < cut < len(text)}), len(text)]
    at, seen = 0, ""
    for end in ends:
        part = cut_document(whole, TextPart(Span(at, end), ("A note.",)), "part")
        seen += part.text
        assert part.notes == ("A note.",)
        hidden = {i + at for span in part.hidden for i in range(span.start, span.end)}
        assert hidden == {i for span in spans for i in range(span.start, span.end) if at <= i < end}
        assert all(table.span.end <= len(part.text) for table in part.tables)
        assert all(table.header is None or table.header.within(table.span) for table in part.tables)
        assert part.locations is not None
        (place,) = part.locations.locate(Span(0, len(part.text)))
        assert place["source"] == {"start": 1000 + at, "end": 1000 + end}
        at = end
    assert seen == text
