"""Exports of results, real and made up, read back by the tools that they are for."""

import contextlib
import csv
import json
import sqlite3
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.cli.main import main
from extractor.results.export.csv import guard_formula, unguard_formula
from extractor.results.export.export import export_runs
from extractor.results.export.layout import FIXED_TABLES, ExportLayout, flatten_record, run_key, survey_results
from extractor.results.export.reader import SavedResult, open_runs
from extractor.results.export.tables import build_rows
from extractor.results.model import ResultFile
from extractor.results.reading import convert_result

FORMS = ("jsonl", "csv", "parquet", "sqlite")
SCHEMA = {
    "type": "object",
    "properties": {
        "number": {"type": "string"},
        "total": {"type": "number"},
        "paid": {"type": "boolean"},
        "buyer": {"type": "object", "properties": {"name": {"type": "string"}, "phones": {"type": "array"}}},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "item": {"type": "string"},
                    "count": {"type": "integer"},
                    "notes": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
        "refunds": {"type": "array", "items": {"type": "object", "properties": {"sum": {"type": "number"}}}},
    },
}


SPENT = {"requests": 1, "input_tokens": 7, "output_tokens": 3, "seconds": None}


def result(name: str, record: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    proof = {"match": "exact", "spans": [{"start": 1, "end": 3, "quote": "ab", "places": [{"page": 2}]}], "said": "ab"}
    return {
        "format": "extractor.result/1",
        "document": {"name": name, "sha256": "0" * 64, "characters": 9, "text": "xab......"},
        "task": "orders",
        "status": "complete",
        "record": record,
        "evidence": {path: {**proof, "confidence": None} for path in _paths(record or {}, "")},
        "conflicts": [],
        "rejected": [],
        "failures": [],
        "problems": [],
        "usage": {
            **SPENT,
            "groups": {"g": SPENT},
        },
        "manifest": {"extractor": "1", "model": {"name": "m"}, "prompt": {"name": "p"}},
        **more,
    }


def _paths(value: Any, path: str) -> list[str]:
    if isinstance(value, dict):
        return [p for key, inner in value.items() for p in _paths(inner, f"{path}/{key}")]
    if isinstance(value, list):
        return [p for i, inner in enumerate(value) for p in _paths(inner, f"{path}/{i}")]
    return [] if value is None else [path]


ORDER = {
    "number": "A-7",
    "total": 4,
    "paid": True,
    "buyer": {"name": "=HYPERLINK(1)", "phones": ["+49 30", "-5"]},
    "lines": [{"item": "bolts", "count": 2, "notes": ["a", "b"]}, {"item": "nuts", "count": -3, "notes": []}],
    "refunds": [],
}
OTHER = {"number": None, "total": 2.5, "paid": None, "buyer": None, "lines": [], "refunds": []}


def folder(where: Path, *results: dict[str, Any], schema: Any = SCHEMA) -> Path:
    where.mkdir(parents=True)
    rows = []
    for i, one in enumerate(results):
        (where / f"{i}.json").write_text(json.dumps(one), encoding="utf-8")
        rows.append({"name": one["document"]["name"], "file": f"{i}.json", "status": one["status"]})
    run = {"format": "extractor.run/1", "task": "orders", "manifest": {}, "documents": rows, "schema": schema}
    (where / "run.json").write_text(json.dumps(run), encoding="utf-8")
    return where


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return folder(tmp_path / "out", result("a.txt", ORDER), result("b.txt", OTHER))


def export(out: Path, form: str, target: Path, *more: str) -> int:
    return main(["export", str(out), "-f", form, "-o", str(target), "--quiet", *more])


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_parquet(path: Path) -> list[dict[str, Any]]:
    from pyarrow import parquet

    rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return rows


def test_json_lines_hold_every_result_as_it_is_and_are_a_source_themselves(out: Path, tmp_path: Path) -> None:
    assert export(out, "jsonl", tmp_path / "r.jsonl") == 0
    lines = (tmp_path / "r.jsonl").read_bytes().split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == [result("a.txt", ORDER), result("b.txt", OTHER)]
    assert export(tmp_path / "r.jsonl", "jsonl", tmp_path / "again.jsonl") == 0
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "r.jsonl").read_bytes()
    for form in ("csv", "sqlite"):
        assert export(tmp_path / "r.jsonl", form, tmp_path / form) == 0


@given(st.text())
def test_a_line_of_json_has_no_other_line_ends_and_parses_to_the_same(text: str) -> None:
    import io

    from extractor.results.export.jsonl import append_json_line

    file = io.BytesIO()
    append_json_line(file, {"text": text, "half": "\ud800"})
    append_json_line(file, {"text": text})
    lines = file.getvalue().decode().splitlines()
    assert [json.loads(line)["text"] for line in lines] == [text, text]


def test_lists_are_tables_of_their_own_with_the_keys_of_their_parents(out: Path, tmp_path: Path) -> None:
    assert export(out, "csv", tmp_path / "csv") == 0
    lines = read_csv(tmp_path / "csv" / "lines.csv")
    assert [(r["_document"], r["_path"], r["_parent"], r["_row"], r["item"], r["count"]) for r in lines] == [
        ("1", "/lines/0", "", "0", "bolts", "2"),
        ("1", "/lines/1", "", "1", "nuts", "-3"),
    ]
    notes = read_csv(tmp_path / "csv" / "lines_notes.csv")
    assert [(r["_parent"], r["value"]) for r in notes] == [("/lines/0", "a"), ("/lines/0", "b")]
    phones = read_csv(tmp_path / "csv" / "buyer_phones.csv")
    assert [(r["_parent"], r["value"]) for r in phones] == [("", "'+49 30"), ("", "-5")]
    assert (tmp_path / "csv" / "refunds.csv").read_text() == '"_document","_path","_parent","_row","sum"\n'
    records = read_csv(tmp_path / "csv" / "records.csv")
    assert [r["total"] for r in records] == ["4.0", "2.5"]
    assert records[0]["buyer_name"] == "'=HYPERLINK(1)" and records[0]["paid"] == "true"
    raw = (tmp_path / "csv" / "records.csv").read_bytes()
    assert raw.endswith(b",2.5,,\r\n") and b'"A-7",4.0,true' in raw


@given(st.text())
def test_no_cell_of_text_is_a_formula_and_every_guard_can_be_undone(text: str) -> None:
    safe = guard_formula(text)
    assert unguard_formula(safe) == text
    first = safe.lstrip(" \u200b\u2060\ufeff\0\t\r\n\v\f\x1c\x1d\x1e\x1f\x85\xa0")[:1]
    assert first not in tuple("=@＝＋－＠") or not first
    assert safe[:1] not in ("\t", "\r", "\n", "\0") or not safe


UNSEEN = (
    "\u200b \ufeff \u2060 \u200d\u200c \u202e \u2066 \xad \u200e \U000e0041 \ufe0f "
    "\u3164 \u115f \u180e \x01 \u2800 \xa0 \u061c"
)


@pytest.mark.parametrize(
    "mark", [*(f"{c}=" for c in UNSEEN.split(" ")), "\t=", "\r", "\n", "\0", "  =", *"=+-@＝＋－＠\ufe66"]
)
def test_every_way_to_begin_a_formula_is_guarded(mark: str) -> None:
    assert guard_formula(f"{mark}cmd|' /C calc'!A0").startswith("'")


@pytest.mark.parametrize("number", ["-12", "+3.5", "-1,024.50", "-2e-5", "-40%", "12"])
def test_a_text_that_is_a_number_stays_one(number: str) -> None:
    assert guard_formula(number) == number


def test_parquet_and_sqlite_have_the_same_rows_and_types(out: Path, tmp_path: Path) -> None:
    assert export(out, "parquet", tmp_path / "parquet") == 0
    assert export(out, "sqlite", tmp_path / "r.db") == 0
    db = sqlite3.connect(tmp_path / "r.db")
    db.row_factory = sqlite3.Row
    names = sorted(p.stem for p in (tmp_path / "parquet").iterdir())
    assert set(names) == set(FIXED_TABLES) | {"records", "buyer_phones", "lines", "lines_notes", "refunds"}
    for name in names:
        assert read_parquet(tmp_path / "parquet" / f"{name}.parquet") == [
            dict(row) for row in db.execute(f'SELECT * FROM "{name}"')
        ]
    record = read_parquet(tmp_path / "parquet" / "records.parquet")[0]
    assert record["total"] == 4.0 and isinstance(record["total"], float) and record["paid"] is True
    assert record["buyer_name"] == "=HYPERLINK(1)"
    db.close()


def test_a_database_is_whole_and_joins_values_with_their_words(out: Path, tmp_path: Path) -> None:
    assert export(out, "sqlite", tmp_path / "r.db") == 0
    db = sqlite3.connect(tmp_path / "r.db")
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    found = db.execute("SELECT number, number_quote, number_match FROM records_proved ORDER BY _document").fetchall()
    assert found == [("A-7", "ab", "exact"), (None, None, None)]
    assert db.execute("SELECT item, item_quote, _name FROM lines_proved").fetchall() == [
        ("bolts", "ab", "a.txt"),
        ("nuts", "ab", "a.txt"),
    ]
    assert db.execute("SELECT value, value_quote FROM lines_notes_proved").fetchall() == [("a", "ab"), ("b", "ab")]
    proofs = "SELECT document, path, value, quote, match, start_at, end_at, place FROM proofs WHERE match <> 'none'"
    assert ("a.txt", "/total", "4", "ab", "exact", 1, 3, '{"places": [{"page": 2}]}') in db.execute(proofs).fetchall()
    joined = (
        "SELECT l.item, n.value FROM lines l JOIN lines_notes n ON n._document = l._document AND n._parent = l._path"
    )
    assert db.execute(joined).fetchall() == [("bolts", "a"), ("bolts", "b")]
    assert db.execute("SELECT task, model, prompt FROM runs").fetchall() == [("orders", "m", "p")]
    assert db.execute("SELECT sum(input_tokens), sum(value_count) FROM documents").fetchone() == (14, 13)
    db.close()


@pytest.mark.parametrize("form", FORMS)
def test_documents_that_failed_are_there_with_their_reason(form: str, tmp_path: Path) -> None:
    failed = {"status": "failed", "error": {"reason": "binary", "message": "b.txt is a binary file."}, "evidence": {}}
    out = folder(tmp_path / "out", result("a.txt", ORDER), result("b.txt", None, **failed), result("c.txt", ORDER))
    (out / "2.json").unlink()
    target = tmp_path / "t"
    assert export(out, form, target) == 1  # a result that the run lists is gone
    match form:
        case "jsonl":
            told = [json.loads(line) for line in target.read_text().splitlines()]
            found = [(r["document"]["name"], r["status"], r.get("error", {}).get("reason")) for r in told]
        case "csv":
            found = [(r["name"], r["status"], r["reason"] or None) for r in read_csv(target / "documents.csv")]
        case "parquet":
            found = [(r["name"], r["status"], r["reason"]) for r in read_parquet(target / "documents.parquet")]
        case _:
            with sqlite3.connect(target) as db:
                found = db.execute("SELECT name, status, reason FROM documents").fetchall()
    assert found == [
        ("a.txt", "complete", None),
        ("b.txt", "failed", "binary"),
        ("c.txt", "failed", "result missing"),
    ]


DEEP = json.dumps(result("b.txt", None)).replace('"record": null', '"record": ' + '{"a": ' * 900 + "1" + "}" * 900)


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"format": "extractor.result/1"}', "[" * 100_000, DEEP])
def test_a_broken_result_is_exported_as_such(broken: str, tmp_path: Path) -> None:
    out = folder(tmp_path / "out", result("a.txt", ORDER), result("b.txt", ORDER))
    (out / "1.json").write_text(broken)
    assert export(out, "csv", tmp_path / "csv") == 1
    assert [r["reason"] for r in read_csv(tmp_path / "csv" / "documents.csv")] == ["", "result broken"]


def test_what_wants_a_look_is_a_table_too(tmp_path: Path) -> None:
    leaf = {"value": "x", "evidence": {"match": "exact", "spans": [{"start": 1, "end": 3, "quote": "ab"}], "said": "x"}}
    chunk = {"start": 0, "end": 9}
    one = result(
        "a.txt",
        ORDER,
        failures=[{"chunk": chunk, "group": "g", "reason": "cut short", "message": "m"}],
        problems=[{"code": "looped", "path": "/lines", "message": "m"}],
        conflicts=[{"path": "/number", "kept": leaf, "other": {**leaf, "value": 5}}],
        rejected=[{"path": "/total", "value": [1], "reason": "no words", "chunk": chunk}],
    )
    assert export(folder(tmp_path / "out", one), "sqlite", tmp_path / "r.db") == 0
    with sqlite3.connect(tmp_path / "r.db") as db:
        rows = db.execute("SELECT kind, path, field_group, reason, value, start_at, end_at FROM issues").fetchall()
    assert rows == [
        ("failure", None, "g", "cut short", None, 0, 9),
        ("problem", "/lines", None, "looped", None, None, None),
        ("conflict", "/number", None, "conflict", "5", 1, 3),
        ("rejected", "/total", None, "no words", "[1]", 0, 9),
    ]


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_overwritten_unless_forced_and_then_as_a_whole(form: str, out: Path, tmp_path: Path) -> None:
    target = tmp_path / "t"
    assert export(out, form, target) == 0
    assert export(out, form, target) == 2
    other = folder(tmp_path / "other", result("z.txt", {"colour": "red"}), schema=None)
    assert export(other, form, target, "--force") == 0
    if form in ("csv", "parquet"):
        assert "lines" not in {p.stem for p in target.iterdir()}
        (target / "mine.doc").write_text("mine")
        assert export(other, form, target, "--force") == 2
        assert (target / "mine.doc").read_text() == "mine"
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".export-")]


def test_an_export_that_fails_leaves_what_was_there(out: Path, tmp_path: Path) -> None:
    plan = survey_results([], [])
    with pytest.raises(Exception, match="changed while"):
        list(build_rows(SavedResult("out", "0.json", file("a")), 1, _with_run(plan, file("a"))))
    assert export(tmp_path / "none", "csv", tmp_path / "t") == 2
    (tmp_path / "file").write_text("x")
    assert export(out, "csv", tmp_path / "file", "--force") == 2
    assert (tmp_path / "file").read_text() == "x"
    assert export(out, "sqlite", tmp_path / "file" / "r.db") == 3


def file(name: str) -> ResultFile:
    return convert_result(result(name, ORDER)).file


def _with_run(plan: ExportLayout, content: ResultFile) -> ExportLayout:
    plan.runs[run_key(SavedResult("out", "0.json", content))] = 1
    return plan


def test_several_runs_are_told_apart(out: Path, tmp_path: Path) -> None:
    other = folder(tmp_path / "other", result("a.txt", ORDER, manifest={"model": {"name": "n"}}))
    assert main(["export", str(out), str(other), "-f", "sqlite", "-o", str(tmp_path / "r.db"), "--quiet"]) == 0
    with sqlite3.connect(tmp_path / "r.db") as db:
        rows = db.execute("SELECT r.model, r.folder, d.name FROM documents d JOIN runs r USING (run)").fetchall()
    assert rows == [("m", "out", "a.txt"), ("m", "out", "b.txt"), ("n", "other", "a.txt")]


def test_results_that_the_run_does_not_list_are_left_out_and_named(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (out / "stray.json").write_text(json.dumps(result("s.txt", ORDER)))
    assert export(out, "csv", tmp_path / "csv") == 0
    assert "stray.json" in capsys.readouterr().err
    assert len(read_csv(tmp_path / "csv" / "documents.csv")) == 2


KEYS = {"_document", "_path", "_parent", "_row"}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=4), min_size=1, max_size=3))
def test_records_of_any_shape_come_to_tables_with_no_value_lost(records: list[dict[str, Any]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as room:
        out = folder(Path(room) / "out", *[result(f"{i}", r) for i, r in enumerate(records)], schema=None)
        runs = open_runs([out])
        for form in ("csv", "parquet", "sqlite"):
            assert export_runs(runs, form, Path(room) / form).documents == len(records)
        entries = [entry for run in runs for entry in run]
        plan = survey_results(entries, [])
        for number, (entry, record) in enumerate(zip(entries, records, strict=True), 1):
            rows = [row for table, row in build_rows(entry, number, plan) if table not in FIXED_TABLES]
            found = [value for row in rows for key, value in row.items() if key not in KEYS and value is not None]
            assert len(found) == sum(
                value is not None for row in flatten_record(record, {}) for value in row.values.values()
            )


def test_ten_times_the_results_take_no_more_memory(tmp_path: Path) -> None:
    text = "x" * 5_000

    def peak(count: int) -> int:
        one = json.dumps(result("a.txt", {**ORDER, "number": text}))
        path = tmp_path / f"{count}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(one + "\n" for _ in range(count))
        for form in FORMS:
            if form != "parquet":
                export_runs(open_runs([path]), form, tmp_path / f"{form}{count}")
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        peak(5)
        tracemalloc.reset_peak()
        few = peak(40)
        tracemalloc.reset_peak()
        many = peak(400)
    finally:
        tracemalloc.stop()
    assert many < few + 1_000_000  # 400 results are 8 MB


def test_a_real_run_goes_to_standard_output_as_lines(repository: Path, tmp_path: Path) -> None:
    flags = ["--task", "researcher", "--mode", "replay", "--cassettes", str(repository / "cassettes"), "--quiet"]
    assert main(["run", str(repository / "eval" / "samples"), "-o", str(tmp_path / "out"), *flags]) in (0, 1)
    told = subprocess.run(
        [sys.executable, "-m", "extractor", "export", str(tmp_path / "out"), "-f", "jsonl", "-o", "-"],
        capture_output=True,
        check=True,
        cwd=repository,
    ).stdout
    assert len(told.splitlines()) == 5
    assert export(tmp_path / "out", "csv", tmp_path / "csv") == 0
    assert (tmp_path / "csv" / "systems_results.csv").exists()
    seen = 0
    texts = {r["_document"]: r for r in read_csv(tmp_path / "csv" / "documents.csv")}
    lines = [json.loads(line) for line in told.splitlines()]
    for row in read_csv(tmp_path / "csv" / "evidence.csv"):
        content = lines[int(row["_document"]) - 1]
        assert content["document"]["name"] == texts[row["_document"]]["name"]
        quote = content["document"]["text"][int(row["start_at"]) : int(row["end_at"])]
        assert unguard_formula(row["quote"]) == quote
        seen += 1
    assert seen > 200


def test_an_object_whose_names_are_the_documents_comes_to_one_table_of_its_entries(tmp_path: Path) -> None:
    texts = {"type": "array", "items": {"type": "string"}}
    row = {"type": "object", "properties": {"sum": {"type": "number"}}}
    schema = {
        "type": "object",
        "properties": {
            "figures": {"type": "object", "additionalProperties": {"type": "number"}},
            "skills": {"anyOf": [texts, {"type": "object", "additionalProperties": texts}]},
            "years": {"type": "object", "additionalProperties": row},
        },
    }
    a = {"figures": {"Revenue": 12, "Costs": 8}, "skills": {"Tools": ["Git", "make"]}, "years": {"2024": {"sum": 3.5}}}
    b = {"figures": {"Loss": 1}, "skills": ["Git"], "years": {}}
    out = folder(tmp_path / "out", result("a.txt", a), result("b.txt", b), schema=schema)
    assert export(out, "sqlite", tmp_path / "o.sqlite") == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "o.sqlite")) as made:
        read = {t: made.execute(f'SELECT * FROM "{t}"').fetchall() for t in ("figures", "skills_value", "years")}
        names = [column[1] for column in made.execute('PRAGMA table_info("figures")')]
        plain = made.execute('SELECT _document, _path, value FROM "skills" WHERE _name IS NULL').fetchall()
    assert names == ["_document", "_path", "_parent", "_row", "_name", "value"]
    assert read["figures"] == [
        (1, "/figures/Revenue", "", 0, "Revenue", 12.0),
        (1, "/figures/Costs", "", 1, "Costs", 8.0),
        (2, "/figures/Loss", "", 0, "Loss", 1.0),
    ]
    assert read["skills_value"] == [
        (1, "/skills/Tools/0", "/skills/Tools", 0, "Git"),
        (1, "/skills/Tools/1", "/skills/Tools", 1, "make"),
    ]
    assert read["years"] == [(1, "/years/2024", "", 0, "2024", 3.5)]
    assert plain == [(2, "/skills/0", "Git")]
