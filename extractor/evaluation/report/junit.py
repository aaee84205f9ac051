"""junit.xml: one test suite per run with a test case per document, and one suite of gates.

Only gates fail, so that a CI server and the exit code never disagree. A document that failed or is missing is skipped,
with the reason; what it costs is in the figures that the gates look at.
"""

from __future__ import annotations

import re
from collections import defaultdict
from xml.etree.ElementTree import Element, SubElement, tostring

from extractor.evaluation.report.content import Content
from extractor.evaluation.report.error_browser import spell

LISTED = 20
"""Errors that are spelled out for a document."""
_CUT = 200
_STRANGE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold (section 2.2)."""


def render(content: Content) -> str:
    errors: dict[tuple[str, str], list[Content]] = defaultdict(list)
    for error in content["errors"]:
        errors[error["run"], error["document"]].append(error)
    root = Element("testsuites", {"name": _clean(content["title"] or "evaluation")})
    _gates(SubElement(root, "testsuite"), content)
    for run in content["runs"]:
        suite = SubElement(root, "testsuite")
        undone = 0
        for one in run["documents"]:
            case = SubElement(suite, "testcase", {"classname": _clean(run["label"]), "name": _clean(one["document"])})
            if one["seconds"] is not None:
                case.set("time", f"{one['seconds']:.3f}")
            if one["document"] in run["undone_documents"]:
                undone += 1
                why = one["error"] or "The run has no result of it."
                SubElement(case, "skipped", {"message": _clean(f"{one['status']}: {why}")})
            SubElement(case, "system-out").text = _clean(_told(one, errors[run["label"], one["document"]]))
        _head(suite, run["label"], len(run["documents"]), 0, undone)
    _head(root, content["title"] or "evaluation", _sum(root, "tests"), _sum(root, "failures"), _sum(root, "skipped"))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, "unicode") + "\n"


def _gates(suite: Element, content: Content) -> None:
    gates = content["verdict"]["gates"]
    for gate in gates:
        names = {"classname": _clean(gate["run"]), "name": _clean(gate["name"])}
        case = SubElement(suite, "testcase", names)
        if not gate["passed"]:
            SubElement(case, "failure", {"message": _clean(gate["message"])}).text = _clean(gate["message"])
    _head(suite, "gates", len(gates), sum(not gate["passed"] for gate in gates), 0)


def _head(element: Element, name: str, tests: int, failures: int, skipped: int) -> None:
    counts = {"tests": tests, "failures": failures, "errors": 0, "skipped": skipped}
    for key, value in {"name": _clean(name), **{key: str(n) for key, n in counts.items()}}.items():
        element.set(key, value)


def _sum(root: Element, key: str) -> int:
    return sum(int(suite.get(key, "0")) for suite in root)


def _told(one: Content, errors: list[Content]) -> str:
    f1 = "no F1" if one["f1"] is None else f"F1 {one['f1']:.3f}"
    counts = ", ".join(f"{one[kind]} {kind}" for kind in ("correct", "wrong", "omitted", "invented"))
    lines = [f"{f1}: {counts}"]
    for error in errors[:LISTED]:
        gold, said = (_short(error[side]) for side in ("gold", "prediction"))
        lines.append(f"{error['outcome']} {error['field']} at {error['gold_path'] or error['path']}: {gold} -> {said}")
    if len(errors) > LISTED:
        lines.append(f"and {len(errors) - LISTED} more, see report.html")
    return "\n".join(lines)


def _short(value: object) -> str:
    said = spell(value)
    return "nothing" if said is None else repr(said if len(said) <= _CUT else said[:_CUT] + "…")


def _clean(text: str) -> str:
    """Text that XML 1.0 can hold, what it cannot shown by number."""
    return _STRANGE.sub(lambda char: f"‹U+{ord(char[0]):04X}›", text)
