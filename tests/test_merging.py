"""What replies gave, merged into one record: rules by name, and properties of any replies."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from test_grounding_rules import Stock

from extractor.extraction import merging, row_matching
from extractor.extraction.grounding.row_keys import comparison_form
from extractor.extraction.grounding.tree import collect_evidence, iterate_leaves, to_json
from extractor.extraction.merging import MergedRecord, PartialRecord, merge_records
from extractor.schema import key
from extractor.schema.reader import read_schema
from extractor.types import (
    Document,
    Evidence,
    GroundedList,
    GroundedNode,
    GroundedObject,
    GroundedValue,
    Json,
    Match,
    Span,
)

SCHEMA = read_schema(Stock.model_json_schema())


class Line(BaseModel):
    what: str | None = None
    price: str | None = None
    note: str | None = None


class Bill(BaseModel):
    lines: list[Line] = []


BILL = read_schema(Bill.model_json_schema())
"""Rows without a declared key."""


def found(order: int, value: dict[str, Any], start: int | None = None) -> PartialRecord:
    """What one reply said, each value on words of its own from `start` on, in the order in which it is said."""
    places = iter(range(order * 100 if start is None else start, 10**9))

    def ground(value: Any) -> GroundedNode | None:
        match value:
            case None:
                return None
            case dict():
                inner = {name: ground(one) for name, one in value.items()}
                return GroundedObject({name: one for name, one in inner.items() if one is not None})
            case list():
                return GroundedList(tuple(one for v in value if (one := ground(v)) is not None))
        at = next(places)
        return GroundedValue(value, Evidence(Match.EXACT, (Span(at, at + 1),), str(value)))

    tree = ground(value)
    assert isinstance(tree, GroundedObject)
    return PartialRecord((order,), tree, order)


def rows(merged: MergedRecord, name: str = "parts") -> list[dict[str, Json]]:
    kept = to_json(merged.tree).get(name, [])
    assert isinstance(kept, list)
    return kept


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
    pieces = [found(i, v) for i, v in enumerate(values)]
    out = merge_records(SCHEMA.root, pieces)
    kept = to_json(out.tree)
    said = {leaf for piece in pieces for _, leaf in iterate_leaves(piece.tree)}
    for path, leaf in iterate_leaves(out.tree):
        assert leaf in said and leaf.evidence.spans
        value: Any = kept
        for step in path:
            value = value[step]
        assert value == leaf.value is not None
    assert len(collect_evidence(out.tree)) == sum(1 for _ in values_of(kept))


def values_of(value: Json) -> Iterator[Json]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from values_of(inner)
    else:
        yield value


@given(st.lists(record, max_size=4))
def test_nothing_that_was_said_is_lost_but_to_what_says_the_same_or_is_a_conflict(values: list[dict[str, Any]]) -> None:
    out = merge_records(SCHEMA.root, [found(i, v) for i, v in enumerate(values)])
    left = {comparison_form(leaf.value) for _, leaf in iterate_leaves(out.tree)}
    left |= {comparison_form(conflict.other.value) for conflict in out.conflicts}
    for value in (leaf for said in values for leaf in values_of(said) if leaf is not None):
        assert comparison_form(value) in left


@given(st.lists(part, max_size=6))
def test_rows_of_one_reply_stay_rows(parts: list[dict[str, Any]]) -> None:
    out = merge_records(SCHEMA.root, [found(0, {"parts": parts})])
    assert rows(out) == [{name: said for name, said in one.items() if said is not None} for one in parts]
    assert not out.conflicts


@pytest.mark.parametrize("start", [0, 50])
def test_rows_of_two_replies_that_overlap_are_merged_where_they_are_the_very_same_or_share_the_key(start: int) -> None:
    said = {"parts": [{"label": "Bolt", "made": "2019"}, {"label": "Nut", "made": "2020"}]}
    out = merge_records(SCHEMA.root, [found(0, said, 0), found(1, said, start)])
    assert rows(out) == said["parts"]


def test_rows_of_one_key_fill_each_others_gaps() -> None:
    pieces = [
        found(0, {"parts": [{"label": "Bolt", "made": None}]}),
        found(1, {"parts": [{"label": "bolt", "made": "2020"}]}),
    ]
    assert rows(merge_records(SCHEMA.root, pieces)) == [{"label": "Bolt", "made": "2020"}]


def test_rows_that_share_a_key_and_differ_are_one_with_a_conflict() -> None:
    pieces = [
        found(0, {"parts": [{"label": "Bolt", "made": "2019"}]}),
        found(1, {"parts": [{"label": "bolt", "made": "2020"}]}),
    ]
    out = merge_records(SCHEMA.root, pieces)
    assert rows(out) == [{"label": "Bolt", "made": "2019"}]
    assert [(c.path, c.kept.value, c.other.value) for c in out.conflicts] == [(("parts", 0, "made"), "2019", "2020")]


def test_two_equal_lines_in_other_places_are_two_and_in_the_same_place_one() -> None:
    said = {"lines": [{"what": "coffee", "price": "2.50"}]}
    other = merge_records(BILL.root, [found(0, said, 0), found(1, said, 50)])
    same = merge_records(BILL.root, [found(0, said, 0), found(1, said, 0)])
    assert rows(other, "lines") == said["lines"] * 2
    assert rows(same, "lines") == said["lines"]


def test_without_a_declared_key_rows_are_one_where_nothing_differs() -> None:
    one, more = {"what": "coffee"}, {"what": "coffee", "price": "2.50"}
    other = {"what": "coffee", "price": "3.10"}
    pieces = [found(i, {"lines": [line]}) for i, line in enumerate((one, more, other))]
    assert rows(merge_records(BILL.root, pieces), "lines") == [more, other]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Nut 12 2.50\nBolt 30 2.50\nNut\n", 3),  # the cut falls before the last line
        ("Nut 12 2.50\nBolt 30 2.50\n\nOn the shelf:\nNut\n", 2),
    ],
)
def test_a_line_of_a_list_is_a_row_of_its_own_however_little_it_says(text: str, kept: int) -> None:
    def read(reply: int, *rows: list[tuple[str, str, int]]) -> PartialRecord:
        def leaf(value: str, at: int) -> GroundedValue:
            return GroundedValue(value, Evidence(Match.EXACT, (Span(at, at + len(value)),), value))

        lines = [GroundedObject({name: leaf(value, at) for name, value, at in row}) for row in rows]
        return PartialRecord((reply,), GroundedObject({"lines": GroundedList(tuple(lines))}), reply)

    first = read(0, [("what", "Nut", 0), ("price", "2.50", 7)], [("what", "Bolt", 12), ("price", "2.50", 20)])
    second = read(1, [("what", "Nut", text.rindex("Nut"))])
    out = merge_records(BILL.root, [first, second], Document("d", text))
    assert len(rows(out, "lines")) == kept


@pytest.mark.parametrize(
    ("form", "text", "kept"),
    [
        (str, "B\nA\nB\n", ["B", "A", "B"]),
        (str, "B\nA\n\nas we said, B\n", ["B", "A"]),
        (int, "3\n5\n\nthen 3\n", [3, 5, 3]),
    ],
)
def test_every_number_of_a_list_is_kept_and_of_equal_texts_those_on_lines_of_one_list(
    form: type[int | str], text: str, kept: list[Json]
) -> None:
    class Marks(BaseModel):
        marks: list[form] = []  # type: ignore[valid-type]

    def read(reply: int, *places: int) -> PartialRecord:
        leaves = [GroundedValue(form(text[at]), Evidence(Match.EXACT, (Span(at, at + 1),), text[at])) for at in places]
        return PartialRecord((reply,), GroundedObject({"marks": GroundedList(tuple(leaves))}), reply)

    pieces = [read(0, 0, 2), read(1, len(text) - 2)]
    schema = read_schema(Marks.model_json_schema())
    assert rows(merge_records(schema.root, pieces, Document("d", text)), "marks") == kept


class Order(BaseModel):
    number: str | None = None
    lines: list[Line] = []


class Orders(BaseModel):
    orders: list[Order] = []


@pytest.mark.parametrize(("piece", "number", "kept"), [(1, None, 2), (1, "B-3", 3), (2, None, 3)])
def test_a_row_that_a_cut_falls_in_goes_on_in_the_next_piece(piece: int, number: str | None, kept: int) -> None:
    first = {"orders": [{"number": "B-1", "lines": []}, {"number": "B-2", "lines": [{"what": "Nut", "price": "2"}]}]}
    rest = {"number": number, "lines": [{"what": "Bolt", "price": "3"}, {"what": "Nut", "price": "2"}]}
    pieces = [found(0, first), found(piece, {"orders": [rest]})]
    if piece == 2:
        pieces.append(found(1, {"orders": []}))  # nothing of it stands between the two
    orders = rows(merge_records(read_schema(Orders.model_json_schema()).root, pieces), "orders")
    assert len(orders) == kept
    assert sum(len(one.get("lines", [])) for one in orders) == 3  # type: ignore[arg-type]


class Degree(BaseModel):
    model_config = key("school", "degree")
    school: str | None = None
    degree: str | None = None
    grade: str | None = None
    year: int | None = None


class Degrees(BaseModel):
    degrees: list[Degree] = []


ZURICH, DELFT = {"school": "ETH", "degree": "BSc", "year": 2019}, {"school": "TU Delft", "degree": "MSc"}


@pytest.mark.parametrize(
    ("before", "after", "joined"),
    [
        ([ZURICH], [{"grade": "5.6"}], True),  # the rest of the row above the cut
        ([ZURICH, DELFT], [{"grade": "8"}], True),
        ([ZURICH, DELFT], [{"school": "KTH", "degree": "PhD"}, {"year": 2021}], False),  # not beside the cut
        ([ZURICH, {**DELFT, "year": 2020}], [{"year": 2021}], False),  # the row above has one
    ],
)
def test_what_a_cut_parts_from_the_name_of_its_row_goes_to_the_row_above_the_cut_or_is_told(
    before: list[dict[str, Any]], after: list[dict[str, Any]], joined: bool
) -> None:
    pieces = [found(0, {"degrees": before}), found(1, {"degrees": after})]
    merged = merge_records(read_schema(Degrees.model_json_schema()).root, pieces)
    assert rows(merged, "degrees") == ([*before[:-1], {**before[-1], **after[0]}] if joined else before + after)
    moved = [path for path, one in collect_evidence(merged.tree).items() if "across a cut" in one.findings]
    assert bool(moved) == joined and bool(merged.fragments) != joined and not merged.conflicts


class Stay(BaseModel):
    since: str | None = None
    name: str | None = None
    town: str | None = None
    about: str | None = None


class Stays(BaseModel):
    stays: list[Stay] = []


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (  # rows begin with their name, and a town goes on with the one above
            [("Abo\nOslo\nBeb\n", "Abo name, Oslo town; Beb name"), ("Riga\nCim\n", "Riga town; Cim name")],
            "Abo name, Oslo town; Beb name, Riga town; Cim name",
        ),
        (  # rows begin with a date, which stands above the name
            [("1990\nAbo\n1995\n", "1990 since, Abo name; 1995 since"), ("Beb\n", "Beb name")],
            "1990 since, Abo name; 1995 since, Beb name",
        ),
        (  # a text goes on after the cut
            [
                ("Abo\nfar\nnorth\nBeb\ntoo\n", "Abo name, far\nnorth about; Beb name, too about"),
                ("far\n", "far about"),
            ],
            "Abo name, far\nnorth about; Beb name, too far about",
        ),
        (  # each row has a line, so that one which lacks its name is none's rest
            [("Abo Oslo\nBeb\n", "Abo name, Oslo town; Beb name"), ("Riga\n", "Riga town")],
            "Abo name, Oslo town; Beb name; Riga town",
        ),
        (  # names alone are names, however near
            [("Abo\nBeb\n", "Abo name; Beb name"), ("Cim\nOslo\n", "Cim name, Oslo town")],
            "Abo name; Beb name; Cim name, Oslo town",
        ),
        (  # the row above has a town, and no text of the list goes over two lines
            [("Abo\nOslo\nBeb\nRiga\n", "Abo name, Oslo town; Beb name, Riga town"), ("Lund\n", "Lund town")],
            "Abo name, Oslo town; Beb name, Riga town; Lund town",
        ),
        (  # of one name are two, each with what the other has not
            [("Abo\nOslo\n\n", "Abo name, Oslo town"), ("Abo\nfar\n", "Abo name, far about")],
            "Abo name, Oslo town; Abo name, far about",
        ),
    ],
)
def test_what_begins_a_piece_goes_on_with_the_row_above_where_the_layout_of_the_other_rows_has_it_so(
    pieces: list[tuple[str, str]], expected: str
) -> None:
    said, at = [], 0
    for number, (words, read) in enumerate(pieces):
        grounded = []
        for row in read.split("; "):
            leaves = [leaf.rsplit(" ", 1) for leaf in row.split(", ")]
            spans = {
                name: Span(at + words.index(value), at + words.index(value) + len(value)) for value, name in leaves
            }
            grounded.append(
                GroundedObject(
                    {name: GroundedValue(value, Evidence(Match.EXACT, (spans[name],), value)) for value, name in leaves}
                )
            )
        said.append(PartialRecord((number,), GroundedObject({"stays": GroundedList(tuple(grounded))}), number))
        at += len(words)
    text = "".join(words for words, _ in pieces)
    merged = merge_records(read_schema(Stays.model_json_schema()).root, said, Document("d", text))
    told = [dict(x.rsplit(" ", 1)[::-1] for x in row.split(", ")) for row in expected.split("; ")]
    assert rows(merged, "stays") == [{n: row[n] for n in Stay.model_fields if n in row} for row in told]
    assert not merged.fragments and not merged.conflicts
    for leaf in collect_evidence(merged.tree).values():
        assert " ".join(text[leaf.spans[0].start : leaf.spans[0].end].split()) == " ".join(
            str(leaf.model_value).split()
        )


def test_a_row_without_a_name_that_several_rows_could_take_stays_and_is_told() -> None:
    third = {"school": "KTH", "degree": "PhD"}
    pieces = [found(0, {"degrees": [ZURICH, DELFT]}), found(1, {"degrees": [third, {"grade": "8"}]})]
    merged = merge_records(read_schema(Degrees.model_json_schema()).root, pieces)
    assert rows(merged, "degrees") == [ZURICH, DELFT, third, {"grade": "8"}]
    assert merged.fragments == (("degrees",),)


def test_a_heading_parts_what_a_piece_begins_with_from_the_row_above_the_cut() -> None:
    text = "# Studies\nETH BSc\nTU Delft MSc\n# Prizes\n8 of 10\n"

    def read(order: int, *said: tuple[str, str]) -> PartialRecord:
        at = {name: text.index(words) for name, words in said}
        row = {
            name: GroundedValue(words, Evidence(Match.EXACT, (Span(at[name], at[name] + len(words)),), words))
            for name, words in said
        }
        return PartialRecord((order,), GroundedObject({"degrees": GroundedList((GroundedObject(row),))}), order)

    pieces = [
        read(0, ("school", "ETH"), ("degree", "BSc")),
        read(0, ("school", "TU Delft"), ("degree", "MSc")),
        read(1, ("grade", "8 of 10")),
    ]
    pieces = [replace(one, reply=i) for i, one in enumerate(pieces)]
    schema = read_schema(Degrees.model_json_schema())
    merged = merge_records(schema.root, pieces, Document("d", text))
    assert len(rows(merged, "degrees")) == 3 and merged.fragments == (("degrees",),)
    without = text.replace("# Prizes", "the prizes")
    assert len(rows(merge_records(schema.root, pieces, Document("d", without)), "degrees")) == 2


def test_a_disagreement_keeps_one_value_and_reports_both() -> None:
    pieces = [found(0, {"title": "x"}), found(1, {"title": "y"}), found(2, {"title": "y"})]
    out = merge_records(SCHEMA.root, pieces)
    assert to_json(out.tree) == {"title": "y"}
    assert [(c.kept.value, c.other.value) for c in out.conflicts] == [("y", "x")]


def test_a_name_with_its_subtitle_is_the_name_again_and_another_subtitle_is_another_thing() -> None:
    out = merge_records(
        SCHEMA.root,
        [
            found(0, {"parts": [{"label": "Ode", "made": None}]}),
            found(1, {"parts": [{"label": "Ode: a song", "made": "2019"}]}),
            found(2, {"parts": [{"label": "Hymn: a song"}, {"label": "Hymn: of praise"}, {"label": "Odeon"}]}),
        ],
    )
    assert rows(out) == [
        {"label": "Ode", "made": "2019"},
        {"label": "Hymn: a song"},
        {"label": "Hymn: of praise"},
        {"label": "Odeon"},
    ]


def test_rows_are_compared_with_those_that_may_be_the_same_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """8,000 rows of two replies: the comparisons that are made are counted, since a clock proves nothing."""
    compared = 0
    is_same_row = merging.is_same_row

    def count(*row: Any) -> bool:
        nonlocal compared
        compared += 1
        return is_same_row(*row)

    monkeypatch.setattr(merging, "is_same_row", count)
    counts = {}
    for many in (4_000, 8_000):
        compared = 0
        said = [{"label": f"part {i}", "made": None} for i in range(many // 2)]
        out = merge_records(SCHEMA.root, [found(i, {"parts": said}, i * 10**6) for i in range(2)])
        assert len(rows(out)) == many // 2
        counts[many] = compared
    assert counts == {4_000: 2_000, 8_000: 4_000}


def test_rows_of_one_name_are_compared_with_so_many_of_it_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    is_same_row = merging.is_same_row

    def count(*row: Any) -> bool:
        nonlocal compared
        compared += 1
        return is_same_row(*row)

    monkeypatch.setattr(merging, "is_same_row", count)
    said = [{"label": "bolt", "made": str(i)} for i in range(2_000)]
    out = merge_records(SCHEMA.root, [found(0, {"parts": said})])
    assert len(rows(out)) == 2_000
    assert compared <= 2_000 * row_matching.MAX_CANDIDATES
