"""What was decided about one result, carried over to another of the same document.

A decision holds as long as its words stand in the document, wherever they stand now. Rows are known again by their
values and words, not by their numbers. What is not found again is listed as lost, with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from extractor.results.decisions.decision import step_down
from extractor.results.decisions.state import Lost, Reviewed, start_review
from extractor.results.decisions.tree import Entries, Entry, Fields, Leaf, Node, Verdict, read_value, walk_tree
from extractor.results.model import ResultFile
from extractor.results.parts import Proof, Quote

GONE = "Its words do not stand in the document any more."
NO_WORDS = "It has no words by which it could be found in the changed document."
OTHER_VALUE = "The new result says something else there."
MOST_ALIKE = 64
"""Rows that may share a value which they are known by."""
NO_ROW = "Its row is not in the new result."


def carry_over(before: Reviewed, result: ResultFile) -> Reviewed:
    """The new result with the decisions about the old one that still hold."""
    after = start_review(result)
    mover = _Mover(before.result.document.text, result.document.text)
    after.root = mover.carry_node(before.root, after.root, "")
    after.lost = [*before.lost, *mover.lost]
    after.edits, after.people = before.edits, list(before.people)
    if before.finished:
        # What is new in the result, or lost, wants to be looked at.
        after.finished = not mover.lost and read_value(after.root) == read_value(before.root)
        after.finished_at = before.finished_at if after.finished else ""
        if not after.finished:
            after.lost.append(Lost("", None, "The new result says other things, so the document is open again."))
    _carry_restored(before, after)
    return after


def _carry_restored(before: Reviewed, after: Reviewed) -> None:
    """Values that were taken back are no longer shown as left out."""
    taken = [(before.result.rejected[n].path, before.result.rejected[n].value) for n in before.restored]
    for number, entry in enumerate(after.result.rejected):
        if (entry.path, entry.value) in taken:
            after.restored[number] = entry.path


class _Mover:
    def __init__(self, old_text: str, text: str) -> None:
        self.text = text
        self.is_same = old_text == text
        self.lost: list[Lost] = []

    def carry_node(self, old: Node, new: Node | None, path: str) -> Node:
        """The new node with what was decided about the old one; the old one itself where the new result has none."""
        if isinstance(old, Fields):
            held = new if isinstance(new, Fields) else Fields()
            for key, inner in old.fields.items():
                has_place = key in held.fields
                if has_place or _is_decided(inner):
                    held.fields[key] = self.carry_node(inner, held.fields.get(key), step_down(path, key))
            return held
        if isinstance(old, Entries):
            return self.carry_entries(old, new if isinstance(new, Entries) else Entries(), path)
        return self.carry_leaf(old, new, path)

    def carry_leaf(self, old: Leaf, new: Node | None, path: str) -> Node:
        if old.verdict is Verdict.OPEN:
            return new if new is not None else Leaf()
        leaf = new if isinstance(new, Leaf) else Leaf()
        if isinstance(new, Entries | Fields):
            self.lost.append(Lost(path, old.value, OTHER_VALUE))
            return new
        if old.verdict is Verdict.REJECTED:
            if leaf.value is None or leaf.value == old.first:
                return Leaf(None, None, Verdict.REJECTED, leaf.first, leaf.first_proof)
            self.lost.append(Lost(path, old.first, OTHER_VALUE))
            return leaf
        moved = self.move_proof(old.proof)
        if isinstance(moved, str):
            if leaf.value == old.value and leaf.proof is not None and leaf.proof.spans:
                moved = leaf.proof  # the new result has the value, and words for it
            else:
                self.lost.append(Lost(path, old.value, moved))
                return leaf
        same = leaf.value == old.value
        proof = leaf.proof if old.verdict is Verdict.ACCEPTED and same else moved
        return Leaf(old.value, proof, old.verdict, leaf.first, leaf.first_proof)

    def move_proof(self, proof: Proof | None) -> Proof | str | None:
        """The proof with its words where they stand now; why not, where they do not."""
        if self.is_same:
            return proof
        if proof is None or not proof.spans:
            return NO_WORDS
        moved = [self.move_words(quote) for quote in proof.spans]
        if any(quote is None for quote in moved):
            return GONE
        return replace(proof, spans=[quote for quote in moved if quote is not None])

    def move_words(self, quote: Quote) -> Quote | None:
        """The same words where they stand now, nearest to where they stood."""
        if self.text[quote.start : quote.end] == quote.quote:
            return quote
        after = self.text.find(quote.quote, quote.start)
        before = self.text.rfind(quote.quote, 0, quote.start + len(quote.quote))
        places = [at for at in (after, before) if at >= 0]
        if not places:
            return None
        at = min(places, key=lambda place: abs(place - quote.start))
        return Quote(start=at, end=at + len(quote.quote), quote=quote.quote)

    def carry_entries(self, old: Entries, new: Entries, path: str) -> Entries:
        pairs = _pair_entries(old.items, new.items)
        partner = {id(one): other for one, other in pairs}
        taken = {id(other) for _, other in pairs}
        carried: list[Entry] = []
        for number, entry in enumerate(old.items):
            at, other = f"{path}/{number}", partner.get(id(entry))
            if other is not None:
                node = self.carry_node(entry.node, other.node, at)
                carried.append(Entry(node, entry.removed, entry.added, other.origin))
            elif entry.removed or not (entry.added or _is_decided(entry.node)):
                continue  # neither run nor person has it
            elif (kept := self.keep_row(entry, at)) is not None:
                carried.append(kept)
        fresh = [entry for entry in new.items if id(entry) not in taken]
        if _is_in_order(old.items):
            return Entries(_weave(carried, fresh))
        return Entries([*carried, *fresh])

    def keep_row(self, entry: Entry, path: str) -> Entry | None:
        """A row that the new result does not have, with those of its values whose words still stand."""
        before = len(self.lost)
        node = self.carry_node(entry.node, None, path)
        if self.is_same or any(leaf.value is not None for _, leaf, _ in walk_tree(node)):
            return Entry(node, added=True)
        if len(self.lost) == before:
            self.lost.append(Lost(path, read_value(entry.node), NO_ROW))
        return None


def _is_decided(node: Node) -> bool:
    if isinstance(node, Entries):
        return any(entry.removed or entry.added or _is_decided(entry.node) for entry in node.items)
    if isinstance(node, Fields):
        return any(map(_is_decided, node.fields.values()))
    return node.verdict is not Verdict.OPEN


def _pair_entries(old: Sequence[Entry], new: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    """Which entry is which: the likest first, each once."""
    sizes: list[int] = []
    holders: dict[tuple[str, str], list[int]] = {}
    for j, entry in enumerate(new):
        marks = _mark_entry(entry)
        sizes.append(len(marks))
        for mark in marks:
            holders.setdefault(mark, []).append(j)
    scored = []
    for i, entry in enumerate(old):
        own = _mark_entry(entry)
        # what many rows have tells none of them apart, and costs their number squared
        shared = Counter(j for mark in own if len(found := holders.get(mark, ())) <= MOST_ALIKE for j in found)
        scored += [(-2 * n / (len(own) + sizes[j]), abs(i - j), i, j) for j, n in shared.items()]
    pairs: list[tuple[Entry, Entry]] = []
    used: tuple[set[int], set[int]] = (set(), set())
    for _, _, i, j in sorted(scored):
        if i not in used[0] and j not in used[1]:
            used[0].add(i)
            used[1].add(j)
            pairs.append((old[i], new[j]))
    return pairs


def _mark_entry(entry: Entry) -> set[tuple[str, str]]:
    """What an entry is known by: the values it has and had, by field, and the words behind them."""
    found = set()
    for path, leaf, _ in walk_tree(entry.node):
        field = "/".join(step for step in path.split("/") if not step.isdecimal())
        found |= {(field, repr(value)) for value in (leaf.value, leaf.first) if value is not None}
        for proof in (leaf.proof, leaf.first_proof):
            found |= {(f"{field} words", quote.quote) for quote in (proof.spans if proof else ())}
    return found


def _is_in_order(entries: Sequence[Entry]) -> bool:
    origins = [entry.origin for entry in entries if entry.origin is not None]
    return origins == sorted(origins)


def _weave(carried: Sequence[Entry], fresh: Sequence[Entry]) -> list[Entry]:
    """New rows among those that were known, where the new result has them."""
    woven = list(carried)
    for entry in fresh:
        place = next(
            (n for n, one in enumerate(woven) if one.origin is not None and one.origin > (entry.origin or 0)),
            len(woven),
        )
        woven.insert(place, entry)
    return woven
