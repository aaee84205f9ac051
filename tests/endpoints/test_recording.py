"""A run that learnt how its endpoint wants to be asked is replayed without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from extractor import Engine, extract
from extractor.models.settings import ModelSettings
from extractor.testing import build_completion
from tests.endpoints.door import RIGHT, SCHEMA, TEXT, Body, learnt, names_dialect, refuse, serve
from tests.endpoints.test_parameters import openai

PAGES = TEXT + "\n\n".join(f"Page {i}. Nothing else is said here that anybody would want to know." for i in range(400))


def refusal(body: Body) -> Any:
    refused = next((name for name in ("max_tokens", "temperature", "logprobs") if name in body), None)
    if refused:
        return openai(refused)
    if names_dialect(body) == "schema":
        return 400, {}
    return (200, build_completion("It is A-7.")) if names_dialect(body) == "tools" else None


@pytest.mark.parametrize("text", [TEXT, PAGES], ids=["one question", "several"])
def test_what_was_learnt_while_recording_is_learnt_while_replaying(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.delenv("CI", raising=False)
    small = ModelSettings(window=6_000)
    with serve(refuse(refusal)) as server:
        with Engine("m", base_url=server.url, mode="record", cassettes=tmp_path, settings=small) as engine:
            recorded = extract(text, SCHEMA, engine=engine, name="a")
        url = server.url
    assert (recorded.usage.requests > 12) == (text is PAGES)
    assert recorded.value is not None and recorded.value["rows"][:3] == RIGHT["rows"]
    assert learnt(recorded)["dialect"] == "json"
    for _ in range(2):
        with Engine("m", base_url=url, mode="replay", cassettes=tmp_path, settings=small) as engine:
            replayed = extract(text, SCHEMA, engine=engine, name="a")
        assert replayed.value == recorded.value and replayed.status == recorded.status
        assert not replayed.failures
        assert learnt(replayed) == learnt(recorded)
