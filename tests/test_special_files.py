"""Pipes, devices, sockets and links where a run's files are looked for: told, and never waited for."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from extractor.cli.main import main
from extractor.files import open_regular_file
from extractor.results.model import RUN_FILE
from extractor.runs.journal import JOURNAL_FILE
from extractor.runs.lock import LOCK_FILE
from extractor.testing import FaultEndpoint

Start = Callable[..., FaultEndpoint]


def _bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


SPECIAL: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a socket": _bind,
    "a folder": Path.mkdir,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to a pipe": lambda path: (os.mkfifo(f"{path}.pipe"), path.symlink_to(f"{path}.pipe")),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nothing": lambda path: path.symlink_to("/nowhere"),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, faults: Start) -> Iterator[list[str]]:
    """A folder with a finished run of two documents; the command that goes on with it."""
    (tmp_path / "in").mkdir()
    for name in "ab":
        (tmp_path / "in" / f"{name}.txt").write_text(f"A bolt {name}.")
    (tmp_path / "s.json").write_text(json.dumps({"type": "object", "properties": {"title": {"type": "string"}}}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-nobody")
    server = faults(lambda body, n: '{"title": "bolt"}')
    command = ["run", "in", "-o", "out", "--schema", "s.json", "--model", "m", "--base-url", server.url, "--quiet"]
    assert main(command) == 0
    yield command


def put(kind: str, name: str) -> None:
    path = Path("out", name)
    if path.is_file():
        path.unlink()
    SPECIAL[kind](path)


@pytest.mark.fault(39)
@pytest.mark.parametrize("kind", SPECIAL)
def test_among_results_it_costs_itself_alone(kind: str, place: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    put(kind, "a.txt.json" if Path("out/a.txt.json").exists() else "a.json")
    put(kind, "stray.json")
    assert main(["show", "out"]) == 0
    page = Path("out/index.html").read_text()
    assert "stray.json" in page and "bolt" in page
    assert main(["export", "out", "-f", "jsonl", "-o", "out.jsonl"]) in (0, 1)
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert sorted(row["status"] for row in rows) == ["complete", "failed"]
    capfd.readouterr()
    if kind != "a folder":  # whose place no file can take
        assert main(place) == 0
        assert "damaged" not in capfd.readouterr().err
        assert main(["export", "out", "-f", "jsonl", "-o", "again.jsonl"]) == 0


@pytest.mark.fault(39)
@pytest.mark.parametrize("name", [RUN_FILE, JOURNAL_FILE, LOCK_FILE])
@pytest.mark.parametrize("kind", SPECIAL)
def test_in_the_place_of_a_run_s_own_file_it_is_told(
    kind: str, name: str, place: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    put(kind, name)
    code = main(place)
    assert code in (0, 3)
    if code == 3:
        told = capfd.readouterr().err
        assert f"out/{name}" in told or "out cannot be locked" in told
    assert main(["show", "out"]) == 0


@pytest.mark.parametrize("kind", SPECIAL)
def test_only_a_regular_file_is_opened(kind: str, tmp_path: Path) -> None:
    SPECIAL[kind](tmp_path / "x")
    with pytest.raises(OSError):
        open_regular_file(tmp_path / "x").close()
    (tmp_path / "y").write_text("words")
    (tmp_path / "z").symlink_to("y")
    with open_regular_file(tmp_path / "z") as file:
        assert file.read() == b"words"
    with pytest.raises(OSError):
        open_regular_file(tmp_path / "z", follow=False).close()
