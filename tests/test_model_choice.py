"""Which model a name means, where it is, and with which key; and what is refused before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.cli.main import main
from extractor.errors import UsageError
from extractor.models.base_url import read_base_url
from extractor.models.choice import choose_model
from extractor.models.local.known_models import DEFAULT_MODEL
from extractor.models.native.choice import has_library
from extractor.models.secrets import find_secrets
from extractor.models.settings import ModelSettings
from extractor.models.vendors import VENDORS

KEY = {"OPENAI_API_KEY": "sk-one-two-three"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("http://h:8000", "http://h:8000/v1"),
        ("http://h:8000/", "http://h:8000/v1"),
        ("http://h:8000/v1/", "http://h:8000/v1"),
        ("http://h:8000/v1/chat/completions", "http://h:8000/v1"),
        ("http://h:8000/v1/models", "http://h:8000/v1"),
        ("http://h:11434/api/chat", "http://h:11434/v1"),
        ("http://h/proxy/openai", "http://h/proxy/openai"),
        ("https://api.openai.com", "https://api.openai.com/v1"),
        ("https://openrouter.ai", "https://openrouter.ai/api/v1"),
        ("https://generativelanguage.googleapis.com", "https://generativelanguage.googleapis.com/v1beta/openai"),
        ("https://r.openai.azure.com/openai", "https://r.openai.azure.com/openai/v1"),
        ("http://[::1]:8/v1", "http://[::1]:8/v1"),
        (" http://h/v1\n", "http://h/v1"),
    ],
)
def test_an_address_is_understood_as_users_write_it(written: str, meant: str) -> None:
    assert read_base_url(written).base_url == meant
    assert read_base_url(meant).base_url == meant


def test_a_deployments_address_names_its_model_its_version_and_its_keys_header() -> None:
    url = "https://r.openai.azure.com/openai/deployments/mine/chat/completions?api-version=2024-10-21"
    spec = choose_model(None, url, {"AZURE_OPENAI_API_KEY": "abcdefgh"})
    endpoint = spec.build_endpoint()
    assert endpoint.base_url == "https://r.openai.azure.com/openai/deployments/mine"
    assert (endpoint.model, endpoint.api_key) == ("mine", "abcdefgh")
    assert endpoint.connection.query == {"api-version": "2024-10-21"} and endpoint.connection.key_header == "api-key"
    assert "abcdefgh" in find_secrets(endpoint) and "2024-10-21" not in find_secrets(endpoint)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://platform.openai.com/docs/api", "https://api.openai.com/v1"),
        ("https://claude.ai/new", "https://api.anthropic.com/v1"),
        ("https://openrouter.ai/docs", "https://openrouter.ai/api/v1"),
        ("http://h:8000/docs", "http://h:8000/v1"),
        ("http://h/index.html", "web page"),
        ("localhost:8000/v1", "http://localhost:8000/v1"),
        ("api.example.com/v1", "https://api.example.com/v1"),
        ("ftp://h/v1", "no address"),
        ("nonsense", "no address"),
        ("http://", "no address"),
        ("", "no address"),
        ("https://user:hunter22@h/v1", "name or password"),
        ("https://sk-hunter22@h/v1", "name or password"),
        ("user:hunter22@h/v1", "name or password"),
    ],
)
def test_an_address_that_nothing_can_be_sent_to_is_refused_with_what_to_write(url: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_base_url(url)
    told = str(caught.value)
    assert says in told and "hunter22" not in told and "\n" not in told


@given(st.text(st.characters(), max_size=60) | st.text("ab.:/@?#[]%\ud800é").map("http://{}".format))
def test_no_text_is_more_than_refused(text: str) -> None:
    try:
        assert read_base_url(text).base_url.startswith("http")
    except UsageError as error:
        assert str(error).endswith(".")


def test_a_query_is_kept_apart_and_may_be_a_secret() -> None:
    spec = choose_model("m", "https://h/v1?sig=hunter22&api-version=1", {})
    endpoint = spec.build_endpoint()
    assert "hunter22" not in f"{spec!r} {endpoint!r} {endpoint.base_url}" and "hunter22" in find_secrets(endpoint)


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda one: one.prefix)
def test_a_vendors_prefix_is_its_address_and_its_key_alone(vendor) -> None:  # type: ignore[no-untyped-def]
    variable = vendor.key_variables[0]
    spec = choose_model(f"{vendor.prefix}/a/b", None, {variable: "of-the-vendor"})
    assert (spec.name, spec.api_key) == ("a/b", "of-the-vendor")
    is_native = bool(vendor.own_url) and has_library(vendor.api)
    assert spec.base_url == (vendor.own_url if is_native else vendor.base_url)
    if variable != "OPENAI_API_KEY":
        with pytest.raises(UsageError, match=variable):
            choose_model(f"{vendor.prefix}/a", None, KEY)


@pytest.mark.parametrize(
    ("name", "variable", "host"),
    [
        ("gpt-5-mini", "OPENAI_API_KEY", "api.openai.com"),
        ("claude-sonnet-5-5", "ANTHROPIC_API_KEY", "api.anthropic.com"),
        ("gemini-2.5-flash", "GEMINI_API_KEY", "googleapis.com"),
        ("mistral-small-latest", "MISTRAL_API_KEY", "api.mistral.ai"),
        ("deepseek-chat", "DEEPSEEK_API_KEY", "api.deepseek.com"),
        ("grok-4", "XAI_API_KEY", "api.x.ai"),
    ],
)
def test_a_name_that_only_one_vendor_gives_needs_no_prefix(name: str, variable: str, host: str) -> None:
    spec = choose_model(name, None, {variable: "key-of-it", "OPENAI_API_KEY": "key-of-it"})
    assert spec.name == name and host in str(spec.base_url)
    with pytest.raises(UsageError, match=variable):
        choose_model(name, None, {})


def test_an_address_that_is_given_is_where_every_name_goes() -> None:
    for name in ("anthropic/claude-sonnet-4.6", "openai/gpt-5-mini", "claude-3", "qwen2.5-coder-1.5b"):
        assert choose_model(name, "http://gateway/v1", KEY).name == name
    spec = choose_model("anthropic/claude", None, {**KEY, "OPENAI_BASE_URL": "http://gateway/v1"})
    assert (spec.name, spec.base_url) == ("anthropic/claude", "http://gateway/v1")


def test_at_a_vendors_address_its_own_key_counts_first() -> None:
    both = {**KEY, "MISTRAL_API_KEY": "of-mistral"}
    assert choose_model("m", "https://api.mistral.ai", both).api_key == "of-mistral"
    assert choose_model("m", "https://api.mistral.ai", {"OPENAI_API_KEY": "given"}).api_key == "given"
    assert choose_model("m", "http://own/v1", both).api_key == KEY["OPENAI_API_KEY"]


@pytest.mark.parametrize(
    ("key", "url", "owner"),
    [
        ("sk-ant-abcdefgh", "https://api.openai.com/v1", "Anthropic"),
        ("sk-or-abcdefgh", "https://api.openai.com/v1", "OpenRouter"),
        ("sk-proj-abcdefgh", "https://api.anthropic.com/v1", "OpenAI"),
        ("AIzaabcdefgh", "https://api.mistral.ai/v1", "Google"),
    ],
)
def test_a_key_of_another_vendor_is_not_sent(key: str, url: str, owner: str) -> None:
    with pytest.raises(UsageError, match=owner) as caught:
        choose_model("m", url, {"OPENAI_API_KEY": key})
    assert key not in str(caught.value)
    assert choose_model("m", "http://own/v1", {"OPENAI_API_KEY": key}).api_key == key
    assert choose_model("m", url, {"OPENAI_API_KEY": key}, live=False).api_key is None


def test_a_key_and_no_model_is_a_live_runs_mistake_alone() -> None:
    for environ in (KEY, {"OPENAI_BASE_URL": "http://h/v1"}):
        with pytest.raises(UsageError, match="--model"):
            choose_model(None, None, environ)
        assert choose_model(None, None, environ, live=False).name == DEFAULT_MODEL
    assert choose_model(None, None, {}).name == DEFAULT_MODEL
    assert choose_model("gpt-5-mini", None, {}, live=False).name == "gpt-5-mini"


@pytest.mark.parametrize("name", ["", "  ", "a\nb"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        choose_model(name, "http://h/v1", {})


def test_an_embedded_model_is_unmoved_by_keys() -> None:
    spec = choose_model(DEFAULT_MODEL, None, {**KEY, "OPENAI_BASE_URL": "http://h/v1"})
    assert spec.is_embedded and spec.traits.source == "class" and not spec.traits.sources


def test_settings_arrive_at_the_endpoint() -> None:
    said = ModelSettings(request_deadline=900, attempts=9, organization="org-1", omit=("seed",), dialect=None)
    endpoint = choose_model("m", "http://h/v1", {}, settings=said).build_endpoint()
    assert endpoint.connection.request_deadline == 900 and endpoint.connection.question_deadline == 900
    assert endpoint.connection.attempts == 9 and endpoint.refuses == {"seed"}


def test_replay_and_evaluation_work_with_a_key_and_no_model(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-ant-whatever-it-is")
    sample = str(sorted((repository / "eval" / "invoice" / "samples").iterdir())[0])
    flags = ["run", sample, "--task", "invoice", "-o", str(tmp_path / "out"), "--quiet"]
    assert main([*flags, "--mode", "replay"]) in (0, 1)
    assert main([*flags, "--dry-run"]) == 0
    capfd.readouterr()
    assert main(flags) == 2
    assert "--model" in capfd.readouterr().err
