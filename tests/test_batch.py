"""Runs whose questions go by batch: asked once whatever crashes, taken in whatever comes back, and half the price."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from batch_server import Batch, BatchServer, answer_order, build_completion

from extractor.cli.main import main
from extractor.models.batch.choice import open_batches
from extractor.models.batch.connection import BatchConnection
from extractor.models.batch.interface import BatchLimits, BatchState, Submission
from extractor.models.batch.openai_files import MistralBatches, TogetherBatches
from extractor.models.endpoint import Endpoint
from extractor.runs.batch import desk, rounds

SCHEMA = {"type": "object", "properties": {"number": {"type": ["string", "null"]}}}
MANY = 1000 if os.environ.get("EXTRACTOR_SOAK") else 100
"""Requests of the batches that crash."""


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer(answer_order) as one:
        yield one


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(desk, "LONGEST_PAUSE", 0.05)


class Case:
    """Documents, a schema, and the command that reads them."""

    def __init__(self, folder: Path, many: int) -> None:
        self.folder, self.out = folder, folder / "out"
        folder.mkdir(exist_ok=True)
        (folder / "s.json").write_text(json.dumps(SCHEMA))
        (folder / "docs").mkdir()
        for n in range(many):
            (folder / "docs" / f"d{n:04}.txt").write_text(f"Order A{n} of many.")

    def arguments(self, server: BatchServer, *more: str) -> list[str]:
        return [
            *("run", str(self.folder / "docs"), "--schema", str(self.folder / "s.json"), "-o", str(self.out)),
            *("--model", "gpt-5-mini", "--base-url", server.url, "--cache", str(self.folder / "cache"), *more),
        ]

    def run(self, server: BatchServer, *more: str) -> int:
        return main(self.arguments(server, *more))

    def start(self, server: BatchServer, *more: str) -> subprocess.Popen[bytes]:
        """The same in a process of its own, which can be killed."""
        environ = {**os.environ, "OPENAI_API_KEY": "none"}
        command = [sys.executable, "-m", "extractor", *self.arguments(server, *more)]
        return subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def numbers(self) -> dict[str, Any]:
        results = [json.loads(path.read_text()) for path in self.out.glob("d*.json")]
        return {one["document"]["name"]: one["record"]["number"] for one in results}

    def expected(self) -> dict[str, str]:
        return {path.name: f"A{int(path.stem[1:])}" for path in (self.folder / "docs").iterdir()}


def build_case(folder: Path, many: int = 10) -> Case:
    return Case(folder, many)


def test_a_batch_is_submitted_then_pending_then_a_whole_run(server: BatchServer, tmp_path: Path) -> None:
    case = build_case(tmp_path)
    server.slow = 2
    assert case.run(server, "--batch") == 4
    assert not list(case.out.glob("d*.json"))
    assert case.run(server, "--batch") == 4
    assert case.run(server, "--batch") == 0
    assert case.numbers() == case.expected()
    assert server.live == 1 and len(server.asked) == len(set(server.asked)) == 9


def test_waiting_does_it_in_one_go_and_says_what_it_took_at_half_the_price(
    server: BatchServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = build_case(tmp_path)
    server.slow = 3
    assert case.run(server, "--batch", "--wait") == 0
    assert case.numbers() == case.expected() and len(server.batches) == 1
    said = capsys.readouterr()
    assert "By batch: 9 replies, 90 tokens read, 45 written: 0.0001 USD" in said.err


def test_records_are_those_of_a_live_run(server: BatchServer, tmp_path: Path) -> None:
    batched, live = build_case(tmp_path / "one"), build_case(tmp_path / "two")
    assert (batched.run(server, "--batch", "--wait"), live.run(server)) == (0, 0)
    for path in live.out.glob("d*.json"):
        one, other = json.loads(path.read_text()), json.loads((batched.out / path.name).read_text())
        assert [one[name] for name in ("record", "evidence", "status")] == [
            other[name] for name in ("record", "evidence", "status")
        ]


def test_what_was_answered_before_is_not_asked_again(server: BatchServer, tmp_path: Path) -> None:
    case = build_case(tmp_path)
    assert case.run(server, "--batch", "--wait") == 0
    (case.folder / "docs" / "d0010.txt").write_text("Order A10 of many.")
    (case.folder / "docs" / "d0011.txt").write_text("Order A11 of many.")
    assert case.run(server, "--batch", "--wait") == 0
    assert case.numbers() == case.expected()
    assert [len(one.lines) for one in server.batches.values()] == [9, 1] and server.live == 2
    other = build_case(tmp_path / "other")
    assert other.run(server, "--batch", "--cache", str(tmp_path / "cache")) == 0
    assert len(server.batches) == 2, "the cache has all replies"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_before_or_after_submission_asks_nothing_twice_and_loses_nothing(
    moment: str, server: BatchServer, tmp_path: Path
) -> None:
    case = build_case(tmp_path, MANY)
    server.fails = lambda n: n % 20 == 7
    process: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        if process:
            process.pop().kill()

    setattr(server, {"before": "on_upload", "after": "on_create"}[moment], kill)
    process.append(started := case.start(server, "--batch"))
    assert started.wait(120) == -9, started.stderr and started.stderr.read()
    assert len(server.batches) == (moment == "after")
    assert case.run(server, "--batch", "--wait") == 0
    assert case.numbers() == case.expected()
    assert len(server.batches) == 1 and len(server.asked) == len(set(server.asked)) == MANY - 1
    failed = sum(map(server.fails, range(MANY - 1)))
    assert server.live == 1 + failed, "those that failed, and the one that came first"
    if started.stderr:
        started.stderr.close()


def test_a_batch_that_is_listed_late_is_waited_for(server: BatchServer, tmp_path: Path) -> None:
    case = build_case(tmp_path)
    server.drops_reply_to_create = True
    server.unlisted = 2
    assert case.run(server, "--batch") == 4
    assert case.run(server, "--batch", "--wait") == 0
    assert case.numbers() == case.expected() and len(server.batches) == 1


def test_one_that_never_came_is_submitted_after_a_while(
    server: BatchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = build_case(tmp_path)
    server.drops_reply_to_create = True
    assert case.run(server, "--batch") == 4
    server.batches.clear()  # the vendor has not taken it after all
    monkeypatch.setattr(rounds, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(rounds.BatchOptions.__init__, "__defaults__", (False, False, 0.5, None, 0.0))
    assert case.run(server, "--batch", "--wait") == 0
    assert case.numbers() == case.expected() and len(server.batches) == 1


@pytest.mark.parametrize("trouble", ["fails", "loses", "expires"])
def test_what_has_no_reply_is_asked_live(trouble: str, server: BatchServer, tmp_path: Path) -> None:
    case = build_case(tmp_path)
    setattr(server, trouble, lambda n: n in (2, 3))
    assert case.run(server, "--batch", "--wait") == 0
    assert case.numbers() == case.expected() and server.live == 3 and len(server.batches) == 1


def test_or_in_a_second_batch(server: BatchServer, tmp_path: Path) -> None:
    case = build_case(tmp_path)
    server.fails = lambda n: n in (0, 3)
    assert case.run(server, "--batch", "--wait", "--batch-again") == 0
    assert case.numbers() == case.expected()
    first, second = server.batches.values()
    assert len(second.lines) == 2 and {one["custom_id"] for one in second.lines} < {
        one["custom_id"] for one in first.lines
    }
    assert server.live == 1 + 1, "one to see the form, one that failed twice"


def test_a_batch_that_the_vendor_has_lost_is_asked_live(server: BatchServer, tmp_path: Path) -> None:
    case = build_case(tmp_path)
    server.slow = 99
    assert case.run(server, "--batch") == 4
    server.knows_nothing = True
    assert case.run(server, "--batch") == 4, "it may only be slow to show it"
    path = case.out / "batches" / "journal.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    told = [{**one, "at": one["at"] - 1000} if one.get("event") == "submitting" else one for one in lines]
    path.write_text("".join(json.dumps(one) + "\n" for one in told))
    assert case.run(server, "--batch") == 0
    assert case.numbers() == case.expected() and server.live == 10


def test_replies_to_nothing_and_doubled_ones_are_named_and_dropped(
    server: BatchServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = build_case(tmp_path)
    server.doubles = True
    foreign = {"custom_id": "f" * 64, "response": {"status_code": 200, "body": build_completion('{"number": "no"}')}}
    server.more_lines = [foreign, {"custom_id": "../../x\u202e"}, b"[1, 2", b"null", b'{"custom_id": 7}', b"[" * 9_000]
    assert case.run(server, "--batch", "--wait") == 0
    said = capsys.readouterr().err
    assert "2 replies of extractor-" in said and "ffffffff" in said and "came twice" in said
    assert "4 lines of extractor-" in said and "\u202e" not in said
    assert case.numbers() == case.expected() and server.live == 1


def test_limits_split_the_batch(server: BatchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = build_case(tmp_path)
    monkeypatch.setattr("extractor.models.batch.openai_files.OpenAIBatches.limits", BatchLimits(4, 1 << 20))
    assert case.run(server, "--batch", "--wait") == 0
    assert [len(one.lines) for one in server.batches.values()] == [4, 4, 1]
    assert case.numbers() == case.expected()


def test_bounds_of_the_run_hold_for_batches(
    server: BatchServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = build_case(tmp_path)
    assert case.run(server, "--batch", "--wait", "--max-requests", "4") == 1
    assert server.live + len(server.asked) == 4 and len(case.numbers()) == 4
    assert "6 questions are not in this batch" in capsys.readouterr().err
    tight = build_case(tmp_path / "tight")
    most = ("--max-cost", "0.0000001", "--price=1,1")
    assert tight.run(server, "--batch", "--wait", *most) == 1
    assert server.live + len(server.asked) == 4


def test_a_reply_that_was_cut_short_is_followed_up(server: BatchServer, tmp_path: Path) -> None:
    case = build_case(tmp_path, 2)
    text = "\n\n".join(f"Part {n} has some words about nothing at all, and they go on." for n in range(80))
    (case.folder / "docs" / "d0000.txt").write_text(f"Order A0 of many.\n\n{text}")
    whole = server._answer_line

    def cut_first(n: int, one: dict[str, Any]) -> dict[str, Any]:
        told = whole(n, one)
        if "Part 79" in json.dumps(one) and "Part 0 " in json.dumps(one):
            choice = told["response"]["body"]["choices"][0]
            choice["finish_reason"], choice["message"]["content"] = "length", '{"number": "A'
        return told

    server._answer_line = cut_first  # type: ignore[method-assign]
    (case.folder / "docs" / "d0000.txt").rename(case.folder / "docs" / "d0002.txt")
    case_live = server.live
    assert case.run(server, "--batch", "--wait") in (0, 1)
    assert server.live > case_live + 1, "its parts were asked live"
    assert case.numbers()["d0002.txt"] == "A0"


def test_requests_go_to_a_file_and_replies_come_from_one(server: BatchServer, tmp_path: Path) -> None:
    case = build_case(tmp_path)
    asked, replies = tmp_path / "asked.jsonl", tmp_path / "replies.jsonl"
    assert case.run(server, "--batch-file", str(asked)) == 4
    lines = [json.loads(line) for line in asked.read_text().splitlines()]
    assert len(lines) == 10 and {one["url"] for one in lines} == {"/v1/chat/completions"}
    assert asked.stat().st_mode & 0o077 == 0
    replies.write_text("".join(json.dumps(server._answer_line(n, one)) + "\n" for n, one in enumerate(lines[:8])))
    again = tmp_path / "again.jsonl"
    assert case.run(server, "--batch-replies", str(replies), "--batch-file", str(again)) == 4
    assert len(again.read_text().splitlines()) == 2 and server.live == 0
    assert case.run(server, "--batch-replies", str(replies)) == 0
    assert case.numbers() == case.expected() and server.live == 2
    assert case.run(server, "--batch-file", str(asked)) == 2, "no file is written over"


DEEP = "[" * 900 + "]" * 900
UNFIT: dict[str, str] = {
    "nothing": "null",
    "a list": '{"choices": [null]}',
    "no list": '{"choices": {"a": 1}}',
    "no message": '{"choices": [{"message": null}]}',
    "a number": '{"choices": [{"message": {"content": 7}}]}',
    "no JSON": '{"choices": [{"message": {"content": "no"}}], "usage": {"prompt_tokens": NaN}}',
    "no amount": '{"choices": [{"message": {"content": "NaN"}}], "usage": {"prompt_tokens": 1e999}}',
    "half a character": '{"choices": [{"message": {"content": "\\ud800"}}], "id": "\\ud800"}',
    "deep": f'{{"choices": [{{"message": {{"content": "{DEEP}"}}}}], "x": {DEEP}}}',
    "a reason": '{"choices": [{"message": {"content": "{"}, "finish_reason": ["length"]}]}',
}


def test_replies_that_a_stranger_has_written_cost_themselves_alone(
    server: BatchServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case, asked, replies = build_case(tmp_path), tmp_path / "asked.jsonl", tmp_path / "replies.jsonl"
    assert case.run(server, "--batch-file", str(asked)) == 4
    names = [json.loads(line)["custom_id"] for line in asked.read_text().splitlines()]
    lines = [
        f'{{"custom_id": "{name}", "response": {{"status_code": 200, "body": {body}}}}}'
        for name, body in zip(names, UNFIT.values(), strict=True)
    ]
    good = json.dumps({"custom_id": names[0], "response": {"body": build_completion('{"number": "A0"}')}})
    none = ["{", "[" * 100_000, '{"custom_id": ["x"]}', '{"custom_id": "x", "response": [1]}', "\0", "1" * 5000]
    replies.write_text("\n".join([*none, *lines, good, good, '{"custom_id": "\\u202eforeign", "response": null}', "{"]))
    assert case.run(server, "--batch-replies", str(replies)) == 0
    assert case.numbers() == case.expected() and server.live == 9, "the others are asked"
    said = capsys.readouterr().err
    assert "7 lines of replies.jsonl are no replies" in said and "came twice" in said
    assert "not asked: ‹U+202E›foreign" in said


SUBMITTED = [
    {"batch": "extractor-" + "0" * 16, "event": "written", "at": 1.0, "model": "gpt-5-mini", "requests": 1}
    | {"input_tokens": 1, "output_tokens": 1},
    {"batch": "extractor-" + "0" * 16, "event": "uploaded", "at": 1.0, "file": "file_0"},
    {"batch": "extractor-" + "0" * 16, "event": "submitted", "at": 1.0, "id": "batch_0"},
]


@pytest.mark.parametrize(
    ("line", "members"),
    [
        (0, {"batch": "../../../victim"}),
        (0, {"batch": 7}),
        (0, {"event": "danced"}),
        (0, {"requests": "many"}),
        (0, {"input_tokens": -1}),
        (0, {"output_tokens": 1e999}),
        (1, {"file": ["x"]}),
        (1, {"batch": "extractor-" + "1" * 16}),
        (2, {"id": "../files/file_1/content?"}),
        (2, {"event": "ended", "answered": 1, "input_tokens": 1, "output_tokens": 1, "unanswered": [1]}),
        (2, {"event": "ended", "answered": 1, "input_tokens": 1, "output_tokens": 1, "unanswered": {"a": {}}}),
    ],
)
def test_a_journal_that_a_stranger_has_written_names_no_file_and_no_address(
    server: BatchServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    line: int,
    members: dict[str, Any],
) -> None:
    case = build_case(tmp_path, 1)
    told = [{**one, "address": server.url} for one in SUBMITTED]
    told[line] |= members
    (case.out / "batches").mkdir(parents=True)
    journal = [{"format": "extractor.batches/1"}, *told]
    (case.out / "batches" / "journal.jsonl").write_text("".join(json.dumps(one) + "\n" for one in journal))
    victim = tmp_path / "victim.requests.jsonl"
    victim.write_text('{"custom_id": "a"}\n')
    assert case.run(server, "--batch") == 2
    assert "journal of the batches is damaged" in capsys.readouterr().err
    assert victim.exists() and server.paths == []


def test_a_folder_of_batches_that_is_a_link_is_refused(server: BatchServer, tmp_path: Path) -> None:
    case, other = build_case(tmp_path, 1), tmp_path / "other"
    case.out.mkdir()
    other.mkdir()
    (other / "mine.requests.jsonl").write_text("{}")
    (case.out / "batches").symlink_to(other)
    assert case.run(server, "--batch") == 3
    assert [path.name for path in other.iterdir()] == ["mine.requests.jsonl"]


def submit_one(interface: Any, file: Path) -> tuple[str, str | None, list[bytes]]:
    """The id of a batch of two requests, the one that is found by its name, and the lines of its replies."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Order A1 of many."}], "max_tokens": 9}
    file.write_bytes(interface.build_line("a" * 64, body) + interface.build_line("b" * 64, body))
    batch = Submission("extractor-1", file, 2, "m")

    async def go() -> tuple[str, str | None, list[bytes]]:
        try:
            uploaded = await interface.upload(batch)
            own = await interface.submit(batch, uploaded)
            found = await interface.find(batch, uploaded, 0.0, frozenset())
            while (status := await interface.look(own)).state is BatchState.RUNNING:
                pass
            target = file.with_name("replies")
            await interface.fetch(status, target, 1 << 20)
            return own, found, target.read_bytes().splitlines()
        finally:
            await interface.aclose()

    return asyncio.run(go())


@pytest.mark.parametrize("kind", [MistralBatches, TogetherBatches])
def test_other_vendors_have_the_same_by_other_words(kind: type, server: BatchServer, tmp_path: Path) -> None:
    server.slow = 1
    interface = kind(BatchConnection(Endpoint(server.url, "m", "k")))
    own, found, lines = submit_one(interface, tmp_path / "f")
    assert own == found
    answers = [interface.read_line(line) for line in lines]
    assert {one.custom_id for one in answers} == {"a" * 64, "b" * 64} and all(one.completion for one in answers)
    sent = json.loads(server.files["file-0"].splitlines()[0])
    assert ("url" in sent, "model" in sent["body"]) == ((False, False) if kind is MistralBatches else (True, True))


def test_anthropics_batches_go_by_its_own_library(server: BatchServer, tmp_path: Path) -> None:
    pytest.importorskip("anthropic")
    case = build_case(tmp_path)
    server.slow = 1
    own = ("--base-url", server.url.removesuffix("/v1"), "--set", "api=anthropic")
    assert case.run(server, "--batch", "--wait", *own) == 0
    assert case.numbers() == case.expected() and len(server.asked) == 9 and server.live == 1
    assert any(path.endswith("/v1/messages/batches") for path in server.paths)


def test_a_crash_at_anthropic_is_found_by_time_and_size(server: BatchServer, tmp_path: Path) -> None:
    pytest.importorskip("anthropic")
    case = build_case(tmp_path)
    process: list[subprocess.Popen[bytes]] = []
    server.on_create = lambda: process.pop().kill() if process else None
    own = ("--base-url", server.url.removesuffix("/v1"), "--set", "api=anthropic")
    process.append(started := case.start(server, "--batch", *own))
    assert started.wait(60) == -9
    assert case.run(server, "--batch", "--wait", *own) == 0
    assert case.numbers() == case.expected() and len(server.batches) == 1
    if started.stderr:
        started.stderr.close()


def test_a_batch_of_somebody_else_that_looks_the_same_is_told_apart(
    server: BatchServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("anthropic")
    case = build_case(tmp_path)
    own = ("--base-url", server.url.removesuffix("/v1"), "--set", "api=anthropic")

    def add_another() -> None:
        lines = [{**one, "custom_id": f"theirs-{n}"} for n, one in enumerate(server.batches["batch_0"].lines)]
        server.batches["batch_1"] = Batch("batch_1", lines, {})
        server.batches["batch_1"].created += 1
        raise OSError  # and the connection is gone

    server.on_create = add_another
    assert case.run(server, "--batch", *own) == 4
    assert case.run(server, "--batch", "--wait", *own) == 0
    assert case.numbers() == case.expected() and len(server.batches) == 2 and server.live == 1
    assert "batch_1 is not of this run" in capsys.readouterr().err


def test_who_has_no_batches_says_so(tmp_path: Path, server: BatchServer, capsys: pytest.CaptureFixture[str]) -> None:
    case = build_case(tmp_path, 1)
    with pytest.raises(Exception, match="no batches"):
        open_batches(Endpoint("https://api.deepseek.com/v1", "m", "k"))
    assert case.run(server, "--batch", "--no-cache") == 2
    assert case.run(server, "--wait") == 2
    assert case.run(server, "--batch", "--mode", "replay") == 2
    assert case.run(server, "--batch", "--batch-file", "x") == 2
    assert "leave out" in capsys.readouterr().err


def test_replies_from_elsewhere_are_not_fetched(tmp_path: Path) -> None:
    connection = BatchConnection(Endpoint("http://127.0.0.1:9/v1", "m", "k"))

    async def go() -> None:
        try:
            await connection.download("http://127.0.0.2:9/x", {}, tmp_path / "x", 100)
        finally:
            await connection.aclose()

    with pytest.raises(Exception, match="not asked"):
        asyncio.run(go())


def test_what_a_batch_costs_is_half(server: BatchServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = build_case(tmp_path)
    estimates = []
    for more in ((), ("--batch",)):
        assert case.run(server, "--dry-run", "--json", *more) == 0
        estimates.append(json.loads(capsys.readouterr().out))
    whole, half = ([one["money"]["expected"] for one in told["models"] if one["chosen"]] for told in estimates)
    assert half == pytest.approx([one / 2 for one in whole], abs=1e-6)
    assert estimates[1]["batch"] and server.live == 0
