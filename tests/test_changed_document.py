"""A document that has changed is asked again where it has changed, and the run says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from extractor.cli.main import main
from extractor.testing import FaultEndpoint

SCHEMA = {"type": "object", "properties": {"numbers": {"type": "array", "items": {"type": "string"}}}}


def test_one_word_changed_in_a_document_of_twenty_chunks_asks_two_questions_at_most(
    tmp_path: Path, faults: Callable[..., FaultEndpoint], capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint = faults(lambda body, n: '{"numbers": []}')
    paragraphs = [f"Paragraph {n} of the agreement says what {n * 7} parties owe. " * 4 for n in range(200)]
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    document = tmp_path / "agreement.txt"
    command = [
        *("run", str(document), "--schema", str(tmp_path / "s.json"), "-o", str(tmp_path / "out"), "--model", "m"),
        *("--base-url", endpoint.url, "--cache", str(tmp_path / "cache"), "--set", "window=1200"),
        *("--set", "max_output=500"),
    ]
    document.write_text("\n\n".join(paragraphs))
    assert main(command) == 0
    first = endpoint.requests
    assert first >= 20
    for word in ("notwithstanding",):
        capsys.readouterr()
        before = endpoint.requests
        document.write_text("\n\n".join(paragraphs).replace("agreement", word, 1))
        assert main(command) == 0
        assert endpoint.requests - before <= 2
        said = capsys.readouterr()
        assert f"{first - 1} replies were there from before; 1 request," in " ".join(said.out.split())
        assert "1 result done again, since the document has changed." in said.err
