"""Replies as models and servers write them: thoughts, fences, parts, wrappings; a leaf that is wrong costs itself."""

from __future__ import annotations

import contextlib
import copy
import json
import re
import time
from typing import Any

import pytest

from extractor.testing import FaultAnswer, build_completion
from tests.endpoints.door import RIGHT, ROWS, SAID, TEXT, Body, answer_rightly, learnt, read, read_all, serve

THOUGHT = 'The order may be {"number": "B-9"}; no, the total is "120.50". So:'

READ = {
    "think": f"<think>\n{THOUGHT}\n</think>\n\n{SAID}",
    "think, fenced": f"<think>{THOUGHT}</think>\n```json\n{SAID}\n```",
    "thinking": f"<thinking>{THOUGHT}</thinking>{SAID}",
    "thought": f"<thought>{THOUGHT}</thought>\n{SAID}",
    "reasoning": f"<reasoning>{THOUGHT}</reasoning>\n{SAID}",
    "mistral": f"[THINK]{THOUGHT}[/THINK]{SAID}",
    "kimi": f"◁think▷{THOUGHT}◁/think▷{SAID}",
    "seed": f"<seed:think>{THOUGHT}</seed:think>{SAID}",
    "harmony": f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{SAID}",
    "begun by the template": f"{THOUGHT}\n</think>\n{SAID}",
    "thought twice": f"<think>a</think><think>{THOUGHT}</think>{SAID}",
    "empty thought": f"<think>\n\n</think>\n\n{SAID}",
    "never closed": f"<think>{THOUGHT}\n{SAID}",
    "never closed, fenced": f"<think>\n{THOUGHT}\n```json\n{SAID}\n```\n",
    "answer tag": f"<answer>{SAID}</answer>",
    "fence": f"```json\n{SAID}\n```",
    "fence of another name": f"```JSON5\n{SAID}\n```",
    "fence without a name": f"```\n{SAID}\n```",
    "fence without an end": f"```json\n{SAID}",
    "prose before": f"Here is what you asked for:\n\n{SAID}",
    "prose around": f'Sure! The "order" is:\n{SAID}\n\nLet me know if {{anything}} is missing.',
    "braces in the prose": f"In the form {{...}} that you want:\n{SAID}",
    "an open brace in the prose": f'A set {{ of 3" nails:\n{SAID}',
    "said twice alike": f"{SAID}\n\nIn short: {SAID}",
    "schema first": '{"type": "object", "properties": {"number": {"type": "string"}}}\n' + SAID,
    "byte order mark": f"\ufeff{SAID}",
    "white space": f"\n\n \t{SAID}\n\n",
    "indented": json.dumps(RIGHT, indent=4),
    "trailing commas": SAID.replace("}]", "},]").replace("]}", "],}"),
    "comments": SAID.replace('"total"', '// in euros\n"total"').replace('"rows"', '/* three */ "rows"'),
    "ellipsis words": SAID.replace('"total": 120.5', '"total": 120.5, "paid": None'),
    "single quotes": repr(RIGHT),
    "single quotes, fenced": f"```python\n{RIGHT!r}\n```",
    "curly quotes": re.sub(r'"([^"]*)"', "“\\1”", SAID),
    "other spaces": SAID.replace(" ", "\u00a0"),
    "a plus": SAID.replace("120.5", "+120.5"),
    "rows under a word": json.dumps({**RIGHT, "rows": {"type": "array", "items": ROWS}}),
    "rows under their numbers": json.dumps({**RIGHT, "rows": {str(i): row for i, row in enumerate(ROWS)}}),
    "rows in a list of lists": json.dumps({**RIGHT, "rows": [ROWS]}),
    "values as objects": json.dumps({**RIGHT, "number": {"value": "A-7"}, "total": {"value": 120.5}}),
    "a list round it": f"[{SAID}]",
    "a fenced list": f"```json\n[{SAID}]\n```",
    "a name round it": json.dumps({"Answer": RIGHT}),
    "another name": json.dumps({"result": RIGHT}),
    "schema's form": json.dumps({"type": "object", "properties": RIGHT}),
    "as a text": json.dumps(SAID),
    "keys in another case": json.dumps({"Number": "A-7", "TOTAL": 120.5, "Rows": ROWS}),
    "keys with spaces": json.dumps({"number": "A-7", "total": 120.5, "rows ": ROWS}),
    "a number as a text": SAID.replace("120.5", '"120.50"'),
    "a list as a text": json.dumps({**RIGHT, "rows": json.dumps(ROWS)}),
    "single values in lists": json.dumps({**RIGHT, "number": ["A-7"], "total": [120.5]}),
    "parts of a list": json.dumps([{"number": "A-7", "total": 120.5}, {"rows": ROWS[:2]}, {"rows": ROWS[2:]}]),
    "the same key twice": SAID.replace('"total"', '"number": "A-7", "total"'),
    "rows under two keys": json.dumps({**RIGHT, "rows": ROWS[:1]})[:-1] + f', "rows": {json.dumps(ROWS[1:])}}}',
}


@pytest.mark.parametrize("form", READ, ids=lambda form: form.replace(" ", "_"))
def test_a_right_answer_is_read_whatever_stands_around_it(form: str) -> None:
    with serve(lambda body, n: READ[form]) as server:
        result = read(server)
    assert result.value == RIGHT
    assert server.requests == 1


def test_a_line_break_inside_a_text_is_read_as_one() -> None:
    with serve(lambda body, n: SAID.replace("A-7", "Order\nA-7")) as server:
        result = read(server)
    assert result.value == {**RIGHT, "number": "Order\nA-7"} and server.requests == 1


def test_one_row_where_a_list_is_wanted_is_a_list_of_one() -> None:
    said = json.dumps({"number": "A-7", "total": 120.5, "rows": ROWS[0]})
    with serve(lambda body, n: said) as server:
        assert read(server).value == {"number": "A-7", "total": 120.5, "rows": ROWS[:1]}


def test_rows_alone_are_read_where_rows_are_all_that_is_asked_for() -> None:
    schema = {
        "type": "object",
        "properties": {
            "rows": {
                "type": "array",
                "items": {"type": "object", "properties": {"item": {"type": "string"}, "price": {"type": "number"}}},
            }
        },
    }
    with serve(lambda body, n: f"```json\n{json.dumps(ROWS)}\n```") as server:
        assert read(server, schema=schema).value == {"rows": ROWS}


def message(**members: Any) -> dict[str, Any]:
    body = build_completion(None)
    body["choices"][0]["message"] |= members
    return body


PLACES = {
    "parts": message(content=[{"type": "text", "text": SAID[:30]}, {"type": "text", "text": SAID[30:]}]),
    "parts with a thought": message(
        content=[{"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]}, {"type": "text", "text": SAID}]
    ),
    "parts of another name": message(content=[{"type": "output_text", "text": SAID, "annotations": []}]),
    "parts that are texts": message(content=[SAID[:30], SAID[30:]]),
    "an object": message(content=RIGHT),
    "reasoning_content beside": message(content=SAID, reasoning_content=THOUGHT),
    "reasoning beside": message(content=SAID, reasoning=THOUGHT, reasoning_details=[{"type": "reasoning.text"}]),
    "answer taken for a thought": message(content="", reasoning_content=SAID),
    "parsed": message(content=None, parsed=RIGHT),
    "a part of JSON": message(content=[{"type": "output_json", "json": RIGHT}]),
    "beside an empty call": message(content=SAID, tool_calls=[{"function": {"name": "Answer", "arguments": "{}"}}]),
    "text and no message": {"choices": [{"text": SAID, "finish_reason": "stop"}]},
    "a list of one": [build_completion(SAID)],
    "whole, though called cut short": build_completion(SAID, finish="length"),
    "whole in a fence that is cut short": build_completion(f"```json\n{SAID}\n``", finish="length"),
    "whole before a cut afterword": build_completion(f"{SAID}\n\nNote that", finish="length"),
    "no role": {**message(content=SAID), "choices": [{"message": {"content": SAID}}]},
    "unknown ending": build_completion(SAID, finish="eos_token"),
    "no ending": build_completion(SAID, finish=None),  # type: ignore[arg-type]
    "usage null": {**build_completion(SAID), "usage": None},
    "usage missing": build_completion(SAID, usage=None),
    "members of its own": {**build_completion(SAID), "provider": "P", "x_groq": {"id": 1}, "citations": []},
}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.replace(" ", "_"))
def test_an_answer_is_found_where_an_endpoint_puts_it(place: str) -> None:
    with serve(lambda body, n: (200, copy.deepcopy(PLACES[place]))) as server:
        result = read(server)
    assert result.value == RIGHT and str(result.status) == "complete"
    assert server.requests == 1
    if place.startswith("usage"):
        assert result.usage.input_tokens is None


@pytest.mark.parametrize("begins", ["", ": PROCESSING\n\n", "event: message\r\n"], ids=["data", "comment", "event"])
def test_a_stream_that_nobody_asked_for_is_read(begins: str) -> None:
    parts = [SAID[i : i + 17] for i in range(0, len(SAID), 17)]
    events = [{"id": "c", "choices": [{"index": 0, "delta": {"content": part}}]} for part in parts]
    events.append({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    events.append(
        {"id": "c", "choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}
    )
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    stream = FaultAnswer(body=(begins + body).encode(), headers={"content-type": "text/event-stream"})
    with serve(lambda body, n: stream) as server:
        result = read(server)
    assert result.value == RIGHT and result.usage.input_tokens == 10


NOT_PICKED = {
    "two orders": f'{SAID}\n{{"number": "Nuts", "total": 4.5, "rows": []}}',
    "a draft before": f'{{"number": "Nuts"}}\nNo, wait.\n{SAID}',
    "two fences": f"```json\n{SAID}\n```\n```json\n{json.dumps({**RIGHT, 'number': 'Nuts'})}\n```",
    "cut off": SAID[:-20],
    "a quote too few": SAID.replace('"A-7"', '"A-7'),
    "nothing": "",
    "a refusal in words": "I cannot help with orders.",
}


@pytest.mark.parametrize("form", NOT_PICKED, ids=lambda form: form.replace(" ", "_"))
def test_what_can_be_read_in_two_ways_is_asked_for_again(form: str) -> None:
    with serve(lambda body, n: NOT_PICKED[form] if n == 1 else answer_rightly(body)) as server:
        result = read(server)
    assert result.value == RIGHT and str(result.status) == "complete"
    assert server.requests == 2


WRONG = {
    "a word for a number": (SAID.replace("120.5", '"unknown"'), "/total"),
    "an object for a number": (SAID.replace("120.5", '{"value": 120, "unit": "EUR"}'), "/total/value"),
    "a list for a text": (SAID.replace('"A-7"', '["A-7", "B"]'), "/number/0"),
    "not a number": (SAID.replace("120.5", "NaN"), "/total"),
    "infinite": (SAID.replace("120.5", "Infinity"), "/total"),
    "too large for a float": (SAID.replace("120.5", "1e999"), "/total"),
    "yes for a number": (SAID.replace("120.5", "true"), "/total"),
}


@pytest.mark.parametrize("what", WRONG, ids=lambda what: what.replace(" ", "_"))
def test_a_leaf_that_is_wrong_is_asked_for_again_alone(what: str) -> None:
    wrong, _ = WRONG[what]

    def script(body: Body, n: int) -> Any:
        if n == 1:
            return wrong
        asked = body["response_format"]["json_schema"]["schema"]["properties"]
        assert list(asked) == ["value_1"]
        return json.dumps({"value_1": "A-7" if "string" in asked["value_1"]["type"] else 120.5})

    with serve(script) as server:
        result = read(server)
    assert result.value == RIGHT and str(result.status) == "complete"
    assert server.requests == 2


@pytest.mark.parametrize("what", WRONG, ids=lambda what: what.replace(" ", "_"))
@pytest.mark.parametrize("then", ["the same", "a refusal", "prose"])
def test_a_leaf_that_stays_wrong_costs_itself_and_is_listed(what: str, then: str) -> None:
    wrong, path = WRONG[what]
    later = {"the same": wrong, "a refusal": (400, {"error": {"message": "no"}}), "prose": "I do not know."}[then]
    with serve(lambda body, n: wrong if n == 1 else later) as server:
        result = read(server)
    lost = path.split("/")[1]
    assert result.value == {**RIGHT, lost: None}
    assert path in [one.path for one in result.file.rejected]
    assert server.requests == 2


def test_of_very_many_wrong_leaves_the_first_are_asked_for_again_and_the_rest_listed() -> None:
    names = [f"{chr(65 + i % 26)}{i}" for i in range(30)]
    text = TEXT + "".join(f"{name} costs {i}.50 each.\n" for i, name in enumerate(names, 10))
    rows = [{"item": name, "price": "dear"} for name in names]
    said = json.dumps({**RIGHT, "rows": rows})

    def script(body: Body, n: int) -> Any:
        return said if n == 1 else json.dumps({f"value_{i}": i + 9.5 for i in range(1, 21)})

    with serve(script) as server:
        result = read(server, text)
    assert result.value is not None
    assert [row.get("price") for row in result.value["rows"]] == [i + 9.5 for i in range(1, 21)] + [None] * 10
    assert len([one for one in result.file.rejected if one.value == "dear"]) == 10
    assert server.requests == 2


def test_keys_of_its_own_cost_nothing_and_are_listed() -> None:
    with serve(lambda body, n: json.dumps({**RIGHT, "colour": "red", "note": {"by": "me"}})) as server:
        result = read(server)
    assert result.value == RIGHT and server.requests == 1
    assert {one.path: one.reason for one in result.file.rejected} == {
        "/colour": "not in the schema",
        "/note/by": "not in the schema",
    }


def test_a_key_that_stands_twice_and_differently_is_asked_for_again() -> None:
    said = SAID.replace('"total"', '"number": "Nuts", "total"')
    with serve(lambda body, n: said if n == 1 else '{"value_1": "A-7"}') as server:
        result = read(server)
    assert result.value == RIGHT and not result.file.rejected
    with serve(lambda body, n: said) as server:
        result = read(server)
    assert result.value == RIGHT
    assert [(one.path, one.value) for one in result.file.rejected] == [("/number", "Nuts")]


# Thinking


def think(body: Body, needs: int, **members: Any) -> Any:
    """A model that thinks for so many tokens first."""
    limit = body.get("max_tokens") or body.get("max_completion_tokens") or 10**9
    if limit < needs:
        said = build_completion(**{"content": "", "finish": "length", **members})
        said["usage"] = {"prompt_tokens": 10, "completion_tokens": limit, "total_tokens": limit + 10}
        return 200, said
    return answer_rightly(body)


LONG = TEXT + "\n".join(f"Note {i}: nothing of importance is said in this line of the document." for i in range(70))
LONGER = TEXT + "\n".join(f"Note {i}: nothing of importance is said in this line of the document." for i in range(500))


@pytest.mark.parametrize("text", [TEXT, LONG, LONGER], ids=["100 B", "5 kB", "35 kB"])
@pytest.mark.parametrize("needs", [5_000, 20_000, 40_000])
def test_a_model_that_thinks_until_its_limit_is_given_more_room_once(text: str, needs: int) -> None:
    with serve(lambda body, n: think(body, needs)) as server:
        first = read(server, text)
        assert first.value == RIGHT and str(first.status) == "complete"
        assert server.requests <= 2


def test_the_room_that_one_document_needed_is_given_to_all() -> None:
    with serve(lambda body, n: think(body, 9_000)) as server:
        results = read_all(server, [LONG, *(f"{LONG}\n{i}" for i in range(10))])
    assert all(result.value == RIGHT for result in results)
    assert server.requests <= 11 + 8
    assert server.bodies[-1]["max_tokens"] > 9_000
    assert learnt(results[-1])["room"] > 0


@pytest.mark.parametrize("text", [LONG, LONGER], ids=["5 kB", "35 kB"])
@pytest.mark.parametrize(
    "members",
    [
        {"reasoning_content": THOUGHT},
        {"reasoning": THOUGHT},
        {"content": f"<think>{THOUGHT}"},
        {"content": THOUGHT},
        {},
    ],
    ids=["reasoning_content", "reasoning", "think", "prose", "nothing"],
)
def test_a_model_that_thinks_for_ever_is_named_and_never_asked_in_halves(text: str, members: dict[str, Any]) -> None:
    with serve(lambda body, n: think(body, 10**9, **members)) as server:
        result = read(server, text)
    assert [failure.reason for failure in result.failures] == ["only reasoned"]
    assert "max_output" in result.failures[0].message
    assert server.requests <= 3


def test_more_room_than_the_model_has_is_asked_for_as_much_as_it_has() -> None:
    def script(body: Body, n: int) -> Any:
        if body["max_tokens"] > 8_000:
            words = f"max_tokens is too large: {body['max_tokens']}. This model supports at most 8000 completion tokens"
            return 400, {"error": {"message": words, "param": "max_tokens"}}
        return think(body, 6_000)

    with serve(script) as server:
        result = read(server)
    assert result.value == RIGHT
    assert server.requests == 3


def test_tokens_of_thought_that_took_most_of_a_cut_reply_give_it_more_room() -> None:
    def script(body: Body, n: int) -> Any:
        if body["max_tokens"] > 9_000:
            return answer_rightly(body)
        said = build_completion(SAID[:60], finish="length")
        took = {"reasoning_tokens": body["max_tokens"] - 20}
        said["usage"] = {"prompt_tokens": 9, "completion_tokens": body["max_tokens"], "completion_tokens_details": took}
        return 200, said

    with serve(script) as server:
        assert read(server, LONG).value == RIGHT
    assert server.requests == 2


@pytest.mark.parametrize("member", ["reasoning_content", "reasoning", "thinking"])
def test_a_model_that_only_reasons_is_named(member: str) -> None:
    with serve(lambda body, n: (200, message(content="", **{member: "It may be A-7."}))) as server:
        result = read(server)
    assert [failure.reason for failure in result.failures] == ["only reasoned"]


@pytest.mark.parametrize("finish", ["length", "max_tokens", "MAX_TOKENS", "model_length"])
def test_a_reply_that_is_cut_short_is_given_more_room(finish: str) -> None:
    def script(body: Body, n: int) -> Any:
        return (200, build_completion(f"```json\n{SAID[:70]}", finish=finish)) if n == 1 else answer_rightly(body)

    with serve(script) as server:
        result = read(server)
    assert result.value == RIGHT and str(result.status) == "complete"
    assert server.requests == 2


@pytest.mark.parametrize(
    ("choice", "reason"),
    [({"finish_reason": "length"}, "only reasoned"), ({"finish_reason": "content_filter: SPII"}, "refused")],
    ids=str,
)
def test_a_choice_without_a_message_is_known_by_how_it_ended(choice: dict[str, Any], reason: str) -> None:
    with serve(lambda body, n: (200, {"choices": [choice]})) as server:
        assert [failure.reason for failure in read(server).failures] == [reason]
        assert server.requests <= 2


def test_a_call_that_is_cut_short_keeps_its_whole_rows() -> None:
    def script(body: Body, n: int) -> Any:
        if "tools" not in body:
            return 400, {"error": {"message": "json_schema is not for this one"}}
        cut = SAID[: SAID.index("Washers") + 3]
        call = {"id": "1", "type": "function", "function": {"name": "Answer", "arguments": cut}}
        return 200, build_completion(None, finish="length", tool_calls=[call])

    with serve(script) as server:
        result = read(server)
    assert result.value is not None and result.value["rows"] == ROWS[:2]
    assert str(result.status) == "incomplete"


# Linear in the length


@pytest.mark.parametrize(
    "unit",
    [
        "{",
        "[",
        '{"a":',
        '"',
        "\\",
        "`",
        "<think>",
        "</think>",
        "```json\n",
        '{"number": 1}',
        "/*",
        ", ",
        "[1],",
        "{'",
        "'\\",
        "“",
        " '",
    ],
)
def test_a_long_reply_costs_time_in_proportion(unit: str) -> None:
    from extractor.models.openai.reply import InvalidReply, read_reply

    def measure(times: int) -> float:
        text = unit * times
        began = time.process_time()
        with contextlib.suppress(InvalidReply):
            read_reply([text], {"type": "object", "properties": {"number": {"type": "string"}}})
        return time.process_time() - began

    small, large = max(measure(20_000), 0.002), measure(160_000)
    assert large < 8 * 6 * small
