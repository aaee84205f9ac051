"""`extractor serve` over loopback, with a model that answers by a script."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import socket
import threading
import time
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from running_server import ORDER, RunningServer, run_server

from extractor.cli.main import main
from extractor.errors import MachineError, ModelFatal, UsageError
from extractor.serving import app, board, store
from extractor.serving import server as served
from extractor.serving.jobs import parse_order
from extractor.serving.keys import ServerKeys, digest_key, read_server_keys
from extractor.serving.options import Bounds, ServerOptions
from extractor.serving.rates import RateLimiter
from extractor.serving.store import find_jobs_folder
from extractor.testing import ScriptedModel
from extractor.types import Reply, Request, Usage

TEXT = "Order A-7: bolts"
KEY, OTHER = "k" * 20, "o" * 20
TWO_KEYS = ServerKeys((digest_key(KEY), digest_key(OTHER)))
NAMED = {"title": "Order", "type": "object", "properties": {"who": {"type": ["string", "null"]}}}


def model() -> ScriptedModel:
    return ScriptedModel({"number": "A-7", "who": "Bolts"})


class Held:
    """A model that does not answer until it may."""

    name = "held"

    def __init__(self) -> None:
        self.go, self.asked = threading.Event(), threading.Event()

    async def complete(self, request: Request) -> Reply:
        self.asked.set()
        while not self.go.is_set():
            await asyncio.sleep(0.01)
        return Reply({"number": "A-7"}, Usage(1, 10, 5, 0.0))


def wait_until_done(server: RunningServer, where: str, **headers: str) -> dict[str, Any]:
    for _ in range(600):
        told = server.client.get(where, headers={"Prefer": "wait=1", **headers})
        assert told.status_code == 200, told.text
        if told.json()["state"] == "done":
            found: dict[str, Any] = told.json()
            return found
    raise AssertionError("the job is never done")


def problem(response: httpx2.Response, status: int) -> str:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    told = response.json()
    assert told["status"] == status and told["title"]
    detail: str = told["detail"]
    assert detail.endswith(".") and "\n" not in detail
    return detail


def test_a_text_or_a_file_becomes_a_record_with_its_evidence(tmp_path: Path) -> None:
    with run_server(tmp_path, model()) as server:
        by_text = server.client.post("/extract", json={"text": TEXT, "name": "order.txt"})
        by_file = server.client.post("/extract", files={"file": ("order.txt", TEXT.encode())})
        assert by_text.status_code == by_file.status_code == 200
        for answer in (by_text, by_file):
            result = answer.json()
            assert (result["document"]["name"], result["status"]) == ("order.txt", "complete")
            assert result["record"] == {"number": "A-7"}
            assert result["evidence"]["/number"]["spans"][0]["quote"] == "A-7"
            kept = server.client.get(answer.headers["location"]).json()
            assert (kept["state"], kept["status"], kept["result"]) == ("done", "complete", result)
        assert by_text.headers["location"] != by_file.headers["location"]
        assert not list((tmp_path / "documents").iterdir()), (
            "a document is kept no longer than until its record is there"
        )


def test_a_schema_of_the_request_is_asked_for_in_place_of_the_task(tmp_path: Path) -> None:
    form = {"schema": json.dumps(NAMED), "accept": "0", "only_proven": "false"}
    with run_server(tmp_path, model(), has_task=False) as server:
        asked = server.client.post("/extract", files={"file": ("a.html", b"<p>Bolts of Order A-7")}, data=form)
        assert asked.json()["record"] == {"who": "Bolts"}
        assert asked.json()["document"]["loader"].startswith("justhtml"), "read as its suffix says, in the reader"
        assert "no task of its own" in problem(server.client.post("/extract", json={"text": TEXT}), 400)
    with run_server(tmp_path, model(), takes_schemas=False) as server:
        assert "takes no schema" in problem(server.client.post("/extract", json={"text": TEXT, "schema": NAMED}), 403)


def test_a_record_of_any_origin_is_proved(tmp_path: Path) -> None:
    with run_server(tmp_path, model(), has_task=False) as server:
        told = server.client.post("/ground", json={"text": TEXT, "record": {"number": "A-7", "buyer": "nobody"}}).json()
        assert told["evidence"]["/number"]["match"] == "exact"
        assert told["evidence"]["/buyer"]["match"] == "none"
        form = {"record": json.dumps({"who": "Bolts"}), "schema": json.dumps(NAMED)}
        told = server.client.post("/ground", files={"file": ("a.html", b"<p>Bolts")}, data=form).json()
        assert told["evidence"]["/who"]["spans"][0]["quote"] == "Bolts"
        assert "no record" in problem(server.client.post("/ground", json={"text": TEXT}), 400)


def test_what_cannot_be_read_has_a_result_that_says_so_and_costs_itself_alone(tmp_path: Path) -> None:
    bomb = BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"\0" * 30_000_000)
    hostile = {
        "broken.pdf": b"%PDF-1.7\n1 0 obj\n<< /Pages 1 0 R >>",
        "bomb.docx": bomb.getvalue(),
        "program.pdf": b"\x7fELF" + bytes(2000),
        "lines.jsonl": b'{"text": "a"}\n{"text": "b"}\n',
        "blank.txt": b"  \n\t ",
    }
    with run_server(tmp_path, model()) as server:
        for name, content in hostile.items():
            told = server.client.post("/extract", files={"file": (name, content)})
            assert (told.status_code, told.json()["status"], told.json()["record"]) == (200, "failed", None), name
            assert told.json()["error"]["message"].endswith(".")
        deep = server.client.post("/extract", files={"file": ("deep.html", b"<div>" * 6000 + b"Order A-7")})
        assert deep.json()["status"] in ("complete", "failed")
        assert server.client.post("/extract", json={"text": TEXT}).json()["status"] == "complete"
        name = server.client.post("/extract", json={"text": TEXT, "name": "../../etc/\u202epasswd"}).json()
        assert name["document"]["name"] == "\\u202epasswd"


def test_a_large_document_is_a_job_from_the_start_and_a_slow_one_after_a_while(tmp_path: Path) -> None:
    held = Held()
    with run_server(tmp_path, held, bounds=Bounds(wait_seconds=0.1)) as server:
        slow = server.client.post("/extract", json={"text": TEXT})
        large = server.client.post("/extract", files={"file": ("large.pdf", b"%PDF-1.7" + bytes(1_000_001))})
        asked = server.client.post("/extract", json={"text": TEXT}, headers={"Prefer": "respond-async"})
        assert [one.status_code for one in (slow, large, asked)] == [202] * 3
        job = slow.json()
        assert job["state"] in ("waiting", "working") and slow.headers["location"] == job["links"]["self"]
        held.go.set()
        assert wait_until_done(server, job["links"]["self"])["result"]["record"] == {"number": "A-7"}
        assert wait_until_done(server, large.headers["location"])["status"] == "failed"


def test_events_tell_each_state_until_the_job_is_done(tmp_path: Path) -> None:
    held = Held()
    with run_server(tmp_path, held) as server:
        where = server.client.post("/extract", json={"text": TEXT}, headers={"Prefer": "respond-async"}).json()
        assert held.asked.wait(10)
        told: list[dict[str, Any]] = []
        with server.client.stream("GET", where["links"]["events"]) as events:
            assert events.headers["content-type"].startswith("text/event-stream")
            for line in events.iter_lines():
                if line.startswith("data: "):
                    told.append(json.loads(line.removeprefix("data: ")))
                    held.go.set()
        states = [one["state"] for one in told]
        assert states[0] == "working" and states[-1] == "done" and states == sorted(states, reverse=True)
        assert (told[-1]["status"], told[-1]["replies"]) == ("complete", 1)


def test_a_job_that_is_removed_ends_and_leaves_nothing(tmp_path: Path) -> None:
    held = Held()
    with run_server(tmp_path, held) as server:
        where = server.client.post("/extract", json={"text": TEXT}, headers={"Prefer": "respond-async"}).json()["links"]
        assert held.asked.wait(10)
        assert server.client.delete(where["self"]).status_code == 204
        assert "no such job" in problem(server.client.get(where["self"]), 404)
        assert [list((tmp_path / name).iterdir()) for name in ("jobs", "documents", "results")] == [[], [], []]
        held.go.set()
        done = server.client.post("/extract", json={"text": TEXT}).headers["location"]
        assert server.client.delete(done).status_code == 204
        assert server.client.delete(done).status_code == 404


def test_a_request_that_is_sent_again_is_the_same_job(tmp_path: Path) -> None:
    with run_server(tmp_path, model()) as server:
        again = {"Idempotency-Key": "order-7"}
        first, second = (server.client.post("/extract", json={"text": TEXT}, headers=again) for _ in range(2))
        assert first.headers["location"] == second.headers["location"]
        assert server.client.post("/extract", json={"text": TEXT}).headers["location"] != first.headers["location"]
    with run_server(tmp_path, model()) as server:  # and after a new start
        third = server.client.post("/extract", json={"text": TEXT}, headers=again)
        assert (third.headers["location"], third.content) == (first.headers["location"], first.content)


def test_without_a_key_nothing_is_told_and_nobody_sees_the_jobs_of_another(tmp_path: Path) -> None:
    with run_server(tmp_path, model(), keys=TWO_KEYS) as server:
        for headers in ({}, {"Authorization": f"Bearer {KEY[:-1]}x"}, {"Authorization": f"Basic {KEY}"}):
            for path in ("/metrics", "/openapi.json", "/jobs/x", "/jobs/x/events"):
                refused = server.client.get(path, headers=headers)
                assert "key is missing" in problem(refused, 401)
                assert refused.headers["www-authenticate"] == "Bearer"
            assert server.client.post("/extract", json={"text": TEXT}, headers=headers).status_code == 401
        assert server.client.get("/health").json() == {"status": "ok"}
        mine, theirs = ({"Authorization": f"Bearer {one}"} for one in (KEY, OTHER))
        where = server.client.post("/extract", json={"text": TEXT}, headers=mine).headers["location"]
        assert server.client.get(where, headers=mine).json()["state"] == "done"
        assert server.client.get(where, headers=theirs).status_code == 404
        assert server.client.delete(where, headers=theirs).status_code == 404
        told = [server.client.get(path, headers=mine).text for path in (where, "/metrics", "/openapi.json")]
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY.encode() not in kept and not any(KEY in one for one in told)


def test_no_page_of_another_asks_a_server_without_keys(tmp_path: Path) -> None:
    with run_server(tmp_path, model()) as server:
        for headers in (
            {"Origin": "http://attacker.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Host": "attacker.example"},
        ):
            form = server.client.post("/extract", files={"file": ("a.txt", b"Order A-7")}, headers=headers)
            assert "may not ask" in problem(form, 403)
        assert not list((tmp_path / "jobs").iterdir())


def test_size_count_and_rate_are_bounded_for_each_key(tmp_path: Path) -> None:
    held = Held()
    mine, theirs = ({"Authorization": f"Bearer {one}", "Prefer": "respond-async"} for one in (KEY, OTHER))
    with run_server(
        tmp_path, held, keys=TWO_KEYS, bounds=Bounds(document_bytes=1000, jobs_per_key=2, requests_per_minute=4)
    ) as server:
        too_large = {"text": "x" * 1001}
        assert "split it" in problem(server.client.post("/extract", json=too_large, headers=mine), 413)
        whole = server.client.post("/extract", content=b"x" * 6_000_000, headers={**mine, "Content-Type": "text/plain"})
        assert whole.status_code == 415
        streamed = (b" " * 1_000_000 for _ in range(8))  # whose length is not told
        flood = server.client.post("/extract", content=streamed, headers={**mine, "Content-Type": "application/json"})
        assert flood.status_code in (413, 429)
        for _ in range(2):
            assert server.client.post("/extract", json={"text": TEXT}, headers=theirs).status_code == 202
        many = server.client.post("/extract", json={"text": TEXT}, headers=theirs)
        assert "2 jobs of this key are not done" in problem(many, 429)
        assert int(many.headers["retry-after"]) > 0
        held.go.set()


def test_a_bucket_fills_up_by_itself() -> None:
    now = [0.0]
    rates = RateLimiter(60, lambda: now[0])
    assert [rates.take("a") for _ in range(60)] == [0.0] * 60
    assert rates.take("a") == pytest.approx(1.0) and rates.take("b") == 0.0
    now[0] = 1.0
    assert rates.take("a") == 0.0 and rates.take("a") > 0


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "is no JSON"),
        (b"[]", "is no JSON object"),
        (b'{"text": NaN}', "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"text": "  "}', "no text"),
        (b'{"text": "a", "colour": 1}', "a member 'colour'"),
        (b'{"text": "a", "accept": 2}', "from 0 to 1"),
        (b'{"text": "a", "accept": true}', "from 0 to 1"),
        (b'{"text": "a", "only_proven": 1}', "true or false"),
        (b'{"text": "a", "name": 1}', "no text"),
        (b'{"text": "a", "schema": []}', "no JSON object"),
        (b'{"text": "a", "schema": ' + b'{"a":' * 150 + b"1" + b"}" * 151, "nests deeper"),
        (b'{"text": "a", "record": {}}', "POST /ground"),
    ],
)
def test_a_body_that_is_none_is_told_why(tmp_path: Path, body: bytes, why: str) -> None:
    with run_server(tmp_path, model()) as server:
        told = server.client.post("/extract", content=body, headers={"Content-Type": "application/json"})
        assert why in problem(told, 400)


def test_a_form_that_is_none_is_told_why(tmp_path: Path) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    with run_server(tmp_path, model()) as server:
        post = server.client.post
        assert "cannot be read" in problem(post("/extract", content=b"nothing", headers=kind), 400)
        assert "no file" in problem(post("/extract", content=b"--x--\r\n", headers=kind), 400)
        file = {"file": ("a.txt", b"Order A-7")}
        assert "a field 'text'" in problem(post("/extract", files=file, data={"text": "a"}), 400)
        assert "no JSON" in problem(post("/extract", files=file, data={"schema": "{"}), 400)
        assert "empty" in problem(post("/extract", files={"file": ("a.txt", b"")}), 400)
        two = [("file", ("a.txt", b"a")), ("file", ("b.txt", b"b"))]
        assert "Too many files" in problem(post("/extract", files=two), 400)
        assert "Nothing is here" in problem(post("/nothing"), 404)
        assert "Nothing is here" in problem(server.client.put("/extract"), 405)


def test_a_hostile_schema_costs_itself(tmp_path: Path) -> None:
    endless = {"type": "object", "properties": {"number": {"type": "string", "pattern": "^(a+)+$"}}}
    letters = "a" * 40 + "!"
    with run_server(tmp_path, ScriptedModel({"number": letters}), document_timeout=1.0) as server:
        for schema, why in (
            ({"type": "objec"}, "no JSON Schema at /type"),
            ({"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}}, "pattern"),
        ):
            for _ in range(2):  # the second time without being read once more
                assert why in problem(server.client.post("/extract", json={"text": TEXT, "schema": schema}), 422)
        large = {"type": "object", "properties": {"a": {"description": "x" * 300_000}}}
        assert "leave out" in problem(server.client.post("/extract", json={"text": TEXT, "schema": large}), 413)
        asked = {"text": letters, "schema": endless}
        where = server.client.post("/extract", json=asked, headers={"Prefer": "respond-async"}).headers["location"]
        assert server.client.post("/extract", json={"text": "Order A-7"}).status_code == 200, "others go on meanwhile"
        assert wait_until_done(server, where)["status"] in ("failed", "incomplete"), (
            "its time is over, in work or asking"
        )
        proved = server.client.post("/ground", json={**asked, "record": {"number": letters}})
        assert "takes longer" in problem(proved, 422)


def test_a_disk_that_is_full_accepts_nothing_and_loses_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "DISK_PAUSE_SECONDS", 0.05)
    full = {"documents": True, "results": False}
    write = store.write_atomically

    def write_or_fail(path: Path, pieces: Any) -> str:
        if full.get(path.parent.name):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, pieces)

    monkeypatch.setattr(store, "write_atomically", write_or_fail)
    with run_server(tmp_path, model()) as server:
        assert "free the disk" in problem(server.client.post("/extract", json={"text": TEXT}), 503)
        assert not list((tmp_path / "jobs").iterdir()), "what was not accepted is not there"
        full.update(documents=False, results=True)
        asked = server.client.post("/extract", json={"text": TEXT}, headers={"Prefer": "wait=1"})
        assert asked.status_code == 202
        assert "cannot be saved" in problem(server.client.get("/health"), 503)
        full.update(results=False)
        assert wait_until_done(server, asked.headers["location"])["status"] == "complete"
        assert server.client.get("/health").status_code == 200


def test_a_model_that_refuses_is_told_in_the_result(tmp_path: Path) -> None:
    with run_server(tmp_path, ScriptedModel(ModelFatal("The key is refused; check it."))) as server:
        told = server.client.post("/extract", json={"text": TEXT}).json()
        assert (told["status"], told["error"]["message"]) == ("failed", "The key is refused; check it.")


@pytest.mark.parametrize("has_keys", [True, False])
def test_the_description_is_valid_openapi(tmp_path: Path, has_keys: bool) -> None:
    with run_server(tmp_path, model(), keys=TWO_KEYS if has_keys else None) as server:
        told = server.client.get("/openapi.json", headers={"Authorization": f"Bearer {KEY}"}).json()
    OpenAPIV31SpecValidator(told).validate()
    assert {(path, method) for path, item in told["paths"].items() for method in item} == {
        ("/extract", "post"),
        ("/ground", "post"),
        ("/jobs/{id}", "get"),
        ("/jobs/{id}", "delete"),
        ("/jobs/{id}/events", "get"),
        ("/health", "get"),
        ("/metrics", "get"),
        ("/openapi.json", "get"),
    }
    assert told["components"]["schemas"]["Record"]["properties"] == ORDER["properties"]
    assert ("securitySchemes" in told["components"]) is has_keys


def test_figures_count_and_name_nothing(tmp_path: Path) -> None:
    with run_server(tmp_path, model()) as server:
        server.client.post("/extract", json={"text": TEXT, "name": "secret-name.txt"})
        told = server.client.get("/metrics")
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = told.text.splitlines()
    assert 'extractor_documents_total{status="complete"} 1.0' in lines
    assert 'extractor_model_tokens_total{direction="in"} 10.0' in lines
    assert 'extractor_jobs{state="done"} 1.0' in lines
    assert "secret-name" not in told.text


def test_what_waits_when_the_server_stops_is_told_at_once_and_done_after_the_next_start(tmp_path: Path) -> None:
    held, answers = Held(), []
    with run_server(tmp_path, held, bounds=Bounds(wait_seconds=60)) as server:
        asking = threading.Thread(target=lambda: answers.append(server.client.post("/extract", json={"text": TEXT})))
        asking.start()
        assert held.asked.wait(10)
        server.stop()
        asking.join(20)
    assert answers[0].status_code == 202
    with run_server(tmp_path, model()) as server:
        assert wait_until_done(server, answers[0].headers["location"])["result"]["record"] == {"number": "A-7"}


def test_a_job_is_not_done_with_another_task_than_it_was_sent_for(tmp_path: Path) -> None:
    with run_server(tmp_path, Held()) as server:
        asked = server.client.post("/extract", json={"text": TEXT}, headers={"Prefer": "respond-async"})
    with run_server(tmp_path, model(), has_task=False) as server:
        done = wait_until_done(server, asked.headers["location"])
        assert "another task" in done["result"]["error"]["message"]


def test_remains_of_a_kill_are_cleared_away_and_what_is_no_job_is_left_alone(tmp_path: Path) -> None:
    with run_server(tmp_path, model()) as server:
        kept = server.client.post("/extract", json={"text": TEXT}).headers["location"]
    order = parse_order((tmp_path / "jobs" / f"{kept.rpartition('/')[2]}.json").read_bytes())
    (tmp_path / "documents" / "0badc0de").write_bytes(b"of a job that was never accepted")
    (tmp_path / "documents" / order.id).write_bytes(b"of a job that is done")
    (tmp_path / "results" / "0badc0de.json").write_bytes(b"{}")
    (tmp_path / "jobs" / ".extractor-abc.tmp").write_bytes(b"{")
    (tmp_path / "jobs" / "foreign.json").write_bytes(b'{"format": "extractor.job/99"}')
    (tmp_path / "results" / "foreign.json").write_bytes(b"{}")
    with run_server(tmp_path, model()) as server:
        assert server.client.get(kept).json()["state"] == "done"
    assert len(server.notes) == 1 and "foreign.json is no job" in server.notes[0]
    left = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file() and p.suffix != ".lock")
    assert left == sorted(
        ["jobs/foreign.json", "results/foreign.json", f"jobs/{order.id}.json", f"results/{order.id}.json"]
    )


def test_old_jobs_are_removed(tmp_path: Path) -> None:
    with run_server(tmp_path, model()) as server:
        server.client.post("/extract", json={"text": TEXT})
    time.sleep(0.05)
    with run_server(tmp_path, model(), bounds=Bounds(kept_hours=0.01 / 3600)) as server:
        for _ in range(100):
            left = [list((tmp_path / name).iterdir()) for name in ("jobs", "results")]
            if left == [[], []]:
                break
            time.sleep(0.1)
        assert left == [[], []]


def test_two_servers_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        run_server(tmp_path, model()),
        pytest.raises(UsageError, match=r"Another server is writing .* --jobs"),
        run_server(tmp_path, model()) as second,
    ):
        assert second.ended.exception(20) is not None


def test_a_server_that_others_reach_needs_a_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = tmp_path / "order.json"
    schema.write_text(json.dumps(ORDER))
    serve = ["serve", "--schema", str(schema), "--model", "m", "--base-url", "http://127.0.0.1:9/v1"]
    assert main([*serve, "--host", "0.0.0.0"]) == 2
    assert "--keys" in capsys.readouterr().err
    assert main(["serve", "--no-schemas", "--model", "m"]) == 2
    assert main([*serve, "--mode", "record"]) == main([*serve, "--mode", "update"]) == 2
    assert main([*serve, "--rate", "0"]) == 2
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main([*serve, "--port", str(taken.getsockname()[1])]) == 3
    assert "choose another --port" in capsys.readouterr().err


def test_jobs_are_in_the_users_own_folder_and_not_where_the_server_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_jobs_folder({"EXTRACTOR_HOME": "/a", "XDG_STATE_HOME": "/b"}) == Path("/a/jobs")
    assert find_jobs_folder({"XDG_STATE_HOME": "/b"}) == Path("/b/extractor/jobs")
    assert find_jobs_folder({"XDG_STATE_HOME": "b"}) == Path.home() / ".local/state/extractor/jobs"
    folders = []

    async def look(served: Any, options: ServerOptions, *rest: Any) -> None:
        folders.append(options.folder)

    monkeypatch.setattr(served, "serve_requests", look)
    (tmp_path / "jobs").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXTRACTOR_HOME", str(tmp_path / "home"))
    serve = ["serve", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--port", "0"]
    assert main(serve) == main([*serve, "--jobs", "mine"]) == 0
    assert folders == [tmp_path / "home" / "jobs", Path("mine")]


def test_an_answer_in_two_pieces_does_not_wait_for_its_client_to_acknowledge_the_first() -> None:
    with (
        served.open_listener("127.0.0.1", 0, ServerKeys()) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_keys_are_read_from_a_file_and_the_environment_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# of the team\n{KEY}\n\n{OTHER}\n")
    keys = read_server_keys(file, {"EXTRACTOR_SERVE_KEY": "e" * 30})
    owners = {keys.find_owner(f"Bearer {one}") for one in (KEY, OTHER, "e" * 30)}
    assert len(owners) == 3 and None not in owners
    assert keys.find_owner("Bearer " + "n" * 20) is None and keys.find_owner("") is None
    assert KEY not in repr(keys)
    for content in ("short-secret", "with a blank in it", "", "ümläute-in-a-long-key"):
        file.write_text(content)
        with pytest.raises(UsageError) as refused:
            read_server_keys(file, {})
        assert not content or content not in str(refused.value)
    with pytest.raises(UsageError):
        read_server_keys(tmp_path / "missing", {})


def test_a_folder_of_jobs_in_which_links_lie_is_refused_and_nothing_behind_them_is_removed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("kept")
    for name in ("documents", "results", "jobs"):
        folder = tmp_path / f"of {name}"
        folder.mkdir()
        (folder / name).symlink_to(mine)
        with pytest.raises(MachineError, match="A link"), run_server(folder, model()) as server:
            assert server.ended.exception(20) is not None
    assert (mine / "letter.txt").read_text() == "kept"


@pytest.mark.parametrize("charset", ["punycode", '"idna"', "undefined", '"\0"', "utf-16"])
def test_a_form_in_another_encoding_is_refused_before_it_is_read(tmp_path: Path, charset: str) -> None:
    kind = {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}"}
    part = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\na-' + b"b" * 2_000_000 + b"\r\n--x--\r\n"
    with run_server(tmp_path, model()) as server:
        if "\0" not in charset:
            assert "UTF-8" in problem(server.client.post("/extract", content=part, headers=kind), 415)
        plain = {"Content-Type": "multipart/form-data; boundary=x; charset=UTF-8"}
        assert "no file" in problem(server.client.post("/extract", content=part, headers=plain), 400)


def test_a_body_of_empty_objects_takes_no_memory(tmp_path: Path) -> None:
    with run_server(tmp_path, model()) as server:
        for member in (b"{},", b"[],", b'"",', b"1,"):
            body = b'{"text": "Order A-7", "record": {"a": [' + member * (6_000_000 // len(member)) + b"1]}}"
            told = server.client.post("/ground", content=body, headers={"Content-Type": "application/json"})
            assert "too much beside its text" in problem(told, 413)
        words = b'{"text": "' + b'\\"{' * 2_000_000 + b'", "schema": 1}'  # of which only that is wrong
        told = server.client.post("/extract", content=words, headers={"Content-Type": "application/json"})
        assert "'schema' is no JSON object" in problem(told, 400)


def test_connections_that_send_or_read_nothing_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(served, "UNREAD_SECONDS", 0.5)
    monkeypatch.setattr(served, "MAX_CONNECTIONS", 20)
    create = socket.create_server

    def create_narrow(*where: Any, **how: Any) -> socket.socket:
        listener = create(*where, **how)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # else the system takes in the whole answer
        return listener

    monkeypatch.setattr(socket, "create_server", create_narrow)
    with run_server(tmp_path, model()) as server, contextlib.ExitStack() as stack:
        address = (server.client.base_url.host, server.client.base_url.port)
        where = server.client.post("/extract", json={"text": TEXT + " x" * 300_000}).headers["location"]
        wait_until_done(server, where)
        idle = [stack.enter_context(socket.create_connection(address, 20)) for _ in range(30)]
        for n, one in enumerate(idle):
            one.sendall([b"", b"GET /health HTT", b"GET /health HTTP/1.1\r\nHost: x\r\nA: "][n % 3])
        assert [one.recv(1) for one in idle] == [b""] * 30
        greedy = stack.enter_context(socket.socket())
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        greedy.connect(address)
        greedy.sendall(f"GET {where} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        time.sleep(3)
        told = b"".join(iter(lambda: greedy.recv(1 << 20), b""))
        assert told.startswith(b"HTTP/1.1 200") and not told.endswith(b"\r\n0\r\n\r\n"), "it is not waited for"
        assert server.client.get("/health").status_code == 200


def test_no_key_has_all_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "MAX_UNDER_WAY", 3)
    held = Held()
    mine, theirs = ({"Authorization": f"Bearer {one}"} for one in (KEY, OTHER))
    with run_server(tmp_path, held, keys=TWO_KEYS) as server, contextlib.ExitStack() as stack:
        job = server.client.post("/extract", json={"text": TEXT}, headers={**mine, "Prefer": "respond-async"}).json()
        for _ in range(3):
            assert stack.enter_context(server.client.stream("GET", job["links"]["events"], headers=mine)).is_success
        assert "3 requests at a time" in problem(server.client.get(job["links"]["self"], headers=mine), 429)
        assert server.client.get("/metrics", headers=theirs).status_code == 200
        held.go.set()
        stack.close()
        while server.client.get(job["links"]["self"], headers=mine).status_code == 429:
            time.sleep(0.05)
        assert wait_until_done(server, job["links"]["self"], **mine)["status"] == "complete"


def test_a_server_of_one_task_takes_no_schema_to_prove_with_either(tmp_path: Path) -> None:
    with run_server(tmp_path, model(), takes_schemas=False) as server:
        asked = {"text": TEXT, "record": {"number": "A-7"}}
        assert server.client.post("/ground", json=asked).json()["evidence"]["/number"]["match"] == "exact"
        assert "takes no schema" in problem(server.client.post("/ground", json={**asked, "schema": NAMED}), 403)
