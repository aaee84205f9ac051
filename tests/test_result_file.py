"""Result files: what is written is read back to the byte, and what is broken in one is left out and said."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from copy import deepcopy
from dataclasses import FrozenInstanceError
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, TypeAdapter, ValidationError

from extractor.errors import ResultUnreadable, UsageError
from extractor.results.file import build_result, encode_part
from extractor.results.frame import FRAME_COLUMNS, build_frame_rows
from extractor.results.model import RESULT_FORMAT, ResultFile
from extractor.results.parts import Quote, place_contents
from extractor.results.reading import convert_result, parse_result, parse_run, read_result_file
from extractor.results.result import Result, results_to_frame
from extractor.types import (
    Conflict,
    Document,
    Evidence,
    Failure,
    GroundedValue,
    Json,
    Match,
    Problem,
    Record,
    RejectedValue,
    SkippedFields,
    Span,
    Status,
    UnreadPart,
    Usage,
)

TEXT = "Order A-7: 2 bolts at $4."
MANIFEST: dict[str, Json] = {
    "extractor": "1",
    "model": {"name": "m", "digest": None, "endpoint": "http://localhost"},
    "prompt": {"name": "p", "fingerprint": "sha256:b"},
    "schema": {"fingerprint": "sha256:c"},
    "parameters": {"temperature": 0, "stop": ["x"]},
    "versions": {"pydantic": "2"},
}


class Pages:
    def locate(self, span: Span) -> list[dict[str, Json]]:
        return [{"page": 1 + span.start // 10, "box": [1, 2.5, 3.0, 4]}]


def record(**more: Any) -> Record:
    number = Evidence(Match.EXACT, (Span(6, 9),), "A-7")
    count = Evidence(Match.DERIVED, (Span(11, 12), Span(13, 18)), "two", 0.5, ("derived", "label beside"))
    chunk = Span(0, len(TEXT))
    return Record(
        Document("a.pdf", TEXT, (Span(0, 2),), (), (UnreadPart("page 2", "scan", "No text."),), Pages(), "pdf 1"),
        {"number": "A-7", "lines": [{"count": 2, "paid": None}], "colour": "red"},
        {("number",): number, ("lines", 0, "count"): count, ("colour",): Evidence(Match.NONE, (), "red")},
        (Conflict(("number",), GroundedValue("A-7", number), GroundedValue(8, Evidence(Match.NONE))),),
        (
            RejectedValue(("lines", 1), {"count": 10**30}, "unsupported", chunk),
            RejectedValue(
                ("lines", 2, "count"), 3, "no words", chunk, Evidence(Match.NONE, (), "3", 0.1, ("no words",))
            ),
        ),
        (Failure(chunk, "lines", "cut short", "Too long."),),
        (Problem("looped", ("lines",), "Again."),),
        (Span(0, 9),),
        (SkippedFields(chunk, ("paid",)),),
        Usage(2, None, 30, 1, 1, 0, 100, None, None),
        {"lines": Usage(2, None, 30, 1.25)},
        **more,
    )


def written() -> ResultFile:
    return build_result(record(), "orders", MANIFEST)


def schema(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("schema", repository / "docs" / "schema.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_published_schema_is_that_of_the_types(repository: Path) -> None:
    kept = (repository / "docs" / "result.schema.json").read_text(encoding="utf-8")
    if schema(repository).text() != kept:
        pytest.fail("docs/result.schema.json is old; run: python docs/schema.py > docs/result.schema.json")


def test_what_is_written_is_as_published_and_read_back_to_the_byte(repository: Path) -> None:
    data = encode_part(written())
    validator = Draft202012Validator(schema(repository).result_schema())
    validator.validate(json.loads(data))
    reading = parse_result(data)
    assert reading.damage == {}
    assert reading.file == written() and encode_part(reading.file) == data
    assert convert_result(json.loads(data)).file == reading.file
    wrong = json.loads(data)
    assert wrong["evidence"]["/lines/0/count"]["findings"] == ["derived", "label beside"]
    assert "findings" not in wrong["evidence"]["/number"]
    assert wrong["rejected"][1]["evidence"] == {
        "match": "none", "spans": [], "said": "3", "confidence": 0.1, "findings": ["no words"]
    }  # fmt: skip
    for path in (["task"], ["evidence", "/number", "said"], ["rejected", 0, "reason"], ["usage", "requests"]):
        broken = deepcopy(wrong)
        inner = broken
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]
        assert not validator.is_valid(broken), path
    for path in ([], ["document"], ["evidence", "/number"], ["evidence", "/number", "spans", 0], ["manifest"]):
        broken = deepcopy(wrong)
        inner = broken
        for step in path:
            inner = inner[step]
        inner["seen"] = []
        assert not validator.is_valid(broken), path


def test_keys_of_later_versions_are_kept_and_go_where_the_file_goes() -> None:
    content = json.loads(encode_part(written()))
    content["more"] = {"a": [1]}
    content["evidence"]["/number"]["findings"] = ["same row"]
    content["usage"]["seen"] = content["manifest"]["seen"] = [{"by": "a later version"}]
    content["rejected"][0]["evidence"] = content["evidence"]["/number"]
    reading = parse_result(json.dumps(content))
    assert reading.damage == {}
    assert reading.file.evidence["/number"].findings == ["same row"]
    assert reading.file.rejected[0].evidence == reading.file.evidence["/number"]
    assert reading.file.to_content() == content


@pytest.mark.parametrize(
    ("steps", "value", "damage"),
    [
        (("evidence", "/number"), 5, "/evidence/~1number"),
        (("evidence", "/number", "confidence"), 1.01, "/evidence/~1number/confidence"),
        (("evidence", "/number", "confidence"), True, "/evidence/~1number/confidence"),
        (("evidence", "/number", "confidence"), 10**400, "/evidence/~1number/confidence"),
        (("evidence", "/number", "confidence"), float("nan"), "/evidence/~1number/confidence"),
        (("evidence", "/number", "spans", 0, "start"), "6", "/evidence/~1number/spans/0/start"),
        (("evidence", "/number", "match"), "vague", "/evidence/~1number/match"),
        (("conflicts", 0), None, "/conflicts/0"),
        (("coverage",), [], "/coverage"),
        (("status",), "done", "/status"),
        (("usage", "seconds"), float("inf"), "/usage/seconds"),
        (("usage", "requests"), -1, "/usage/requests"),
        (("record",), [1], "/record"),
        (("manifest", "model", "name"), {}, "/manifest/model/name"),
    ],
)
def test_a_part_that_is_not_of_the_format_is_left_out_and_named(steps: Any, value: Any, damage: str) -> None:
    content = json.loads(encode_part(written()))
    inner = content
    for step in steps[:-1]:
        inner = inner[step]
    inner[steps[-1]] = value
    before = repr(content)
    for reading in (convert_result(content), parse_result(json.dumps(content))):
        assert damage in reading.damage
        assert reading.file.document.text == TEXT
    assert repr(content) == before, "what is given is not changed"


HEAD = '{"format": "extractor.result/1", "document": {"name": "a"}'


def deep(levels: int, inner: str = "1") -> str:
    return '{"a":' * levels + inner + "}" * levels


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is not whole JSON"),
        (b'{"format": "extractor.result/1", "document', "is not whole JSON"),
        (b"\xff\xfe", "is not whole JSON"),
        (b"9" * 100_000, "is not whole JSON"),
        (b"[]", "is no JSON object"),
        (b"[" * 1_000_000, "is nested too deeply"),
        (b"{}", "is not a result file"),
        (b'{"format": ["extractor.result/1"]}', "is not a result file"),
        (b'{"format": "extractor.result/9", "document": {"name": "a"}}', "is not a result file"),
        (b'{"format": "extractor.result/1"}', "does not name its document"),
        (b'{"format": "extractor.result/1", "document": {"name": 5}}', "does not name its document"),
        *(
            (
                f'{HEAD}, "{key}": {deep(levels)}}}'.encode(),
                "deep",
            )
            for key in ("record", "manifest", "more")
            for levels in (240, 50_000)
        ),
    ],
)
def test_what_is_no_result_is_refused_in_one_sentence(data: bytes, why: str, tmp_path: Path) -> None:
    with pytest.raises(ResultUnreadable, match=why) as refused:
        parse_result(data)
    assert str(refused.value).endswith("; give one that a run wrote.")
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(UsageError, match=r"a\.json is|a\.json does"):
        Result.read(tmp_path / "a.json", dict)
    with pytest.raises(ResultUnreadable):
        parse_run(data)


def test_a_file_that_is_not_there_is_told_from_one_that_is_broken(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(ResultUnreadable) as refused:
            read_result_file(path)
        assert refused.value.missing


def test_halves_of_characters_are_read_where_json_spells_them_by_number() -> None:
    content = json.loads(encode_part(written()))
    content["document"]["text"] = content["record"]["number"] = "\ud83d<"
    content["evidence"]["/\ud83d"] = content["evidence"]["/number"]
    reading = parse_result(json.dumps(content))
    assert reading.damage == {} and reading.file.to_content() == content
    written_again = encode_part(reading.file)
    assert json.loads(written_again) == content and rb'"\ud83d<"' in written_again


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def members(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [at for key, one in inner for at in members(one, (*path, key))]


@given(st.lists(st.tuples(st.sampled_from(members(written().to_content())), values), max_size=3))
def test_anything_anywhere_is_read_or_refused_and_what_is_read_can_be_written(changes: Any) -> None:
    content = json.loads(encode_part(written()))
    for path, value in changes:
        inner = content
        for step in path[:-1]:
            there = (isinstance(inner, dict) and step in inner) or (isinstance(inner, list) and type(step) is int)
            inner = inner[step] if there and (isinstance(inner, dict) or step < len(inner)) else {}
        if isinstance(inner, dict) or (isinstance(inner, list) and type(path[-1]) is int and path[-1] < len(inner)):
            inner[path[-1]] = value
    try:
        reading = convert_result(content)
    except ResultUnreadable:
        return
    again = convert_result(reading.file.to_content())
    assert again.damage == {}, "no part is left that is not of the format"
    assert repr(again.file.to_content()) == repr(reading.file.to_content())


@pytest.mark.skipif("EXTRACTOR_TIMED" not in os.environ, reason="a clock is read; make soak does")
def test_a_broken_file_of_ten_times_the_size_takes_ten_times_as_long() -> None:
    def seconds(count: int) -> float:
        content = json.loads(encode_part(written()))
        content["evidence"] = {f"/{i}": {"match": i, "spans": [{"start": 1}, 5], "said": i} for i in range(count)}
        data = json.dumps(content)
        start = time.process_time()
        assert len(parse_result(data).damage) == 4 * count
        return time.process_time() - start

    seconds(100)
    assert seconds(10_000) < 30 * seconds(1_000)


def test_what_wants_a_look_has_types() -> None:
    result: Result[Any] = Result(written())
    assert [(p.code, p.path, p.message) for p in result.problems] == [("looped", "/lines", "Again.")]
    assert [(c.path, c.kept.value, c.kept.evidence.quote, c.other.value) for c in result.conflicts] == [
        ("/number", "A-7", "A-7", 8)
    ]
    assert [(f.group, f.reason, f.chunk.start, f.chunk.end) for f in result.failures] == [
        ("lines", "cut short", 0, len(TEXT))
    ]
    assert [(r.path, r.value, r.reason) for r in result.rejected] == [
        ("/lines/1", {"count": 10**30}, "unsupported"),
        ("/lines/2/count", 3, "no words"),
    ]
    left = result.rejected[1].evidence
    assert left is not None and left.confidence == 0.1 and left.findings == ["no words"]
    assert result.evidence.number.spans[0].places[0].page == 1
    assert result.proofs["/lines/0/count"].confidence == 0.5
    assert not result.evidence.colour and result.evidence.colour.said == "red"
    assert result.usage == Usage(2, None, 30, 1, 1, 0, 100, None, None)
    with pytest.raises(FrozenInstanceError):
        result.problems[0].code = "other"  # type: ignore[misc]


class Order(BaseModel):
    number: str


class Answer(BaseModel):
    result: Result[Order]


def test_a_result_is_a_pydantic_type_whose_json_is_the_files_content() -> None:
    adapter = TypeAdapter(Result[Order])
    result = Result(written(), Order)
    content = json.loads(encode_part(written()))
    assert json.loads(adapter.dump_json(result)) == adapter.dump_python(result) == content
    again = adapter.validate_json(adapter.dump_json(result))
    assert again.record == Order(number="A-7") and again.content == result.content
    assert json.loads(Answer(result=result).model_dump_json()) == {"result": content}
    with pytest.raises(ValidationError, match="not a result file"):
        adapter.validate_python({"format": "other"})
    for mode in ("validation", "serialization"):
        told = TypeAdapter(Answer).json_schema(mode=mode)  # type: ignore[arg-type]
        assert told["properties"]["result"]["properties"]["format"]["const"] == RESULT_FORMAT


ROWS: list[tuple[Json, ...]] = [
    ("/number", "A-7", "exact", "A-7", 6, 9, 1, "A-7", None),
    ("/lines/0/count", 2, "derived", "2", 11, 12, 2, "two", 0.5),
    ("/colour", "red", "none", None, None, None, None, "red", None),
]


def test_a_table_has_a_row_for_each_value_with_its_first_words() -> None:
    rows = build_frame_rows(written())
    assert [tuple(row) for row in rows] == [FRAME_COLUMNS] * 3
    assert [tuple(row.values()) for row in rows] == ROWS


class Library(ModuleType):
    """What of pandas and polars is used."""

    @staticmethod
    def DataFrame(columns: dict[str, list[Json]]) -> dict[str, list[Json]]:  # noqa: N802
        return columns


def test_a_table_is_made_by_the_library_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    result: Result[Any] = Result(written())
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(UsageError, match="pip install pandas"):
        result.to_frame()
    monkeypatch.setitem(sys.modules, "polars", Library("polars"))
    assert result.to_frame()["value"] == ["A-7", "2", "red"], "a column of polars has one type"
    monkeypatch.setitem(sys.modules, "pandas", Library("pandas"))
    made = results_to_frame([result, Result(written())])
    assert list(made) == ["document", *FRAME_COLUMNS]
    assert made["document"] == ["a.pdf"] * 6 and made["value"] == ["A-7", 2, "red"] * 2


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_libraries_take_the_table(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(library)
    monkeypatch.setitem(sys.modules, "polars" if library == "pandas" else "pandas", None)
    result: Result[Any] = Result(written())
    for made, count in ((result.to_frame(), 3), (results_to_frame([]), 0)):
        assert made.shape[0] == count
        assert list(made.columns)[-len(FRAME_COLUMNS) :] == list(FRAME_COLUMNS)


def test_a_document_that_could_not_be_read_has_an_empty_table() -> None:
    failed = {"format": RESULT_FORMAT, "document": {"name": "a"}, "status": "failed", "record": None}
    result: Result[Any] = Result(convert_result(failed).file)
    assert result.status is Status.FAILED and build_frame_rows(result.file) == []


def test_words_of_a_plain_text_have_no_place_and_that_is_said_without_a_warning() -> None:
    assert place_contents(Quote(start=0, end=1, quote="a")) == []
