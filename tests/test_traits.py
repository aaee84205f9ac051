"""What is known of a model without asking it: by its name, from a library, from the user, by default."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor import Engine, ModelSettings
from extractor.errors import UsageError
from extractor.models.choice import choose_model
from extractor.models.known_traits import OWN_SERVER_WINDOW, find_traits, override_traits, read_parameter_count
from extractor.models.price_library import find_library_model, is_own_address, strip_model_name
from extractor.models.traits import SMALL, STRONG, ModelClass
from extractor.testing import FaultEndpoint

OPENAI, OWN = "https://api.openai.com/v1", "http://127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("qwen2.5-coder-1.5b-instruct", 1.5),
        ("llama3.1:8b", 8),
        ("meta-llama/Llama-3.2-3B-Instruct", 3),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", 0.135),
        ("mixtral-8x7b", 56),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", 30),
        ("gemma-3n-e2b-it", 2),
        ("qwen2.5-7b-instruct-1m", 7),
        ("Qwen_2.5_0.5B_Q4_K_M", 0.5),
        ("gpt-oss:120b", 120),
        ("gpt-5-mini", None),
        ("my-deployment", None),
        ("mistral-large-2512", None),
        ("claude-3-5-sonnet-20241022", None),
    ],
)
def test_how_large_a_model_is_stands_in_its_name(name: str, count: float | None) -> None:
    assert read_parameter_count(name) == count


@given(st.floats(0.1, 900).map(lambda n: round(n, 1)), st.sampled_from(["qwen-{}b", "a/B-{}B-it", "x:{}b-q4", "{}b"]))
def test_below_four_thousand_million_a_model_is_small(count: float, pattern: str) -> None:
    traits = find_traits(pattern.format(count), OWN)
    assert (traits.model_class is ModelClass.SMALL) == (count < 4)


def test_small_models_without_a_count_are_known_by_name() -> None:
    assert find_traits("phi3", OWN).model_class is ModelClass.SMALL
    assert find_traits("tinyllama", OWN).model_class is ModelClass.SMALL
    assert find_traits("microsoft/Phi-4-mini-instruct", OWN).model_class is ModelClass.SMALL
    assert find_traits("phi-4", OWN).model_class is ModelClass.STRONG


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("gpt-5-mini", OPENAI),
        ("gpt-5-mini-2025-08-07", OPENAI),
        ("openai/gpt-5-mini", "https://openrouter.ai/api/v1"),
        ("gpt-5-mini", "http://localhost:4000/v1"),
        ("openai/gpt-5-mini", "https://llm.corp.example/v1"),
    ],
)
def test_a_reasoning_model_is_known_under_each_of_its_names(name: str, url: str) -> None:
    traits = find_traits(name, url)
    assert traits.thinks and {"temperature", "max_tokens"} <= traits.refuses
    assert traits.window == 400_000 and traits.max_output == 128_000
    assert traits.sources["window"].startswith("genai-prices") and traits.sources["max_output"] == "name"


@pytest.mark.parametrize(
    ("name", "url", "window"),
    [
        ("models/gemini-2.5-flash", "https://generativelanguage.googleapis.com/v1beta/openai", 1_048_576),
        ("claude-sonnet-4-5-20250929", "https://api.anthropic.com/v1", 200_000),
        ("anthropic/claude-sonnet-4.6", "https://openrouter.ai/api/v1", 1_000_000),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "https://bedrock-runtime.us-east-1.amazonaws.com/v1", 200_000),
        ("mistral-large-2512", "https://api.mistral.ai/v1", 262_144),
        ("gpt-4", OPENAI, 8_192),
    ],
)
def test_windows_of_vendors_models_are_those_of_the_library(name: str, url: str, window: int) -> None:
    traits = find_traits(name, url)
    assert traits.window == window and 0 < traits.max_output <= window // 3


def test_a_name_that_tells_nothing_gives_the_default() -> None:
    azure = "https://r.openai.azure.com/openai/deployments/mine"
    assert (find_traits("mine", azure).window, find_traits("mine", azure).source) == (STRONG.window, "default")
    own = find_traits("mine", OWN)
    assert own.window == OWN_SERVER_WINDOW and own.model_class is ModelClass.STRONG and not own.refuses
    assert find_traits("llama-2-7b", OWN).window == 4096  # the model itself reads no more


@given(st.text(max_size=40), st.sampled_from([OWN, OPENAI, "https://openrouter.ai/api/v1", None]))
def test_no_name_leaves_a_model_nothing_to_read(name: str, url: str | None) -> None:
    traits = find_traits(name, url)
    assert 0 < traits.max_output * 2 < traits.window


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://localhost:1234/v1", True),
        ("http://gpu1:8000/v1", True),
        ("http://10.1.2.3/v1", True),
        ("http://172.20.0.5:80/v1", True),
        ("http://172.40.0.5:80/v1", False),
        ("http://[::1]:8000/v1", True),
        ("http://box.local/v1", True),
        ("https://api.openai.com/v1", False),
    ],
)
def test_a_server_of_ones_own_is_told_from_a_vendor(url: str, own: bool) -> None:
    assert is_own_address(url) == own


def test_gateways_names_are_stripped_to_the_models() -> None:
    assert strip_model_name("qwen/qwen3-8b:free") == "qwen3-8b"
    assert strip_model_name("models/Gemini-2.5-pro") == "gemini-2.5-pro"
    assert strip_model_name("llama3.1:8b") == "llama3.1:8b"


def test_what_a_user_says_counts_and_is_told() -> None:
    known = find_traits("m", OWN)
    found = override_traits(known, ModelSettings(window=100_000))
    assert (found.window, found.max_output) == (100_000, known.max_output)
    assert found.describe_sources() == {"class": "default", "window": "user", "max_output": "default"}
    small = override_traits(known, ModelSettings(model_class=ModelClass.SMALL))
    assert (small.window, small.max_output) == (SMALL.window, SMALL.max_output)
    assert small.describe_sources() == {"class": "user", "window": "class", "max_output": "class"}
    with pytest.raises(UsageError, match="set window"):
        override_traits(known, ModelSettings(max_output=100_000))


def test_prices_are_known_at_a_vendor_and_of_names_that_only_it_gives() -> None:
    def price(name: str, url: str) -> object:
        found = find_library_model(name, url)
        return found and found.price

    assert price("gpt-5-mini", OPENAI) == price("gpt-5-mini", "http://localhost:4000/v1") == (0.25, 2.0)
    assert price("deepseek-r1:7b", "http://localhost:11434/v1") is None
    assert price("gpt-oss-20b", OWN) is None
    assert price("nobody-knows", OPENAI) is None
    long = find_library_model("claude-sonnet-4-5", "https://api.anthropic.com/v1")
    assert long is not None and long.highest_price.input > long.price.input


def test_the_manifest_says_what_was_known_and_by_whom(faults: Callable[..., FaultEndpoint], tmp_path: Path) -> None:
    server = faults(lambda body, n: '{"title": "bolt"}')
    schema = {"properties": {"title": {"type": "string"}}}
    with Engine("qwen2.5:1.5b", base_url=server.url) as engine:
        made = engine.extract("A bolt.", schema).file.manifest
    assert made.reading["class"] == "small"
    assert made.reading["traits_by"] == {"class": "name", "window": "class", "max_output": "class"}
    with Engine("qwen2.5:1.5b", base_url=server.url, settings=ModelSettings(model_class=ModelClass.STRONG)) as engine:
        made = engine.extract("A bolt.", schema).file.manifest
    assert made.reading["class"] == "strong" and json.dumps(made.reading["traits_by"]).count("user") == 1


def test_what_is_known_to_be_refused_is_told_to_the_client() -> None:
    environ = {"OPENAI_API_KEY": "sk-one-two-three", "MISTRAL_API_KEY": "k"}
    endpoint = choose_model("gpt-5-mini", None, environ).build_endpoint()
    assert endpoint.thinks and "temperature" in endpoint.refuses
    said = choose_model("gpt-5-mini", None, environ, settings=ModelSettings(temperature=1)).build_endpoint()
    assert "temperature" not in said.refuses and said.parameters.temperature == 1
    assert "seed" in choose_model("mistral-small-latest", None, environ).build_endpoint().refuses
