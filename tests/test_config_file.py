"""`extractor.toml`: whose word counts, what a file in the working folder may not say, and mistakes that are named."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from bounded_work import ends_soon

from extractor import Engine
from extractor.cli.main import main
from extractor.errors import UsageError
from extractor.models.choice import choose_model
from extractor.models.config_file import find_user_config, load_configuration, read_config_file
from extractor.testing import FaultEndpoint

Start = Callable[..., FaultEndpoint]
TWO = """
[defaults]
patience = 30
temperature = 0.5

[models.fast]
model = "m-mini"
base_url = "http://127.0.0.1:9/v1"
key_env = "FAST_KEY"
temperature = 1
header.X-Team = "docs"
extra_body = { top_k = 5 }
"""


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    written(tmp_path / "in" / "a.txt", "A bolt.")
    written(tmp_path / "schema.json", '{"type": "object", "properties": {"title": {"type": "string"}}}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*flags: str) -> int:
    return main(["run", "in", "-o", "out", "--schema", "schema.json", "--quiet", *flags])


def test_a_model_by_a_name_of_ones_own_is_where_the_file_says(tmp_path: Path) -> None:
    files = read_config_file(written(tmp_path / "my.toml", TWO))
    spec = choose_model("fast", None, {"FAST_KEY": "sk-of-fast", "OPENAI_API_KEY": "other"}, configuration=files)
    assert (spec.name, spec.base_url, spec.api_key) == ("m-mini", "http://127.0.0.1:9/v1", "sk-of-fast")
    endpoint = spec.build_endpoint()
    assert endpoint.parameters.temperature == 1 and endpoint.parameters.extra_body == {"top_k": 5}
    assert endpoint.connection.headers == {"X-Team": "docs"} and endpoint.connection.patience == 30


def test_what_is_said_nearer_to_the_call_wins(tmp_path: Path) -> None:
    own = written(find_user_config(), '[defaults]\ntemperature = 0.1\nseed = 1\n[models.m]\nbase_url = "http://a/v1"\n')
    named = written(tmp_path / "my.toml", "[defaults]\ntemperature = 0.2\n[models.m]\nseed = 2\n")
    found = choose_model("m", None, {}, configuration=load_configuration(named, tmp_path))
    assert (found.settings.temperature, found.settings.seed, found.base_url) == (0.2, 2, "http://a/v1")
    assert choose_model("m", "http://b/v1", {}, configuration=load_configuration(named)).base_url == "http://b/v1"
    assert load_configuration(None, tmp_path).files == (own,)


def test_the_model_that_a_file_names_is_asked_when_none_is(tmp_path: Path) -> None:
    files = read_config_file(written(tmp_path / "my.toml", TWO.replace("[defaults]", '[defaults]\nmodel = "fast"')))
    assert choose_model(None, None, {"FAST_KEY": "k"}, configuration=files).name == "m-mini"
    assert choose_model(None, None, {}, configuration=files, live=False).is_embedded


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[model.x]\n", "'model'"),
        ("[models.x]\ntemprature = 1\n", "'temprature'"),
        ("[defaults]\nbase_url = 'http://h'\n", "base_url is of one model"),
        ("[models.x]\napi_key = 'sk-1'\n", "key_env"),
        ("[models.x]\nkey_env = 'A'\nkey_file = 'b'\n", "contradict"),
        ("[models.x]\nbase_url = 1\n", "quotation marks"),
        ("[models.x]\ntemperature = 9\n", "0 to 2"),
        ("[models.x]\nmax_output = 5000\nwindow = 5000\n", "leaves nothing"),
        ("[models.x]\nheader = 'a'\n", "is a table"),
        ("models = 1\n", "[models.NAME]"),
        ("defaults = 1\n", "[defaults]"),
        ("[models]\nx = 1\n", "[models.NAME]"),
        ("[models.x\n", "not TOML"),
    ],
)
def test_mistakes_are_named_with_their_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_config_file(written(tmp_path / "my.toml", text))
    told = str(caught.value)
    assert says in told and "my.toml" in told and "\n" not in told and "sk-1" not in told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (".".join("a" * 100_000) + " = 1\n", "too many parts"),
        (f"[{'.'.join('a' * 2_000)}]\n" + "".join(f"k{n}.a = 1\n" for n in range(20_000)), "too many parts"),
        ("x = " + "[" * 100_000, "nests too deeply"),
        ("x = " + "1" * 10_000, "not TOML"),
        ("# " + "x" * 1_000_001, "more than"),
    ],
    ids=["a key of many parts", "a table of many parts", "lists in lists", "a number without end", "large"],
)
def test_a_file_that_merely_lies_there_costs_no_more_than_its_length(
    place: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    written(place / "extractor.toml", text)

    def refused() -> None:
        assert run("--model", "m", "--base-url", "http://127.0.0.1:9/v1") == 2

    assert ends_soon(refused)
    refused()
    assert says in capsys.readouterr().err


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_config_file(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="not TOML"):
        read_config_file(tmp_path / "binary.toml", named=bool((tmp_path / "binary.toml").write_bytes(b"\xff\xfe")))


@pytest.mark.parametrize(
    "line",
    [
        'base_url = "http://evil/v1"',
        'key_env = "HOME"',
        'key_file = "/etc/passwd"',
        'model = "openrouter/x"',
        'header = { X = "1" }',
        'query = { to = "evil" }',
        'extra_body = { route = "evil" }',
        'ca_file = "ca.pem"',
        'proxy = "http://evil:1"',
        'organization = "evil"',
        "price = [0, 0]",
        "max_cost = 1000",
        "attempts = 100000",
    ],
)
def test_a_file_that_merely_lies_there_chooses_no_place_key_path_or_price(place: Path, line: str) -> None:
    written(place / "extractor.toml", f"[models.m]\n{line}\n")
    with pytest.raises(UsageError, match=r"--config extractor\.toml"):
        load_configuration(None, place)
    assert load_configuration(place / "extractor.toml", place).models["m"]


def test_it_may_say_how_a_model_is_asked_and_the_command_takes_it(place: Path, faults: Start) -> None:
    server = faults(lambda body, n: '{"title": "bolt"}')
    written(place / "extractor.toml", "[defaults]\nwindow = 20000\nseed = 5\n")
    assert run("--model", "m", "--base-url", server.url) == 0
    manifest = json.loads((place / "out" / "a.json").read_text())["manifest"]
    assert manifest["reading"]["window"] == 20000 and manifest["parameters"]["seed"] == 5


def test_the_command_refuses_a_working_folder_that_says_where_to_send(
    place: Path, faults: Start, capfd: pytest.CaptureFixture[str]
) -> None:
    server = faults(lambda body, n: '{"title": "bolt"}')
    written(place / "extractor.toml", f'[models.m]\nbase_url = "{server.url}"\n')
    assert run("--model", "m") == 2 and server.requests == 0
    assert "--config extractor.toml" in capfd.readouterr().err
    assert run("--model", "m", "--config", "extractor.toml") == 0 and server.requests == 1


def test_python_reads_the_file_that_is_named_and_no_other(place: Path, faults: Start) -> None:
    server = faults(lambda body, n: '{"title": "bolt"}')
    written(place / "extractor.toml", '[models.m]\nbase_url = "http://evil/v1"\n')
    named = written(place / "my" / "x.toml", f'[models.m]\nbase_url = "{server.url}"\nwindow = 9000\n')
    schema = {"properties": {"title": {"type": "string"}}}
    with Engine("m", settings=named) as engine:
        result = engine.extract("A bolt.", schema)
    assert result.value == {"title": "bolt"} and result.file.manifest.reading["window"] == 9000
    with Engine("m", base_url=server.url) as engine:
        assert engine.extract("A bolt.", schema).value == {"title": "bolt"}


def test_paths_in_a_file_are_meant_from_where_it_lies(tmp_path: Path) -> None:
    path = written(
        tmp_path / "conf" / "my.toml", "[models.m]\nca_file = 'ca.pem'\nkey_file = 'key'\nbase_url = 'https://h'\n"
    )
    written(tmp_path / "conf" / "key", "sk-in-file\n")
    spec = choose_model("m", None, {}, configuration=read_config_file(path))
    assert spec.api_key == "sk-in-file" and spec.settings.ca_file == os.fspath(tmp_path / "conf" / "ca.pem")


def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    files = read_config_file(written(tmp_path / "my.toml", TWO))
    with pytest.raises(UsageError, match="FAST_KEY"):
        choose_model("fast", None, {"OPENAI_API_KEY": "k"}, configuration=files)


def test_an_env_file_is_read_when_it_is_named_and_gives_way_to_what_is_set(
    place: Path, faults: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = faults(lambda body, n: '{"title": "bolt"}')
    written(
        place / ".env", "# mine\nexport OPENAI_API_KEY='sk-from-file' # here\nOPENAI_BASE_URL=http://127.0.0.1:9/v1\n"
    )
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    assert run("--model", "m") == 0
    assert run("--model", "m", "--env-file", ".env", "--fresh", "--no-cache") == 0
    keys = [headers["authorization"] for headers in server.headers]
    assert keys == ["Bearer none", "Bearer sk-from-file"]
    assert "OPENAI_API_KEY" not in os.environ
    assert run("--model", "m", "--env-file", "none.env") == 2
