"""report.html: one page for offline reading, with its style, its script and its data inside.

Names, values and errors come from models and documents and may be hostile. They reach the page through Jinja's
autoescape, or as JSON in a data block that none of their characters can end, from where the script sets them as text.
Style and script hold none of them; both are allowed by their hashes, and nothing else is (CSP level 3). Characters
that reorder or hide text are shown by number. Same content, same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from extractor.evaluation.analysis.costs import COST_KINDS
from extractor.evaluation.analysis.findings import has_known_support
from extractor.evaluation.report.charts import (
    HEIGHT,
    WIDTH,
    build_difference_axis,
    build_scatter_chart,
    build_share_axis,
    format_cost,
    format_short_number,
    locate_ranked_figure,
)
from extractor.evaluation.report.content import ReportContent
from extractor.evaluation.report.error_browser import build_browser_payload, format_report_value, serialise_for_script
from extractor.results.unseen import show_unseen, spell_unseen, split_unseen
from extractor.types import Json

if TYPE_CHECKING:
    from jinja2 import Template

MAX_SHOWN_PAIRS = 60
"""Pairs that the page shows; report.json has all."""
_SHADE_COUNT = 6


def render_html(content: ReportContent, texts: Mapping[str, str] | None = None) -> str:
    """The page of a report's content; `texts` maps documents to the text that is quoted around errors."""
    from markupsafe import Markup  # Comes with Jinja, and is as slow to import.

    template, hashes = _load_template()
    average, what = locate_ranked_figure(content)
    statistic = "interval" if what == "f1" else f"{what}_interval"
    runs = [{**run, "own_label": run["label"] not in _list_plain_labels(run)} for run in content["runs"]]
    ends = [end for run in runs for end in [run[average][what], *(run[average][statistic] or [])]]
    other = "macro" if average == "micro" else "micro"
    pairs = [{**pair, "most": _find_largest_differences(pair)} for pair in content["pairs"]]
    gaps = [end for pair in pairs for end in [pair["difference"], *(pair["interval"] or [])]]
    words = str(content["statistics"]["statistic"]).replace("_", " ").replace("f1", "F1")
    cells = [value for row in (content["matrix"] or {"cells": []})["cells"] for value in row if value is not None]
    return template.render(
        **{**content, "runs": runs, "pairs": pairs},
        hashes=hashes,
        # Only here is text marked as safe: `script` has escaped all that could end the data block.
        data=Markup(serialise_for_script(build_browser_payload(content, texts or {}))),  # noqa: S704
        average=average,
        what=what,
        other=other,
        words=words,
        other_words=f"{other} {what.replace('f1', 'F1')}",
        axis=build_share_axis(ends, 100),
        gaps=build_difference_axis(gaps, 100),
        shown_pairs=MAX_SHOWN_PAIRS,
        scatters=[chart for kind in COST_KINDS if (chart := build_scatter_chart(content, kind)) is not None],
        width=WIDTH,
        height=HEIGHT,
        matrix_best=max(cells, default=None),
        letters=_assign_tie_letters(content),
        leaves=max((_count_gold_leaves(run) for run in runs), default=0),
        mistakes=len(content["errors"]),
        any_spans=any(run["spans"] for run in runs),
        any_undone=any(run["undone_documents"] for run in runs),
        any_grounds=any(has_known_support(run["support"]) for run in runs),
    )


@cache
def _load_template() -> tuple[Template, dict[str, str]]:
    """The template, and the hashes of its style and script as a CSP has them (CSP level 3, section 2.3.1)."""
    from jinja2 import Environment, StrictUndefined  # Here, as it is slow to import and only this page needs it.

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "pieces": split_unseen,
        "sign": spell_unseen,
        "seen": show_unseen,
        "spell": format_report_value,
        "shade": _choose_shade,
    }
    environment.filters["grounds"] = _count_by_support
    environment.filters |= {
        "short": format_short_number,
        "amount": format_cost,
        "first_up": lambda text: text[:1].upper() + text[1:],
    }
    text = (files("extractor.evaluation.report") / "report.html.j2").read_text(encoding="utf-8")
    template = environment.from_string(text)
    hashes = {}
    for block in ("style", "script"):
        words = "".join(template.blocks[block](template.new_context({})))
        hashes[block] = base64.b64encode(hashlib.sha256(words.encode()).digest()).decode()
    return template, hashes


def _find_largest_differences(pair: Mapping[str, Any]) -> list[Json]:
    """The three fields that two runs differ most in, by size and by the number of documents that differ."""
    ordered = sorted(
        pair["fields"],
        key=lambda one: (-abs(one["difference"]) * (one["wins"] + one["losses"]) ** 0.5, one["field"]),
    )
    return [one for one in ordered[:3] if abs(one["difference"]) >= 0.0005]


def _assign_tie_letters(content: ReportContent) -> dict[str, str] | None:
    """Run -> letters of the groups it is tied in; None where nothing is claimed, as with too few documents."""
    if content["few"] or len(content["runs"]) < 2:
        return None
    names = list(_generate_letters(len(content["ties"])))
    return {
        run["label"]: " ".join(
            name for name, group in zip(names, content["ties"], strict=True) if run["label"] in group
        )
        for run in content["runs"]
    }


def _generate_letters(n: int) -> Iterator[str]:
    """a, b, ... z, a2, b2, ..."""
    for at in range(n):
        yield chr(ord("a") + at % 26) + (str(at // 26 + 1) if at >= 26 else "")


def _list_plain_labels(run: Mapping[str, Any]) -> tuple[str, str, str]:
    """Labels that are only model and prompt, which stand beside them."""
    return f"{run['model']} · {run['prompt']}", run["model"], run["prompt"]


def _count_by_support(run: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The values that a run gives: right ones by where they stand, the others by what is wrong with them."""
    right = run["support"]["correct"]
    others = [run["support"]["wrong"], run["support"]["invented"]]
    return [
        ("supported", right["supported"]),
        ("elsewhere", right["elsewhere"]),
        ("nowhere", right["unsupported"]),
        ("mispicked", run["counts"]["mispicked"]),
        ("hallucinated", run["counts"]["hallucinated"]),
        ("unknown", right["unknown"] + sum(one["unknown"] for one in others)),
    ]


def _count_gold_leaves(run: Mapping[str, Any]) -> int:
    counts = run["counts"]
    total: int = (counts["correct"] + counts["wrong"] + counts["omitted"]) // run["repeats"]
    return total


def _choose_shade(value: float | None, matrix: Mapping[str, Any]) -> str:
    """The class of a matrix cell's ground, by where its value stands between the least and the best."""
    known = [one for row in matrix["cells"] for one in row if one is not None]
    if value is None or not known:
        return "nothing"
    low, high = min(known), max(known)
    return f"s{int((value - low) / (high - low) * (_SHADE_COUNT - 1) + 0.5) if high > low else _SHADE_COUNT // 2}"
