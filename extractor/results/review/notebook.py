"""One result as a piece of HTML for a notebook: its values beside its text, marked where the values come from.

As on the page, documents and what models said of them are hostile: they reach the HTML through autoescape alone, as
text or in a quoted attribute, with what cannot be seen shown by number. There is no script, and no address but of a
mark in the same piece.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from extractor.results.model import ResultFile
from extractor.results.review.highlights import split_segments
from extractor.results.review.view import ISSUE_LABELS, DocumentView, build_document_view, format_plain
from extractor.results.unseen import show_unseen, spell_unseen, split_unseen
from extractor.types import Match, canonical_json

if TYPE_CHECKING:
    from jinja2 import Template

CONTEXT_CHARACTERS = 240
"""Characters that are shown on either side of a mark."""
MAX_WHOLE_TEXT = 20_000
"""A text of at most so many characters is shown whole."""


@dataclass(frozen=True, slots=True)
class NotebookPart:
    """A run of text, in places or in none; `opens` is the place that begins there. Or a count of what is left out."""

    pieces: tuple[tuple[str, str], ...] = ()
    places: tuple[int, ...] = ()
    opens: int | None = None
    match: str = ""
    title: str = ""
    left_out: int = 0


def render_notebook(result: ResultFile) -> str:
    """The piece for a result; what cannot be drawn is named as unreadable."""
    try:
        sheet = build_document_view(result)
    except ValueError as error:
        sheet = DocumentView("result", "unreadable", error=("unreadable", str(error)))
    digest = hashlib.sha256(canonical_json(result.to_content()).encode("utf-8", "replace")).hexdigest()
    return _load_template().render(
        id=f"extractor-{digest[:12]}",
        sheet=sheet,
        entries=list(sheet.values.values()),
        counts=sheet.count_issues(),
        parts=list(_split_parts(sheet)),
        issues=ISSUE_LABELS,
    )


def _split_parts(sheet: DocumentView) -> Iterator[NotebookPart]:
    text = sheet.text
    names: dict[int, list[str]] = {}
    for entry in sheet.values.values():
        for place in entry.places:
            names.setdefault(place, []).append(entry.where)
    opened: set[int] = set()
    spans = {span: number for span, number in sheet.places.items() if number in names}
    numbers = list(spans.values())
    for segment in split_segments(len(text), list(spans)):
        places = tuple(numbers[at] for at in segment.places)
        if not places:
            yield from _shorten_unmarked(text, segment.start, segment.end)
            continue
        new = next((place for place in places if place not in opened), None)
        opened.update(places[:1] if new is None else (new,))
        weakest = max((sheet.weakest[p] for p in places if p in sheet.weakest), key=list(Match).index)
        title = "; ".join(name for place in places for name in names[place])
        title += "".join(f" ({sheet.files[place]})" for place in places[:1] if place in sheet.files)
        yield NotebookPart(tuple(split_unseen(text, segment.start, segment.end)), places, new, weakest.value, title)


def _shorten_unmarked(text: str, start: int, end: int) -> Iterator[NotebookPart]:
    """Text in no place; of a long one only what is near a mark."""
    if len(text) <= MAX_WHOLE_TEXT or end - start <= 2 * CONTEXT_CHARACTERS:
        yield NotebookPart(tuple(split_unseen(text, start, end)))
        return
    before = start + (CONTEXT_CHARACTERS if start else 0)
    after = end - (CONTEXT_CHARACTERS if end < len(text) else 0)
    yield NotebookPart(tuple(split_unseen(text, start, before)))
    yield NotebookPart(left_out=after - before)
    yield NotebookPart(tuple(split_unseen(text, after, end)))


@cache
def _load_template() -> Template:
    from jinja2 import Environment, StrictUndefined  # here, as it is slow to import

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "pieces": split_unseen,
        "sign": spell_unseen,
        "seen": show_unseen,
        "plain": format_plain,
    }
    return environment.from_string((files("extractor.results.review") / "notebook.html.j2").read_text(encoding="utf-8"))
