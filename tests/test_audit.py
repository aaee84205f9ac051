"""`make audit` tells what it does not know."""

from __future__ import annotations

import importlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def audit(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(repository / "bench")
    return importlib.import_module("audit")


def build_export(folder: Path, *advisories: dict[str, Any]) -> Path:
    export = folder / "all.zip"
    with zipfile.ZipFile(export, "w") as records:
        for one in advisories:
            records.writestr(f"{one['id']}.json", json.dumps(one))
    return export


def advise(name: str, project: str, *aliases: str) -> dict[str, Any]:
    span = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}
    return {
        "id": name,
        "aliases": aliases,
        "affected": [{"package": {"ecosystem": "PyPI", "name": project}, "ranges": [span]}],
    }


def test_a_source_that_does_not_know_what_is_answered_knows_nothing(
    audit: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert audit.check_advisories(build_export(tmp_path, advise("PYSEC-1", "httpx2"))) == 0
    assert "could NOT be asked" in capfd.readouterr().out


def test_what_is_not_answered_fails(audit: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    known = advise("GHSA-w8v5-vhqr-4h9v", "diskcache", "CVE-2025-69872")
    assert audit.check_advisories(build_export(tmp_path, known)) == 0
    assert "1 advisories, 0 not answered" in capfd.readouterr().out
    assert audit.check_advisories(build_export(tmp_path, known, advise("PYSEC-1", "httpx2"))) == 1
    assert "NOT ANSWERED" in capfd.readouterr().out
