import importlib.util
from pathlib import Path

import pytest


def test_the_reference_says_what_the_code_does(repository: Path) -> None:
    spec = importlib.util.spec_from_file_location("reference", repository / "docs" / "reference.py")
    assert spec is not None and spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    made, kept = reference.markdown(), (repository / "docs" / "reference.md").read_text(encoding="utf-8")
    for word in ("--dry-run", "extractor export", "`usage.groups`", "**evidence**", "`evidence.*.spans[].quote`"):
        assert word in made
    if made != kept:
        pytest.fail("docs/reference.md is old; run: python docs/reference.py > docs/reference.md", pytrace=False)
