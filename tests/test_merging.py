from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from test_grounding_rules import Stock

from extractor.extraction.merging import PartialRecord, merge_records
from extractor.schema.reader import read_schema
from extractor.types import Evidence, Match, Span, ValuePath

SCHEMA = read_schema(Stock.model_json_schema())


def found(order: int, value: dict[str, Any]) -> PartialRecord:
    proof: dict[ValuePath, Evidence] = {}
    at = order * 100

    def walk(v: Any, path: ValuePath) -> None:
        nonlocal at
        if isinstance(v, dict):
            for name, inner in v.items():
                walk(inner, (*path, name))
        elif isinstance(v, list):
            for i, inner in enumerate(v):
                walk(inner, (*path, i))
        elif v is not None:
            at += 1
            proof[path] = Evidence(Match.EXACT, (Span(at, at + 1),), str(v))

    walk(value, ())
    return PartialRecord((order,), value, proof)


part = st.fixed_dictionaries(
    {"label": st.sampled_from(["a", "b", "A", "c", "a: d"]), "made": st.sampled_from([None, "2019", "2020"])}
)
record = st.fixed_dictionaries(
    {
        "title": st.sampled_from([None, "x", "y"]),
        "tags": st.lists(st.sampled_from(["p", "q", "P"]), max_size=3),
        "parts": st.lists(part, max_size=3),
    }
)


@given(st.lists(record, max_size=4), st.randoms(use_true_random=False))
def test_the_order_in_which_replies_arrive_plays_no_part(values: list[dict[str, Any]], random: Any) -> None:
    pieces = [found(i, v) for i, v in enumerate(values)]
    shuffled = list(pieces)
    random.shuffle(shuffled)
    assert merge_records(SCHEMA.root, pieces) == merge_records(SCHEMA.root, shuffled)


@given(st.lists(record, max_size=4))
def test_every_value_kept_has_evidence_and_every_evidence_a_value(values: list[dict[str, Any]]) -> None:
    out = merge_records(SCHEMA.root, [found(i, v) for i, v in enumerate(values)])
    for path in out.evidence:
        value: Any = out.value
        for step in path:
            value = value[step]
        assert value is not None
    kept = sum(v is not None for p in out.value["parts"] for v in p.values())
    assert kept == sum(p[0] == "parts" for p in out.evidence)


def test_rows_of_one_key_fill_each_others_gaps() -> None:
    pieces = [
        found(0, {"parts": [{"label": "Bolt", "made": None}]}),
        found(1, {"parts": [{"label": "bolt", "made": "2020"}]}),
    ]
    out = merge_records(SCHEMA.root, pieces)
    assert [(p["label"], p["made"]) for p in out.value["parts"]] == [("Bolt", "2020")]


def test_a_disagreement_keeps_one_value_and_reports_both() -> None:
    pieces = [found(0, {"title": "x"}), found(1, {"title": "y"}), found(2, {"title": "y"})]
    out = merge_records(SCHEMA.root, pieces)
    assert out.value["title"] == "y"
    assert [(c.kept.value, c.other.value) for c in out.conflicts] == [("y", "x")]


def test_a_name_with_its_subtitle_is_the_name_again_and_another_subtitle_is_another_thing() -> None:
    out = merge_records(
        SCHEMA.root,
        [
            found(0, {"parts": [{"label": "Ode", "made": None}, {"label": "Ode: a song", "made": "2019"}]}),
            found(1, {"parts": [{"label": "Hymn: a song"}, {"label": "Hymn: of praise"}, {"label": "Odeon"}]}),
        ],
    )
    labels = [(p["label"], p["made"]) for p in out.value["parts"]]
    assert labels == [("Ode", "2019"), ("Hymn: a song", None), ("Hymn: of praise", None), ("Odeon", None)]
