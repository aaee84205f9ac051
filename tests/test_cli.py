import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from extractor.cli.console import MAX_LINE_CHARACTERS, format_record_line
from extractor.cli.main import main
from extractor.results.outcome import DocumentOutcome
from extractor.runs.finished import shorten_members
from extractor.testing import FaultEndpoint
from extractor.types import Status

SCHEMA = """from pydantic import BaseModel
class Record(BaseModel):
    title: str | None = None
"""
PROMPT = "# system\nCopy.\n\n# user\n{document}\n\n{question}\n"


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "thing"
    folder.mkdir()
    (folder / "schema.py").write_text(SCHEMA)
    (folder / "plain.md").write_text(PROMPT)
    return folder


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "a.txt").write_text("A bolt, 😀.", encoding="utf-8")
    (folder / "b.txt").write_text("A nut.", encoding="utf-8")
    return folder


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def run(*flags: object) -> int:
    return main(["run", *map(str, flags)])


def answer(body: dict[str, Any], n: int) -> str:
    return json.dumps({"title": "bolt" if "bolt" in body["messages"][-1]["content"] else "nut"})


def test_a_folder_becomes_one_result_each_with_checked_words(task: Path, papers: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with FaultEndpoint(answer) as server:
        code = run(papers, "-o", out, "--task", task, "--model", "m", "--base-url", server.url, "--quiet")
    assert code == 0
    result = json.loads((out / "a.json").read_text())
    assert result["record"] == {"title": "bolt"}
    for span in result["evidence"]["/title"]["spans"]:
        assert result["document"]["text"][span["start"] : span["end"]] == span["quote"] == "bolt"
    assert result["coverage"]["unasked"] == []
    assert [d["file"] for d in json.loads((out / "run.json").read_text())["documents"]] == ["a.json", "b.json"]


def test_recorded_runs_replay_to_the_same_bytes_at_any_concurrency(task: Path, papers: Path, tmp_path: Path) -> None:
    tapes = tmp_path / "tapes"
    common = ["--task", task, "--model", "m", "--cassettes", tapes, "--quiet"]
    with pytest.MonkeyPatch.context() as patch, FaultEndpoint(answer) as server:
        patch.delenv("CI", raising=False)
        live = [*common, "--base-url", server.url]
        assert run(papers, "-o", tmp_path / "live", *live, "--mode", "record") == 0
    for n in (1, 4):
        replay = [*common, "--base-url", server.url, "--mode", "replay", "--concurrency", n]
        assert run(papers, "-o", tmp_path / f"r{n}", *replay) == 0
        for name in ("a.json", "b.json", "run.json"):
            assert (tmp_path / f"r{n}" / name).read_bytes() == (tmp_path / "live" / name).read_bytes()


def test_a_changed_prompt_is_a_miss_that_says_what_to_record(task: Path, papers: Path, tmp_path: Path) -> None:
    common = ["--task", task, "--model", "m", "--cassettes", tmp_path / "tapes", "--quiet"]
    with pytest.MonkeyPatch.context() as patch, FaultEndpoint(answer) as server:
        patch.delenv("CI", raising=False)
        common += ["--base-url", server.url]
        run(papers, "-o", tmp_path / "live", *common, "--mode", "record")
    (task / "plain.md").write_text(PROMPT.replace("Copy", "Quote"))
    assert run(papers, "-o", tmp_path / "again", *common, "--mode", "replay") == 1
    failure = json.loads((tmp_path / "again" / "a.json").read_text())["failures"][0]
    assert failure["reason"] == "not recorded"
    assert "--mode record" in failure["message"]
    assert "Quote" in failure["message"]


def test_ci_cannot_record(task: Path, papers: Path, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv("CI", "true")
    flags = ["--task", task, "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--mode", "record"]
    assert run(papers, "-o", tmp_path / "o", *flags) == 2
    assert "not recorded in CI" in said(capsys)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["nowhere", "--task", "TASK"], "no file or folder"),
        (["PAPERS"], "--task with one of contract, invoice"),
        (["PAPERS"], "extractor schema init"),
        (["--task", "TASK"], "Say what to read"),
        (["PAPERS", "--task", "TASK", "--schema", "my.json"], "one too many"),
        (["PAPERS", "--task", "unheard-of"], "No task 'unheard-of' ships"),
        (["PAPERS", "--task", "TASK", "--prompt", "loud"], "no prompt"),
        (["PAPERS", "--task", "TASK", "--model", "unheard-of"], "no embedded model"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(
    flags: list[str], words: str, task: Path, papers: Path, tmp_path: Path, capsys: Any
) -> None:
    places = {"PAPERS": papers, "TASK": task}
    assert run(*[places.get(f, f) for f in flags], "-o", tmp_path / "o") == 2
    err = said(capsys)
    assert words in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "docs", "--promt", "groups"], "extractor run has no flag --promt; did you mean --prompt?"),
        (["run", "docs", "--xyzzy=1"], "extractor run has no flag --xyzzy; `extractor run --help` says more."),
        (["show", "out", "b"], "extractor show takes no 'b' here"),
        (["run", "--model"], "argument --model: expected one argument; `extractor run --help` says more."),
        (["models", "pull", "a", "--fast"], "extractor models pull has no flag --fast"),
        (["models", "pul"], "error: invalid choice: 'pul'"),
        (["serve", "--port", "65536"], "argument --port: give a port from 0 to 65535;"),
        (["review", "out", "--port", "-1"], "argument --port: give a port from 0 to 65535;"),
    ],
)
def test_a_flag_that_is_none_is_one_sentence_of_its_command(words: list[str], says: str, capsys: Any) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)
    told = capsys.readouterr().err
    assert says in told and told.count("\n") == 1


def test_an_empty_folder_is_named(tmp_path: Path, task: Path, capsys: Any) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run(empty, "--task", task) == 2
    assert "holds no file to read" in said(capsys)


def test_a_schema_with_an_error_names_file_and_line(task: Path, papers: Path, capsys: Any) -> None:
    (task / "schema.py").write_text(SCHEMA + "\nx = 1 / 0\n")
    assert run(papers, "--task", task) == 2
    assert "schema.py, line 5" in said(capsys)


def test_unreadable_documents_cost_only_themselves(task: Path, papers: Path, tmp_path: Path) -> None:
    (papers / "c.txt").write_bytes(b"\x00\x01\x02")
    (papers / "e.txt").write_text(" \n ")
    os.truncate(papers / "f.txt", 50_000_000) if (papers / "f.txt").touch() is None else None
    out = tmp_path / "out"
    with FaultEndpoint(answer) as server:
        assert run(papers, "-o", out, "--task", task, "--model", "m", "--base-url", server.url, "--quiet") == 1
    reasons = {n: json.loads((out / f"{n}.json").read_text())["error"]["reason"] for n in "cef"}
    assert reasons == {"c": "binary", "e": "empty", "f": "too large"}
    assert json.loads((out / "a.json").read_text())["status"] == "complete"


def test_a_document_is_named_once_and_a_command_stands_on_one_line(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.txt").write_text("")
    out = tmp_path / "a folder with a name that is longer than a line of any terminal should have to be, and blanks"
    run = [
        "run",
        str(tmp_path / "empty.txt"),
        "--task",
        str(task),
        "--model",
        "m",
        "--base-url",
        "http://127.0.0.1:9/v1",
    ]
    assert main([*run, "-o", str(out)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "empty.txt is empty; there is nothing to extract." in lines
    assert lines[-1] == f"1 result in '{out}'; look at them with: extractor show '{out}'"


def test_names_that_clash_are_told_apart(task: Path, papers: Path, tmp_path: Path) -> None:
    (papers / "a.md").write_text("A bolt.")
    (papers / "run.txt").write_text("A nut.")
    out = tmp_path / "out"
    with FaultEndpoint(answer) as server:
        run(papers, "-o", out, "--task", task, "--model", "m", "--base-url", server.url, "--quiet")
    assert len(list(out.glob("*.json"))) == 5


def test_an_output_that_is_no_folder_fails_before_the_first_call(task: Path, papers: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with FaultEndpoint(answer) as server:
        flags = ["--task", task, "--model", "m", "--base-url", server.url]
        assert run(papers, "-o", tmp_path / "file" / "out", *flags) == 3
    assert server.bodies == []


def test_the_page_of_a_run_is_written(task: Path, papers: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out"
    with FaultEndpoint(answer) as server:
        run(papers, "-o", out, "--task", task, "--model", "m", "--base-url", server.url, "--quiet")
    assert main(["show", str(out)]) == 0
    assert "bolt" in (out / "index.html").read_text()


def test_help_names_every_command() -> None:
    told = subprocess.run([sys.executable, "-m", "extractor", "--help"], capture_output=True, text=True, check=True)
    for command in ("run", "show", "models", "eval"):
        assert f"extractor {command}" in told.stdout


@pytest.fixture
def suite(task: Path, papers: Path, tmp_path: Path) -> Path:
    """A folder with a suite whose task and samples lie beside it."""
    lines = ["task = '../thing'", "samples = '../papers'", "gold = 'gold'", "models = ['m']", "prompts = ['plain']"]
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "suite.toml").write_text("\n".join(lines))
    return tmp_path


@pytest.mark.parametrize("where", [".", "eval"])
def test_without_words_the_suite_of_the_folder_is_run_and_named(
    where: str, suite: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(suite / where)
    with FaultEndpoint(answer) as server:
        assert run("-o", suite / "out", "--model", "m", "--base-url", server.url, "--trust") == 0
    assert {f.name for f in (suite / "out").glob("?.json")} == {"a.json", "b.json"}
    assert "suite eval, task thing" in said(capsys)


def test_without_words_and_without_a_suite_nothing_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run() == 2
    assert "no suite here" in said(capsys)
    assert list(tmp_path.iterdir()) == []


def test_each_record_is_shown_as_soon_as_it_is_finished_to_a_pipe_too(task: Path, papers: Path, tmp_path: Path) -> None:
    first_is_shown = threading.Event()

    def answer_second_after_first_line(body: dict[str, Any], n: int) -> str:
        assert "bolt" in body["messages"][-1]["content"] or first_is_shown.wait(60)
        return answer(body, n)

    with FaultEndpoint(answer_second_after_first_line) as server:
        flags = ["-o", tmp_path / "out", "--task", task, "--model", "m", "--base-url", server.url, "--concurrency", 1]
        command = [sys.executable, "-m", "extractor", "run", papers, *flags]
        process = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "a.txt  complete  title: bolt\n"
        first_is_shown.set()
        rest, _ = process.communicate(timeout=60)
    assert rest.startswith("b.txt  complete  title: nut\n")


def test_a_reader_of_the_records_may_go_before_the_run_ends(task: Path, papers: Path, tmp_path: Path) -> None:
    with FaultEndpoint(answer) as server:
        flags = f"-o {tmp_path}/out --task {task} --model m --base-url {server.url}"
        command = f"{sys.executable} -m extractor run {papers} {flags} | true; exit ${{PIPESTATUS[0]}}"
        assert subprocess.run(["bash", "-c", command], check=False, timeout=60).returncode == 0
    assert len(list((tmp_path / "out").glob("?.json"))) == 2


@pytest.mark.parametrize(
    ("record", "line"),
    [
        ({"a": 1.5, "b": None, "c": [1, 2], "d": [], "e": {"x": None, "y": "z"}}, "a: 1.5 · c: 2 · e: z"),
        ({"a": "two\nlines \x1b[2J", "b": False}, "a: two lines ␛[2J · b: False"),
        ({"a": "x" * 60}, f"a: {'x' * 39}…"),
        ({}, "no values"),
        (None, "it is empty"),
    ],
)
def test_a_line_about_a_record_holds_its_first_values(record: Any, line: str) -> None:
    outcome = DocumentOutcome("d.txt", "d.json", Status.COMPLETE, message="it is empty")
    members = None if record is None else shorten_members(record)
    assert format_record_line(outcome, members) == f"d.txt  complete  {line}"
    many = format_record_line(outcome, {f"field_{n}": "value" for n in range(50)})
    assert len(many) == MAX_LINE_CHARACTERS and many.endswith("…")
