"""How likely is a leaf right that a strong model said? Findings, a fit, and what a threshold is worth.

    python bench/confidence_study.py DOCUBENCH_DIR [--align rows|position] [--half N] [--coefficients FILE] [--wrong]

Every leaf that gpt, claude and gemini said of DocuBench's documents is held against the label, at the place that the
board's rules give it (rows paired greedily) or at the very same place (position). A logistic regression whose
coefficients may only have the sign that their finding declares is fitted without one document at a time and tested on
that; also on a random half of the documents and tested on the other half, since leaving one document out shifts the
intercept against exactly that document. ECE: ten bins of equal mass. No document counts for more than 100 leaves.
"""

from __future__ import annotations

import argparse
import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import board
import ceiling
import leaf_findings
import numpy as np
from board import Json, Where
from rapidfuzz import fuzz
from scipy.optimize import minimize
from scipy.stats import rankdata

SYSTEMS = ("gpt", "claude", "gemini")
MOST = 100
"""Leaves that a document counts for in a fit."""
PENALTY = 1.0
GOOD = ("label near", "agreed", "agreed, row", "agreed, column", "agreed, document", "agreed, as many rows")
"""Findings that speak for a leaf; all others speak against it."""
Findings = dict[str, float]


@dataclass
class Case:
    """A leaf that was said, what is found of it, and whether it is right."""

    document: str
    system: str
    at: Where
    pair: board.Pair
    read: bool
    own: Findings
    text: Findings
    others: list[Findings]

    @property
    def alone(self) -> Findings:
        return self.own | self.text


def gather(folder: Path, way: str) -> list[Case]:
    found = {p.stem: p for p in (folder / "documents").iterdir()}
    cases = []
    for name in board.names(folder):
        text = ceiling.visible(ceiling.read(found[name])) if name in found else ""
        page = leaf_findings.Page(text) if text.strip() else None
        told = {s: board.answer(folder, name, s) or {} for s in SYSTEMS}
        for system in SYSTEMS:
            cases += _cases(folder, name, system, told, page, way)
    return cases


def _cases(
    folder: Path, name: str, system: str, told: dict[str, Json], page: leaf_findings.Page | None, way: str
) -> Iterator[Case]:
    schema, ours = board.schema(folder, name), told[system]
    truth = leaf_findings.beside(schema, board.load(folder, "labels", name), ours, way)
    every = [leaf for leaf in leaf_findings.leaves(schema, ours) if leaf.at in truth]
    homes = leaf_findings.homes(every, page) if page else {}
    others = [leaf_findings.Beside.of(schema, ours, told[o], way) for o in SYSTEMS if o != system]
    script = leaf_findings.foreign(ours)
    for leaf in every:
        home = homes.get((leaf.row, leaf.at))
        text = leaf_findings.of_text(leaf, page, home) if page else leaf_findings.UNREAD
        beside = [leaf_findings.of_other(leaf, one) for one in others]
        yield Case(
            name, system, leaf.at, truth[leaf.at], page is not None, leaf_findings.own(leaf, script), text, beside
        )


def alone(case: Case) -> list[Findings]:
    return [case.alone]


def second(case: Case) -> list[Findings]:
    """One case for either other model."""
    return [case.alone | one for one in case.others]


def agreed(case: Case) -> list[Findings]:
    return [{"agreed": one["agreed"]} for one in case.others]


def words(case: Case) -> list[Findings]:
    return [{"no words": case.text["no words"]}]


def both(case: Case) -> list[Findings]:
    means = {name: mean(one[name] for one in case.others) for name in case.others[0]}
    return [case.alone | means | {"agreed, any": max(one["agreed"] for one in case.others)}]


@dataclass
class Data:
    names: list[str]
    x: np.ndarray
    y: np.ndarray
    documents: np.ndarray
    cases: list[Case]

    @classmethod
    def of(cls, cases: Sequence[Case], form: Callable[[Case], list[Findings]]) -> Data:
        rows = [(case, one) for case in cases for one in form(case)]
        names = list(rows[0][1])
        x = np.array([[one[name] for name in names] for _, one in rows], float)
        y = np.array([case.pair.right for case, _ in rows], float)
        return cls(names, x, y, np.array([case.document for case, _ in rows]), [case for case, _ in rows])

    def fit(self, chosen: np.ndarray) -> np.ndarray:
        """Intercept and coefficients."""
        x, y = self.x[chosen], self.y[chosen]
        size = Counter(self.documents[chosen])
        w = np.array([min(1.0, MOST / size[d]) for d in self.documents[chosen]])

        def loss(b: np.ndarray) -> tuple[float, np.ndarray]:
            z = b[0] + x @ b[1:]
            slope = w * (1 / (1 + np.exp(-z)) - y)
            value = (w * (np.logaddexp(0, z) - y * z)).sum() + PENALTY / 2 * (b[1:] ** 2).sum()
            return value, np.r_[slope.sum(), x.T @ slope + PENALTY * b[1:]]

        signs = [(0, None) if n in GOOD or n == "agreed, any" else (None, 0) for n in self.names]
        start = np.r_[2.0, np.zeros(len(self.names))]
        return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(None, None), *signs]).x

    def predict(self, b: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(b[0] + self.x[chosen] @ b[1:])))

    def without(self) -> np.ndarray:
        """The probability of each leaf, by a fit that has not seen its document."""
        p = np.zeros(len(self.y))
        for document in sorted(set(self.documents)):
            inside = self.documents == document
            p[inside] = self.predict(self.fit(~inside), inside)
        return p

    def halves(self, times: int) -> tuple[float, float]:
        """Median AUC and ECE on the half of the documents that was not fitted on."""
        draw, names = np.random.default_rng(0), np.array(sorted(set(self.documents)))
        found = []
        for _ in range(times):
            inside = np.isin(self.documents, draw.permutation(names)[: len(names) // 2])
            p = self.predict(self.fit(inside), ~inside)
            found.append((auc(self.y[~inside], p), ece(self.y[~inside], p)))
        middle = np.nanmedian(np.array(found), axis=0)
        return float(middle[0]), float(middle[1])


def auc(y: np.ndarray, p: np.ndarray) -> float:
    ranks, right, wrong = rankdata(p), y.sum(), len(y) - y.sum()
    return float((ranks[y == 1].sum() - right * (right + 1) / 2) / (right * wrong)) if right * wrong else float("nan")


def ece(y: np.ndarray, p: np.ndarray, bins: int = 10) -> float:
    order = np.argsort(p, kind="stable")
    return float(sum(len(i) * abs(y[i].mean() - p[i].mean()) for i in np.array_split(order, bins)) / len(y))


def report(title: str, data: Data, times: int) -> np.ndarray:
    p, half = data.without(), data.halves(times)
    systems = np.array([case.system for case in data.cases])
    each = "  ".join(
        f"{s} {auc(data.y[systems == s], p[systems == s]):.3f} {ece(data.y[systems == s], p[systems == s]):.3f}"
        for s in SYSTEMS
    )
    print(
        f"{title:34} {len(data.y):6} leaves, {int((1 - data.y).sum()):5} wrong   one left out: AUC {auc(data.y, p):.3f}"
        f" ECE {ece(data.y, p):.3f}   halves: {half[0]:.3f} {half[1]:.3f}   {each}",
        flush=True,
    )
    return p


def prune(value: Json, gone: set[Where], at: Where = ()) -> Json:
    """The record without these leaves, and without rows that say nothing then."""
    if isinstance(value, dict):
        return {name: prune(one, gone, (*at, name)) for name, one in value.items()}
    if isinstance(value, list):
        kept = [(one, prune(one, gone, (*at, i))) for i, one in enumerate(value)]
        return [after for before, after in kept if board.flat([after]) or not board.flat([before])]
    return None if at in gone else value


def worth(folder: Path, title: str, cases: Sequence[Case], p: np.ndarray, threshold: float) -> None:
    """What the board gives for the records without the leaves below the threshold, against the whole ones."""
    names = sorted({case.document for case in cases})
    by = {s: [(c, q) for c, q in zip(cases, p, strict=True) if c.system == s] for s in SYSTEMS}
    for system in SYSTEMS:
        gain, out, wrong = {}, 0, 0
        for name in names:
            low = [c for c, q in by[system] if c.document == name and q < threshold]
            schema, label = board.schema(folder, name), board.load(folder, "labels", name)
            told = board.answer(folder, name, system) or {}
            after = board.score(schema, label, prune(told, {c.at for c in low}))
            gain[name] = after - board.score(schema, label, told)
            out, wrong = out + len({c.at for c in low}), wrong + len({c.at for c in low if not c.pair.right})
        told = {name: round(g, 3) for name, g in gain.items() if abs(g) > 5e-4}
        print(f"{title:34} {system:7} {mean(gain.values()):+.4f} over {len(names)}: {out} out, {wrong} wrong; {told}")


def kind(case: Case) -> str:
    """What sort of wrong a wrong leaf is."""
    gold, said = case.pair.gold, board.plain(case.pair.said)
    if case.pair.gold_at is None:
        return "in a row without a partner in the label"
    if not board.said(gold):
        return "label blank, a zero said" if said == 0 else "label blank"
    gold = board.plain(gold)
    if not isinstance(gold, str) or not isinstance(said, str):
        return "another number"
    if unicodedata.normalize("NFKC", gold) == unicodedata.normalize("NFKC", said):
        return "the same but for full width"
    if case.own["date not as asked"]:
        return "date in another form"
    if gold in said or said in gold:
        return "one holds the other"
    return "nearly the same text" if fuzz.ratio(gold, said) >= 75 else "another text"


def table(cases: Sequence[Case]) -> None:
    wrong = [case for case in cases if not case.pair.right]
    kinds = Counter(kind(case) for case in wrong)
    print(f"{'kind of wrong':42}", *(f"{s:>7}" for s in SYSTEMS), "  both others agree", "documents")
    for name, _ in kinds.most_common():
        inside = [case for case in wrong if kind(case) == name]
        counts = Counter(case.system for case in inside)
        shared = sum(all(one["agreed"] for one in case.others) for case in inside)
        documents = len({case.document for case in inside})
        print(f"{name:42}", *(f"{counts[s]:7}" for s in SYSTEMS), f"{shared:14} {documents:13}")


def ablate(cases: Sequence[Case]) -> None:
    """AUC and ECE by document left out, with each finding taken away."""
    for where, form, some in (
        ("with text", alone, [c for c in cases if c.read]),
        ("with text", second, [c for c in cases if c.read]),
        ("all", second, cases),
    ):
        data = Data.of(some, form)
        print(f"-- {form.__name__}, {where}")
        for name in ("", *data.names):
            kept = [i for i, n in enumerate(data.names) if n != name]
            less = Data([data.names[i] for i in kept], data.x[:, kept], data.y, data.documents, data.cases)
            p, half = less.without(), less.halves(10)
            lead = f"without {name}" if name else "with all"
            print(f"{lead:34} AUC {auc(less.y, p):.3f} ECE {ece(less.y, p):.3f}   halves {half[0]:.3f} {half[1]:.3f}")


def fitted(data: Data) -> Findings:
    b = data.fit(np.ones(len(data.y), bool))
    return {name: round(float(v), 3) for name, v in zip(("intercept", *data.names), b, strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--align", choices=("rows", "position"), default="rows")
    parser.add_argument("--half", type=int, default=20, help="how often the documents are halved")
    parser.add_argument("--coefficients", type=Path, help="where coefficients fitted on everything are written")
    parser.add_argument("--accept", type=float, default=0.5, help="the threshold below which a leaf leaves the record")
    parser.add_argument("--ablate", action="store_true", help="only what each finding is worth: the fit without it")
    parser.add_argument("--wrong", action="store_true", help="only the table of wrong leaves")
    flags = parser.parse_args()
    cases = gather(flags.folder, flags.align)
    table(cases)
    if flags.wrong:
        return
    if flags.ablate:
        ablate(cases)
        return
    read = [case for case in cases if case.read]
    out = {}
    for where, some in (("with text", read), ("all", cases)):
        print(f"-- {where}: {len({case.document for case in some})} documents, aligned by {flags.align}")
        for form in (words, alone, agreed, second, both):
            data = Data.of(some, form)
            p = report(f"{form.__name__}, {where}", data, flags.half)
            if form in (alone, second, both):
                many = len(data.cases) // len(some)  # `second` has a case for either other model
                for i in range(many):
                    title = f"  left out below {flags.accept} ({form.__name__}{f' {i + 1}' if many > 1 else ''})"
                    worth(flags.folder, title, data.cases[i::many], p[i::many], flags.accept)
                out[f"{form.__name__}, {where}"] = fitted(data)
    for name, one in out.items():
        print(name, json.dumps(one))
    if flags.coefficients:
        flags.coefficients.write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
