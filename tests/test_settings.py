"""What can be said of a model: in a flag, in a file, from Python; and what cannot be meant, named in one sentence."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor import Engine, ModelSettings
from extractor.cli.main import main
from extractor.errors import UsageError
from extractor.models.endpoint import ApiKind, Dialect
from extractor.models.settings import list_setting_names, parse_settings
from extractor.models.traits import ModelClass
from extractor.testing import ScriptedModel

GOOD: dict[str, Any] = {
    "temperature": 0.2,
    "seed": 7,
    "top_p": 0.9,
    "reasoning_effort": "low",
    "thinking": True,
    "max_output": 2000,
    "token_probabilities": True,
    "window": 32000,
    "class": "small",
    "dialect": "tools",
    "organization": "org-1",
    "ca_file": "ca.pem",
    "proxy": "http://proxy:3128",
    "attempts": 9,
    "patience": 30,
    "request_deadline": 60,
    "document_deadline": 600,
    "rpm": 60,
    "tpm": 9000,
    "max_requests": 5,
    "max_run_tokens": 5000,
    "max_cost": 1.5,
}


def said(*given: str) -> dict[str, Any]:
    return parse_settings(given).list_said()


@pytest.mark.parametrize("name", GOOD)
def test_every_setting_is_read_as_json_or_text(name: str) -> None:
    value = GOOD[name]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    assert said(f"{name}={text}") == {name: value}


def test_tables_are_written_with_a_point_and_may_have_many_members() -> None:
    found = parse_settings(
        ["extra_body.top_k=5", 'extra_body.provider={"sort": "price"}', "header.X-Team=docs", "query.api-version=2"]
    )
    assert found.extra_body == {"top_k": 5, "provider": {"sort": "price"}}
    assert found.headers == {"X-Team": "docs"} and found.query == {"api-version": "2"}
    assert parse_settings(["headers.X-Team=7"]).headers == {"X-Team": "7"}


def test_null_leaves_a_parameter_out_of_every_request() -> None:
    assert said("seed=null", "temperature=null") == {"omit": ("seed", "temperature")}


def test_a_price_is_two_numbers() -> None:
    assert said("price=[0.25, 2]") == said('price={"input": 0.25, "output": 2}') == {"price": (0.25, 2)}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("temprature=1", "there is no setting 'temprature'"),
        ("max_tokens=5", "max_output bounds a reply"),
        ("temperature", "takes NAME=VALUE"),
        ("=1", "takes NAME=VALUE"),
        ("temperature=warm", "0 to 2"),
        ("temperature=3", "0 to 2"),
        ("temperature=true", "0 to 2"),
        ("seed=1.5", "whole number"),
        ("top_p=0", "above 0"),
        ("thinking=maybe", "true or false"),
        ("max_output=0", "above 0"),
        ("window=10", "512"),
        ("class=medium", "small or strong"),
        ("dialect=xml", "schema, tools, json or text"),
        ("dialect=grammar", "schema, tools, json or text"),
        ("reasoning_effort=", "a word"),
        ("attempts=0", "above 0"),
        ("patience=-1", "from 0 up"),
        ("request_deadline=NaN", "above 0"),
        ("request_deadline=Infinity", "above 0"),
        ("price=[1]", "two numbers"),
        ("price=cheap", "two numbers"),
        ("extra_body=1", "is a table"),
        ("extra_body.messages=[]", "the prompt says"),
        ("extra_body.stream=true", "read whole"),
        ("header.Host=h", "not for you to set"),
        ("header.X Y=h", "no name of a header"),
        ("header.X=é", "cannot be sent"),
        ("header.X=a\nb", "cannot be sent"),
        ('omit=["messages"]', "cannot be left out"),
    ],
)
def test_what_cannot_be_meant_is_named_in_one_sentence(given: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_settings([given])
    told = str(caught.value)
    assert says in told and "\n" not in told and told.endswith(".")


def test_an_unknown_setting_is_answered_with_those_that_exist() -> None:
    with pytest.raises(UsageError) as caught:
        parse_settings(["what=1"])
    for name in ("temperature", "extra_body.NAME", "header.NAME", "query.NAME", "class", "document_deadline"):
        assert name in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        ["max_output=4000", "window=4000"],
        ["request_deadline=60", "document_deadline=30"],
        ["patience=60", "document_deadline=30"],
        ["thinking=false", "reasoning_effort=high"],
        ["temperature=0", "extra_body.temperature=1"],
        ["max_output=100", "extra_body.max_completion_tokens=200"],
        ["seed=1", 'omit=["seed"]'],
        ["seed=1", "seed=2"],
        ["header.A=1", "header.A=2"],
    ],
)
def test_two_settings_that_contradict_each_other_are_refused(given: list[str]) -> None:
    with pytest.raises(UsageError):
        parse_settings(given)
    assert parse_settings([given[0], given[0]]) == parse_settings(given[:1])


@given(
    st.dictionaries(st.sampled_from(sorted(GOOD)), st.none()), st.dictionaries(st.sampled_from(sorted(GOOD)), st.none())
)
def test_what_is_said_nearer_wins_and_the_rest_stays(one: dict[str, None], other: dict[str, None]) -> None:
    def build(names: dict[str, None], more: dict[str, Any]) -> ModelSettings:
        return parse_settings(
            [
                f"{n}={json.dumps(more.get(n, GOOD[n])) if isinstance(GOOD[n], bool) else more.get(n, GOOD[n])}"
                for n in names
            ]
        )

    changed = {"temperature": 1, "seed": 8, "max_output": 1000, "attempts": 3}
    base, over = build(one, {}), build(other, changed)
    found = base.override_with(over).list_said()
    assert found == {**base.list_said(), **over.list_said()}


def test_words_of_a_few_may_be_given_as_text_from_python() -> None:
    said = ModelSettings(model_class="small", dialect="tools", api="openai")
    assert said == ModelSettings(model_class=ModelClass.SMALL, dialect=Dialect.TOOLS, api=ApiKind.OPENAI)
    with pytest.raises(UsageError, match="small or strong"):
        ModelSettings(model_class="medium")
    with pytest.raises(UsageError, match="schema, tools"):
        ModelSettings(dialect="grammar")


def test_members_of_tables_are_laid_over_each_other() -> None:
    base = ModelSettings(headers={"A": "1", "B": "2"}, omit=("seed",))
    found = base.override_with(ModelSettings(headers={"B": "3"}, seed=4))
    assert found.headers == {"A": "1", "B": "3"} and found.seed == 4 and found.omit == ()


def test_what_may_be_a_key_shows_in_no_representation() -> None:
    shown = repr(ModelSettings(headers={"X-Key": "hunter22"}, query={"sig": "hunter22"}, proxy="http://u:hunter22@h"))
    assert "hunter22" not in shown


def test_python_has_every_name_that_a_flag_has() -> None:
    fields = {f.name for f in dataclasses.fields(ModelSettings)} - {"model_class", "headers", "extra_body", "query"}
    assert fields | {"class", "extra_body.NAME", "header.NAME", "query.NAME"} == set(list_setting_names())


def test_a_model_of_ones_own_takes_what_says_how_it_is_asked() -> None:
    schema = {"properties": {"title": {"type": ["string", "null"]}}}
    model = ScriptedModel({"title": "bolt"})
    with Engine(model, settings=ModelSettings(window=20_000, max_output=900)) as engine:
        result = engine.extract("A bolt.", schema)
    reading = result.file.manifest.reading
    assert (reading["window"], reading["max_output"]) == (20_000, 900)
    assert reading["traits_by"] == {"class": "default", "window": "user", "max_output": "user"}
    with pytest.raises(UsageError, match="temperature is of an endpoint"):
        Engine(model, settings=ModelSettings(temperature=1))


def test_the_command_says_so_before_anything_is_sent(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", ".", "--task", "invoice", "--set", "temprature=1"]) == 2
    assert "temprature" in capfd.readouterr().err
    assert main(["run", ".", "--task", "invoice", "--set", "rpm=5", "--rpm", "6"]) == 2
    assert "--rpm and --set rpm" in capfd.readouterr().err
    assert main(["run", ".", "--task", "invoice", "--set", "document_deadline=5", "--document-timeout", "6"]) == 2
    assert "document_deadline" in capfd.readouterr().err
    assert main(["run", ".", "--task", "invoice", "--set", "max_run_tokens=5", "--max-tokens", "6"]) == 2
    assert "max_run_tokens" in capfd.readouterr().err
    assert main(["run", ".", "--task", "invoice", "--request-timeout", "5", "--set", "request_deadline=6"]) == 2
    assert "--request-timeout and --set request_deadline" in capfd.readouterr().err
    assert main(["run", ".", "--task", "invoice", "--set", "request_deadline=50", "--document-timeout", "6"]) == 2
    assert "request_deadline" in capfd.readouterr().err
