import asyncio
import json
from pathlib import Path

import httpx2
import pytest
from vcr.request import Request

from extractor.errors import CassetteMissing, CassetteStale, UsageError
from extractor.models.cassettes import CassetteTransport, DocumentCassette


def ask(words: str) -> Request:
    body = json.dumps({"messages": [{"content": words}], "model": "m"}).encode()
    return Request("POST", "http://127.0.0.1:4321/v1/chat/completions", body, {"authorization": "Bearer secret-key"})


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CI", raising=False)
    tape = DocumentCassette(tmp_path / "a.json", record=True)
    for words in ("second", "first"):
        tape.record(ask(words), 200, json.dumps({"said": words.upper()}).encode())
    tape.finish()
    return tmp_path / "a.json"


def test_what_was_recorded_is_played_whatever_the_port(path: Path) -> None:
    tape = DocumentCassette(path, record=False)
    elsewhere = ask("first")
    elsewhere.uri = "http://embedded/v1/chat/completions"
    status, body = tape.play(elsewhere)
    assert (status, json.loads(body)) == (200, {"said": "FIRST"})


def test_a_tape_can_be_read_and_holds_no_header(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "secret" not in text and "127.0.0.1" not in text
    first = json.loads(text)["interactions"][0]
    assert first["request"]["body"]["messages"] == [{"content": "first"}]
    assert first["response"]["body"] == {"said": "FIRST"}


def test_the_same_exchanges_give_the_same_tape_in_whatever_order_they_came(path: Path) -> None:
    tape = DocumentCassette(path.with_name("b.json"), record=True)
    for words in ("first", "second"):
        tape.record(ask(words), 200, json.dumps({"said": words.upper()}).encode())
    tape.finish()
    assert path.read_bytes() == path.with_name("b.json").read_bytes()


def test_a_request_that_is_not_on_the_tape_says_what_changed(path: Path) -> None:
    with pytest.raises(CassetteMissing, match=r"record with --mode record.*fourth"):
        DocumentCassette(path, record=False).play(ask("fourth"))


def test_an_exchange_that_nothing_asks_for_is_stale(path: Path) -> None:
    tape = DocumentCassette(path, record=False)
    tape.play(ask("first"))
    with pytest.raises(CassetteStale, match="1 exchanges"):
        tape.finish()
    tape.play(ask("second"))
    tape.finish()


def test_an_exchange_is_played_once(path: Path) -> None:
    tape = DocumentCassette(path, record=False)
    tape.play(ask("first"))
    with pytest.raises(CassetteMissing, match="already played"):
        tape.play(ask("first"))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 1, "interactions": [{}]}', "!!python/object:os.system {}"]
)
def test_a_broken_tape_is_an_error_and_not_an_empty_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="broken"):
        DocumentCassette(tmp_path / "a.json", record=False)


def test_a_missing_tape_says_how_to_record_it(tmp_path: Path) -> None:
    with pytest.raises(CassetteMissing, match="--mode record"):
        DocumentCassette(tmp_path / "a.json", record=False)


def test_ci_cannot_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "1")
    with pytest.raises(UsageError, match="not recorded in CI"):
        DocumentCassette(tmp_path / "a.json", record=True)


def test_an_update_asks_what_the_tape_lacks_keeps_what_it_has_and_drops_the_rest(path: Path) -> None:
    asked = []

    def endpoint(request: httpx2.Request) -> httpx2.Response:
        asked.append(json.loads(request.content)["messages"][0]["content"])
        return httpx2.Response(200, json={"said": "NEW"})

    tape = DocumentCassette(path, record=True, keep=True)

    async def ask_again() -> list[str]:
        async with httpx2.AsyncClient(transport=CassetteTransport(tape, httpx2.MockTransport(endpoint))) as client:
            replies = [await client.post(ask("").uri, content=ask(words).body) for words in ("first", "third")]
            return [reply.json()["said"] for reply in replies]

    assert asyncio.run(ask_again()) == ["FIRST", "NEW"]
    tape.finish()
    assert asked == ["third"]
    kept = [i["request"]["body"]["messages"][0]["content"] for i in json.loads(path.read_text())["interactions"]]
    assert kept == ["first", "third"]


def test_an_update_of_no_tape_records_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert DocumentCassette(tmp_path / "new.json", record=True, keep=True).find_kept(ask("first")) is None
