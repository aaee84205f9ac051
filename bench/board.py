"""DocuBench's published rules: the score of a record, and which leaf of it stands for which of another.

Numbers are rounded to six decimals; texts are compared without case, white space and punctuation; leaves outside of
lists are right or wrong, and skipped where both are blank; items of a list are paired greedily by the share of equal
leaves in the union of both, those without a partner count in the denominator; a list weighs the average number of
leaves of a labelled item times its length. Nothing of the project is used, so that a fault there cannot hide here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

Json = Any
Where = tuple[str | int, ...]
BLANK = (None, "")


@dataclass(frozen=True, slots=True)
class Pair:
    """A leaf of the gold record beside the one at its aligned place; None where a side has no such place."""

    gold_at: Where | None
    gold: Json
    said_at: Where | None
    said: Json
    listed: bool = False
    """In a list, at any depth."""

    @property
    def right(self) -> bool:
        return plain(self.gold) == plain(self.said)


def load(folder: Path, kind: str, name: str) -> Json:
    return json.loads((folder / kind / f"{name}.json").read_text(encoding="utf-8"))


def names(folder: Path) -> list[str]:
    return sorted(path.stem for path in (folder / "labels").glob("*.json"))


def schema(folder: Path, name: str) -> dict[str, Json]:
    """The document's schema, out of the wrapper that some interfaces put round it."""
    found = load(folder, "schemas", name)
    while "properties" not in found and isinstance(found.get("schema", found.get("json_schema")), dict):
        found = found.get("schema", found.get("json_schema"))
    return found


def answer(folder: Path, name: str, whose: str) -> Json:
    """What a system said of the document; None where it said nothing. `labels` are the right answers."""
    return load(folder, "labels", name) if whose == "labels" else load(folder, f"results/{whose}", name).get("data")


def plain(value: Json) -> Json:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return round(float(value), 6)
    return re.sub(r"[\W_]+", "", value.lower())


def said(value: Json) -> bool:
    return plain(value) not in BLANK


def raw(value: Json, at: Where = ()) -> Iterator[tuple[Where, Json]]:
    """The leaves that say something, as they are."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from raw(inner, (*at, name))
    elif said(value):
        yield at, value


def flat(value: Json) -> dict[Where, Json]:
    return {at: plain(one) for at, one in raw(value)}


def paired(gold: Sequence[Json], told: Sequence[Json]) -> tuple[list[tuple[int, int]], float]:
    """Which item stands for which, best likeness first, and the sum of the likenesses."""
    ones, others = [frozenset(flat(g).items()) for g in gold], [frozenset(flat(t).items()) for t in told]
    keys = [{at for at, _ in one} for one in ones], [{at for at, _ in one} for one in others]
    every = [
        (len(a & b) / max(1, len(keys[0][i] | keys[1][j])), i, j)
        for i, a in enumerate(ones)
        for j, b in enumerate(others)
    ]
    every.sort(key=lambda one: -one[0])
    left, right = set(range(len(gold))), set(range(len(told)))
    pairs, score = [], 0.0
    for share, i, j in every:
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
            pairs.append((i, j))
            score += share
    return pairs, score


def parts(shape: Mapping[str, Json], label: Json, found: Json) -> Iterator[tuple[float, float]]:
    """(score, weight) of the leaves outside of lists, and of every list."""
    right = total = 0
    for name, one in shape.get("properties", {}).items():
        gold, told = (label or {}).get(name), (found or {}).get(name)
        if "properties" in one:
            yield from parts(one, gold, told)
        elif "items" in one:
            yield from _listed(gold or [], told or [])
        elif said(gold) or said(told):
            right, total = right + (plain(gold) == plain(told)), total + 1
    if total:
        yield right / total, total


def _listed(gold: Sequence[Json], told: Sequence[Json]) -> Iterator[tuple[float, float]]:
    if gold or told:
        size = mean(len(flat(item)) for item in gold or told)
        yield paired(gold, told)[1] / max(len(gold), len(told)), size * (len(gold) or len(told))


def score(shape: Mapping[str, Json], label: Json, found: Json) -> float:
    weighed = list(parts(shape, label, found))
    weight = sum(weight for _, weight in weighed)
    return sum(score * weight for score, weight in weighed) / weight if weight else 1.0


def align(shape: Mapping[str, Json], gold: Json, told: Json, at: tuple[Where, Where] = ((), ())) -> Iterator[Pair]:
    """Every leaf that either side says, at the place that the rules give it on the other."""
    for name, one in shape.get("properties", {}).items():
        a, b = (gold or {}).get(name), (told or {}).get(name)
        places = (*at[0], name), (*at[1], name)
        if "properties" in one:
            yield from align(one, a, b, places)
        elif "items" in one:
            yield from _aligned(a or [], b or [], *places)
        elif said(a) or said(b):
            yield Pair(places[0], a, places[1], b)


def _aligned(gold: Sequence[Json], told: Sequence[Json], left: Where, right: Where) -> Iterator[Pair]:
    pairs, _ = paired(gold, told)
    for i, j in pairs:
        ours, theirs = dict(raw(gold[i])), dict(raw(told[j]))
        for at in [*ours, *(p for p in theirs if p not in ours)]:
            yield Pair((*left, i, *at), ours.get(at), (*right, j, *at), theirs.get(at), listed=True)
    for i in set(range(len(gold))) - {i for i, _ in pairs}:
        yield from (Pair((*left, i, *at), one, None, None, listed=True) for at, one in raw(gold[i]))
    for j in set(range(len(told))) - {j for _, j in pairs}:
        yield from (Pair(None, None, (*right, j, *at), one, listed=True) for at, one in raw(told[j]))


def placed(gold: Json, told: Json) -> Iterator[Pair]:
    """Every leaf that either side says beside the one at the very same place, the rows counted from the first."""
    ours, theirs = dict(raw(gold)), dict(raw(told))
    for at in [*ours, *(p for p in theirs if p not in ours)]:
        yield Pair(at, ours.get(at), at, theirs.get(at), listed=any(isinstance(step, int) for step in at))
