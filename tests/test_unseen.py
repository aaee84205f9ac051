"""Values with characters that cannot be seen: they are spelled out wherever a person reads them, and noted."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.cli.console import format_record_line, sanitize_for_terminal
from extractor.cli.main import main
from extractor.results.outcome import DocumentOutcome
from extractor.results.review.page import build_review_page
from extractor.results.unseen import describe_unseen, show_unseen
from extractor.types import Status

HIDING = {
    "zero width": ("pay\u200bpal", "U+200B"),
    "word joiner": ("pay\u2060pal", "U+2060"),
    "byte order mark": ("\ufeffpaypal", "U+FEFF"),
    "override": ("100\u202e052", "U+202E"),
    "isolate": ("a\u2067b\u2069", "U+2067"),
    "mark": ("a\u200fb", "U+200F"),
    "soft hyphen": ("pay\xadpal", "U+00AD"),
    "joiner": ("pay\u200dpal", "U+200D"),
    "joiners in a row": ("\u0645\u200c\u200d\u200c\u200c", "U+200D"),
    "tags": ("a\U000e0069\U000e0067", "U+E0069"),
    "variants": ("a\ufe01\ufe05\ufe0f", "U+FE05"),
    "variants of a picture": ("\u2764\ufe0f\ufe0e\ufe0d", "U+FE0E"),
    "filler": ("a\u3164", "U+3164"),
    "escape": ("a\x1b[2J", "U+001B"),
}
SEEN = (
    "10\xa0000 €",
    "\u2764\ufe0f\u200d\U0001f525",
    "1\ufe0f\u20e3",
    "\u0645\u06cc\u200c\u062e",
    "two\nlines\tand tabs",
    "é ß 漢字",
)


@pytest.mark.parametrize("kind", HIDING)
def test_what_cannot_be_seen_is_spelled_out_and_named(kind: str) -> None:
    value, number = HIDING[kind]
    assert number in describe_unseen(value)
    assert not describe_unseen(show_unseen(value))
    shown = format_record_line(DocumentOutcome("d", "d.json", Status.COMPLETE), {"payee": value})
    assert value not in shown and show_unseen(value) in shown


@pytest.mark.parametrize("text", SEEN)
def test_what_can_be_seen_and_what_scripts_need_is_left_alone(text: str) -> None:
    assert describe_unseen(text) == "" and show_unseen(text) == text


@given(st.text())
def test_nothing_steers_a_terminal(text: str) -> None:
    shown = sanitize_for_terminal(text)
    assert re.sub("[\u200c\u200d]", "", shown).isprintable() and not describe_unseen(shown)


@pytest.fixture
def result() -> dict[str, object]:
    value = HIDING["override"][0]
    text = f"The sum is {value}."
    span = {"start": 11, "end": 11 + len(value), "quote": value}
    return {
        "format": "extractor.result/1",
        "document": {"name": "a\u202etxt", "sha256": "0" * 64, "text": text},
        "task": "t",
        "status": "complete",
        "record": {"sum": value, "kept": "plain"},
        "evidence": {"/sum": {"match": "exact", "said": value, "spans": [span]}},
        "manifest": {},
    }


def test_a_page_spells_it_out_and_notes_it(result: dict[str, object]) -> None:
    page = build_review_page([result])
    assert "\u202e" not in page
    assert "holds characters that cannot be seen: U+202E" in page and "‹U+202E›" in page


def test_an_export_holds_the_value_and_a_note_of_it(result: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.json").write_text(json.dumps(result))
    assert main(["export", str(tmp_path / "out"), "-f", "csv", "-o", str(tmp_path / "csv"), "--quiet"]) == 0
    with (tmp_path / "csv" / "issues.csv").open(encoding="utf-8", newline="") as file:
        (issue,) = [row for row in csv.DictReader(file) if row["kind"] == "unseen"]
    assert issue["path"] == "/sum" and "U+202E" in issue["message"] and issue["value"] == "100‹U+202E›052"
    with (tmp_path / "csv" / "records.csv").open(encoding="utf-8", newline="") as file:
        assert [row["sum"] for row in csv.DictReader(file)] == [HIDING["override"][0]]
