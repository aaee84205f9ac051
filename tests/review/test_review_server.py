"""What the review page's server lets through, answers and writes down."""

import contextlib
import json
import os
import socket
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bounded_work import ends_soon
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.cli.main import main
from extractor.errors import UsageError
from extractor.extraction.validation import build_validator
from extractor.results.reading import read_result_file
from extractor.review_app.app import build_app
from extractor.review_app.desk import ReviewDesk
from extractor.review_app.inputs import InputRefused, find_schema_node, read_typed
from extractor.review_app.pages import PageFinder
from extractor.review_app.queue_index import QueueIndex, QueueQuestion
from extractor.review_app.serve import ReviewOptions, open_listener, serve_review
from extractor.schema.kinds import Reading
from extractor.schema.reader import Scalar

from .payloads import PAYLOADS
from .run_folder import ORDER, RECORD, TEXT, Client, line, make_task, open_client, write_run

LEFT_OUT = [
    ("/lines/7/item", "drill", "drill"),
    ("/lines/7/count", 1, "1 piece"),
    ("/rush", "maybe", ""),
    ("/tags/9", "order", "order"),
]


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return open_client(write_run(tmp_path / "out", rejected=LEFT_OUT))


OWN = "http://127.0.0.1:4000"


@pytest.mark.parametrize(
    ("why", "method", "headers"),
    [
        ("no cookie", "GET", {"cookie": None}),
        ("another token", "GET", {"cookie": "review_4000=other"}),
        ("a name that is made to point here", "GET", {"host": "evil.example:4000"}),
        ("a host of another port", "GET", {"host": "127.0.0.1:4001"}),
        ("asked by another site", "GET", {"sec-fetch-site": "cross-site"}),
        ("asked by another port of this machine", "GET", {"sec-fetch-site": "same-site"}),
        ("another origin", "GET", {"origin": "http://evil.example"}),
        ("another origin", "POST", {"origin": "http://evil.example"}),
        ("no origin", "POST", {"origin": None}),
        ("a sandboxed frame", "POST", {"origin": "null"}),
        ("another port's origin", "POST", {"origin": "http://127.0.0.1:5000"}),
        ("a form", "POST", {"x-review": None}),
        ("a form", "POST", {"content-type": "text/plain"}),
        ("a form", "POST", {"content-type": "application/x-www-form-urlencoded"}),
        ("no cookie", "POST", {"cookie": None}),
        ("another method", "PUT", {}),
        ("another method", "DELETE", {}),
    ],
)
def test_what_does_not_come_from_the_page_is_refused(
    client: Client, why: str, method: str, headers: dict[str, str | None]
) -> None:
    body = json.dumps({"file": "order.json", "version": client.open()["version"], "action": "finish"}).encode()
    path = "/api/decisions" if method != "GET" else "/api/document?file=order.json"
    answer = client.ask(method, path, body, headers)
    assert answer.status in (403, 405)
    assert b"A-17" not in answer.body
    assert not client.open()["finished"]


def test_the_token_in_the_address_becomes_a_cookie_of_this_page_alone(client: Client) -> None:
    answer = client.ask("GET", "/?token=secret", headers={"cookie": None})
    assert answer.status == 200
    assert answer.headers["set-cookie"] == "review_4000=secret; Path=/; HttpOnly; SameSite=Strict"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert client.ask("GET", "/?token=wrong", headers={"cookie": None}).status == 403
    assert client.ask("GET", "/api/run?token=secret", headers={"cookie": None}).status == 403
    assert client.ask("GET", "/").status == 200


def test_the_page_holds_no_script_and_no_style_of_its_own_text(client: Client) -> None:
    page = client.ask("GET", "/").body.decode()
    assert (
        "<style" not in page and "style=" not in page and " on" not in page.replace(" once", "")[: page.find("<body")]
    )
    assert page.count("<script") == 1 and "src=" in page
    for name in ("app.js", "record.js", "reading.js", "queue.js", "dom.js", "api.js", "keys.js", "offsets.js"):
        script = client.ask("GET", f"/static/{name}")
        assert script.headers["content-type"].startswith("text/javascript")
        assert (
            b"innerHTML" not in script.body and b"eval(" not in script.body and b"insertAdjacentHTML" not in script.body
        )


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "app.py", "review.html/../../desk.py", ""])
def test_nothing_but_the_page_is_sent(client: Client, name: str) -> None:
    assert client.ask("GET", f"/static/{name}").status in (404, 405)


@pytest.mark.parametrize(
    "file", ["../secret.json", "run.json", "decisions/journal.jsonl", "/etc/passwd", "none.json", ""]
)
def test_only_results_of_the_run_are_read(client: Client, tmp_path: Path, file: str) -> None:
    (tmp_path / "secret.json").write_text("{}")
    assert client.ask("GET", f"/api/document?file={file}").status == 404


def test_a_result_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    out = write_run(tmp_path / "out")
    (out / "order.json").rename(tmp_path / "elsewhere.json")
    (out / "order.json").symlink_to(tmp_path / "elsewhere.json")
    assert open_client(out).ask("GET", "/api/document?file=order.json").status == 404


def test_values_are_read_by_their_kind_and_refused_in_a_sentence(client: Client) -> None:
    for path, typed, value in [
        ("/placed", "9. April 2024", "2024-04-09"),
        ("/total", "€ 1.024,75", 1024.75),
        ("/state", "Shipped", "shipped"),
        ("/rush", "yes", True),
        ("/lines/0/count", "3", 3),
        ("/number", "  B 2 ", "B 2"),
    ]:
        assert line(client.decide("correct", path, value=typed), path)["value"] == value
    version = client.open()["version"]
    for path, typed, sentence in [
        ("/placed", "soon", "is no date"),
        ("/total", "much", "is no number"),
        ("/total", "-3", "less than the minimum"),
        ("/state", "lost", "none of the schema's choices"),
        ("/rush", "perhaps", "neither true nor false"),
        ("/lines/0/count", "2.5", "no whole number"),
        ("/number", "", "nothing to set"),
        ("/number", ["a"], "no plain value"),
        ("/nowhere/3/x", "a", "no such place"),
    ]:
        answer = client.post(file="order.json", version=version, action="correct", path=path, value=typed)
        assert answer.status == 422, (path, typed)
        assert sentence in answer.json["error"]
    assert client.open()["version"] == version


LEAVES = {path: find_schema_node(make_task().schema.root, path.split("/")[1:]) for path in (
    "/number", "/placed", "/total", "/state", "/rush", "/tags/0", "/lines/0/count")}  # fmt: skip


@given(
    st.sampled_from(sorted(LEAVES)),
    st.one_of(st.text(max_size=20), st.floats(allow_nan=False), st.integers(), st.booleans()),
)
@settings(max_examples=300, deadline=None)
def test_what_is_read_of_anything_typed_has_the_type_that_the_schema_says(path: str, typed: Any) -> None:
    leaf = LEAVES[path]
    assert isinstance(leaf, Scalar)
    try:
        value = read_typed(leaf, typed, Reading.of(TEXT))
    except InputRefused as refused:
        assert str(refused).count(".") >= 1
        return
    name, *rest = path.split("/")[1:]
    record = {name: [{"item": "x", "count": value}] if name == "lines" else [value] if rest else value}
    wrong = [e for e in build_validator(ORDER).iter_errors(record) if e.validator in ("type", "enum")]
    assert wrong == []


def test_a_typed_value_gets_its_words_from_the_document_beside_its_row(client: Client) -> None:
    assert line(client.decide("correct", "/lines/1/count", value="2"), "/lines/1/count")["spans"] == [[58, 59]]
    drill = TEXT.index("drill")
    assert line(client.decide("correct", "/lines/2/item", value="drill"), "/lines/2/item")["spans"] == [
        [drill, drill + 5]
    ]
    assert line(client.decide("correct", "/number", value="Z-99"), "/number")["spans"] == []


def test_chosen_words_are_a_value_or_its_evidence(client: Client) -> None:
    at = TEXT.index("2024-04-09")
    seen = line(client.decide("correct", "/placed", from_words=True, spans=[[at, at + 10]]), "/placed")
    assert (seen["value"], seen["spans"]) == ("2024-04-09", [[at, at + 10]])
    seen = line(client.decide("correct", "/number", value="A-17", spans=[[0, 10]]), "/number")
    assert (seen["value"], seen["spans"]) == ("A-17", [[0, 10]])
    bad = client.post(
        file="order.json",
        version=client.open()["version"],
        action="correct",
        path="/number",
        from_words=True,
        spans=[[0, 9999]],
    )
    assert bad.status == 422


def test_what_was_left_out_says_why_and_goes_where_it_belongs(client: Client) -> None:
    view = client.open()
    assert [one["reason"] for one in view["rejected"]] == ["row unannounced"] * 4
    view = client.decide("restore", position=0)
    assert line(view, "/lines/3/item")["verdict"] == "restored"
    assert view["rejected"][0]["restored"] == "/lines/3/item"
    view = client.decide("restore", position=1)
    assert line(view, "/lines/3/count")["value"] == 1
    view = client.decide("restore", position=3)
    assert line(view, "/tags/2")["value"] == "order"
    refused = client.post(file="order.json", version=view["version"], action="restore", position=2)
    assert refused.status == 422 and "neither true nor false" in refused.json["error"]
    again = client.post(file="order.json", version=view["version"], action="restore", position=0)
    assert again.status == 422 and "already" in again.json["error"]


def test_candidates_are_what_else_was_said_and_what_stands_near(client: Client) -> None:
    offered = client.get("/api/candidates?file=order.json&path=/placed")
    assert offered[0]["value"] == "2024-04-09"
    offered = client.get("/api/candidates?file=order.json&path=/rush")
    assert offered == [{"value": "maybe", "text": "maybe", "source": "left out", "spans": [], "rejected": 2}]
    (offered,) = client.get("/api/candidates?file=order.json&path=/tags")
    assert (offered["value"], offered["rejected"]) == ("order", 3)


def test_undo_takes_back_one_decision_after_the_other(client: Client) -> None:
    first = client.open()
    client.decide("correct", "/number", value="B")
    client.decide("add_row", "/lines", position=0)
    client.decide("finish")
    for _ in range(3):
        view = client.decide("undo")
    assert view["lines"] == first["lines"]
    assert not view["finished"]
    nothing = client.post(file="order.json", version=view["version"], action="undo")
    assert nothing.status == 422 and "nothing to undo" in nothing.json["error"]


def test_who_has_seen_another_version_is_told_and_overwrites_nothing(client: Client) -> None:
    seen = client.open()["version"]
    client.decide("correct", "/number", value="B")
    answer = client.post(file="order.json", version=seen, action="reject", path="/number")
    assert answer.status == 409
    assert "nothing was overwritten" in answer.json["error"]
    assert line(answer.json["document"], "/number")["value"] == "B"
    assert line(client.open(), "/number")["value"] == "B"


def test_a_rerun_under_an_open_page_is_another_version(tmp_path: Path) -> None:
    out = write_run(tmp_path / "out")
    client = open_client(out)
    seen = client.open()["version"]
    write_run(out, {"order.txt": (TEXT, {**RECORD, "number": "A-1"})})
    (out / "00000.json").replace(out / "order.json")
    assert client.post(file="order.json", version=seen, action="finish").status == 409


def test_of_two_servers_on_one_folder_each_sees_what_the_other_wrote(tmp_path: Path) -> None:
    out = write_run(tmp_path / "out")
    ann, ben = open_client(out, "ann"), open_client(out, "ben")
    seen = ben.open()["version"]
    ann.decide("correct", "/number", value="B")
    assert ben.post(file="order.json", version=seen, action="accept", path="/number").status == 409
    assert ben.decide("accept", "/total")["people"] == ["ann", "ben"]


def test_of_many_who_decide_at_once_about_one_version_one_wins(client: Client) -> None:
    seen = client.open()["version"]
    answers: list[int] = []
    threads = [
        threading.Thread(
            target=lambda n=n: answers.append(
                client.post(file="order.json", version=seen, action="correct", path="/number", value=f"B{n}").status
            )
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [409] * 7


KNOWN = b'{"file": "order.json", "version": "x", '


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"file": 1}',
        b"[" * 100_000,
        KNOWN + b'"action": "dance"}',
        KNOWN + b'"action": "accept", "spans": [[1]]}',
        KNOWN + b'"action": "accept", "spans": [[-1, true]]}',
        KNOWN + b'"action": "finish", "seconds": "soon"}',
        b"\xff\xfe",
        b'{"a":' * 50 + b"1" + b"}" * 50,
    ],
)
def test_what_is_no_decision_is_refused(client: Client, body: bytes) -> None:
    assert client.ask("POST", "/api/decisions", body).status in (400, 422)


def test_a_body_without_end_is_not_read_to_its_end(client: Client) -> None:
    assert client.ask("POST", "/api/decisions", b" " * (5 << 20)).status == 400


def test_hostile_words_come_as_text_with_what_cannot_be_seen_spelled_out(tmp_path: Path) -> None:
    documents = {f"{n}{payload}": (payload, {"number": payload}) for n, payload in enumerate(PAYLOADS)}
    client = open_client(write_run(tmp_path / "out", documents))
    for number, payload in enumerate(PAYLOADS):
        view = client.open(f"{number:05}.json")
        assert view["text"] == payload
        shown = json.dumps([view["name"], *(one.get("text") for one in view["lines"])])
        assert "\\u202e" not in shown and "\\u200b" not in shown and "\\u0000" not in shown
        after = client.decide("correct", "/number", f"{number:05}.json", value=payload + "!")
        assert line(after, "/number")["value"] == (payload + "!").strip()


def test_the_queue_is_sorted_filtered_and_paged(tmp_path: Path) -> None:
    documents = {f"order {n}.txt": (TEXT, RECORD if n % 2 else {"number": "A-17"}) for n in range(7)}
    client = open_client(write_run(tmp_path / "out", documents))

    def ask(query: str) -> list[str]:
        return [row["name"] for row in client.get(f"/api/queue?{query}")["rows"]]

    assert len(ask("")) == 7
    assert ask("sort=order&limit=2&offset=2") == ["order 2.txt", "order 3.txt"]
    assert ask("sort=confidence")[0] == "order 1.txt"
    assert set(ask("field=lines.item")) == {"order 1.txt", "order 3.txt", "order 5.txt"}
    assert ask("search=RDER 4") == ["order 4.txt"]
    assert ask("search=' OR 1=1 --") == []
    client.decide("finish", file="00001.json")
    client.decide("reject", "/number", file="00003.json")
    assert ask("state=finished") == ["order 1.txt"]
    assert ask("state=started") == ["order 3.txt"]
    assert len(ask("state=open")) == 6
    assert client.get("/api/queue")["progress"] == {"total": 7, "indexed": 7, "finished": 1, "started": 1, "lost": 0}


def test_the_index_is_kept_and_knows_what_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = write_run(tmp_path / "out", {f"{n}.txt": (TEXT, RECORD) for n in range(3)})
    client = open_client(out)
    client.decide("finish", file="00001.json")
    os.utime(out / "00002.json", (1, 1))
    read: list[str] = []
    monkeypatch.setattr(
        "extractor.review_app.desk.parse_result", lambda data: read.append("") or read_result_file(out / "00002.json")
    )
    again = open_client(out)
    assert read == [""]
    assert again.get("/api/queue?state=finished")["total"] == 1


def test_what_the_page_asks_for_comes_before_what_is_read_for_its_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = ReviewDesk(write_run(tmp_path / "out", {f"{n}.txt": (TEXT, RECORD) for n in range(3)}), "ann")
    client = Client(build_app(desk, PageFinder(None), "secret", 4000))
    reading, read_meanwhile, find = threading.Thread(target=desk.index_documents), [], QueueIndex.find

    def find_slowly(self: QueueIndex, asked: QueueQuestion) -> Any:
        reading.start()
        reading.join(1)
        read_meanwhile.append(self.count_progress()["indexed"])
        return find(self, asked)

    monkeypatch.setattr(QueueIndex, "find", find_slowly)
    client.get("/api/queue")
    assert read_meanwhile == [0]
    reading.join(20)
    assert desk.index.count_progress()["indexed"] == 3


def test_an_index_that_is_broken_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    path.write_bytes(b"no database" * 1000)
    index = QueueIndex(path)
    index.list_documents([("a.json", "a", "complete")])
    assert index.find(QueueQuestion())[0] == 1
    index.close()


def test_a_run_without_run_json_is_reviewed_by_the_shape_of_its_records(tmp_path: Path) -> None:
    out = write_run(tmp_path / "out")
    (out / "run.json").unlink()
    client = open_client(out)
    assert line(client.decide("correct", "/number", value="B"), "/number")["value"] == "B"
    assert client.decide("finish")["finished"]


def test_a_document_that_failed_says_why_and_takes_no_decisions(tmp_path: Path) -> None:
    out = write_run(tmp_path / "out")
    content = json.loads((out / "order.json").read_text())
    content |= {
        "record": None,
        "status": "failed",
        "error": {"reason": "unreadable", "message": "It is torn."},
        "evidence": {},
    }
    (out / "order.json").write_text(json.dumps(content))
    client = open_client(out)
    view = client.open()
    assert view["error"] == "It is torn."
    answer = client.post(file="order.json", version=view["version"], action="finish")
    assert answer.status == 422 and "no record" in answer.json["error"]


def test_a_folder_without_results_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["review", str(tmp_path), "--no-open"]) == 2
    assert "holds no results" in capsys.readouterr().err
    assert main(["review", str(tmp_path / "none"), "--no-open"]) == 2


def test_an_answer_in_two_pieces_does_not_wait_for_the_browser_to_acknowledge_the_first() -> None:
    with open_listener(0) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    out = write_run(tmp_path / "out")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="is taken"):
            serve_review(ReviewOptions(out, "ann", port=taken.getsockname()[1], opens_browser=False), print)


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT "


def plant_view(base: sqlite3.Connection) -> None:
    base.executescript(f"DROP TABLE documents; CREATE VIEW documents AS {ENDLESS} x AS file FROM n;")


def plant_trigger(base: sqlite3.Connection) -> None:
    work = f"INSERT INTO fields SELECT count(*), 1, 1, 1 FROM ({ENDLESS} x FROM n)"
    base.execute("UPDATE documents SET stamp = 'of before'")
    base.executescript(f"CREATE TRIGGER t AFTER UPDATE ON documents BEGIN {work}; END;")


def plant_bytes(base: sqlite3.Connection) -> None:
    base.execute("UPDATE documents SET state = x'ff', status = x'00'")


def plant_half_characters(base: sqlite3.Connection) -> None:
    base.execute("UPDATE documents SET status = CAST(x'ff' AS TEXT)")


@pytest.mark.parametrize("plant", [plant_view, plant_trigger, plant_bytes, plant_half_characters])
def test_an_index_that_a_stranger_has_written_holds_nothing_up(
    tmp_path: Path, plant: Callable[[sqlite3.Connection], None]
) -> None:
    out = write_run(tmp_path / "out")
    open_client(out)
    with contextlib.closing(sqlite3.connect(out / "decisions" / "queue.sqlite")) as base:
        plant(base)
        base.commit()
    assert ends_soon(lambda: open_client(out).get("/api/queue"))
    assert open_client(out).get("/api/queue")["total"] == 1


def test_no_link_in_a_folder_of_results_leads_what_is_written_elsewhere(tmp_path: Path) -> None:
    out, other = write_run(tmp_path / "out"), tmp_path / "other"
    other.mkdir()
    (out / "decisions").mkdir()
    for name in ("queue.sqlite", "queue.sqlite-wal", "queue.sqlite-journal", "seen"):
        (out / "decisions" / name).symlink_to(other / name)
    client = open_client(out)
    assert client.post(file="order.json", version=client.open()["version"], action="finish").status == 500
    (out / "decisions" / "seen").unlink()
    assert client.decide("finish")["finished"]
    assert list(other.iterdir()) == []
    whole = write_run(tmp_path / "whole")
    (whole / "decisions").symlink_to(other)
    client = open_client(whole)
    assert client.post(file="order.json", version=client.open()["version"], action="finish").status == 500
    assert list(other.iterdir()) == []


@pytest.mark.parametrize("seconds", [b"NaN", b"Infinity", b"1" + b"0" * 400])
def test_a_decision_is_written_only_if_it_can_be_read_again(client: Client, seconds: bytes) -> None:
    version = client.open()["version"].encode()
    body = b'{"file": "order.json", "version": "%s", "action": "finish", "seconds": %s}' % (version, seconds)
    assert client.ask("POST", "/api/decisions", body).status == 400
    assert client.open()["version"].encode() == version


def test_cookies_of_others_are_no_obstacle_and_cost_their_length(client: Client) -> None:
    own = "review_4000=secret"
    for cookie in (f"a=b; {own}", f'odd="\\"; {own}; c', f"a b=c;{own}"):
        assert client.ask("GET", "/api/run", headers={"cookie": cookie}).status == 200
    for cookie in ("review_4000=", "review_4000", 'review_4000="secret', "xreview_4000=secret"):
        assert client.ask("GET", "/api/run", headers={"cookie": cookie}).status == 403
    many = 'a="' + "\\1" * 1_000_000 + '"; ' + own
    assert ends_soon(lambda: client.ask("GET", "/api/run", headers={"cookie": many}))
