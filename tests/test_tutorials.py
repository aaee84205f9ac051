"""Every runnable block of the documentation, run: `sh` by a shell, `python` in one namespace a page, in page order."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [*sorted((ROOT / "docs" / "tutorials").glob("*.md")), ROOT / "docs" / "python.md", ROOT / "docs" / "exports.md"]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
SHELL = """
extractor() { "$PYTHON" -m extractor "$@" || [ $? -eq 1 ]; }  # 1: some record wants a look
"""


def blocks(page: Path) -> list[tuple[str, str, int]]:
    """(language, code, line) of a page's blocks."""
    text = page.read_text(encoding="utf-8")
    return [(m[1], m[2], text.count("\n", 0, m.start()) + 2) for m in _BLOCK.finditer(text)]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the files of a checkout can be read, and nothing that is written stays."""
    for name in ("eval", "cassettes", "prompts"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_a_page_runs(page: Path, checkout: Path) -> None:
    env = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    namespace: dict[str, Any] = {"__name__": page.stem}
    for language, code, line in blocks(page):
        if language == "sh":
            told = subprocess.run(
                ["bash", "-eu", "-c", SHELL + code], env=env, cwd=checkout, capture_output=True, text=True, check=False
            )
            assert told.returncode == 0, f"{page.name}, line {line}: {told.stdout}{told.stderr}"
        elif language == "python":
            exec(compile("\n" * (line - 1) + code, str(page), "exec"), namespace)
    for value in namespace.values():
        if hasattr(value, "close") and hasattr(value, "execute"):
            value.close()


def test_the_pages_hold_blocks_that_run_and_no_language_that_is_not_known() -> None:
    languages = [language for page in PAGES for language, _, _ in blocks(page)]
    assert languages.count("sh") >= 4 and languages.count("python") >= 8
    assert set(languages) <= {"sh", "python", "py", "bash", "toml", "json", "sql"}


def test_each_task_that_is_recorded_has_a_tutorial() -> None:
    recorded = {folder.name for folder in (ROOT / "cassettes").iterdir() if folder.is_dir()}
    assert recorded <= {page.stem for page in PAGES}


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*PAGES, ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"
