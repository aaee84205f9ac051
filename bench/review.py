"""The review page: how fast with many documents, how many keys for a correction, and its gold against hand-made gold.

python bench/review.py many [DOCUMENTS]     first paint and next document in headless Chromium (needs playwright)
python bench/review.py keys                 keys for a correction, of the perfect and of the 1.5B run of the samples
python bench/review.py gold                 gold of reviews that decide as the labels do, against these labels
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any

from extractor.cli.main import main as run_command
from extractor.documents.discovery import load_document
from extractor.evaluation.gold import Gold, load_gold_file, load_gold_folder
from extractor.evaluation.review_gold import read_folder_review, write_gold
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.task import load_task
from extractor.results.file import write_result, write_run_file
from extractor.results.outcome import DocumentOutcome
from extractor.review_app.desk import Action, OpenDocument, Request, ReviewDesk
from extractor.review_app.inputs import InputRefused
from extractor.runs.given import build_grounded_result

ROOT = Path(__file__).parent.parent
MODEL = "qwen2.5-coder-1.5b"


def replay_samples(out: Path, suite: str = "eval", task: str = "researcher") -> None:
    samples = str(ROOT / suite / "samples")
    run_command(["run", samples, "--task", task, "--out", str(out), "--model", MODEL, "--mode", "replay", "--quiet"])


def write_perfect_run(out: Path) -> None:
    """The labels of the samples as if a model had said them."""
    out.mkdir()
    task, outcomes = load_task("researcher"), []
    for gold in load_gold_folder(ROOT / "eval" / "gold"):
        document = load_document(ROOT / "eval" / "samples" / gold.document)
        result = build_grounded_result(document, task, gold.record, Acceptance(0.5))
        file = f"{Path(gold.document).stem}.json"
        write_result(out / file, result)
        outcomes.append(DocumentOutcome(gold.document, file, result.status))
    write_run_file(out / "run.json", task.name, {}, task.schema.source, outcomes, {})


class Person:
    """Reviews one document by keys, towards its label, and counts them. Letters of typed values are counted apart."""

    def __init__(self, desk: ReviewDesk, file: str) -> None:
        self.desk, self.file = desk, file
        self.keys = self.letters = self.typed = self.corrections = self.walked = 0
        self.refused: list[str] = []
        self.take(desk.open(file))
        self.at = 0

    def take(self, opened: OpenDocument) -> None:
        self.opened = opened
        view: Any = self.desk.describe(opened)
        left_out = [{"type": "left", **one} for one in view["rejected"] if one["restored"] is None]
        self.items = [one for one in view["lines"] if one["type"] != "group"] + left_out

    def find(self, path: str) -> int:
        return next((n for n, one in enumerate(self.items) if one.get("path") == path), -1)

    def go_to_list(self, path: str) -> int:
        """To the nearest line from which an entry is added to a list; the number that a new row gets there."""
        lists = [one["path"] for one in self.items if one["type"] == "list"]

        def find_list(at: str) -> str:
            return max((one for one in lists if at == one or at.startswith(one + "/")), key=len, default="")

        self.go(*(n for n, one in enumerate(self.items) if "path" in one and find_list(one["path"]) == path))
        inside = self.items[self.at]["path"][len(path) + 1 :].partition("/")[0]
        return int(inside) + 1 if inside else self.items[self.at]["length"]

    def go(self, *targets: int) -> None:
        """The fewest of j, k, J, K, n, m, M and r that lead from the active line to one of others."""

        def is_part(one: Any) -> bool:
            return one["type"] != "leaf" or one["depth"] == 0

        parts = [n for n, one in enumerate(self.items) if is_part(one)]
        open_lines = [n for n, one in enumerate(self.items) if one.get("doubt") is not None]
        by_doubt = sorted(open_lines, key=lambda n: self.items[n]["doubt"])
        empty = [n for n, one in enumerate(self.items) if _is_empty(one)]
        left_out = next((n for n, one in enumerate(self.items) if one["type"] == "left"), self.at)
        steps, queue = {self.at: 0}, deque([self.at])
        while not any(target in steps for target in targets):
            at = queue.popleft()
            after = next((n for n in parts if n > at), len(self.items) - 1)
            before = next((n for n in reversed(parts) if n < at), 0)
            sure = by_doubt[(by_doubt.index(at) + 1 if at in by_doubt else 0) % len(by_doubt)] if by_doubt else at
            missing = next((n for n in empty if n > at), empty[0] if empty else at)
            missed = next((n for n in reversed(empty) if n < at), empty[-1] if empty else at)
            for to in (at + 1, at - 1, after, before, sure, missing, missed, left_out):
                if 0 <= to < len(self.items) and to not in steps:
                    steps[to] = steps[at] + 1
                    queue.append(to)
        target = next(target for target in targets if target in steps)
        self.keys += steps[target]
        self.walked += steps[target]
        self.at = target

    def decide(self, action: Action, path: str = "", **more: Any) -> None:
        asked = Request(version=self.opened.version, action=action, path=path, **more)
        self.take(self.desk.decide(self.file, asked))

    def go_on(self) -> None:
        many = len(self.items)
        rest = (n % many for n in range(self.at + 1, self.at + many))
        self.at = next((n for n in rest if self.items[n].get("doubt") is not None), min(self.at + 1, many - 1))

    def set_value(self, path: str, wanted: Any) -> None:
        line = self.items[self.find(path)]
        if line["value"] == wanted or (wanted is None and line["value"] is None):
            return
        self.corrections += 1
        self.go(self.find(path))
        if wanted is None:
            self.keys += 1  # x
            self.decide(Action.REJECT, path)
        else:
            offered = [one["value"] for one in self.desk.list_candidates(self.file, path)]
            action = Action.ADD if line["value"] is None else Action.CORRECT
            if wanted in offered:
                self.keys += 1  # its digit
            else:
                self.type(wanted)
            try:
                self.decide(action, path, value=wanted)
            except InputRefused:  # the label is none that the schema takes
                self.refused.append(f"{path} {wanted!r}")
        here = self.find(path)
        after = self.items[here + 1] if here + 1 < len(self.items) else {"type": ""}
        above = path.rpartition("/")[0]
        is_filling = line["value"] is None and above and after["type"] == "leaf" and after["value"] is None
        if is_filling and after["path"].rpartition("/")[0] == above:
            self.at = here + 1
        else:
            self.go_on()

    def type(self, wanted: Any) -> None:
        self.keys += 2  # e, Enter
        self.typed += 1
        self.letters += len(str(wanted))

    def fit_entries(self, path: str, wanted: list[Any]) -> None:
        """Entries of a plain list, in whichever order."""
        missing = list(wanted)
        for one in [line for line in self.items if line.get("path", "").rpartition("/")[0] == path]:
            if one["value"] in missing:
                missing.remove(one["value"])
            elif one["value"] is not None:
                self.set_value(one["path"], None)
        for value in missing:
            self.corrections += 1
            if not self.take_back(path, value):
                length = self.items[self.find(path)]["length"]
                self.go_to_list(path)
                self.type(value)  # o, Enter
                self.decide(Action.ADD, f"{path}/{length}", value=value)
                self.at = self.find(f"{path}/{length}")

    def take_back(self, path: str, value: Any) -> bool:
        """Takes a value that was left out of a list, where it is offered at the list's head."""
        for one in self.desk.list_candidates(self.file, path):
            if one["value"] == value:
                self.go(self.find(path))
                self.keys += 1  # its digit
                self.decide(Action.RESTORE, position=one["rejected"])
                return True
        return False

    def fit_rows(self, path: str, wanted: list[dict[str, Any]]) -> None:
        held: list[dict[str, Any]] = self.desk.describe(self.opened) and _value_at(self.opened, path)
        scored = sorted(
            ((-_count_shared(row, one), i, j) for i, row in enumerate(held) for j, one in enumerate(wanted))
        )
        of, taken = {}, set()
        for score, i, j in scored:
            if score < 0 and i not in of and j not in taken:
                of[i] = j
                taken.add(j)
        for i in range(len(held)):
            if i in of:
                self.fit_fields(f"{path}/{i}/", wanted[of[i]])
            else:
                self.corrections += 1
                self.go(self.find(f"{path}/{i}"))
                self.keys += 1  # d
                self.decide(Action.REMOVE_ROW, f"{path}/{i}")
                self.go_on()
        for j in sorted(set(range(len(wanted))) - taken):
            length = self.go_to_list(path)
            self.keys += 1  # o
            self.decide(Action.ADD_ROW, path, position=length)
            self.at = self.find(f"{path}/{length}") + 1
            self.fit_fields(f"{path}/{length}/", wanted[j])

    def fit_fields(self, above: str, wanted: dict[str, Any]) -> None:
        for name, value in wanted.items():
            at = self.find(above + name)
            if isinstance(value, dict):
                self.fit_fields(f"{above}{name}/", value)
                continue
            if at < 0:
                continue
            if self.items[at]["type"] != "list":
                self.set_value(above + name, value)
            elif self.items[at]["rows"]:
                self.fit_rows(above + name, value or [])
            else:
                self.fit_entries(above + name, value or [])

    def finish(self) -> None:
        self.keys += 1  # f
        self.decide(Action.FINISH)


def _is_empty(line: dict[str, Any]) -> bool:
    if line.get("removed") or line["type"] not in ("leaf", "list"):
        return False
    return line["value"] is None and not line["verdict"] if line["type"] == "leaf" else not line["length"]


def _value_at(opened: OpenDocument, path: str) -> list[Any]:
    from extractor.results.decisions.tree import find_node, read_value

    node = find_node(opened.state.root, path)
    return read_value(node) if node is not None else []


def _count_shared(row: dict[str, Any], wanted: dict[str, Any]) -> int:
    return sum(row.get(name) == value for name, value in wanted.items() if value not in (None, [], {}))


def measure_keys() -> None:
    with tempfile.TemporaryDirectory() as room:
        write_perfect_run(Path(room) / "perfect")
        replay_samples(Path(room) / "small")
        for name in ("perfect", "small"):
            desk = ReviewDesk(Path(room) / name, "bench")
            people = []
            for gold in load_gold_folder(ROOT / "eval" / "gold"):
                person = Person(desk, f"{Path(gold.document).stem}.json")
                person.fit_fields("/", dict(gold.record))
                person.finish()
                people.append(person)
            keys, corrections = sum(p.keys for p in people), sum(p.corrections for p in people)
            letters, typed = sum(p.letters for p in people), sum(p.typed for p in people)
            each = keys / corrections if corrections else 0.0
            print(
                f"{name}: {corrections} corrections in {len(people)} documents, {keys} keys: {each:.2f} a correction, "
                f"{sum(p.walked for p in people)} of them to get there; "
                f"{typed} values were typed, {letters / max(1, typed):.0f} letters each; refused by the schema: "
                f"{[one for p in people for one in p.refused]}"
            )
            desk.index.close()


def measure_gold() -> None:
    for suite, task in (("eval", "researcher"), ("eval/invoice", "invoice"), ("eval/contract", "contract")):
        with tempfile.TemporaryDirectory() as room:
            out = Path(room) / "out"
            replay_samples(out, suite, task)
            desk = ReviewDesk(out, "bench")
            golds, refused = load_gold_folder(ROOT / suite / "gold"), []
            for gold in golds:
                person = Person(desk, f"{Path(gold.document).stem}.json")
                person.fit_fields("/", dict(gold.record))
                person.finish()
                refused += person.refused
            write_gold(read_folder_review(out), out / "gold")
            own = [load_gold_file(out / "gold" / f"{Path(gold.document).stem}.json") for gold in golds]
            same = sum(_flatten(a) == _flatten(b) for a, b in zip(own, golds, strict=True))
            spans = sum(len(one.spans) for one in own) / sum(len(_flatten(one)) for one in own)
            left, right = ([one for gold in gs for one in _flatten(gold)] for gs in (own, golds))
            differing = sum((Counter(left) - Counter(right)).values()) + sum((Counter(right) - Counter(left)).values())
            print(
                f"{suite}: {same} of {len(golds)} equal, {differing} of {len(right)} leaves differ; "
                f"refused by the schema: {refused}; {spans:.0%} of values have spans"
            )
            desk.index.close()


def _flatten(gold: Gold) -> list[str]:
    """Every value with its field, in an order of its own: rows are compared as sets."""

    def walk(value: Any, field: str) -> Any:
        if isinstance(value, dict):
            return sorted((name, walk(inner, name)) for name, inner in value.items() if inner not in (None, [], {}))
        if isinstance(value, list):
            return sorted((walk(inner, field) for inner in value), key=repr)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return repr(float(value) if is_number else value)

    found: list[str] = []

    def leaves(value: Any) -> None:
        if isinstance(value, list | tuple):
            for one in value:
                leaves(one)
        else:
            found.append(str(value))

    leaves(walk(gold.record, ""))
    return found


def measure_many(documents: int) -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as room:
        out = Path(room) / "out"
        replay_samples(out)
        run = json.loads((out / "run.json").read_text())
        files = [row["file"] for row in run["documents"]]
        contents = {file: (out / file).read_bytes() for file in files}
        rows = []
        for number in range(documents):
            file = files[number % len(files)]
            (out / f"d{number:05}.json").write_bytes(contents[file])
            rows.append({"name": f"document {number:05}.txt", "file": f"d{number:05}.json", "status": "suspect"})
        (out / "run.json").write_text(json.dumps(run | {"documents": rows}))
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        for name in ("first start, while it reads", "next start"):
            command = [sys.executable, "-m", "extractor", "review", str(out), "--no-open"]
            began = time.perf_counter()
            server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            ready = time.perf_counter() - began
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
                )
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                page.goto(address)
                page.wait_for_selector("#record .leaf")
                painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000
                shown = page.evaluate("performance.now()") / 1000
                took = []
                for _ in range(20):
                    page.wait_for_timeout(300)
                    took.append(page.evaluate(_NEXT) / 1000)
                indexed = None
                if name.startswith("first"):
                    page.wait_for_function("() => document.getElementById('reading-on').hidden", timeout=600_000)
                    indexed = time.perf_counter() - began
                browser.close()
            server.terminate()
            server.wait()
            told = f"; all read after {indexed:.0f} s" if indexed else ""
            print(
                f"{documents} documents, {name}: address after {ready:.1f} s, first paint {painted:.2f} s, document "
                f"shown {shown:.2f} s, next document {statistics.median(took):.3f} s (worst {max(took):.3f} s){told}"
            )


_NEXT = """() => new Promise((done) => {
  const name = document.getElementById('name');
  const began = performance.now();
  setTimeout(() => done(Infinity), 20000);
  new MutationObserver((_, watch) => {
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
  }).observe(name, { childList: true, characterData: true, subtree: true });
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
})"""
"""Presses → and waits until the next document is drawn; milliseconds."""

if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) > 1 else ""
    if what == "many":
        measure_many(int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
    elif what in ("keys", "gold"):
        {"keys": measure_keys, "gold": measure_gold}[what]()
    else:
        print(__doc__)
