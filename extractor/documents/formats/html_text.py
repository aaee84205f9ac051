"""The text of a web page while it is written: white space as a browser shows it, and where each run of words stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from extractor.documents.formats.html_tables import MAX_PADDING, TableWriter
from extractor.documents.formats.sight import Sight
from extractor.documents.locations import SourceOffsets
from extractor.types import Span, TextTable


@dataclass(slots=True)
class PageText:
    """Words, the white space and the marks between them, and what is hidden or doubtful among them."""

    pieces: list[str] = field(default_factory=list)
    length: int = 0
    hidden: list[Span] = field(default_factory=list)
    doubtful: list[Span] = field(default_factory=list)
    tables: list[TextTable] = field(default_factory=list)
    places: SourceOffsets = field(default_factory=SourceOffsets)
    table: TableWriter | None = None
    """The table of data that is being written."""
    mark: str = ""
    """What goes before the next words: the mark of a heading, the number of an item."""
    joint: str = ""
    """What goes after the last words where others follow on their line: a colon after the name of a definition."""
    padding_left: int = MAX_PADDING
    _gap: str = ""
    """White space that is due before the next words."""
    _held: bool = False
    _last_sight: Sight = Sight.SHOWN

    @property
    def in_cell(self) -> bool:
        return self.table is not None and self.table.in_cell

    def request_gap(self, space: str) -> None:
        """Requests white space; of all requests between two words, the largest is written."""
        if self._held:
            return
        if self.in_cell:
            space = " "
        if len(space) > len(self._gap) or (space == "\n" and self._gap == " "):
            self._gap = space

    def narrow_gap(self, space: str, *, hold: bool = False) -> None:
        """Lets what comes go on after a smaller gap than was requested, whatever is requested before it with `hold`."""
        self._gap, self._held = space, hold

    def release_gap(self) -> None:
        """Ends the hold of a gap that no words came after."""
        self._held = False

    def last_letter(self) -> str:
        """The letter that the next words follow; empty where they are parted from it."""
        return self.pieces[-1][-1:] if self.pieces and not self._gap and not self.mark else ""

    def last_words(self) -> str:
        """What the next words follow, as far as it was written in a few pieces; empty where they are parted from it."""
        return "".join(self.pieces[-4:])[-30:] if not self._gap and not self.mark else ""

    def add_run(self, words: str, sight: Sight, source: tuple[int, int] | None, steps: Sequence[int] | None) -> None:
        """Adds words that stand somewhere in the source: at a range of it, or letter by letter at the steps of a list
        that is one longer than the words."""
        before = self._gap if self.length else ""
        if self.table is not None and self.in_cell:
            before = self.table.text_before(before, self.length, words_at=len(self.pieces))
        before += self.mark
        self._gap = self.mark = self.joint = ""
        self._held = False
        if before:
            self._append(before)
        start = self.length
        if self.table is not None and self.in_cell:
            self.table.mark_words(start, len(self.pieces))
        self._append(words)
        if steps is not None:
            self._record_steps(start, steps)
        elif source is not None:
            self.places.add_run(start, self.length, *source)
        self._mark_sight(start, sight)

    def _append(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)

    def _mark_sight(self, start: int, sight: Sight) -> None:
        marks = self.hidden if sight is Sight.HIDDEN else self.doubtful
        if sight is not Sight.SHOWN:
            since = marks.pop().start if self._last_sight is sight else start
            marks.append(Span(since, self.length))
        self._last_sight = sight

    def _record_steps(self, start: int, steps: Sequence[int]) -> None:
        """Notes where letters stand in the source: runs of them, and by themselves those that are spelled otherwise."""
        at, last = 0, len(steps) - 1
        while at < last:
            to = at + 1
            if steps[to] - steps[at] == 1:
                while to < last and steps[to + 1] - steps[to] == 1:
                    to += 1
            self.places.add_run(start + at, start + to, steps[at], steps[to])
            at = to

    def add_page(self, page: PageText, sight: Sight, steps: Sequence[int]) -> None:
        """Adds the text of a page within this one, which is seen as that says at best. `steps` are where the letters of
        its source stand in the source of this one, as far as that is known."""
        words = "".join(page.pieces)
        if not words:
            return
        if self.in_cell:
            self.add_run(" ".join(words.split()), sight, None, None)
            return
        self.request_gap("\n\n")
        self.add_run(words, sight, None, None)
        start = self.length - page.length
        self.tables += [table.shift(start) for table in page.tables]
        if sight is not Sight.HIDDEN:
            self.hidden += [span.shift(start) for span in page.hidden]
        if sight is Sight.SHOWN:
            self.doubtful += [span.shift(start) for span in page.doubtful]
        inner = page.places
        for since, until, source, end in zip(inner.starts, inner.ends, inner.sources, inner.source_ends, strict=True):
            if end < len(steps):
                self.places.add_run(start + since, start + until, steps[source], steps[end])
        self.request_gap("\n\n")

    def begin_table(self) -> None:
        self.request_gap("\n\n")
        self.table = TableWriter(self.padding_left)

    def end_row(self) -> None:
        if self.table is not None:
            self.table.end_row(self.length, self.pieces)

    def end_table(self) -> None:
        if self.table is not None:
            self.tables += self.table.build_tables()
            self.padding_left = self.table.padding_left
        self.table = None
        self.request_gap("\n\n")
