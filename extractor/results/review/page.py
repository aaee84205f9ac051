"""One HTML file in which a person checks records against the words they came from.

The documents, and what models said of them, are hostile here. They reach the page through Jinja's autoescape alone, as
text or in a quoted attribute. The page has one style and one script, with no word of a document in either; both are
allowed by their hashes, and nothing else is (CSP level 3). Characters that reorder or hide text are shown by number.
Same results, same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from extractor.errors import MachineError, ResultUnreadable, UsageError
from extractor.results.model import RUN_FILE, ResultFile, RunFile
from extractor.results.reading import Reading, convert_result, read_result_file, read_run_file
from extractor.results.review.pictures import PictureFinder
from extractor.results.review.view import (
    ISSUE_LABELS,
    DocumentView,
    build_document_view,
    choose_list_layout,
    format_plain,
    list_columns,
)
from extractor.results.unseen import show_unseen, spell_unseen, split_unseen
from extractor.types import Json, json_pointer

if TYPE_CHECKING:
    from jinja2 import Template


Readable = Reading[ResultFile] | str
"""A result file that was read, or a sentence that says why it cannot be."""


def build_review_page(
    results: Sequence[ResultFile | Mapping[str, Json]], *, run: Mapping[str, Json] | None = None
) -> str:
    """The page of these results or contents of result files, in this order; `run` is shown as it is.

    What is no result is named on the page as unreadable.
    """
    return _render_page([(f"result {number}", _convert(result)) for number, result in enumerate(results, 1)], run or {})


def describe_unreadable(error: ResultUnreadable) -> str:
    """Why a result cannot be read, in a sentence."""
    return f"The file {error.why}." + (f" Its format is “{error.format}”." if error.format else "")


def _convert(result: ResultFile | Mapping[str, Json]) -> Readable:
    if isinstance(result, ResultFile):
        return Reading(result, {})
    try:
        return convert_result(result)
    except ResultUnreadable as error:
        return describe_unreadable(error)


def write_review_page(results_folder: Path, target: Path, documents: Path | None = None) -> Path:
    """Reads the files of a run and writes their page, whole or not at all; returns `target`.

    With the folder of its documents, pages of PDFs and pictures are shown too, with boxes where values stand.

    Only its owner may read the page, as it holds the documents. Raises UsageError where there is nothing to show, and
    MachineError where the page can't be written.
    """
    pictures = PictureFinder(documents) if documents else None
    if not results_folder.is_dir():
        raise UsageError(f"{results_folder} is not a folder: name the one that results were written to.")
    found: dict[str, Readable] = {}
    run: RunFile | None = None
    for path in sorted(results_folder.glob("*.json")):
        try:
            if path.name == RUN_FILE:
                run = read_run_file(path).file
            else:
                found[path.name] = read_result_file(path)
        except ResultUnreadable as error:
            found[path.name] = describe_unreadable(error)
    if not found and run is None:
        raise UsageError(f"{results_folder} holds no results: name the folder that results were written to.")
    # Missing files are named, and so are those that another run left here.
    listed = list(run.names) if run else []
    missing: Readable = "The run lists this file, and it is not in the folder."
    sources = {name: found.get(name, missing) for name in listed} | found
    about = run.to_content() if run else {}
    page = _render_page(list(sources.items()), about, strays=found.keys() - listed if listed else (), pictures=pictures)
    try:
        handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:80]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(page.encode())
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(target)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise MachineError(
            f"{target} cannot be written ({error.strerror}): name a file in a folder with room."
        ) from error
    return target


def _render_page(
    sources: Sequence[tuple[str, Readable]],
    run: Mapping[str, Json],
    strays: Collection[str] = (),
    pictures: PictureFinder | None = None,
) -> str:
    shown = build_sheets(sources, strays, pictures)
    about = {key: value for key, value in run.items() if key not in ("format", "documents")}
    return render_sheets(shown, about)


def build_sheets(
    sources: Sequence[tuple[str, Readable]], strays: Collection[str] = (), pictures: PictureFinder | None = None
) -> list[DocumentView]:
    """What is shown of each result."""
    shown, taken = [], Counter[str]()
    for label, reading in sources:
        try:
            if isinstance(reading, str):
                raise ValueError(reading)
            sheet = build_document_view(reading.file, reading.damage)
        except ValueError as error:
            sheet = DocumentView(label, "unreadable", error=("unreadable", str(error)))
        sheet.stray = label in strays
        if pictures is not None:
            sheet.pages = pictures.find_pages(sheet.name, sheet.boxes)
        taken[sheet.name] += 1
        # "!" stands in no quoted name, so a second document of one name can't take the address of a third.
        again = f"!{taken[sheet.name]}" if taken[sheet.name] > 1 else ""
        sheet.link = "#" + quote(sheet.name, safe="", errors="replace") + again
        shown.append(sheet)
    return shown


def render_sheets(shown: Sequence[DocumentView], about: Mapping[str, Json], shared: str = "") -> str:
    """The page of what is shown; `shared` is where its style and script are, which it has itself otherwise."""
    template, hashes = load_page_template("page.html.j2")
    task = next((format_plain(sheet.about["task"]) for sheet in shown if "task" in sheet.about), "")
    return template.render(
        sheets=shown, run=about, task=task, hashes=hashes, issues=ISSUE_LABELS, shared=shared, total=0
    )


def read_page_block(block: str) -> str:
    """The page's style or script, as it is, which holds nothing of any document."""
    template, _ = load_page_template("page.html.j2")
    return "".join(template.blocks[block](template.new_context({})))


@cache
def load_page_template(name: str) -> tuple[Template, dict[str, str]]:
    """A template, and the hashes of its style and script as a CSP has them (CSP level 3, section 2.3.1)."""
    # Here, as it is slow to import and only this page needs it.
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(_read)
    )
    environment.filters |= {
        "pieces": split_unseen,
        "sign": spell_unseen,
        "seen": show_unseen,
        "plain": format_plain,
    }
    environment.filters |= {
        "layout": choose_list_layout,
        "columns": list_columns,
        "step": lambda path, key: path + json_pointer((key,)),
    }
    template, parent = environment.get_template(name), environment.get_template("page.html.j2")
    hashes = {}
    for block in ("style", "script"):
        blocks = template.blocks if block in template.blocks else parent.blocks
        words = "".join(blocks[block](template.new_context({})))
        hashes[block] = base64.b64encode(hashlib.sha256(words.encode()).digest()).decode()
    return template, hashes


def _read(name: str) -> str:
    return (files("extractor.results.review") / name).read_text(encoding="utf-8")
