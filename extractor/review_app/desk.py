"""One run's folder, as a person reviews it: documents by name, what was decided about them, and the queue."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from extractor.errors import ResultUnreadable, UsageError
from extractor.files import make_folder, open_regular_file
from extractor.results.decisions.decision import Action, Decision, Words, drop_undone, split_pointer
from extractor.results.decisions.replay import apply_decision
from extractor.results.decisions.reviewed import ReviewedFolder, build_reviewed_result, read_run_schema
from extractor.results.decisions.state import Reviewed
from extractor.results.decisions.tree import Leaf, find_node, read_value
from extractor.results.model import RUN_FILE, RunFile
from extractor.results.reading import parse_result, read_run_file
from extractor.results.unseen import show_unseen
from extractor.review_app.candidates import find_nearness, list_candidates
from extractor.review_app.inputs import (
    TEXT,
    InputRefused,
    check_value,
    find_evidence,
    find_schema_node,
    read_typed,
    read_words_as,
)
from extractor.review_app.queue_index import INDEX_FILE, IndexedDocument, QueueIndex
from extractor.review_app.restoring import choose_place
from extractor.review_app.turns import Turns
from extractor.review_app.view import build_view, find_record_path, list_doubts
from extractor.schema.kinds import Reading
from extractor.schema.reader import Scalar
from extractor.types import Json

MAX_SECONDS = 600.0
"""Of what a browser says that a decision took; more is a person who went away."""
_VALUED = frozenset({Action.CORRECT, Action.ADD})


class VersionConflict(Exception):
    """The person has not seen the document as it is now."""


class NoDocument(Exception):
    """The folder has no such document, or cannot read it; the message says which."""


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """A document at this moment: the digest of its result, the decisions about it and what they make of it."""

    file: str
    sha256: str
    data: bytes
    decisions: tuple[Decision, ...]
    state: Reviewed

    @property
    def version(self) -> str:
        return f"{self.sha256[:16]}.{len(self.decisions)}"


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks to be written down, as their browser sends it."""

    version: str
    action: Action
    path: str = ""
    value: Json = None
    from_words: bool = False
    """Whether the value is to be read off the chosen words."""
    spans: tuple[tuple[int, int], ...] = ()
    position: int | None = None
    seconds: float = 0.0


class ReviewDesk:
    """Reads results of a folder one at a time, and writes decisions about them. Threads may use it."""

    def __init__(self, out: Path, who: str) -> None:
        """Raises UsageError where the folder holds no results."""
        if not out.is_dir():
            raise UsageError(f"{out} is not a folder: name the one that results were written to.")
        self.out, self.who = out, who
        self.run = _read_run(out)
        self.schema = read_run_schema(self.run)
        self.folder = ReviewedFolder(out, self.schema)
        listed = self._list_results()
        if not listed:
            raise UsageError(f"{out} holds no results: name the folder that results were written to.")
        self.index = QueueIndex(self._make_index_path())
        self.index.list_documents(listed)
        self.turns = Turns()
        self._stopping = threading.Event()

    def _make_index_path(self) -> Path | None:
        try:
            make_folder(self.folder.journal.folder)
        except OSError:
            return None
        return self.folder.journal.folder / INDEX_FILE

    def _list_results(self) -> list[tuple[str, str, str]]:
        """(file, name of its document, status) in the run's order, then what else is in the folder."""
        listed: dict[str, tuple[str, str, str]] = {}
        for row in self.run.documents if self.run else ():
            if row.file and Path(row.file).name == row.file:
                listed.setdefault(row.file, (row.file, show_unseen(row.name), str(row.status)))
        if not listed:
            names = sorted(path.name for path in self.out.glob("*.json") if path.name != RUN_FILE)
            listed = {name: (name, show_unseen(name), "") for name in names}
        return list(listed.values())

    def index_documents(self) -> None:
        """Reads what the index does not know yet, or what has changed. Takes some seconds for 10,000 documents."""
        batch: list[IndexedDocument] = []
        for file, stamp in self.index.list_stamps():
            if not self.turns.wait(self._stopping):
                return
            if stamp == self._stamp(file):
                continue
            batch.append(self.describe_for_queue(file))
            if len(batch) >= 50:
                self.index.put(batch)
                batch = []
        self.index.put(batch)

    def stop(self) -> None:
        self._stopping.set()

    def _stamp(self, file: str) -> str:
        try:
            told = (self.out / file).stat()
        except OSError:
            return "gone"
        return f"{told.st_size}.{told.st_mtime_ns}.{self.folder.journal.count_decisions(file)}"

    def describe_for_queue(self, file: str) -> IndexedDocument:
        stamp = self._stamp(file)
        try:
            opened = self._read(file)
        except NoDocument:
            return IndexedDocument(file, show_unseen(file), "unreadable", stamp, "open", 0, 0, {})
        return _describe_opened(opened, stamp)

    def open(self, file: str) -> OpenDocument:
        """A document as it is now. Raises NoDocument."""
        if not self.index.has_document(file):
            raise NoDocument(f"There is no result {file} in this run.")
        self.folder.journal.refresh()
        return self._read(file)

    def _read(self, file: str) -> OpenDocument:
        try:
            with open_regular_file(self.out / file, follow=False) as opened:
                data = opened.read()
            result = parse_result(data).file
        except OSError as error:
            raise NoDocument(f"The result {file} cannot be read ({error.strerror}); run its document again.") from error
        except ResultUnreadable as error:
            raise NoDocument(f"The result {file} {error.why}; run its document again.") from error
        state = self.folder.replay(file, data, result)
        decisions = self.folder.journal.read_decisions(file)
        return OpenDocument(file, hashlib.sha256(data).hexdigest(), data, decisions, state)

    def describe(self, opened: OpenDocument) -> dict[str, Json]:
        undoable = drop_undone(opened.decisions)
        return {
            "file": opened.file,
            "version": opened.version,
            "undoable": str(undoable[-1].action) if undoable else "",
            **build_view(opened.state, self.schema),
        }

    def decide(self, file: str, asked: Request) -> OpenDocument:
        """Writes a decision down, and gives the document as it is then.

        Raises NoDocument, VersionConflict where the person has not seen it as it is now, and InputRefused with a
        sentence where the value is none for its place.
        """
        opened = self.open(file)
        if asked.version != opened.version:
            raise VersionConflict
        if opened.state.result.record is None:
            raise InputRefused("This document has no record; run it again before it is reviewed.")
        decision = self._make_decision(opened, asked)
        self._try_out(opened, decision)
        self.folder.journal.keep_seen_result(opened.sha256, opened.data)
        self.folder.journal.append(decision)
        after = self.open(file)
        self.index.put([_describe_opened(after, self._stamp(file))])
        return after

    def _make_decision(self, opened: OpenDocument, asked: Request) -> Decision:
        state, text = opened.state, opened.state.result.document.text
        decision = Decision(
            file=opened.file,
            document=state.result.document.name,
            action=asked.action,
            seen=opened.sha256,
            version=len(opened.decisions),
            path=asked.path,
            evidence=_read_spans(asked.spans, text),
            position=asked.position,
            who=self.who,
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            seconds=min(max(asked.seconds, 0.0), MAX_SECONDS),
        )
        node = find_node(state.root, asked.path)
        if asked.action is Action.UNDO:
            return replace(decision, **_find_undone(opened))
        if asked.action is Action.RESTORE:
            return self._make_restoring(opened, decision)
        if asked.action in _VALUED:
            return self._make_valued(opened, decision, asked)
        if asked.action is Action.ADD_ROW:
            return replace(decision, after=asked.value if isinstance(asked.value, dict) else {})
        before = read_value(node) if node is not None and asked.action not in (Action.FINISH, Action.REOPEN) else None
        return replace(decision, before=before)

    def list_candidates(self, file: str, path: str) -> list[dict[str, Json]]:
        """Values that may be meant at a place, as the browser is told them. Raises NoDocument."""
        return list_candidates(self.open(file).state, path, self.find_scalar(path))

    def _make_valued(self, opened: OpenDocument, decision: Decision, asked: Request) -> Decision:
        state, text = opened.state, opened.state.result.document.text
        leaf, reading = self.find_scalar(decision.path), Reading.of(text)
        node = find_node(state.root, decision.path)
        before = node.value if isinstance(node, Leaf) else None
        if asked.from_words:
            value = read_words_as(leaf, " ".join(words.quote for words in decision.evidence), reading)
        else:
            value = read_typed(leaf, asked.value, reading)
        evidence = decision.evidence
        if not evidence and isinstance(node, Leaf) and node.proof is not None and before == value:
            evidence = tuple(Words(q.start, q.end, q.quote) for q in node.proof.spans)
        evidence = evidence or find_evidence(leaf, value, text, find_nearness(state, decision.path))
        return replace(decision, before=before, after=value, evidence=evidence)

    def _make_restoring(self, opened: OpenDocument, decision: Decision) -> Decision:
        state, number = opened.state, decision.position
        if number is None or number >= len(state.result.rejected):
            raise InputRefused("There is no such value to take back; open the document anew.")
        entry = state.result.rejected[number]
        if number in state.restored:
            raise InputRefused("This value is in the record already; undo takes it out again.")
        path = choose_place(state, entry, self.schema)
        if path is None:
            raise InputRefused("The record has no place for this value; add it where it belongs.")
        leaf, text = self.find_scalar(path), state.result.document.text
        value = read_typed(leaf, entry.value, Reading.of(text))
        spans = entry.evidence.spans if entry.evidence else ()
        words = tuple(Words(q.start, q.end, q.quote) for q in spans if text[q.start : q.end] == q.quote)
        words = words or find_evidence(leaf, value, text, find_nearness(state, path))
        node = find_node(state.root, path)
        before = node.value if isinstance(node, Leaf) else None
        return replace(decision, path=path, before=before, after=value, evidence=words)

    def _try_out(self, opened: OpenDocument, decision: Decision) -> None:
        """Raises InputRefused where the decision fits no place, or the schema does not take what it makes."""
        if decision.action is Action.UNDO:
            return
        state = self.folder.replay(opened.file, opened.data, opened.state.result)
        lost = len(state.lost)
        apply_decision(state, decision)
        if len(state.lost) > lost:
            raise InputRefused("The record has no such place; open the document anew.")
        if decision.action in _VALUED or decision.action is Action.RESTORE:
            record = build_reviewed_result(state, self.schema).record or {}
            check_value(self.schema, record, find_record_path(state.root, split_pointer(decision.path)))

    def find_scalar(self, path: str) -> Scalar:
        node = find_schema_node(self.schema.root, split_pointer(path)) if self.schema else TEXT
        return node if isinstance(node, Scalar) else TEXT


def _read_spans(spans: Sequence[tuple[int, int]], text: str) -> tuple[Words, ...]:
    if any(not 0 <= start < end <= len(text) for start, end in spans):
        raise InputRefused("These words are not in the document; select them anew.")
    return tuple(Words(start, end, text[start:end]) for start, end in spans)


def _find_undone(opened: OpenDocument) -> Mapping[str, Json]:
    holding = drop_undone(opened.decisions)
    if not holding:
        raise InputRefused("There is nothing to undo in this document.")
    last = holding[-1]
    return {"undoes": last.version, "path": last.path, "before": last.after, "after": last.before}


def _describe_opened(opened: OpenDocument, stamp: str) -> IndexedDocument:
    state, result = opened.state, opened.state.result
    doubts: dict[str, list[float]] = {}
    for field, sure in list_doubts(state) if not state.finished else ():
        doubts.setdefault(field, []).append(sure)
    reached = "finished" if state.finished else "started" if state.people else "open"
    name, status = show_unseen(result.document.name), str(result.status)
    return IndexedDocument(opened.file, name, status, stamp, reached, state.edits, len(state.lost), doubts)


def _read_run(out: Path) -> RunFile | None:
    try:
        return read_run_file(out / RUN_FILE).file
    except ResultUnreadable:
        return None
