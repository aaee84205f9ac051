"""report.md: a short report, for the summary of a CI job.

GitHub drops a summary of more than 1 MiB whole, so tables are cut, and the file stays far below that. Names and values
are escaped: none of their markup, links, images or mentions is live.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from extractor.evaluation.analysis.findings import has_known_support
from extractor.evaluation.report.charts import format_short_number, locate_ranked_figure
from extractor.evaluation.report.content import ReportContent
from extractor.evaluation.report.error_browser import format_report_value
from extractor.results.unseen import split_unseen
from extractor.types import Json

MAX_MARKDOWN_BYTES = 900_000
"""Bytes that the file has at most."""
_RUNS, _PAIRS, _FIELDS, _CHANGES, _SENTENCES = 50, 15, 15, 20, 40
_MARKDOWN_SYNTAX = re.compile(r"([\\`*_{}\[\]()#+!|~$])")
_MAX_VALUE_CHARACTERS = 120


def render_markdown(content: ReportContent) -> str:
    text = "\n".join(_render_lines(content)) + "\n"
    raw = text.encode()
    if len(raw) <= MAX_MARKDOWN_BYTES:
        return text
    return (
        raw[:MAX_MARKDOWN_BYTES].decode("utf-8", "ignore").rpartition("\n")[0]
        + "\n\nCut here; report.html has the rest.\n"
    )


def _render_lines(content: ReportContent) -> Iterator[str]:
    verdict = content["verdict"]
    title = escape_markdown(content["title"] or content["task"] or "Evaluation")
    yield f"# {'✅' if verdict['passed'] else '❌'} {title}"
    yield from ("", f"**{verdict['sentence']}** {escape_markdown(content['headline'])}", "")
    broken = [gate["message"] for gate in verdict["gates"] if not gate["passed"]]
    yield from _render_list([f"❌ {escape_markdown(sentence)}" for sentence in broken])
    yield from _render_list([escape_markdown(sentence) for sentence in verdict["notices"]])
    if content["few"]:
        yield from (f"> **Too few documents to tell.** {content['few']}", "")
    yield from _render_ranking(content)
    yield from _render_matrix(content)
    yield from _render_baseline(content)
    yield from _render_pairs(content)
    yield from _render_fields(content)
    statistics = content["statistics"]
    yield f"Intervals: {statistics['interval']}, {statistics['draws']} draws, seed {statistics['seed']}."
    yield "report.html shows every error with its words in the document."


def _render_ranking(content: ReportContent) -> Iterator[str]:
    average, what = locate_ranked_figure(content)
    other = "macro" if average == "micro" else "micro"
    words = {"f1": "F1"}.get(what, what)
    undone = any(run["undone_documents"] for run in content["runs"])
    heads = ["", "model", "prompt", f"{average} {words}", "interval", "precision", "recall", f"{other} {words}"]
    heads += ["completed only", "failed"] * undone + ["invented", "hallucinated", "s/document"]
    rows = []
    for run in content["runs"][:_RUNS]:
        ends = run[average]["interval" if what == "f1" else f"{what}_interval"]
        seconds = run["usage"]["per_document"]["seconds"]
        row = [
            str(run["rank"]),
            escape_markdown(run["model"]),
            escape_markdown(run["prompt"]),
            f"**{_format_figure(run[average][what])}**",
        ]
        row += ["none" if ends is None else f"{ends[0]:.2f}–{ends[1]:.2f}"]
        row += [
            _format_figure(run[average]["precision"]),
            _format_figure(run[average]["recall"]),
            _format_figure(run[other][what]),
        ]
        row += [_format_figure(run["completed"][average][what]), str(len(run["undone_documents"]))] * undone
        row += [str(run["counts"]["invented"])]
        row += [str(run["counts"]["hallucinated"]) if has_known_support(run["support"]) else "not known"]
        rows.append([*row, "not known" if seconds is None else format_short_number(seconds)])
    yield from _render_table(heads, rows, len(content["runs"]))


def _render_matrix(content: ReportContent) -> Iterator[str]:
    matrix = content["matrix"]
    if matrix is None or len(matrix["models"]) > _RUNS or len(matrix["prompts"]) > 12:
        return
    means = matrix["by_model"] is not None
    rows = [
        [
            escape_markdown(model),
            *map(_format_figure, cells),
            *([_format_figure(matrix["by_model"][at])] if means else []),
        ]
        for at, (model, cells) in enumerate(zip(matrix["models"], matrix["cells"], strict=True))
    ]
    if means:
        rows.append(["mean", *map(_format_figure, matrix["by_prompt"]), ""])
    yield from _render_table(["model", *map(escape_markdown, matrix["prompts"]), *(["mean"] if means else [])], rows)


def _render_baseline(content: ReportContent) -> Iterator[str]:
    if content["baseline"] is None:
        return
    statistic = content["statistics"]["statistic"]
    yield from (f"## Since the baseline {escape_markdown(content['baseline']['file'])}", "")
    rows, changes = [], []
    for run in content["baseline"]["runs"]:
        before, now = run["before"].get(statistic), run["now"][statistic]
        gap = "–" if before is None or now is None else f"{now - before:+.3f}"
        counts = [str(len(run["better"])), str(len(run["worse"])), f"{run['wins']}/{run['ties']}/{run['losses']}"]
        other = ", ".join(one["what"] for one in run["changed"])
        rows.append(
            [
                escape_markdown(run["label"]),
                _format_figure(before),
                _format_figure(now),
                gap,
                *counts,
                escape_markdown(other),
            ]
        )
        changes += [
            f"{escape_markdown(one['run'])}, {escape_markdown(one['document'])}: "
            f"{escape_markdown(one['field'])} is newly {one['now']}, "
            f"{_quote_value(one['gold'])} → {_quote_value(one['prediction'])}"
            for one in run["worse"]
        ]
    heads = ["run", "before", "now", "change", "newly right", "newly wrong", "documents better/same/worse", "other"]
    yield from _render_table(heads, rows)
    yield from _render_list(changes, _CHANGES)


def _render_pairs(content: ReportContent) -> Iterator[str]:
    if not content["pairs"]:
        return
    yield from ("## Pairs", "")
    rows = []
    for pair in content["pairs"][:_PAIRS]:
        ends = pair["interval"]
        gap = "–" if pair["difference"] is None else f"{pair['difference']:+.3f}"
        row = [f"{escape_markdown(pair['a'])} over {escape_markdown(pair['b'])}", gap]
        row += ["none" if ends is None else f"{ends[0]:+.2f} to {ends[1]:+.2f}"]
        row += [
            f"{pair['wins']}/{pair['ties']}/{pair['losses']}",
            _format_figure(pair["sign_p"]),
            _format_figure(pair["holm_p"]),
        ]
        rows.append([*row, pair["verdict"]])
    heads = ["pair", "difference", "interval", "won/tied/lost", "sign p", "permutation p (Holm)", ""]
    yield from _render_table(heads, rows, len(content["pairs"]))


def _render_fields(content: ReportContent) -> Iterator[str]:
    best = content["runs"][0]
    bad = [one for one in best["fields"] if one["wrong"] or one["omitted"] or one["invented"]]
    if not bad:
        return
    yield from (f"## Where {escape_markdown(best['label'])} errs", "")
    bad.sort(key=lambda one: -(one["wrong"] + one["omitted"] + one["invented"]))
    rows = [
        [
            escape_markdown(one["field"]),
            _format_figure(one["f1"]),
            *(str(one[kind]) for kind in ("correct", "wrong", "omitted", "invented")),
        ]
        for one in bad[:_FIELDS]
    ]
    yield from _render_table(["field", "F1", "correct", "wrong", "omitted", "invented"], rows, len(bad))


def _render_table(heads: Sequence[str], rows: Sequence[Sequence[str]], whole: int | None = None) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "|".join(" --- " for _ in heads) + "|"
    yield from ("| " + " | ".join(row) + " |" for row in rows)
    if whole is not None and whole > len(rows):
        yield from ("", f"{whole - len(rows)} more in report.html.")
    yield ""


def _render_list(sentences: Sequence[str], most: int = _SENTENCES) -> Iterator[str]:
    yield from (f"- {sentence}" for sentence in sentences[:most])
    if len(sentences) > most:
        yield f"- and {len(sentences) - most} more, see report.html"
    if sentences:
        yield ""


def _format_figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _quote_value(value: Json) -> str:
    shown = format_report_value(value)
    if shown is None:
        return "nothing"
    return f"“{escape_markdown(shown if len(shown) <= _MAX_VALUE_CHARACTERS else shown[:_MAX_VALUE_CHARACTERS] + '…')}”"


def escape_markdown(text: str) -> str:
    """Foreign text on one line, with everything escaped that Markdown, HTML or GitHub would take for more than text."""
    seen = "".join(f"‹U+{what}›" if kind == "unseen" else what for kind, what in split_unseen(text))
    inert = _MARKDOWN_SYNTAX.sub(r"\\\1", " ".join(seen.split()))
    inert = inert.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A zero-width joiner would do, but is invisible; an entity shows nothing and stops "@name" and "https://" alike.
    return inert.replace("@", "&#64;").replace("://", "&#58;//").replace("www.", "www&#46;")
