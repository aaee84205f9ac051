"""The documentation as a site: what `make docs` builds strictly, checked here without building it."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")


@pytest.fixture
def hook(repository: Path) -> ModuleType:
    pytest.importorskip("mkdocs")
    spec = importlib.util.spec_from_file_location("site_pages", repository / "tools" / "site_pages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def list_pages(nav: object) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    inner = nav.values() if isinstance(nav, dict) else nav
    return [page for one in inner for page in list_pages(one)]  # type: ignore[attr-defined]


def test_every_page_is_in_the_navigation_and_every_entry_is_a_page(repository: Path, hook: ModuleType) -> None:
    listed = list_pages(yaml.safe_load((repository / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    docs = repository / "docs"
    pages = {str(path.relative_to(docs)) for path in docs.rglob("*.md") if path.parent.name != "decisions"}
    assert set(listed) == pages | set(hook.BESIDE) | {"decisions/README.md"}
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("start", ["docs", "README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_links_within_the_repository_lead_somewhere(repository: Path, start: str) -> None:
    place = repository / start
    for page in [place] if place.is_file() else sorted(place.rglob("*.md")):
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        for target, _ in LINK.findall(text):
            if ":" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(repository)} links to {target}"


@pytest.mark.skipif("EXTRACTOR_TIMED" not in os.environ, reason="builds for seconds; make soak and make docs do it")
def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(
    repository: Path, tmp_path: Path, hook: ModuleType
) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=repository, env=environ, capture_output=True, text=True)
    assert (built.returncode, built.stderr) == (0, "")
    for page in (tmp_path / "site").rglob("*.html"):
        loaded = re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=\"(https?://[^\"]*)", page.read_text())
        assert not [address for address in loaded if "canonical" not in address], page.name
