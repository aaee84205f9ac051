"""A reply that runs in circles is stopped while it is written; one that says what the prompt holds never is."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.models.local.grammar import build_plain_grammar, build_reply_grammar, read_last_field
from extractor.models.openai.repetition import FEWEST, RepetitionWatch
from extractor.models.openai.watched import WatchedTransport

LINE = {"item": "Fee", "amount": "2.00"}


def find_stop(prompt: str, reply: object, last_field: str = "rows", piece: int = 3) -> str | None:
    """What had been written when the reply was stopped."""
    watch, text = RepetitionWatch(prompt, last_field), json.dumps(reply, ensure_ascii=False)
    for start in range(0, len(text), piece):
        if watch.loops(text[start : start + piece]):
            return text[: start + piece]
    return None


def test_a_row_that_comes_again_and_again_is_stopped_soon() -> None:
    stopped = find_stop("Fee 2.00\nTax 1.00", {"rows": [{"item": "Tax", "amount": "1.00"}, *[LINE] * 40]})
    assert stopped is not None and stopped.count('"Fee"') == FEWEST + 1


@given(
    rows=st.lists(
        st.tuples(st.fixed_dictionaries({"item": st.text(min_size=1), "n": st.integers()}), st.integers(1, 30))
    ),
    piece=st.integers(1, 50),
)
def test_rows_that_the_prompt_has_as_often_are_never_stopped(rows: list[tuple[Any, int]], piece: int) -> None:
    said = [row for row, times in rows for _ in range(times)]
    prompt = "\n".join(f"{row['item']} {row['n']}" for row in said)
    assert find_stop(prompt, {"title": "A bill", "rows": said}, piece=piece) is None


def test_a_label_for_each_line_is_no_loop_and_more_labels_than_lines_are_one() -> None:
    prompt = "\n".join(f"sentence {n}" for n in range(30))
    assert find_stop(prompt, {"rows": ["neutral"] * 30}) is None
    assert find_stop(prompt, {"rows": ["neutral"] * 60}) is not None


@pytest.mark.parametrize(
    "reply",
    [
        {"names": ["Ann"] * 40, "rows": []},  # more comes after it
        {"rows": [{"names": ["Ann"] * 40}, LINE]},
        {"rows": [LINE, {"item": "Tax", "amount": "2.00"}] * 3},
        {"rows": '[1, 1, 1, 1, 1, 1, 1, 1, 1, "\\', "last": {"rows": [1] * 40}},
    ],
)
def test_what_is_not_the_last_fields_own_list_is_let_be(reply: object) -> None:
    assert find_stop("Ann", reply) is None


@given(st.text(alphabet='[]{},:"\\ a1\n'), st.text())
def test_text_that_is_no_json_is_read_along_without_harm(text: str, prompt: str) -> None:
    RepetitionWatch(prompt, "a").loops(text)


SHAPE = {
    "type": "object",
    "properties": {'a "b" \\ c: ': {"type": "string"}, "rows: é": {"type": "array", "items": {"type": "integer"}}},
    "required": ['a "b" \\ c: ', "rows: é"],
    "additionalProperties": False,
}


def test_both_forms_of_a_grammar_tell_the_field_that_ends_a_reply() -> None:
    plain = build_plain_grammar(SHAPE)
    assert plain is not None and read_last_field(plain) == "rows: é" == read_last_field(build_reply_grammar(SHAPE))
    assert read_last_field("") is None is read_last_field('root ::= "a"') is None
    assert read_last_field(build_reply_grammar({"type": "object", "properties": {}})) is None


class Engine(httpx2.AsyncBaseTransport):
    """Streams a reply, one event for a few characters; keeps what it was asked and how much of it was fetched."""

    def __init__(self, reply: str, end: str = '"stop"', head: str = "text/event-stream") -> None:
        self.reply, self.end, self.head = reply, end, head
        self.asked: list[Any] = []
        self.sent = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(json.loads(request.content))
        return httpx2.Response(200, headers={"content-type": self.head}, stream=Stream(self))


class Stream(httpx2.AsyncByteStream):
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def __aiter__(self) -> Any:
        pieces = [self._engine.reply[i : i + 4] for i in range(0, len(self._engine.reply), 4)]
        for number, piece in enumerate(pieces, 1):
            timings = {"cache_n": 3, "prompt_n": 7, "predicted_n": number}
            choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
            event = f"data: {json.dumps({'id': 'x', 'choices': [choice], 'timings': timings})}\n\n".encode()
            yield event[:11]  # in parts that end anywhere
            yield event[11:]
            self._engine.sent = number
        if self._engine.end:
            yield f'data: {{"choices": [{{"delta": {{}}, "finish_reason": {self._engine.end}}}]}}\n\n'.encode()
            yield b'data: {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}\n\ndata: [DONE]\n\n'


ROWS = {
    "type": "object",
    "properties": {"rows": {"type": "array", "items": {"type": "string"}}},
    "required": ["rows"],
    "additionalProperties": False,
}


def ask(engine: Engine) -> httpx2.Response:
    body = {"messages": [{"role": "user", "content": "A bolt."}], "grammar": build_reply_grammar(ROWS)}
    request = httpx2.Request("POST", "http://engine/v1/chat/completions", json=body)
    return asyncio.run(WatchedTransport(engine).handle_async_request(request))


def test_a_stream_becomes_the_completion_that_it_spells() -> None:
    text = json.dumps({"rows": ["bolt", "é"]}, ensure_ascii=False)
    engine = Engine(text)
    told = ask(engine).json()
    assert engine.asked[0]["stream"] is True and engine.asked[0]["messages"]
    assert told["choices"] == [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}]
    assert told["usage"] == {"prompt_tokens": 10, "completion_tokens": 5} and told["object"] == "chat.completion"


def test_a_loop_is_ended_as_if_cut_short_and_its_tokens_are_counted() -> None:
    engine = Engine(json.dumps({"rows": ["bolt"] * 500}))
    told = ask(engine).json()
    assert (
        told["choices"][0]["finish_reason"] == "length" and told["choices"][0]["message"]["content"].count("bolt") < 9
    )
    assert engine.sent < 20
    used = told["usage"]
    assert used["completion_tokens"] == engine.sent + 1 and used["prompt_tokens"] == 10
    assert used["prompt_tokens_details"] == {"cached_tokens": 3}


@pytest.mark.parametrize("reply", ["", '{"rows": ["bo'])
def test_a_stream_that_breaks_off_is_a_failure_of_the_connection_and_no_reply(reply: str) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        ask(Engine(reply, end=""))


def test_an_error_within_a_stream_is_the_error_that_it_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: Stream) -> Any:
        yield b'error: {"code": 503, "message": "Loading"}\n\n'

    monkeypatch.setattr(Stream, "__aiter__", fail)
    response = ask(Engine(""))
    assert response.status_code == 503 and response.json()["error"]["message"] == "Loading"


def test_an_engine_that_does_not_stream_is_taken_as_it_answers() -> None:
    engine = Engine("", head="application/json")
    assert ask(engine).headers["content-type"] == "application/json"
