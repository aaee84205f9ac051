"""Result and decisions -> the reviewed result: a result file as a run would have written it, had it known better."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from extractor.errors import ResultUnreadable, TaskError
from extractor.extraction.conform import conform_record
from extractor.extraction.validation import validate_record
from extractor.files import open_regular_file
from extractor.results.decisions.journal import DecisionJournal
from extractor.results.decisions.replay import SeenResult, replay_decisions
from extractor.results.decisions.state import Reviewed
from extractor.results.decisions.tree import Verdict, find_node, read_value, walk_record, walk_tree
from extractor.results.model import ResultFile, ReviewEntry, RunFile
from extractor.results.parts import ProblemEntry, Proof, RejectedEntry, TextRange
from extractor.results.reading import parse_result
from extractor.schema.reader import Schema, read_schema
from extractor.schema.settling import settle_node
from extractor.types import Json, Status, json_pointer


def build_reviewed_result(state: Reviewed, schema: Schema | None) -> ResultFile:
    """The result as the decisions make it; the result itself where there are none.

    `schema` is the task's: the record is fitted to it and checked against it. Without one it stays as it is.
    """
    result = state.result
    if result.record is None or not (state.people or state.lost):
        return result
    value: dict[str, Json] = read_value(state.root)
    record = conform_record(settle_node(schema.root, [value]), value) if schema is not None and state.edits else value
    problems = _list_problems(state, record, schema)
    conflicts = [c for c in result.conflicts if not state.finished and not _is_decided(state, c.path)]
    update: dict[str, Any] = {
        "record": record,
        "evidence": {path: _mark_proof(leaf.proof, leaf.verdict) for path, leaf in walk_record(state.root)},
        "rejected": [*(r for n, r in enumerate(result.rejected) if n not in state.restored), *_list_rejected(state)],
        "problems": problems,
        "conflicts": conflicts,
        "status": _find_status(state, bool(problems or conflicts)),
        "review": ReviewEntry(
            finished=state.finished,
            who=state.people,
            decided={path: str(leaf.verdict) for path, leaf in walk_record(state.root) if leaf.verdict},
            lost=[f"{lost.path or 'the document'}: {lost.reason}" for lost in state.lost],
        ),
    }
    return result.model_copy(update=update)


def _mark_proof(proof: Proof | None, verdict: Verdict) -> Proof:
    """A proof as it was; a person who accepts a value is as sure as can be."""
    if proof is None:
        return Proof()
    if verdict is Verdict.OPEN:
        return proof
    found = [*proof.findings, *(["reviewed"] if "reviewed" not in proof.findings else [])]
    return Proof(match=proof.match, spans=proof.spans, said=proof.said, confidence=1.0, findings=found)


def _list_rejected(state: Reviewed) -> list[RejectedEntry]:
    """Values of the result that a person did away with."""
    whole = TextRange(start=0, end=len(state.result.document.text))
    return [
        RejectedEntry(path=path, value=leaf.first, reason="rejected in review", chunk=whole, evidence=leaf.first_proof)
        for path, leaf, removed in walk_tree(state.root)
        if leaf.first is not None and (removed or leaf.verdict is Verdict.REJECTED)
    ]


def _list_problems(state: Reviewed, record: Mapping[str, Json], schema: Schema | None) -> list[ProblemEntry]:
    """What is still to be looked at: problems of places that nobody decided about, and what the schema says now.

    A person may find a record right that the schema does not take; the schema says so all the same.
    """
    told = [p for p in state.result.problems if not state.finished and not _is_decided(state, p.path)]
    of_schema = [p for p in state.result.problems if p.code == "schema"]
    if schema is not None and state.edits:
        of_schema = [
            ProblemEntry(code=p.code, path=json_pointer(p.path), message=p.message)
            for p in validate_record(record, None, schema.source)
        ]
    return [p for p in told if p.code != "schema"] + of_schema


def _is_decided(state: Reviewed, path: str) -> bool:
    """Whether a person decided about everything at a place. Of the document as a whole nobody does but by finishing."""
    try:
        node = find_node(state.root, path) if path else None
    except ValueError:
        return False
    leaves = [leaf for _, leaf, _ in walk_tree(node)] if node is not None else []
    return bool(leaves) and all(leaf.verdict is not Verdict.OPEN or leaf.value is None for leaf in leaves)


def _find_status(state: Reviewed, doubtful: bool) -> Status:
    result = state.result
    if not state.finished and (result.failures or result.document.unread):
        return Status.INCOMPLETE
    return Status.SUSPECT if doubtful else Status.COMPLETE


def open_reviewed_folder(out: Path, run: RunFile | None) -> ReviewedFolder:
    """The decisions beside a run's results, with the schema that the run tells."""
    return ReviewedFolder(out, read_run_schema(run))


def read_run_schema(run: RunFile | None) -> Schema | None:
    """The task's schema as a run tells it; None where it tells none that can be read."""
    if run is None or not run.record_schema:
        return None
    try:
        return read_schema(run.record_schema)
    except TaskError:
        return None


class ReviewedFolder:
    """The decisions about the results of one run's folder."""

    def __init__(self, out: Path, schema: Schema | None) -> None:
        self.out = out
        self.schema = schema
        self.journal = DecisionJournal(out)

    def replay(self, file: str, data: bytes, result: ResultFile) -> Reviewed:
        """What was decided about a result file, whose bytes are `data`."""
        current = SeenResult(hashlib.sha256(data).hexdigest(), result)
        return replay_decisions(current, self.journal.read_decisions(file), self._find_seen)

    def review_result(self, file: str, result: ResultFile) -> ResultFile:
        """The reviewed result of a file; the result itself where nobody decided about it, or it is gone meanwhile."""
        if not self.journal.count_decisions(file):
            return result
        try:
            with open_regular_file(self.out / file) as opened:
                data = opened.read()
        except OSError:
            return result
        return build_reviewed_result(self.replay(file, data, result), self.schema)

    def _find_seen(self, sha256: str) -> ResultFile | None:
        data = self.journal.read_seen_result(sha256)
        if data is None:
            return None
        try:
            return parse_result(data).file
        except ResultUnreadable:
            return None
