"""Where a value that was left out belongs in the record, when a person takes it back."""

from __future__ import annotations

from extractor.results.decisions.decision import split_pointer
from extractor.results.decisions.state import Reviewed
from extractor.results.decisions.tree import Entries, Leaf, Node, find_node, walk_tree
from extractor.results.parts import RejectedEntry
from extractor.review_app.inputs import find_schema_node
from extractor.schema.reader import ObjectList, Scalar, Schema, ValueList
from extractor.types import Json


def choose_place(state: Reviewed, entry: RejectedEntry, schema: Schema | None) -> str | None:
    """A pointer into the tree for a rejected value; None where the record has no place for it.

    The path of a rejected value counts the rows of the reply, which are not those of the record: the row is known by
    the other values that were said of it. Where the record has no such row, one is added behind the others.
    """
    if isinstance(entry.value, dict | list):
        return None
    steps = split_pointer(entry.path)
    if schema is not None and not isinstance(find_schema_node(schema.root, steps), Scalar):
        return None
    for depth, step in enumerate(steps):
        if not step.isdecimal():
            continue
        above = "".join(f"/{_escape(s)}" for s in steps[:depth])
        node = find_node(state.root, above)
        declared = find_schema_node(schema.root, steps[:depth]) if schema else None
        length = len(node.items) if isinstance(node, Entries) else 0
        if isinstance(declared, ValueList) or (declared is None and depth == len(steps) - 1):
            steps[depth] = str(length)
            break
        if isinstance(declared, ObjectList) or declared is None:
            steps[depth] = str(_find_row(state, steps, depth, node, entry))
    return "".join(f"/{_escape(s)}" for s in steps)


def _find_row(state: Reviewed, steps: list[str], depth: int, node: Node | None, entry: RejectedEntry) -> int:
    """The number of the row that the value was said of."""
    if not isinstance(node, Entries):
        return 0
    prefix = "".join(f"/{_escape(s)}" for s in steps[: depth + 1]) + "/"
    placed = [path for number, path in state.restored.items() if _said_of(state, number).startswith(prefix)]
    if placed:  # another value of the same row of the reply was taken back before
        return int(split_pointer(placed[-1])[depth])
    own = int(steps[depth])
    fitting = [n for n, one in enumerate(node.items) if not one.removed and _is_free(one.node, steps[depth + 1 :])]
    near = entry.evidence.spans[0].start if entry.evidence and entry.evidence.spans else None
    if near is not None:
        reach = {n: span for n in fitting if (span := _reach(node.items[n].node)) is not None}
        inside = [n for n, (start, end) in reach.items() if start - 80 <= near <= end + 80]
        if inside:
            return min(inside, key=lambda n: abs(n - own))
    elif own in fitting:
        return own
    return len(node.items)


def _said_of(state: Reviewed, number: int) -> str:
    return state.result.rejected[number].path if number < len(state.result.rejected) else ""


def _is_free(node: Node, steps: list[str]) -> bool:
    try:
        found = find_node(node, "".join(f"/{_escape(s)}" for s in steps))
    except ValueError:
        return False
    return found is None or isinstance(found, Entries) or (isinstance(found, Leaf) and found.value is None)


def _reach(node: Node) -> tuple[int, int] | None:
    """From where to where the words of a row stand."""
    spans = [q for _, leaf, _ in walk_tree(node) if leaf.proof for q in leaf.proof.spans]
    return (min(q.start for q in spans), max(q.end for q in spans)) if spans else None


def _escape(step: Json) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")
