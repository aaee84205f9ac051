"""A folder of pages for runs that are too large for one: a list that is looked through, and a page for each document.

The list opens from a disk, without a server. What it shows is in data files beside it, scripts that hand over one value
each, and is loaded as it is looked at: rows, documents by status, and an index of the words of names and values. Words
of documents reach a page as in `page`; those of the list are JSON in data files and are shown as text alone.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from extractor.errors import MachineError, ResultUnreadable, UsageError
from extractor.results.frame import walk_leaves
from extractor.results.model import RUN_FILE, RunFile
from extractor.results.reading import read_result_file, read_run_file
from extractor.results.review.page import (
    Readable,
    build_sheets,
    describe_unreadable,
    load_page_template,
    read_page_block,
    render_sheets,
)
from extractor.results.review.pictures import PictureFinder
from extractor.results.review.view import DocumentView, format_plain
from extractor.results.unseen import show_unseen
from extractor.types import Json

ROWS_PER_FILE, PAGES_PER_FOLDER = 200, 1000
SHARDS = 256
"""Files of the index of words."""
MAX_WORDS, MAX_WORD_LENGTH = 300, 40
"""Words of one document that are found by, and characters of each."""
MARK = "extractor-pages.json"
"""What a folder has that was written here, and may be written over."""
_WORD = re.compile(r"\w+")


def write_review_folder(results_folder: Path, target: Path, documents: Path | None = None) -> Path:
    """Reads the files of a run one after the other and writes their pages, all or none; returns the list's page.

    A folder that was written before is replaced. Only its owner may read it. Raises UsageError where there is nothing
    to show or the target is something else, MachineError where it cannot be written.
    """
    names, run = list_results(results_folder)
    if target.exists() and not (target / MARK).is_file() and any(target.iterdir()):
        raise UsageError(f"{target} holds other things; name a folder that is new, or one of pages.")
    try:
        draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:80]}."))
        try:
            _write_pages(draft, results_folder, names, run, PictureFinder(documents) if documents else None)
            if target.exists():
                shutil.rmtree(target)
            draft.rename(target)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except OSError as error:
        raise MachineError(f"{target} cannot be written ({error.strerror}); name a folder with room.") from error
    return target / "index.html"


def list_results(results_folder: Path) -> tuple[dict[str, bool], RunFile | None]:
    """The result files of a run in its order, whether the run lists each, and the run. Raises UsageError for none."""
    if not results_folder.is_dir():
        raise UsageError(f"{results_folder} is not a folder: name the one that results were written to.")
    there = sorted(path.name for path in results_folder.glob("*.json") if path.name != RUN_FILE)
    try:
        run = read_run_file(results_folder / RUN_FILE).file
    except ResultUnreadable:
        run = None
    if not there and run is None:
        raise UsageError(f"{results_folder} holds no results: name the folder that results were written to.")
    listed = dict.fromkeys(run.names, True) if run else {}
    return listed | {name: not listed for name in there if name not in listed}, run


def _write_pages(
    folder: Path, results: Path, names: Mapping[str, bool], run: RunFile | None, pictures: PictureFinder | None
) -> None:
    index = PageIndex(folder)
    for number, (name, is_listed) in enumerate(names.items()):
        [sheet] = build_sheets([(name, _read(results / name))], () if is_listed else (name,), pictures)
        sheet.link = "#" + sheet.link.removeprefix("#")
        page = folder / "records" / f"{number // PAGES_PER_FOLDER:04}" / f"{number:07}.html"
        if number % PAGES_PER_FOLDER == 0:
            page.parent.mkdir(parents=True)
        page.write_bytes(render_sheets([sheet], {}, "../../").encode())
        index.add(sheet)
    index.finish()
    about = {
        key: value for key, value in (run.to_content() if run else {}).items() if key not in ("format", "documents")
    }
    (folder / "page.css").write_text(read_page_block("style"), encoding="utf-8")
    (folder / "page.js").write_text(read_page_block("script"), encoding="utf-8")
    (folder / "index.html").write_bytes(_render_list(index, about).encode())
    (folder / MARK).write_text(json.dumps({"format": "extractor.pages/1"}), encoding="utf-8")


def _read(path: Path) -> Readable:
    try:
        return read_result_file(path)
    except ResultUnreadable as error:
        return "The run lists this file, and it is not in the folder." if error.missing else describe_unreadable(error)


def _render_list(index: PageIndex, run: Mapping[str, Json]) -> str:
    template, hashes = load_page_template("folder.html.j2")
    return template.render(
        run=run,
        task=format_plain(run.get("task")),
        hashes=hashes,
        shared="",
        total=index.total,
        statuses=[(f"{n:02}", status, len(ids)) for n, (status, ids) in enumerate(index.statuses.items(), 1)],
        rows_per_file=ROWS_PER_FILE,
        shards=SHARDS,
    )


@dataclass(slots=True)
class PageIndex:
    """The data files of a list: rows as they come, the rest when all have come."""

    folder: Path
    total: int = 0
    statuses: dict[str, array[int]] = field(default_factory=dict)
    _issues: array[int] = field(default_factory=lambda: array("I"))
    _words: dict[str, array[int]] = field(default_factory=dict)
    _rows: list[list[Json]] = field(default_factory=list)

    def add(self, sheet: DocumentView) -> None:
        """Adds the next document."""
        issues = sum(sheet.count_issues().values())
        self.statuses.setdefault(sheet.status, array("I")).append(self.total)
        if issues or sheet.record is None:
            self._issues.append(self.total)
        for word in list_words(sheet):
            self._words.setdefault(word, array("I")).append(self.total)
        self._rows.append([show_unseen(sheet.name), show_unseen(sheet.status), issues, int(sheet.stray)])
        self.total += 1
        if len(self._rows) == ROWS_PER_FILE:
            self._write_rows()

    def _write_rows(self) -> None:
        self._write(f"rows/{(self.total - 1) // ROWS_PER_FILE:06}.js", self._rows)
        self._rows = []

    def finish(self) -> None:
        """Writes what is left."""
        if self._rows:
            self._write_rows()
        for number, ids in enumerate([self._issues, *self.statuses.values()]):
            self._write(f"status/{number:02}.js", _pack(ids))
        shards: dict[int, list[str]] = {}
        for word in self._words:
            shards.setdefault(choose_shard(word), []).append(word)
        for number in range(SHARDS):  # all of them: a browser complains of each that is missing
            words = sorted(shards.get(number, ()))
            self._write(f"search/{number:03}.js", {word: _pack(self._words[word]) for word in words})

    def _write(self, name: str, value: Json) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        data = json.dumps(value, separators=(",", ":"))  # all of it ASCII
        path.write_text(f'extractorData("{name}",{data});\n', encoding="ascii")


def list_words(sheet: DocumentView) -> Iterable[str]:
    """The words by which a document is found: of its name and of the values of its record, as many as are kept."""
    found: dict[str, None] = {}
    for text in _iterate_texts(sheet):
        for word in _WORD.findall(unicodedata.normalize("NFKC", text[:10_000]).lower()):
            found[word[:MAX_WORD_LENGTH]] = None
            if len(found) >= MAX_WORDS:
                return found
    return found


def _iterate_texts(sheet: DocumentView) -> Iterator[str]:
    yield sheet.name
    for _, value in walk_leaves(sheet.record or {}, ""):
        yield format_plain(value)


def choose_shard(word: str) -> int:
    """The file of the index that has a word, by its first two characters: the list computes the same."""
    return (ord(word[0]) * 31 + (ord(word[1]) if len(word) > 1 else 0)) % SHARDS


def _pack(ids: array[int]) -> list[int]:
    """The first, and how much each is more than the one before."""
    return [one - before for before, one in zip([0, *ids], ids, strict=False)]
