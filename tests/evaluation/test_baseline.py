"""What a baseline keeps, what it refuses, and what it says has changed."""

import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.errors import MachineError, UsageError
from extractor.evaluation.analysis.baseline import BASELINE_FORMAT, BaselinePins, read_baseline, take_baseline
from extractor.evaluation.analysis.comparison import compare_runs
from extractor.evaluation.analysis.diff import compare_with_baseline
from extractor.evaluation.analysis.metrics import Statistic
from extractor.evaluation.scoring.outcomes import LeafOutcome, ScoreCell, ScoredDocument, ScoredRun
from tests.evaluation import synthetic

PINS = BaselinePins("task", "sha256:gold", "sha256:schema", ("d",))
OUTCOMES = {"c": LeafOutcome.CORRECT, "w": LeafOutcome.WRONG, "o": LeafOutcome.OMITTED, "u": LeafOutcome.UNSCORED}


def run(leaves, inventions=(), *, label="a", repeat=1, prints=(("model", "sha256:m"), ("prompt", "sha256:p"))):
    """`leaves` are outcomes of gold leaves /0, /1, ...; `inventions` are values of the field "extra"."""
    cells = [
        ScoreCell(label, "d", "x", OUTCOMES[c], "gold", None if c == "o" else c, f"/{n}", f"/{n}")
        for n, c in enumerate(leaves)
    ]
    cells += [
        ScoreCell(label, "d", "extra", LeafOutcome.INVENTED, None, value, None, f"/extra/{n}")
        for n, value in enumerate(inventions)
    ]
    graded = (ScoredDocument(label, "d", "complete", None, None, None, None),)
    return ScoredRun(label, "task", "m", "p", prints, graded, tuple(cells), repeat)


def since(before, now, pins=PINS, then=PINS):
    kept = take_baseline(compare_runs(before), then)
    return compare_with_baseline(kept, compare_runs(now), pins, "base.json")


def test_what_is_read_is_what_was_written_and_the_same_runs_give_the_same_bytes(tmp_path):
    runs, _ = synthetic.runs([("m", "p", 0.6), ("m", "q", 0.7)], repeats=2, failing=0.2)
    kept = take_baseline(compare_runs(runs), PINS)
    kept.write(tmp_path / "new" / "one.json")
    again = read_baseline(tmp_path / "new" / "one.json")
    assert again.pins == PINS
    again.write(tmp_path / "two.json")
    take_baseline(compare_runs(runs[::-1]), PINS).write(tmp_path / "three.json")
    assert (
        (tmp_path / "new" / "one.json").read_bytes()
        == (tmp_path / "two.json").read_bytes()
        == (tmp_path / "three.json").read_bytes()
    )
    diff = compare_with_baseline(again, compare_runs(runs), PINS)
    assert len(diff.run_diffs) == 2
    for shift in diff.run_diffs:
        assert (shift.worse, shift.better, shift.inventions_gone, shift.changed_fingerprints) == ((), (), {}, ())
        assert shift.statistic_change(Statistic.MICRO_F1) == pytest.approx(0, abs=1e-9)


def test_a_baseline_holds_no_value_of_gold_or_prediction(tmp_path):
    runs, _ = synthetic.runs([("m", "p", 0.5)])
    take_baseline(compare_runs(runs), PINS).write(tmp_path / "base.json")
    said = (tmp_path / "base.json").read_text()
    values = {v for cell in runs[0].cells for v in (cell.gold, cell.prediction) if isinstance(v, str) and len(v) > 6}
    assert values and not [value for value in values if value in said]


leaves = st.lists(st.sampled_from("cwou"), max_size=12)
inventions = st.lists(st.sampled_from(["p", "q", 3, None, float("nan")]), max_size=5)


@given(st.lists(st.tuples(st.sampled_from("cwou"), st.sampled_from("cwou")), max_size=12), inventions, inventions)
@settings(max_examples=60)
def test_newly_wrong_and_newly_right_leaves_are_exactly_those_that_crossed(both, then, now):
    diff = since([run([a for a, _ in both], then)], [run([b for _, b in both], now)])
    (shift,) = diff.run_diffs
    bad = "wo"
    worse = {f"/{n}" for n, (a, b) in enumerate(both) if a not in bad and b in bad}
    better = {f"/{n}" for n, (a, b) in enumerate(both) if a in bad and b not in bad}
    assert {one.gold_path for one in shift.worse if one.gold_path} == worse
    assert {one.gold_path for one in shift.better} == better
    spelled = [sorted(map(repr, side)) for side in (then, now)]
    fresh = [one for one in shift.worse if one.now is LeafOutcome.INVENTED]
    shared = sum(min(spelled[0].count(one), spelled[1].count(one)) for one in set(spelled[0]))
    assert len(fresh) == len(now) - shared
    assert sum(shift.inventions_gone.values()) == len(then) - shared


def test_repeats_are_held_against_their_own_repeats():
    before = [run("cc"), run("cw", label="a #2", repeat=2)]
    now = [run("cc"), run("ww", label="a #2", repeat=2)]
    (shift,) = since(before, now).run_diffs
    assert [(one.run, one.gold_path) for one in shift.worse] == [("a #2", "/0")]


@pytest.mark.parametrize(
    ("pins", "said"),
    [
        ({"gold": "sha256:other"}, r"The gold has changed since the baseline base.json was taken \(the same documents"),
        ({"gold": "sha256:other", "documents": ("d", "e")}, r"taken \(e came\)"),
        ({"gold": "sha256:other", "documents": ()}, r"taken \(d went\)"),
        ({"schema": "sha256:other"}, "The schema has changed"),
        ({"scorer": "0"}, "scored by other rules"),
        ({"task": "letters"}, 'is of the task "task", not of "letters"'),
    ],
)
def test_a_baseline_of_another_gold_schema_scorer_or_task_is_refused(pins, said):
    with pytest.raises(UsageError, match=said) as caught:
        since([run("c")], [run("c")], pins=dataclasses.replace(PINS, **pins))
    assert str(caught.value).endswith((".", "one."))


def test_another_model_or_prompt_is_said_and_compared():
    now = run("c", prints=(("model", "sha256:other"), ("prompt", "sha256:p"), ("schema", "sha256:s")))
    (shift,) = since([run("c")], [now]).run_diffs
    assert shift.changed_fingerprints == (("model", "sha256:m", "sha256:other"), ("schema", "not said", "sha256:s"))


def test_runs_that_only_one_side_has_are_named_and_none_in_common_is_refused():
    diff = since([run("c"), run("c", label="old")], [run("c"), run("c", label="new")])
    assert (diff.absent_labels, diff.added_labels) == (("old",), ("new",))
    with pytest.raises(UsageError, match=r"has none of these runs \(new\), but old"):
        since([run("c", label="old")], [run("c", label="new")])


def broken():
    whole = {
        "format": BASELINE_FORMAT,
        "pins": {"task": "t", "scorer": "1", "gold": "g", "schema": "s", "documents": ["d"]},
        "runs": [
            {
                "label": "a",
                "model": "m",
                "prompt": "p",
                "fingerprints": {},
                "figures": {"micro_f1": 0.5},
                "documents": {
                    "d": {
                        "counts": [1, 1, 0, 0],
                        "leaves": [{"wrong": ["/0"], "omitted": [], "unscored": [], "invented": {}}],
                    }
                },
            }
        ],
    }
    yield whole, True
    run_ = whole["runs"][0]
    for path in ("format", "pins", "runs"):
        yield {key: value for key, value in whole.items() if key != path}, False
    for name, value in [
        ("figures", {"micro_f1": 2}),
        ("figures", {"micro_f1": float("nan")}),
        ("figures", {"other": 0.5}),
        ("figures", []),
        ("documents", {"d": {"counts": [1, 1], "leaves": []}}),
        ("documents", {"d": {"counts": [1, 1, -1, 0], "leaves": []}}),
        ("documents", {"d": {"counts": [1, 1, 1, 0], "leaves": [{}]}}),
        ("documents", ["d"]),
        ("label", 3),
    ]:
        yield whole | {"runs": [run_ | {name: value}]}, False
    yield [whole], False
    yield whole | {"format": "extractor.baseline/9"}, False


@pytest.mark.parametrize(("whole", "fits"), list(broken()))
def test_a_file_that_is_no_baseline_is_refused_in_one_sentence(tmp_path, whole, fits):
    path = tmp_path / "base.json"
    path.write_text(json.dumps(whole))
    if fits:
        assert read_baseline(path).runs[0].figures == {Statistic.MICRO_F1: 0.5}
    else:
        with pytest.raises(UsageError, match=r"is no baseline of the format .*--update-baseline"):
            read_baseline(path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_no_json_is_refused(tmp_path, content):
    (tmp_path / "base.json").write_bytes(content)
    with pytest.raises(UsageError, match="not whole JSON"):
        read_baseline(tmp_path / "base.json")


def test_a_file_that_is_not_there_is_a_mistake_of_the_user_and_one_that_cannot_be_written_of_the_machine(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_baseline(tmp_path / "none.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="cannot be written"):
        take_baseline(compare_runs([run("c")]), PINS).write(tmp_path / "file" / "base.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]
