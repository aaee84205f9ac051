"""Gold out of what people reviewed, and how far the first results agreed with it.

Only a document that somebody finished is gold: what it does not say is decided there, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from extractor.errors import MachineError, ResultUnreadable, UsageError
from extractor.files import open_regular_file, write_atomically
from extractor.results.decisions.decision import EDITS, Action, Decision, drop_undone
from extractor.results.decisions.reviewed import ReviewedFolder, build_reviewed_result, open_reviewed_folder
from extractor.results.decisions.state import Reviewed
from extractor.results.decisions.tree import Verdict, walk_tree
from extractor.results.model import RUN_FILE, ResultFile
from extractor.results.reading import parse_result, read_run_file
from extractor.types import Json


@dataclass(frozen=True, slots=True)
class ReviewedDocument:
    """A document that somebody finished."""

    file: str
    first: ResultFile
    """The result that its people began with, where that is still there; else the one of now."""
    result: ResultFile
    decisions: tuple[Decision, ...]
    state: Reviewed


@dataclass(frozen=True, slots=True)
class FolderReview:
    """What is reviewed of a run: the finished documents, and how many are not."""

    finished: tuple[ReviewedDocument, ...]
    unfinished: int
    lost: tuple[str, ...] = ()
    """Decisions that a later run's results could not keep: a sentence each."""


def read_folder_review(out: Path) -> FolderReview:
    """What people decided about a run's results. Raises UsageError where there is nothing."""
    if not out.is_dir():
        raise UsageError(f"{out} is not a folder: name the one that was reviewed.")
    try:
        run = read_run_file(out / RUN_FILE).file
    except ResultUnreadable:
        run = None
    folder = open_reviewed_folder(out, run)
    files = sorted(folder.journal.list_files())
    if not files:
        raise UsageError(f"Nobody has decided about the results in {out}; run `extractor review {out}` first.")
    found = [_read_document(folder, file) for file in files]
    finished = tuple(one for one in found if one is not None and one.state.finished)
    lost = tuple(f"{one.file}: {lost.path} {lost.reason}" for one in found if one for lost in one.state.lost)
    return FolderReview(finished, len(files) - len(finished), lost)


def _read_document(folder: ReviewedFolder, file: str) -> ReviewedDocument | None:
    if Path(file).name != file:
        return None
    try:
        with open_regular_file(folder.out / file, follow=False) as opened:
            data = opened.read()
        result = parse_result(data).file
    except (OSError, ResultUnreadable):
        return None
    decisions = folder.journal.read_decisions(file)
    state = folder.replay(file, data, result)
    kept = folder.journal.read_seen_result(decisions[0].seen)
    first = parse_result(kept).file if kept is not None else result
    return ReviewedDocument(file, first, build_reviewed_result(state, folder.schema), decisions, state)


def build_gold(result: ResultFile) -> dict[str, Json]:
    """The gold of a reviewed result, as `evaluation.gold` describes it."""
    spans = {
        path: [[quote.start, quote.end] for quote in proof.spans]
        for path, proof in result.evidence.items()
        if proof.spans
    }
    return {
        "document": result.document.name,
        "record": result.record or {},
        "optional": [],
        "accept": {},
        "spans": spans,
    }


def write_gold(review: FolderReview, folder: Path) -> tuple[Path, ...]:
    """A gold file for each finished document; files of others are left alone. Raises MachineError."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in review.finished:
            path = folder / one.file
            content = json.dumps(build_gold(one.result), ensure_ascii=False, indent=1)
            write_atomically(path, [content.encode("utf-8", "backslashreplace"), b"\n"])
            written.append(path)
    except OSError as error:
        raise MachineError(f"{folder} cannot be written ({error.strerror}); name another folder with -o.") from error
    return tuple(written)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the first results of some documents agreed with what people made of them."""

    documents: int = 0
    untouched: int = 0
    """Documents in which nobody changed anything."""
    values: int = 0
    """Values of the first results that somebody went through."""
    kept: int = 0
    """Those of them that stayed as they were."""
    added: int = 0
    """Values that the first results did not have."""
    seconds: float = 0.0
    people: frozenset[str] = field(default_factory=frozenset)

    @property
    def touch_free(self) -> float | None:
        return self.untouched / self.documents if self.documents else None

    @property
    def agreement(self) -> float | None:
        """Of all values that are right or were said, the share that was both."""
        return self.kept / (self.values + self.added) if self.values + self.added else None

    @property
    def seconds_per_document(self) -> float | None:
        return self.seconds / self.documents if self.documents else None

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(
            self.documents + other.documents,
            self.untouched + other.untouched,
            self.values + other.values,
            self.kept + other.kept,
            self.added + other.added,
            self.seconds + other.seconds,
            self.people | other.people,
        )


def measure_agreement(documents: Sequence[ReviewedDocument]) -> tuple[tuple[str, Agreement], ...]:
    """Agreement by the day (in UTC) on which documents were finished, in the order of the days."""
    by_day: dict[str, Agreement] = {}
    for one in documents:
        day = _find_finish(one.decisions)[:10]
        by_day[day] = by_day.get(day, Agreement()) + _measure_document(one)
    return tuple(sorted(by_day.items()))


def _find_finish(decisions: Sequence[Decision]) -> str:
    return next((d.at for d in reversed(drop_undone(tuple(decisions))) if d.action is Action.FINISH), "")


def _measure_document(one: ReviewedDocument) -> Agreement:
    holding = drop_undone(one.decisions)
    leaves = list(walk_tree(one.state.root))
    kept = sum(leaf.verdict is Verdict.ACCEPTED and not removed for _, leaf, removed in leaves)
    added = sum(leaf.value is not None and leaf.first is None and not removed for _, leaf, removed in leaves)
    return Agreement(
        documents=1,
        untouched=not any(d.action in EDITS for d in holding),
        values=len(one.first.evidence),
        kept=min(kept, len(one.first.evidence)),
        added=added,
        seconds=sum(d.seconds for d in one.decisions),
        people=frozenset(d.who for d in holding),
    )


def describe_agreement(days: Sequence[tuple[str, Agreement]]) -> Iterator[str]:
    """A table for a terminal: a line for each day, and one for all of them."""
    yield f"{'day':<12}{'documents':>10}{'touch-free':>12}{'agreement':>11}{'s/document':>12}"
    total = Agreement()
    for day, one in days:
        total += one
        yield _describe_line(day, one)
    if len(days) > 1:
        yield _describe_line("all", total)


def _describe_line(name: str, one: Agreement) -> str:
    free, agreed, seconds = one.touch_free or 0.0, one.agreement, one.seconds_per_document or 0.0
    told = "–" if agreed is None else f"{agreed:.1%}"
    return f"{name:<12}{one.documents:>10}{free:>12.1%}{told:>11}{seconds:>12.1f}"
