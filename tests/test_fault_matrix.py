"""Which rows of the fault matrix a test injects for real; the marks are collected from the source of all tests."""

from __future__ import annotations

import ast
from pathlib import Path

ROWS = {
    1: "429 with a wait asked for",
    2: "429 with a wait that is too long or makes no sense",
    3: "quota used up",
    4: "endless 5xx",
    5: "5xx, then fine",
    6: "chunk too long for the model",
    7: "key refused, and echoed",
    8: "connection refused, name not found",
    9: "connection reset or cut",
    10: "answer that drips",
    11: "headers that never come",
    12: "200 with what is no completion",
    13: "JSON that breaks off",
    14: "reply cut at its token limit",
    15: "refusal, content filter",
    16: "completion without a choice",
    17: "JSON of the wrong shape",
    18: "usage missing or senseless",
    19: "bomb, endless body, wrong length",
    20: "redirect to another host",
    21: "proxy in the environment",
    22: "fewer admitted than asked",
    23: "another model, prompt or setting",
    24: "SIGKILL at random moments",
    25: "SIGKILL between answer, cache and output",
    26: "SIGINT, twice, SIGTERM",
    27: "SIGSTOP, clock set",
    28: "disk full",
    29: "folders that cannot be written",
    30: "damaged or poisoned cache",
    31: "torn state file",
    32: "two runs on one output",
    33: "ten runs on one cache",
    34: "bytes that are not UTF-8",
    35: "empty documents",
    36: "very large, very many",
    37: "offsets among astral and combining characters",
    38: "names that collide",
    39: "symlinks, FIFOs, devices",
    40: "file changed while it is read",
    41: "few file handles, little memory",
    42: "closed stdout, no terminal, C locale",
}
NOT_HERE: dict[int, str] = {}
"""Rows that cannot be injected on this machine, with the reason."""


def marked() -> dict[int, list[str]]:
    """Row -> tests that are marked with it."""
    found: dict[int, list[str]] = {}
    for path in sorted(Path(__file__).parent.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.fault":
                    (row,) = mark.args
                    assert isinstance(row, ast.Constant) and row.value in ROWS, f"{path.name}: {ast.unparse(mark)}"
                    found.setdefault(row.value, []).append(f"{path.name}::{node.name}")
    return found


def test_every_row_is_injected_or_says_why_not() -> None:
    covered = set(marked())
    assert covered & set(NOT_HERE) == set()
    assert covered | set(NOT_HERE) == set(ROWS)
