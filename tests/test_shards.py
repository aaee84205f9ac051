"""Parts of a run, and the whole that they are merged to."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.cli.main import main
from extractor.runs.shards import Shard, parse_shard
from extractor.testing import FaultAnswer, FaultEndpoint, build_completion

UNCOMPARED = {".extractor.lock"}
"""It names the last process that wrote."""


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    folder.mkdir()
    schema = {"type": "object", "properties": {"title": {"type": ["string", "null"]}}}
    (folder / "schema.json").write_text(json.dumps(schema))
    (folder / "plain.md").write_text("# system\nCopy.\n\n# user\n{document}\n{question}\n")
    return folder


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """Files of one name in several folders, lines of a file, one that cannot be read."""
    folder = tmp_path / "in"
    for i in range(30):
        (folder / f"part-{i % 3}").mkdir(parents=True, exist_ok=True)
        (folder / f"part-{i % 3}" / f"paper-{i // 3:02}.txt").write_text(f"The bolt number-{i} of a catalogue.\n")
    lines = [json.dumps({"id": f"line-{i}", "text": f"A line about number-{i + 100}."}) for i in range(10)]
    (folder / "lines.jsonl").write_text("\n".join(lines))
    (folder / "part-0" / "paper-00.bin").write_bytes(bytes(100))
    return folder


def answer(body: dict, n: int) -> FaultAnswer:
    word = next(w for w in body["messages"][-1]["content"].split() if w.startswith("number-"))
    return FaultAnswer(body=build_completion(json.dumps({"title": word.rstrip(".")})))


@pytest.fixture
def server() -> Iterator[FaultEndpoint]:
    with FaultEndpoint(answer) as endpoint:
        yield endpoint


Run = Callable[..., int]


@pytest.fixture
def run(task: Path, papers: Path, server: FaultEndpoint) -> Run:
    def made(out: Path, *flags: object) -> int:
        about = ["--task", task, "--model", "m", "--base-url", server.url, "--no-cache", "--quiet"]
        return main(list(map(str, ["run", papers, "-o", out, *about, *flags])))

    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name not in UNCOMPARED}


def merge(parts: list[Path], out: Path) -> int:
    return main(["merge", *map(str, parts), "-o", str(out), "--quiet"])


def test_eight_parts_merged_are_one_run_to_the_last_byte(run: Run, tmp_path: Path) -> None:
    assert run(tmp_path / "whole") == 1
    parts = [tmp_path / f"part-{i}" for i in range(8)]
    for i, part in enumerate(parts):
        assert run(part, "--shard", f"{i}/8") in (0, 1)
    random.Random(19).shuffle(parts)
    assert merge(parts, tmp_path / "merged") == 1
    assert contents(tmp_path / "merged") == contents(tmp_path / "whole")
    assert merge(parts, tmp_path / "merged") == 1, "merging again changes nothing"
    assert contents(tmp_path / "merged") == contents(tmp_path / "whole")


def test_a_run_over_everything_goes_on_from_a_merged_folder(run: Run, server: FaultEndpoint, tmp_path: Path) -> None:
    parts = [tmp_path / f"part-{i}" for i in range(2)]
    for i, part in enumerate(parts):
        run(part, "--shard", f"{i}/2")
    merge(parts, tmp_path / "merged")
    before, asked = contents(tmp_path / "merged"), server.requests
    assert run(tmp_path / "merged") == 1
    assert server.requests == asked
    assert contents(tmp_path / "merged") == before


def test_missing_parts_and_documents_are_named_and_pending(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = [tmp_path / f"part-{i}" for i in range(3)]
    for i, part in enumerate(parts):
        run(part, "--shard", f"{i}/3")
    damaged = next(parts[1].glob("paper-*.json"))
    damaged.write_text("{}")
    assert merge(parts[:2], tmp_path / "merged") == 1
    said = capsys.readouterr().err
    assert "Missing parts: 2/3" in said
    assert "paper-" in said and "missing or damaged" in said
    counts = json.loads((tmp_path / "merged" / "run.json").read_text())["counts"]
    assert sum(counts.values()) == 41
    assert counts["pending"] == 1 + len(list(parts[2].glob("*.json"))) - 1
    run(parts[1], "--shard", "1/3")
    assert merge(parts, tmp_path / "merged") == 1
    assert json.loads((tmp_path / "merged" / "run.json").read_text())["counts"]["pending"] == 0


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--shard", "0/2"], "both hold part 0/2"),
        (["--shard", "1/3"], "not parts of the same documents"),
        (["--shard", "1/2", "--model", "other"], "asked differently (model)"),
        (["--shard", "1/2", "--accept", "0.9"], "asked differently"),
        (["--shard", "1/2", "--set", "temperature=0.5"], "asked differently (parameters)"),
        ([], "holds no part of a run"),
    ],
)
def test_what_is_not_one_run_is_not_merged(
    flags: list[str], said: str, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path / "a", "--shard", "0/2")
    run(tmp_path / "b", *flags)
    capsys.readouterr()
    assert merge([tmp_path / "a", tmp_path / "b"], tmp_path / "merged") == 2
    assert said in capsys.readouterr().err
    assert not list((tmp_path / "merged").glob("*.json"))


def test_results_of_something_else_are_not_overwritten(run: Run, tmp_path: Path) -> None:
    run(tmp_path / "a", "--shard", "0/1")
    run(tmp_path / "other", "--model", "other")
    before = contents(tmp_path / "other")
    assert merge([tmp_path / "a"], tmp_path / "other") == 2
    assert merge([tmp_path / "a"], tmp_path / "a") == 2
    assert contents(tmp_path / "other") == before


def test_a_folder_keeps_its_part(run: Run, tmp_path: Path) -> None:
    run(tmp_path / "a", "--shard", "0/2")
    assert run(tmp_path / "a", "--shard", "1/2") == 2


def test_a_document_stays_in_its_part_when_others_come_beside_it(run: Run, papers: Path, tmp_path: Path) -> None:
    run(tmp_path / "a", "--shard", "1/4")
    before = set(contents(tmp_path / "a"))
    for i in range(10):
        (papers / f"a-new-{i}.txt").write_text(f"Another number-{i}.")
    run(tmp_path / "a", "--shard", "1/4")
    assert before <= set(contents(tmp_path / "a"))


@given(st.text(min_size=1), st.integers(1, 50))
def test_every_document_is_in_one_part(name: str, count: int) -> None:
    name = name.encode("utf-8", "replace").decode()
    assert sum(Shard(i, count).holds(name) for i in range(count)) == 1


@pytest.mark.parametrize("text", ["", "1", "8/8", "-1/8", "1/0", "a/b", "1/2/3", "0/1000000"])
def test_parts_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no part"):
        parse_shard(text)
