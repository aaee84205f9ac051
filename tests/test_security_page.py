"""docs/security.md names tests for what it promises: they are there, and each row has one."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
PAGE = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("|") and not line.startswith(("| promise", "|---"))]


@cache
def list_tests(module: str) -> frozenset[str]:
    tree = ast.parse((REPOSITORY / "tests" / f"{module}.py").read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40])
def test_every_promise_names_tests_that_are_there(row: str) -> None:
    promise, tests, *_ = [cell.strip() for cell in row.strip("|").split(" | ")]
    named = re.findall(r"`([\w/]+)::(\w+)`", tests)
    assert named, promise
    for module, test in re.findall(r"`([\w/]+)::(\w+)`", row):
        assert test in list_tests(module), f"{module} has no {test}"


def test_the_threats_are_ten_lines() -> None:
    assert len(re.findall(r"^\d+\. .+$", PAGE, re.M)) == 10


def test_every_answered_advisory_names_a_decision_and_a_test() -> None:
    for one in json.loads((REPOSITORY / "docs" / "advisories.json").read_text(encoding="utf-8"))["vulnerabilities"]:
        detail = one["analysis"]["detail"]
        decision, module, test = re.findall(r"(docs/\S+\.md); tests/(\w+)\.py::(\w+)", detail)[0]
        assert (REPOSITORY / decision).is_file() and test in list_tests(module)
