"""Spans and counters of a run: what they say, what they never say, and that nothing is loaded for them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor import telemetry
from extractor.cli.main import main
from extractor.testing import FaultAnswer, FaultEndpoint, build_completion

KEY = "sk-0123456789abcdef"


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """What is heard of spans and counters while the test lasts: an exporter, and a reader of metrics."""
    pytest.importorskip("opentelemetry.sdk", reason="what listens is not installed")
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    spans, meters = TracerProvider(), MeterProvider([reader])
    spans.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", spans.get_tracer)
    monkeypatch.setattr(metrics, "get_meter", meters.get_meter)
    telemetry._find_counter.cache_clear()
    yield exporter, reader
    telemetry._find_counter.cache_clear()
    spans.shutdown()
    meters.shutdown()


def answer(body: dict[str, Any], n: int) -> FaultAnswer:
    if "secretly" in body["messages"][-1]["content"]:
        return FaultAnswer(status=400, body={"error": {"message": "no such thing as secretly"}})
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return FaultAnswer(body=build_completion(json.dumps({"title": "bolt"}), usage=usage))


def run(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    task, papers = tmp_path / "task", tmp_path / "in"
    task.mkdir()
    papers.mkdir()
    (task / "schema.json").write_text(json.dumps({"type": "object", "properties": {"title": {"type": "string"}}}))
    (task / "plain.md").write_text("# system\nCopy.\n\n# user\n{document}\n{question}\n")
    for name, text in (("mine", "A bolt."), ("other", "A bolt, and more."), ("bad", "Told secretly.")):
        (papers / f"paper-{name}.txt").write_text(text)
    words = ["run", papers, "-o", tmp_path / "out", "--task", task, "--model", "m", "--base-url", url, "--no-cache"]
    assert main([*map(str, words), "--quiet", "--set", "price=[1, 10]", "--set", "dialect=schema"]) == 1


def test_a_run_holds_its_documents_and_they_their_requests(
    heard: tuple[Any, Any], tmp_path: Path, faults: Callable[..., FaultEndpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, faults(answer).url, monkeypatch)
    exporter, reader = heard
    spans = exporter.get_finished_spans()
    by_id = {span.context.span_id: span for span in spans}
    (whole,) = [span for span in spans if span.parent is None]
    assert whole.name == "run" and whole.attributes["recordproof.documents"] == 3
    documents = [span for span in spans if span.name == "document"]
    assert sorted(span.attributes["recordproof.status"] for span in documents) == ["complete", "complete", "incomplete"]
    assert all(span.parent.span_id == whole.context.span_id for span in documents)
    requests = [span for span in spans if span.name == "chat m"]
    assert {by_id[span.parent.span_id].name for span in requests} == {"document"}
    good = [span for span in requests if "error.type" not in span.attributes]
    assert [dict(span.attributes)["gen_ai.usage.input_tokens"] for span in good] == [100, 100]
    assert good[0].attributes["gen_ai.operation.name"] == "chat" and good[0].attributes["server.address"] == "127.0.0.1"
    assert {span.status.is_ok for span in requests if "error.type" in span.attributes} == {False}

    told = "".join(span.to_json() for span in spans)
    assert not [word for word in (KEY, "bolt", "secretly", "paper", "/v1", str(tmp_path)) if word in told]

    sums: dict[str, float] = {}
    for metric in reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics:
        sums[metric.name] = sum(point.value for point in metric.data.data_points)
    assert sums["recordproof.documents"] == 3 and sums["recordproof.requests"] == len(requests)
    assert sums["recordproof.tokens"] == 220
    assert sums["recordproof.cost"] == pytest.approx((200 * 1 + 20 * 10) / 1e6)


def test_nothing_of_it_is_loaded_where_nobody_listens(repository: Path) -> None:
    asks = "import sys, extractor.runs.runner, extractor.models.openai.sending as s, extractor.telemetry as t\n"
    asks += "with t.trace('run', {}) as told: told.set({'a': 1}); t.count('b', 1, 'c')\n"
    asks += "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    found = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, cwd=repository, check=True)
    assert found.stdout.strip() == "[]"
