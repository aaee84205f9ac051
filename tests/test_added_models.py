"""Models that the user adds to the list, and the first run that has no model file."""

import hashlib
import io
import json
from pathlib import Path

import pytest

from extractor.cli.main import main
from extractor.errors import UsageError, WeightsError
from extractor.models.choice import list_embedded_names
from extractor.models.local.catalog import build_model_table, list_installed_models, locate_weights
from extractor.models.local.known_models import CATALOGUE, load_catalogue
from extractor.models.local.pull import add_model, resolve_model_source
from tests.hub import Hub, serving

DATA = b"GGUF" + bytes(range(200))
DIGEST = hashlib.sha256(DATA).hexdigest()
PATH = "/owner/tiny/resolve/main/Tiny.gguf"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXTRACTOR_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "models"


def test_a_file_of_the_hub_is_added_fetched_and_then_named_like_any_other(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Hub({PATH: DATA})) as hub:
        monkeypatch.setenv("EXTRACTOR_HUB", hub.base)
        assert main(["models", "add", "owner/tiny:Tiny.gguf", "--sha256", DIGEST.upper(), "--licence", "MIT"]) == 0
    assert capsys.readouterr().out.strip() == str(home / "Tiny.gguf")
    assert locate_weights("tiny").sha256 == DIGEST
    assert "tiny" in list_embedded_names()
    assert main(["models", "--json"]) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert (listed["tiny"]["state"], listed["tiny"]["licence"], listed["tiny"]["measured"]) == ("present", "MIT", False)


def test_bytes_with_another_digest_are_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(Hub({"/Tiny.gguf": DATA})) as hub:
        assert main(["models", "add", f"{hub.base}/Tiny.gguf", "--sha256", "0" * 64, "--name", "odd"]) != 0
    assert "digest" in capsys.readouterr().err
    assert not (home / "Tiny.gguf").exists()


@pytest.mark.parametrize(
    ("source", "name", "digest", "why"),
    [
        ("/Tiny.gguf", None, "12", "no SHA-256"),
        ("/Tiny.gguf", "../up", DIGEST, "cannot be given"),
        ("/Tiny.gguf", CATALOGUE[0].name, DIGEST, "cannot be given"),
        ("/page.html", None, DIGEST, "not the name of a GGUF file"),
    ],
)
def test_what_cannot_be_a_model_is_one_sentence(
    source: str, name: str | None, digest: str, why: str, home: Path
) -> None:
    with serving(Hub({"/Tiny.gguf": DATA, "/page.html": b"<p>"})) as hub, pytest.raises(UsageError, match=why):
        add_model(hub.base + source, digest, name, folder=home)
    assert load_catalogue(home) == CATALOGUE


@pytest.mark.parametrize("source", ["tiny", "owner/tiny", "owner/tiny:readme.md", "a/b:../../x/../y.bin"])
def test_a_source_that_names_no_file_is_refused(source: str) -> None:
    with pytest.raises(UsageError, match="owner/name:file"):
        resolve_model_source(source, "http://hub")


def test_a_hub_that_does_not_say_how_large_the_file_is_is_named(home: Path) -> None:
    with serving(Hub({PATH: DATA}, sized=False)) as hub, pytest.raises(WeightsError, match="does not say how large"):
        add_model("owner/tiny:Tiny.gguf", DIGEST, folder=home, base=hub.base)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"models": [{"name": "x"}]}',
        json.dumps(
            {"models": [{"name": "x", "file": "../x.gguf", "size": 1, "sha256": DIGEST, "licence": "", "url": ""}]}
        ),
    ],
)
def test_a_list_that_somebody_else_wrote_is_refused_and_named(text: str, home: Path) -> None:
    home.mkdir(parents=True)
    (home / "added.json").write_text(text)
    with pytest.raises(WeightsError, match=r"added\.json cannot be read .*; delete it"):
        load_catalogue(home)


def test_the_list_says_which_models_the_machine_is_too_small_for(home: Path) -> None:
    rows = build_model_table(list_installed_models(home), memory=2_500_000_000)
    rooms = {row[0]: row[3] for row in rows[1:]}
    assert rooms["qwen3-4b"].endswith("too much here") and not rooms["qwen2.5-coder-1.5b"].endswith("too much here")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("flags", "answer", "fetched"), [((), None, False), (("--yes",), None, True), ((), "y", True), ((), "", False)]
)
def test_the_first_run_fetches_the_model_after_a_yes(
    flags: tuple[str, ...], answer: str | None, fetched: bool, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (document := home.parent.parent / "a.txt").write_text("A bolt.")
    told = Terminal()
    with serving(Hub({PATH: DATA})) as hub:
        add_model("owner/tiny:Tiny.gguf", DIGEST, folder=home, base=hub.base)
        if answer is not None:
            monkeypatch.setattr("sys.stdin", Terminal(answer + "\n"))
            monkeypatch.setattr("sys.stderr", told)
        main(["run", str(document), "--out", str(home.parent / "out"), "--task", "invoice", "--model", "tiny", *flags])
    assert (home / "Tiny.gguf").exists() == fetched
    assert ("Fetch" in told.getvalue()) == (answer is not None)
