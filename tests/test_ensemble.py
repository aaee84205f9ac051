"""Several models, one record: what they agree on, where they differ, who fails, and what a second one is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from extractor import Engine, Result, Status, combine, ground
from extractor.cli.main import main
from extractor.errors import ModelFatal, UsageError
from extractor.extraction.combining.aligned import AlignedList, AlignedObject, align_opinions
from extractor.extraction.combining.asking import find_second_question
from extractor.extraction.combining.opinion import Opinion
from extractor.results.opinion import read_opinion
from extractor.schema.reader import read_schema
from extractor.testing import FaultEndpoint, ScriptedModel, build_error

TEXT = "Order A-7\nBolt M4  12\nNut M4  30\nWasher  7\nTotal 49\nCity Leeds\n"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "number": {"type": "string"},
        "city": {"type": "string"},
        "total": {"type": "integer"},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"item": {"type": "string"}, "count": {"type": "integer"}},
            },
        },
    },
}
RIGHT: dict[str, Any] = {
    "number": "A-7",
    "city": "Leeds",
    "total": 49,
    "lines": [{"item": "Bolt M4", "count": 12}, {"item": "Nut M4", "count": 30}, {"item": "Washer", "count": 7}],
}


def said(**other: Any) -> dict[str, Any]:
    return {**RIGHT, **other}


def ask(*answers: Any, **engine: Any) -> Result[Any]:
    """The result of an ensemble of models that answer so, called a, b, c."""
    models = [
        one if isinstance(one, ScriptedModel) else ScriptedModel(one, name=name)
        for one, name in zip(answers, "abcdefg", strict=False)
    ]
    with Engine(models=models, **engine) as asked:
        return asked.extract(TEXT, SCHEMA, name="order.txt")


def test_what_all_say_is_in_the_record_with_the_names_of_those_who_said_it() -> None:
    result = ask(RIGHT, RIGHT, RIGHT)
    assert result.value == RIGHT
    assert result.status is Status.COMPLETE and not result.conflicts
    assert all(list(proof.said_by) == ["a", "b", "c"] for proof in result.proofs.values())
    assert "agreed by 3 of 3" in result.proofs["/total"].findings
    assert result.usage.requests == 3
    assert list(result.file.usage.groups) == ["a: record", "b: record", "c: record"]
    told = result.file.manifest
    assert told.model.name == "a + b + c" and [one["model"]["name"] for one in told.members] == ["a", "b", "c"]


def test_two_outvote_one_and_its_reading_is_told_with_its_words() -> None:
    result = ask(said(total=30), RIGHT, RIGHT)
    assert result.value == RIGHT
    assert result.status is Status.SUSPECT
    [conflict] = result.conflicts
    assert conflict.path == "/total" and conflict.kept.value == 49 and conflict.other.value == 30
    assert list(conflict.other.evidence.said_by) == ["a"] and conflict.other.evidence.quote == "30"
    assert "contradicted" in conflict.other.evidence.findings and "agreed by 2 of 3" in conflict.kept.evidence.findings


def test_every_reading_of_a_place_is_told() -> None:
    result = ask(said(total=30), said(total=12), RIGHT)
    kept = result.value and result.value["total"]
    told = [kept, *(c.other.value for c in result.conflicts)] + [r.value for r in result.rejected]
    assert sorted(told) == [12, 30, 49]


def test_agreement_makes_surer_and_contradiction_less_sure() -> None:
    def sure(result: Result[Any]) -> float:
        return float(result.proofs["/total"].confidence or 0)

    assert sure(ask(RIGHT, RIGHT)) > sure(ask(RIGHT, said(total=None))) > 0
    assert sure(ask(RIGHT, RIGHT)) > sure(ask(RIGHT, said(total=30)))


def test_rows_are_aligned_by_what_they_say_and_not_by_their_number() -> None:
    result = ask(RIGHT, said(lines=RIGHT["lines"][1:]), RIGHT)
    assert result.value == RIGHT
    assert list(result.proofs["/lines/0/item"].said_by) == ["a", "c"]
    assert list(result.proofs["/lines/2/item"].said_by) == ["a", "b", "c"]
    assert not result.conflicts


def test_a_row_of_one_model_stands_behind_the_row_that_it_follows() -> None:
    result = ask(said(lines=[RIGHT["lines"][0], RIGHT["lines"][2]]), RIGHT, accept=None) if False else None
    with Engine(
        models=[ScriptedModel(said(lines=RIGHT["lines"][::2]), name="a"), ScriptedModel(RIGHT, name="b")]
    ) as two:
        result = two.extract(TEXT, SCHEMA, accept=0.0)
    assert result.value == RIGHT
    assert "row said by one alone" in result.proofs["/lines/1/item"].findings


def test_nothing_that_was_said_is_lost() -> None:
    models = [ScriptedModel(said(city="Paris"), name="a"), ScriptedModel(said(city="Rome"), name="b")]
    with Engine(models=models) as engine:
        result = engine.extract(TEXT, SCHEMA, accept=0.99)
    values = [*result.value.values()] if result.value else []
    told = {str(r.value): list(r.evidence.said_by) for r in result.rejected if r.evidence is not None}
    assert "Paris" not in values and told["Paris"] == ["a"] and told["Rome"] == ["b"]


def test_a_model_that_fails_altogether_leaves_the_record_of_the_others_incomplete() -> None:
    result = ask(RIGHT, ModelFatal("The key was refused; set another."), RIGHT)
    assert result.value == RIGHT and result.status is Status.INCOMPLETE
    [failure] = result.failures
    assert failure.reason == "fatal" and failure.message == "b: The key was refused; set another."
    assert "agreed by 2 of 2" in result.proofs["/total"].findings


def test_when_none_answers_the_error_is_raised() -> None:
    with pytest.raises(ModelFatal, match="refused"):
        ask(ModelFatal("refused"), ModelFatal("refused as well"))


def test_one_model_that_answers_is_believed_as_much_as_by_itself() -> None:
    with Engine(ScriptedModel(RIGHT, name="a")) as one:
        alone = one.extract(TEXT, SCHEMA, name="order.txt")
    result = ask(RIGHT, ModelFatal("gone"))
    assert {at: p.confidence for at, p in result.proofs.items()} == {at: p.confidence for at, p in alone.proofs.items()}


# -- results of finished runs --------------------------------------------------------------------------------------


def alone(answer: Mapping[str, Any], name: str, **how: Any) -> Result[Any]:
    with Engine(ScriptedModel(answer, name=name)) as engine:
        return engine.extract(TEXT, SCHEMA, name="order.txt", **how)


def test_results_are_combined_to_what_asking_all_at_once_gives() -> None:
    answers = [said(total=30), said(lines=RIGHT["lines"][1:]), RIGHT]
    asked = ask(*answers)
    later = combine([alone(a, name) for a, name in zip(answers, "abc", strict=True)], SCHEMA)
    for part in ("value", "conflicts", "rejected", "proofs", "status"):
        assert getattr(later, part) == getattr(asked, part), part


def test_what_a_run_rejected_takes_part_again_where_its_place_is_known() -> None:
    wrong = said(city="N/A", lines=[*RIGHT["lines"][:2], {"item": "Washer", "count": 0}])
    first = alone(wrong, "a")
    assert {r.path for r in first.rejected} == {"/city", "/lines/2/count"}
    both = combine([first, alone(RIGHT, "b")], SCHEMA)
    assert both.value == RIGHT
    others = [c.other for c in both.conflicts]
    assert {str(o.value) for o in others} == {"N/A", "0"} and all(list(o.evidence.said_by) == ["a"] for o in others)


def test_the_result_of_several_models_is_as_the_published_schema_says(repository: Path) -> None:
    schema = json.loads((repository / "docs" / "result.schema.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema)
    asked, later = ask(RIGHT, said(total=30)), combine([alone(RIGHT, "a"), alone(said(total=30), "b")], SCHEMA)
    cascade = ask(said(city="N/A"), RIGHT, ask_again_below=0.9)
    for result in (asked, later, cascade):
        validator.validate(json.loads(json.dumps(result.content)))
        assert result.file.manifest.parameters["temperature"] == 0


def test_results_of_different_texts_and_a_single_one_are_refused() -> None:
    with Engine(ScriptedModel(RIGHT, name="b")) as engine:
        other = engine.extract("Another text, A-7.", SCHEMA)
    with pytest.raises(UsageError, match="different texts"):
        combine([alone(RIGHT, "a"), other], SCHEMA)
    with pytest.raises(UsageError, match="two models or more"):
        combine([other], SCHEMA)


Start = Callable[..., FaultEndpoint]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "order.schema.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "order.txt").write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI", raising=False)  # where nothing is recorded
    return tmp_path


def by_model(answers: Mapping[str, Any]) -> Callable[[dict[str, Any], int], Any]:
    """An endpoint that answers for several models."""

    def answer(body: dict[str, Any], number: int) -> Any:
        one = answers[body["model"]]
        return json.dumps(one) if isinstance(one, Mapping) else one

    return answer


def run(server: FaultEndpoint, *flags: str) -> int:
    where = ["--base-url", server.url, "--set", "dialect=schema"]
    return main(["run", "in", "--schema", "order.schema.json", *where, "--quiet", *flags])


def told(out: str) -> Any:
    return json.loads(Path(out, "order.json").read_text())


def test_the_command_asks_all_models_and_combine_gives_the_same_of_their_runs(place: Path, faults: Start) -> None:
    server = faults(by_model({"a": said(total=30), "b": RIGHT, "c": RIGHT}))
    assert run(server, "--models", "a,b,c", "-o", "all") == 1
    assert told("all")["record"] == RIGHT and told("all")["manifest"]["model"]["name"] == "a + b + c"
    for name in "abc":
        run(server, "--model", name, "-o", name)
    assert server.requests == 3  # the second time all replies come from the cache
    assert main(["combine", "a", "b", "c", "-o", "combined", "--quiet"]) == 1
    for part in ("record", "evidence", "conflicts", "rejected", "status"):
        assert told("combined")[part] == told("all")[part], part
    listed = json.loads(Path("combined", "run.json").read_text())
    assert [row["name"] for row in listed["documents"]] == ["order.txt"] and listed["counts"] == {"suspect": 1}
    assert main(["show", "combined"]) == 0
    assert run(server, "--models", "a,b,c", "-o", "all") == 1 and server.requests == 3


def test_runs_that_cannot_be_combined_are_refused_in_a_sentence(
    place: Path, faults: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    server = faults(by_model({"a": RIGHT, "b": RIGHT}))
    run(server, "--model", "a", "-o", "a")
    (place / "order.schema.json").write_text(
        json.dumps({"type": "object", "properties": {"total": {"type": "integer"}}})
    )
    run(server, "--model", "b", "-o", "other_schema")
    (place / "order.schema.json").write_text(json.dumps(SCHEMA))
    (place / "in" / "order.txt").write_text(TEXT + "Thanks\n")
    run(server, "--model", "b", "-o", "other_text")
    (place / "in" / "order.txt").rename(place / "in" / "else.txt")
    run(server, "--model", "b", "-o", "other_document")
    capsys.readouterr()
    for folders, why in (
        (["a"], "two runs or more"),
        (["a", "other_schema"], "different schemas"),
        (["a", "other_text"], "another text"),
        (["a", "other_document"], "no document in common"),
        (["a", "in"], "is missing"),
    ):
        assert main(["combine", *folders, "-o", "out"]) == 2
        message = capsys.readouterr().err
        assert why in message and message.count("\n") == 1
    assert main(["combine", "a", "other_schema", "-o", "a"]) == 2


def test_a_document_that_one_run_alone_has_is_told(
    place: Path, faults: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    server = faults(by_model({"a": RIGHT, "b": RIGHT}))
    run(server, "--model", "a", "-o", "a")
    (place / "in" / "late.txt").write_text(TEXT)
    run(server, "--model", "b", "-o", "b")
    assert main(["combine", "a", "b", "-o", "out"]) == 0
    assert "Not in all runs, and taken from those that have them: late.txt (b)." in capsys.readouterr().err
    assert json.loads(Path("out", "late.json").read_text())["record"] == RIGHT


@pytest.mark.parametrize("file", ["../mine/order.json", "/{}/mine/order.json", "sub/order.json", "run.json"])
def test_a_run_of_a_stranger_says_not_where_results_are_written(
    place: Path, faults: Start, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server = faults(by_model({"a": RIGHT, "b": RIGHT}))
    for name in ("a", "b"):
        run(server, "--model", name, "-o", name)
    (place / "a").rename(place / "mine")
    run(server, "--model", "a", "-o", "a")
    listed = json.loads(Path("a", "run.json").read_text())
    listed["documents"][0]["file"] = file.format(place)
    Path("a", "run.json").write_text(json.dumps(listed))
    mine = Path("mine", "order.json").read_bytes()
    capsys.readouterr()
    assert main(["combine", "a", "b", "-o", "out"]) == 2
    assert "none of its folder" in capsys.readouterr().err
    assert Path("mine", "order.json").read_bytes() == mine


def test_documents_of_two_runs_whose_files_have_one_name_are_both_kept(place: Path, faults: Start) -> None:
    server = faults(by_model({"a": RIGHT, "b": RIGHT}))
    run(server, "--model", "a", "-o", "a")
    (place / "in" / "order.md").write_text(TEXT + "late")
    run(server, "--model", "b", "-o", "b")
    listed = {row["name"]: row["file"] for row in json.loads(Path("b", "run.json").read_text())["documents"]}
    first, second = Path("b", listed["order.md"]), Path("b", listed["order.txt"])
    if first.name != "order.json":  # so that it has the name that the first run gave to the other document
        first.rename(place / "b" / "spare.json")
        second.rename(second.parent / "other.json")
        (place / "b" / "spare.json").rename(place / "b" / "order.json")
        told_by_run = json.loads(Path("b", "run.json").read_text())
        for row in told_by_run["documents"]:
            row["file"] = "order.json" if row["name"] == "order.md" else "other.json"
        Path("b", "run.json").write_text(json.dumps(told_by_run))
    assert main(["combine", "a", "b", "-o", "out", "--quiet"]) == 0
    rows = json.loads(Path("out", "run.json").read_text())["documents"]
    told_names = {row["name"]: json.loads(Path("out", row["file"]).read_text())["document"]["name"] for row in rows}
    assert told_names == {"order.txt": "order.txt", "order.md": "order.md"}


def test_a_document_that_one_run_could_not_read_is_the_others_with_that_failure(place: Path, faults: Start) -> None:
    server = faults(by_model({"a": RIGHT, "b": RIGHT}))
    run(server, "--model", "a", "-o", "a")
    (place / "in" / "order.txt").write_bytes(b"\x00" * 40)
    assert run(server, "--model", "b", "-o", "b") == 1
    assert main(["combine", "a", "b", "-o", "out", "--quiet"]) == 1
    assert told("out")["record"] == RIGHT and told("out")["status"] == "incomplete"
    assert told("out")["failures"][0]["message"].startswith("model: ") or "b" in told("out")["failures"][0]["message"]


def test_a_budget_holds_over_all_models(place: Path, faults: Start) -> None:
    server = faults(by_model({"a": RIGHT, "b": RIGHT}))
    (place / "in" / "more.txt").write_text(TEXT + "More\n")
    assert run(server, "--models", "a,b", "--max-requests", "3", "--no-cache", "--concurrency", "1") == 1
    assert server.requests == 3


def test_one_model_that_is_refused_leaves_the_others_and_is_not_asked_again(place: Path, faults: Start) -> None:
    server = faults(by_model({"a": RIGHT, "b": (401, build_error("wrong key"))}))
    for i in range(4):
        (place / "in" / f"{i}.txt").write_text(TEXT + f"{i}\n")
    assert run(server, "--models", "a,b", "--no-cache", "--concurrency", "1") == 1
    assert told("out")["record"] == RIGHT and told("out")["status"] == "incomplete"
    assert told("out")["failures"][0]["message"].startswith("b: ")
    assert sum(body["model"] == "b" for body in server.bodies) == 1


def test_an_ensemble_has_a_name_in_a_config_file_that_is_named(
    place: Path, faults: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    server = faults(by_model({"a": RIGHT, "b": RIGHT}))
    (place / "mine.toml").write_text('[ensembles]\nbest = ["a", "b"]\n')
    assert run(server, "--models", "best", "--config", "mine.toml") == 0
    assert told("out")["manifest"]["model"]["name"] == "a + b"
    (place / "mine.toml").rename(place / "extractor.toml")
    assert run(server, "--models", "best") == 2
    assert "only a file that you name may" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags",
    [
        ("--models", "a"),
        ("--models", "a,,b"),
        ("--models", "a,a"),
        ("--models", "a,b", "--model", "c"),
        ("--models", "a,b", "--then", "c"),
        ("--model", "a", "--ask-again-below", "0.5"),
        ("--model", "a", "--then", "b", "--ask-again-below", "1.5"),
        ("--model", "a", "--then", "b", "--ask-again-below", "nan"),
        ("--model", "a", "--then", "a"),
    ],
)
def test_flags_that_cannot_be_meant_are_one_sentence(
    flags: tuple[str, ...], place: Path, faults: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    server = faults(by_model({}))
    assert run(server, *flags) == 2
    assert capsys.readouterr().err.count("\n") == 1 and server.requests == 0


# -- a second model for what the first leaves in doubt -------------------------------------------------------------


def cascade(first: Any, second: ScriptedModel, below: float = 0.8) -> Result[Any]:
    return ask(first, second, ask_again_below=below)


DOUBTED = said(city="N/A", lines=[RIGHT["lines"][0], {"item": "Nut M4", "count": 0}, RIGHT["lines"][2]])
"""A placeholder and a zero that the text does not say."""


def test_the_second_model_is_asked_the_doubted_values_alone_and_told_which_rows_are_meant() -> None:
    second = ScriptedModel(gold=RIGHT, name="b")
    result = cascade(DOUBTED, second)
    [request] = second.requests
    assert set(request.schema["properties"]) == {"city", "lines"}
    assert set(request.schema["properties"]["lines"]["items"]["properties"]) == {"item", "count"}
    assert "\n- lines: Nut M4\n</document>" in request.user
    assert result.value == RIGHT
    again = result.file.coverage.asked_again
    assert again is not None and (again.asked, again.values) == (3, 9)
    assert result.file.manifest.model.name == "a then b"


def test_what_the_second_model_was_not_asked_is_believed_as_before() -> None:
    with Engine(ScriptedModel(DOUBTED, name="a")) as one:
        before = one.extract(TEXT, SCHEMA, name="order.txt", accept=0.0)
    second = ScriptedModel({"city": "Leeds", "lines": [RIGHT["lines"][1]]}, name="b")
    result = cascade(DOUBTED, second)
    for at in ("/number", "/total", "/lines/0/count", "/lines/2/item"):
        assert result.proofs[at].confidence == before.proofs[at].confidence
        assert list(result.proofs[at].said_by) == ["a"]
    assert list(result.proofs["/city"].said_by) == ["b"]


def test_a_second_model_is_not_asked_where_nothing_is_doubted() -> None:
    second = ScriptedModel(gold=RIGHT, name="b")
    result = cascade(RIGHT, second, below=0.3)
    assert not second.requests and result.value == RIGHT and result.status is Status.COMPLETE


def test_where_the_first_model_fails_the_second_is_asked_everything() -> None:
    second = ScriptedModel(gold=RIGHT, name="b")
    result = cascade(ModelFatal("gone"), second)
    assert set(second.requests[0].schema["properties"]) == set(RIGHT)
    assert result.value == RIGHT and result.status is Status.INCOMPLETE


def test_where_the_second_model_fails_the_first_one_s_record_stays() -> None:
    result = cascade(DOUBTED, ScriptedModel(ModelFatal("gone"), name="b"))
    assert result.status is Status.INCOMPLETE and result.failures[0].message == "b: gone"
    assert result.value and result.value["total"] == 49


def test_a_large_document_is_asked_about_in_the_same_way() -> None:
    text = TEXT + "".join(f"Remark {i}: nothing to see here at all.\n" for i in range(600))
    second = ScriptedModel(gold=RIGHT, name="b")
    with Engine(models=[ScriptedModel(DOUBTED, name="a"), second], ask_again_below=0.8) as engine:
        result = engine.extract(text, SCHEMA)
    assert set(second.requests[0].schema["properties"]) == {"city", "lines"}
    assert result.value == RIGHT


def test_the_cascade_of_the_command_keeps_its_tapes_and_cache_apart(place: Path, faults: Start) -> None:
    server = faults(by_model({"a": DOUBTED, "b": RIGHT}))
    flags = ("--model", "a", "--then", "b", "--cassettes", "tapes")
    assert run(server, *flags, "--mode", "record", "-o", "recorded") == 1
    assert sorted(p.parent.name for p in Path("tapes").rglob("order.json")) == ["default", "default after a"]
    asked = server.requests
    assert run(server, *flags, "--mode", "replay", "-o", "played") == 1
    assert server.requests == asked
    assert told("played")["record"] == told("recorded")["record"] == RIGHT


# -- laws ----------------------------------------------------------------------------------------------------------

ROWS = st.lists(
    st.fixed_dictionaries({"item": st.sampled_from(["bolt", "nut", "washer", "pin"]), "count": st.integers(1, 4)}),
    max_size=6,
)


def opinion_of(rows: Any, name: str) -> Opinion:
    async def build() -> Result[Any]:
        async with Engine(ScriptedModel({"lines": rows}, name=name)) as engine:
            return await engine.aextract(TEXT, SCHEMA, accept=0.0)

    return read_opinion(asyncio.run(build()).file, name, read_schema(SCHEMA).root)


@settings(max_examples=25, deadline=None)
@given(ROWS, ROWS, ROWS)
def test_every_row_of_every_model_is_in_exactly_one_aligned_row(one: Any, two: Any, three: Any) -> None:
    root = read_schema(SCHEMA).root
    opinions = [opinion_of(rows, name) for rows, name in zip((one, two, three), "abc", strict=True)]
    lines = align_opinions(root, opinions).fields.get("lines")
    entries = lines.entries if isinstance(lines, AlignedList) else ()
    for number, rows in enumerate((one, two, three)):
        mine = [e for e in entries if isinstance(e, AlignedObject) and number in e.sayers]
        assert len(mine) == len(opinions[number].tree.fields["lines"].items) if rows else not mine


def test_nothing_is_asked_again_below_a_threshold_that_nothing_is_below() -> None:
    root = read_schema(SCHEMA).root
    opinion = opinion_of(RIGHT["lines"], "a")
    assert find_second_question(root, opinion, 0.01) is None
    whole = find_second_question(root, opinion, 1.0)
    assert whole is not None and whole.asked == whole.leaves and not whole.rows


def test_a_name_of_one_model_where_another_has_the_object_is_a_conflict() -> None:
    person = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}
    schema = {"type": "object", "properties": {"by": {"anyOf": [person, {"type": "string"}]}}}
    both = [ground("By Ann, 33.", {"by": said}, schema, name="page") for said in ("Ann", {"name": "Ann", "age": 33})]
    combined = combine(both, schema)
    assert combined.record == {"by": {"name": "Ann", "age": 33}}
    assert [one.path for one in combined.conflicts] == ["/by"] and "/by" not in combined.file.evidence
