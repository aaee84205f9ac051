"""junit.xml: one test suite per run with a test case per document, and one suite of gates.

Only gates fail, so that a CI server and the exit code never disagree. A document that failed or is missing is skipped,
with the reason; what it costs is in the figures that the gates look at.
"""

from __future__ import annotations

import re
from collections import defaultdict
from xml.etree.ElementTree import Element, SubElement, tostring

from extractor.evaluation.report.content import ReportContent
from extractor.evaluation.report.error_browser import format_report_value

MAX_LISTED_ERRORS = 20
"""Errors that are spelled out for a document."""
_MAX_VALUE_CHARACTERS = 200
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold (section 2.2)."""


def render_junit(content: ReportContent) -> str:
    errors: dict[tuple[str, str], list[ReportContent]] = defaultdict(list)
    for error in content["errors"]:
        errors[error["run"], error["document"]].append(error)
    root = Element("testsuites", {"name": _clean_for_xml(content["title"] or "evaluation")})
    _add_gate_cases(SubElement(root, "testsuite"), content)
    for run in content["runs"]:
        suite = SubElement(root, "testsuite")
        undone = 0
        for one in run["documents"]:
            case = SubElement(
                suite, "testcase", {"classname": _clean_for_xml(run["label"]), "name": _clean_for_xml(one["document"])}
            )
            if one["seconds"] is not None:
                case.set("time", f"{one['seconds']:.3f}")
            if one["document"] in run["undone_documents"]:
                undone += 1
                why = one["error"] or "The run has no result of it."
                SubElement(case, "skipped", {"message": _clean_for_xml(f"{one['status']}: {why}")})
            SubElement(case, "system-out").text = _clean_for_xml(
                _describe_document(one, errors[run["label"], one["document"]])
            )
        _set_suite_attributes(suite, run["label"], len(run["documents"]), 0, undone)
    _set_suite_attributes(
        root,
        content["title"] or "evaluation",
        _sum_attribute(root, "tests"),
        _sum_attribute(root, "failures"),
        _sum_attribute(root, "skipped"),
    )
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, "unicode") + "\n"


def _add_gate_cases(suite: Element, content: ReportContent) -> None:
    gates = content["verdict"]["gates"]
    for gate in gates:
        names = {"classname": _clean_for_xml(gate["run"]), "name": _clean_for_xml(gate["name"])}
        case = SubElement(suite, "testcase", names)
        if not gate["passed"]:
            SubElement(case, "failure", {"message": _clean_for_xml(gate["message"])}).text = _clean_for_xml(
                gate["message"]
            )
    _set_suite_attributes(suite, "gates", len(gates), sum(not gate["passed"] for gate in gates), 0)


def _set_suite_attributes(element: Element, name: str, tests: int, failures: int, skipped: int) -> None:
    counts = {"tests": tests, "failures": failures, "errors": 0, "skipped": skipped}
    for key, value in {"name": _clean_for_xml(name), **{key: str(n) for key, n in counts.items()}}.items():
        element.set(key, value)


def _sum_attribute(root: Element, key: str) -> int:
    return sum(int(suite.get(key, "0")) for suite in root)


def _describe_document(one: ReportContent, errors: list[ReportContent]) -> str:
    f1 = "no F1" if one["f1"] is None else f"F1 {one['f1']:.3f}"
    counts = ", ".join(f"{one[kind]} {kind}" for kind in ("correct", "wrong", "omitted", "invented"))
    lines = [f"{f1}: {counts}"]
    for error in errors[:MAX_LISTED_ERRORS]:
        gold, predicted = (_shorten_value(error[side]) for side in ("gold", "prediction"))
        lines.append(
            f"{error['outcome']} {error['field']} at {error['gold_path'] or error['path']}: {gold} -> {predicted}"
        )
    if len(errors) > MAX_LISTED_ERRORS:
        lines.append(f"and {len(errors) - MAX_LISTED_ERRORS} more, see report.html")
    return "\n".join(lines)


def _shorten_value(value: object) -> str:
    shown = format_report_value(value)
    return (
        "nothing"
        if shown is None
        else repr(shown if len(shown) <= _MAX_VALUE_CHARACTERS else shown[:_MAX_VALUE_CHARACTERS] + "…")
    )


def _clean_for_xml(text: str) -> str:
    """Text that XML 1.0 can hold, what it cannot shown by number."""
    return _NOT_IN_XML.sub(lambda char: f"‹U+{ord(char[0]):04X}›", text)
