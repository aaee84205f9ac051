"""A reviewed document as the browser is told it: lines of the record, what was left out, and the text.

Everything is data; the browser shows it as text and nothing else. Characters that cannot be seen are spelled out here,
for no person should accept what they do not see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from extractor.results.decisions.decision import step_down
from extractor.results.decisions.state import Reviewed
from extractor.results.decisions.tree import Entries, Entry, Fields, Leaf, Node, Verdict, read_value, walk_tree
from extractor.results.parts import ConflictEntry, Proof
from extractor.results.review.view import format_plain
from extractor.results.unseen import show_unseen, spell_unseen, split_unseen
from extractor.review_app.inputs import TEXT, describe_input
from extractor.schema import reader as schema_nodes
from extractor.schema.reader import Scalar, Schema
from extractor.schema.settling import settle_node
from extractor.types import Json

MAX_LINES = 20_000
"""Lines of a record that are told; the rest is counted."""

Line = dict[str, Any]


def build_view(state: Reviewed, schema: Schema | None) -> Line:
    """All that the browser needs to show a document and its record, but for pictures of its pages."""
    result = state.result
    declared = settle_node(schema.root, [read_value(state.root)]) if schema else None
    lines = list(_Lines(state).list_lines(state.root, declared))
    document = result.document
    return {
        "name": show_unseen(document.name),
        "status": str(result.status),
        "finished": state.finished,
        "people": [show_unseen(who) for who in state.people],
        "error": None if result.record is not None else _describe_error(state),
        "text": document.text,
        "unseen": list(_list_unseen(document.text)),
        "hidden": [[h.start, h.end] for h in document.hidden if h.end <= document.characters],
        "lines": lines[:MAX_LINES],
        "more": max(0, len(lines) - MAX_LINES),
        "rejected": [
            {
                "number": number,
                "where": _describe_path(entry.path),
                "text": show_unseen(format_plain(entry.value)),
                "reason": show_unseen(entry.reason),
                "confidence": entry.evidence.confidence if entry.evidence is not None else None,
                "spans": _list_spans(entry.evidence),
                "restored": state.restored.get(number),
            }
            for number, entry in enumerate(result.rejected)
            if not isinstance(entry.value, dict | list)
        ],
        "notes": [show_unseen(f"{p.message}") for p in result.problems if not p.path]
        + [show_unseen(f"A question about {f.group} brought no answer ({f.reason}).") for f in result.failures]
        + [show_unseen(f"{u.part} was not read: {u.message}") for u in document.unread],
        "lost": [
            show_unseen(f"{_describe_path(lost.path) or 'Document'}: {format_plain(lost.value)} – {lost.reason}")
            for lost in state.lost
        ],
    }


def judge_doubt(leaf: Leaf, is_opposed: bool) -> float | None:
    """How likely an undecided value is right; None where nothing is to be decided."""
    if leaf.verdict is not Verdict.OPEN or leaf.value is None:
        return None
    # a proof without words is false, and has a confidence all the same
    told = leaf.proof.confidence if leaf.proof is not None else None
    return min(told or 0.0, 0.5) if is_opposed else told or 0.0


class _Lines:
    def __init__(self, state: Reviewed) -> None:
        result = state.result
        self.conflicts: dict[str, list[ConflictEntry]] = {}
        for conflict in result.conflicts:
            self.conflicts.setdefault(conflict.path, []).append(conflict)
        self.problems: dict[str, list[str]] = {}
        for problem in result.problems:
            if problem.path:
                self.problems.setdefault(problem.path, []).append(show_unseen(problem.message))

    def list_lines(self, root: Node, schema: schema_nodes.Object | None) -> Iterator[Line]:
        yield from self.list_node(root, schema, "", "", 0, False)

    def list_node(
        self, node: Node | None, schema: schema_nodes.Node | None, path: str, label: str, depth: int, removed: bool
    ) -> Iterator[Line]:
        match schema:
            case schema_nodes.Object() if not isinstance(node, Entries):
                yield from self.list_fields(node, schema, path, label, depth, removed)
            case schema_nodes.ObjectList(row) if not isinstance(node, Fields):
                yield from self.list_entries(node, row, path, label, depth, removed, is_rows=True)
            case schema_nodes.ValueList(item) if not isinstance(node, Fields):
                yield from self.list_entries(node, item, path, label, depth, removed, is_rows=False)
            case _ if isinstance(node, Fields):
                yield from self.list_fields(node, None, path, label, depth, removed)
            case _ if isinstance(node, Entries):
                rows = any(not isinstance(entry.node, Leaf) for entry in node.items)
                yield from self.list_entries(node, None, path, label, depth, removed, is_rows=rows)
            case _:
                leaf = node if isinstance(node, Leaf) else Leaf()
                yield self.describe_leaf(
                    leaf, schema if isinstance(schema, Scalar) else TEXT, path, label, depth, removed
                )

    def list_fields(
        self, node: Node | None, schema: schema_nodes.Object | None, path: str, label: str, depth: int, removed: bool
    ) -> Iterator[Line]:
        if path and label:
            yield {"type": "group", "path": path, "label": label, "depth": depth}
            depth += 1
        own = node.fields if isinstance(node, Fields) else {}
        known = {f.name: f for f in schema.fields} if schema else {}
        order = dict.fromkeys([*(name for name in known), *own])
        for name in order:
            declared = known[name].node if name in known else None
            if isinstance(declared, schema_nodes.Scalar) and name not in own and schema is not None and schema.branches:
                continue
            said = show_unseen(name.replace("_", " "))
            yield from self.list_node(own.get(name), declared, step_down(path, name), said, depth, removed)

    def list_entries(
        self,
        node: Node | None,
        schema: schema_nodes.Node | None,
        path: str,
        label: str,
        depth: int,
        removed: bool,
        *,
        is_rows: bool,
    ) -> Iterator[Line]:
        entries = node.items if isinstance(node, Entries) else []
        held = sum(not entry.removed for entry in entries)
        yield {
            "type": "list", "path": path, "label": label, "depth": depth, "rows": is_rows, "count": held,
            "length": len(entries), "removed": removed,
        }  # fmt: skip
        for number, entry in enumerate(entries):
            at = f"{path}/{number}"
            if is_rows:
                yield self.describe_row(entry, at, number, depth + 1, removed or entry.removed)
                yield from self.list_node(entry.node, schema, at, "", depth + 2, removed or entry.removed)
            else:
                yield from self.list_node(entry.node, schema, at, str(number + 1), depth + 1, removed or entry.removed)

    def describe_row(self, entry: Entry, path: str, number: int, depth: int, removed: bool) -> Line:
        title = next((leaf.value for _, leaf, _ in walk_tree(entry.node) if isinstance(leaf.value, str)), "")
        return {
            "type": "row", "path": path, "label": str(number + 1), "depth": depth, "removed": removed,
            "added": entry.added, "title": show_unseen(format_plain(title))[:120], "position": number,
        }  # fmt: skip

    def describe_leaf(self, leaf: Leaf, schema: Scalar, path: str, label: str, depth: int, removed: bool) -> Line:
        conflicts, problems = self.conflicts.get(path, []), self.problems.get(path, [])
        doubt = None if removed else judge_doubt(leaf, bool(conflicts or problems))
        proof = leaf.proof
        line: Line = {
            "type": "leaf",
            "path": path,
            "label": label,
            "depth": depth,
            "value": leaf.value,
            "text": None if leaf.value is None else show_unseen(format_plain(leaf.value)),
            "input": describe_input(schema),
            "verdict": str(leaf.verdict),
            "doubt": doubt,
            "spans": _list_spans(proof),
        }
        rare: Line = {
            "removed": removed,
            "first": show_unseen(format_plain(leaf.first))
            if leaf.verdict in _CHANGED and leaf.first is not None
            else "",
            "match": str(proof.match) if proof is not None and leaf.value is not None else "",
            "said": show_unseen(proof.said) if proof is not None and proof.said != format_plain(leaf.value) else "",
            "findings": [f for f in proof.findings if f != "reviewed"] if proof is not None else [],
            "problems": problems,
            "others": [
                {"text": show_unseen(format_plain(c.other.value)), "spans": _list_spans(c.other.evidence)}
                for c in conflicts
            ],
            "boxes": [
                [place.page, *(round(float(edge), 2) for edge in place.box)]
                for quote in (proof.spans if proof else ())
                for place in quote.places
                if place.page and not place.attachment and len(place.box) == 4
            ],
            "places": sorted({place.page for quote in proof.spans for place in quote.places if place.page})
            if proof
            else [],
        }
        return line | {key: told for key, told in rare.items() if told}


_CHANGED = (Verdict.CORRECTED, Verdict.REJECTED, Verdict.RESTORED)


def list_doubts(state: Reviewed) -> Iterator[tuple[str, float]]:
    """(field, confidence) of every value that is still to be decided; the field without numbers of rows."""
    opposed = {c.path for c in state.result.conflicts} | {p.path for p in state.result.problems if p.path}
    for path, leaf, removed in walk_tree(state.root):
        doubt = None if removed else judge_doubt(leaf, path in opposed)
        if doubt is not None:
            yield name_field(path), doubt


def name_field(path: str) -> str:
    steps = [step for step in path.split("/")[1:] if not step.isdecimal()]
    return ".".join(step.replace("~1", "/").replace("~0", "~") for step in steps)


def find_record_path(root: Node, path: Sequence[str]) -> tuple[str | int, ...]:
    """A place of the tree as a place of the record, where rows that were removed have no number."""
    found: list[str | int] = []
    at: Node | None = root
    for step in path:
        if isinstance(at, Entries):
            number = int(step)
            before = Entries(at.items[:number])
            found.append(len(read_value(before)))
            at = at.items[number].node if number < len(at.items) else None
        else:
            found.append(step)
            at = at.fields.get(step) if isinstance(at, Fields) else None
    return tuple(found)


def _list_spans(proof: Proof | None) -> list[list[int]]:
    return [[quote.start, quote.end] for quote in proof.spans] if proof else []


def _list_unseen(text: str) -> Iterator[list[Json]]:
    at = 0
    for kind, what in split_unseen(text):
        length = len(what) if kind == "text" else 1
        if kind != "text":
            yield [at, at + 1, "␍" if kind == "return" else spell_unseen(what)]
        at += length


def _describe_error(state: Reviewed) -> str:
    error = state.result.error
    return show_unseen(error.message if error else "The document was not read.")


def _describe_path(path: str) -> str:
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]
    words: list[str] = []
    for step in steps:
        if step.isdecimal() and words and len(step) < 10:
            words[-1] += f" {int(step) + 1}"
        else:
            words.append(step.replace("_", " "))
    return show_unseen(" › ".join(words))
