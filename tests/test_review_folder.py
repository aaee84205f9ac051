"""A folder of pages in a real browser, opened from a disk: paging, search, filters, and nothing of a document runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor import extract
from extractor.cli import show
from extractor.cli.main import main
from extractor.results.file import encode_part
from extractor.results.review.folder import MARK, choose_shard, write_review_folder
from extractor.testing import ScriptedModel

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = '<img src=x onerror="document.title=1">\u202e</script><script>document.title=1</script>'
SCHEMA = {"type": "object", "properties": {"number": {"type": ["string", "null"]}}}


def write_results(folder: Path, many: int) -> None:
    """Results of so many documents; every tenth fails, and all have words that would do harm as markup."""
    folder.mkdir(parents=True)
    result = extract("Order A7 of Bolt.", SCHEMA, model=ScriptedModel([{"number": "A7"}]))
    told = json.loads(encode_part(result.file))
    for n in range(many):
        text = f"Order A{n} of Bolt. {HOSTILE}"
        span = {"start": 6, "end": 7 + len(str(n)), "quote": f"A{n}"}
        told["document"] |= {"name": f"d{n} {HOSTILE}.txt", "text": text}
        told["record"] = {"number": f"A{n}"}
        told["evidence"]["/number"] |= {"spans": [span], "said": f"A{n}"}
        told["status"] = "incomplete" if n % 10 == 9 else "complete"
        (folder / f"d{n:06}.json").write_text(json.dumps(told))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    write_results(folder / "out", 250)
    return write_review_folder(folder / "out", folder / "pages")


@pytest.fixture
def browser() -> Iterator[Any]:
    library = pytest.importorskip("playwright.sync_api", reason="no playwright; pip install playwright")
    if not CHROMIUM:
        pytest.skip("no browser; Debian: apt-get install chromium")
    with library.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def test_the_list_pages_searches_and_filters_and_runs_nothing_of_a_document(pages: Path, browser: Any) -> None:
    said: list[str] = []
    page = browser.new_page()
    page.on("console", lambda one: said.append(one.text))
    page.on("pageerror", lambda one: said.append(str(one)))

    def ready(count: int) -> None:
        page.wait_for_selector(f"html[data-ready='{count}']", state="attached")

    page.goto(pages.as_uri())
    ready(1)
    title = page.title()
    assert page.locator(".docs li").count() == 100 and page.locator(".pager span").inner_text() == "1–100 of 250"
    assert HOSTILE.partition("\u202e")[0] in page.locator(".docs .name").first.inner_text()
    assert "\u202e" not in page.locator(".docs").inner_text()
    page.locator(".pager button").nth(1).click()
    ready(2)
    assert page.locator(".docs .name").first.inner_text().startswith("d100 ")
    page.locator("select").select_option(label="Only incomplete")
    ready(3)
    assert page.locator(".pager span").inner_text() == "1–25 of 25"
    page.locator("select").select_option(value="")
    ready(4)
    page.locator(".filters input").fill("a24")
    ready(5)
    names = page.locator(".docs .name").all_inner_texts()
    assert [name.split(" ")[0] for name in names] == ["d24", *(f"d24{n}" for n in range(10))]
    page.locator(".docs a").first.click()
    record = page.frame_locator("iframe")
    record.locator(".doc.open mark", has_text="A24").first.wait_for()  # the frame loads by itself
    assert HOSTILE.partition("\u202e")[0] in record.locator(".text").inner_text()
    page.locator(".filters input").fill("nothing like it")
    ready(6)
    assert page.locator(".docs .none").is_visible()
    assert page.title() == title and said == []


def test_what_is_there_stays_unless_it_is_pages(pages: Path, tmp_path: Path) -> None:
    out = pages.parent.parent / "out"
    assert main(["show", str(out), "--folder", str(pages.parent)]) == 0
    assert (pages.parent / MARK).is_file()
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mine.txt").write_text("mine")
    assert main(["show", str(out), "--folder", str(tmp_path / "letters")]) == 2
    assert (tmp_path / "letters" / "mine.txt").read_text() == "mine"


def test_a_large_run_is_a_folder_by_itself(
    pages: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = pages.parent.parent / "out"
    monkeypatch.setattr(show, "FOLDER_FROM", 200)
    assert main(["show", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out / "pages" / "index.html")
    shutil.rmtree(out / "pages")


def test_data_files_are_ascii_and_name_themselves(pages: Path) -> None:
    data = pages.parent / "search" / f"{choose_shard('bolt'):03}.js"
    found = [path.read_bytes() for path in pages.parent.glob("*/*.js")]
    assert found and all(one.isascii() and one.startswith(b'extractorData("') for one in found)
    assert b'"bolt"' not in data.read_bytes(), "only names and values are found by"
