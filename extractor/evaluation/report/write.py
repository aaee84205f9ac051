"""The four files of a report, all from one content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from extractor.evaluation.report.content import ReportContent
from extractor.evaluation.report.html import render_html
from extractor.evaluation.report.junit import render_junit
from extractor.evaluation.report.markdown import render_markdown
from extractor.evaluation.report.strict_json import write_report_text

JSON, MARKDOWN, HTML, JUNIT = "report.json", "report.md", "report.html", "junit.xml"


def write_json(content: ReportContent, path: Path) -> None:
    """The content itself, errors one to a line. Raises MachineError."""
    rest = {name: value for name, value in content.items() if name != "errors"}
    head = json.dumps(rest, ensure_ascii=False, indent=1, allow_nan=False)
    errors = ",\n".join(json.dumps(one, ensure_ascii=False, allow_nan=False) for one in content["errors"])
    write_report_text(path, f'{head[:-2]},\n "errors": [\n{errors}\n ]\n}}\n')


def write_markdown(content: ReportContent, path: Path) -> None:
    write_report_text(path, render_markdown(content))


def write_html(content: ReportContent, path: Path, texts: Mapping[str, str] | None = None) -> None:
    """The page. It quotes the documents where `texts` has them: leave them out where the page is for other eyes."""
    write_report_text(path, render_html(content, texts))


def write_junit(content: ReportContent, path: Path) -> None:
    write_report_text(path, render_junit(content))


def write_report_files(
    content: ReportContent, folder: Path, texts: Mapping[str, str] | None = None
) -> tuple[Path, ...]:
    """All four under `folder`, which is made when it is not there; returns their paths. Raises MachineError."""
    paths = tuple(folder / name for name in (JSON, MARKDOWN, HTML, JUNIT))
    write_json(content, paths[0])
    write_markdown(content, paths[1])
    write_html(content, paths[2], texts)
    write_junit(content, paths[3])
    return paths
