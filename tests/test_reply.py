import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.models.openai.reply import InvalidReply, read_reply
from extractor.models.openai.truncated_reply import TruncatedReply, read_truncated_reply, read_whole_leaves

SHAPE = {
    "type": "object",
    "properties": {
        "title": {"type": ["string", "null"]},
        "rows": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "size": {"type": ["integer", "null"]}},
                "required": ["name", "size"],
            },
        },
    },
    "required": ["title", "rows"],
}


def read(*texts: str) -> object:
    return read_reply(texts, SHAPE).value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no json", "not JSON"),
        ("", "not JSON"),
        ('{"heading": 3}', "none of the keys"),
        ('{"title": "a"} {"title": "b"}', "more than one|not JSON"),
        ("[" * 100_000, "nests too deeply"),
        ('{"title": "' + "x" * 5_000_000 + '"}', "too long"),
    ],
)
def test_a_reply_that_cannot_be_read_says_why_in_a_few_words(text: str, says: str) -> None:
    with pytest.raises(InvalidReply, match=says) as error:
        read(text)
    assert len(str(error.value)) < 1200


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"title": {"a": 3}}', "title: is no plain value"),
        ('{"rows": [{"name": "a", "size": "big"}]}', "rows.0.size: is no integer"),
        ('{"rows": [{"name": "a", "size": NaN}]}', "rows.0.size: is no integer"),
        ('{"rows": "none"}', "rows: is no list"),
        ('{"title": "a", "title": "b"}', "title: stands twice"),
    ],
)
def test_a_leaf_that_does_not_fit_is_named_and_the_rest_is_read(text: str, says: str) -> None:
    assert says in read_reply([text], SHAPE).describe_misfits()


def test_keys_left_out_and_null_lists_are_nothing_found() -> None:
    assert read("{}") == {"title": None, "rows": []}


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_any_json_is_a_value_or_unfit_and_nothing_else(value: object) -> None:
    try:
        read(json.dumps(value))
    except InvalidReply:
        return


def test_the_answer_before_a_loop_is_an_answer() -> None:
    rows = [{"name": n, "size": None} for n in "abcbbbb"]
    text = json.dumps({"title": "t", "rows": rows})[:-9]
    assert read_truncated_reply(text, SHAPE) == TruncatedReply({"title": "t", "rows": rows[:3]}, None)


def test_what_was_cut_short_tells_its_complete_entries_and_which_came_last() -> None:
    rows = [{"name": n, "size": None} for n in "abcdefgh"]
    text = json.dumps({"title": "t", "rows": rows})
    for end in range(text.index("[") + 1, len(text), 7):
        cut = read_truncated_reply(text[:end], SHAPE)
        assert cut is not None
        complete = cut.value["rows"]
        assert complete == rows[: len(complete)]
        assert text[:end].count("}") - 1 <= len(complete) <= text[:end].count("}")
        assert cut.is_early == (len(complete) < 3)
        assert cut.latest_entries == (None if cut.is_early else {"title": None, "rows": complete[-3:]})


def test_a_text_that_was_cut_short_is_not_kept_by_half() -> None:
    assert read_truncated_reply('{"title": "a long ti', SHAPE) is None


def test_every_leaf_that_was_said_to_its_end_is_whole_wherever_a_reply_was_cut_and_no_other_is() -> None:
    rows = [{"name": "b: 7", "size": 12}, {"name": "b: 7", "size": 12}, {"name": 'c"', "size": 305}]
    text = json.dumps({"title": "t 4", "rows": rows})
    ends = [m.end() for m in re.finditer(r'(?<=: )"(?:[^"\\]|\\.)*"|\d+(?=[,}])', text)]
    for cut in range(1, len(text)):
        said = read_whole_leaves(text[:cut], SHAPE) or {}
        leaves = [said.get("title")] + [one for row in said.get("rows") or () for one in row.values()]
        whole = [one for one in leaves if one is not None]
        assert whole == ["t 4", "b: 7", 12, "b: 7", 12, 'c"', 305][: len(whole)]
        assert len(whole) == sum(end + (text[end - 1] != '"') <= cut for end in ends), text[:cut]


@given(st.text(max_size=80))
def test_nothing_that_was_cut_short_breaks_the_reader(text: str) -> None:
    read_truncated_reply(text, SHAPE)
    read_whole_leaves('{"title": "t", "rows": [' + text, SHAPE)
    read_truncated_reply('{"title": "t", "rows": [' + text, SHAPE)
