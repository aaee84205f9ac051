import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion

from extractor.errors import ModelBusy
from extractor.models.openai.completion import parse_completion, read_message, read_usage
from extractor.testing import build_completion

words = st.sampled_from(["stop", "length", "eos", "assistant", "", None, 3, -1, 2.5, True, "7", [], {}])
usages = st.none() | st.dictionaries(st.sampled_from(["prompt_tokens", "completion_tokens", "total_tokens"]), words)
calls = st.none() | st.lists(st.fixed_dictionaries({"id": words, "type": st.just("function"), "function": st.just({})}))
odd = st.fixed_dictionaries(
    {},
    optional={
        "id": words,
        "created": words,
        "object": words,
        "service_tier": words,
        "timings": st.just({"prompt_ms": 2, "predicted_ms": 3}),
        "usage": usages,
        "choices": st.lists(
            st.fixed_dictionaries(
                {"message": st.fixed_dictionaries({"role": words, "content": words}, optional={"tool_calls": calls})},
                optional={"finish_reason": words, "index": words, "logprobs": words},
            ),
            min_size=1,
            max_size=2,
        ),
    },
)


@given(odd)
def test_a_completion_says_the_same_whether_it_was_validated_or_built(change: dict[str, Any]) -> None:
    told = {**build_completion("x"), **change}
    expected = ChatCompletion.construct(**told)
    try:
        read = parse_completion(json.dumps(told).encode())
    except ModelBusy:
        assert not isinstance(told["choices"][0]["message"]["role"], str | None)
        return
    assert read.choices[0].message.content == expected.choices[0].message.content
    assert read.choices[0].finish_reason == expected.choices[0].finish_reason
    assert repr(read.choices[0].message.tool_calls) == repr(expected.choices[0].message.tool_calls)
    assert read_usage(read) == read_usage(expected)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"null", b"[]", b'"x"', b"{}", b"\xff", b"[" * 99999, b'{"_fields_set": 5}', b'{"__cls": 1}'),
        *(b'{"choices": []}', b'{"choices": {"0": 1}}', b'{"choices": [{"message": null}]}'),
        b'{"choices": [{"message": {"role": 1}}]}',
    ],
)
def test_what_is_no_completion_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(ModelBusy, match="not a completion") as caught:
        parse_completion(content)
    assert caught.value.lost


def test_fields_of_an_endpoint_of_its_own_are_no_hindrance() -> None:
    told = {**build_completion("x"), "_fields_set": 5, "timings": {"prompt_ms": 500, "predicted_ms": 1000}}
    told["choices"][0]["finish_reason"] = "eos_token"
    read = parse_completion(json.dumps(told).encode())
    assert read_usage(read).seconds == 1.5
    assert read_message(read).texts == ("x",)
