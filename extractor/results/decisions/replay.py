"""A result and the decisions about it -> what a person made of it. The same for the same, and never fails.

Decisions are about the result that their person saw. Where a later run has written another, what was made of the one
is carried over to the other (`carry`) before the next decisions are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from extractor.results.decisions.carry import carry_over
from extractor.results.decisions.decision import EDITS, Action, Decision, Words, drop_undone
from extractor.results.decisions.state import Lost, Reviewed, start_review
from extractor.results.decisions.tree import (
    Entry,
    Leaf,
    Verdict,
    find_entry,
    find_node,
    grow_tree,
    make_entries,
    make_leaf,
    walk_tree,
)
from extractor.results.model import ResultFile
from extractor.results.parts import Proof, Quote
from extractor.types import Json, Match


@dataclass(frozen=True, slots=True)
class SeenResult:
    """A result file as it was read, by the digest of its bytes."""

    sha256: str
    file: ResultFile


FindSeen = Callable[[str], ResultFile | None]
"""Finds the result of a digest that a person saw once; None where it is not kept."""


def replay_decisions(current: SeenResult, decisions: Sequence[Decision], find_seen: FindSeen) -> Reviewed:
    """What the decisions make of the result as it is now.

    `lost` of it are the decisions that could not be kept, with the reason.
    """
    holding = drop_undone(tuple(decisions))
    state: Reviewed | None = None
    for seen, run in groupby(holding, key=lambda decision: decision.seen):
        made = list(run)
        result = current.file if seen == current.sha256 else find_seen(seen)
        if result is None:
            gone = "The result that it was about is not there any more."
            lost = [Lost(d.path, d.after if d.action in EDITS else d.before, gone) for d in made]
            state = state or start_review(current.file)
            state.lost += lost
            continue
        state = carry_over(state, result) if state is not None else start_review(result)
        for decision in made:
            apply_decision(state, decision)
    if state is None:
        return start_review(current.file)
    return state if state.result is current.file else carry_over(state, current.file)


def apply_decision(state: Reviewed, decision: Decision) -> None:
    """Applies a decision to the state of the result that it was made on; one that does not fit is listed as lost."""
    try:
        fits = _APPLY[decision.action](state, decision)
    except ValueError:
        fits = False
    if not fits:
        state.lost.append(Lost(decision.path, decision.after, "The record has no such place."))
        return
    state.edits += decision.action in EDITS
    if decision.who not in state.people:
        state.people.append(decision.who)


def _accept(state: Reviewed, decision: Decision) -> bool:
    node = find_node(state.root, decision.path)
    if node is None:
        return False
    for _, leaf, removed in walk_tree(node):
        if not removed and leaf.verdict is Verdict.OPEN and leaf.value is not None:
            leaf.verdict = Verdict.ACCEPTED
    return True


def _set_value(state: Reviewed, decision: Decision) -> bool:
    leaf = make_leaf(state.root, decision.path)
    if leaf is None or isinstance(decision.after, dict | list):
        return False
    was_there = leaf.first is not None
    leaf.value = decision.after
    leaf.proof = _prove(decision, state.result.document.text)
    if decision.action is Action.RESTORE:
        leaf.verdict = Verdict.RESTORED
    else:
        leaf.verdict = Verdict.CORRECTED if was_there else Verdict.ADDED
    if (entry := find_entry(state.root, decision.path)) is not None:
        entry[0].items[entry[1]].removed = False
    return True


def _restore(state: Reviewed, decision: Decision) -> bool:
    if decision.position is None or decision.position >= len(state.result.rejected):
        return False
    if not _set_value(state, decision):
        return False
    state.restored[decision.position] = decision.path
    return True


def _reject(state: Reviewed, decision: Decision) -> bool:
    leaf = find_node(state.root, decision.path)
    if not isinstance(leaf, Leaf):
        return False
    leaf.value, leaf.proof, leaf.verdict = None, None, Verdict.REJECTED
    return True


def _add_row(state: Reviewed, decision: Decision) -> bool:
    entries = make_entries(state.root, decision.path)
    if entries is None or not isinstance(decision.after, dict):
        return False
    place = len(entries.items) if decision.position is None else min(decision.position, len(entries.items))
    node = grow_tree(decision.after, {})
    for _, leaf, _ in walk_tree(node):
        leaf.first = None
        leaf.verdict = Verdict.OPEN if leaf.value is None else Verdict.ADDED
    entries.items.insert(place, Entry(node, added=True))
    return True


def _remove_row(state: Reviewed, decision: Decision) -> bool:
    found = find_entry(state.root, decision.path)
    if found is None:
        return False
    found[0].items[found[1]].removed = True
    return True


def _move_row(state: Reviewed, decision: Decision) -> bool:
    found = find_entry(state.root, decision.path)
    if found is None or decision.position is None or decision.position >= len(found[0].items):
        return False
    entries, number = found
    entries.items.insert(decision.position, entries.items.pop(number))
    return True


def _finish(state: Reviewed, decision: Decision) -> bool:
    _accept(state, replace(decision, path=""))
    state.finished = True
    state.finished_at = decision.at
    return True


def _reopen(state: Reviewed, decision: Decision) -> bool:
    state.finished = False
    return True


def _prove(decision: Decision, text: str) -> Proof | None:
    return prove_by_words(decision.after, decision.evidence, text)


def prove_by_words(value: Json, evidence: Sequence[Words], text: str) -> Proof | None:
    """The proof of a value that a person gave, by the words that they chose; None where they chose none.

    Words that the text does not have there are left out.
    """
    if value is None:
        return None
    said = value if isinstance(value, str) else str(value)
    standing = sorted(
        {(w.start, w.end): w for w in evidence if text[w.start : w.end] == w.quote}.items(), key=lambda one: one[0]
    )
    spans = [Quote(start=w.start, end=w.end, quote=w.quote) for _, w in standing]
    words = " ".join(w.quote for _, w in standing)
    if not spans:
        match = Match.NONE
    elif said == words:
        match = Match.EXACT
    else:
        match = (
            Match.NORMALISED
            if " ".join(said.split()).casefold() == " ".join(words.split()).casefold()
            else Match.DERIVED
        )
    return Proof(match=match, spans=spans, said=said, confidence=1.0, findings=[REVIEWED])


REVIEWED = "reviewed"
"""The finding of a value that a person decided about."""

_APPLY: dict[Action, Callable[[Reviewed, Decision], bool]] = {
    Action.ACCEPT: _accept,
    Action.CORRECT: _set_value,
    Action.ADD: _set_value,
    Action.REJECT: _reject,
    Action.ADD_ROW: _add_row,
    Action.REMOVE_ROW: _remove_row,
    Action.MOVE_ROW: _move_row,
    Action.RESTORE: _restore,
    Action.FINISH: _finish,
    Action.REOPEN: _reopen,
}
