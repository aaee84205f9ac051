"""The pages in a real browser: their scripts run, under their own policy, and the browser complains of nothing."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from extractor.cli.main import main

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no browser; Debian: apt-get install chromium")


def render_page(page: Path, home: Path, fragment: str = "") -> str:
    """The page as it stands in the browser once its scripts have run. Fails on what the browser's console says."""
    flags = ["--headless", "--disable-gpu", "--disable-dev-shm-usage", "--virtual-time-budget=5000"]
    flags += ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [str(CHROMIUM), *flags, "--enable-logging=stderr", "--dump-dom", page.as_uri() + fragment]
    environment = {**os.environ, "HOME": str(home)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=True)
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    return done.stdout


def test_the_page_of_records_lights_the_words_of_a_value(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    out = tmp_path / "out"
    assert main(["run", "--out", str(out), "--mode", "replay", "--quiet"]) == 1  # suspect: values were left out
    assert main(["show", str(out)]) == 0
    page = out / "index.html"
    lit = re.compile(r'<mark[^>]* class="[^"]*\bon\b[^"]*"[^>]*>(.*?)</mark>')
    assert lit.findall(page.read_text(encoding="utf-8")) == []
    assert lit.findall(render_page(page, tmp_path, "#004_eda485c0ac17a2d1.txt/name")) == ["Runyu Lu"]


def test_the_report_draws_its_table_of_fields(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    assert main(["eval", "--suite", "eval/invoice", "--mode", "replay", "--out", str(tmp_path / "report")]) == 0
    page = tmp_path / "report" / "report.html"
    assert 'class="cell"' not in page.read_text(encoding="utf-8")
    assert 'class="cell"' in render_page(page, tmp_path)
