"""`show` as a folder with very many documents: what writing takes, and what the list takes in Chromium.

    python bench/show_folder.py [--documents 100000] [--keep DIR]

Results are synthetic (the form of a real one, with another number, name and text). Prints JSON: CPU seconds for a
thousand pages written, peak memory of the writer, and of the list opened from a disk: milliseconds until the first rows
stand there, bytes read, memory of the page's process, milliseconds of a search and of a filter.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from extractor import extract
from extractor.results.file import encode_part
from extractor.results.review.folder import write_review_folder
from extractor.testing import ScriptedModel

SCHEMA = {
    "type": "object",
    "properties": {"number": {"type": ["string", "null"]}, "maker": {"type": ["string", "null"]}},
}


def write_results(folder: Path, many: int) -> None:
    result = extract("Order A7 of Bolt.", SCHEMA, model=ScriptedModel([{"number": "A7", "maker": "Bolt"}]))
    told = json.loads(encode_part(result.file))
    for n in range(many):
        number = f"A{n}"
        text = f"Order {number} of Bolt. " + "Some more words of an order that is longer. " * 8
        told["document"] |= {"name": f"order {n}.txt", "text": text}
        told["record"] = {"number": number, "maker": "Bolt"}
        spans = {"number": (6, number), "maker": (10 + len(number), "Bolt")}
        for name, (start, quote) in spans.items():
            span = {"start": start, "end": start + len(quote), "quote": quote}
            told["evidence"][f"/{name}"] |= {"spans": [span], "said": quote}
        told["status"] = "incomplete" if n % 50 == 0 else "complete"
        (folder / f"{n:07}.json").write_text(json.dumps(told))


def measure_list(page: Path) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page()
        session = tab.context.new_cdp_session(tab)
        tab.goto("about:blank")
        began = time.perf_counter()
        tab.goto(page.as_uri())
        tab.wait_for_selector("html[data-ready='1']", state="attached")
        first = time.perf_counter() - began
        tab.locator(".filters input").fill("a4217")
        began = time.perf_counter()
        tab.wait_for_selector("html[data-ready='2']", state="attached")
        searched = time.perf_counter() - began
        tab.locator(".filters input").fill("")
        tab.wait_for_selector("html[data-ready='3']", state="attached")
        began = time.perf_counter()
        tab.locator("select").select_option(label="Only incomplete")
        tab.wait_for_selector("html[data-ready='4']", state="attached")
        filtered = time.perf_counter() - began
        heap = session.send("Runtime.getHeapUsage")["usedSize"]
        largest = _read_largest_renderer()
        browser.close()
    return {
        "first_page_ms": round(1000 * first),
        "search_ms": round(1000 * searched),
        "filter_ms": round(1000 * filtered),
        "heap_mb": round(heap / 1e6, 1),
        "renderer_mb": largest,
    }


def _read_largest_renderer() -> float:
    """Megabytes that are the largest renderer's own (its private memory)."""
    largest = 0.0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if b"--type=renderer" not in (path / "cmdline").read_bytes():
                continue
            lines = (path / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        largest = max(largest, sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1e3)
    return round(largest, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--keep", type=Path)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = flags.keep or Path(temporary)
        out = folder / "out"
        out.mkdir(parents=True)
        write_results(out, flags.documents)
        began = time.process_time()
        page = write_review_folder(out, folder / "pages")
        spent = time.process_time() - began
        told = {
            "documents": flags.documents,
            "cpu_s_per_1000": round(1000 * spent / flags.documents, 2),
            "writer_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
            "folder_mb": round(sum(one.stat().st_size for one in page.parent.rglob("*") if one.is_file()) / 1e6),
            "index_kb": round(page.stat().st_size / 1e3, 1),
        }
        print(json.dumps(told | measure_list(page), indent=1))


if __name__ == "__main__":
    main()
