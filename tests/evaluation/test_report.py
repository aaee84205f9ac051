"""The content of a report and its files: whole, strict, the same every time, and in agreement with each other."""

import dataclasses
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.evaluation.analysis.baseline import BaselinePins, take_baseline
from extractor.evaluation.analysis.comparison import compare_runs
from extractor.evaluation.analysis.costs import find_pareto_front
from extractor.evaluation.analysis.diff import compare_with_baseline
from extractor.evaluation.analysis.gates import GateBounds, judge_comparison
from extractor.evaluation.report.content import build_report
from extractor.evaluation.report.junit import render_junit
from extractor.evaluation.report.markdown import MAX_MARKDOWN_BYTES, escape_markdown, render_markdown
from extractor.evaluation.report.strict_json import make_strict_json
from extractor.evaluation.report.write import write_json, write_report_files
from extractor.evaluation.scoring.grounding import SpanOverlap
from extractor.evaluation.scoring.outcomes import LeafOutcome, ScoreCell, ValueSupport, tally_cells
from tests.evaluation import synthetic
from tests.evaluation.test_comparison import run

SIX = [(model, prompt, skill) for model, skill in [("tiny", 0.4), ("small", 0.7), ("large", 0.9)] for prompt in "pq"]
DOCS = Path(__file__).parents[2] / "docs" / "report.md"


def report(runs, gates=None, **more):
    comparison = compare_runs(runs)
    return build_report(comparison, judge_comparison(comparison, gates), **more)


def with_baseline(runs):
    """A report against a baseline that every run has moved away from."""
    before = compare_runs([dataclasses.replace(one, cells=one.cells[::2]) for one in runs])
    now = compare_runs(runs)
    pins = BaselinePins("letters", "g", "s", now.documents)
    diff = compare_with_baseline(take_baseline(before, pins), now, pins)
    return build_report(
        now, judge_comparison(now, GateBounds(), diff), diff, spans={now.entrants[0].label: SpanOverlap(1, 2, 3)}
    )


@pytest.fixture(scope="module")
def six():
    return synthetic.runs(SIX, failing=0.1)


@pytest.fixture(scope="module")
def content(six):
    return report(six[0], GateBounds(fail_under=0.6), title="Letters")


def test_counts_of_fields_of_documents_and_of_the_whole_are_those_of_the_cells(six, content):
    for one in content["runs"]:
        (cells,) = [own.cells for own in six[0] if own.label == one["label"]]
        tally = tally_cells(cells)
        for kind in ("correct", "wrong", "omitted", "invented", "hallucinated", "mispicked"):
            whole = getattr(tally, kind)
            assert one["counts"][kind] == whole
            assert sum(field[kind] for field in one["fields"]) == whole
            assert sum(document[kind] for document in one["documents"]) == whole
        assert one["micro"]["f1"] == pytest.approx(tally.f1, abs=1e-6)
        errors = [error for error in content["errors"] if error["run"] == one["label"]]
        assert len(errors) == tally.wrong + tally.omitted + tally.invented
        predicted = sum(n for row in one["support"].values() for n in row.values())
        assert predicted == tally.predicted_count


def test_every_key_of_a_report_is_in_its_documentation(six):
    said = DOCS.read_text(encoding="utf-8")

    def keys(value, open_keys=("undone_documents", "inventions_gone", "before", "now", "fingerprints", "errors[]")):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                if key not in open_keys:
                    yield from keys(inner)
        elif isinstance(value, list):
            for inner in value[:50]:
                yield from keys(inner)

    missing = {key for key in keys(with_baseline(six[0])) if f'"{key}"' not in said and f"`{key}`" not in said}
    assert not missing


def test_fields_stand_in_the_order_of_the_schema_also_where_the_first_documents_lack_some():
    def cells(document, fields):
        return tuple(ScoreCell("a", document, field, LeafOutcome.CORRECT, 1, 1) for field in fields)

    one = run("a", {"d": "", "e": "", "f": ""})
    whole = cells("d", ["p", "r", "r", "u"]) + cells("e", ["p", "q", "r", "s", "r", "t", "u"]) + cells("f", ["o", "p"])
    made = report([dataclasses.replace(one, cells=whole)])
    assert made["fields"] == [field["field"] for field in made["runs"][0]["fields"]] == list("pqrtsuo")


def test_the_runs_stand_in_the_order_of_their_rank_with_the_figures_that_the_issue_asks_for(content):
    assert [one["rank"] for one in content["runs"]] == [1, 2, 3, 4, 5, 6]
    figures = [one["micro"]["f1"] for one in content["runs"]]
    assert figures == sorted(figures, reverse=True)
    for one in content["runs"]:
        for average in ("micro", "macro"):
            assert {"precision", "recall", "f1", "interval"} <= one[average].keys()
        assert one["label"] == f"{one['model']} · {one['prompt']}"


def test_the_same_runs_give_the_same_bytes_in_any_order(six, tmp_path):
    runs, texts = six
    write_report_files(report(runs, title="x"), tmp_path / "one", texts)
    write_report_files(report(runs[::-1], title="x"), tmp_path / "two", dict(reversed(texts.items())))
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["junit.xml", "report.html", "report.json", "report.md"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


def test_report_json_is_the_content_in_strict_json(content, tmp_path):
    write_json(content, tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_bytes(), parse_constant=refuse) == content
    empty = {**content, "errors": []}
    write_json(empty, tmp_path / "empty.json")
    assert json.loads((tmp_path / "empty.json").read_bytes()) == empty


ODD = [float("nan"), float("inf"), "\ud800", "\x00\x1b\u202e", 10**400, {"a": [float("nan")]}, "</script>", -0.0, True]


def test_values_that_json_cannot_hold_are_spelled_out_in_every_file(tmp_path):
    one = run("a", {"d1": "cw", "d2": "cc"})
    cells = tuple(
        ScoreCell("a", "d1", "x", LeafOutcome.WRONG, value, value, f"/{n}", f"/{n}", confidence=float("nan"))
        for n, value in enumerate(ODD)
    )
    odd = dataclasses.replace(
        one,
        cells=one.cells + cells,
        documents=tuple(dataclasses.replace(graded, seconds=float("nan")) for graded in one.documents),
        notes=("\ud800\x07",),
    )
    made = report([odd])
    for path in write_report_files(made, tmp_path, {"d1": "a \ud800 text \U0001f600 with nan"}):
        path.read_bytes().decode("utf-8")
    errors = json.loads((tmp_path / "report.json").read_bytes(), parse_constant=refuse)["errors"]
    said = [error["gold"] for error in errors if error["field"] == "x"]
    assert said[:3] == ["NaN", "Infinity", "\\ud800"]
    assert {error["confidence"] for error in errors} == {None}
    assert made["runs"][0]["usage"]["seconds"] is None
    assert made["runs"][0]["confidence"] is None
    ElementTree.parse(tmp_path / "junit.xml")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_strict_values_are_json_and_utf8_and_stay_as_they_are_when_they_already_were(value):
    made = make_strict_json(value)
    spelled = json.dumps(made, allow_nan=False, ensure_ascii=False).encode()
    assert make_strict_json(json.loads(spelled)) == made


def test_a_value_nested_without_end_is_cut():
    value = []
    for _ in range(5000):
        value = [value]
    assert "…" in json.dumps(make_strict_json(value), ensure_ascii=False)


@pytest.mark.parametrize(
    ("runs", "headline"),
    [
        ([run("a", {}), run("b", {})], "Nothing was scored."),
        ([run("a", {"d": "ccw"})], "a reaches micro F1 0.667 on 1 document."),
        ([run("a", {"d": "oo", "e": "o"}, failed={"d", "e"})], "a reaches micro F1 0.000 on 2 documents."),
        ([run("a", {"d": "aa", "e": ""})], "Nothing was scored."),
        ([run("a", {"d": "c"}), run("b", {"d": "w"})], "a leads with micro F1 1.000 on 1 document, too few"),
    ],
)
def test_little_or_nothing_to_report_is_reported_as_such(runs, headline, tmp_path):
    made = report(runs)
    assert made["headline"].startswith(headline)
    assert made["few"]
    write_report_files(made, tmp_path)
    if not made["documents"] or headline.startswith("Nothing"):
        assert not made["verdict"]["passed"]
    for one in made["runs"]:
        assert len(made["documents"]) > 1 or one["micro"]["interval"] is None


def test_with_enough_documents_the_headline_says_what_the_leader_is_told_apart_from():
    runs, _ = synthetic.runs([("a", "p", 0.9), ("b", "p", 0.5)], documents=35, rows=3)
    assert report(runs)["headline"].endswith("and is told apart from all others.")
    twins = [dataclasses.replace(runs[0], label="one"), dataclasses.replace(runs[0], label="two")]
    assert report(twins)["headline"].endswith("It cannot be told apart from two.")
    assert report(twins)["few"] is None


def test_the_matrix_has_means_only_where_every_pair_was_run_on_the_same_documents(content):
    matrix = content["matrix"]
    assert (len(matrix["models"]), len(matrix["prompts"])) == (3, 2)
    for row, mean in zip(matrix["cells"], matrix["by_model"], strict=True):
        assert mean == pytest.approx(sum(row) / 2, abs=1e-6)
    whole = [run(f"{m}{p}", {"d": "cw", "e": "c"}, model=m, prompt=p) for m in "xy" for p in "pq"]
    assert report(whole)["matrix"]["by_model"] is not None
    assert report(whole)["matrix"]["interaction"] == 0
    assert report(whole[:3])["matrix"]["by_model"] is None
    fewer = run("yq", {"d": "cw"}, model="y", prompt="q")
    assert report([*whole[:3], fewer])["matrix"]["by_prompt"] is None
    assert report([*whole, run("again", {"d": "c"}, model="y", prompt="q")])["matrix"] is None
    assert report(whole[:2])["matrix"] is None


def test_what_a_run_cost_is_unknown_where_nobody_said_and_never_zero():
    one = run("a", {"d": "c", "e": "c"})
    silent = dataclasses.replace(
        one,
        documents=tuple(
            dataclasses.replace(g, seconds=None, input_tokens=None, output_tokens=None, requests=None)
            for g in one.documents
        ),
    )
    usage = report([silent])["runs"][0]["usage"]
    assert {usage[kind] for kind in ("seconds", "input_tokens", "output_tokens", "requests", "money")} == {None}
    assert usage["unknown"]["seconds"] == 2
    assert set(usage["per_document"].values()) == {None}
    assert not any(usage["pareto"].values())
    half = dataclasses.replace(one, documents=(one.documents[0], silent.documents[1]), price=(1.0, 3.0))
    usage = report([half])["runs"][0]["usage"]
    assert (usage["seconds"], usage["unknown"]["seconds"], usage["per_document"]["seconds"]) == (1, 1, 1)
    assert usage["money"] == pytest.approx(10 / 1e6 + 30 / 1e6)


points = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.tuples(*[st.none() | st.integers(0, 5)] * 2))


@given(points)
def test_the_pareto_front_is_what_no_other_point_beats(given_points):
    known = {n: p for n, p in given_points.items() if None not in p}
    front = set(find_pareto_front(given_points))
    for name, (up, cost) in known.items():
        beaten = any(u >= up and c <= cost and (u, c) != (up, cost) for u, c in known.values())
        assert (name in front) == (not beaten)


def test_confidences_are_binned_by_what_came_true():
    one = run("a", {"d": "", "e": ""})
    cells = [ScoreCell("a", "d", "x", LeafOutcome.CORRECT, 1, 1, confidence=0.95)] * 9
    cells += [
        ScoreCell("a", "d", "x", LeafOutcome.WRONG, 1, 2, confidence=0.95),
        ScoreCell("a", "d", "x", LeafOutcome.OMITTED, 1),
    ]
    cells += [
        ScoreCell("a", "d", "x", LeafOutcome.INVENTED, None, 2, confidence=1.0),
        ScoreCell("a", "d", "x", LeafOutcome.CORRECT, 1, 1),
    ]
    found = report([dataclasses.replace(one, cells=tuple(cells))])["runs"][0]["confidence"]
    assert (found["leaves"], found["without"]) == (11, 1)
    (last,) = found["bins"]
    assert (last["low"], last["high"], last["leaves"]) == (0.9, 1.0, 11)
    assert last["correct"] == pytest.approx(9 / 11, abs=1e-6)
    assert found["error"] == pytest.approx((9 * 0.95 + 0.95 + 1) / 11 - 9 / 11, abs=1e-6)
    assert found["brier"] == pytest.approx((9 * 0.05**2 + 0.95**2 + 1) / 11, abs=1e-6)


def test_errors_that_the_baseline_did_not_have_are_marked():
    runs, _ = synthetic.runs(SIX[:1], documents=3)
    made = with_baseline(runs)
    fresh = [error for error in made["errors"] if error["new"]]
    assert 0 < len(fresh) < len(made["errors"])
    assert len(fresh) == sum(len(one["worse"]) for one in made["baseline"]["runs"])


# The other files


def test_junit_fails_exactly_where_a_gate_does_and_skips_documents_that_failed(six, content):
    root = ElementTree.fromstring(render_junit(content))
    cases = list(root.iter("testcase"))
    assert len(cases) == len(content["verdict"]["gates"]) + 6 * len(content["documents"]) == int(root.get("tests"))
    failures = [case for case in cases if case.find("failure") is not None]
    assert [case.find("failure").get("message") for case in failures] == [
        gate["message"] for gate in content["verdict"]["gates"] if not gate["passed"]
    ]
    assert len(failures) == int(root.get("failures")) > 0
    undone = sum(len(one["undone_documents"]) for one in content["runs"])
    assert len(list(root.iter("skipped"))) == undone == int(root.get("skipped")) > 0
    for suite in root:
        assert int(suite.get("tests")) == len(suite)


HOSTILE = (
    '</script><script>alert(1)</script>"><img src=x onerror=alert(1)> | `x` [a](http://b) ![](//c) @me \u202e\x00\n# h'
)


def hostile():
    """A run in which every name, value and message is hostile."""
    base, _ = synthetic.runs([(HOSTILE, HOSTILE, 0.5)], documents=2, rows=2, names=[HOSTILE, HOSTILE + "2"])
    cells = tuple(
        dataclasses.replace(
            cell,
            field=HOSTILE + cell.field,
            gold=None if cell.gold is None else HOSTILE,
            prediction=None if cell.prediction is None else {HOSTILE: [HOSTILE]},
            gold_path=cell.gold_path and cell.gold_path + HOSTILE,
            path=cell.path and cell.path + HOSTILE,
            match=HOSTILE,
            comparator=HOSTILE,
            support=ValueSupport.UNSUPPORTED,
        )
        for cell in base[0].cells
    )
    documents = tuple(
        dataclasses.replace(one, error=HOSTILE, status=("failed", "complete")[n])
        for n, one in enumerate(base[0].documents)
    )
    prints = ((HOSTILE, HOSTILE),)
    return dataclasses.replace(base[0], cells=cells, documents=documents, fingerprints=prints, notes=(HOSTILE,))


def test_nothing_hostile_is_live_in_markdown():
    one = hostile()
    made = report([one, dataclasses.replace(one, label=HOSTILE + "3")], GateBounds(fail_under=0.99), title=HOSTILE)
    said = render_markdown(made)
    assert "alert" in said
    assert "<" not in said and "\u202e" not in said and "\x00" not in said
    assert "@me" not in said and "://" not in said
    assert not re.search(r"(?<!\\)!\[|(?<!\\)\]\(|(?<!\\)`", said)
    heads = [line for line in said.splitlines() if line.startswith("#")]
    assert all("alert" in line or line == "## Pairs" for line in heads)
    widths = {
        len(re.findall(r"(?<!\\)\|", line)) for line in said.splitlines() if line.startswith("| ") and "alert" in line
    }
    assert widths <= {8, 7, 14}  # a row is cut nowhere by what it holds


@given(st.text())
def test_escaped_text_is_one_line_and_holds_no_tag(text):
    said = escape_markdown(text)
    assert "\n" not in said and "\r" not in said and "<" not in said
    assert not re.search(r"(?<!\\)(\\\\)*[|`*_\[\]]", said)


def test_markdown_of_many_long_runs_stays_below_what_github_drops():
    runs = [run(f"{n}" * 3 + "\U0001f600" * 20_000, {"d": "w" * 5}, model="m" * 9000, prompt=str(n)) for n in range(12)]
    said = render_markdown(report(runs))
    assert len(said.encode()) <= MAX_MARKDOWN_BYTES + 100
    assert said.endswith("Cut here; report.html has the rest.\n")


def test_nothing_hostile_breaks_junit():
    made = report([hostile()], GateBounds(fail_under=0.99), title=HOSTILE)
    root = ElementTree.fromstring(render_junit(made))
    assert {element.tag for element in root.iter()} == {
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "skipped",
        "system-out",
    }
    assert "‹U+0000›" in root.get("name")


@given(st.text(st.characters(codec=None), max_size=30))
@settings(max_examples=60)
def test_any_title_makes_well_formed_xml(title):
    content = {
        "title": title,
        "errors": [],
        "runs": [],
        "verdict": {"gates": [{"run": title, "name": title, "passed": False, "message": title}]},
    }
    ElementTree.fromstring(render_junit(content).encode("utf-8"))


def test_all_files_and_the_exit_code_say_the_same(six, tmp_path):
    for bound in (0.0, 0.99):
        comparison = compare_runs(six[0])
        verdict = judge_comparison(comparison, GateBounds(fail_under=bound))
        write_report_files(build_report(comparison, verdict), tmp_path, six[1])
        passed = verdict.exit_code == 0
        assert json.loads((tmp_path / "report.json").read_bytes())["verdict"]["passed"] == passed
        assert (tmp_path / "report.md").read_text().startswith("# ✅" if passed else "# ❌")
        assert (int(ElementTree.parse(tmp_path / "junit.xml").getroot().get("failures")) == 0) == passed
        assert ('<span class="chip">Passed</span>' in (tmp_path / "report.html").read_text()) == passed
