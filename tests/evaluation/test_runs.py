"""A finished run, a half-written one and a broken one: each becomes a table that says what it is."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.errors import UsageError
from extractor.evaluation.gold import Gold
from extractor.evaluation.runs import RunFolder, load_scored_run, read_run_folder, score_run_folder
from extractor.evaluation.scoring.outcomes import LeafOutcome, tally_cells
from extractor.evaluation.scoring.schema import read_scoring_schema as read_schema
from extractor.results.model import Manifest
from extractor.results.reading import convert_result

SCHEMA = read_schema({"properties": {"x": {"type": "string"}, "n": {"type": "number"}}})
MANIFEST = {
    "model": {"name": "small", "digest": "sha256:aa"},
    "prompt": {"name": "plain", "fingerprint": "sha256:bb"},
    "schema": {"fingerprint": "sha256:cc"},
}
GOLDS = [Gold("a.txt", {"x": "alpha", "n": 1}), Gold("b.txt", {"x": "beta"})]


WORDS = ["record", "evidence", "document", "text", "/x", "spans", "start", "end", "quote", "x", "n", "status", "usage"]
WORDS += ["seconds", "failures", "reason", "error", "message", "match", "confidence", "manifest", "model", "name"]


def result(name, record, **more):
    return {
        "format": "extractor.result/1",
        "document": {"name": name, "text": "alpha 1"},
        "task": "things",
        "status": "complete",
        "record": record,
        "evidence": {},
        "usage": {"requests": 2, "input_tokens": 30, "output_tokens": None, "seconds": 1.5},
        "manifest": MANIFEST,
    } | more


def write(folder, results, head=True, **more):
    for name, one in results.items():
        (folder / f"{name}.json").write_text(one if isinstance(one, str) else json.dumps(one), encoding="utf-8")
    if head:
        listed = [{"name": f"{name}.txt", "file": f"{name}.json", "status": "complete"} for name in results]
        whole = {"format": "extractor.run/1", "task": "things", "manifest": MANIFEST, "documents": listed} | more
        (folder / "run.json").write_text(json.dumps(whole), encoding="utf-8")


def in_memory(content):
    """A run whose only result has this content, whatever that is."""
    document = content.get("document")
    named = (document if isinstance(document, dict) else {"text": document}) | {"name": "a.txt"}
    found = convert_result(content | {"format": "extractor.result/1", "document": named}).file
    return RunFolder("things", Manifest.model_validate(MANIFEST), {"a.txt": found}, {})


def statuses(run):
    return {one.document: one.status for one in run.documents}


def test_a_finished_run_is_scored_and_says_what_made_it(tmp_path):
    write(
        tmp_path, {"a": result("a.txt", {"x": "alpha", "n": 1}), "b": result("b.txt", {"x": "gamma"}, status="suspect")}
    )
    run = load_scored_run(tmp_path, GOLDS, SCHEMA, task="things", fingerprint="sha256:cc")
    assert (run.label, run.task, run.model, run.prompt) == ("small · plain", "things", "small", "plain")
    assert run.fingerprints == (("model", "sha256:aa"), ("prompt", "sha256:bb"), ("schema", "sha256:cc"))
    assert statuses(run) == {"a.txt": "complete", "b.txt": "suspect"}
    first = run.documents[0]
    assert (first.seconds, first.input_tokens, first.output_tokens, first.requests) == (1.5, 30, None, 2)
    assert (tally_cells(run.cells).correct, tally_cells(run.cells).wrong) == (2, 1)
    assert run.notes == ()
    assert all(cell.run == run.label for cell in run.cells)


def test_a_repeat_is_told_from_the_first_run(tmp_path):
    write(tmp_path, {"a": result("a.txt", {})})
    assert load_scored_run(tmp_path, GOLDS, SCHEMA, repeat=2).label == "small · plain #2"
    assert load_scored_run(tmp_path, GOLDS, SCHEMA, label="mine", price=(1.0, 2.0)).price == (1.0, 2.0)


def test_a_run_of_another_task_or_schema_is_refused(tmp_path):
    write(tmp_path, {"a": result("a.txt", {})})
    with pytest.raises(UsageError, match='task "things", not of "others"'):
        load_scored_run(tmp_path, GOLDS, SCHEMA, task="others")
    with pytest.raises(UsageError, match="another schema"):
        load_scored_run(tmp_path, GOLDS, SCHEMA, task="things", fingerprint="sha256:dd")


def test_a_document_without_result_is_missing_and_one_that_failed_says_why(tmp_path):
    failed = result("a.txt", None, status="failed", error={"reason": "unreadable", "message": "Not a text."})
    write(tmp_path, {"a": failed})
    run = load_scored_run(tmp_path, GOLDS, SCHEMA)
    assert statuses(run) == {"a.txt": "failed", "b.txt": "missing"}
    assert [one.error for one in run.documents] == ["Not a text.", None]
    assert [cell.outcome for cell in run.cells if cell.failed] == [
        LeafOutcome.OMITTED,
        LeafOutcome.OMITTED,
        LeafOutcome.OMITTED,
        LeafOutcome.ABSENT,
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"format": "extractor.result/1", "document": {"na', "not whole JSON"),
        ("", "not whole JSON"),
        ("[1]", "no JSON object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"format": "other"}', "not a result file"),
        ('{"format": "extractor.result/1", "document": 5}', "does not name its document"),
        (json.dumps(result("z.txt", {})), 'is a result of "z.txt"'),
    ],
)
def test_a_half_written_or_foreign_result_is_a_failed_document(tmp_path, content, words):
    write(tmp_path, {"a": content, "b": result("b.txt", {"x": "beta"})})
    run = load_scored_run(tmp_path, GOLDS, SCHEMA)
    assert statuses(run) == {"a.txt": "failed", "b.txt": "complete"}
    assert words in run.documents[0].error
    assert tally_cells(run.cells).omitted == 2


def test_bytes_that_are_no_text_are_a_failed_document(tmp_path):
    write(tmp_path, {"a": "x"})
    (tmp_path / "a.json").write_bytes(b'{"a": "\xff"}')
    assert statuses(load_scored_run(tmp_path, GOLDS, SCHEMA))["a.txt"] == "failed"


def test_a_listed_file_that_is_not_there_or_outside_the_folder_is_a_failed_document(tmp_path):
    outside = tmp_path / "b.json"
    outside.write_text(json.dumps(result("b.txt", {"x": "beta"})))
    folder = tmp_path / "run"
    folder.mkdir()
    listed = [{"name": "a.txt", "file": "a.json"}, {"name": "b.txt", "file": "../b.json"}]
    write(folder, {}, documents=listed)
    run = load_scored_run(folder, GOLDS, SCHEMA)
    assert statuses(run) == {"a.txt": "failed", "b.txt": "failed"}
    assert run.documents[1].error == "../b.json is not there."


def test_a_run_without_its_head_is_read_from_its_results_and_says_so(tmp_path):
    write(tmp_path, {"a": result("a.txt", {"x": "alpha", "n": 1})}, head=False)
    run = load_scored_run(tmp_path, GOLDS, SCHEMA, task="things")
    assert (run.label, statuses(run)) == ("small · plain", {"a.txt": "complete", "b.txt": "missing"})
    assert run.notes == ("run.json is missing, so the run may be unfinished.",)
    (tmp_path / "run.json").write_text('{"task": "thi')
    assert load_scored_run(tmp_path, GOLDS, SCHEMA).notes == (
        "run.json is not whole JSON, so the run may be unfinished.",
    )


def test_a_folder_that_holds_no_run_is_refused(tmp_path):
    with pytest.raises(UsageError, match="holds no run"):
        load_scored_run(tmp_path, GOLDS, SCHEMA)
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UsageError, match="holds no run"):
        load_scored_run(tmp_path, GOLDS, SCHEMA)
    with pytest.raises(UsageError, match="Cannot read the run folder"):
        load_scored_run(tmp_path / "gone", GOLDS, SCHEMA)


def test_documents_without_gold_and_files_that_are_not_used_are_noted(tmp_path):
    write(tmp_path, {"a": result("a.txt", {}), "c": result("c.txt", {}), "d": "half"})
    (tmp_path / "a2.json").write_text(json.dumps(result("a.txt", {"x": "second"})))
    (tmp_path / "other.json").write_text("{}")
    run = load_scored_run(tmp_path, GOLDS, SCHEMA)
    assert run.notes == (
        'a2.json is a second result of "a.txt" and is not used.',
        'other.json is not a result file (its "format" is not extractor.result/1) and is not used.',
        "2 documents of the run have no gold and are not scored: c.txt, d.txt.",
    )
    assert {cell.document for cell in run.cells} == {"a.txt", "b.txt"}


def test_a_second_file_makes_up_for_one_that_is_broken(tmp_path):
    write(tmp_path, {"a": "half", "b": result("b.txt", {})})
    (tmp_path / "again.json").write_text(json.dumps(result("a.txt", {"x": "alpha"})))
    run = load_scored_run(tmp_path, GOLDS, SCHEMA)
    assert (statuses(run)["a.txt"], run.documents[0].error) == ("complete", None)


def test_results_of_another_run_in_the_folder_are_noted(tmp_path):
    other = MANIFEST | {"prompt": {"name": "plain", "fingerprint": "sha256:zz"}}
    write(tmp_path, {"a": result("a.txt", {}), "b": result("b.txt", {}, manifest=other)})
    assert load_scored_run(tmp_path, GOLDS, SCHEMA).notes == (
        "1 results were made with another task, model or prompt: b.txt.",
    )


def test_questions_without_an_answer_are_told(tmp_path):
    failures = [{"reason": "busy"}, {"reason": "refused"}, {"reason": "busy"}, 5]
    write(tmp_path, {"a": result("a.txt", {"x": "alpha"}, status="incomplete", failures=failures)})
    first = load_scored_run(tmp_path, GOLDS, SCHEMA).documents[0]
    assert (first.status, first.error) == ("incomplete", "Questions without an answer: 2 busy, 1 refused.")


def test_a_document_of_which_no_question_was_answered_has_failed(tmp_path):
    more = {"status": "incomplete", "failures": [{"reason": "not recorded"}], "coverage": {"asked": 0}}
    write(tmp_path, {"a": result("a.txt", {"x": None}, **more)})
    first = load_scored_run(tmp_path, GOLDS, SCHEMA).documents[0]
    assert (first.status, first.error) == ("failed", "No question was answered: 1 not recorded.")


@pytest.mark.parametrize("amount", ["NaN", "-1", "1e400", "true", '"1"', "[]", "9" * 400])
def test_usage_that_is_no_amount_is_unknown_and_never_zero(tmp_path, amount):
    whole = json.dumps(result("a.txt", {"n": 1}, usage={"seconds": 77, "requests": 77, "input_tokens": 77}))
    write(tmp_path, {"a": whole.replace("77", amount)})
    first = load_scored_run(tmp_path, GOLDS, SCHEMA).documents[0]
    assert first.seconds is None
    assert first.requests is None or first.requests > 1


def test_a_result_that_does_not_say_whether_it_is_complete_is_incomplete(tmp_path):
    write(tmp_path, {"a": result("a.txt", {"x": "alpha"}, status=["complete"])})
    assert statuses(load_scored_run(tmp_path, GOLDS, SCHEMA))["a.txt"] == "incomplete"


def test_a_predicted_nan_is_wrong_and_breaks_nothing(tmp_path):
    write(tmp_path, {"a": json.dumps(result("a.txt", {"x": "alpha", "n": 77})).replace("77", "NaN", 1)})
    assert tally_cells(load_scored_run(tmp_path, GOLDS, SCHEMA).cells).wrong == 1


def test_nothing_is_scored_without_gold(tmp_path):
    write(tmp_path, {"a": result("a.txt", {"x": "alpha"})})
    run = load_scored_run(tmp_path, [], SCHEMA)
    assert (run.documents, run.cells) == ((), ())


def test_results_in_memory_are_scored_like_a_folder():
    run = score_run_folder(in_memory({"record": {"x": "alpha"}}), GOLDS, SCHEMA)
    assert statuses(run) == {"a.txt": "incomplete", "b.txt": "missing"}
    assert tally_cells(run.cells).correct == 1


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(WORDS), anything))
def test_no_result_of_any_shape_breaks_the_scoring(whole):
    run = score_run_folder(in_memory(whole), GOLDS, SCHEMA)
    assert statuses(run)["a.txt"] in {"failed", "incomplete", "complete", "suspect"}
    assert tally_cells(run.cells).gold_count >= 3


def test_reading_a_folder_tells_task_model_and_prompt_even_when_the_manifest_does_not(tmp_path):
    write(tmp_path, {"a": result("a.txt", {}, manifest=None)}, manifest={"model": "small"})
    found = read_run_folder(tmp_path)
    assert (found.task, found.model, found.prompt) == ("things", "unknown model", "unknown prompt")
