"""Whether the evidence of right values lies on the words that a person points at, with a model that says gold.

    python bench/evidence.py [--only PATTERN] [--json]

The documents, schemas, right records and labels are those of eval/evidence; its LABELING.md says how they were made.
A leaf counts where gold has words for it. It is hit where a span of its evidence overlaps a labelled one, exact where
they are the same, and tight where no span lies elsewhere and they are together at most twice as long as the label.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import scene

from extractor.types import Document, Record, Span, json_pointer

FOLDER = scene.ROOT / "eval" / "evidence"
BAR = 0.95
AROUND = 24
"""Characters shown on each side of words that are missed."""

Json = Any
Place = tuple[str | int, ...]


def extracted(sample: Path, schema: Path, gold: Mapping[str, Json]) -> Record:
    """The record of a sample, asked for as a bare schema is, of a model that says what gold says of each property.

    All that ties this file to the pipeline is here.
    """
    from extractor.documents.discovery import load_document
    from extractor.extraction.pipeline import Reading, extract_record
    from extractor.extraction.task import task_from_schema
    from extractor.models.traits import STRONG
    from extractor.testing import ScriptedModel

    asked = task_from_schema(str(schema))
    prompt, model = asked.choose_prompt(None), ScriptedModel(gold)
    return asyncio.run(extract_record(load_document(sample), asked, prompt, model, model.name, reading=Reading(STRONG)))


@dataclass(frozen=True)
class Miss:
    """A labelled leaf whose evidence is not where the label is."""

    document: str
    pointer: str
    value: Json
    why: str
    """lost, without words, or elsewhere."""
    wanted: str
    found: str


@dataclass
class Tally:
    """Counts over leaves: all that gold says, and of these the ones that have words."""

    counts: Counter[str] = field(default_factory=Counter)
    misses: list[Miss] = field(default_factory=list)

    def share(self, name: str) -> float:
        return self.counts[name] / max(self.counts["labelled"], 1)

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.counts + other.counts, self.misses + other.misses)

    def told(self) -> dict[str, Json]:
        shares = {f"{name}_share": round(self.share(name), 4) for name in ("hit", "exact", "tight")}
        return {**{name: self.counts[name] for name in COLUMNS}, **shares}


COLUMNS = ("said", "kept", "proved", "labelled", "hit", "exact", "tight")


def leaves(value: Json, path: Place = ()) -> Iterator[tuple[Place, Json]]:
    if isinstance(value, Mapping | list):
        for step, part in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from leaves(part, (*path, step))
    elif value is not None:
        yield path, value


def paired(gold: Json, found: Json, here: Place = (), there: Place = ()) -> Iterator[tuple[Place, Place]]:
    """Gold's leaves and the record's that answer them, also where rows were lost on the way."""
    if isinstance(gold, Mapping) and isinstance(found, Mapping):
        for name in gold:
            yield from paired(gold[name], found.get(name), (*here, name), (*there, name))
    elif isinstance(gold, list) and isinstance(found, list):
        for i, j in aligned(gold, found):
            yield from paired(gold[i], found[j], (*here, i), (*there, j))
    elif gold is not None and found is not None:
        yield here, there


def aligned(gold: Sequence[Json], found: Sequence[Json]) -> list[tuple[int, int]]:
    """Rows of both lists in order, paired so that most leaves agree."""
    if len(gold) == len(found):
        return [(i, i) for i in range(len(gold))]
    ours, theirs = ([set(map(str, leaves(row))) for row in rows] for rows in (gold, found))
    best = [[(0, ())] * (len(found) + 1) for _ in range(len(gold) + 1)]
    for i, a in enumerate(ours):
        for j, b in enumerate(theirs):
            agreed, pairs = best[i][j]
            both = (agreed + len(a & b), (*pairs, (i, j))) if a & b else best[i][j]
            best[i + 1][j + 1] = max(both, best[i][j + 1], best[i + 1][j], key=lambda course: course[0])
    return list(best[-1][-1][1])


def labelled(text: str, label: Json) -> list[Span]:
    """The spans of a label: none where no words state the value, several where a person accepts each."""
    spans = []
    for one in label if isinstance(label, list) else filter(None, [label]):
        start = text.index(one["before"] + one["quote"]) + len(one["before"])
        spans.append(Span(start, start + len(one["quote"])))
    return spans


def tight(found: Sequence[Span], wanted: Sequence[Span]) -> bool:
    touched = [w for w in wanted if any(f.overlaps(w) for f in found)]
    clean = all(any(f.overlaps(w) for w in wanted) for f in found)
    return clean and sum(map(len, found)) <= 2 * sum(map(len, touched))


def shown(document: Document, spans: Sequence[Span]) -> str:
    """The words of spans in brackets, each with what stands around it."""
    quoted = []
    for span in spans:
        before, after = document.text[max(0, span.start - AROUND) : span.start], document.text[span.end :][:AROUND]
        quoted.append(f"{before}[{document.text[span.start : span.end]}]{after}")
    return " / ".join(quoted).replace("\n", "⏎")


def judged(sample: Path) -> Tally:
    """The leaves of one document."""
    schema, gold_file, spans = (FOLDER / name / f"{sample.stem}.json" for name in ("schemas", "gold", "spans"))
    gold, labels = (json.loads(file.read_text(encoding="utf-8")) for file in (gold_file, spans))
    record = extracted(sample, schema, gold)
    pairs = dict(paired(gold, record.value))
    tally = Tally()
    for path, value in leaves(gold):
        there = pairs.get(path)
        proof = record.evidence.get(there) if there is not None else None
        found = proof.spans if proof else ()
        wanted = labelled(record.document.text, labels[json_pointer(path)])
        hit = any(f.overlaps(w) for f in found for w in wanted)
        tally.counts.update(
            said=1,
            kept=there is not None,
            proved=bool(found),
            labelled=bool(wanted),
            hit=hit,
            exact=any(tuple(found) == (w,) for w in wanted),
            tight=hit and tight(found, wanted),
        )
        if wanted and not hit:
            why = "lost" if there is None else "elsewhere" if found else "without words"
            around = shown(record.document, wanted), shown(record.document, found)
            tally.misses.append(Miss(sample.name, json_pointer(path), value, why, *around))
    return tally


def report(tallies: Mapping[str, Tally], whole: Tally) -> None:
    print(f"{'':24}" + "".join(f"{name:>10}" for name in (*COLUMNS, "hit %", "exact %", "tight %")))
    for name, tally in [*tallies.items(), ("all", whole)]:
        shares = "".join(f"{100 * tally.share(part):10.1f}" for part in ("hit", "exact", "tight"))
        print(f"{name:24}" + "".join(f"{tally.counts[part]:10}" for part in COLUMNS) + shares)
    print(f"\nhit {whole.share('hit'):.3f} (bar {BAR}); missed: {dict(Counter(miss.why for miss in whole.misses))}\n")
    for miss in whole.misses:
        print(f"{miss.document} {miss.pointer} = {json.dumps(miss.value, ensure_ascii=False)}: {miss.why}")
        print(f"    wanted {miss.wanted}")
        if miss.found:
            print(f"    found  {miss.found}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="a pattern of document names")
    parser.add_argument("--json", action="store_true", help="the figures and misses as JSON")
    flags = parser.parse_args()
    samples = [path for path in sorted((FOLDER / "samples").iterdir()) if re.search(flags.only, path.name)]
    tallies = {path.name: judged(path) for path in samples}
    whole = sum(tallies.values(), Tally())
    if not flags.json:
        report(tallies, whole)
        return
    told = {name: tally.told() for name, tally in tallies.items()}
    misses = [vars(miss) for miss in whole.misses]
    print(json.dumps({"documents": told, "all": whole.told(), "misses": misses}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
