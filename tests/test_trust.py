"""Tasks that are Python: run where the user wrote their path, said once, and remembered by digest if that is wanted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from extractor.cli.main import main
from extractor.cli.trust import find_trust_file

SCHEMA = """
import pathlib, helper
from pydantic import BaseModel
pathlib.Path(r"{ran}").touch()
class Record(BaseModel):
    "A bolt."
    title: str | None = None
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stranger's folder with a suite whose task is code."""
    folder = tmp_path / "strange"
    (folder / "eval" / "task").mkdir(parents=True)
    (folder / "eval" / "samples").mkdir()
    (folder / "eval" / "gold").mkdir()
    (folder / "eval" / "samples" / "a.txt").write_text("A bolt.")
    (folder / "eval" / "gold" / "a.json").write_text(json.dumps({"document": "a.txt", "record": {"title": "bolt"}}))
    (folder / "eval" / "task" / "schema.py").write_text(SCHEMA.format(ran=tmp_path / "ran"))
    (folder / "eval" / "task" / "helper.py").write_text("")
    (folder / "eval" / "task" / "plain.md").write_text("# system\nCopy.\n\n# user\n{document}\n\n{question}\n")
    suite = 'task = "task/"\nsamples = "samples"\ngold = "gold"\nmodels = ["m"]\nprompts = ["plain"]\n'
    (folder / "eval" / "suite.toml").write_text(suite)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("EXTRACTOR_HOME", raising=False)
    return folder


def ran(place: Path) -> bool:
    file = place.parent / "ran"
    found = file.exists()
    file.unlink(missing_ok=True)
    return found


UNNAMED = [["run", "--dry-run"], ["eval", "--mode", "replay"]]


@pytest.mark.parametrize("command", UNNAMED)
def test_a_folder_that_one_is_started_in_runs_no_code_of_its_own(
    command: list[str], place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 2
    assert not ran(place)
    told = capfd.readouterr().err
    assert "eval/task/schema.py" in told and "--trust" in told


NAMED = [
    ["run", "eval/samples", "--task", "./eval/task", "--dry-run"],
    ["run", "eval/samples", "--schema", "eval/task/schema.py", "--dry-run"],
    ["run", "eval/samples", "--schema", "eval/task/schema.py:Record", "--dry-run"],
    ["schema", "check", "eval/task/"],
    ["schema", "check", "eval/task/schema.py"],
]


@pytest.mark.parametrize("command", NAMED)
def test_what_is_named_as_a_path_runs_and_that_is_said(
    command: list[str], place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 0
    assert ran(place)
    said = capfd.readouterr().err
    assert said.count("schema.py is Python and runs") == 1
    assert main([*command, "--trust"]) == 0
    assert main(command) == 0
    assert "is Python" not in capfd.readouterr().err


def test_a_suite_that_is_named_runs(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    main(["eval", "--suite", "eval", "--mode", "replay"])
    assert ran(place)
    assert "schema.py is Python and runs" in capfd.readouterr().err


@pytest.mark.parametrize("change", ["schema.py", "helper.py", "new.py", "package/__init__.py", "other.abi3.so"])
def test_trust_is_kept_until_anything_changes_that_may_be_run(
    change: str, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--dry-run", "--trust"]) == 0
    assert ran(place)
    assert main(["run", "--dry-run"]) == 0
    assert ran(place)
    shutil.copytree(place / "eval", place.parent / "copy" / "eval")  # the same code elsewhere
    file = place / "eval" / "task" / change
    file.parent.mkdir(exist_ok=True)
    with file.open("a") as code:
        code.write("\n# more")
    capfd.readouterr()
    assert main(["run", "--dry-run"]) == 2
    assert not ran(place)
    assert (find_trust_file().stat().st_mode & 0o777) == 0o600


def test_no_folder_says_of_itself_that_it_is_trusted(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["run", "--dry-run", "--trust"]) == 0
    ran(place)
    kept = find_trust_file().read_text()
    find_trust_file().unlink()
    for name in ("trusted-tasks", "extractor/trusted-tasks", ".extractor/trusted-tasks"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(kept)
    monkeypatch.setenv("XDG_STATE_HOME", ".")  # a relative one is none (XDG Base Directory Specification)
    monkeypatch.setenv("HOME", str(place.parent / "home"))
    assert main(["run", "--dry-run"]) == 2
    assert not ran(place)


def test_what_ships_and_what_is_no_code_needs_no_trust(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (place / "s.json").write_text(json.dumps({"type": "object", "properties": {"title": {"type": "string"}}}))
    assert main(["run", "eval/samples", "--task", "invoice", "--dry-run"]) == 0
    assert main(["run", "eval/samples", "--schema", "s.json", "--dry-run"]) == 0
    assert "is Python" not in capfd.readouterr().err
