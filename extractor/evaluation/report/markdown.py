"""report.md: the short of a report, for the summary of a CI job.

GitHub drops a summary of more than 1 MiB whole, so tables are cut, and the file stays far below that. Names and values
are escaped: no markup, link, image or mention of theirs is live.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from extractor.evaluation.analysis.findings import grounded
from extractor.evaluation.report.charts import figure, short
from extractor.evaluation.report.content import Content
from extractor.evaluation.report.error_browser import spell
from extractor.results.review.highlights import pieces
from extractor.types import Json

LARGEST = 900_000
"""Bytes that the file has at most."""
_RUNS, _PAIRS, _FIELDS, _CHANGES, _SENTENCES = 50, 15, 15, 20, 40
_LIVE = re.compile(r"([\\`*_{}\[\]()#+!|~$])")
_CUT = 120


def render(content: Content) -> str:
    text = "\n".join(_lines(content)) + "\n"
    raw = text.encode()
    if len(raw) <= LARGEST:
        return text
    return raw[:LARGEST].decode("utf-8", "ignore").rpartition("\n")[0] + "\n\nCut here; report.html has the rest.\n"


def _lines(content: Content) -> Iterator[str]:
    verdict = content["verdict"]
    yield f"# {'✅' if verdict['passed'] else '❌'} {text(content['title'] or content['task'] or 'Evaluation')}"
    yield from ("", f"**{verdict['sentence']}** {text(content['headline'])}", "")
    broken = [gate["message"] for gate in verdict["gates"] if not gate["passed"]]
    yield from _listed([f"❌ {text(said)}" for said in broken])
    yield from _listed([text(said) for said in verdict["notices"]])
    if content["few"]:
        yield from (f"> **Too few documents to tell.** {content['few']}", "")
    yield from _ranking(content)
    yield from _matrix(content)
    yield from _baseline(content)
    yield from _pairs(content)
    yield from _fields(content)
    statistics = content["statistics"]
    yield f"Intervals: {statistics['interval']}, {statistics['draws']} draws, seed {statistics['seed']}."
    yield "report.html shows every error with its words in the document."


def _ranking(content: Content) -> Iterator[str]:
    average, what = figure(content)
    other = "macro" if average == "micro" else "micro"
    words = {"f1": "F1"}.get(what, what)
    undone = any(run["undone_documents"] for run in content["runs"])
    heads = ["", "model", "prompt", f"{average} {words}", "interval", "precision", "recall", f"{other} {words}"]
    heads += ["completed only", "failed"] * undone + ["invented", "hallucinated", "s/document"]
    rows = []
    for run in content["runs"][:_RUNS]:
        ends = run[average]["interval" if what == "f1" else f"{what}_interval"]
        seconds = run["usage"]["per_document"]["seconds"]
        row = [str(run["rank"]), text(run["model"]), text(run["prompt"]), f"**{_num(run[average][what])}**"]
        row += ["none" if ends is None else f"{ends[0]:.2f}–{ends[1]:.2f}"]
        row += [_num(run[average]["precision"]), _num(run[average]["recall"]), _num(run[other][what])]
        row += [_num(run["completed"][average][what]), str(len(run["undone_documents"]))] * undone
        row += [str(run["counts"]["invented"])]
        row += [str(run["counts"]["hallucinated"]) if grounded(run["support"]) else "not known"]
        rows.append([*row, "not known" if seconds is None else short(seconds)])
    yield from _table(heads, rows, len(content["runs"]))


def _matrix(content: Content) -> Iterator[str]:
    matrix = content["matrix"]
    if matrix is None or len(matrix["models"]) > _RUNS or len(matrix["prompts"]) > 12:
        return
    means = matrix["by_model"] is not None
    rows = [
        [text(model), *map(_num, cells), *([_num(matrix["by_model"][at])] if means else [])]
        for at, (model, cells) in enumerate(zip(matrix["models"], matrix["cells"], strict=True))
    ]
    if means:
        rows.append(["mean", *map(_num, matrix["by_prompt"]), ""])
    yield from _table(["model", *map(text, matrix["prompts"]), *(["mean"] if means else [])], rows)


def _baseline(content: Content) -> Iterator[str]:
    if content["baseline"] is None:
        return
    statistic = content["statistics"]["statistic"]
    yield from (f"## Since the baseline {text(content['baseline']['file'])}", "")
    rows, changes = [], []
    for run in content["baseline"]["runs"]:
        before, now = run["before"].get(statistic), run["now"][statistic]
        gap = "–" if before is None or now is None else f"{now - before:+.3f}"
        counts = [str(len(run["better"])), str(len(run["worse"])), f"{run['wins']}/{run['ties']}/{run['losses']}"]
        other = ", ".join(one["what"] for one in run["changed"])
        rows.append([text(run["label"]), _num(before), _num(now), gap, *counts, text(other)])
        changes += [
            f"{text(one['run'])}, {text(one['document'])}: {text(one['field'])} is newly {one['now']}, "
            f"{_value(one['gold'])} → {_value(one['prediction'])}"
            for one in run["worse"]
        ]
    heads = ["run", "before", "now", "change", "newly right", "newly wrong", "documents better/same/worse", "other"]
    yield from _table(heads, rows)
    yield from _listed(changes, _CHANGES)


def _pairs(content: Content) -> Iterator[str]:
    if not content["pairs"]:
        return
    yield from ("## Pairs", "")
    rows = []
    for pair in content["pairs"][:_PAIRS]:
        ends = pair["interval"]
        gap = "–" if pair["difference"] is None else f"{pair['difference']:+.3f}"
        row = [f"{text(pair['a'])} over {text(pair['b'])}", gap]
        row += ["none" if ends is None else f"{ends[0]:+.2f} to {ends[1]:+.2f}"]
        row += [f"{pair['wins']}/{pair['ties']}/{pair['losses']}", _num(pair["sign_p"]), _num(pair["holm_p"])]
        rows.append([*row, pair["verdict"]])
    heads = ["pair", "difference", "interval", "won/tied/lost", "sign p", "permutation p (Holm)", ""]
    yield from _table(heads, rows, len(content["pairs"]))


def _fields(content: Content) -> Iterator[str]:
    best = content["runs"][0]
    bad = [one for one in best["fields"] if one["wrong"] or one["omitted"] or one["invented"]]
    if not bad:
        return
    yield from (f"## Where {text(best['label'])} errs", "")
    bad.sort(key=lambda one: -(one["wrong"] + one["omitted"] + one["invented"]))
    rows = [
        [text(one["field"]), _num(one["f1"]), *(str(one[kind]) for kind in ("correct", "wrong", "omitted", "invented"))]
        for one in bad[:_FIELDS]
    ]
    yield from _table(["field", "F1", "correct", "wrong", "omitted", "invented"], rows, len(bad))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], whole: int | None = None) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "|".join(" --- " for _ in heads) + "|"
    yield from ("| " + " | ".join(row) + " |" for row in rows)
    if whole is not None and whole > len(rows):
        yield from ("", f"{whole - len(rows)} more in report.html.")
    yield ""


def _listed(sentences: Sequence[str], most: int = _SENTENCES) -> Iterator[str]:
    yield from (f"- {said}" for said in sentences[:most])
    if len(sentences) > most:
        yield f"- and {len(sentences) - most} more, see report.html"
    if sentences:
        yield ""


def _num(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _value(value: Json) -> str:
    said = spell(value)
    if said is None:
        return "nothing"
    return f"“{text(said if len(said) <= _CUT else said[:_CUT] + '…')}”"


def text(said: str) -> str:
    """Text of others on one line, with all that Markdown, HTML or GitHub would take for more than text made inert."""
    seen = "".join(f"‹U+{what}›" if kind == "unseen" else what for kind, what in pieces(said))
    inert = _LIVE.sub(r"\\\1", " ".join(seen.split()))
    inert = inert.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A zero-width joiner would do, but is invisible; an entity shows nothing and stops "@name" and "https://" alike.
    return inert.replace("@", "&#64;").replace("://", "&#58;//").replace("www.", "www&#46;")
