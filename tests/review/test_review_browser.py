"""The review page in a real browser, as a person uses it: by keyboard, beside another, against hostile documents."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from extractor import Result
from extractor.cli.main import main
from extractor.review_app.app import build_app
from extractor.review_app.desk import ReviewDesk
from extractor.review_app.pages import PageFinder

from .payloads import PAYLOADS, SPOILT
from .run_folder import RECORD, TEXT, open_client, write_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
driver = pytest.importorskip("playwright.sync_api", reason="no playwright; pip install playwright")
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no browser; Debian: apt-get install chromium"),
    pytest.mark.xdist_group("browser"),
]
Open = Callable[[str], Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with driver.sync_playwright() as playwright:
        flags = ["--disable-dev-shm-usage", "--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield found
        found.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """Opens pages, each as another person's browser; what a page complains of fails the test."""
    contexts, complaints = [], []

    def open_(address: str) -> Any:
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 800}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        # that a typed value is refused, or a document has changed, is told by a status too
        told = ("status of 422", "status of 409")
        page.on(
            "console",
            lambda said: (
                said.type == "error" and not any(s in said.text for s in told) and complaints.append(said.text)
            ),
        )
        page.set_default_timeout(8000)
        page.goto(address)
        return page

    open_.complaints = complaints  # type: ignore[attr-defined]
    yield open_
    for context in contexts:
        context.close()


@contextmanager
def serve(out: Path, who: str = "ann", documents: Path | None = None) -> Iterator[str]:
    """The address of the page for a folder."""
    desk = ReviewDesk(out, who)
    desk.index_documents()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        app = build_app(desk, PageFinder(documents), "secret", port)
        config = uvicorn.Config(app, log_level="error", ws="none", lifespan="off", loop="asyncio")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{port}/?token=secret"
        finally:
            server.should_exit = True
            thread.join()
            desk.index.close()


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def settle(page: Any, verdict: str, times: int = 1) -> None:
    """Waits until so many values of the record are marked so."""
    page.wait_for_function(
        "([v, n]) => document.querySelectorAll(`#record .leaf.${v}`).length >= n", arg=[verdict, times]
    )


def name_shown(page: Any, name: str) -> None:
    page.wait_for_function("(name) => document.getElementById('name').textContent === name", arg=name)


def go_to(page: Any, path: str) -> None:
    """Moves line by line, as a person does, to a place of the record."""
    for _ in range(400):
        by = page.evaluate(
            """(path) => document.querySelector(`#record [data-path="${path}"]`).dataset.n
                - document.querySelector('#record [aria-selected=true]').dataset.n""",
            path,
        )
        if not by:
            return
        page.keyboard.press("j" if by > 0 else "k")
    raise AssertionError(f"no line {path}")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The five samples as the recorded small model answered them."""
    out = tmp_path_factory.mktemp("samples") / "out"
    root = Path(__file__).parent.parent.parent
    before = Path.cwd()
    os.chdir(root)
    try:
        assert main(["run", "--out", str(out), "--mode", "replay", "--quiet"]) == 1
    finally:
        os.chdir(before)
    return out


def test_a_person_goes_through_the_samples_by_keyboard_alone_and_nothing_is_lost(
    samples: Path, tmp_path: Path, open_page: Any
) -> None:
    out = tmp_path / "out"
    shutil.copytree(samples, out)
    with serve(out) as address:
        page = open_page(address)
        page.wait_for_selector("#record .leaf")
        assert "token" not in page.url
        name_shown(page, "003_257b105e8ce406de.txt")
        go_to(page, "/position")
        press(page, "e")
        page.keyboard.type("PhD candidate")
        press(page, "Enter")
        settle(page, "corrected")
        go_to(page, "/homepage")
        press(page, "w", "ArrowRight", "ArrowDown", "Shift+ArrowRight", "Enter")
        settle(page, "added")
        go_to(page, "/education/0/start")
        press(page, "e")
        page.keyboard.type("no date at all")
        press(page, "Enter")
        page.wait_for_function("() => document.getElementById('editor-error').textContent.includes('is no date')")
        page.keyboard.press("Control+a")
        page.keyboard.type("August 2022")
        press(page, "Enter")
        settle(page, "corrected", 2)
        go_to(page, "/education/1/end")
        press(page, "w", "ArrowLeft", "e")
        settle(page, "corrected", 3)
        go_to(page, "/education/1/gpa")
        press(page, "o")
        page.wait_for_selector("#record [aria-selected=true][data-path='/education/2/institution']")
        press(page, "e")
        page.keyboard.type("University of Michigan")
        press(page, "Enter")
        settle(page, "added", 2)
        go_to(page, "/education/2/gpa")
        press(page, "e")
        page.keyboard.type("4.0")
        press(page, "Enter")
        settle(page, "added", 3)
        press(page, "r")
        left_out = page.locator("#record .line.left-out").count()
        press(page, "t")
        settle(page, "restored")
        assert page.locator("#record .line.left-out").count() == left_out - 1
        page.wait_for_function("() => document.getElementById('left').textContent.includes('to decide')")
        press(page, "f")
        name_shown(page, "004_eda485c0ac17a2d1.txt")
        press(page, "x")
        settle(page, "rejected")
        press(page, "x")
        settle(page, "rejected", 2)
        press(page, "z")
        page.wait_for_function("() => document.querySelectorAll('#record .leaf.rejected').length === 1")
        press(page, "a")
        settle(page, "accepted")
        for name in ("000_b88fed4cc4341690.txt", "001_d352af73050d3b3a.txt", "002_895602077de6913b.txt"):
            press(page, "f")
            name_shown(page, name)
        press(page, "f")
        page.wait_for_function("() => document.getElementById('tally').textContent.startsWith('5 of 5')")
        page.close()
        assert open_page.complaints == []
    first = Result.read(out / "003_257b105e8ce406de.json", dict, reviewed=True)
    assert first.value is not None
    assert first.value["position"] == "PhD candidate"
    assert first.value["education"][0]["start"] == "2022-08"
    assert first.value["education"][2]["institution"] == "University of Michigan"
    assert first.value["homepage"] == first.proofs["/homepage"].quote
    assert first.file.review is not None and first.file.review.finished
    with serve(out, "ben") as address:
        page = open_page(address)
        page.wait_for_function(
            "() => document.getElementById('empty-words').textContent.includes('Every document is done')"
        )
        page.click("[data-state='']")
        page.click("#documents a[data-file^='003']")
        page.wait_for_selector("#record .leaf")
        assert page.locator("#record .leaf.corrected").count() == 3
        assert page.locator("#record .leaf.added").count() == 3
        assert page.locator("#tally").inner_text() == "5 of 5 documents done"
        page.close()
    assert open_page.complaints == []


def test_a_second_browser_is_told_and_overwrites_nothing(tmp_path: Path, open_page: Any) -> None:
    out = write_run(tmp_path / "out")
    with serve(out) as address:
        ann, ben = open_page(address), open_page(address)
        for page in (ann, ben):
            page.wait_for_selector("#record .leaf")
        press(ann, "e")
        ann.keyboard.type("B-1")
        press(ann, "Enter")
        settle(ann, "corrected")
        press(ben, "x")
        ben.wait_for_selector("#banner:has-text('Somebody else has changed this document')")
        settle(ben, "corrected")
        press(ben, "x")
        settle(ben, "rejected")
    decided = (out / "decisions" / "journal.jsonl").read_text().count('"action"')
    assert decided == 2


MIDDLE_OF_WORD = """word => {
    const node = [...document.querySelectorAll("#text .block span")].at(-1).firstChild;
    const range = document.createRange();
    range.setStart(node, node.data.indexOf(word));
    range.setEnd(node, node.data.indexOf(word) + word.length);
    const box = range.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
}"""
"""Where the word stands on the screen that the last text of the document has."""


def test_words_are_chosen_with_the_mouse_in_the_text_and_on_the_page(
    tmp_path: Path, repository: Path, open_page: Any
) -> None:
    from extractor.documents.discovery import load_document

    paper = repository / "eval" / "evidence" / "samples" / "programme.pdf"
    text = load_document(paper).text
    schema = {
        "title": "P",
        "type": "object",
        "properties": {"heading": {"type": ["string", "null"]}, "day": {"type": ["string", "null"]}},
    }
    first = text.split()[1]
    out = write_run(tmp_path / "out", {"programme.pdf": (text, {"heading": first})}, schema)
    with serve(out, documents=paper) as address:
        page = open_page(address)
        page.wait_for_selector("#pages .words rect")
        page.wait_for_selector("#pages rect.on")
        words = page.locator("#pages .words rect")
        chosen = text[int(words.nth(0).get_attribute("data-s")) : int(words.nth(2).get_attribute("data-e"))]
        start, end = words.nth(0).bounding_box(), words.nth(2).bounding_box()
        page.mouse.move(start["x"] + 2, start["y"] + start["height"] / 2)
        page.mouse.down()
        page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=3)
        page.mouse.up()
        page.wait_for_selector("#picked:not([hidden])")
        press(page, "Enter")
        settle(page, "corrected")
        press(page, "g")
        page.wait_for_selector("#text:not([hidden])")
        go_to(page, "/day")
        page.mouse.dblclick(*page.evaluate(MIDDLE_OF_WORD, "Registration"))
        page.wait_for_selector("#picked:not([hidden])")
        press(page, "Enter")
        settle(page, "added")
        page.close()
    made = Result.read(out / "00000.json", dict, reviewed=True)
    assert made.value is not None
    assert made.value["heading"] == " ".join(chosen.split()).strip(",;:")
    assert made.proofs["/heading"].quote == chosen.strip(",;:")
    assert made.value["day"] and made.value["day"] in text
    assert open_page.complaints == []


def test_hostile_words_are_text_wherever_they_stand(tmp_path: Path, open_page: Any) -> None:
    """Forty payloads in names, texts, values, left out values and corrections: none runs or asks for anything."""
    documents = {}
    for number in range(5):
        eight = PAYLOADS[8 * number : 8 * number + 8]
        text = f"{TEXT}\n" + "\n".join(eight)
        documents[f"{number} {' '.join(eight)}"] = (text, {**RECORD, "number": eight[0], "tags": eight})
    left_out = [(f"/tags/{n}", payload, "saw") for n, payload in enumerate(PAYLOADS)]
    out = write_run(tmp_path / "out", documents, rejected=left_out)

    def correct() -> None:
        client = open_client(out, PAYLOADS[1])
        for number, payload in enumerate(PAYLOADS):
            client.decide("correct", f"/tags/{number % 8}", f"{number // 8:05}.json", value=payload + "!")

    with ThreadPoolExecutor(1) as another:  # this thread has the browser's event loop
        another.submit(correct).result()
    asked: list[str] = []
    with serve(out, who=PAYLOADS[1]) as address:
        page = open_page(address)
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: asked.append("dialog"))
        page.wait_for_selector("#record .leaf")
        for number in range(5):
            page.evaluate("(file) => { location.hash = file }", f"{number:05}.json")
            is_open = "(n) => document.getElementById('name').textContent.startsWith(n + ' ')"
            page.wait_for_function(is_open, arg=str(number))
            settle(page, "corrected", 8)
            press(page, "J", "J", "J", "J", "J", "j", "e")
            page.keyboard.insert_text(PAYLOADS[8 * number] + "?")
            press(page, "Enter")
            page.wait_for_function("() => !document.querySelector('.editor')")
            assert page.evaluate(SPOILT) == []
        page.close()
    own = address.split("?")[0]
    assert [url for url in asked if not url.startswith(own)] == []
    assert open_page.complaints == []


def test_a_page_of_another_origin_can_not_decide(tmp_path: Path, open_page: Any) -> None:
    out = write_run(tmp_path / "out")
    with serve(out) as address, serve(write_run(tmp_path / "other")) as elsewhere:
        page = open_page(address)
        page.wait_for_selector("#record .leaf")
        version = page.evaluate("fetch('api/document?file=order.json').then((r) => r.json()).then((d) => d.version)")
        own = address.split("/?")[0]
        attacker = page.context.new_page()
        attacker.route("**/evil", lambda route: route.fulfill(body="<p>hello</p>", content_type="text/html"))
        attacker.goto(elsewhere.replace("127.0.0.1", "localhost").split("?")[0] + "evil")
        body = {"file": "order.json", "version": version, "action": "reject", "path": "/number"}
        got = attacker.evaluate(
            """async ([own, body]) => {
              const tries = [
                ["text/plain", {}], ["application/json", {}], ["application/json", { "X-Review": "1" }],
              ];
              const told = [];
              const tell = (answer) => answer.type === "opaque" ? "unread" : answer.status;
              for (const [type, more] of tries) {
                for (const mode of ["cors", "no-cors"]) {
                  const headers = { "Content-Type": type, ...more };
                  const sent = { method: "POST", mode, credentials: "include", headers, body: JSON.stringify(body) };
                  told.push(await fetch(`${own}/api/decisions`, sent).then(tell).catch(() => "refused"));
                }
              }
              told.push(await fetch(`${own}/api/run`, { credentials: "include" }).then(tell).catch(() => "refused"));
              const form = document.createElement("form");
              form.method = "POST"; form.action = `${own}/api/decisions`; form.enctype = "text/plain";
              document.body.append(form); form.submit();
              return told;
            }""",
            [own, body],
        )
        attacker.wait_for_load_state()
        assert set(got) <= {"refused", "unread"}
        assert not (out / "decisions" / "journal.jsonl").exists()
