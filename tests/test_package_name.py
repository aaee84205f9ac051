"""The name under which the package is installed, wherever it is said."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from extractor.errors import DISTRIBUTION, name_install_command


def test_the_name_is_that_of_the_project(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == DISTRIBUTION
    assert all(extra.startswith(f"{DISTRIBUTION}[") for extra in project["optional-dependencies"]["all"])


def test_nothing_says_to_install_another_project_of_our_modules_name(repository: Path) -> None:
    """`extractor` on the package index is somebody else's."""
    if not (repository / ".git").exists():
        pytest.skip("no git repository; run it in a clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=True)
    module = "extractor"
    old = re.compile(rf"\b{module}\[|install\s+(-\S+\s+)*[\"']?{module}\b")
    files = [repository / name for name in listed.stdout.split("\0") if name]
    said = [str(f) for f in files if f.is_file() and old.search(f.read_text(encoding="utf-8", errors="ignore"))]
    assert len(files) > 100 and said == []


def test_a_checkout_is_installed_from_its_folder(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.chdir(repository)
    assert name_install_command("pdf") == "pip install -e '.[pdf]'"
    monkeypatch.chdir(tmp_path)
    assert name_install_command("pdf") == f"pip install -e '{repository}[pdf]'"
    monkeypatch.delenv("VIRTUAL_ENV")
    assert name_install_command("pdf").startswith(f"{sys.executable} -m pip install")


def test_a_wheel_is_installed_by_the_name_of_the_project(repository: Path, tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "extractor"
    package.mkdir(parents=True)
    for name in ("__init__.py", "_version.py", "errors.py"):
        shutil.copy(repository / "extractor" / name, package)
    shutil.copytree(repository / "extractor" / "types", package / "types")
    (package.parent / "pyproject.toml").write_text('[project]\nname = "stray"\n', encoding="utf-8")
    code = "from extractor.errors import name_install_command as n; print(n('pdf'))"
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=package.parent,
        env={"VIRTUAL_ENV": sys.prefix},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == f"pip install '{DISTRIBUTION}[pdf]'\n"
