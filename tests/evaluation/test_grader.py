"""What a score must do for any schema and any record, and what each outcome means."""

import copy
import math
from collections import Counter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from extractor.evaluation.gold import Gold
from extractor.evaluation.scoring.grader import grade_document, grade_document_cells
from extractor.evaluation.scoring.outcomes import LeafOutcome, ValueSupport, tally_cells
from extractor.evaluation.scoring.schema import ObjectNode, ValueListNode, is_blank, read_scoring_schema
from extractor.evaluation.scoring.walk import iterate_leaf_values
from extractor.types import json_pointer

WORDS = ["alpha", "beta", "gamma", "delta", "12", "Ann-Marie", "U.S.", "3.5"]
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join) | st.just("")
LEAVES = [
    ({"type": "string"}, texts),
    ({"type": "string", "x-kind": "name"}, texts),
    ({"type": "string", "x-compare": {"fuzzy": 0.9}}, texts),
    ({"type": "string", "x-kind": "date"}, st.sampled_from(["2020", "2020-01", "2020-01-31", "present", "spring"])),
    ({"type": "number"}, st.integers(-3, 3) | st.sampled_from([0.5, 1e10, math.inf])),
    ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, st.integers(0, 3) | st.none()),
    ({"type": "boolean"}, st.booleans()),
    ({"enum": ["red", "green"]}, st.sampled_from(["red", "green"])),
    ({"type": "string", "x-kind": "quantity"}, st.sampled_from(["3x", "4 kg", "12%", "up to 5"])),
    ({}, st.none() | texts | st.integers(0, 2)),
]
NAMES = ["a", "b", "c", "d/e", "f~g"]


def objects(depth):
    """Pairs of (schema of an object, strategy of its values)."""
    return st.dictionaries(st.sampled_from(NAMES), nodes(depth), min_size=1, max_size=4).flatmap(_object)


def _object(fields):
    schema = {"type": "object", "properties": {name: one for name, (one, _) in fields.items()}}
    values = st.fixed_dictionaries({}, optional={name: value for name, (_, value) in fields.items()})
    keys = st.lists(st.sampled_from(sorted(fields)), max_size=2, unique=True)
    return keys.map(lambda key: (schema | ({"x-key": key} if key else {}), values))


def nodes(depth):
    scalar = st.sampled_from(LEAVES)
    if depth == 0:
        return scalar
    lists = (scalar | objects(depth - 1)).map(
        lambda item: ({"type": "array", "items": item[0]}, st.lists(item[1], max_size=4))
    )
    return scalar | lists | objects(depth - 1)


tasks = objects(2).flatmap(lambda task: st.tuples(st.just(task[0]), task[1]))
pairs = objects(2).flatmap(lambda task: st.tuples(st.just(task[0]), task[1], task[1]))


def score(schema, gold, predicted, **more):
    return grade_document_cells(Gold("d", gold, **more), {"record": predicted}, read_scoring_schema(schema), "run")


def outcomes(cells):
    return [(cell.field, str(cell.outcome)) for cell in cells if cell.outcome is not LeafOutcome.ABSENT]


def per_field(cells):
    return Counter((cell.field, str(cell.outcome)) for cell in cells)


def shuffled(value, rng):
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: shuffled(value[key], rng) for key in keys}
    if isinstance(value, list):
        return rng.sample([shuffled(one, rng) for one in value], len(value))
    return value


@settings(deadline=None)
@given(tasks)
def test_a_perfect_prediction_scores_one_whatever_the_schema(task):
    schema, record = task
    tally = tally_cells(score(schema, record, copy.deepcopy(record)))
    assert tally.correct == len(list(iterate_leaf_values(read_scoring_schema(schema), record)))
    assert (tally.wrong, tally.omitted, tally.invented, tally.unscored) == (0, 0, 0, 0)
    assert tally.f1 == (1.0 if tally.correct else None)


@settings(deadline=None)
@given(tasks)
def test_a_perfect_prediction_scores_one_without_a_schema_too(task):
    _, record = task
    tally = tally_cells(score({}, record, copy.deepcopy(record)))
    assert tally.f1 in (1.0, None)


@settings(deadline=None)
@given(pairs, st.randoms(use_true_random=False))
def test_reordering_lists_and_keys_changes_nothing(task, rng):
    schema, gold, predicted = task
    before = per_field(score(schema, gold, predicted))
    assert per_field(score(schema, shuffled(gold, rng), predicted)) == before
    assert per_field(score(schema, gold, shuffled(predicted, rng))) == before


@settings(deadline=None)
@given(pairs)
def test_every_leaf_of_either_side_is_counted_once(task):
    schema, gold, predicted = task
    tree = read_scoring_schema(schema)
    tally = tally_cells(score(schema, gold, predicted))
    assert tally.gold_count == len(list(iterate_leaf_values(tree, gold)))
    assert tally.predicted_count == len(list(iterate_leaf_values(tree, predicted)))


@settings(deadline=None)
@given(pairs)
def test_exchanging_gold_and_prediction_exchanges_omitted_and_invented(task):
    schema, gold, predicted = task
    one, other = tally_cells(score(schema, gold, predicted)), tally_cells(score(schema, predicted, gold))
    assert (one.correct, one.omitted, one.invented) == (other.correct, other.invented, other.omitted)


def places(value, path=()):
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, name))
    elif not is_blank(value):
        yield path, value


def put(record, path, value):
    record = copy.deepcopy(record)
    at = record
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    return record


@settings(deadline=None)
@given(tasks, st.data())
def test_altering_one_gold_value_moves_exactly_that_field(task, data):
    schema, record = task
    found = list(places(record))
    assume(found)
    path, value = data.draw(st.sampled_from(found))
    other = not value if isinstance(value, bool) else 77 if isinstance(value, int | float) else "2077"
    cells = score(schema, put(record, path, other), record)
    moved = {cell.field for cell in cells if cell.outcome not in (LeafOutcome.CORRECT, LeafOutcome.ABSENT)}
    field = next(
        name
        for name, _, _, where in iterate_leaf_values(read_scoring_schema(schema), record)
        if where == json_pointer(path)
    )
    assert moved == {field}
    assert tally_cells(cells).correct == len(found) - 1


rows = st.integers(2, 6).flatmap(
    lambda n: st.tuples(st.just(n), st.integers(2, 4), st.integers(0, 2), st.permutations(range(n)))
)


@settings(deadline=None)
@given(rows, st.integers(0, 3))
def test_swapping_two_values_between_rows_costs_both_rows(shape, column):
    n, width, keys, order = shape
    names = [f"c{k}" for k in range(width)]
    row = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "x-key": names[:keys]}
    schema = {"properties": {"rows": {"type": "array", "items": row}}}
    gold = [{name: f"{name}v{i}" for name in names} for i in range(n)]
    predicted = copy.deepcopy(gold)
    name = names[column % width]
    a, b = order[0], order[1]
    predicted[a][name], predicted[b][name] = predicted[b][name], predicted[a][name]
    cells = score(schema, {"rows": gold}, {"rows": [predicted[i] for i in order]})
    hurt = {
        cell.gold_path.split("/")[2] for cell in cells if cell.outcome is not LeafOutcome.CORRECT and cell.gold_path
    }
    assert hurt == {str(a), str(b)}


@settings(deadline=None)
@given(tasks)
def test_a_missing_document_costs_all_its_leaves_and_says_why(task):
    schema, record = task
    for result in (None, {"record": None, "status": "failed"}, {}, {"record": "text"}):
        cells = grade_document_cells(Gold("d", record), result, read_scoring_schema(schema), "run")
        tally = tally_cells(cells)
        assert tally.omitted == len(list(iterate_leaf_values(read_scoring_schema(schema), record)))
        assert tally.predicted_count == 0
        assert all(cell.failed for cell in cells)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=15,
)


@settings(deadline=None)
@given(objects(2), anything, anything)
def test_no_record_of_any_shape_breaks_the_grading(task, gold, predicted):
    schema, _ = task
    cells = score(schema, {"a": gold, "b": gold}, {"a": predicted, "c": predicted})
    assert all(
        cell.gold_path is not None or cell.path is not None or cell.outcome is LeafOutcome.ABSENT for cell in cells
    )
    assert tally_cells(score(schema, {"a": gold}, {"a": copy.deepcopy(gold)})).f1 in (1.0, None)


def test_very_deep_records_are_graded():
    deep = shallow = "x"
    for _ in range(5000):
        deep, shallow = [deep], {"a": shallow}
    for value in (deep, shallow):
        assert tally_cells(score({}, {"a": value}, {"a": copy.copy(value)})).f1 == 1.0
        assert tally_cells(score({}, {"a": value}, {"a": "x"})).correct == 0


FLAT = {"properties": {name: {"type": "string"} for name in "abcd"} | {"n": {"type": "number"}}}


def test_each_outcome_is_told_from_the_others():
    cells = score(FLAT, {"a": "x", "b": "x", "c": "x", "n": 0}, {"a": "X ", "b": "y", "d": "z", "n": 0.0})
    assert outcomes(cells) == [
        ("a", "correct"),
        ("b", "wrong"),
        ("c", "omitted"),
        ("d", "invented"),
        ("n", "correct"),
    ]


@pytest.mark.parametrize("absent", [None, "", " ", [], {}, [None], {"x": ""}])
def test_every_way_to_say_nothing_is_absence(absent):
    assert [cell.outcome for cell in score(FLAT, {"a": absent}, {})] == [LeafOutcome.ABSENT] * 5
    assert outcomes(score(FLAT, {"a": absent}, {"a": "x"})) == [("a", "invented")]
    assert outcomes(score(FLAT, {"a": "x"}, {"a": absent})) == [("a", "omitted")]


def test_zero_and_false_are_values():
    schema = {"properties": {"n": {"type": "number"}, "b": {"type": "boolean"}}}
    assert outcomes(score(schema, {"n": 0, "b": False}, {})) == [("n", "omitted"), ("b", "omitted")]
    assert outcomes(score(schema, {}, {"n": 0, "b": False})) == [("n", "invented"), ("b", "invented")]
    assert outcomes(score(schema, {"n": 0, "b": False}, {"n": False, "b": 0})) == [("n", "wrong"), ("b", "wrong")]


def test_a_field_that_the_schema_does_not_have_is_invented_or_omitted():
    assert outcomes(score(FLAT, {"zz": "x"}, {"yy": {"q": [1]}})) == [("yy.q[]", "invented"), ("zz", "omitted")]


def test_a_value_of_another_shape_is_one_invented_leaf_and_the_gold_is_omitted():
    schema = {"properties": {"tags": {"type": "array", "items": {"type": "string"}}, "o": {"properties": {"p": {}}}}}
    cells = score(schema, {"tags": ["x", "y"], "o": {"p": 1}}, {"tags": "x", "o": [{"p": 1}]})
    assert sorted(outcomes(cells)) == [
        ("o", "invented"),
        ("o.p", "omitted"),
        ("tags", "invented"),
        ("tags[]", "omitted"),
        ("tags[]", "omitted"),
    ]


ROWS = {
    "properties": {
        "rows": {
            "type": "array",
            "items": {
                "type": "object",
                "x-key": ["code"],
                "properties": {
                    "code": {"type": "string"},
                    "when": {"type": "string", "x-kind": "date"},
                    "parts": {
                        "type": "array",
                        "items": {"properties": {"p": {"type": "string"}, "q": {"type": "number"}}},
                    },
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
            },
        }
    }
}


def test_leaves_of_rows_without_a_partner_are_omitted_and_invented_one_by_one():
    gold = {"rows": [{"code": "a1", "when": "2020", "parts": [{"p": "x", "q": 1}]}, {"code": "b2"}]}
    cells = score(ROWS, gold, {"rows": [{"code": "b2", "tags": []}, {"code": "zz", "tags": ["t", "u"]}]})
    assert outcomes(cells) == [
        ("rows[].code", "omitted"),
        ("rows[].when", "omitted"),
        ("rows[].parts[].p", "omitted"),
        ("rows[].parts[].q", "omitted"),
        ("rows[].code", "correct"),
        ("rows[].code", "invented"),
        ("rows[].tags[]", "invented"),
        ("rows[].tags[]", "invented"),
    ]


def test_cells_point_to_where_both_values_stand():
    gold = {"rows": [{"code": "a1"}, {"code": "b2", "parts": [{"p": "x", "q": 1}, {"p": "y", "q": 2}]}]}
    predicted = {"rows": [{"code": "b2", "parts": [{"p": "y", "q": 3}]}]}
    cell = next(cell for cell in score(ROWS, gold, predicted) if cell.outcome is LeafOutcome.WRONG)
    assert (cell.field, cell.gold, cell.prediction) == ("rows[].parts[].q", 2, 3)
    assert (cell.gold_path, cell.path) == ("/rows/1/parts/1/q", "/rows/0/parts/0/q")
    assert cell.comparator == "number"


def test_pointers_escape_slashes_and_tildes():
    cell = score({"properties": {"d/e~": {"type": "string"}}}, {"d/e~": "x"}, {"d/e~": "x"})[0]
    assert (cell.field, cell.gold_path, cell.path) == ("d/e~", "/d~1e~0", "/d~1e~0")


def test_lists_of_scalars_are_multisets():
    schema = {"properties": {"tags": {"type": "array", "items": {"type": "string"}}}}
    cells = score(schema, {"tags": ["x", "x", "y"]}, {"tags": ["z", "Y", "x"]})
    assert sorted(outcomes(cells)) == [
        ("tags[]", "correct"),
        ("tags[]", "correct"),
        ("tags[]", "invented"),
        ("tags[]", "omitted"),
    ]
    assert isinstance(read_scoring_schema(schema).fields["tags"], ValueListNode)
    assert [cell.outcome for cell in score(schema, {}, {"tags": []})] == [LeafOutcome.ABSENT]


def test_an_optional_leaf_costs_nothing_when_missing_and_counts_when_there():
    def outcome(predicted):
        return score(FLAT, {"a": "x"}, {"a": predicted}, optional=frozenset({"/a"}))[0].outcome

    assert outcome(None) is LeafOutcome.UNSCORED
    assert outcome("x") is LeafOutcome.CORRECT
    assert outcome("y") is LeafOutcome.WRONG


def test_an_optional_row_covers_all_its_leaves_whether_it_has_a_partner_or_not():
    gold = {"rows": [{"code": "a1", "when": "2020", "parts": [{"p": "x", "q": 1}]}]}
    optional = frozenset({"/rows/0"})
    assert {o for _, o in outcomes(score(ROWS, gold, {}, optional=optional))} == {"unscored"}
    cells = score(ROWS, gold, {"rows": [{"code": "a1", "when": "2021"}]}, optional=optional)
    assert outcomes(cells) == [
        ("rows[].code", "correct"),
        ("rows[].when", "wrong"),
        ("rows[].parts[].p", "unscored"),
        ("rows[].parts[].q", "unscored"),
    ]


def test_an_optional_leaf_or_item_inside_a_missed_row_is_not_scored():
    gold = {"rows": [{"code": "a1", "when": "2020", "tags": ["t", "u"]}]}
    cells = score(ROWS, gold, {}, optional=frozenset({"/rows/0/when", "/rows/0/tags/1"}))
    assert outcomes(cells) == [
        ("rows[].code", "omitted"),
        ("rows[].when", "unscored"),
        ("rows[].tags[]", "omitted"),
        ("rows[].tags[]", "unscored"),
    ]


def test_of_two_items_that_say_the_same_the_optional_one_is_the_one_missed():
    schema = {"properties": {"tags": {"type": "array", "items": {"type": "string"}}}}
    cells = score(schema, {"tags": ["x", "x"]}, {"tags": ["x"]}, optional=frozenset({"/tags/0"}))
    assert outcomes(cells) == [("tags[]", "unscored"), ("tags[]", "correct")]
    rows = {"rows": [{"code": "a1"}, {"code": "a1"}]}
    cells = score(ROWS, rows, {"rows": [{"code": "a1"}]}, optional=frozenset({"/rows/0"}))
    assert sorted(outcomes(cells)) == [("rows[].code", "correct"), ("rows[].code", "unscored")]


def test_another_accepted_reading_is_as_right_for_a_value_and_for_nothing():
    accept = {"/a": ("y", "z"), "/b": ("w",)}
    assert outcomes(score(FLAT, {"a": "x"}, {"a": "Z", "b": "w"}, accept=accept)) == [
        ("a", "correct"),
        ("b", "correct"),
    ]
    assert outcomes(score(FLAT, {"a": "x"}, {"a": "q", "b": "q"}, accept=accept)) == [("a", "wrong"), ("b", "invented")]
    assert outcomes(score(FLAT, {"a": "x"}, {}, accept=accept)) == [("a", "omitted")]


def test_an_accepted_null_makes_a_value_optional():
    assert outcomes(score(FLAT, {"a": "x"}, {}, accept={"/a": (None,)})) == [("a", "unscored")]


def test_accepted_readings_count_for_items_and_for_the_keys_of_rows():
    accept = {"/rows/0/code": ("alpha one",), "/rows/0/tags/0": ("tee",)}
    gold = {"rows": [{"code": "a1", "when": "2020", "tags": ["t"]}, {"code": "b2", "when": "2020", "tags": ["tee"]}]}
    predicted = {
        "rows": [
            {"code": "b2", "when": "2020", "tags": ["tee"]},
            {"code": "alpha one", "when": "2020", "tags": ["tee"]},
        ]
    }
    assert {o for _, o in outcomes(score(ROWS, gold, predicted, accept=accept))} == {"correct"}


def test_an_accepted_reading_is_something_in_common():
    schema = {"properties": {"rows": {"type": "array", "items": {"properties": {"p": {"type": "string"}}}}}}
    cells = score(schema, {"rows": [{"p": "x"}]}, {"rows": [{"p": "y"}]}, accept={"/rows/0/p": ("y",)})
    assert outcomes(cells) == [("rows[].p", "correct")]


def test_an_accepted_row_stands_for_the_whole_row():
    gold = {"rows": [{"code": "a1", "when": "2020"}]}
    predicted = {"rows": [{"code": "a1", "when": "2021", "tags": ["t"]}]}
    accept = {"/rows/0": ({"code": "a1", "when": "2021", "tags": ["t"]},)}
    assert {o for _, o in outcomes(score(ROWS, gold, predicted, accept=accept))} == {"correct"}


def test_accepted_items_of_a_list_may_be_there_and_need_not():
    schema = {"properties": {"tags": {"type": "array", "items": {"type": "string"}}}}
    accept = {"/tags": ("x", "y")}
    assert outcomes(score(schema, {"tags": []}, {"tags": ["X", "z"]}, accept=accept)) == [
        ("tags[]", "correct"),
        ("tags[]", "invented"),
    ]
    assert outcomes(score(schema, {"tags": ["v"]}, {"tags": ["v"]}, accept=accept)) == [("tags[]", "correct")]


def test_an_accepted_list_stands_for_the_whole_list():
    schema = {"properties": {"tags": {"type": "array", "items": {"type": "string"}}}}
    accept = {"/tags": (["x and y"],)}
    for predicted in (["y", "x"], ["x and y"]):
        assert {o for _, o in outcomes(score(schema, {"tags": ["x", "y"]}, {"tags": predicted}, accept=accept))} == {
            "correct"
        }
    assert outcomes(score(schema, {"tags": ["x", "y"]}, {"tags": ["x", "z"]}, accept=accept)) == [
        ("tags[]", "correct"),
        ("tags[]", "omitted"),
        ("tags[]", "invented"),
    ]


def test_a_schema_that_refers_to_itself_grades_nested_lists_at_every_depth():
    node = {
        "type": "object",
        "properties": {"p": {"type": "string"}, "in": {"type": "array", "items": {"$ref": "#/$defs/N"}}},
    }
    schema = {"$ref": "#/$defs/N", "$defs": {"N": node}}
    gold = {"p": "a", "in": [{"p": "b", "in": [{"p": "c"}, {"p": "d"}]}, {"p": "e"}]}
    assert tally_cells(score(schema, gold, {"p": "a", "in": [gold["in"][1], gold["in"][0]]})).f1 == 1.0


def test_long_lists_are_graded_and_what_could_not_be_done_in_full_is_noted():
    schema = {"properties": {"rows": {"type": "array", "items": {"properties": {"a": {}, "b": {}, "c": {}}}}}}
    gold = [{"a": f"x{i}", "b": "same", "c": i % 7} for i in range(5000)]
    predicted = [row | {"c": 9} for row in reversed(gold)]
    found = grade_document(
        Gold("d", {"rows": gold}), {"record": {"rows": predicted}}, read_scoring_schema(schema), "run"
    )
    assert per_field(found.cells) == {
        ("rows[].a", "correct"): 5000,
        ("rows[].b", "correct"): 5000,
        ("rows[].c", "wrong"): 5000,
    }
    assert found.notes == ("rows: 5000 gold and 5000 predicted items are too many to be aligned optimally in full.",)


def test_lists_too_long_to_compare_with_tolerance_are_noted():
    schema = {"properties": {"tags": {"type": "array", "items": {"type": "string", "x-compare": {"fuzzy": 0.9}}}}}
    gold = {"tags": [f"gold {i}" for i in range(501)]}
    found = grade_document(
        Gold("d", gold), {"record": {"tags": [f"other {i}" for i in range(501)]}}, read_scoring_schema(schema), "run"
    )
    assert found.notes == (
        "tags: 501 gold and 501 predicted items are too many to be compared with tolerance in full.",
    )


def test_support_match_spans_and_confidence_are_told_of_every_prediction():
    text = "code a1, of 2020; also b2"
    evidence = {
        "/rows/0/code": {"match": "exact", "spans": [{"start": 5, "end": 7, "quote": "a1"}], "confidence": 0.5},
        "/rows/0/when": {"match": "exact", "spans": [{"start": 0, "end": 4, "quote": "2020"}]},
    }
    result = {
        "record": {"rows": [{"code": "a1", "when": "2020", "tags": ["b2", "gone"]}]},
        "document": {"text": text},
        "evidence": evidence,
    }
    gold = Gold("d", {"rows": [{"code": "a1", "when": "2021"}]})
    cells = {
        (cell.field, cell.prediction): cell
        for cell in grade_document_cells(gold, result, read_scoring_schema(ROWS), "run")
    }
    code, when = cells["rows[].code", "a1"], cells["rows[].when", "2020"]
    assert (code.support, code.match, code.spans, code.confidence) == (ValueSupport.SUPPORTED, "exact", ((5, 7),), 0.5)
    assert (when.support, when.outcome, when.is_mispicked) == (ValueSupport.ELSEWHERE, LeafOutcome.WRONG, True)
    assert cells["rows[].tags[]", "b2"].support is ValueSupport.ELSEWHERE
    assert cells["rows[].tags[]", "gone"].is_hallucinated


def test_grading_is_the_same_every_time():
    gold = {"rows": [{"code": "a1", "tags": ["t"]}, {"code": "b2"}]}
    predicted = {"rows": [{"code": "b2", "when": "2020"}, {"code": "c3", "tags": ["t"]}]}
    assert score(ROWS, gold, predicted) == score(ROWS, gold, predicted)
    assert isinstance(read_scoring_schema(ROWS), ObjectNode)
