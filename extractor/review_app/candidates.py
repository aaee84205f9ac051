"""Values that may be meant at a place, so that a person takes one by a digit and need not type it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from extractor.results.decisions.decision import Words
from extractor.results.decisions.state import Reviewed
from extractor.results.decisions.tree import Entries, Leaf, find_entry, find_node, walk_tree
from extractor.results.parts import Quote
from extractor.results.unseen import show_unseen
from extractor.review_app.inputs import Candidate, find_formed_candidates
from extractor.review_app.view import name_field
from extractor.schema.kinds import Reading
from extractor.schema.reader import Scalar
from extractor.types import Json

MAX_CANDIDATES = 9
"""Values that are offered for a place, each by a digit."""


def list_candidates(state: Reviewed, path: str, leaf: Scalar) -> list[dict[str, Json]]:
    """Values that may be meant at a place: what else was said of it, then what stands near in the document."""
    node = find_node(state.root, path)
    current = node.value if isinstance(node, Leaf) else None
    found: dict[str, Candidate] = {}
    for candidate in _iterate_candidates(state, path, leaf):
        if candidate.value != current:
            found.setdefault(repr(candidate.value), candidate)
        if len(found) == MAX_CANDIDATES:
            break
    return [
        {
            "value": one.value,
            "text": show_unseen(str(one.value)),
            "source": one.source,
            "rejected": one.rejected,
            "spans": [[words.start, words.end] for words in one.words],
        }
        for one in found.values()
    ]


def _iterate_candidates(state: Reviewed, path: str, leaf: Scalar) -> Iterator[Candidate]:
    node, text = find_node(state.root, path), state.result.document.text
    if isinstance(node, Leaf) and node.value != node.first and node.first is not None:
        proof = node.first_proof
        yield Candidate(node.first, _quote_words(proof.spans if proof else ()), "the run said")
    for conflict in state.result.conflicts:
        if conflict.path == path:
            yield Candidate(conflict.other.value, _quote_words(conflict.other.evidence.spans), "said elsewhere")
    yield from _list_left_out(state, path)
    if isinstance(node, Entries):
        return
    yield from find_formed_candidates(leaf, text, Reading.of(text), find_nearness(state, path))


def _list_left_out(state: Reviewed, path: str) -> Iterator[Candidate]:
    """What was said of a place, or would be an entry of the list there, and was left out; its own row's first."""
    is_list = isinstance(find_node(state.root, path), Entries)
    field = name_field(path)
    fitting = [
        (entry.path != path, number, entry)
        for number, entry in enumerate(state.result.rejected)
        if number not in state.restored
        and not isinstance(entry.value, dict | list)
        and name_field(entry.path) == field
        and (not is_list or entry.path.rpartition("/")[0] == path)
    ]
    for _, number, entry in sorted(fitting, key=lambda one: one[:2]):
        yield Candidate(entry.value, _quote_words(entry.evidence.spans if entry.evidence else ()), "left out", number)


def find_nearness(state: Reviewed, path: str) -> int | None:
    """Where the row of a place stands in the text, so that of several places the right one is taken.

    None where it is in no row whose words are known.
    """
    above = path
    while above:
        above = above.rpartition("/")[0]
        node = find_node(state.root, above)
        starts = [
            quote.start
            for _, leaf, _ in (walk_tree(node) if node is not None else ())
            for proof in (leaf.proof or leaf.first_proof,)
            for quote in (proof.spans if proof else ())
        ]
        if starts and find_entry(state.root, above):
            return sorted(starts)[len(starts) // 2]
    return None


def _quote_words(spans: Sequence[Quote]) -> tuple[Words, ...]:
    return tuple(Words(q.start, q.end, q.quote) for q in spans)
